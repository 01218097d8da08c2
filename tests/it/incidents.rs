//! What a settlement has taken is undone by an incident, and the next settlement deducts it.

use chrono::TimeDelta;
use souche::app::incident;
use souche::app::redemption::totals;
use souche::app::report::three_way;
use souche::app::settlement::{ExclusionReason, dry_run, payment_file, payout_items};
use souche::domain::{BusinessDate, IncidentId, PayoutId, RedemptionId};
use souche::export::pain001;

use crate::support::region::Region;
use crate::support::{World, refusal};

/// Sets the clock to the morning after, and returns the day that is over.
fn tomorrow(region: &Region) -> BusinessDate {
    let yesterday = region.today();
    region.clock_is(yesterday.end() + TimeDelta::hours(9));
    yesterday
}

/// Redeems these passes at Fourmies, and pays them the day after.
fn paid(region: &Region, passes: std::ops::RangeInclusive<i32>) -> Vec<RedemptionId> {
    let ids = passes.map(|pass| region.redeems(&region.fourmies, pass).unwrap().id).collect();
    let yesterday = tomorrow(region);
    region.pays(yesterday);
    ids
}

/// Waiting, to be deducted, lines of payouts; the report agrees with itself.
#[track_caller]
fn legs(region: &Region) -> [i64; 3] {
    let legs = region.does(|tx| three_way(tx, &region.auditor)).unwrap();
    assert!(legs.differences.is_empty(), "{legs:?}");
    [legs.waiting_cents, legs.to_deduct_cents, legs.items_cents]
}

#[test]
fn a_paid_redemption_is_given_back_and_deducted_from_the_next_settlement() {
    let world = World::new();
    let region = &world.region;
    let ids = paid(region, 1..=3);
    region.records_incident(ids[1]).unwrap();
    assert_eq!(legs(region), [0, 1_000, 3_000]);
    region.books_hold();

    // The pass is good again, and its next use is paid as any other.
    assert_eq!(region.redeems(&region.fourmies, 2).unwrap().id.to_string(), "0000002-2");
    region.redeems(&region.fourmies, 4).unwrap();
    let yesterday = tomorrow(region);
    let run = region.does(|tx| dry_run(tx, &region.accountant, yesterday)).unwrap();
    let [payout] = &run.payouts[..] else { panic!("{run:?}") };
    assert_eq!((payout.items, payout.deductions, payout.payable.amount_cents), (2, 1, 1_000));
    let prepared = region.prepares(yesterday).unwrap();
    assert_eq!((prepared.payouts[0].items, prepared.payouts[0].amount_cents.cents()), (3, 1_000));
    let settlement = prepared.settlement.number;
    region.books_hold();
    region.approves(settlement).unwrap();
    region.books_hold();
    let file = region.does(|tx| payment_file(tx, &region.accountant, settlement)).unwrap();
    assert_eq!(pain001::totals(&file.xml).unwrap(), (1, 1_000));
    assert!(String::from_utf8(file.xml).unwrap().contains("(1 pass)"));
    region.declares_execution(settlement).unwrap();
    region.confirms_execution(settlement).unwrap();
    assert_eq!(legs(region), [0, 0, 4_000]);
    region.books_hold();
}

#[test]
fn a_statement_shows_what_is_deducted_and_why() {
    let world = World::new();
    let region = &world.region;
    let ids = paid(region, 1..=2);
    region.records_incident(ids[0]).unwrap();
    region.redeems(&region.fourmies, 3).unwrap();
    region.redeems(&region.fourmies, 4).unwrap();
    let yesterday = tomorrow(region);
    let number = region.prepares(yesterday).unwrap().payouts[0].number;
    let manager = &region.fourmies.manager;
    let items = region.does(|tx| payout_items(tx, manager, number, 0, 200)).unwrap().items;
    let shown: Vec<_> = items
        .iter()
        .map(|item| (item.pass.get(), item.amount_cents, item.incident.map(IncidentId::get)))
        .collect();
    assert_eq!(shown, [(3, 1_000, None), (4, 1_000, None), (1, -1_000, Some(1))]);
    let own = region.does(|tx| incident::list(tx, manager, IncidentId::new(0), 50)).unwrap();
    let [told] = &own[..] else { panic!("{own:?}") };
    assert_eq!(told.reason, "titre contrefait");
    assert_eq!((told.paid_by, told.deducted_from), (PayoutId::new(1), Some(number)));
}

