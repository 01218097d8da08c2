//! The night's copy, in the region's hands: it opens for the region alone, and is enough to go on without us.

use std::fs;
use std::path::{Path, PathBuf};

use souche::app::evidence::{Ask, Escrow, hold_claims, import};
use souche::db::Scope;
use souche::envelope::Opened;
use souche::keys::{Keys, hex, random};
use souche::ledger::bundle::{Trusted, verify};

use crate::support::World;
use crate::support::moving::{AgeKey, Elsewhere};
use crate::support::processes::souche;
use crate::support::region::Region;
use crate::support::signing::Signing;

/// A directory of the region's.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        let name = format!("souche-it-escrow-{}", hex(&random::<8>().unwrap()));
        let dir = Self(std::env::temp_dir().join(name));
        fs::create_dir(&dir.0).unwrap();
        dir
    }

    /// What lies in it, hidden files too.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Redeemed, less undone, less what the bank has debited, in cents by site: from the rows, by a query of its own.
const OWED: &str = "SELECT s.number || ' ' || coalesce(sum(p.face_value_cents) FILTER (WHERE r.pass IS NOT NULL AND v.pass IS NULL), 0)
       - coalesce((SELECT sum(i.amount_cents) FROM payout_items i JOIN payout_debits d ON d.programme_id = i.programme_id AND d.payout = i.payout
                   JOIN redemptions x ON x.programme_id = i.programme_id AND x.pass = i.pass AND x.cycle = i.cycle
                   WHERE i.programme_id = s.programme_id AND x.site = s.number), 0)
     FROM sites s JOIN programmes p ON p.id = s.programme_id
     LEFT JOIN redemptions r ON r.programme_id = s.programme_id AND r.site = s.number
     LEFT JOIN voids v ON v.programme_id = r.programme_id AND v.pass = r.pass AND v.cycle = r.cycle
     WHERE s.programme_id = 1 GROUP BY s.programme_id, s.number ORDER BY s.number";

/// Copies of that night, and how many were written.
fn night(region: &Region, dir: &Dir, key: &AgeKey, keep: usize) -> usize {
    let escrow = Escrow::new(dir.0.clone(), vec![key.public.clone()], keep).unwrap();
    escrow.copy_all(&region.db, &region.keys).unwrap().len()
}

#[test]
fn the_database_is_dropped_and_every_site_proves_elsewhere_what_it_is_owed() {
    let world = World::lived();
    let region = world.region.clone();
    // The last use of the day was not sealed yet.
    region.redeems(&region.avesnes, 7).unwrap();
    let (dir, key) = (Dir::new(), AgeKey::new());
    assert_eq!(night(&region, &dir, &key, 30), 2);
    let owed = world.superuser().column(OWED);
    let elsewhere = Elsewhere::with(&Keys::generate().unwrap(), &region);
    drop(world);

    let copy = dir.0.join("SAT-2026-03-13.souche.age");
    let mut file = Opened::open(&copy, Some(&key.file)).unwrap();
    let verdict = verify(std::io::BufReader::new(&mut file), &Trusted::default());
    assert!(verdict.holds());
    let imported = elsewhere
        .db
        .transact_blocking(Scope::Nobody, |tx| {
            import(tx, &elsewhere.keys, &mut file, &verdict, &Ask::default())
        })
        .unwrap();
    let programme = imported.0.programme;
    let moved = Region { programme, ..region.at_work_on(&elsewhere.db) };
    moved.seals(&Signing::new().signer);
    moved.books_hold();
    let sites = moved.does(|tx| hold_claims(tx, &elsewhere.keys, programme)).unwrap();
    let claimed: Vec<String> =
        sites.iter().map(|held| format!("{} {}", held.site, held.claimed)).collect();
    assert_eq!(claimed, owed);
    assert!(owed.iter().any(|it| !it.ends_with(" 0")));
    for site in sites {
        assert!(site.holds() && site.claimed == site.booked, "{site:?}");
    }
}

#[test]
fn a_copy_is_written_once_a_day_and_the_last_ones_stay() {
    let world = World::lived();
    let region = &world.region;
    let (dir, key) = (Dir::new(), AgeKey::new());
    for (day, written) in
        [("2026-03-13", 2), ("2026-03-13", 0), ("2026-03-14", 2), ("2026-03-15", 2)]
    {
        region.clock_shows(&format!("{day}T09:00:00Z"));
        assert_eq!(night(region, &dir, &key, 2), written, "{day}");
    }
    assert_eq!(
        dir.names(),
        ["HDF", "SAT"]
            .map(|code| ["14", "15"].map(|day| format!("{code}-2026-03-{day}.souche.age")))
            .concat()
    );
    let acts = world.superuser().value(
        "SELECT count(*) FROM audit_log WHERE programme_id = 1 AND operation = 'escrow_bundle'",
    );
    assert_eq!(acts, "3");
}

