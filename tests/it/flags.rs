//! What looks odd is flagged before it is paid, explained, and decided by a person; its neighbours are paid.

use chrono::TimeDelta;
use souche::app::flag;
use souche::app::redemption::totals;
use souche::app::settlement::{ExclusionReason, dry_run};
use souche::domain::flag::{FlagKind, Outcome};
use souche::domain::{BusinessDate, FlagId};

use crate::support::region::{Counter, Region};
use crate::support::{World, day, line, refusal};

/// Sets the clock to the morning after, and returns the day that is over.
fn tomorrow(region: &Region) -> BusinessDate {
    let yesterday = region.today();
    region.clock_is(yesterday.end() + TimeDelta::hours(9));
    yesterday
}

/// Redeems passes one after the other, so many minutes apart.
fn uses(region: &Region, at: &Counter, passes: std::ops::RangeInclusive<i32>, minutes: i64) {
    for pass in passes {
        region.redeems(at, pass).unwrap();
        region.clock_is(region.now() + TimeDelta::minutes(minutes));
    }
}

/// Kind, passes and explanation of each flag, as the operator sees them.
fn flags(region: &Region) -> Vec<(FlagKind, Vec<i32>, String)> {
    let all = region.flags(&region.admin).into_iter();
    all.map(|flag| {
        let passes = flag.passes.iter().map(|pass| pass.get()).collect();
        (flag.kind, passes, flag.explanation)
    })
    .collect()
}

/// The only flag there is, once scanned; a second scan finds nothing new.
#[track_caller]
fn only_flag(region: &Region) -> (FlagKind, Vec<i32>, String) {
    assert_eq!(region.scans().len(), 1);
    assert_eq!(region.scans(), []);
    flags(region).remove(0)
}

/// Four passes used at night at Fourmies, one in the morning there and one at Avesnes; then the day is over.
fn after_an_odd_night(region: &Region) -> BusinessDate {
    region.clock_shows("2026-03-02T21:30:00Z");
    uses(region, &region.fourmies, 1..=4, 10);
    region.clock_shows("2026-03-03T08:00:00Z");
    region.redeems(&region.fourmies, 5).unwrap();
    region.redeems(&region.avesnes, 11).unwrap();
    tomorrow(region)
}

#[test]
fn a_booklet_used_up_within_a_minute_is_flagged() {
    let world = World::new();
    let region = &world.region;
    uses(region, &region.fourmies, 1..=9, 0);
    assert_eq!(region.scans(), [], "nine of ten");
    region.redeems(&region.fourmies, 10).unwrap();
    let (kind, passes, explanation) = only_flag(region);
    assert_eq!((kind, passes), (FlagKind::WholeBookletAtOnce, (1..=10).collect()));
    assert_eq!(
        explanation,
        "Les 10 pass du carnet 00001 ont été utilisés ici en 60 secondes au plus, le 02/03/2026 à 10 h 00."
    );
    region.books_hold();
}

#[test]
fn a_morning_s_workshop_is_normal_work() {
    let mut world = World::new();
    let first = world.region.stocks(10, "2026-12-31");
    let region = &world.region;
    for n in 0..10 {
        region.hands_over(first + n, &format!("Ana {n}")).unwrap();
    }
    region.clock_is(region.now() + TimeDelta::hours(1));
    // Ten people, one pass each, one after the other and at once.
    for n in 0..10 {
        region.redeems(&region.fourmies, 61 + 10 * n).unwrap();
    }
    // And one person who comes ten times.
    uses(region, &region.avesnes, 1..=10, 60 * 24);
    assert_eq!(region.scans(), []);
}

#[test]
fn a_first_use_minutes_after_the_hand_over_is_flagged() {
    let world = World::new();
    let region = &world.region;
    region.hands_over(3, "Ana").unwrap();
    region.clock_is(region.now() + TimeDelta::minutes(4));
    region.redeems(&region.fourmies, 21).unwrap();
    region.clock_is(region.now() + TimeDelta::minutes(30));
    region.redeems(&region.fourmies, 22).unwrap();
    let (kind, passes, explanation) = only_flag(region);
    assert_eq!((kind, passes), (FlagKind::UsedSoonAfterHandOver, vec![21]));
    assert!(explanation.contains("faite le 02/03/2026 à 10 h 00"), "{explanation}");
    assert!(explanation.contains("le premier le 02/03/2026 à 10 h 04"), "{explanation}");
    region.books_hold();
}

#[test]
fn more_in_a_day_than_the_site_declares_is_flagged_beyond_that() {
    let world = World::new();
    let region = &world.region;
    region.declares_capacity(&region.fourmies, Some(3));
    uses(region, &region.fourmies, 1..=3, 5);
    uses(region, &region.avesnes, 11..=15, 5);
    assert_eq!(region.scans(), []);
    uses(region, &region.fourmies, 4..=5, 5);
    let (kind, passes, explanation) = only_flag(region);
    assert_eq!((kind, passes), (FlagKind::BeyondCapacity, vec![4, 5]));
    assert!(explanation.starts_with("5 pass ont été utilisés ici le 02/03/2026"), "{explanation}");
    // Later that day.
    region.redeems(&region.fourmies, 6).unwrap();
    assert_eq!(region.scans().len(), 1);
    assert_eq!(flags(region)[1].1, [6]);
}

