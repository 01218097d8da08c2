//! The whole path of a pass, from the order to the bank's debit, with everything that can be asked of it on
//! the way.

use chrono::TimeDelta;
use souche::app::redemption::NewRedemption;
use souche::app::{delivery, order, report};
use souche::db::entries;
use souche::domain::account::AccountKind;
use souche::domain::entry::EntryKind;
use souche::domain::order::Quantity;
use souche::domain::pass::PassStateName;
use souche::domain::service::Service;
use souche::domain::{BookletId, OrderId, PassNumber, Timestamp};

use crate::support::region::{Region, fresh_key};
use crate::support::{World, day, refusal};

/// In which account, and whose, a pass lay at `at`, by what was known at `known_at`.
fn held(
    region: &Region,
    pass: i32,
    at: Timestamp,
    known_at: Timestamp,
) -> Option<(AccountKind, Option<i32>)> {
    let pass = PassNumber::new(pass);
    let held = region.custody(at, known_at);
    let range = held.iter().find(|range| range.first_pass <= pass && pass <= range.last_pass)?;
    Some((range.account, range.holder))
}

/// An hour passes, something is done, and both books still add up to nothing missing.
fn step(region: &Region, instants: &mut Vec<Timestamp>, work: impl FnOnce()) {
    region.clock_is(region.now() + TimeDelta::hours(1));
    instants.push(region.now());
    work();
    let books = region.does(|tx| report::conservation(tx, &region.auditor, region.now())).unwrap();
    assert_eq!((books.conservation_pass, books.conservation_eur_cents), (0, 0), "{books:?}");
    region.books_hold();
}

/// Orders a booklet, and brings its first pass, 61, to a payment at Avesnes, by way of a void at Fourmies.
/// Returns the instants of its steps, and the settlement's day.
fn lives(world: &mut World) -> Vec<Timestamp> {
    let mut at = Vec::new();
    let number = OrderId::new(3);
    let region = &world.region;
    step(region, &mut at, || {
        assert_eq!(
            region.orders(Quantity { booklets_of_10: 1, booklets_of_5: 0 }, "2026-12-31"),
            number
        );
    });
    step(region, &mut at, || {
        drop(region.does(|tx| order::mint(tx, &region.admin, &region.keys, number)).unwrap());
    });
    let job = region.does(|tx| order::print(tx, &region.admin, &region.keys, number)).unwrap();
    world.region.codes.insert(61, job.code(PassNumber::new(61)));
    let region = &world.region;
    let count = order::PrintCount { booklets: 1 };
    step(region, &mut at, || {
        drop(region.does(|tx| order::confirm_print(tx, &region.admin, number, count)).unwrap());
    });
    step(region, &mut at, || drop(region.funds(number).unwrap()));
    let booklet = BookletId::new(8);
    let parcel = delivery::NewDelivery {
        prescriber: region.prescriber.organisation,
        first_booklet: booklet,
        last_booklet: booklet,
    };
    step(region, &mut at, || {
        assert_eq!(
            region.does(|tx| delivery::send(tx, &region.manager, parcel)).unwrap().0.number.get(),
            2
        );
    });
    let counted = delivery::Counted { missing_booklets: [].into() };
    step(region, &mut at, || {
        drop(
            region
                .does(|tx| {
                    delivery::acknowledge(
                        tx,
                        &region.prescriber.manager,
                        "2".parse().unwrap(),
                        &counted,
                    )
                })
                .unwrap(),
        );
    });
    step(region, &mut at, || drop(region.hands_over(8, "Ana").unwrap()));
    step(region, &mut at, || drop(region.redeems(&region.fourmies, 61).unwrap()));
    step(region, &mut at, || {
        drop(region.voids(&region.fourmies, "0000061-1".parse().unwrap()).unwrap());
    });
    step(region, &mut at, || drop(region.redeems(&region.avesnes, 61).unwrap()));
    region.clock_shows("2026-03-03T08:00:00Z");
    let settlement = "1".parse().unwrap();
    step(region, &mut at, || drop(region.prepares(day("2026-03-02")).unwrap()));
    step(region, &mut at, || drop(region.approves(settlement).unwrap()));
    step(region, &mut at, || drop(region.declares_execution(settlement).unwrap()));
    step(region, &mut at, || drop(region.confirms_execution(settlement).unwrap()));
    at
}