#[test]
fn a_copy_opens_for_its_recipient_alone() {
    let world = World::lived();
    let (dir, key, stranger) = (Dir::new(), AgeKey::new(), AgeKey::new());
    night(&world.region, &dir, &key, 30);
    let copy = dir.0.join("SAT-2026-03-13.souche.age");
    assert!(Opened::open(&copy, Some(&stranger.file)).is_err());
    assert!(Opened::open(&copy, None).is_err());
    let bytes = fs::read(&copy).unwrap();
    for word in ["souche-bundle", "Centre social", "FR76"] {
        assert!(!bytes.windows(word.len()).any(|it| it == word.as_bytes()), "{word}");
    }
    let mut file = Opened::open(&copy, Some(&key.file)).unwrap();
    assert!(verify(std::io::BufReader::new(&mut file), &Trusted::default()).holds());
    // Cut anywhere, it is not whole.
    fs::write(&copy, &bytes[..bytes.len() / 2]).unwrap();
    let mut file = Opened::open(&copy, Some(&key.file)).unwrap();
    assert!(!verify(std::io::BufReader::new(&mut file), &Trusted::default()).holds());
}

#[test]
fn a_copy_that_cannot_be_finished_leaves_none() {
    let world = World::lived();
    let region = &world.region;
    let (dir, key) = (Dir::new(), AgeKey::new());
    // A row that leads to no entry: the bundle can't be written to its end.
    world.superuser().run(
        "SET LOCAL session_replication_role = replica;
         UPDATE passes SET order_number = 99 WHERE programme_id = 1 AND number = 20",
    );
    let escrow = Escrow::new(dir.0.clone(), vec![key.public.clone()], 30).unwrap();
    escrow.copy_all(&region.db, &region.keys).unwrap_err();
    // The neighbour's is there all the same, and nothing half-written.
    assert_eq!(dir.names(), ["HDF-2026-03-13.souche.age"]);
    let code = |text: &str| text.to_owned().try_into().unwrap();
    assert!(escrow.age(&code("HDF")).is_some() && escrow.age(&code("SAT")).is_none());
    assert!(Escrow::new(dir.0.join("nowhere"), vec![key.public.clone()], 30).is_err());
}

#[test]
fn the_metrics_say_how_old_the_copies_are() {
    let world = World::lived();
    let region = &world.region;
    let (dir, key) = (Dir::new(), AgeKey::new());
    night(region, &dir, &key, 30);
    fs::remove_file(dir.0.join("HDF-2026-03-13.souche.age")).unwrap();
    let escrow = Escrow::new(dir.0.clone(), vec![key.public.clone()], 30).unwrap();
    let code = |text: &str| text.to_owned().try_into().unwrap();
    assert!(escrow.age(&code("SAT")).unwrap().as_secs() < 3_600);
    assert_eq!(escrow.age(&code("HDF")), None);
}

fn drill(file: &Path, key: &AgeKey) -> (bool, String) {
    let told = souche().arg("drill").arg(file).arg("--identity").arg(&key.file).output().unwrap();
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    (told.status.success(), text + &String::from_utf8_lossy(&told.stderr))
}

#[test]
fn a_drill_restores_a_copy_and_says_what_every_site_is_owed() {
    let world = World::lived();
    let (dir, key) = (Dir::new(), AgeKey::new());
    night(&world.region, &dir, &key, 30);
    let copy = dir.0.join("SAT-2026-03-13.souche.age");
    let (is_enough, told) = drill(&copy, &key);
    assert!(is_enough, "{told}");
    assert!(told.contains("Réclamations de 4 lieux recalculées en "), "{told}");
    assert!(told.contains("écart : 0,00\u{a0}€.\n"), "{told}");
    assert!(told.ends_with("chaque lieu y prouve ce qui lui est dû.\n"), "{told}");
    // Nothing is left of it.
    let left = fs::read_dir(std::env::temp_dir()).unwrap().filter(|entry| {
        entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("souche-drill-")
    });
    assert_eq!(left.count(), 0);
    fs::write(&copy, &fs::read(&copy).unwrap()[..10_000]).unwrap();
    let (is_enough, told) = drill(&copy, &key);
    assert!(!is_enough && told.contains("il n'est pas restauré"), "{told}");
}
