//! Redemptions at a workshop: its site, its day, and as many people as it was declared for.

use souche::domain::{BusinessDate, Refusal, WorkshopId};

use crate::support::at_once::{at_once, work};
use crate::support::{Redeemed, World, instant, refusal};

fn code_of(told: Result<Redeemed, Refusal>) -> &'static str {
    told.err().map_or("done", |refusal| refusal.code())
}

#[test]
fn a_redemption_at_a_workshop_says_so_in_its_receipt_and_in_the_list() {
    let world = World::new();
    let region = &world.region;
    let workshop = region.declares_workshop(&region.fourmies, region.today(), 2).unwrap();
    let done = region.redeems_at(&region.fourmies, 1, workshop).unwrap();
    let receipt: serde_json::Value = serde_json::from_str(&done.receipt).unwrap();
    assert_eq!(receipt["facts"]["workshop"], workshop.to_string());
    assert_eq!(done.workshop, Some(workshop));
    let alone = region.redeems(&region.fourmies, 2).unwrap();
    assert!(alone.receipt.contains(r#""workshop":null"#), "{}", alone.receipt);
    let before = (souche::domain::Timestamp::MAX_UTC, souche::domain::PassNumber::new(i32::MAX));
    let listed = region
        .does(|tx| souche::app::redemption::list(tx, &region.mediator, before, 9))
        .unwrap()
        .into_iter()
        .map(|row| (row.pass.get(), row.workshop))
        .collect::<Vec<_>>();
    assert_eq!(listed, [(2, None), (1, Some(workshop))]);
    region.books_hold();
}

#[test]
fn a_workshop_is_of_its_own_site_and_day() {
    let world = World::new();
    let region = &world.region;
    let (fourmies, avesnes) = (&region.fourmies, &region.avesnes);
    let here = region.declares_workshop(fourmies, region.today(), 2).unwrap();
    let tomorrow = region.declares_workshop(fourmies, region.today().plus_days(1), 2).unwrap();
    assert_eq!(code_of(region.redeems_at(avesnes, 1, here)), "not_found");
    // Of the same organisation, and yet of another site.
    assert_eq!(code_of(region.redeems_at(&region.lille, 1, here)), "not_found");
    assert_eq!(code_of(region.redeems_at(fourmies, 1, WorkshopId::new(9))), "not_found");
    assert_eq!(code_of(region.redeems_at(fourmies, 1, tomorrow)), "workshop_on_another_day");
    // To the instant, in Paris: the last of the day, and the first of the next.
    region.clock_shows("2026-03-02T22:59:59Z");
    assert_eq!(code_of(region.redeems_at(fourmies, 1, here)), "done");
    region.clock_shows("2026-03-02T23:00:00Z");
    assert_eq!(code_of(region.redeems_at(fourmies, 2, here)), "workshop_on_another_day");
    assert_eq!(code_of(region.redeems_at(fourmies, 2, tomorrow)), "done");
    region.books_hold();
}

#[test]
fn a_workshop_takes_as_many_people_as_declared_and_each_as_many_passes_as_it_takes() {
    let world = World::new();
    let region = &world.region;
    let fourmies = &region.fourmies;
    let workshop = region.declares_workshop(fourmies, region.today(), 1).unwrap();
    let jeanne = region.redeems_at(fourmies, 1, workshop).unwrap();
    assert_eq!(code_of(region.redeems_at(fourmies, 2, workshop)), "done");
    assert_eq!(code_of(region.redeems_at(fourmies, 11, workshop)), "workshop_full");
    // Who leaves makes room: all of Jeanne's are undone.
    region.voids(fourmies, jeanne.id).unwrap();
    assert_eq!(code_of(region.redeems_at(fourmies, 11, workshop)), "workshop_full");
    region.voids(fourmies, "0000002-1".parse().unwrap()).unwrap();
    assert_eq!(code_of(region.redeems_at(fourmies, 11, workshop)), "done");
    assert_eq!(code_of(region.redeems_at(fourmies, 3, workshop)), "workshop_full");
    region.books_hold();
}

#[test]
fn a_batch_counts_the_people_it_has_just_let_in() {
    let world = World::new();
    let region = &world.region;
    let workshop = region.declares_workshop(&region.fourmies, region.today(), 1).unwrap();
    let asks: Vec<_> = [11, 1, 12]
        .map(|pass| {
            let mut ask = region.ask(&region.fourmies, region.code(pass), &format!("k-{pass}"));
            ask.what.workshop = Some(workshop);
            ask
        })
        .into();
    let told: Vec<_> = region.redeems_all(&asks).unwrap().into_iter().map(code_of).collect();
    assert_eq!(told, ["done", "workshop_full", "done"]);
    region.books_hold();
}

#[test]
fn of_two_people_at_once_one_has_the_last_place() {
    let world = World::new();
    let region = &world.region;
    for race in 0..10 {
        let workshop = region.declares_workshop(&region.fourmies, region.today(), 1).unwrap();
        let redeems =
            |pass: i32| work(move || code_of(region.redeems_at(&region.fourmies, pass, workshop)));
        let mut told = at_once(vec![redeems(1 + race), redeems(11 + race)]);
        told.sort_unstable();
        assert_eq!(told, ["done", "workshop_full"]);
    }
    region.books_hold();
}

#[test]
fn a_workshop_is_declared_by_its_own_site_until_its_day() {
    let world = World::new();
    let region = &world.region;
    let fourmies = &region.fourmies;
    let declares = |held_on: BusinessDate, people: i32| {
        region.declares_workshop(fourmies, held_on, people).map(WorkshopId::get)
    };
    let today = region.today();
    assert_eq!(declares(today, 200).unwrap(), 1);
    assert_eq!(declares(today.plus_days(366), 1).unwrap(), 2);
    for (held_on, people) in
        [(today.minus_days(1), 6), (today.plus_days(367), 6), (today, 0), (today, 201)]
    {
        assert_eq!(refusal(declares(held_on, people)), "invalid");
    }
    // Paris is past midnight, and has a new day.
    region.clock_is(instant("2026-03-02T23:00:00Z"));
    assert_eq!(refusal(declares(today, 6)), "invalid");
    let elsewhere = crate::support::region::Counter { manager: region.mediator, ..region.avesnes };
    assert_eq!(refusal(region.declares_workshop(&elsewhere, region.today(), 6)), "not_found");
    let strangers = crate::support::region::Counter { manager: fourmies.manager, ..region.avesnes };
    assert_eq!(refusal(region.declares_workshop(&strangers, region.today(), 6)), "not_found");
    let auditors = crate::support::region::Counter { manager: region.auditor, ..region.fourmies };
    assert_eq!(refusal(region.declares_workshop(&auditors, region.today(), 6)), "not_allowed");
}