#[test]
fn the_life_of_a_pass_is_told_in_order_with_its_receipts() {
    use EntryKind as K;
    let mut world = World::new();
    lives(&mut world);
    let region = &world.region;

    let trace = region.does(|tx| report::trace(tx, &region.auditor, PassNumber::new(61))).unwrap();

    let kinds: Vec<_> = trace.steps.iter().map(|step| step.kind).collect();
    assert_eq!(
        kinds,
        [
            K::Mint,
            K::PrintReceipt,
            K::Funding,
            K::Delivery,
            K::DeliveryReceipt,
            K::HandOver,
            K::Redemption,
            K::Void,
            K::Redemption
        ]
    );
    let stock = format!("prescriber_stock:{}", region.prescriber.organisation);
    let places: Vec<_> = trace.steps.iter().filter_map(|step| step.to.clone()).collect();
    let (fourmies, avesnes) =
        (format!("redeemed:{}", region.fourmies.site), format!("redeemed:{}", region.avesnes.site));
    let expected = [
        "printer",
        "sponsor_stock",
        "in_transit",
        &stock,
        "circulation",
        &fourmies,
        "circulation",
        &avesnes,
    ];
    assert_eq!(places, expected);
    assert!(trace.steps.iter().is_sorted_by_key(|step| step.recorded_at));
    for step in &trace.steps {
        let entry = region.does(|tx| entries::find(tx, step.entry)).unwrap().unwrap();
        assert_eq!(step.receipt, entry.receipt);
        let receipt: serde_json::Value = serde_json::from_str(&step.receipt).unwrap();
        assert_eq!(receipt["entry"], step.entry.to_string());
        assert_eq!(receipt["number"].as_i64(), step.number.map(i64::from));
    }
    assert_eq!(
        (trace.state, trace.order.get(), trace.booklet.get()),
        (PassStateName::Redeemed, 3, 8)
    );
    assert_eq!(
        (trace.payout.map(souche::domain::PayoutId::get), trace.paid_on),
        (Some(1), Some(day("2026-03-03")))
    );
}

#[test]
fn where_a_pass_was_is_known_for_every_instant_of_its_past() {
    use AccountKind as A;
    let mut world = World::new();
    let at = lives(&mut world);
    let region = &world.region;
    let stock = (A::PrescriberStock, Some(region.prescriber.organisation.get()));
    let (fourmies, avesnes) = (
        (A::Redeemed, Some(region.fourmies.site.get())),
        (A::Redeemed, Some(region.avesnes.site.get())),
    );
    let expected = [
        None,
        Some((A::Printer, None)),
        Some((A::SponsorStock, None)),
        Some((A::SponsorStock, None)),
        Some((A::InTransit, None)),
        Some(stock),
        Some((A::Circulation, None)),
        Some(fourmies),
        Some((A::Circulation, None)),
        Some(avesnes),
        Some(avesnes),
    ];
    let now = region.now();
    let moment = TimeDelta::microseconds(1);
    for (n, place) in expected.into_iter().enumerate() {
        assert_eq!(held(region, 61, at[n], now), place, "at step {n}");
        assert_eq!(
            held(region, 61, at[n + 1] - moment, now),
            place,
            "until just before step {}",
            n + 1
        );
        assert_eq!(held(region, 61, now, at[n]), place, "now, by what was known at step {n}");
    }
}

#[test]
fn the_books_of_a_past_instant_say_what_they_said_then() {
    let mut world = World::new();
    let at = lives(&mut world);
    let region = &world.region;
    let books =
        |n: usize| region.does(|tx| report::conservation(tx, &region.auditor, at[n])).unwrap();
    let passes = |n: usize, kind| books(n).passes[&kind];
    let cents = |n: usize, kind| books(n).eur_cents[&kind];
    // 60 passes lived before; 50 of them were funded.
    assert_eq!([0, 1].map(|n| passes(n, AccountKind::Issued)), [60, 70]);
    assert_eq!([2, 3].map(|n| cents(n, AccountKind::Float)), [50_000, 60_000]);
    assert_eq!([3, 4, 5].map(|n| passes(n, AccountKind::InTransit)), [0, 10, 0]);
    assert_eq!([5, 6, 7, 8, 9].map(|n| passes(n, AccountKind::Circulation)), [20, 30, 29, 30, 29]);
    assert_eq!(
        [6, 7, 8, 9, 10].map(|n| cents(n, AccountKind::Payable)),
        [0, 1_000, 0, 1_000, 1_000]
    );
    assert_eq!(
        [10, 11, 12, 13].map(|n| cents(n, AccountKind::InTransitToBank)),
        [0, 1_000, 1_000, 0]
    );
    assert_eq!([12, 13].map(|n| cents(n, AccountKind::Bank)), [60_000, 59_000]);
    assert_eq!(cents(13, AccountKind::Float), 59_000);
}

