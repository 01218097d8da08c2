//! What people do at the same moment, by name. Threads are let go together by a barrier; whoever wins,
//! there is one winner, and the books hold.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use souche::app::order;
use souche::app::redemption::Writer;
use souche::db::Db;
use souche::domain::order::Quantity;
use souche::domain::{BusinessDate, Refusal};
use souche::error::{Error, Result};

use crate::support::at_once::{at_once, work};
use crate::support::region::{Region, fresh_key};
use crate::support::{Redeemed, World, refusal, told};

/// Threads that want the same thing.
const CROWD: usize = 50;
/// How often a race between a few is run again.
const RACES: i32 = 30;

type Told = Result<Redeemed, Refusal>;

fn crowd<T: Send>(each: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let each = &each;
    at_once((0..CROWD).map(|n| work(move || each(n))).collect())
}

/// One of them has the pass, all others know it.
fn assert_one_winner(region: &Region, answers: &[Told]) {
    let done = answers.iter().filter(|told| told.is_ok()).count();
    let refused =
        answers.iter().filter(|told| matches!(told, Err(Refusal::AlreadyRedeemed { .. }))).count();
    assert_eq!((done, refused), (1, CROWD - 1), "{answers:?}");
    let three_way = region.does(|tx| souche::app::report::three_way(tx, &region.auditor)).unwrap();
    assert_eq!(
        (three_way.redeemed_cents, three_way.waiting_cents, three_way.difference_cents),
        (1_000, 1_000, 0)
    );
    region.books_hold();
}

/// All are told of one redemption, by one receipt.
fn assert_one_receipt(world: &World, answers: &[Told]) {
    let first = &answers[0].as_ref().unwrap().receipt;
    assert!(answers.iter().all(|told| &told.as_ref().unwrap().receipt == first), "{answers:?}");
    assert_eq!(world.service().value("SELECT count(*) FROM redemptions"), "1");
    world.region.books_hold();
}

/// Sends a request from each of a crowd to one writer, and collects the answers.
fn through_a_writer(region: &Region, key_of: impl Fn(usize) -> String + Sync) -> Vec<Told> {
    let writer = Writer::start(&region.db, &region.keys).unwrap();
    crowd(|n| {
        let (reply, replies) = channel();
        let ask = region.ask(&region.fourmies, region.code(1), &key_of(n));
        writer.submit(ask, move |outcome| reply.send(told(outcome.unwrap())).unwrap()).unwrap();
        replies.recv().unwrap()
    })
}

#[test]
fn a_pass_redeemed_by_fifty_at_once_is_paid_once() {
    let world = World::new();
    let region = &world.region;
    let sites = [&region.fourmies, &region.avesnes, &region.hirson];
    let answers = crowd(|n| region.redeems(sites[n % 3], 1));
    assert_one_winner(region, &answers);
}

#[test]
fn a_pass_redeemed_by_fifty_at_once_through_a_writer_is_paid_once() {
    let world = World::new();
    let answers = through_a_writer(&world.region, |_| fresh_key());
    assert_one_winner(&world.region, &answers);
}

#[test]
fn a_request_sent_fifty_times_at_once_is_done_once_and_told_alike() {
    let world = World::new();
    let region = &world.region;
    let answers = crowd(|_| region.redeems_under(&region.fourmies, 1, "k-1"));
    assert_one_receipt(&world, &answers);
}

#[test]
fn a_request_sent_fifty_times_at_once_through_a_writer_is_done_once_and_told_alike() {
    let world = World::new();
    let answers = through_a_writer(&world.region, |_| "k-1".into());
    assert_one_receipt(&world, &answers);
}

#[test]
fn two_writers_share_the_passes_and_no_pass_is_paid_twice() {
    let world = World::new();
    let region = &world.region;
    let writers = [0, 1].map(|_| Writer::start(&region.db, &region.keys).unwrap());
    let answers = crowd(|n| {
        let (reply, replies) = channel();
        // Every pass of two booklets is asked for by two or three, in opposite orders.
        let pass = if n % 2 == 0 { 1 + n % 20 } else { 20 - n % 20 };
        let ask =
            region.ask(&region.fourmies, region.code(i32::try_from(pass).unwrap()), &fresh_key());
        writers[n % 2]
            .submit(ask, move |outcome| reply.send(told(outcome.unwrap())).unwrap())
            .unwrap();
        (pass, replies.recv().unwrap())
    });
    let asked: std::collections::BTreeSet<_> = answers.iter().map(|(pass, _)| *pass).collect();
    let done = answers.iter().filter(|(_, told)| told.is_ok()).count();
    assert_eq!(done, asked.len());
    assert!(
        answers
            .iter()
            .all(|(_, told)| matches!(told, Ok(_) | Err(Refusal::AlreadyRedeemed { .. }))),
        "{answers:?}"
    );
    region.books_hold();
}

