//! What somebody with every privilege changes behind all constraints is found by recomputation, and named.

use super::{add_entries, broken};
use crate::support::World;
use crate::support::signing::Signing;

/// A log of several tiles and two checkpoints, after a change past every constraint.
fn found_after(statement: &str) -> Vec<(&'static str, String)> {
    let world = World::lived();
    add_entries(&world, 600);
    world.region.seals(&Signing::new().signer);
    assert_eq!(broken(&world), []);
    let mut superuser = world.superuser();
    superuser.run(&format!("SET LOCAL session_replication_role = replica; {statement}"));
    broken(&world)
}

fn codes(found: &[(&'static str, String)]) -> Vec<&'static str> {
    found.iter().map(|(code, _)| *code).collect()
}

#[test]
fn a_receipt_that_was_changed_is_named() {
    let found = found_after(
        "UPDATE entries SET receipt = receipt || ' ' WHERE id = (SELECT entry_id FROM leaves WHERE programme_id = 1 AND position = 17)",
    );
    assert_eq!(codes(&found), ["leaves_are_receipts"]);
    assert!(found[0].1.ends_with("(feuille 17)"), "{found:?}");
    let gone = found_after(
        "DELETE FROM entries WHERE id = (SELECT entry_id FROM leaves WHERE programme_id = 1 AND position = 300)",
    );
    assert!(gone[0].1.ends_with("(feuille 300)"), "{gone:?}");
}

#[test]
fn a_receipt_changed_together_with_its_leaf_does_not_fit_the_tree() {
    let found = found_after(
        "WITH forged AS (UPDATE entries SET receipt = receipt || ' '
            WHERE id = (SELECT entry_id FROM leaves WHERE programme_id = 1 AND position = 3) RETURNING id, receipt)
         UPDATE leaves SET leaf_hash = sha256('\\x00'::bytea || convert_to(receipt, 'UTF8')) FROM forged WHERE entry_id = id",
    );
    assert_eq!(codes(&found), ["tree_grows_from_leaves", "checkpoints_are_of_the_tree"]);
    assert_eq!(found[0].1, "feuille 255");
}

#[test]
fn leaves_that_were_swapped_or_deleted_are_found() {
    let swapped = found_after(
        "CREATE TEMPORARY TABLE two ON COMMIT DROP AS SELECT * FROM leaves WHERE programme_id = 1 AND position IN (4, 5);
         UPDATE leaves SET entry_id = gen_random_uuid() WHERE programme_id = 1 AND position IN (4, 5);
         UPDATE leaves l SET entry_id = two.entry_id, leaf_hash = two.leaf_hash FROM two
         WHERE l.programme_id = 1 AND l.position = 9 - two.position",
    );
    assert_eq!(codes(&swapped), ["tree_grows_from_leaves", "checkpoints_are_of_the_tree"]);
    let deleted = found_after("DELETE FROM leaves WHERE programme_id = 1 AND position = 9");
    assert_eq!(deleted[0], ("positions_have_no_gap", "feuille 9".into()));
    assert!(codes(&deleted).contains(&"every_entry_is_sealed"));
    let cut = found_after("DELETE FROM leaves WHERE programme_id = 1 AND position >= 500");
    // Its entries may well wait for their seal, as far as the journal can tell: the checkpoint knows better.
    assert_eq!(codes(&cut)[0], "checkpoints_are_of_the_tree");
}

#[test]
fn a_subtree_and_a_checkpoint_that_were_changed_are_found() {
    let subtree = found_after(
        "UPDATE leaves SET subtree_roots = decode(repeat('00', 32), 'hex') WHERE programme_id = 1 AND position = 511",
    );
    assert_eq!(subtree, [("tree_grows_from_leaves", "feuille 511".into())]);
    for change in [
        "root = decode(repeat('00', 32), 'hex')",
        "note = replace(note, 'SAT', 'SAX')",
        "size = size - 1",
        "vkey = (SELECT vkey FROM log_keys k WHERE k.programme_id = 2)",
    ] {
        let found = found_after(&format!(
            "UPDATE checkpoints c SET {change} WHERE programme_id = 1 AND size = (SELECT max(size) FROM checkpoints WHERE programme_id = 1)"
        ));
        assert_eq!(codes(&found), ["checkpoints_are_of_the_tree"], "{change}");
    }
}

#[test]
fn an_entry_slipped_in_behind_the_horizon_is_found() {
    let found = found_after(
        "INSERT INTO entries (programme_id, id, kind, number, happened_at, recorded_at, recorded_by, receipt, xid)
         SELECT 1, gen_random_uuid(), kind, 99, happened_at, recorded_at, recorded_by, receipt, xid
         FROM entries WHERE programme_id = 1 AND kind = 'hand_over' ORDER BY recorded_at LIMIT 1",
    );
    assert_eq!(codes(&found), ["every_entry_is_sealed"]);
}