#[test]
fn what_the_prescriber_did_not_find_stays_in_transit() {
    use AccountKind as A;
    let mut world = World::new();
    let order = world.region.orders(Quantity { booklets_of_10: 4, booklets_of_5: 0 }, "2026-12-31");
    world.region.prints(order);
    world.region.funds(order).unwrap();
    let region = &world.region;
    let parcel = delivery::NewDelivery {
        prescriber: region.prescriber.organisation,
        first_booklet: BookletId::new(8),
        last_booklet: BookletId::new(11),
    };
    let (sent, _) = region.does(|tx| delivery::send(tx, &region.manager, parcel)).unwrap();
    let acknowledges = |actor, missing: &[i32]| {
        let missing_booklets = missing.iter().map(|number| BookletId::new(*number)).collect();
        region.does(|tx| {
            delivery::acknowledge(tx, actor, sent.number, &delivery::Counted { missing_booklets })
        })
    };
    assert_eq!(refusal(acknowledges(&region.other_prescriber.manager, &[])), "not_found");
    assert_eq!(refusal(acknowledges(&region.prescriber.manager, &[12])), "invalid");
    assert_eq!(refusal(acknowledges(&region.prescriber.manager, &[8, 9, 10, 11])), "invalid");
    acknowledges(&region.prescriber.manager, &[9]).unwrap();
    assert_eq!(refusal(acknowledges(&region.prescriber.manager, &[])), "wrong_state");
    assert_eq!(refusal(region.hands_over(9, "Ana")), "booklet_not_held");
    region.hands_over(10, "Ana").unwrap();
    region.clock_is(region.now() + TimeDelta::hours(1));
    let now = region.now();
    let places = [61, 71, 81, 91].map(|pass| held(region, pass, now, now).unwrap().0);
    assert_eq!(places, [A::PrescriberStock, A::InTransit, A::Circulation, A::PrescriberStock]);
    region.books_hold();
}

#[test]
fn a_person_receives_no_more_than_the_programme_allows() {
    let world = World::new();
    let region = &world.region;
    // Jeanne has ten already.
    assert_eq!(refusal(region.hands_over(3, "Jeanne")), "entitlement_used");
    assert_eq!(
        refusal(region.hands_over(5, "JEANNE")),
        "entitlement_used",
        "however her name is typed"
    );
    region.hands_over(5, "Ana").unwrap();
    assert_eq!(
        refusal(region.hands_over(3, "Ana")),
        "entitlement_used",
        "five and ten are too many"
    );
    // Another programme does not know what she received here.
    world.neighbour.hands_over(3, "Ana").unwrap();
    region.books_hold();
}

#[test]
fn a_person_whose_passes_are_counted_to_the_brim_is_refused_and_not_a_fault() {
    let world = World::new();
    let full = "UPDATE programmes SET max_passes_per_person = 1000; UPDATE beneficiaries SET passes_received = 1000";
    world.superuser().run(full);
    assert_eq!(refusal(world.region.hands_over(3, "Jeanne")), "entitlement_used");
}

#[test]
fn nobody_makes_codes_after_the_print_was_confirmed() {
    let world = World::new();
    let region = &world.region;
    let printed = region.does(|tx| order::print(tx, &region.admin, &region.keys, OrderId::new(1)));
    assert_eq!(refusal(printed.map(drop)), "wrong_state");
}

#[test]
fn maker_is_never_checker_whatever_the_role() {
    use souche::app::{bank_account, settlement};
    use souche::domain::{Actor, Role};
    let world = World::lived();
    let region = &world.region;
    let as_role = |actor: Actor, role| Actor { role, ..actor };
    let own_order = as_role(region.manager, Role::SponsorApprover);
    assert_eq!(
        refusal(region.does(|tx| order::approve(tx, &own_order, OrderId::new(3)))),
        "maker_is_checker"
    );
    let own_settlement = as_role(region.accountant, Role::PublicAccountant);
    assert_eq!(
        refusal(
            region
                .does(|tx| settlement::approve(tx, &own_settlement, "2".parse().unwrap()))
                .map(drop)
        ),
        "maker_is_checker"
    );
    assert_eq!(
        refusal(
            region
                .does(|tx| settlement::confirm_execution(tx, &own_settlement, "3".parse().unwrap()))
                .map(drop)
        ),
        "maker_is_checker"
    );
    let own_account = as_role(region.fourmies.manager, Role::OperatorAccountant);
    assert_eq!(
        refusal(region.does(|tx| bank_account::approve(tx, &own_account, "3".parse().unwrap()))),
        "maker_is_checker"
    );
    region.books_hold();
}

#[test]
fn a_mediator_redeems_with_what_it_has_in_hand() {
    let world = World::new();
    let region = &world.region;
    let typed = region.code(1).typable().to_lowercase().replace('-', " ");
    let what = NewRedemption {
        code: typed.try_into().unwrap(),
        service: Service::Employment,
        site: None,
        workshop: None,
    };
    let redeemed = region
        .redeems_all(&[Region::asked(region.mediator, what, &fresh_key())])
        .unwrap()
        .remove(0)
        .unwrap();
    assert_eq!((redeemed.site, redeemed.pass.get()), (region.fourmies.site, 1));
    region.books_hold();
}
