//! What the signer has signed stays: a database brought back older gets no signature on another future.

use std::fs;

use souche::ledger::{sealer, verify_log};
use souche::signer::Signer;

use super::{add_entries, broken};
use crate::support::World;
use crate::support::signing::Signing;

/// Brings the log back to what it was: as a backup of before would.
fn restore(world: &World, size: u64) {
    let lost =
        format!("(SELECT entry_id FROM leaves WHERE programme_id = 1 AND position >= {size})");
    world.superuser().run(&format!(
        "SET LOCAL session_replication_role = replica;
         CREATE TEMPORARY TABLE lost ON COMMIT DROP AS {lost};
         DELETE FROM checkpoints WHERE programme_id = 1 AND size > {size};
         DELETE FROM leaves WHERE programme_id = 1 AND position >= {size};
         DELETE FROM transfers WHERE entry_id IN (SELECT * FROM lost);
         DELETE FROM entries WHERE id IN (SELECT * FROM lost);
         UPDATE passes p SET state = 'distributed', cycle = p.cycle - 1, changed_at = e.recorded_at
         FROM hand_overs h JOIN entries e ON e.id = h.entry_id
         WHERE p.programme_id = 1 AND h.programme_id = 1 AND h.number = p.hand_over AND p.number IN (7, 8) AND p.state = 'redeemed'"
    ));
}

fn refused_because(world: &World) -> String {
    world.superuser().value("SELECT refused_because FROM logs WHERE programme_id = 1")
}

fn last_signed(world: &World) -> String {
    world.superuser().value("SELECT max(size) FROM checkpoints WHERE programme_id = 1")
}

#[test]
fn a_restored_backup_cannot_fork_the_log() {
    let world = World::lived();
    let (region, signing) = (&world.region, Signing::new());
    let backed_up = region.seals(&signing.signer);
    region.does(|tx| sealer::sign_head_again(tx, &signing.signer)).unwrap();
    region.redeems(&region.fourmies, 7).unwrap();
    assert_eq!(region.seals(&signing.signer), backed_up + 1);
    restore(&world, backed_up);
    region.books_hold();

    // Found at once, with nothing new.
    region.does(|tx| sealer::sign_head_again(tx, &signing.signer)).unwrap();
    assert!(refused_because(&world).contains("coupée"), "{}", refused_because(&world));
    // Another receipt where the lost one stood, and one more: other roots of the same sizes, and past them.
    for pass in [8, 9] {
        region.redeems(&region.fourmies, pass).unwrap();
        region.seals(&signing.signer);
        assert!(
            refused_because(&world).contains("son passé a changé"),
            "{}",
            refused_because(&world)
        );
    }
    assert_eq!(last_signed(&world), backed_up.to_string());
    let gauges = region.does(souche::app::log::gauges).unwrap();
    let gauge = gauges.iter().find(|gauge| gauge.programme.as_str() == "SAT").unwrap();
    assert!(gauge.is_refused && gauge.signed == backed_up && gauge.size == backed_up + 2);
    // The neighbour's log is signed all the same.
    world.neighbour.redeems(&world.neighbour.fourmies, 7).unwrap();
    let size = world.neighbour.seals(&signing.signer);
    let signed =
        world.superuser().value("SELECT max(size) FROM checkpoints WHERE programme_id = 2");
    assert_eq!(signed, size.to_string());
}

#[test]
fn a_checkpoint_kept_elsewhere_finds_a_tail_that_was_cut_and_a_past_that_changed() {
    let world = World::lived();
    let (region, signing) = (&world.region, Signing::new());
    let before = region.seals(&signing.signer);
    region.redeems(&region.fourmies, 7).unwrap();
    region.seals(&signing.signer);
    let note = world
        .superuser()
        .value("SELECT note FROM checkpoints WHERE programme_id = 1 ORDER BY size DESC LIMIT 1");
    let note: souche::domain::note::Note = note.parse().unwrap();
    let kept = || region.does(|tx| verify_log::verify_kept(tx, &note)).unwrap();
    assert!(kept().holds);
    region.redeems(&region.fourmies, 8).unwrap();
    region.seals(&signing.signer);
    assert!(kept().holds);

    // Cut cleanly: nothing inside the database is amiss, the note says it.
    restore(&world, before);
    region.books_hold();
    assert!(kept().first.unwrap().contains("coupée"));
    add_entries(&world, 3);
    region.seals(&Signing::new().signer);
    assert_eq!(broken(&world), []);
    assert!(kept().first.unwrap().contains("ne sont plus les mêmes"));
}

#[test]
fn a_log_whose_past_changed_is_not_signed_on() {
    let world = World::lived();
    let (region, signing) = (&world.region, Signing::new());
    region.redeems(&region.fourmies, 7).unwrap();
    let size = region.seals(&signing.signer);
    world.superuser().run(
        "SET LOCAL session_replication_role = replica;
         UPDATE leaves SET leaf_hash = decode(repeat('00', 32), 'hex') WHERE programme_id = 1 AND position = 3",
    );
    region.redeems(&region.fourmies, 8).unwrap();
    region.seals(&signing.signer);
    assert_eq!(last_signed(&world), size.to_string());
    assert!(refused_because(&world).contains("son passé a changé"));
}

#[test]
fn a_signature_whose_answer_was_lost_is_given_again() {
    let world = World::lived();
    let (region, signing) = (&world.region, Signing::new());
    region.redeems(&region.fourmies, 7).unwrap();
    let size = region.seals(&signing.signer);
    // Signed and written down by the signer; the database never heard of it.
    world.superuser().run(&format!(
        "SET LOCAL session_replication_role = replica; DELETE FROM checkpoints WHERE programme_id = 1 AND size = {size}"
    ));
    assert_eq!(region.seals(&signing.signer), size);
    assert_eq!(last_signed(&world), size.to_string());
    // And a signer that was opened anew remembers.
    let memory = fs::read_to_string(signing.dir.join("heads.json")).unwrap();
    assert!(memory.contains(&format!("\"size\": {size}")));
    let reopened = Signer::here(&signing.dir).unwrap();
    region.redeems(&region.fourmies, 8).unwrap();
    assert_eq!(region.seals(&reopened), size + 1);
    assert_eq!(last_signed(&world), (size + 1).to_string());
}
