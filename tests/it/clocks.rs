//! Machines whose clocks differ, and transactions that wait: what was decided last is what is true, whatever
//! the clock of who decided it showed.

use souche::app::report;
use souche::domain::account::AccountKind;
use souche::domain::entry::EntryKind;
use souche::domain::order::Quantity;
use souche::domain::{PassNumber, Timestamp};

use crate::support::region::Region;
use crate::support::{World, day, instant};

/// In which account a pass lay at `at`, by what is known now.
fn held(region: &Region, pass: i32, at: Timestamp) -> AccountKind {
    let known_at = instant("2100-01-01T00:00:00Z");
    let held = region.custody(at, known_at);
    let pass = PassNumber::new(pass);
    held.iter().find(|range| range.first_pass <= pass && pass <= range.last_pass).unwrap().account
}

#[test]
fn a_void_by_a_late_clock_comes_after_the_redemption_that_it_undoes() {
    let world = World::new();
    let region = &world.region;
    region.clock_shows("2026-03-02T09:00:10Z");
    let redeemed = region.redeems(&region.fourmies, 1).unwrap();
    region.clock_shows("2026-03-02T09:00:05Z");
    region.voids(&region.fourmies, redeemed.id).unwrap();

    region.clock_shows("2026-03-02T09:01:00Z");
    assert_eq!(held(region, 1, region.now()), AccountKind::Circulation);
    assert_eq!(held(region, 1, redeemed.redeemed_at), AccountKind::Redeemed, "as long as it was");
    let trace = region.does(|tx| report::trace(tx, &region.auditor, PassNumber::new(1))).unwrap();
    let last: Vec<_> = trace.steps.iter().rev().take(2).map(|step| step.kind).collect();
    assert_eq!(last, [EntryKind::Void, EntryKind::Redemption]);
    region.books_hold();
}

#[test]
fn the_books_hold_for_a_machine_whose_clock_is_late() {
    let world = World::new();
    let region = &world.region;
    region.clock_shows("2026-03-02T09:00:10Z");
    region.redeems(&region.fourmies, 1).unwrap();
    region.clock_shows("2026-03-02T09:00:05Z");
    region.books_hold();
    let three_way = region.does(|tx| report::three_way(tx, &region.auditor)).unwrap();
    assert_eq!(three_way.difference_cents, 0, "{three_way:?}");
}

#[test]
fn redeemed_voided_and_redeemed_in_one_instant_is_still_one_story() {
    let world = World::new();
    let region = &world.region;
    for _ in 0..3 {
        let redeemed = region.redeems(&region.fourmies, 1).unwrap();
        region.voids(&region.fourmies, redeemed.id).unwrap();
    }
    region.redeems(&region.avesnes, 1).unwrap();
    region.books_hold();
    region.clock_shows("2026-03-03T09:00:00Z");
    assert_eq!(held(region, 1, region.now()), AccountKind::Redeemed);
    assert_eq!(
        region.prepares(day("2026-03-02")).unwrap().payouts[0].organisation,
        region.avesnes.organisation
    );
    region.books_hold();
}

#[test]
fn an_order_funded_by_a_late_clock_was_minted_and_printed_before() {
    use EntryKind as K;
    let mut world = World::new();
    let quantity = Quantity { booklets_of_10: 1, booklets_of_5: 0 };
    let order = world.region.orders(quantity, "2026-12-31");
    world.region.clock_shows("2026-03-02T09:00:10Z");
    world.region.prints(order);
    let region = &world.region;
    region.clock_shows("2026-03-02T09:00:05Z");
    region.funds(order).unwrap();
    region.delivers(8, 8).unwrap();
    region.hands_over(8, "Ana").unwrap();
    let trace = region.does(|tx| report::trace(tx, &region.auditor, PassNumber::new(61))).unwrap();
    let kinds: Vec<_> = trace.steps.iter().map(|step| step.kind).collect();
    let expected =
        [K::Mint, K::PrintReceipt, K::Funding, K::Delivery, K::DeliveryReceipt, K::HandOver];
    assert_eq!(kinds, expected);
    region.books_hold();
}

#[test]
fn a_booklet_handed_over_by_a_late_clock_left_the_stock_that_received_it() {
    let world = World::new();
    let region = &world.region;
    region.clock_shows("2026-03-02T09:00:10Z");
    region.delivers(6, 6).unwrap();
    region.clock_shows("2026-03-02T09:00:05Z");
    region.hands_over(6, "Ana").unwrap();
    region.clock_shows("2026-03-02T09:01:00Z");
    assert_eq!(held(region, 46, region.now()), AccountKind::Circulation);
    region.books_hold();
}
