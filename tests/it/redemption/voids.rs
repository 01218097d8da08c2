//! A site undoes its own redemption, and the pass is good again; until it is in a settlement.

use crate::support::region::Counter;
use crate::support::{World, day, refusal};

#[test]
fn a_voided_pass_is_redeemed_again_in_its_next_cycle() {
    let world = World::new();
    let region = &world.region;
    let first = region.redeems(&region.fourmies, 1).unwrap();
    region.voids(&region.fourmies, first.id).unwrap();
    let second = region.redeems(&region.avesnes, 1).unwrap();
    assert_eq!(
        (first.id.to_string(), second.id.to_string()),
        ("0000001-1".into(), "0000001-2".into())
    );
    region.voids(&region.avesnes, second.id).unwrap();
    assert_eq!(region.redeems(&region.fourmies, 1).unwrap().id.cycle, 3);
    region.books_hold();
}

#[test]
fn a_redemption_is_voided_once() {
    let world = World::new();
    let region = &world.region;
    let first = region.redeems(&region.fourmies, 1).unwrap();
    region.voids(&region.fourmies, first.id).unwrap();
    assert_eq!(refusal(region.voids(&region.fourmies, first.id)), "already_voided");
    region.redeems(&region.fourmies, 1).unwrap();
    assert_eq!(
        refusal(region.voids(&region.fourmies, first.id)),
        "already_voided",
        "its own cycle, not the next"
    );
    region.books_hold();
}

#[test]
fn only_the_site_that_redeemed_voids() {
    let world = World::new();
    let region = &world.region;
    let redeemed = region.redeems(&region.fourmies, 1).unwrap();
    assert_eq!(refusal(region.voids(&region.avesnes, redeemed.id)), "not_found");
    let elsewhere = region.redeems_all(&[]).unwrap();
    assert!(elsewhere.is_empty());
    let mediator = Counter { manager: region.mediator, ..region.fourmies };
    assert_eq!(
        refusal(region.voids(&mediator, "0000002-1".parse().unwrap())),
        "not_found",
        "nobody redeemed it"
    );
    assert_eq!(refusal(world.neighbour.voids(&world.neighbour.fourmies, redeemed.id)), "not_found");
    region.voids(&mediator, redeemed.id).unwrap();
    region.books_hold();
}

#[test]
fn what_is_in_a_settlement_is_not_voided() {
    let world = World::new();
    let region = &world.region;
    let redeemed = region.redeems(&region.fourmies, 1).unwrap();
    region.clock_shows("2026-03-03T09:00:00Z");
    let settlement = region.prepares(day("2026-03-02")).unwrap().settlement.number;
    assert_eq!(refusal(region.voids(&region.fourmies, redeemed.id)), "already_settled", "prepared");
    region.approves(settlement).unwrap();
    region.declares_execution(settlement).unwrap();
    region.confirms_execution(settlement).unwrap();
    assert_eq!(refusal(region.voids(&region.fourmies, redeemed.id)), "already_settled", "paid");
    region.books_hold();
}

#[test]
fn a_voided_pass_is_not_paid() {
    let world = World::new();
    let region = &world.region;
    let undone = region.redeems(&region.fourmies, 1).unwrap();
    region.redeems(&region.fourmies, 2).unwrap();
    region.voids(&region.fourmies, undone.id).unwrap();
    region.clock_shows("2026-03-03T09:00:00Z");
    let payouts = region.prepares(day("2026-03-02")).unwrap().payouts;
    assert_eq!(payouts.len(), 1);
    assert_eq!((payouts[0].items, payouts[0].amount_cents.cents()), (1, 1_000));
    region.books_hold();
}

#[test]
fn the_reason_of_a_void_stays_out_of_its_receipt() {
    let world = World::new();
    let region = &world.region;
    let redeemed = region.redeems(&region.fourmies, 1).unwrap();
    let receipt = region.voids(&region.fourmies, redeemed.id).unwrap();
    assert!(!receipt.text.contains("erreur de saisie"), "{}", receipt.text);
    let parsed: serde_json::Value = serde_json::from_str(&receipt.text).unwrap();
    let redeemed: serde_json::Value = serde_json::from_str(&redeemed.receipt).unwrap();
    assert_eq!(parsed["corrects"], redeemed["entry"]);
}
