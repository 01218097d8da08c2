//! An audit over HTTP, from the commitment to the last finding.

use serde_json::{Value, json};
use souche::domain::ProgrammeId;
use souche::domain::sample::Seed;
use souche::ledger::sealer;

use super::region::Region;
use crate::support::signing::Signing;

const SAMPLES: &str = "/api/v1/audit-samples";
const SEED: Seed = Seed([7; 32]);

fn commitment() -> Value {
    json!({
        "title": "=Contrôle des remises", "commitment": SEED.commitment(), "kinds": ["hand_over", "redemption"],
        "from": "2026-01-01", "until": "2026-12-31", "strata": "kind", "per_stratum": 2,
    })
}

/// Three hand-overs and four uses.
fn a_region_at_work() -> Region {
    let region = Region::start();
    let codes = region.booklets_in_stock(3);
    for booklet in 1..=3 {
        region.hand_over(booklet, &format!("Fictive {booklet}"));
    }
    let (api, people) = (&region.api, &region.people);
    for code in &codes[..4] {
        let ask = json!({ "code": code, "service": "employment" });
        api.post(&people.mediator, "/api/v1/redemptions", &ask).ok();
    }
    region
}

/// The same, its sample drawn.
fn a_region_with_a_sample() -> (Region, Signing) {
    let (region, signing) = (a_region_at_work(), Signing::new());
    // All clocks stand still: what is sealed already stands before the commitment.
    seal(&region, &signing);
    region.api.post(&region.people.auditor, SAMPLES, &commitment()).ok();
    seal(&region, &signing);
    let seed = json!({ "seed": SEED });
    region.api.post(&region.people.auditor, "/api/v1/audit-samples/1/draw", &seed).ok();
    (region, signing)
}

fn seal(region: &Region, signing: &Signing) {
    sealer::seal_and_sign(&region.api.db, ProgrammeId::new(1), &signing.signer).unwrap();
}

#[test]
fn a_sample_is_drawn_once_by_the_auditor_and_once_the_log_has_sealed_it() {
    let region = a_region_at_work();
    let (api, people) = (&region.api, &region.people);
    let signing = Signing::new();
    let seals = || seal(&region, &signing);
    // All clocks stand still: what is sealed already stands before the commitment.
    seals();
    for token in [&people.admin, &people.manager, &people.public_accountant, &people.mediator] {
        assert_eq!(api.post(token, SAMPLES, &commitment()).problem(403), "not_allowed");
    }
    let committed = api.post(&people.auditor, SAMPLES, &commitment()).ok();
    assert_eq!(
        (&committed["id"], &committed["draw"], &committed["sealed_at"]),
        (&json!("1"), &Value::Null, &Value::Null)
    );
    assert_eq!(api.post(&people.auditor, SAMPLES, &commitment()).problem(409), "duplicate");

    let draw = "/api/v1/audit-samples/1/draw";
    let other = json!({ "seed": "00".repeat(32) });
    assert_eq!(api.post(&people.auditor, draw, &other).problem(422), "seed_not_committed");
    let seed = json!({ "seed": SEED });
    assert_eq!(api.post(&people.auditor, draw, &seed).problem(409), "not_sealed");
    assert_eq!(
        api.get(&people.auditor, "/api/v1/audit-samples/1/items").problem(409),
        "wrong_state"
    );
    seals();
    assert_eq!(api.post(&people.admin, draw, &seed).problem(403), "not_allowed");
    let drawn = api.post(&people.auditor, draw, &seed).ok();
    assert_eq!((&drawn["draw"]["population"], &drawn["draw"]["items"]), (&json!(7), &json!(4)));
    assert_eq!(drawn["draw"]["head_size"], json!(drawn["sealed_at"].as_u64().unwrap() + 1));
    assert_eq!(api.post(&people.auditor, draw, &seed).problem(409), "wrong_state");
}

