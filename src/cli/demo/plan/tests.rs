//! The script, judged by what it tells: shares, order, hours, repeatability.

//! The plan of a story keeps its promises.

use std::collections::{BTreeMap, BTreeSet};

use super::super::script::{At, Presented};
use super::*;
use crate::domain::{Actor, OrganisationId, ProgrammeId, Role, SiteId, UserId};

fn somebody() -> Actor {
    Actor {
        user: UserId::generate(),
        role: Role::SiteManager,
        programme: ProgrammeId::new(1),
        organisation: None,
        site: None,
    }
}

/// Prescribers and counters in both departments of the pilot.
fn people() -> (Vec<Prescriber>, Vec<Counter>) {
    let departments = ["59", "02"].map(|code| code.parse::<Department>().unwrap());
    let prescriber = |(n, department): (i32, &Department)| Prescriber {
        organisation: OrganisationId::new(n),
        department: *department,
        weight: 100,
        manager: somebody(),
        agent: somebody(),
    };
    let counter = |n: i32| Counter {
        site: SiteId::new(n),
        department: departments[usize::try_from(n % 2).unwrap()],
        services: Vec::new(),
        actor: somebody(),
    };
    ((1..).zip(&departments).map(prescriber).collect(), (1..=10).map(counter).collect())
}

fn script(seed: u64) -> Vec<Cue> {
    script_until(seed, "2026-11-22")
}

fn script_until(seed: u64, today: &str) -> Vec<Cue> {
    let (prescribers, counters) = people();
    let plot = Plot {
        calendar: Calendar::ending_before(BusinessDate::try_from(today.to_owned()).unwrap()),
        opens_on: 0,
        settles_after: [16, 28],
        booklets: 500,
        first_booklet: BookletId::new(1),
        first_pass: PassNumber::new(1),
        territory: &Territory::sambre_avesnois_thierache(),
        prescribers: &prescribers,
        counters: &counters,
        strangers: 1,
    };
    write(&plot, seed).into()
}

fn gifts(script: &[Cue]) -> impl Iterator<Item = (&When, &Gift)> {
    script.iter().filter_map(|cue| match &cue.what {
        Event::HandOver(gift) if gift.refusal.is_none() => Some((&cue.at, &**gift)),
        _ => None,
    })
}

fn spent(script: &[Cue]) -> impl Iterator<Item = (&When, &Presented)> {
    script.iter().filter_map(|cue| match &cue.what {
        Event::Present(presented) if presented.refusal.is_none() => Some((&cue.at, presented)),
        _ => None,
    })
}

#[test]
fn a_seed_always_writes_the_same_script_and_another_seed_another() {
    let shown = |seed| format!("{:?}", script(seed));
    assert_eq!(shown(1), shown(1));
    assert_ne!(shown(1), shown(2));
}

#[test]
fn a_seed_comes_to_the_same_whatever_the_day_it_is_played() {
    let shown = |today| -> Vec<String> {
        let script = script_until(1, today);
        let undated = script.iter().map(|cue| match &cue.what {
            Event::HandOver(gift) => format!("{:?} {} {:?}", cue.at, gift.booklet, gift.refusal),
            other => format!("{:?} {other:?}", cue.at),
        });
        undated.collect()
    };
    for today in ["2027-03-29", "2028-02-29", "2031-08-31"] {
        assert_eq!(shown("2026-11-22"), shown(today), "{today}");
    }
}

#[test]
fn nine_booklets_in_ten_are_given_and_nearly_half_of_their_passes_used() {
    for seed in 0..20 {
        let script = script(seed);
        let given = gifts(&script).count();
        let voids = script.iter().filter(|cue| matches!(cue.what, Event::Void(..))).count();
        let used = spent(&script).count() - voids;
        assert!((430..=465).contains(&given), "seed {seed}: {given} booklets given");
        assert!(
            (38..=60).contains(&(used * 100 / (given * 10))),
            "seed {seed}: {used} passes used of {}",
            given * 10
        );
    }
}

#[test]
fn the_publics_come_in_believable_shares_and_live_in_the_territory() {
    let script = script(3);
    let mut shares: BTreeMap<&'static str, usize> = BTreeMap::new();
    let territory = Territory::sambre_avesnois_thierache();
    for (_, gift) in gifts(&script) {
        *shares.entry(gift.eligibility.into()).or_default() += 1;
        assert!(territory.contains(&gift.insee_code));
        assert!(gift.person.last_name.as_str().starts_with("Fictive"));
    }
    let all: usize = shares.values().sum();
    let percent = |public: &str| shares[public] * 100 / all;
    assert!((38..=52).contains(&percent("senior")), "{shares:?}");
    assert!((33..=47).contains(&percent("jobseeker")), "{shares:?}");
    assert!((9..=21).contains(&percent("young_in_insertion")), "{shares:?}");
}

#[test]
fn everything_happens_on_working_days_in_business_hours_and_in_order() {
    let script = script(4);
    assert!(script.is_sorted_by_key(|cue| cue.at));
    for Cue { at, .. } in &script {
        assert!(at.day % 7 < 5 && at.day <= LAST_DAY, "{at:?}");
        assert!((8 * 60..18 * 60).contains(&at.minute), "{at:?}");
    }
}

#[test]
fn a_pass_is_spent_after_it_was_given_and_never_twice_without_a_void() {
    let script = script(5);
    let mut given: BTreeSet<i32> = BTreeSet::new();
    let mut spent: BTreeSet<PassNumber> = BTreeSet::new();
    for cue in &script {
        match &cue.what {
            Event::HandOver(gift) if gift.refusal.is_none() => {
                assert!(given.insert(gift.booklet.get()));
            }
            Event::Present(presented) if presented.refusal.is_none() => {
                assert!(
                    given.contains(&((presented.pass.get() - 1) / BOOKLET_SIZE + 1)),
                    "{presented:?}"
                );
                assert!(spent.insert(presented.pass), "{presented:?}");
                assert!(matches!(presented.at, At::Counter(_)));
            }
            Event::Void(redemption, _) => assert!(spent.remove(&redemption.pass)),
            _ => {}
        }
    }
}

#[test]
fn the_script_holds_every_kind_of_slip() {
    let script = script(6);
    let mut refusals: BTreeSet<&str> = BTreeSet::new();
    for cue in &script {
        match &cue.what {
            Event::HandOver(gift) => refusals.extend(gift.refusal),
            Event::Present(presented) => refusals.extend(presented.refusal),
            _ => {}
        }
    }
    let expected = [
        "already_redeemed",
        "entitlement_used",
        "not_eligible",
        "out_of_territory",
        "unknown_pass",
    ];
    assert_eq!(refusals, BTreeSet::from(expected));
    assert!(script.iter().any(|cue| matches!(cue.what, Event::Void(..))));
    assert!(script.iter().any(|cue| matches!(cue.what, Event::Count(_, Some(_)))));
}

#[test]
fn shares_add_up_to_the_whole() {
    assert_eq!(apportion(10, &[1, 1, 1]), [4, 3, 3]);
    assert_eq!(apportion(7, &[0, 5]), [0, 7]);
    assert_eq!(apportion(0, &[3, 1]), [0, 0]);
    assert_eq!(apportion(3, &[]), Vec::<i32>::new());
    let weights = [2_600_000, 1_460_000, 830_000, 570_000, 520_000];
    assert_eq!(apportion(3_833, &weights).iter().sum::<i32>(), 3_833);
}
