//! What survives when services and PostgreSQL end under load, without warning: all that was acknowledged,
//! once, and nothing that nobody asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use souche::app::report;
use souche::db::{Clock, Db};
use souche::domain::seeded::Seeded;
use souche::postgres::{DatabaseRole, Durability, Server};

use crate::support::at_once::{at_once, work};
use crate::support::processes::{Ask, Client, Fleet, Home, note, seed};
use crate::support::region::Region;
use crate::support::sql::Sql;

const SERVICES: usize = 2;
const CLIENTS: usize = 6;
/// What a round spends: most by the clients, the last by who strikes.
const PASSES_PER_ROUND: usize = 60;
const PASSES_OF_STRIKER: usize = 2 * SERVICES;
/// How soon a service works again once PostgreSQL is back.
const RECOVERY: Duration = Duration::from_secs(5);
/// How long anybody waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a client whose request failed waits before it sends it again.
const PAUSE: Duration = Duration::from_millis(20);

/// How PostgreSQL ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// And started again at once.
    Killed,
    /// And away for long enough that the services are asked what they make of it.
    KilledForLong,
    /// As when it is updated: sessions are told, and cut.
    ShutDown,
}

/// Who ends at the same moment.
#[derive(Debug)]
struct Blow {
    services: &'static [usize],
    postgresql: Option<End>,
}

const BLOWS: [Blow; 6] = [
    Blow { services: &[0], postgresql: None },
    Blow { services: &[], postgresql: Some(End::KilledForLong) },
    Blow { services: &[1], postgresql: Some(End::Killed) },
    Blow { services: &[], postgresql: Some(End::ShutDown) },
    Blow { services: &[0, 1], postgresql: None },
    Blow { services: &[0, 1], postgresql: Some(End::Killed) },
];

#[test]
fn what_was_acknowledged_survives_every_crash_once_and_nothing_else_does() {
    let home = Home::new("crash");
    let mut server = Server::start(&home.path().join("postgres"), Durability::Durable).unwrap();
    server.ensure_database("souche").unwrap();
    souche::db::migrate(&server.url(DatabaseRole::Owner, "souche")).unwrap();
    let url = server.url(DatabaseRole::Service, "souche");
    let db = Db::new(&url, 2, Clock::System);
    let booklets = i32::try_from(BLOWS.len() * PASSES_PER_ROUND / 10).unwrap();
    let region = Region::with_booklets_handed_over(&db, &home.keys(), booklets);
    let fleet = Fleet::start(&home, url, SERVICES);
    let story = Story::new(&region, &fleet);

    let passes: Vec<i32> = region.codes.keys().copied().collect();
    let mut drawn = Seeded::new(seed());
    for (blow, passes) in BLOWS.iter().zip(passes.chunks_exact(PASSES_PER_ROUND)) {
        story.round(blow, &mut server, passes, &mut drawn);
    }

    let mut sql = Sql::open(&server.url(DatabaseRole::Superuser, "souche"));
    story.assert_kept(&stored(&mut sql));
    story.assert_told_again(&passes, &stored(&mut sql));
    assert_eq!(stored(&mut sql).len(), passes.len());
    let three_way = region.does(|tx| report::three_way(tx, &region.auditor)).unwrap();
    let worth = 1_000 * i64::try_from(passes.len()).unwrap();
    assert_eq!((three_way.waiting_cents, three_way.difference_cents), (worth, 0));
    region.books_hold();
    fleet.assert_faultless();
}

/// The receipt of every redemption that is stored; fails when a pass has two.
fn stored(sql: &mut Sql) -> BTreeMap<i32, String> {
    let passes = sql.column("SELECT pass FROM redemptions ORDER BY pass");
    let receipts = sql.column(
        "SELECT receipt FROM redemptions r JOIN entries e ON (e.programme_id, e.id) = (r.programme_id, r.entry_id) ORDER BY r.pass",
    );
    let stored: BTreeMap<i32, String> =
        passes.iter().map(|pass| pass.parse().unwrap()).zip(receipts).collect();
    assert_eq!(stored.len(), passes.len(), "a pass is stored twice: {passes:?}");
    stored
}

/// What clients were told.
#[derive(Debug, Default)]
struct Told {
    /// The body of every 201, by pass.
    granted: BTreeMap<i32, String>,
    /// Passes asked for once, and told that nothing was written.
    unwritten: BTreeSet<i32>,
    /// How often each status came; 0 when there was no answer.
    statuses: BTreeMap<u16, usize>,
}

/// Services under load, and what their clients saw.
struct Story<'s> {
    region: &'s Region,
    fleet: &'s Fleet<'s>,
    client: Client,
    token: String,
    told: Mutex<Told>,
    changed: Condvar,
}

impl<'s> Story<'s> {
    fn new(region: &'s Region, fleet: &'s Fleet<'s>) -> Self {
        let client = Client::new();
        let token = client.sign_in(fleet.address(0), "fourmies");
        let (told, changed) = (Mutex::default(), Condvar::new());
        Self { region, fleet, client, token, told, changed }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap()
    }

