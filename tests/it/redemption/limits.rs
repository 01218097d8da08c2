//! How many passes one person may spend on a service, when the programme says so.

use souche::app::redemption::NewRedemption;
use souche::db::{Clock, Db, programmes};
use souche::domain::Refusal;
use souche::domain::entry::EntryKind;
use souche::domain::service::Service;
use souche::ledger::{self, Entry};

use crate::support::at_once::{at_once, work};
use crate::support::region::{Region, fresh_key};
use crate::support::{Redeemed, World};

const LIMIT: usize = 3;

fn code_of<T>(told: Result<T, Refusal>) -> &'static str {
    told.err().map_or("done", |refusal| refusal.code())
}

/// A programme that allows three passes for everyday tools, and any number for the rest.
fn limited() -> World {
    let world = World::new();
    world.superuser().run(&format!(
        "UPDATE programmes SET passes_per_service = '{{\"everyday_tools\": {LIMIT}}}', revision = 2 WHERE id = {}",
        world.region.programme
    ));
    // As if it had been set up so.
    world
        .region
        .does(|tx| {
            let code = programmes::current(tx)?.code;
            let by = world.region.admin.user;
            let entry = Entry::new(tx, EntryKind::ProgrammeCreation, by, serde_json::json!({}));
            ledger::record(tx, &code, entry.changed("programmes", 1))
        })
        .unwrap();
    world
}

fn redeems_for(region: &Region, pass: i32, service: Service) -> Result<Redeemed, Refusal> {
    let what =
        NewRedemption { service, ..region.ask(&region.avesnes, region.code(pass), "-").what };
    let ask = Region::asked(region.avesnes.manager, what, &fresh_key());
    region.redeems_all(&[ask]).unwrap().remove(0)
}

#[test]
fn a_person_spends_as_many_passes_on_a_service_as_the_programme_allows() {
    let world = limited();
    let region = &world.region;
    for pass in 1..=2 {
        region.redeems(&region.fourmies, pass).unwrap();
    }
    // All sites count together.
    let third = region.redeems(&region.avesnes, 3).unwrap();
    let told = region.redeems(&region.hirson, 4).unwrap_err();
    let label = Service::EverydayTools.label().to_owned();
    assert_eq!(told, Refusal::LimitReached { service: label, limit: 3 });
    assert_eq!(region.checks(&region.hirson, region.code(4)).unwrap_err(), told);
    // Another service has no limit, another person its own, and what is undone does not count.
    assert_eq!(code_of(redeems_for(region, 4, Service::Employment)), "done");
    assert_eq!(code_of(region.redeems(&region.fourmies, 11)), "done");
    region.voids(&region.avesnes, third.id).unwrap();
    assert_eq!(code_of(region.checks(&region.hirson, region.code(5))), "done");
    assert_eq!(code_of(region.redeems(&region.hirson, 5)), "done");
    assert_eq!(code_of(region.redeems(&region.hirson, 3)), "limit_reached");
    region.books_hold();
}

#[test]
fn a_batch_counts_what_it_has_just_granted() {
    let world = limited();
    let region = &world.region;
    let asks: Vec<_> = [1, 2, 11, 3, 4, 12]
        .map(|pass| region.ask(&region.fourmies, region.code(pass), &fresh_key()))
        .into();
    let told: Vec<_> = region.redeems_all(&asks).unwrap().into_iter().map(code_of).collect();
    assert_eq!(told, ["done", "done", "done", "done", "limit_reached", "done"]);
    region.books_hold();
}

#[test]
fn a_person_at_many_counters_at_once_spends_no_more() {
    let world = limited();
    let region = &world.region;
    // As two processes: each with connections of its own.
    let other = Db::new(&world.database.service_url(), 8, Clock::test(region.now()));
    let processes = [region.clone(), region.at_work_on(&other)];
    let sites = [region.fourmies, region.avesnes, region.hirson];
    let works = (1..=10).map(|pass: i32| {
        let n = usize::try_from(pass).unwrap();
        let (process, site) = (&processes[n % 2], &sites[n % 3]);
        work(move || code_of(process.redeems(site, pass)))
    });
    let told = at_once(works.collect());
    let done = told.iter().filter(|told| **told == "done").count();
    let reached = told.iter().filter(|told| **told == "limit_reached").count();
    assert_eq!((done, reached), (LIMIT, 10 - LIMIT), "{told:?}");
    region.books_hold();
}

#[test]
fn batches_that_hold_the_same_people_crosswise_wait_for_one_another_and_not_for_ever() {
    let world = limited();
    let region = &world.region;
    // Jeanne's and Paul's in either order: locked in the order of passes, then of people.
    let works = (0..5).map(|n| {
        work(move || {
            let pair = if n % 2 == 0 { [1 + n, 11 + n] } else { [11 + n, 1 + n] };
            let asks =
                pair.map(|pass| region.ask(&region.fourmies, region.code(pass), &fresh_key()));
            region.redeems_all(&asks).unwrap().into_iter().map(code_of).collect::<Vec<_>>()
        })
    });
    let told: Vec<_> = at_once(works.collect()).into_iter().flatten().collect();
    assert_eq!(told.iter().filter(|told| **told == "done").count(), 2 * LIMIT, "{told:?}");
    region.books_hold();
}
