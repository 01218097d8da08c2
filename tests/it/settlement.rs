//! Sites are paid what they are owed, once, to an account that two people stand for.

use chrono::TimeDelta;
use souche::app::report::{ThreeWay, three_way};
use souche::app::settlement::{ExclusionReason, dry_run, payment_file};
use souche::domain::{BusinessDate, SettlementId};
use souche::error::Result;
use souche::export::pain001::totals;

use crate::support::region::{Region, iban};
use crate::support::{World, day, refusal};

fn file(region: &Region, settlement: SettlementId) -> Result<Vec<u8>> {
    region.does(|tx| payment_file(tx, &region.accountant, settlement)).map(|file| file.xml)
}

fn legs(region: &Region) -> ThreeWay {
    region.does(|tx| three_way(tx, &region.auditor)).unwrap()
}

/// Sets the clock to the morning after, and returns the day that is over.
fn tomorrow(region: &Region) -> BusinessDate {
    let yesterday = region.today();
    region.clock_is(yesterday.end() + TimeDelta::hours(9));
    yesterday
}

#[test]
fn the_payment_file_is_what_was_approved_and_the_same_bytes_each_time() {
    let world = World::new();
    let region = &world.region;
    for pass in 1..=5 {
        region.redeems(if pass < 4 { &region.fourmies } else { &region.avesnes }, pass).unwrap();
    }
    let yesterday = tomorrow(region);
    let settlement = region.prepares(yesterday).unwrap().settlement.number;
    assert_eq!(
        refusal(file(region, settlement)),
        "wrong_state",
        "nothing for the bank before its approval"
    );
    region.approves(settlement).unwrap();

    let first = file(region, settlement).unwrap();
    assert_eq!(totals(&first).unwrap(), (2, 5_000));
    let text = String::from_utf8(first.clone()).unwrap();
    assert!(
        text.contains(&iban(0)) && text.contains(&iban(1)) && text.contains("pain.001.001.09"),
        "{text}"
    );

    // Accounts change, days pass, the execution is proven: the file stays.
    let changed = region.declares_bank_account(&region.fourmies, &iban(2)).unwrap();
    region.approves_bank_account(changed.number).unwrap();
    region.clock_shows("2026-05-01T09:00:00Z");
    region.declares_execution(settlement).unwrap();
    region.confirms_execution(settlement).unwrap();
    assert_eq!(file(region, settlement).unwrap(), first);
    region.books_hold();
}

#[test]
fn redemptions_items_file_and_bank_agree_at_every_stage() {
    let world = World::new();
    let region = &world.region;
    let shown = |legs: ThreeWay| {
        assert!(legs.differences.is_empty(), "{legs:?}");
        [
            legs.redeemed_cents,
            legs.waiting_cents,
            legs.items_cents,
            legs.approved_cents,
            legs.in_files_cents,
            legs.in_transit_cents,
            legs.debited_cents,
        ]
    };
    assert_eq!(shown(legs(region)), [0; 7]);
    for pass in 1..=3 {
        region.redeems(&region.fourmies, pass).unwrap();
    }
    region.redeems(&region.hirson, 4).unwrap();
    assert_eq!(shown(legs(region)), [4_000, 4_000, 0, 0, 0, 0, 0]);
    let yesterday = tomorrow(region);
    let settlement = region.prepares(yesterday).unwrap().settlement.number;
    assert_eq!(shown(legs(region)), [4_000, 1_000, 3_000, 0, 0, 0, 0]);
    region.approves(settlement).unwrap();
    assert_eq!(shown(legs(region)), [4_000, 1_000, 3_000, 3_000, 3_000, 3_000, 0]);
    region.declares_execution(settlement).unwrap();
    assert_eq!(
        shown(legs(region)),
        [4_000, 1_000, 3_000, 3_000, 3_000, 3_000, 0],
        "a declaration pays nobody"
    );
    region.confirms_execution(settlement).unwrap();
    assert_eq!(shown(legs(region)), [4_000, 1_000, 3_000, 3_000, 3_000, 0, 3_000]);
    region.books_hold();
}