#[test]
fn one_key_for_two_passes_at_once_redeems_one() {
    let world = World::new();
    let region = &world.region;
    for race in 1..=10 {
        let key = fresh_key();
        let works =
            vec![work(|| through(region, race, &key)), work(|| through(region, race + 10, &key))];
        let answers = at_once(works);
        let refused: Vec<_> = answers.iter().filter_map(|told| told.as_ref().err()).collect();
        assert_eq!(refused, [&Refusal::IdempotencyKeyReused], "{answers:?}");
    }
    region.books_hold();
}

/// Through a writer of one's own, as in a process of one's own.
fn through(region: &Region, pass: i32, key: &str) -> Told {
    let writer = Writer::start(&region.db, &region.keys).unwrap();
    let (reply, replies) = channel();
    writer
        .submit(region.ask(&region.fourmies, region.code(pass), key), move |outcome| {
            reply.send(outcome).unwrap();
        })
        .unwrap();
    told(replies.recv().unwrap().unwrap())
}

#[test]
fn a_full_queue_is_told_soon_that_the_database_is_away() {
    let region = &World::new().region;
    let nowhere = Db::new("postgresql:///nowhere?host=/nowhere", 1, region.db.clock().clone());
    let writer = Writer::start(&nowhere, &region.keys).unwrap();
    let (reply, replies) = channel();
    let begun = Instant::now();
    for _ in 0..2_000 {
        let (reply, ask) =
            (reply.clone(), region.ask(&region.fourmies, region.code(1), &fresh_key()));
        writer.submit(ask, move |outcome| reply.send(outcome).unwrap()).unwrap();
    }
    for outcome in replies.iter().take(2_000) {
        assert!(matches!(outcome, Err(Error::Busy(_))), "{outcome:?}");
    }
    // Batch by batch, each waiting for a connection, it would be 48 s.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[test]
fn a_void_and_a_settlement_of_one_redemption_have_one_winner() {
    let world = World::new();
    let region = &world.region;
    region.hands_over(3, "Ana").unwrap();
    let mut voided = 0;
    for pass in 1..=RACES {
        let yesterday = region.today();
        let redeemed = region.redeems(&region.fourmies, pass).unwrap();
        region.clock_is(region.today().end() + chrono::TimeDelta::hours(9));
        let works = vec![
            work(|| Race::of(region.voids(&region.fourmies, redeemed.id))),
            work(|| Race::of(region.prepares(yesterday))),
            work(|| Race::from(region.redeems(&region.avesnes, pass).map_err(Error::Refused))),
        ];
        let [void, prepare, again] = at_once(works)[..] else { unreachable!() };
        match (void, prepare) {
            (Race::Won, Race::Refused("nothing_to_pay")) => {
                voided += 1;
                // Redeemed again behind the void, or refused before it.
                assert!(
                    matches!(again, Race::Won | Race::Refused("already_redeemed")),
                    "{again:?}"
                );
                if again == Race::Won {
                    region.voids(&region.avesnes, format!("{pass:07}-2").parse().unwrap()).unwrap();
                }
            }
            (Race::Refused("already_settled"), Race::Won) => {
                assert_eq!(again, Race::Refused("already_redeemed"));
            }
            both => panic!("pass {pass}: {both:?}"),
        }
        region.books_hold();
    }
    let settled = world.service().value("SELECT count(*) FROM payout_items");
    assert_eq!(settled, (RACES - voided).to_string());
}

/// How one of several came out of a race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Race {
    Won,
    Refused(&'static str),
}

impl Race {
    pub fn of<T>(result: Result<T>) -> Self {
        match result {
            Ok(_) => Self::Won,
            refused => Self::Refused(refusal(refused)),
        }
    }
}

impl<T> From<Result<T>> for Race {
    fn from(result: Result<T>) -> Self {
        Self::of(result)
    }
}

/// Two do the same; how each came out, winner first.
pub fn two_at_once<T>(each: impl Fn(usize) -> Result<T> + Sync) -> [Race; 2] {
    let each = &each;
    let mut races = at_once([0, 1].map(|n| work(move || Race::of(each(n)))).into());
    races.sort_by_key(|race| *race != Race::Won);
    [races[0], races[1]]
}

#[test]
fn a_redemption_and_its_void_at_once_leave_one_story() {
    let world = World::new();
    let region = &world.region;
    for pass in 1..=20 {
        let redeemed = region.redeems(&region.fourmies, pass).unwrap();
        let races = two_at_once(|_| region.voids(&region.fourmies, redeemed.id));
        assert_eq!(races, [Race::Won, Race::Refused("already_voided")]);
    }
    region.books_hold();
}

#[test]
fn one_booklet_is_handed_over_to_one_of_two_persons() {
    let world = World::new();
    let region = &world.region;
    for booklet in [3, 4, 5] {
        let people = [format!("Ana {booklet}"), format!("Bea {booklet}")];
        let races = two_at_once(|n| region.hands_over(booklet, &people[n]));
        assert_eq!(races, [Race::Won, Race::Refused("booklet_not_held")]);
    }
    assert_eq!(
        world.service().value("SELECT count(*) FROM beneficiaries"),
        "5",
        "who received nothing is not kept"
    );
    region.books_hold();
}

#[test]
fn two_hand_overs_to_one_person_at_once_stay_within_the_limit() {
    let mut world = World::new();
    let first = world.region.stocks(20, "2026-12-31");
    let region = &world.region;
    for race in 0..10 {
        let name = format!("Ana {race}");
        let races =
            two_at_once(|n| region.hands_over(first + 2 * race + i32::try_from(n).unwrap(), &name));
        assert_eq!(races, [Race::Won, Race::Refused("entitlement_used")]);
    }
    let most = world.service().value("SELECT max(passes_received) FROM beneficiaries");
    assert_eq!(most, "10");
    region.books_hold();
}

#[test]
fn two_settlements_prepared_at_once_pay_nothing_twice() {
    let world = World::new();
    let region = &world.region;
    for pass in 1..=20 {
        let at = if pass % 2 == 0 { &region.fourmies } else { &region.avesnes };
        region.redeems(at, pass).unwrap();
        let yesterday = region.today();
        region.clock_is(region.today().end() + chrono::TimeDelta::hours(9));
        let races = two_at_once(|_| region.prepares(yesterday));
        assert_eq!(races, [Race::Won, Race::Refused("nothing_to_pay")]);
    }
    let service = &mut world.service();
    assert_eq!(service.value("SELECT count(*) FROM payout_items"), "20");
    assert_eq!(
        service.value("SELECT string_agg(number::text, ',' ORDER BY number) FROM settlements"),
        numbers(20),
        "no number is lost"
    );
    region.books_hold();
}

fn numbers(n: i32) -> String {
    (1..=n).map(|number| number.to_string()).collect::<Vec<_>>().join(",")
}

#[test]
fn one_settlement_is_approved_and_confirmed_once() {
    let world = World::new();
    let region = &world.region;
    region.redeems(&region.fourmies, 1).unwrap();
    let yesterday: BusinessDate = region.today();
    region.clock_shows("2026-03-03T09:00:00Z");
    let settlement = region.prepares(yesterday).unwrap().settlement.number;
    let lost = Race::Refused("wrong_state");
    assert_eq!(two_at_once(|_| region.approves(settlement)), [Race::Won, lost]);
    assert_eq!(two_at_once(|_| region.declares_execution(settlement)), [Race::Won, lost]);
    assert_eq!(two_at_once(|_| region.confirms_execution(settlement)), [Race::Won, lost]);
    region.books_hold();
}

#[test]
fn one_order_is_minted_funded_and_printed_once() {
    let world = World::new();
    let region = &world.region;
    let order = region.orders(Quantity { booklets_of_10: 2, booklets_of_5: 0 }, "2026-12-31");
    let lost = Race::Refused("wrong_state");
    assert_eq!(
        two_at_once(|_| region.does(|tx| order::mint(tx, &region.admin, &region.keys, order))),
        [Race::Won, lost]
    );
    assert_eq!(two_at_once(|_| region.funds(order)), [Race::Won, lost]);
    let count = order::PrintCount { booklets: 2 };
    assert_eq!(
        two_at_once(|_| region.does(|tx| order::confirm_print(tx, &region.admin, order, count))),
        [Race::Won, lost]
    );
    assert_eq!(world.service().value("SELECT count(*) FROM passes"), "80");
    region.books_hold();
}

#[test]
fn one_booklet_is_sent_and_counted_once() {
    let world = World::new();
    let region = &world.region;
    let races = two_at_once(|_| region.delivers(6, 6));
    assert_eq!(races, [Race::Won, Race::Refused("booklet_not_held")]);
    region.books_hold();
}

#[test]
fn numbers_taken_at_once_leave_no_gap() {
    let mut world = World::new();
    let first = world.region.stocks(20, "2026-12-31");
    let region = &world.region;
    let works = (0..20).map(|n| {
        // Every third is for somebody who has had enough: its number goes back.
        let name = if n % 3 == 0 { "Jeanne".to_owned() } else { format!("Ana {n}") };
        work(move || Race::of(region.hands_over(first + n, &name)))
    });
    let races = at_once(works.collect());
    let won = races.iter().filter(|race| **race == Race::Won).count();
    assert_eq!(won, 13, "{races:?}");
    let given = world
        .service()
        .value("SELECT string_agg(number::text, ',' ORDER BY number) FROM hand_overs");
    assert_eq!(given, numbers(15));
    region.books_hold();
}
