//! The last day of use ends at midnight in Paris, winter, summer and the nights when clocks change.

use crate::support::World;

/// Hands over two passes' worth good until `day`, redeems one at the last microsecond and one at the first after.
fn good_until(day: &str, last: &str, first_after: &str) {
    let mut world = World::new();
    let booklet = world.region.stocks(1, day);
    world.region.hands_over(booklet, "Ana").unwrap();
    let region = &world.region;
    region.clock_shows(last);
    region.redeems(&region.fourmies, 61).unwrap();
    region.clock_shows(first_after);
    let refused = region.redeems(&region.fourmies, 62).unwrap_err();
    assert_eq!(refused.code(), "expired");
    let [year, month, of_month] = day.split('-').collect::<Vec<_>>()[..] else { panic!("{day}") };
    let shown = format!("depuis le {of_month}/{month}/{year}");
    assert!(refused.to_string().contains(&shown), "{refused}");
    assert_eq!(region.checks(&region.fourmies, region.code(62)).unwrap_err().code(), "expired");
    region.books_hold();
}

#[test]
fn a_pass_expires_at_midnight_in_paris_at_the_end_of_the_year() {
    good_until("2026-12-31", "2026-12-31T22:59:59.999999Z", "2026-12-31T23:00:00Z");
}

#[test]
fn a_pass_expires_at_midnight_in_paris_in_summer() {
    good_until("2026-07-14", "2026-07-14T21:59:59.999999Z", "2026-07-14T22:00:00Z");
}

#[test]
fn the_day_of_23_hours_ends_at_its_midnight() {
    good_until("2026-03-29", "2026-03-29T21:59:59.999999Z", "2026-03-29T22:00:00Z");
}

#[test]
fn the_day_before_the_one_of_23_hours_ends_at_its_midnight() {
    good_until("2026-03-28", "2026-03-28T22:59:59.999999Z", "2026-03-28T23:00:00Z");
}

#[test]
fn the_day_of_25_hours_ends_at_its_midnight() {
    good_until("2026-10-25", "2026-10-25T22:59:59.999999Z", "2026-10-25T23:00:00Z");
}

#[test]
fn the_day_before_the_one_of_25_hours_ends_at_its_midnight() {
    good_until("2026-10-24", "2026-10-24T21:59:59.999999Z", "2026-10-24T22:00:00Z");
}

#[test]
fn a_booklet_is_not_handed_over_after_its_last_day() {
    let mut world = World::new();
    let booklet = world.region.stocks(1, "2026-03-29");
    let region = &world.region;
    region.clock_shows("2026-03-29T22:00:00Z");
    assert_eq!(crate::support::refusal(region.hands_over(booklet, "Ana")), "wrong_state");
    region.clock_shows("2026-03-29T21:59:59.999999Z");
    region.hands_over(booklet, "Ana").unwrap();
    region.books_hold();
}