#[test]
fn what_is_not_in_a_settlement_is_voided_instead() {
    let world = World::new();
    let region = &world.region;
    let redeemed = region.redeems(&region.fourmies, 1).unwrap();
    assert_eq!(refusal(region.records_incident(redeemed.id)), "not_settled");
    region.voids(&region.fourmies, redeemed.id).unwrap();
    assert_eq!(refusal(region.records_incident(redeemed.id)), "already_voided");
    assert_eq!(refusal(region.records_incident("0000009-1".parse().unwrap())), "not_found");
    region.books_hold();
}

#[test]
fn an_incident_is_recorded_once_and_by_the_operator() {
    let world = World::new();
    let region = &world.region;
    let ids = paid(region, 1..=1);
    assert_eq!(refusal(world.neighbour.records_incident(ids[0])), "not_found");
    for other in [region.accountant, region.fourmies.manager, region.paymaster, region.auditor] {
        let of = incident::NewIncident { redemption: ids[0], reason: crate::support::line("x") };
        assert_eq!(refusal(region.does(|tx| incident::record(tx, &other, &of))), "not_allowed");
    }
    let receipt = region.records_incident(ids[0]).unwrap();
    assert!(!receipt.text.contains("contrefait"), "{}", receipt.text);
    assert_eq!(refusal(region.records_incident(ids[0])), "already_voided");
    assert_eq!(refusal(region.voids(&region.fourmies, ids[0])), "already_voided");
    region.books_hold();
}

#[test]
fn more_to_deduct_than_to_pay_is_carried_forward() {
    let world = World::new();
    let region = &world.region;
    for of in paid(region, 1..=2) {
        region.records_incident(of).unwrap();
    }
    region.redeems(&region.fourmies, 3).unwrap();
    region.redeems(&region.fourmies, 4).unwrap();
    let yesterday = tomorrow(region);
    let run = region.does(|tx| dry_run(tx, &region.accountant, yesterday)).unwrap();
    let [left] = &run.exclusions[..] else { panic!("{run:?}") };
    assert_eq!(left.reason, ExclusionReason::DeductedInFull);
    assert_eq!((left.items, left.deductions, left.left_due.amount_cents), (2, 2, 0));
    assert_eq!(refusal(region.prepares(yesterday).map(drop)), "nothing_to_pay");

    region.redeems(&region.fourmies, 5).unwrap();
    let yesterday = tomorrow(region);
    region.pays(yesterday);
    assert_eq!(legs(region), [0, 0, 3_000]);
    region.books_hold();
}

#[test]
fn sites_of_one_organisation_make_up_for_one_another() {
    let world = World::new();
    // In the neighbour's programme, Lille is in the territory.
    let region = &world.neighbour;
    let ids = paid(region, 1..=2);
    region.records_incident(ids[0]).unwrap();
    region.redeems(&region.lille, 3).unwrap();
    region.redeems(&region.lille, 4).unwrap();
    let yesterday = tomorrow(region);
    let settlement = region.pays(yesterday);
    let shares = world.service_for(region.programme).column(&format!(
        "SELECT t.debit || ' from ' || t.credit || ': ' || t.amount FROM transfers t JOIN entries e ON e.id = t.entry_id
         WHERE e.kind = 'payout_approval' AND e.number = {settlement} ORDER BY t.line"
    ));
    let (fourmies, lille) = (region.fourmies.site, region.lille.site);
    let mut expected = [format!("55 from {fourmies}54: 1000"), format!("{lille}54 from 55: 2000")];
    if lille < fourmies {
        expected.reverse();
    }
    assert_eq!(shares, expected);
    region.books_hold();
}

#[test]
fn a_site_s_totals_add_up_at_every_stage() {
    let world = World::new();
    let region = &world.region;
    let shown = || {
        let totals = region.does(|tx| totals(tx, &region.mediator)).unwrap().remove(0);
        [totals.redeemed, totals.held, totals.in_payout, totals.paid, totals.to_deduct]
    };
    let ids = paid(region, 1..=3);
    assert_eq!(shown(), [3, 0, 3, 3, 0]);
    region.records_incident(ids[0]).unwrap();
    assert_eq!(shown(), [2, 0, 3, 3, 1]);
    region.redeems(&region.fourmies, 4).unwrap();
    region.redeems(&region.fourmies, 5).unwrap();
    let yesterday = tomorrow(region);
    let settlement = region.prepares(yesterday).unwrap().settlement.number;
    assert_eq!(shown(), [4, 0, 4, 3, 0]);
    region.approves(settlement).unwrap();
    region.declares_execution(settlement).unwrap();
    region.confirms_execution(settlement).unwrap();
    assert_eq!(shown(), [4, 0, 4, 4, 0]);
}
