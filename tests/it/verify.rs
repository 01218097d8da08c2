//! `verify` finds what the database could not refuse: somebody with every privilege, who changes one thing
//! behind all constraints. Each tampering says which checks must see it.

use crate::support::World;

/// Does something as the superuser, past every constraint, in the programme under test.
fn tampered(statement: &str) -> World {
    let world = World::lived();
    world.region.books_hold();
    let mut superuser = world.superuser();
    superuser.run(&format!("SET LOCAL session_replication_role = replica; {statement}"));
    world
}

/// Checks of receipts against rows, which find whatever was changed.
const BY_RECEIPTS: [&str; 4] =
    ["receipt_says_its_entry", "receipt_binds_its_rows", "row_is_bound", "state_is_as_bound"];

/// What `verify` finds after a tampering, by the rules of the books alone; the other programme's books hold
/// all the same.
fn found_after(statement: &str) -> Vec<&'static str> {
    let world = tampered(statement);
    world.neighbour.books_hold();
    let mut broken = world.region.broken_checks();
    broken.retain(|check| !BY_RECEIPTS.contains(check));
    broken
}

/// The entry of the redemption of a pass.
fn entry_of(pass: i32) -> String {
    format!(
        "(SELECT entry_id FROM redemptions WHERE programme_id = 1 AND pass = {pass} AND cycle = 1)"
    )
}

#[test]
fn a_transfer_that_was_deleted() {
    let passes = found_after(&format!(
        "DELETE FROM transfers WHERE programme_id = 1 AND book = 'PASS' AND entry_id = {}",
        entry_of(6)
    ));
    assert_eq!(
        passes,
        ["pass_state_replays", "redemption_has_its_entry", "entry_has_its_redemption"]
    );
    let money = found_after(&format!(
        "DELETE FROM transfers WHERE programme_id = 1 AND book = 'EUR' AND entry_id = {}",
        entry_of(6)
    ));
    assert_eq!(
        money,
        ["float_covers_passes", "redemption_has_its_entry", "payable_is_what_is_owed"]
    );
}

#[test]
fn a_transfer_that_no_entry_made() {
    let world = tampered(
        "INSERT INTO transfers (programme_id, entry_id, line, book, debit, credit, amount)
         VALUES (1, '00000000-0000-7000-8000-00000000dead', 1, 'EUR', 52, 51, 1000)",
    );
    assert!(world.region.broken_checks().contains(&"row_is_bound"));
    world.neighbour.books_hold();
}

#[test]
fn an_amount_that_was_changed() {
    let redeemed = found_after(&format!(
        "UPDATE transfers SET amount = 900 WHERE programme_id = 1 AND book = 'EUR' AND entry_id = {}",
        entry_of(6)
    ));
    assert_eq!(
        redeemed,
        ["float_covers_passes", "redemption_has_its_entry", "payable_is_what_is_owed"]
    );
    let funded = found_after(
        "UPDATE transfers SET amount = amount + 1 WHERE programme_id = 1 AND debit = 52",
    );
    assert_eq!(funded, ["float_covers_passes", "no_negative_holding"]);
    let debited = found_after(
        "UPDATE transfers SET amount = amount - 1 WHERE programme_id = 1 AND debit = 55",
    );
    assert_eq!(debited, ["payout_entries_match"]);
}

#[test]
fn a_pass_whose_state_was_moved() {
    let unspent = found_after(
        "UPDATE passes SET state = 'distributed' WHERE programme_id = 1 AND number = 6",
    );
    assert_eq!(
        unspent,
        ["float_covers_passes", "pass_state_replays", "live_redemption_matches_state"]
    );
    let spent = found_after(
        "UPDATE passes SET state = 'redeemed', cycle = 1 WHERE programme_id = 1 AND number = 7",
    );
    assert_eq!(
        spent,
        [
            "float_covers_passes",
            "pass_state_replays",
            "pass_replays",
            "live_redemption_matches_state"
        ]
    );
    let out_of_stock = found_after(
        "UPDATE passes SET state = 'distributed', hand_over = 1 WHERE programme_id = 1 AND number = 21",
    );
    assert_eq!(out_of_stock, ["pass_state_replays", "pass_replays"]);
    let next_cycle = found_after(
        "UPDATE passes SET state = 'distributed', cycle = 0 WHERE programme_id = 1 AND number = 6",
    );
    assert!(next_cycle.contains(&"pass_state_replays"), "{next_cycle:?}");
}

