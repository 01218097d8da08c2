//! Rule 1: a pass is redeemed at most once per cycle, and a new cycle needs a void.

use super::redemption_told_again;
use crate::support::World;

fn redemption_again(pass: i32, cycle: i32) -> String {
    redemption_told_again(pass, &[("cycle", &cycle.to_string())])
}

fn void_of(pass: i32, cycle: i32) -> String {
    format!(
        "INSERT INTO voids (pass, cycle, entry_id, reason, voided_at)
         SELECT pass, cycle, entry_id, 'x', redeemed_at FROM redemptions WHERE pass = {pass} AND cycle = {cycle}"
    )
}

#[test]
fn a_pass_is_not_redeemed_twice_in_one_cycle() {
    let world = World::lived();
    let mut service = world.service();
    assert_eq!(service.refused(&redemption_again(6, 1)), "unique redeemed_once_per_cycle");
    assert_eq!(service.refused(&redemption_again(1, 2)), "unique redeemed_once_per_cycle");
    world.region.books_hold();
}

#[test]
fn a_new_cycle_needs_a_void_of_the_one_before() {
    let world = World::lived();
    let mut service = world.service();
    for (pass, next) in [(6, 2), (1, 3), (1, 4), (6, 9)] {
        let why = service.refused(&redemption_again(pass, next));
        assert_eq!(why, "foreign key new_cycle_needs_a_void", "pass {pass}, cycle {next}");
    }
    service.would_take(&format!("{}; {}", void_of(6, 1), redemption_again(6, 2)));
    assert_eq!(service.refused(&redemption_again(6, 0)), "check cycles_count_from_one");
    world.region.books_hold();
}

#[test]
fn a_redemption_is_whole_and_nothing_else_is_one() {
    let world = World::lived();
    let mut service = world.service();
    let of_next = |changes: &[(&str, &str)]| {
        redemption_told_again(6, &[changes, &[("pass", "7"), ("workshop", "NULL")]].concat())
    };
    service.would_take(&of_next(&[]));
    let why = "check redemptions_are_whole";
    let columns = ["pass", "cycle", "hand_over", "site", "service"];
    let a_void = [("kind", "'void'"), ("corrects", "id"), ("workshop", "NULL")];
    for column in columns {
        assert_eq!(service.refused(&of_next(&[(column, "NULL")])), why, "{column}");
        let others = columns.map(|other| (other, if other == column { other } else { "NULL" }));
        let with_one = redemption_told_again(6, &[&others[..], &a_void].concat());
        assert_eq!(service.refused(&with_one), why, "{column} of a void");
    }
    let none = columns.map(|column| (column, "NULL"));
    service.would_take(&redemption_told_again(6, &[&none[..], &a_void].concat()));
    let at_workshop = [&[("workshop", "1")], &none[..], &a_void].concat();
    let why = "check only_redemptions_are_at_workshops";
    assert_eq!(service.refused(&redemption_told_again(6, &at_workshop)), why);
    world.region.books_hold();
}

#[test]
fn a_redemption_is_voided_once_and_its_entry_corrected_once() {
    let world = World::lived();
    let mut service = world.service();
    assert_eq!(service.refused(&void_of(1, 1)), "unique voided_once_per_cycle");
    let corrected_again = "INSERT INTO entries (id, kind, happened_at, recorded_at, recorded_by, corrects, receipt)
         SELECT gen_random_uuid(), kind, happened_at, recorded_at, recorded_by, corrects, receipt FROM entries WHERE kind = 'void'";
    assert_eq!(service.refused(corrected_again), "unique entry_corrected_once");
    let of_nothing = "INSERT INTO voids (pass, cycle, entry_id, reason, voided_at)
         SELECT 7, 1, entry_id, reason, voided_at FROM voids LIMIT 1";
    assert_eq!(service.refused(of_nothing), "foreign key redemption_exists");
    world.region.books_hold();
}

#[test]
fn a_key_makes_one_entry() {
    let world = World::lived();
    let again = "INSERT INTO entries (id, kind, number, happened_at, recorded_at, recorded_by, receipt, request_key, request_hash)
         SELECT gen_random_uuid(), 'hand_over', 99, happened_at, recorded_at, recorded_by, receipt, request_key, request_hash
         FROM entries WHERE kind = 'redemption' LIMIT 1";
    assert_eq!(world.service().refused(again), "unique one_entry_per_request");
    let renumbered = "INSERT INTO entries (id, kind, number, happened_at, recorded_at, recorded_by, receipt)
         SELECT gen_random_uuid(), kind, number, happened_at, recorded_at, recorded_by, receipt FROM entries WHERE kind = 'mint'";
    assert_eq!(world.service().refused(renumbered), "unique one_entry_per_number");
    world.region.books_hold();
}

#[test]
fn an_entry_bears_a_receipt_and_whole_hashes() {
    let world = World::lived();
    let mut service = world.service();
    let half = "substr(sha256(''), 1, 16)";
    let entry = |number: &str, receipt: &str, key: &str, hash: &str, signature: &str| {
        format!(
            "INSERT INTO entries (id, kind, number, happened_at, recorded_at, recorded_by, receipt, request_key, request_hash, signature)
             SELECT gen_random_uuid(), kind, {number}, happened_at, recorded_at, recorded_by, {receipt}, {key}, {hash}, {signature}
             FROM entries WHERE kind = 'mint' LIMIT 1"
        )
    };
    service.would_take(&entry("99", "'{}'", half, half, "sha512('')"));
    for (attack, why) in [
        (entry("0", "'{}'", half, half, "NULL"), "check entries_number_check"),
        (entry("99", "''", half, half, "NULL"), "check entries_receipt_check"),
        (entry("99", "repeat('é', 50001)", half, half, "NULL"), "check entries_receipt_check"),
        (entry("99", "'{}'", "sha256('')", half, "NULL"), "check entries_request_key_check"),
        (entry("99", "'{}'", half, "sha256('')", "NULL"), "check entries_request_hash_check"),
        (entry("99", "'{}'", half, "NULL", "NULL"), "check request_key_has_its_hash"),
        (entry("99", "'{}'", half, half, "sha256('')"), "check signature_is_whole"),
    ] {
        assert_eq!(service.refused(&attack), why, "{attack}");
    }
    let before = entry("99", "'{}'", half, half, "NULL").replace(
        ", happened_at, recorded_at, recorded_by, '{}'",
        ", recorded_at + interval '1 second', recorded_at, recorded_by, '{}'",
    );
    assert_eq!(service.refused(&before), "check happened_before_recorded");
}
