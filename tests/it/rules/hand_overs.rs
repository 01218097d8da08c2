//! Rule 4: no redeemed pass without a hand-over receipt, no active pass without a funding.

use super::redemption_told_again;
use crate::support::World;

/// A redemption of `pass` that cites a hand-over, at a site that exists.
fn redemption_citing(pass: i32, hand_over: i32) -> String {
    let (pass, hand_over) = (pass.to_string(), hand_over.to_string());
    redemption_told_again(6, &[("pass", &pass), ("hand_over", &hand_over)])
}

#[test]
fn a_redemption_cites_the_hand_over_of_its_own_pass() {
    let world = World::lived();
    let mut service = world.service();
    service.would_take(&redemption_citing(7, 1));
    service.would_take(&redemption_citing(11, 2));
    let why = "foreign key hand_over_is_of_its_pass";
    // Another booklet's hand-over; none that exists; a pass in stock; a pass that is not funded; no pass at all.
    for (pass, hand_over) in [(7, 2), (11, 1), (7, 99), (21, 1), (46, 1), (51, 1), (999, 1)] {
        assert_eq!(
            service.refused(&redemption_citing(pass, hand_over)),
            why,
            "pass {pass}, hand-over {hand_over}"
        );
    }
    let citing_none = redemption_told_again(6, &[("pass", "7"), ("hand_over", "NULL")]);
    assert_eq!(service.refused(&citing_none), "check redemptions_are_whole");
    world.region.books_hold();
}

#[test]
fn a_pass_in_stock_is_not_redeemed_by_changing_its_row() {
    let world = World::lived();
    let mut service = world.service();
    let attacks = [
        ("state = 'redeemed', cycle = 1", "check no_redeemed_pass_without_hand_over"),
        ("state = 'distributed'", "check no_redeemed_pass_without_hand_over"),
        // The hand-over of another booklet.
        ("state = 'distributed', hand_over = 1", "foreign key hand_over_is_of_its_booklet"),
        ("state = 'redeemed', cycle = 1, hand_over = 2", "foreign key hand_over_is_of_its_booklet"),
        ("hand_over = 99", "foreign key hand_over_is_of_its_booklet"),
    ];
    for (change, why) in attacks {
        assert_eq!(
            service.refused(&format!("UPDATE passes SET {change} WHERE number = 21")),
            why,
            "{change}"
        );
    }
    let handed = "UPDATE passes SET state = 'redeemed', cycle = 0 WHERE number = 7";
    assert_eq!(service.refused(handed), "check no_redeemed_pass_without_cycle");
    world.region.books_hold();
}

#[test]
fn a_redeemed_pass_keeps_its_hand_over() {
    let world = World::lived();
    let mut service = world.service();
    assert_eq!(
        service.refused("UPDATE passes SET hand_over = NULL WHERE number = 6"),
        "check no_redeemed_pass_without_hand_over"
    );
    let through_another_state =
        "UPDATE passes SET hand_over = NULL, state = 'active' WHERE number = 6";
    let why = "foreign key hand_over_is_of_its_pass";
    assert_eq!(service.refused(through_another_state), why);
    world.region.books_hold();
}

#[test]
fn a_pass_is_not_switched_on_without_the_funding_of_its_own_order() {
    let world = World::lived();
    let mut service = world.service();
    let attacks = [
        ("state = 'active'", "check no_active_pass_without_funding"),
        ("state = 'distributed', hand_over = 1", "check no_active_pass_without_funding"),
        // Order 1's funding, on a pass of order 2.
        ("state = 'active', funding = 1", "foreign key funding_is_of_its_order"),
        ("state = 'active', funding = 2", "foreign key funding_is_of_its_order"),
    ];
    for (change, why) in attacks {
        assert_eq!(
            service.refused(&format!("UPDATE passes SET {change} WHERE number = 51")),
            why,
            "{change}"
        );
    }
    let active_from_birth = "INSERT INTO passes (number, booklet, order_number, state, changed_at, code_hash)
         SELECT 1000, booklet, order_number, 'active', changed_at, code_hash FROM passes WHERE number = 51";
    assert_eq!(service.refused(active_from_birth), "check no_active_pass_without_funding");
    let unfunded = "UPDATE passes SET funding = NULL WHERE number IN (7, 21)";
    assert_eq!(service.refused(unfunded), "check no_active_pass_without_funding");
    world.region.books_hold();
}

#[test]
fn an_order_is_funded_whole_and_once() {
    let world = World::lived();
    let mut service = world.service();
    let funding = |order: i32, amount: i32| {
        format!(
            "INSERT INTO fundings (number, order_number, mandate_reference, amount_cents, received_on, entry_id)
             SELECT 90, {order}, 'x', {amount}, received_on, entry_id FROM fundings WHERE number = 1"
        )
    };
    service.would_take(&funding(2, 10_000));
    let why = "foreign key order_funded_whole";
    assert_eq!(service.refused(&funding(2, 9_999)), why);
    assert_eq!(service.refused(&funding(9, 10_000)), why);
    assert_eq!(service.refused(&funding(1, 50_000)), "unique order_funded_once");
    world.region.books_hold();
}

#[test]
fn nobody_makes_the_codes_of_a_printed_order_again() {
    let world = World::lived();
    let resealed = "UPDATE orders SET print_key_sealed = '\\x00' WHERE number = 1";
    assert_eq!(world.service().refused(resealed), "check printing_destroys_the_key");
    assert_eq!(
        world.service().value("SELECT count(*) FROM orders WHERE print_key_sealed IS NOT NULL"),
        "0"
    );
}