#[test]
fn an_organisation_without_a_bank_account_is_left_out_and_told_why() {
    let world = World::new();
    let region = &world.region;
    region.redeems(&region.fourmies, 1).unwrap();
    region.redeems(&region.hirson, 2).unwrap();
    let yesterday = tomorrow(region);
    let run = region.does(|tx| dry_run(tx, &region.accountant, yesterday)).unwrap();
    assert_eq!((run.payouts.len(), run.payable.amount_cents), (1, 1_000));
    let [exclusion] = &run.exclusions[..] else { panic!("{run:?}") };
    assert_eq!(exclusion.organisation, region.hirson.organisation);
    assert_eq!(
        (exclusion.left_due.amount_cents, exclusion.reason),
        (1_000, ExclusionReason::NoUsableBankAccount)
    );

    let payouts = region.prepares(yesterday).unwrap().payouts;
    assert_eq!(
        payouts.iter().map(|payout| payout.organisation).collect::<Vec<_>>(),
        [region.fourmies.organisation]
    );
    assert_eq!(refusal(region.prepares(yesterday).map(drop)), "nothing_to_pay");

    // Declared is not yet approved; the first account approved is good at once.
    let declared = region.declares_bank_account(&region.hirson, &iban(2)).unwrap();
    assert_eq!(refusal(region.prepares(yesterday).map(drop)), "nothing_to_pay");
    region.approves_bank_account(declared.number).unwrap();
    let payouts = region.prepares(yesterday).unwrap().payouts;
    assert_eq!(
        (payouts[0].organisation, payouts[0].iban.as_str()),
        (region.hirson.organisation, iban(2).as_str())
    );
    region.books_hold();
}

#[test]
fn a_changed_account_waits_72_hours_and_the_old_one_is_paid_until_then() {
    let world = World::new();
    let region = &world.region;
    let changed = region.declares_bank_account(&region.fourmies, &iban(2)).unwrap();
    let approved = region.approves_bank_account(changed.number).unwrap();
    let usable_from = region.now() + TimeDelta::hours(72);
    assert_eq!(approved.usable_from, Some(usable_from));

    region.redeems(&region.fourmies, 1).unwrap();
    region.clock_is(usable_from - TimeDelta::microseconds(1));
    let paid_before = region.prepares(day("2026-03-02")).unwrap().payouts.remove(0);
    region.redeems(&region.fourmies, 2).unwrap();
    region.clock_is(usable_from + TimeDelta::hours(24));
    let paid_after = region.prepares(day("2026-03-05")).unwrap().payouts.remove(0);
    assert_eq!((paid_before.iban, paid_after.iban), (iban(0), iban(2)));
    region.books_hold();
}

#[test]
fn a_cut_off_takes_whole_days_in_paris() {
    let world = World::new();
    let region = &world.region;
    region.clock_shows("2026-03-28T22:59:59.999999Z");
    region.redeems(&region.fourmies, 1).unwrap();
    region.clock_shows("2026-03-28T23:00:00Z");
    region.redeems(&region.fourmies, 2).unwrap();
    // The day of 23 hours.
    region.clock_shows("2026-03-29T22:00:00Z");
    region.redeems(&region.fourmies, 3).unwrap();
    assert_eq!(
        refusal(region.prepares(day("2026-03-30")).map(drop)),
        "invalid",
        "the day must be over"
    );
    let items = |cut_off| region.prepares(day(cut_off)).unwrap().payouts[0].items;
    assert_eq!((items("2026-03-28"), items("2026-03-29")), (1, 1));
    region.books_hold();
}

#[test]
fn an_organisation_is_paid_for_all_its_sites_at_once() {
    let world = World::new();
    // In the neighbour's programme, Lille is in the territory.
    let region = &world.neighbour;
    region.redeems(&region.fourmies, 1).unwrap();
    region.redeems(&region.lille, 2).unwrap();
    region.redeems(&region.lille, 3).unwrap();
    let yesterday = tomorrow(region);
    let settlement = region.pays(yesterday);
    let sites = world.service_for(region.programme).column(
        "SELECT r.site || ': ' || count(*) FROM payout_items i JOIN redemptions r USING (pass, cycle) WHERE i.payout = 1 GROUP BY r.site ORDER BY r.site",
    );
    let mut expected =
        [format!("{}: 1", region.fourmies.site), format!("{}: 2", region.lille.site)];
    expected.sort();
    assert_eq!((settlement.get(), sites), (1, expected.to_vec()));
    region.books_hold();
}

#[test]
fn a_settlement_is_executed_in_order() {
    let world = World::new();
    let region = &world.region;
    region.redeems(&region.fourmies, 1).unwrap();
    let yesterday = tomorrow(region);
    let settlement = region.prepares(yesterday).unwrap().settlement.number;
    assert_eq!(
        refusal(region.declares_execution(settlement).map(drop)),
        "wrong_state",
        "not approved"
    );
    assert_eq!(
        refusal(region.confirms_execution(settlement).map(drop)),
        "not_found",
        "not declared"
    );
    region.approves(settlement).unwrap();
    assert_eq!(refusal(region.approves(settlement).map(drop)), "wrong_state");
    region.declares_execution(settlement).unwrap();
    assert_eq!(refusal(region.declares_execution(settlement).map(drop)), "wrong_state");
    region.confirms_execution(settlement).unwrap();
    assert_eq!(refusal(region.confirms_execution(settlement).map(drop)), "wrong_state");
    assert_eq!(refusal(world.neighbour.approves(settlement).map(drop)), "not_found");
    region.books_hold();
}
