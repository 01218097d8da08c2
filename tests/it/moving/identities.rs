//! Who the beneficiaries are leaves only when asked for, encrypted to one person, and comes back under other keys.

use souche::app::evidence;
use souche::db::{Scope, beneficiaries};
use souche::keys::Keys;
use souche::ledger::bundle::{Trusted, verify};

use crate::bundle::script_holds;
use crate::support::World;
use crate::support::moving::{AgeKey, Elsewhere, verified};
use crate::support::region::Region;

fn bundle_to(region: &Region, to: &AgeKey) -> String {
    let mut file = Vec::new();
    let to = [to.public.clone()];
    region
        .db
        .snapshot_blocking(Scope::Programme(region.programme), |tx| {
            evidence::write(tx, &region.keys, &mut file, &to)
        })
        .unwrap();
    String::from_utf8(file).unwrap()
}

/// Names of persons and what is known of them, as a key file opens it.
fn known(region: &Region, keys: &Keys) -> Vec<(String, String)> {
    let mut known = Vec::new();
    region
        .does(|tx| {
            beneficiaries::each_identity(tx, |person, sealed| {
                let identity = keys.unseal("identity", sealed)?;
                let identity: serde_json::Value = serde_json::from_slice(&identity).unwrap();
                known.push((person.to_owned(), identity.to_string()));
                Ok(())
            })
        })
        .unwrap();
    known
}

#[test]
fn identities_leave_only_when_asked_for_and_never_in_clear() {
    let world = World::lived();
    let region = &world.region;
    let key = AgeKey::new();
    let without = region.bundle();
    assert!(!without.contains("identities"));
    let with = bundle_to(region, &key);
    let parts = with.lines().filter(|line| line.starts_with("[\"identities\",")).count();
    assert_eq!(parts, 1);
    for word in ["Dupont", "Jeanne", "Paul", "1950-05-01"] {
        assert!(!with.contains(word), "{word}");
    }
    // It takes no key to verify it, and the manifest covers what is encrypted.
    verified(&with);
    assert!(script_holds(&with, &Trusted::default()));
    let at = with.find("[\"identities\",").unwrap() + 60;
    let mut changed = with.into_bytes();
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    assert!(!verify(changed.as_slice(), &Trusted::default()).holds());
}

#[test]
fn identities_come_back_sealed_anew() {
    let world = World::lived();
    let region = &world.region;
    let (key, stranger) = (AgeKey::new(), AgeKey::new());
    let file = bundle_to(region, &key);
    let keys = Keys::generate().unwrap();
    let elsewhere = Elsewhere::with(&keys, region);
    assert!(elsewhere.imports(&file, Some(&stranger.identities())).is_err());
    assert!(elsewhere.imports(&region.bundle(), Some(&key.identities())).is_err());
    assert_eq!(elsewhere.superuser().value("SELECT count(*) FROM programmes"), "1");
    let programme = elsewhere.imports(&file, Some(&key.identities())).unwrap();
    let moved = Region { programme, ..region.at_work_on(&elsewhere.db) };
    let was = known(region, &region.keys);
    assert_eq!(was.len(), 2);
    assert_eq!(known(&moved, &keys), was);
}

#[test]
fn without_a_key_a_person_is_a_name_that_says_nothing() {
    let world = World::lived();
    let elsewhere = Elsewhere::with(&world.region.keys, &world.region);
    let file = bundle_to(&world.region, &AgeKey::new());
    let programme = elsewhere.imports(&file, None).unwrap();
    let moved = Region { programme, ..world.region.at_work_on(&elsewhere.db) };
    assert_eq!(known(&moved, &world.region.keys), []);
}
