//! Who guesses is slowed down, per site and per pass, and then let go again.

use chrono::TimeDelta;
use souche::domain::Refusal;

use crate::support::World;
use crate::support::region::{Counter, Region, fresh_key};

const BRAKED: Refusal = Refusal::TooManyTries { retry_after_seconds: 900 };

fn wrong_tries(region: &Region, at: &Counter, pass: i32, n: i32) {
    for _ in 0..n {
        assert_eq!(region.tries_a_wrong_code(at, pass).unwrap_err(), Refusal::UnknownPass);
    }
}

fn later(region: &Region, minutes: i64) {
    region.clock_is(region.now() + TimeDelta::minutes(minutes));
}

#[test]
fn five_wrong_codes_of_a_site_on_a_pass_brake_it_there_only() {
    let world = World::new();
    let region = &world.region;
    wrong_tries(region, &region.fourmies, 1, 5);
    assert_eq!(region.redeems(&region.fourmies, 1).unwrap_err(), BRAKED, "even the right code");
    assert_eq!(region.tries_a_wrong_code(&region.fourmies, 1).unwrap_err(), BRAKED);
    assert_eq!(region.checks(&region.fourmies, region.code(1)).unwrap_err(), BRAKED);
    region.redeems(&region.fourmies, 2).unwrap();
    region.redeems(&region.avesnes, 1).unwrap();
    region.books_hold();
}

#[test]
fn a_braked_site_is_free_again_after_a_quarter_of_an_hour() {
    let world = World::new();
    let region = &world.region;
    wrong_tries(region, &region.fourmies, 1, 4);
    later(region, 14);
    wrong_tries(region, &region.fourmies, 1, 1);
    assert_eq!(region.redeems(&region.fourmies, 1).unwrap_err(), BRAKED);
    later(region, 1);
    assert_eq!(region.redeems(&region.fourmies, 1).unwrap_err(), BRAKED, "the window is not over");
    region.clock_is(region.now() + TimeDelta::microseconds(1));
    wrong_tries(region, &region.fourmies, 1, 1);
    region.redeems(&region.fourmies, 1).unwrap();
    region.books_hold();
}

#[test]
fn windows_that_are_over_are_forgotten_with_the_next_wrong_code() {
    let world = World::new();
    let region = &world.region;
    wrong_tries(region, &region.fourmies, 1, 1);
    later(region, 10);
    wrong_tries(region, &region.avesnes, 2, 1);
    later(region, 6);
    wrong_tries(region, &region.lille, 3, 1);
    assert_eq!(
        world.service().column("SELECT pass || ': ' || tries FROM wrong_tries ORDER BY pass"),
        ["2: 1", "3: 1"]
    );
}

#[test]
fn a_refusal_of_the_brake_is_not_counted_as_a_try() {
    let world = World::new();
    let region = &world.region;
    wrong_tries(region, &region.fourmies, 1, 5);
    region.tries_a_wrong_code(&region.fourmies, 1).unwrap_err();
    assert_eq!(world.service().column("SELECT tries FROM wrong_tries"), ["5"]);
}

#[test]
fn guesses_that_come_in_one_batch_are_braked_within_it() {
    let world = World::new();
    let region = &world.region;
    let asks: Vec<_> = (0..8)
        .map(|_| region.ask(&region.fourmies, region.wrong_code(1), &fresh_key()))
        .chain([region.ask(&region.fourmies, region.code(2), &fresh_key())])
        .collect();
    let told = region.redeems_all(&asks).unwrap();
    let unknown = told.iter().filter(|told| **told == Err(Refusal::UnknownPass)).count();
    let braked = told.iter().filter(|told| **told == Err(BRAKED)).count();
    assert_eq!((unknown, braked, told[8].is_ok()), (5, 3, true), "{told:?}");
    assert_eq!(world.service().column("SELECT tries FROM wrong_tries"), ["5"]);
}

#[test]
fn testing_a_wrong_code_counts_as_a_try() {
    let world = World::new();
    let region = &world.region;
    for _ in 0..5 {
        assert_eq!(
            region.checks(&region.fourmies, region.wrong_code(1)).unwrap_err(),
            Refusal::UnknownPass
        );
    }
    assert_eq!(region.checks(&region.fourmies, region.code(1)).unwrap_err(), BRAKED);
    assert_eq!(region.redeems(&region.fourmies, 1).unwrap_err(), BRAKED);
}

#[test]
fn fifteen_wrong_codes_on_a_pass_brake_it_everywhere() {
    let world = World::new();
    let region = &world.region;
    for at in [&region.fourmies, &region.avesnes, &region.lille] {
        wrong_tries(region, at, 1, 5);
    }
    assert_eq!(region.redeems(&region.hirson, 1).unwrap_err(), BRAKED);
    region.redeems(&region.hirson, 2).unwrap();
    region.books_hold();
}

#[test]
fn thirty_wrong_codes_of_a_site_brake_it_for_every_pass() {
    let world = World::new();
    let region = &world.region;
    for pass in 1..=10 {
        wrong_tries(region, &region.fourmies, pass, 3);
    }
    assert_eq!(region.redeems(&region.fourmies, 20).unwrap_err(), BRAKED);
    region.redeems(&region.avesnes, 20).unwrap();
    region.books_hold();
}

#[test]
fn a_right_code_that_is_refused_is_no_wrong_try() {
    let world = World::new();
    let region = &world.region;
    region.redeems(&region.fourmies, 1).unwrap();
    for _ in 0..6 {
        assert_eq!(region.redeems(&region.fourmies, 1).unwrap_err().code(), "already_redeemed");
        assert_eq!(
            region.redeems(&region.fourmies, 21).unwrap_err(),
            Refusal::UnknownPass,
            "in stock, code right"
        );
    }
    assert_eq!(world.service().value("SELECT count(*) FROM wrong_tries"), "0");
}