#[test]
fn what_is_found_is_kept_and_counted_by_stratum() {
    let (region, _) = a_region_with_a_sample();
    let (api, people) = (&region.api, &region.people);
    let items = api.get(&people.manager, "/api/v1/audit-samples/1/items").ok();
    let items = items["items"].as_array().unwrap();
    assert_eq!(
        (items.len(), &items[0]["kind"], &items[3]["kind"]),
        (4, &json!("hand_over"), &json!("redemption"))
    );
    assert_eq!(
        (&items[3]["amount_cents"], &items[3]["site_name"]),
        (&json!(1000), &json!("Lieu fictif"))
    );
    let receipt = api
        .get(&people.auditor, &format!("/api/v1/receipts/{}", items[3]["entry"].as_str().unwrap()));
    assert!(
        receipt.ok()["receipt"].as_str().unwrap().contains(items[3]["receipt"].as_str().unwrap())
    );

    // Findings, and a correction.
    let on = |line: i32| format!("/api/v1/audit-samples/1/items/{line}/findings");
    let conform = json!({ "conclusion": "conform" });
    assert_eq!(api.post(&people.auditor, &on(5), &conform).problem(404), "not_found");
    assert_eq!(api.post(&people.admin, &on(1), &conform).problem(403), "not_allowed");
    let unexplained = json!({ "conclusion": "anomaly" });
    assert_eq!(api.post(&people.auditor, &on(1), &unexplained).problem(400), "invalid");
    let first = api.post(&people.auditor, &on(1), &conform).ok();
    assert_eq!(api.post(&people.auditor, &on(1), &conform).problem(409), "wrong_state");
    let anomaly =
        json!({ "conclusion": "anomaly", "remark": "=HYPERLINK(1)", "corrects": first["id"] });
    api.post(&people.auditor, &on(1), &anomaly).ok();
    api.post(&people.auditor, &on(3), &conform).ok();
    let sample = api.get(&people.admin, "/api/v1/audit-samples/1").ok();
    assert_eq!(
        sample["strata_found"],
        json!([
            { "stratum": "hand_over", "site_name": null, "population": 3, "items": 2, "conform": 0, "anomaly": 1, "not_verifiable": 0, "open": 1 },
            { "stratum": "redemption", "site_name": null, "population": 4, "items": 2, "conform": 1, "anomaly": 0, "not_verifiable": 0, "open": 1 },
        ])
    );
    let findings = api.get(&people.manager, "/api/v1/audit-samples/1/findings").ok();
    assert_eq!(findings["items"].as_array().unwrap().len(), 3, "what was corrected stays");
}

#[test]
fn the_worksheet_runs_no_formula_and_the_bundle_gives_the_same() {
    let (region, signing) = a_region_with_a_sample();
    let (api, people) = (&region.api, &region.people);
    let anomaly = json!({ "conclusion": "anomaly", "remark": "=HYPERLINK(1)" });
    api.post(&people.auditor, "/api/v1/audit-samples/1/items/1/findings", &anomaly).ok();
    let sheet = api.get(&people.auditor, "/api/v1/audit-samples/1/worksheet");
    assert_eq!((sheet.status, sheet.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert!(sheet.text.contains("Anomalie;'=HYPERLINK(1);"), "{}", sheet.text);
    assert_eq!(sheet.text.lines().count(), 5);

    // Drawn again: by the service, and by anyone from the bundle.
    let check = api.get(&people.approver, "/api/v1/audit-samples/1/verification").ok();
    assert_eq!((&check["holds"], &check["difference"]), (&json!(true), &json!(0)));
    seal(&region, &signing);
    let bundle = api.get(&people.auditor, "/api/v1/exports/bundle");
    let verdict = souche::ledger::bundle::verify(
        bundle.bytes.as_slice(),
        &souche::ledger::bundle::Trusted::default(),
    );
    assert!(verdict.holds(), "{:#?}", verdict.checks);
    assert_eq!(
        worksheet_of(&bundle.bytes),
        sheet.text,
        "the same worksheet, from the bundle alone"
    );
    region.assert_books_balance();
}

/// The worksheet of sample 1, as the command writes it.
fn worksheet_of(bundle: &[u8]) -> String {
    let name = souche::keys::hex(&souche::keys::random::<8>().unwrap());
    let dir = std::env::temp_dir().join(format!("souche-it-worksheet-{name}"));
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("bundle"), bundle).unwrap();
    let told = std::process::Command::new(env!("CARGO_BIN_EXE_souche"))
        .current_dir(&dir)
        .args(["audit", "sample", "bundle", "--sample", "1", "--out", "sheet.csv"])
        .output()
        .unwrap();
    assert!(told.status.success(), "{told:?}");
    let sheet = std::fs::read_to_string(dir.join("sheet.csv")).unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    sheet
}

#[test]
fn a_commitment_is_read_strictly() {
    let region = Region::start();
    for (field, value) in [
        ("commitment", json!("00")),
        ("kinds", json!([])),
        ("kinds", json!(["coffee"])),
        ("until", json!("2025-01-01")),
        ("strata", json!("weather")),
        ("per_stratum", json!(0)),
        ("seed", json!("00".repeat(32))),
    ] {
        let mut body = commitment();
        body[field] = value;
        assert_eq!(
            region.api.post(&region.people.auditor, SAMPLES, &body).problem(400),
            "invalid",
            "{field}"
        );
    }
    let list = region.api.get(&region.people.auditor, SAMPLES).ok();
    assert_eq!(list, json!({ "items": [], "next": null }));
}