    /// Clients spend passes; at a moment drawn, the blow falls; they go on until each is told.
    fn round(&self, blow: &Blow, server: &mut Server, passes: &[i32], drawn: &mut Seeded) {
        let (theirs, strikers) = passes.split_at(passes.len() - PASSES_OF_STRIKER);
        let granted_before = self.told().granted.len();
        let moment = granted_before + 5 + drawn.index(theirs.len() / 3);
        let begun = Instant::now();
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                scope.spawn(move || {
                    let own = theirs.iter().skip(client).step_by(CLIENTS);
                    own.for_each(|pass| self.wants(*pass, client));
                });
            }
            self.wait_until_granted(moment);
            self.strike(blow, server, strikers);
        });
        note(&format!(
            "{blow:?} after {} of {}: {:?}",
            moment - granted_before,
            theirs.len(),
            begun.elapsed()
        ));
        note(&format!("  told so far: {:?}", self.told().statuses));
    }

    /// A client wants a pass. One in three does not insist: what it was told first is all it knows.
    fn wants(&self, pass: i32, client: usize) {
        let begun = Instant::now();
        for attempt in 0.. {
            let status = self.asks(pass, (client + attempt) % SERVICES);
            if status == 201 {
                return;
            }
            if pass % 3 == 0 {
                if status == 503 {
                    self.told().unwritten.insert(pass);
                }
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "pass {pass} is told nothing but {status}");
            drop(self.changed.wait_timeout(self.told(), PAUSE).unwrap());
        }
    }

    /// Asks once; the status, or 0 when nobody answered.
    fn asks(&self, pass: i32, service: usize) -> u16 {
        let answer = self.client.redeem(self.fleet.address(service), &self.ask(pass)).ok();
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        let mut told = self.told();
        *told.statuses.entry(status).or_default() += 1;
        match answer {
            Some(answer) if status == 201 => {
                told.granted.insert(pass, answer.text);
                self.changed.notify_all();
            }
            Some(answer) => assert!([503, 504].contains(&status), "pass {pass}: {answer:?}"),
            None => {}
        }
        status
    }

    fn ask(&self, pass: i32) -> Ask {
        let key = format!("crash-{pass}");
        Ask::new(self.region, pass, &self.region.fourmies, &self.token, key)
    }

    fn wait_until_granted(&self, count: usize) {
        let is_early = |told: &mut Told| told.granted.len() < count;
        let (told, wait) =
            self.changed.wait_timeout_while(self.told(), PATIENCE, is_early).unwrap();
        assert!(!wait.timed_out(), "{:?}", told.statuses);
    }

    fn strike(&self, blow: &Blow, server: &mut Server, passes: &[i32]) {
        for n in blow.services {
            self.fleet.kill(*n);
        }
        let (for_outage, for_return) = passes.split_at(SERVICES);
        let survivors = || (0..SERVICES).filter(|n| !blow.services.contains(n));
        if let Some(end) = blow.postgresql {
            if end != End::ShutDown {
                server.kill().unwrap();
            }
            if end == End::KilledForLong {
                at_once(
                    survivors().map(|n| work(move || self.assert_away(n, for_outage[n]))).collect(),
                );
            }
            server.restart().unwrap();
            let back = Instant::now();
            let works =
                survivors().map(|n| work(move || self.assert_recovers(n, for_return[n], back)));
            at_once(works.collect());
        }
        for n in blow.services {
            self.fleet.restart(*n);
        }
    }

    /// While PostgreSQL is away, a service says so, and what it refuses to do is not done.
    fn assert_away(&self, service: usize, pass: i32) {
        let to = self.fleet.address(service);
        let begun = Instant::now();
        at_once(vec![
            work(|| assert_eq!(self.client.get(to, "/live").unwrap().status, 204)),
            work(|| assert_eq!(self.client.get(to, "/ready").unwrap().problem(503), "busy")),
            work(|| {
                assert_eq!(self.asks(pass, service), 503);
                self.told().unwritten.insert(pass);
            }),
        ]);
        note(&format!("  service {service} said within {:?} that it can't work", begun.elapsed()));
    }

    /// Once PostgreSQL is back, a service that nobody restarted works again.
    fn assert_recovers(&self, service: usize, pass: i32, back: Instant) {
        while self.asks(pass, service) != 201 {
            assert!(back.elapsed() < RECOVERY, "service {service} does not recover");
        }
        let took = back.elapsed();
        note(&format!("  service {service} redeemed {took:?} after PostgreSQL's return"));
        assert!(took < RECOVERY, "service {service}: {took:?}");
    }

    /// All that was acknowledged is there, and nothing that was told not to be.
    fn assert_kept(&self, stored: &BTreeMap<i32, String>) {
        let told = self.told();
        let lost: Vec<_> = told.granted.keys().filter(|pass| !stored.contains_key(pass)).collect();
        assert!(lost.is_empty(), "acknowledged, and lost: {lost:?}");
        let false_news: Vec<_> =
            told.unwritten.iter().filter(|pass| stored.contains_key(pass)).collect();
        assert!(false_news.is_empty(), "told 503, and written: {false_news:?}");
        let unheard = stored.len() - told.granted.len();
        note(&format!("{} acknowledged, {unheard} stored and not heard of", told.granted.len()));
    }

    /// Asked again by every client, under its key and at any service: what was stored is told, in the same
    /// words as the first time.
    fn assert_told_again(&self, passes: &[i32], stored: &BTreeMap<i32, String>) {
        let told = self.told().granted.clone();
        let again = |pass: i32, service: usize| {
            let answer = self.client.redeem(self.fleet.address(service), &self.ask(pass)).unwrap();
            let receipt = answer.ok()["receipt"].as_str().unwrap().to_owned();
            assert_eq!(stored.get(&pass).unwrap_or(&receipt), &receipt);
            assert_eq!(told.get(&pass).unwrap_or(&answer.text), &answer.text);
        };
        let works = (0..CLIENTS).map(|client| {
            work(move || {
                let own = passes.iter().skip(client).step_by(CLIENTS);
                own.enumerate().for_each(|(n, pass)| again(*pass, n % SERVICES));
            })
        });
        at_once(works.collect());
    }
}
