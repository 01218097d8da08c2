//! Rule 5, of what is taken back: an incident is of a settled redemption, once, and deducted once, for what was paid.
//!
//! In the scene, pass 12 was paid in payout 2 and given back by incident 1, which waits for its deduction.

use crate::support::World;

/// A payout of settlement 2 to the organisation of Fourmies: passes 6 and 13 paid, and a third line.
fn payout(amount_cents: i32, third: &str) -> String {
    format!(
        "INSERT INTO payouts (number, settlement, end_to_end_id, items, amount_cents, entry_id,
             organisation, bank_account, account_approved_by, holder_name, iban)
         SELECT 90, 2, 'E2E-90', 3, {amount_cents}, (SELECT entry_id FROM payouts WHERE number = 1), organisation, number, approved_by, holder_name, iban
         FROM bank_accounts WHERE number = 1;
         INSERT INTO payout_items (payout, line, items, pass, cycle, amount_cents, total_cents, incident)
         VALUES (90, 1, 3, 6, 1, 1000, 1000, NULL), (90, 2, 3, 13, 1, 1000, 2000, NULL), (90, 3, 3, {third})"
    )
}

#[test]
fn a_deduction_is_of_an_incident_for_what_was_paid() {
    let world = World::lived();
    let mut service = world.service();
    service.would_take(&payout(1_000, "12, 1, -1000, 1000, 1"));
    let attacks = [
        (2_000, "12, 1, -1000, 1000, 1", "foreign key payout_is_the_sum_of_its_items"),
        (1_000, "12, 1, -1000, 1000, NULL", "check only_incidents_are_deducted"),
        (3_000, "12, 1, 1000, 3000, 1", "check only_incidents_are_deducted"),
        (1_500, "12, 1, -500, 1500, 1", "foreign key item_is_worth_face_value"),
        (1_000, "12, 1, -1000, 1000, 2", "foreign key deducted_incident_exists"),
        (1_000, "2, 1, -1000, 1000, 1", "foreign key deducted_incident_exists"),
        (3_000, "12, 1, 1000, 3000, NULL", "unique redemption_paid_once"),
    ];
    for (amount_cents, third, why) in attacks {
        assert_eq!(service.refused(&payout(amount_cents, third)), why, "{third}");
    }
    world.region.books_hold();
}

#[test]
fn an_incident_is_deducted_once() {
    let world = World::lived();
    let mut service = world.service();
    let region = &world.region;
    // Avesnes is paid for two, less the incident.
    region.clock_shows("2026-03-14T09:00:00Z");
    region.redeems(&region.avesnes, 8).unwrap();
    region.redeems(&region.avesnes, 9).unwrap();
    region.clock_shows("2026-03-15T09:00:00Z");
    region.prepares(crate::support::day("2026-03-14")).unwrap();
    region.redeems(&region.hirson, 15).unwrap();
    let again = payout(1_000, "12, 1, -1000, 1000, 1").replace("90, 1, 3, 6,", "90, 1, 3, 15,");
    assert_eq!(service.refused(&again), "unique redemption_paid_once");
    let renamed = again.replace("1000, 1)", "1000, 2)");
    assert_eq!(service.refused(&renamed), "unique redemption_paid_once", "under another number");
    world.region.books_hold();
}

#[test]
fn an_incident_is_of_a_settled_redemption_that_was_undone() {
    let world = World::lived();
    let mut service = world.service();
    let incident = |pass: i32, cycle: i32| {
        format!("INSERT INTO incidents (number, pass, cycle) VALUES (2, {pass}, {cycle})")
    };
    let undone = |pass: i32| {
        format!(
            "INSERT INTO voids (pass, cycle, entry_id, reason, voided_at)
             SELECT pass, cycle, entry_id, 'x', redeemed_at FROM redemptions WHERE pass = {pass}"
        )
    };
    service.would_take(&format!("{}; {}", undone(2), incident(2, 1)));
    assert_eq!(service.refused(&incident(2, 1)), "foreign key incident_is_a_void", "not undone");
    let why = service.refused(&incident(1, 1));
    assert_eq!(why, "foreign key incident_is_of_a_settled_redemption", "voided in time");
    assert_eq!(service.refused(&incident(12, 1)), "unique one_incident_per_redemption");
    let by_hand = "INSERT INTO entries (id, kind, number, happened_at, recorded_at, recorded_by, receipt)
         SELECT gen_random_uuid(), kind, 2, happened_at, recorded_at, recorded_by, receipt FROM entries WHERE kind = 'incident'";
    assert_eq!(service.refused(by_hand), "check only_voids_and_incidents_correct");
    world.region.books_hold();
}
