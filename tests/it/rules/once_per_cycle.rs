//! Rule 1: a pass is redeemed at most once per cycle, and a new cycle needs a void.

use crate::support::World;

/// A copy of the redemption of a pass, as that pass and cycle.
fn redemption_again(of_pass: i32, of_cycle: i32, cycle: i32) -> String {
    format!(
        "INSERT INTO redemptions (pass, cycle, entry_id, hand_over, site, service, redeemed_at)
         SELECT pass, {cycle}, entry_id, hand_over, site, service, redeemed_at FROM redemptions
         WHERE pass = {of_pass} AND cycle = {of_cycle}"
    )
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
    assert_eq!(service.refused(&redemption_again(6, 1, 1)), "unique redeemed_once_per_cycle");
    assert_eq!(service.refused(&redemption_again(1, 2, 1)), "unique redeemed_once_per_cycle");
    world.region.books_hold();
}

#[test]
fn a_new_cycle_needs_a_void_of_the_one_before() {
    let world = World::lived();
    let mut service = world.service();
    for (pass, last, next) in [(6, 1, 2), (1, 2, 3), (1, 2, 4), (6, 1, 9)] {
        let why = service.refused(&redemption_again(pass, last, next));
        assert_eq!(why, "foreign key new_cycle_needs_a_void", "pass {pass}, cycle {next}");
    }
    service.would_take(&format!("{}; {}", void_of(6, 1), redemption_again(6, 1, 2)));
    assert_eq!(service.refused(&redemption_again(6, 1, 0)), "check cycles_count_from_one");
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
    let again = "INSERT INTO entries (id, kind, happened_at, recorded_at, recorded_by, receipt, request_key, request_hash)
         SELECT gen_random_uuid(), kind, happened_at, recorded_at, recorded_by, receipt, request_key, request_hash
         FROM entries WHERE kind = 'redemption' LIMIT 1";
    assert_eq!(world.service().refused(again), "unique one_entry_per_request");
    let renumbered = "INSERT INTO entries (id, kind, number, happened_at, recorded_at, recorded_by, receipt)
         SELECT gen_random_uuid(), kind, number, happened_at, recorded_at, recorded_by, receipt FROM entries WHERE kind = 'mint'";
    assert_eq!(world.service().refused(renumbered), "unique one_entry_per_number");
    world.region.books_hold();
}