#[test]
fn a_pass_that_was_added_or_taken_away() {
    let taken = found_after("DELETE FROM passes WHERE programme_id = 1 AND number = 60");
    assert_eq!(taken, ["issued_is_minted", "pass_state_replays", "series_end_at_their_last"]);
    let added = found_after(
        "INSERT INTO passes (programme_id, number, booklet, order_number, state, changed_at, code_hash)
         SELECT programme_id, 61, booklet, order_number, state, changed_at, code_hash FROM passes WHERE programme_id = 1 AND number = 60",
    );
    assert_eq!(added, ["issued_is_minted", "pass_state_replays", "series_end_at_their_last"]);
}

#[test]
fn a_redemption_that_was_deleted() {
    let found = found_after("DELETE FROM redemptions WHERE programme_id = 1 AND pass = 6");
    assert_eq!(
        found,
        [
            "float_covers_passes",
            "pass_state_replays",
            "pass_replays",
            "live_redemption_matches_state",
            "payable_is_what_is_owed",
            "leaves_are_receipts",
            "samples_are_as_committed"
        ]
    );
}

#[test]
fn a_void_that_was_deleted_or_slipped_in() {
    let deleted = found_after("DELETE FROM voids WHERE programme_id = 1 AND pass = 1");
    assert_eq!(deleted, ["entry_has_its_redemption", "payable_is_what_is_owed"]);
    let of_a_paid_one = found_after(&format!(
        "INSERT INTO voids (programme_id, pass, cycle, entry_id, reason, voided_at) VALUES (1, 2, 1, {}, 'x', now())",
        entry_of(2)
    ));
    assert_eq!(
        of_a_paid_one,
        ["live_redemption_matches_state", "void_is_never_paid", "payable_is_what_is_owed"]
    );
}

#[test]
fn an_entry_that_nothing_stands_behind() {
    let orphan = |kind: &str, number: &str, pass: &str| {
        found_after(&format!(
            "INSERT INTO entries (programme_id, id, kind, number, happened_at, recorded_at, recorded_by, corrects, receipt,
                                  pass, cycle, hand_over, site, service)
             SELECT 1, gen_random_uuid(), '{kind}', {number}, recorded_at, recorded_at, recorded_by, corrects, '{{}}',
                    {pass}, cycle, hand_over, site, service
             FROM entries WHERE programme_id = 1 AND kind = '{kind}' LIMIT 1"
        ))
    };
    assert_eq!(
        orphan("redemption", "NULL", "7"),
        [
            "pass_replays",
            "redemption_has_its_entry",
            "entry_has_its_redemption",
            "payable_is_what_is_owed",
            "every_entry_is_sealed"
        ]
    );
    assert_eq!(
        orphan("hand_over", "9", "NULL"),
        ["numbers_have_no_gap", "series_end_at_their_last", "every_entry_is_sealed"]
    );
}

#[test]
fn a_booklet_that_was_moved_on_paper_only() {
    let found =
        found_after("UPDATE booklets SET held_in = 3 WHERE programme_id = 1 AND number = 3");
    assert_eq!(found, ["booklet_lies_where_its_passes_do"]);
}

#[test]
fn a_transfer_that_was_led_elsewhere() {
    let from_elsewhere = "UPDATE transfers SET credit = 3 WHERE programme_id = 1 AND debit = 6 AND amount = 10 AND first_pass = 11";
    let found = found_after(from_elsewhere);
    assert_eq!(found, ["custody_is_continuous"]);
    let to_another_site = format!(
        "UPDATE transfers SET credit = credit + 100 WHERE programme_id = 1 AND book = 'EUR' AND entry_id = {}",
        entry_of(6)
    );
    assert_eq!(
        found_after(&to_another_site),
        ["redemption_has_its_entry", "payable_is_what_is_owed"]
    );
}

#[test]
fn a_receipt_that_names_another_payout() {
    let found = found_after(
        "UPDATE entries SET receipt = jsonb_set(receipt::jsonb, '{facts,payout}', '99')::text
         WHERE programme_id = 1 AND kind = 'payout_approval' AND number = 1",
    );
    assert_eq!(found, ["payout_entries_match", "leaves_are_receipts"]);
}

