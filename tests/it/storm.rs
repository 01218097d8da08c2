//! A storm of clients on several service processes: every pass is wanted by some at once, each of them
//! through another process, and many click twice.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use souche::db::{Clock, Db};
use souche::domain::account::AccountKind;
use souche::domain::seeded::Seeded;
use souche::ledger::verify::Books;

use crate::support::api::Answer;
use crate::support::at_once::{at_once, work};
use crate::support::database::TestDatabase;
use crate::support::processes::{Ask, Client, Fleet, Home, note, seed};
use crate::support::region::{Counter, Region};
use crate::support::sql::Sql;

const PROCESSES: usize = 4;
/// Of ten passes each.
const BOOKLETS: i32 = 30;
/// Passes that are stormed at the same time.
const LANES: usize = 3;
/// How long a client insists when it is told to come back.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request, and the process that it goes to.
struct Click {
    ask: Ask,
    to: usize,
}

#[test]
fn in_a_storm_on_four_processes_every_pass_is_paid_once_and_a_double_click_is_told_alike() {
    let database = TestDatabase::new();
    let home = Home::new("storm");
    let db = Db::new(&database.service_url(), 4, Clock::System);
    let region = Region::with_booklets_handed_over(&db, &home.keys(), BOOKLETS);
    let fleet = Fleet::start(&home, database.service_url(), PROCESSES);
    let storm = Storm::new(&region, &fleet);
    let passes: Vec<i32> = region.codes.keys().copied().collect();

    let mut drawn = Seeded::new(seed());
    let clicks: Vec<_> = passes.iter().map(|pass| storm.clicks_on(*pass, &mut drawn)).collect();
    let begun = Instant::now();
    let sent: usize = clicks.iter().map(Vec::len).sum();
    thread::scope(|scope| {
        for lane in 0..LANES {
            let (storm, clicks) = (&storm, &clicks);
            scope.spawn(move || {
                clicks.iter().skip(lane).step_by(LANES).for_each(|clicks| storm.break_on(clicks));
            });
        }
    });
    note(&format!("{sent} requests for {} passes in {:?}", passes.len(), begun.elapsed()));

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

    /// Three to eight clients, half of whom click twice, on two processes.
    fn clicks_on(&self, pass: i32, drawn: &mut Seeded) -> Vec<Click> {
        let mut clicks = Vec::new();
        for client in 0..3 + drawn.index(6) {
            let (at, token) = &self.counters[drawn.index(self.counters.len())];
            let ask = Ask::new(self.region, pass, at, token, format!("storm-{pass}-{client}"));
            let to = drawn.index(PROCESSES);
            if drawn.index(2) == 0 {
                let other = (to + 1 + drawn.index(PROCESSES - 1)) % PROCESSES;
                clicks.push(Click { ask: ask.clone(), to: other });
            }
            clicks.push(Click { ask, to });
        }
        drawn.shuffle(&mut clicks);
        clicks
    }

    /// Sends all at once, and judges what was answered.
    fn break_on(&self, clicks: &[Click]) {
        let works = clicks.iter().map(|click| work(|| self.insist(click)));
        let answers = at_once(works.collect());
        let mut told: BTreeMap<&str, &Answer> = BTreeMap::new();
        for (click, answer) in clicks.iter().zip(&answers) {
            let first = told.entry(&click.ask.key).or_insert(answer);
            assert_eq!(*first, answer, "two clicks under {}", click.ask.key);
        }
        let (granted, refused): (Vec<&Answer>, Vec<&Answer>) =
            told.values().partition(|answer| answer.status == 201);
        assert_eq!(granted.len(), 1, "{told:#?}");
        for answer in refused {
            assert_eq!(answer.problem(409), "already_redeemed");
        }
    }

    /// Sends the same again as long as the service says that it is too busy.
    fn insist(&self, click: &Click) -> Answer {
        let begun = Instant::now();
        loop {
            let answer =
                self.client.redeem(self.fleet.address(click.to), &click.ask).expect("an answer");
            if answer.status != 503 {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "still busy: {}", answer.text);
        }
    }
}
