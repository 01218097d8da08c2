//! What people do at the same moment once money is on its way: incidents, flags and settlements. One winner each.

use souche::domain::flag::Outcome;

use crate::concurrency::{Race, two_at_once};
use crate::support::World;
use crate::support::at_once::{at_once, work};

#[test]
fn a_void_an_incident_and_a_settlement_of_one_redemption_have_one_winner() {
    let world = World::new();
    let region = &world.region;
    for pass in 1..=20 {
        let yesterday = region.today();
        let of = region.redeems(&region.fourmies, pass).unwrap().id;
        region.clock_is(region.today().end() + chrono::TimeDelta::hours(9));
        let works = vec![
            work(|| Race::of(region.voids(&region.fourmies, of))),
            work(|| Race::of(region.records_incident(of))),
            work(|| Race::of(region.prepares(yesterday))),
        ];
        let races = at_once(works);
        let expected = match races[..] {
            [Race::Won, Race::Refused("already_voided" | "not_settled"), prepare] => {
                assert_eq!(prepare, Race::Refused("nothing_to_pay"), "{races:?}");
                continue;
            }
            [void, Race::Won, Race::Won] => {
                matches!(void, Race::Refused("already_voided" | "already_settled"))
            }
            [void, incident, Race::Won] => {
                (void, incident) == (Race::Refused("already_settled"), Race::Refused("not_settled"))
            }
            _ => false,
        };
        assert!(expected, "{races:?}");
        region.books_hold();
    }
}

#[test]
fn two_incidents_at_once_are_one_and_two_settlements_deduct_it_once() {
    let world = World::new();
    let region = &world.region;
    for pass in 1..=5 {
        // Two to be paid later, so that the incident can be deducted: 11 to 20.
        let of = region.redeems(&region.fourmies, pass).unwrap().id;
        region.clock_is(region.today().end() + chrono::TimeDelta::hours(9));
        region.prepares(region.today().minus_days(1)).unwrap();
        region.redeems(&region.fourmies, 9 + 2 * pass).unwrap();
        region.redeems(&region.fourmies, 10 + 2 * pass).unwrap();
        region.clock_is(region.today().end() + chrono::TimeDelta::hours(9));
        let incidents = two_at_once(|_| region.records_incident(of));
        assert_eq!(incidents, [Race::Won, Race::Refused("already_voided")]);
        let yesterday = region.today().minus_days(1);
        let settlements = two_at_once(|_| region.prepares(yesterday));
        assert_eq!(settlements, [Race::Won, Race::Refused("nothing_to_pay")]);
        region.books_hold();
    }
    let deducted = world.service().value("SELECT count(*) FROM payout_items WHERE deducts");
    assert_eq!(deducted, "5");
}

#[test]
fn a_flag_is_raised_once_and_decided_once_however_many_look() {
    let world = World::new();
    let region = &world.region;
    for night in 0..4 {
        let evening = region.today().end() - chrono::TimeDelta::hours(1);
        region.clock_is(evening);
        for pass in 1..=3 {
            region.redeems(&region.fourmies, 3 * night + pass).unwrap();
        }
        let yesterday = region.today();
        region.clock_is(yesterday.end() + chrono::TimeDelta::hours(9));
        let works = vec![
            work(|| Race::of(region.prepares(yesterday))),
            work(|| {
                region.scans();
                Race::Won
            }),
            work(|| {
                region.scans();
                Race::Won
            }),
        ];
        assert_eq!(at_once(works)[0], Race::Refused("nothing_to_pay"));
        let flag = region.flags(&region.admin).last().unwrap().number;
        assert_eq!(flag.get(), night + 1);
        let races = two_at_once(|_| region.decides(flag, Outcome::Released));
        assert_eq!(races, [Race::Won, Race::Refused("wrong_state")]);
        let races = two_at_once(|_| region.prepares(yesterday));
        assert_eq!(races, [Race::Won, Race::Refused("nothing_to_pay")]);
        region.books_hold();
    }
}
