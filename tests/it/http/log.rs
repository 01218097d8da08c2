//! The public log as a third party follows it, with nothing but HTTP and the specifications.

use serde_json::json;
use souche::domain::ProgrammeId;
use souche::domain::merkle::{Frontier, Hash, verify_consistency};
use souche::domain::note::{Checkpoint, Note, Proof, Verifier};
use souche::ledger::sealer;

use super::region::Region;
use crate::support::signing::Signing;
use crate::support::sql::Sql;

/// Of the first programme.
const LOG: &str = "/api/v1/log/HDF";

fn seal(region: &Region, signing: &Signing) -> u64 {
    sealer::seal_and_sign(&region.api.db, ProgrammeId::new(1), &signing.signer).unwrap()
}

fn text(region: &Region, path: &str) -> String {
    let answer = region.api.send("GET", path, None, None, "", b"");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.text
}

fn head(region: &Region) -> (Checkpoint, Verifier) {
    let keys = text(region, &format!("{LOG}/key"));
    let verifier: Verifier = keys.lines().next().unwrap().parse().unwrap();
    let note: Note = text(region, &format!("{LOG}/checkpoint")).parse().unwrap();
    (note.verify(&verifier).unwrap(), verifier)
}

/// A tile, and how long it may be kept.
fn tile(region: &Region, level: u8, tile: &str) -> (Vec<Hash>, String) {
    let path = format!("{LOG}/tile/{level}/{tile}");
    let answer = region.api.send("GET", &path, None, None, "", b"");
    assert_eq!(
        (answer.status, answer.content_type.as_str()),
        (200, "application/octet-stream"),
        "{path}"
    );
    let hashes = answer.bytes.chunks(32).map(|hash| Hash(hash.try_into().unwrap()));
    (hashes.collect(), answer.cache_control)
}

fn add_entries(region: &Region, n: usize) {
    Sql::open(&region.api.database.superuser_url()).run(&format!(
        "INSERT INTO entries (programme_id, id, kind, number, happened_at, recorded_at, recorded_by, receipt)
         SELECT 1, gen_random_uuid(), 'hand_over', 1000 + n, recorded_at, recorded_at, recorded_by, '{{\"n\":' || n || '}}'
         FROM (SELECT * FROM entries LIMIT 1) e, generate_series(1, {n}) n"
    ));
}

#[test]
fn a_third_party_recomputes_the_root_from_the_tiles() {
    let region = Region::start();
    region.booklets_in_stock(2);
    add_entries(&region, 600);
    let size = seal(&region, &Signing::new());
    let (checkpoint, _) = head(&region);
    assert_eq!(checkpoint.size, size);
    let (first, kept) = tile(&region, 0, "000");
    assert!(kept.contains("immutable"), "{kept}");
    let (second, _) = tile(&region, 0, "001");
    let (last, kept) = tile(&region, 0, &format!("002.p/{}", size - 512));
    assert_eq!(kept, "no-store");
    let (mut frontier, mut roots) = (Frontier::new(), Vec::new());
    for leaf in [first, second, last].concat() {
        frontier.append(leaf, |_, root| roots.push(root));
    }
    assert_eq!((frontier.size(), frontier.root()), (size, checkpoint.root));
    assert_eq!(tile(&region, 1, "000.p/2").0, roots);
    let receipts = Sql::open(&region.api.database.superuser_url()).column(
        "SELECT e.receipt FROM leaves l JOIN entries e ON e.id = l.entry_id ORDER BY l.position",
    );
    assert_eq!(tile(&region, 0, "000").0[0], Hash::of_leaf(receipts[0].as_bytes()));
    for past in ["002", "003", &format!("002.p/{}", size - 511), "x001/000"] {
        let answer = region.api.send("GET", &format!("{LOG}/tile/0/{past}"), None, None, "", b"");
        assert_eq!(answer.problem(404), "not_found", "{past}");
    }
    for odd in ["0/1", "8/000", "0/000.p/256", "0/x000/000", "0/000.p/1/2"] {
        let answer = region.api.send("GET", &format!("{LOG}/tile/{odd}"), None, None, "", b"");
        assert_eq!(answer.problem(400), "invalid", "{odd}");
    }
}