#[test]
fn uses_at_night_are_flagged_when_they_are_several() {
    let world = World::new();
    let region = &world.region;
    region.clock_shows("2026-03-28T21:59:00Z");
    uses(region, &region.avesnes, 11..=12, 1);
    // Over midnight, in the night when clocks go forward.
    uses(region, &region.fourmies, 1..=2, 60);
    region.clock_shows("2026-03-29T03:59:00Z");
    region.redeems(&region.fourmies, 3).unwrap();
    region.clock_shows("2026-03-29T04:00:00Z");
    region.redeems(&region.fourmies, 4).unwrap();
    let (kind, passes, explanation) = only_flag(region);
    assert_eq!((kind, passes), (FlagKind::NightHours, vec![1, 2, 3]));
    assert!(explanation.ends_with("au 29/03/2026 à 05 h 59."), "{explanation}");
}

#[test]
fn a_site_that_lives_of_one_prescriber_is_flagged_and_once_answered_left_alone() {
    let mut world = World::new();
    let first = world.region.stocks(9, "2026-12-31");
    let region = &world.region;
    for n in 0..9 {
        region.hands_over(first + n, &format!("Ana {n}")).unwrap();
    }
    region.clock_is(region.now() + TimeDelta::hours(1));
    uses(region, &region.fourmies, 61..=109, 60);
    // The days went by, and some of it is paid: it counts all the same.
    region.clock_shows("2026-03-20T09:00:00Z");
    let nights: Vec<FlagId> = region.scans();
    for night in nights {
        region.decides(night, Outcome::Released).unwrap();
    }
    region.pays(day("2026-03-19"));
    region.redeems(&region.fourmies, 110).unwrap();
    let raised = region.scans();
    assert_eq!(raised.len(), 1);
    let last = flags(region).pop().unwrap();
    assert_eq!((last.0, last.1), (FlagKind::OnePrescriberFeedsOneSite, vec![110]));
    assert!(
        last.2.starts_with("50 des 50 pass") && last.2.contains("Mission locale"),
        "{}",
        last.2
    );
    region.decides(raised[0], Outcome::Released).unwrap();
    region.redeems(&region.fourmies, 111).unwrap();
    assert_eq!(region.scans(), [], "answered");
    region.books_hold();
}

#[test]
fn a_flag_holds_its_passes_and_their_neighbours_are_paid() {
    let world = World::new();
    let region = &world.region;
    let yesterday = after_an_odd_night(region);
    let run = region.does(|tx| dry_run(tx, &region.accountant, yesterday)).unwrap();
    assert_eq!(run.payable.amount_cents, 2_000);
    let [held] = &run.exclusions[..] else { panic!("{run:?}") };
    assert_eq!((held.reason, held.items), (ExclusionReason::HeldByFlag, 4));
    assert_eq!((run.would_flag.len(), run.would_flag[0].items), (1, 4));
    assert_eq!(region.flags(&region.admin).len(), 0, "a dry run writes nothing");

    // Nobody scanned: the settlement does.
    region.pays(yesterday);
    let service = &mut world.service();
    let paid = service.column("SELECT pass FROM payout_items ORDER BY pass");
    assert_eq!(paid, ["5", "11"]);
    let own = region.flags(&region.fourmies.manager);
    assert_eq!((own.len(), own[0].passes.len()), (1, 4));
    assert_eq!(region.flags(&region.avesnes.manager).len(), 0, "another's");
    assert_eq!(region.flags(&region.mediator).len(), 1);
    let totals = region.does(|tx| totals(tx, &region.mediator)).unwrap().remove(0);
    assert_eq!((totals.redeemed, totals.held, totals.paid), (5, 4, 1));
    assert_eq!(refusal(region.prepares(yesterday).map(drop)), "nothing_to_pay");
    region.books_hold();
}

#[test]
fn what_is_released_is_paid_and_what_is_upheld_is_not() {
    let world = World::new();
    let region = &world.region;
    let yesterday = after_an_odd_night(region);
    region.pays(yesterday);
    region.clock_shows("2026-03-04T21:30:00Z");
    uses(region, &region.fourmies, 6..=8, 10);
    let yesterday = tomorrow(region);
    let second = region.scans();
    let first = region.flags(&region.admin)[0].number;
    region.decides(first, Outcome::Released).unwrap();
    region.decides(second[0], Outcome::Upheld).unwrap();
    let payouts = region.prepares(yesterday).unwrap().payouts;
    assert_eq!((payouts.len(), payouts[0].items), (1, 4));
    assert_eq!(refusal(region.prepares(yesterday).map(drop)), "nothing_to_pay");
    // The way out of an upheld one.
    region.voids(&region.fourmies, "0000006-1".parse().unwrap()).unwrap();
    region.books_hold();
}

#[test]
fn a_decision_is_taken_once_by_the_operator_and_gives_a_reason() {
    let world = World::new();
    let region = &world.region;
    after_an_odd_night(region);
    let number = region.scans()[0];
    let new = flag::NewDecision { outcome: Outcome::Released, reason: line("x") };
    for other in [region.accountant, region.fourmies.manager, region.mediator, region.auditor] {
        assert_eq!(
            refusal(region.does(|tx| flag::decide(tx, &other, number, &new))),
            "not_allowed"
        );
    }
    assert_eq!(refusal(region.decides(FlagId::new(9), Outcome::Upheld)), "not_found");
    assert_eq!(refusal(world.neighbour.decides(number, Outcome::Upheld)), "not_found");
    let decided = region.decides(number, Outcome::Upheld).unwrap();
    assert_eq!(decided.reason.as_deref(), Some("le lieu a été entendu"));
    assert_eq!(refusal(region.decides(number, Outcome::Released)), "wrong_state");
}
