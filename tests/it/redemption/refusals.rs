//! Every refusal of a redemption: its condition, and which is told when several apply.

use souche::app::redemption::NewRedemption;
use souche::app::site::{NewSite, Qualification, qualify, register_site};
use souche::domain::service::Service;
use souche::domain::{Refusal, SiteId};

use crate::support::region::{Counter, Region, fresh_key};
use crate::support::{World, day, instant, line};

fn code_of(told: Result<crate::support::Redeemed, Refusal>) -> &'static str {
    told.err().map_or("done", |refusal| refusal.code())
}

/// Redeems for a service, and says how it was told.
fn redeems_for(region: &Region, at: &Counter, pass: i32, service: Service) -> &'static str {
    let what =
        NewRedemption { code: region.code(pass), service, site: Some(at.site), workshop: None };
    code_of(region.redeems_all(&[Region::asked(at.manager, what, &fresh_key())]).unwrap().remove(0))
}

/// A site of Avesnes' organisation that gives one service only, in a commune.
fn workshop(region: &Region, insee_code: &str) -> Counter {
    let new = NewSite {
        organisation: region.avesnes.organisation,
        name: line("Atelier"),
        address: line("2 place Verte"),
        insee_code: insee_code.parse().unwrap(),
        services: vec![Service::Employment],
    };
    let site = region.does(|tx| register_site(tx, &region.admin, new)).unwrap();
    Counter { site: site.number, ..region.avesnes }
}

fn qualifies(region: &Region, site: SiteId, from: &str, until: Option<&str>) {
    let qualification = Qualification { from: day(from), until: until.map(day) };
    region.does(|tx| qualify(tx, &region.admin, site, qualification)).unwrap();
}

#[test]
fn what_is_in_nobodys_hands_is_not_told_from_what_does_not_exist() {
    let world = World::new();
    let region = &world.region;
    let fourmies = &region.fourmies;
    // In a prescriber's stock; in the sponsor's; not funded.
    for pass in [21, 46, 51] {
        assert_eq!(
            region.redeems(fourmies, pass).unwrap_err(),
            Refusal::UnknownPass,
            "pass {pass}"
        );
        assert_eq!(
            region.checks(fourmies, region.code(pass)).unwrap_err(),
            Refusal::UnknownPass,
            "pass {pass}"
        );
    }
    // Another programme's: the same number is a pass of ours, with another secret. And a number nobody bears.
    let mut nowhere = region.code(1);
    nowhere.number = souche::domain::PassNumber::new(9_999);
    for code in [world.neighbour.code(1), region.wrong_code(1), nowhere] {
        let told =
            region.redeems_all(&[region.ask(fourmies, code, &fresh_key())]).unwrap().remove(0);
        assert_eq!(told.unwrap_err(), Refusal::UnknownPass, "{code:?}");
        assert_eq!(region.checks(fourmies, code).unwrap_err(), Refusal::UnknownPass, "{code:?}");
    }
    world
        .superuser()
        .run("UPDATE passes SET state = 'cancelled' WHERE number = 20 AND programme_id = 1");
    assert_eq!(region.redeems(fourmies, 20).unwrap_err(), Refusal::UnknownPass);
    world
        .superuser()
        .run("UPDATE passes SET state = 'distributed' WHERE number = 20 AND programme_id = 1");
    region.books_hold();
}

#[test]
fn a_used_pass_is_refused_with_when_and_whether_here() {
    let world = World::new();
    let region = &world.region;
    let first = region.redeems(&region.fourmies, 1).unwrap();
    region.clock_shows("2026-03-05T09:00:00Z");
    let here = Refusal::AlreadyRedeemed { at: first.redeemed_at, here: true };
    let elsewhere = Refusal::AlreadyRedeemed { at: first.redeemed_at, here: false };
    assert_eq!(region.redeems(&region.fourmies, 1).unwrap_err(), here);
    assert_eq!(region.redeems(&region.avesnes, 1).unwrap_err(), elsewhere);
    assert_eq!(region.checks(&region.avesnes, region.code(1)).unwrap_err(), elsewhere);
    region.books_hold();
}

#[test]
fn a_pass_is_refused_outside_the_territory() {
    let world = World::new();
    let told = world.region.redeems(&world.region.lille, 1).unwrap_err();
    assert_eq!(told, Refusal::OutOfTerritory { commune: "Lille".into() });
    // Lille is in the territory of the other programme.
    world.neighbour.redeems(&world.neighbour.lille, 1).unwrap();
    world.region.books_hold();
    world.neighbour.books_hold();
}

#[test]
fn a_site_gives_only_the_services_it_declared() {
    let world = World::new();
    let region = &world.region;
    let workshop = workshop(region, "59036");
    qualifies(region, workshop.site, "2026-01-01", None);
    assert_eq!(redeems_for(region, &workshop, 1, Service::EverydayTools), "service_not_allowed");
    assert_eq!(redeems_for(region, &workshop, 1, Service::Employment), "done");
    // A site that declared none may give any.
    assert_eq!(redeems_for(region, &region.fourmies, 2, Service::SolidarityPurchase), "done");
    region.books_hold();
}