#[test]
fn a_receipt_is_proven_once_it_is_sealed() {
    let mut region = Region::start();
    let codes = region.booklets_in_stock(2);
    region.hand_over(1, "Fictive");
    region.on("2026-03-10T09:00:00Z");
    let (api, people, signing) = (&region.api, &region.people, Signing::new());
    let ask = json!({ "code": codes[0], "service": "everyday_tools" });
    let receipt = api.post(&people.mediator, "/api/v1/redemptions", &ask).ok()["receipt"]
        .as_str()
        .unwrap()
        .to_owned();
    let entry: serde_json::Value = serde_json::from_str(&receipt).unwrap();
    let path = format!("/api/v1/receipts/{}/proof", entry["entry"].as_str().unwrap());
    let waiting = api.get(&people.mediator, &path);
    assert_eq!(waiting.problem(409), "not_sealed");
    assert_eq!(
        api.send("GET", &format!("{LOG}/checkpoint"), None, None, "", b"").problem(404),
        "not_found"
    );

    seal(&region, &signing);
    let proof: Proof = api.get(&people.mediator, &path).text.parse().unwrap();
    let (checkpoint, verifier) = head(&region);
    assert_eq!(proof.verify(receipt.as_bytes(), &verifier), Ok(checkpoint.clone()));
    proof
        .verify(receipt.replace("everyday_tools", "employment").as_bytes(), &verifier)
        .unwrap_err();
    let nobodys = "/api/v1/receipts/00000000-0000-7000-8000-000000000001/proof";
    assert_eq!(api.get(&people.mediator, nobodys).problem(404), "not_found");

    // It grows, and the old head is proven to be its beginning.
    add_entries(&region, 300);
    seal(&region, &signing);
    let (longer, _) = head(&region);
    let path =
        format!("/api/v1/checkpoints/consistency?from={}&to={}", checkpoint.size, longer.size);
    let answer = api.get(&people.auditor, &path).ok();
    let hashes: Vec<Hash> = answer["proof"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap().parse().unwrap())
        .collect();
    assert!(verify_consistency(
        checkpoint.size,
        checkpoint.root,
        longer.size,
        longer.root,
        &hashes
    ));
    for odd in ["from=0&to=1", "from=2&to=1", "from=1&to=100000"] {
        let answer = api.get(&people.auditor, &format!("/api/v1/checkpoints/consistency?{odd}"));
        assert_eq!(answer.problem(400), "invalid");
    }
    let page = api.get(&people.site_manager, "/api/v1/checkpoints?limit=1").ok();
    assert_eq!(
        (&page["items"][0]["size"], &page["next"]),
        (&longer.size.into(), &longer.size.to_string().into())
    );
    let next =
        api.get(&people.site_manager, &format!("/api/v1/checkpoints?after={}", longer.size)).ok();
    assert_eq!(next["items"][0]["size"], checkpoint.size);
}

#[test]
fn nobody_learns_more_than_hashes_without_a_token() {
    let region = Region::start();
    region.booklets_in_stock(1);
    seal(&region, &Signing::new());
    for unknown in ["ZZZ", "SAT"] {
        let answer = region.api.send(
            "GET",
            &format!("/api/v1/log/{unknown}/checkpoint"),
            None,
            None,
            "",
            b"",
        );
        assert_eq!(answer.problem(404), "not_found");
    }
    // Naming a programme by its code opens that one row, and none of another programme's.
    let mut service = Sql::open(&region.api.database.service_url());
    assert_eq!(service.column("SELECT code FROM programmes"), Vec::<String>::new());
    service.run("SELECT set_config('souche.code', 'HDF', false)");
    assert_eq!(service.column("SELECT code FROM programmes"), ["HDF"]);
    assert_eq!(service.column("SELECT position FROM leaves"), Vec::<String>::new());
}

#[test]
fn the_lag_of_the_seal_is_a_metric() {
    let mut region = Region::start();
    region.booklets_in_stock(1);
    region.on("2026-03-10T09:00:00Z");
    let waiting = text(&region, "/metrics");
    let lag = |text: &str| -> i64 {
        let line = text
            .lines()
            .find(|line| line.starts_with("souche_seal_lag_seconds{programme=\"HDF\"}"));
        line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(lag(&waiting) > 24 * 3_600, "{waiting}");
    seal(&region, &Signing::new());
    let done = text(&region, "/metrics");
    assert_eq!(lag(&done), 0, "{done}");
    assert!(done.contains("souche_signer_refuses{programme=\"HDF\"} 0"), "{done}");
}
