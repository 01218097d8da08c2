//! A storm of clients on several service processes: every pass is wanted by some at once, each of them
//! through another process, many click twice, and some are devices that ask for several passes in one batch.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use souche::db::{Clock, Db};
use souche::domain::account::AccountKind;
use souche::domain::seeded::Seeded;
use souche::ledger::verify::Books;

use crate::support::at_once::{at_once, work};
use crate::support::database::TestDatabase;
use crate::support::processes::{Ask, Client, Fleet, Home, note, seed};
use crate::support::region::{Counter, Region};
use crate::support::sql::Sql;

const PROCESSES: usize = 8;
/// Of ten passes each.
const BOOKLETS: i32 = 200;
/// Passes that are wanted at the same time by the same clients, some of whom ask for all of them in one batch.
const TOGETHER: usize = 4;
/// Such groups that are stormed at the same time.
const LANES: usize = 3;
/// How long a client insists when it is told to come back.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request for some passes, each under a key of its own, and the process that it goes to. One pass is asked for
/// alone, more in a batch.
struct Click {
    asks: Vec<Ask>,
    to: usize,
}

/// What was answered to a key: the status, and the receipt or the problem.
type Told = BTreeMap<String, (u16, Value)>;

#[test]
fn in_a_storm_on_eight_processes_every_pass_is_paid_once_and_a_double_click_is_told_alike() {
    let database = TestDatabase::new();
    let home = Home::new("storm");
    let db = Db::new(&database.service_url(), 4, Clock::System);
    let region = Region::with_booklets_handed_over(&db, &home.keys(), BOOKLETS);
    let fleet = Fleet::start(&home, database.service_url(), PROCESSES);
    let storm = Storm::new(&region, &fleet);
    let passes: Vec<i32> = region.codes.keys().copied().collect();

    let mut drawn = Seeded::new(seed());
    let clicks: Vec<_> =
        passes.chunks(TOGETHER).map(|passes| storm.clicks_on(passes, &mut drawn)).collect();
    let begun = Instant::now();
    let sent: usize = clicks.iter().map(Vec::len).sum();
    let asked: usize = clicks.iter().flatten().map(|click| click.asks.len()).sum();
    thread::scope(|scope| {
        for lane in 0..LANES {
            let (storm, clicks) = (&storm, &clicks);
            scope.spawn(move || {
                clicks.iter().skip(lane).step_by(LANES).for_each(|clicks| storm.break_on(clicks));
            });
        }
    });
    let took = begun.elapsed();
    note(&format!("{asked} asked in {sent} requests for {} passes in {took:?}", passes.len()));

    let mut sql = Sql::open(&database.superuser_url()).speaking_for(region.programme);
    let stored = sql.column("SELECT pass FROM redemptions ORDER BY pass");
    assert_eq!(stored, passes.iter().map(ToString::to_string).collect::<Vec<_>>());
    let payable = region.does(|tx| Ok(Books::read(tx)?.credit(AccountKind::Payable))).unwrap();
    assert_eq!(payable, 1_000 * i64::try_from(passes.len()).unwrap());
    region.books_hold();
    fleet.assert_faultless();
}

struct Storm<'s> {
    region: &'s Region,
    fleet: &'s Fleet<'s>,
    client: Client,
    /// Counters, and the token of who answers for each.
    counters: [(&'s Counter, String); 3],
}

impl<'s> Storm<'s> {
    fn new(region: &'s Region, fleet: &'s Fleet<'s>) -> Self {
        let client = Client::new();
        // Signed in at one process, known to all: they share their keys.
        let token = |n: usize, name: &str| client.sign_in(fleet.address(n), name);
        let counters = [
            (&region.fourmies, token(0, "fourmies")),
            (&region.avesnes, token(1, "avesnes")),
            (&region.hirson, token(2, "hirson")),
        ];
        Self { region, fleet, client, counters }
    }

    /// Three to eight clients for every pass, half of whom click twice, on two processes. One client in six is a
    /// device, which asks for all the passes in one batch, in the other order.
    fn clicks_on(&self, passes: &[i32], drawn: &mut Seeded) -> Vec<Click> {
        let mut clicks = Vec::new();
        let clients = 3 + drawn.index(6);
        for client in 0..clients {
            let (at, token) = &self.counters[drawn.index(self.counters.len())];
            let mut asks: Vec<Ask> = passes
                .iter()
                .map(|pass| {
                    Ask::new(self.region, *pass, at, token, format!("storm-{pass}-{client}"))
                })
                .collect();
            if drawn.index(6) == 0 {
                asks.reverse();
                click(asks, &mut clicks, drawn);
            } else {
                for ask in asks {
                    click(vec![ask], &mut clicks, drawn);
                }
            }
        }
        drawn.shuffle(&mut clicks);
        clicks
    }

    /// Sends all at once, and judges what was answered.
    fn break_on(&self, clicks: &[Click]) {
        let works = clicks.iter().map(|click| work(|| self.insist(click)));
        let mut told = Told::new();
        for (key, answer) in at_once(works.collect()).into_iter().flatten() {
            let first = told.entry(key.clone()).or_insert_with(|| answer.clone());
            assert_eq!(*first, answer, "two clicks under {key}");
        }
        let mut granted: BTreeMap<&str, usize> = BTreeMap::new();
        for (key, (status, answer)) in &told {
            let pass = key.split('-').nth(1).unwrap();
            let of_pass = granted.entry(pass).or_default();
            if *status == 201 {
                *of_pass += 1;
            } else {
                assert_eq!((*status, &answer["code"]), (409, &"already_redeemed".into()));
            }
        }
        assert!(granted.values().all(|granted| *granted == 1), "{told:#?}");
    }

    /// Sends the same again as long as the service says of any of it that it is too busy.
    fn insist(&self, click: &Click) -> Told {
        let begun = Instant::now();
        loop {
            let told = self.send(click);
            if told.values().all(|(status, _)| *status != 503) {
                return told;
            }
            assert!(begun.elapsed() < PATIENCE, "still busy: {told:#?}");
        }
    }

    fn send(&self, click: &Click) -> Told {
        let to = self.fleet.address(click.to);
        if let [ask] = &click.asks[..] {
            let answer = self.client.redeem(to, ask).expect("an answer");
            return [(ask.key.clone(), (answer.status, answer.json()))].into();
        }
        let answer = self.client.redeem_all(to, &click.asks).expect("an answer").ok();
        let items = answer["items"].as_array().unwrap();
        assert_eq!(items.len(), click.asks.len());
        let told = click.asks.iter().zip(items).map(|(ask, item)| {
            assert_eq!(item["key"], ask.key);
            let status = u16::try_from(item["status"].as_u64().unwrap()).unwrap();
            let body = if status == 201 { &item["redemption"] } else { &item["problem"] };
            (ask.key.clone(), (status, body.clone()))
        });
        told.collect()
    }
}

/// Once, or twice on two processes.
fn click(asks: Vec<Ask>, clicks: &mut Vec<Click>, drawn: &mut Seeded) {
    let to = drawn.index(PROCESSES);
    if drawn.index(2) == 0 {
        let other = (to + 1 + drawn.index(PROCESSES - 1)) % PROCESSES;
        clicks.push(Click { asks: asks.clone(), to: other });
    }
    clicks.push(Click { asks, to });
}
