//! Two instances that both go on from one history: each has a log of its own name from there, and whoever kept a head of
//! one finds that the other is not its continuation.

use std::fs;

use souche::db::checkpoints;
use souche::domain::note::Note;
use souche::ledger::bundle::{Trusted, Verdict, verify};
use souche::ledger::{sealer, verify_log};
use souche::signer::Signer;

use crate::support::World;
use crate::support::moving::Elsewhere;
use crate::support::region::Region;
use crate::support::signing::Signing;

/// What a monitor keeps: the keys of a log, and its last head.
fn kept(region: &Region) -> Trusted {
    let (keys, head) =
        region.does(|tx| Ok((checkpoints::keys(tx)?, checkpoints::last(tx)?))).unwrap();
    Trusted {
        keys: keys.iter().map(|key| key.parse().unwrap()).collect(),
        checkpoint: head.map(|head| head.note.parse().unwrap()),
    }
}

fn broken(verdict: &Verdict) -> Vec<&'static str> {
    verdict.checks.iter().filter(|check| !check.holds).map(|check| check.code).collect()
}

fn refused_because(elsewhere: &Elsewhere) -> String {
    elsewhere
        .superuser()
        .value("SELECT coalesce(refused_because, '') FROM logs WHERE programme_id = 2")
}

#[test]
fn two_instances_that_both_go_on_are_found_by_whoever_kept_a_head() {
    let world = World::lived();
    let (old, old_signing) = (&world.region, Signing::new());
    old.seals(&old_signing.signer);
    let elsewhere = Elsewhere::with(&old.keys, old);
    let (new, new_signing) = (elsewhere.takes_over(old), Signing::new());
    // The same pass, here and there.
    new.redeems(&new.fourmies, 7).unwrap();
    let there = new.seals(&new_signing.signer);
    old.redeems(&old.avesnes, 7).unwrap();
    assert_eq!(old.seals(&old_signing.signer), there);
    let (by_old, by_new) = (kept(old), kept(&new));
    // Same size, other root, under another name.
    let checkpoint = |trusted: &Trusted| {
        let note = trusted.checkpoint.clone().unwrap();
        trusted.keys.iter().find_map(|key| note.verify(key).ok()).unwrap()
    };
    let (here, elsewhere_head) = (checkpoint(&by_old), checkpoint(&by_new));
    assert_eq!(here.size, elsewhere_head.size);
    assert_ne!(here.root, elsewhere_head.root);
    assert_ne!(here.origin, elsewhere_head.origin);
    // Whoever follows the old log is shown the new one: its key is not known, or its past is not the one that was kept.
    let file = new.bundle();
    let by_old_alone = verify(file.as_bytes(), &by_old);
    assert_eq!(
        broken(&by_old_alone),
        ["checkpoints_are_of_the_tree", "kept_checkpoint_is_of_the_log"]
    );
    let both = Trusted { keys: [by_old.keys.clone(), by_new.keys].concat(), ..by_old };
    assert_eq!(broken(&verify(file.as_bytes(), &both)), ["kept_checkpoint_is_of_the_log"]);
    let note = both.checkpoint.unwrap();
    assert!(!new.does(|tx| verify_log::verify_kept(tx, &note)).unwrap().holds);
    // Each by itself is whole.
    new.books_hold();
    old.books_hold();
}

#[test]
fn a_bundle_older_than_a_kept_head_is_refused_with_that_head() {
    let world = World::lived();
    let (old, signing) = (&world.region, Signing::new());
    let file = old.bundle();
    old.redeems(&old.fourmies, 7).unwrap();
    old.seals(&signing.signer);
    let verdict = verify(file.as_bytes(), &kept(old));
    assert_eq!(broken(&verdict), ["kept_checkpoint_is_of_the_log"]);
}

#[test]
fn the_old_signer_brought_along_signs_only_what_continues_its_memory() {
    let world = World::lived();
    let (old, signing) = (&world.region, Signing::new());
    let file_before = old.bundle();
    old.redeems(&old.fourmies, 7).unwrap();
    let signed = old.seals(&signing.signer);
    // From an older file: something that was signed is missing, and nothing is signed any more.
    let elsewhere = Elsewhere::with(&old.keys, old);
    let programme = elsewhere.imports(&file_before, None).unwrap();
    let short = Region { programme, ..old.at_work_on(&elsewhere.db) };
    short.does(|tx| sealer::sign_head_again(tx, &signing.signer)).unwrap();
    assert!(refused_because(&elsewhere).contains("coupée"), "{}", refused_because(&elsewhere));
    // From the whole history it goes on under its name.
    let whole = Elsewhere::with(&old.keys, old);
    let moved = whole.takes_over(old);
    moved.redeems(&moved.fourmies, 8).unwrap();
    assert_eq!(moved.seals(&signing.signer), signed + 1);
    assert_eq!(refused_because(&whole), "");
    let head = moved.does(checkpoints::last).unwrap().unwrap();
    let note: Note = head.note.parse().unwrap();
    assert!(kept(old).keys.iter().any(|key| note.verify(key).is_ok()));
    // And the old instance, if it still runs with that signer, gets no other future.
    old.redeems(&old.fourmies, 9).unwrap();
    old.seals(&signing.signer);
    let because =
        world.superuser().value("SELECT refused_because FROM logs WHERE programme_id = 1");
    assert!(because.contains("son passé a changé"), "{because}");
}

#[test]
fn a_signers_key_without_its_memory_signs_nothing() {
    let world = World::lived();
    let (old, signing) = (&world.region, Signing::new());
    old.redeems(&old.fourmies, 7).unwrap();
    old.seals(&signing.signer);
    let copied = Signing::new();
    fs::copy(signing.dir.join("key.json"), copied.dir.join("key.json")).unwrap();
    fs::remove_file(copied.dir.join("heads.json")).unwrap();
    let why = format!("{:#}", Signer::here(&copied.dir).unwrap_err());
    assert!(why.contains("heads.json"), "{why}");
}