#[test]
fn a_site_redeems_from_its_first_day_to_its_last_included() {
    let world = World::new();
    let region = &world.region;
    let workshop = workshop(region, "59036");
    let at = |instant: &str, pass| {
        region.clock_shows(instant);
        redeems_for(region, &workshop, pass, Service::Employment)
    };
    assert_eq!(at("2026-03-10T09:00:00Z", 1), "site_not_qualified", "never qualified");
    qualifies(region, workshop.site, "2026-04-01", Some("2026-04-30"));
    assert_eq!(at("2026-03-31T21:59:59Z", 1), "site_not_qualified");
    assert_eq!(at("2026-03-31T22:00:00Z", 1), "done", "midnight in Paris, in summer");
    assert_eq!(at("2026-04-30T21:59:59Z", 2), "done");
    assert_eq!(at("2026-04-30T22:00:00Z", 3), "site_not_qualified");
    region.books_hold();
}

#[test]
fn the_first_that_applies_is_told() {
    let world = World::new();
    let region = &world.region;
    // Everything wrong at once, put right one by one.
    let lille = workshop(region, "59350");
    let avesnes = workshop(region, "59036");
    region.redeems(&region.fourmies, 1).unwrap();
    region.clock_shows("2027-01-01T09:00:00Z");
    world
        .superuser()
        .run("UPDATE passes SET state = 'stopped' WHERE number = 2 AND programme_id = 1");
    let told = |at: &Counter, pass, service| redeems_for(region, at, pass, service);
    assert_eq!(told(&lille, 21, Service::EverydayTools), "unknown_pass");
    assert_eq!(told(&lille, 2, Service::EverydayTools), "stopped");
    assert_eq!(told(&lille, 1, Service::EverydayTools), "already_redeemed");
    assert_eq!(told(&lille, 3, Service::EverydayTools), "expired");
    region.clock_shows("2026-12-31T09:00:00Z");
    assert_eq!(told(&lille, 3, Service::EverydayTools), "out_of_territory");
    assert_eq!(told(&avesnes, 3, Service::EverydayTools), "service_not_allowed");
    assert_eq!(told(&avesnes, 3, Service::Employment), "site_not_qualified");
    qualifies(region, avesnes.site, "2026-12-31", None);
    assert_eq!(told(&avesnes, 3, Service::Employment), "done");
    for _ in 0..5 {
        region.tries_a_wrong_code(&lille, 3).unwrap_err();
    }
    assert_eq!(told(&lille, 3, Service::EverydayTools), "too_many_tries", "before everything else");
    world
        .superuser()
        .run("UPDATE passes SET state = 'distributed' WHERE number = 2 AND programme_id = 1");
    region.books_hold();
}

#[test]
fn testing_a_pass_says_what_redeeming_it_would_and_spends_nothing() {
    let world = World::new();
    let region = &world.region;
    let mut service = world.service();
    let state = "SELECT number, state, cycle, changed_at FROM passes ORDER BY number";
    let shown = format!("SELECT string_agg(p::text, ',') FROM ({state}) p");
    let before = service.value(&shown);
    let checked = region.checks(&region.fourmies, region.code(1)).unwrap();
    assert_eq!((checked.pass.get(), checked.payable.amount_cents), (1, 1_000));
    assert_eq!(
        region.checks(&region.lille, region.code(1)).unwrap_err().code(),
        "out_of_territory"
    );
    assert_eq!(service.value(&shown), before);
    assert_eq!(service.value("SELECT count(*) FROM redemptions"), "0");
    region.redeems(&region.fourmies, 1).unwrap();
    region.books_hold();
}

#[test]
fn a_site_is_of_the_organisation_that_presents_the_pass() {
    let world = World::new();
    let region = &world.region;
    let code = region.code(1);
    let at = |actor, site: Option<SiteId>| {
        let what = NewRedemption { code, service: Service::EverydayTools, site, workshop: None };
        code_of(region.redeems_all(&[Region::asked(actor, what, &fresh_key())]).unwrap().remove(0))
    };
    assert_eq!(at(region.fourmies.manager, Some(region.avesnes.site)), "not_found");
    assert_eq!(at(region.fourmies.manager, Some(SiteId::new(99))), "not_found");
    assert_eq!(at(region.fourmies.manager, None), "invalid");
    assert_eq!(
        at(region.mediator, Some(region.lille.site)),
        "not_found",
        "a mediator has one site"
    );
    assert_eq!(at(region.prescriber.manager, Some(region.fourmies.site)), "not_allowed");
    assert_eq!(at(region.auditor, Some(region.fourmies.site)), "not_allowed");
    assert_eq!(at(region.mediator, None), "done", "its own");
    region.books_hold();
}

#[test]
fn a_receipt_says_what_happened_and_names_nobody() {
    let world = World::new();
    let region = &world.region;
    let redeemed = region.redeems(&region.fourmies, 7).unwrap();
    let receipt: serde_json::Value = serde_json::from_str(&redeemed.receipt).unwrap();
    assert_eq!(redeemed.id.to_string(), "0000007-1");
    assert_eq!(redeemed.redeemed_at, instant("2026-03-02T09:00:00Z"));
    assert_eq!(receipt["programme"], "SAT");
    assert_eq!(receipt["kind"], "redemption");
    assert_eq!(receipt["facts"]["redemption"], "0000007-1");
    assert_eq!(receipt["facts"]["amount_cents"], 1_000);
    for personal in ["Dupont", "Jeanne", "1950"] {
        assert!(!redeemed.receipt.contains(personal), "{}", redeemed.receipt);
    }
    let secret = region.code(7).secret.symbols();
    assert!(!redeemed.receipt.contains(&secret));
    let bytes = redeemed.receipt.len();
    assert!(bytes < 700, "a receipt of {bytes} bytes, made at every counter");
    region.books_hold();
}