#[test]
fn a_debit_at_the_bank_that_was_made_up() {
    // The proof of payout 1, for a payout that waits.
    let found = found_after(
        "INSERT INTO payout_debits (programme_id, payout, settlement, confirmed_by, entry_id, debited_on)
         SELECT 1, p.number, p.settlement, d.confirmed_by, d.entry_id, d.debited_on
         FROM payouts p, payout_debits d WHERE p.programme_id = 1 AND p.settlement = 3 AND d.programme_id = 1 AND d.payout = 1",
    );
    assert_eq!(found, ["payout_entries_match"]);
}

#[test]
fn a_limit_that_was_gone_past() {
    let spent = found_after(
        "UPDATE programmes SET passes_per_service = '{\"everyday_tools\": 5}' WHERE id = 1",
    );
    assert_eq!(spent, ["person_is_within_the_limit"]);
    // Paul's, beside Jeanne.
    let seated = found_after(
        "UPDATE workshops SET people = 1 WHERE programme_id = 1;
         UPDATE redemptions SET workshop = 1, hand_over = 2 WHERE programme_id = 1 AND pass = 5",
    );
    assert_eq!(seated, ["workshop_has_room"]);
}

#[test]
fn a_number_that_is_missing() {
    for kind in ["mint", "funding", "hand_over", "payout_approval"] {
        let last =
            format!("(SELECT max(number) FROM entries WHERE programme_id = 1 AND kind = '{kind}')");
        let found = found_after(&format!(
            "UPDATE entries SET number = number + 1 WHERE programme_id = 1 AND kind = '{kind}' AND number = {last}"
        ));
        assert_eq!(found, ["numbers_have_no_gap", "series_end_at_their_last"], "{kind}");
    }
}

#[test]
fn a_broken_rule_names_its_first_offender() {
    let world = tampered(
        "UPDATE passes SET state = 'distributed' WHERE programme_id = 1 AND number IN (6, 3)",
    );
    let checks =
        world.region.does(|tx| souche::app::report::verify(tx, &world.region.auditor)).unwrap();
    let replay = checks.iter().find(|check| check.code == "pass_state_replays").unwrap();
    assert_eq!((replay.difference, replay.first.as_deref()), (2, Some("3")));
    let float = checks.iter().find(|check| check.code == "float_covers_passes").unwrap();
    assert_eq!(float.difference, -2_000);
}

#[test]
fn an_incident_that_was_made_up_or_hidden() {
    let hidden = found_after("DELETE FROM incidents WHERE programme_id = 1");
    assert_eq!(
        hidden,
        ["entry_has_its_redemption", "void_is_never_paid", "series_end_at_their_last"]
    );
    let recast = found_after(
        "UPDATE entries SET kind = 'incident', number = 2 WHERE programme_id = 1 AND kind = 'void'",
    );
    assert_eq!(
        recast,
        ["entry_has_its_redemption", "series_end_at_their_last", "samples_are_as_committed"]
    );
    let forgiven = found_after(
        "UPDATE transfers SET amount = 1 WHERE programme_id = 1 AND book = 'EUR'
         AND entry_id = (SELECT id FROM entries WHERE programme_id = 1 AND kind = 'incident')",
    );
    assert_eq!(forgiven, ["float_covers_passes", "payable_is_what_is_owed"]);
}

#[test]
fn a_flag_that_did_not_hold() {
    // On a pass that is paid, as if it had been there when the settlement was prepared.
    let paid_all_the_same = found_after(
        "INSERT INTO flags (programme_id, number, kind, site, on_day, explanation, raised_at, entry_id)
         SELECT 1, 2, 'night_hours', site, on_day, 'x', raised_at, entry_id FROM flags WHERE programme_id = 1;
         INSERT INTO flag_passes (programme_id, flag, kind, pass, cycle) VALUES (1, 2, 'night_hours', 2, 1)",
    );
    assert_eq!(paid_all_the_same, ["held_is_not_paid", "series_end_at_their_last"]);
    let released_too_late = found_after(
        "INSERT INTO flag_passes (programme_id, flag, kind, pass, cycle) VALUES (1, 1, 'beyond_capacity', 2, 1)",
    );
    assert_eq!(released_too_late, ["held_is_not_paid"]);
}
