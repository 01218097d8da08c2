//! PostgreSQL ends while a redemption stands still at a known moment: before COMMIT, within it, or after it
//! was stored and before it was told. What the client is told must be true, and its key tells the rest.

use std::thread;
use std::time::{Duration, Instant};

use souche::db::{Clock, Db};
use souche::postgres::{DatabaseRole, Durability, Server};

use crate::support::processes::{Ask, Client, Fleet, Home, note};
use crate::support::region::Region;
use crate::support::sql::Sql;

/// Less than a redemption stands still.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where a redemption stands still.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// A rule is being checked: nothing can have been written.
    BeforeCommit,
    /// A deferred rule is being checked: COMMIT was sent, and is not done.
    InCommit,
    /// Its COMMIT is on disk and waits for a standby that does not exist: done, and not told.
    Stored,
}

/// How PostgreSQL ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Killed,
    ShutDown,
}

#[test]
fn when_postgresql_ends_under_a_redemption_what_is_told_is_true_and_its_key_tells_the_rest() {
    let home = Home::new("lost-answers");
    let mut server = Server::start(&home.path().join("postgres"), Durability::Durable).unwrap();
    server.ensure_database("souche").unwrap();
    souche::db::migrate(&server.url(DatabaseRole::Owner, "souche")).unwrap();
    let url = server.url(DatabaseRole::Service, "souche");
    let db = Db::new(&url, 2, Clock::System);
    let region = Region::with_booklets_handed_over(&db, &home.keys(), 1);
    let fleet = Fleet::start(&home, url, 1);
    prepare_to_hold(&server);
    let client = Client::new();
    let token = client.sign_in(fleet.address(0), "fourmies");

    let mut passes = region.codes.keys();
    for end in [End::Killed, End::ShutDown] {
        for moment in [Moment::BeforeCommit, Moment::InCommit, Moment::Stored] {
            let pass = *passes.next().unwrap();
            let key = format!("{moment:?}-{end:?}");
            let ask = Ask::new(&region, pass, &region.fourmies, &token, key);
            let redeem = || client.redeem(fleet.address(0), &ask).unwrap();

            let answer = told_when(end, moment, pass, &mut server, redeem);

            // It is written and committed by one statement: how far that came, nobody here knows.
            note(&format!("{moment:?}, {end:?}: told {}", answer.status));
            assert_eq!(answer.problem(504), "unknown_outcome");
            let before = receipts(pass, &server);
            assert_eq!(before.len(), usize::from(moment == Moment::Stored), "{moment:?} {end:?}");
            // The connections of its pool are dead; no client is to learn that.
            let told = redeem().ok();
            let stored = receipts(pass, &server);
            assert_eq!(stored, [told["receipt"].as_str().unwrap()]);
            assert!(before.is_empty() || before == stored, "{moment:?} {end:?}");
        }
    }
    let one = *passes.next().unwrap();
    in_a_transaction_nothing_is_written(one, &region, &fleet, &client, &token, &mut server);
    let rest: Vec<i32> = passes.copied().collect();
    a_batch_told_nothing_of_is_asked_for_again(
        &rest,
        &region,
        &fleet,
        &client,
        &token,
        &mut server,
    );
    region.books_hold();
    fleet.assert_faultless();
}

/// A pass asked for twice is a redemption and a refusal to be kept, so a transaction: it stands still before its
/// COMMIT when PostgreSQL is killed, so it is known that nothing was written.
fn in_a_transaction_nothing_is_written(
    pass: i32,
    region: &Region,
    fleet: &Fleet<'_>,
    client: &Client,
    token: &str,
    server: &mut Server,
) {
    let asks = ["first", "second"]
        .map(|key| Ask::new(region, pass, &region.fourmies, token, format!("twice-{key}")));
    let send = || client.redeem_all(fleet.address(0), &asks).unwrap().ok();
    let told = told_when(End::Killed, Moment::BeforeCommit, pass, server, send);
    for item in told["items"].as_array().unwrap() {
        assert_eq!((&item["status"], &item["problem"]["code"]), (&503.into(), &"busy".into()));
    }
    assert!(receipts(pass, server).is_empty());
    let again = send();
    assert_eq!(
        receipts(pass, server),
        [again["items"][0]["redemption"]["receipt"].as_str().unwrap()]
    );
    assert_eq!(again["items"][1]["problem"]["code"], "already_redeemed");
}

/// The first of a batch stands still in its COMMIT when PostgreSQL is killed: nobody knows of it, whatever is
/// known of those behind it. Sent again, the whole batch is told what is so.
fn a_batch_told_nothing_of_is_asked_for_again(
    passes: &[i32],
    region: &Region,
    fleet: &Fleet<'_>,
    client: &Client,
    token: &str,
    server: &mut Server,
) {
    let ask =
        |pass: &i32| Ask::new(region, *pass, &region.fourmies, token, format!("batch-{pass}"));
    let asks: Vec<Ask> = passes.iter().map(ask).collect();
    let send = || client.redeem_all(fleet.address(0), &asks).unwrap().ok();
    let told = told_when(End::Killed, Moment::InCommit, passes[0], server, send);
    let first = &told["items"][0];
    assert_eq!(
        (&first["status"], &first["problem"]["code"]),
        (&504.into(), &"unknown_outcome".into())
    );
    let again = send();
    for (pass, item) in passes.iter().zip(again["items"].as_array().unwrap()) {
        let receipt = item["redemption"]["receipt"].as_str();
        assert_eq!(receipts(*pass, server), [receipt.unwrap_or_else(|| panic!("{item}"))]);
    }
}

/// What `send` is told when PostgreSQL ends, and comes back, while the redemption of that pass stands still.
fn told_when<T: Send>(
    end: End,
    moment: Moment,
    pass: i32,
    server: &mut Server,
    send: impl FnOnce() -> T + Send,
) -> T {
    let told = thread::scope(|scope| {
        let event = hold(moment, pass, server);
        let asked = scope.spawn(send);
        wait_until_waiting(&mut superuser(server), "application_name = 'souche'", event);
        match end {
            End::Killed => server.kill().unwrap(),
            End::ShutDown => {}
        }
        server.restart().unwrap();
        asked.join().unwrap()
    });
    superuser(server).run("DELETE FROM held");
    told
}

fn superuser(server: &Server) -> Sql {
    Sql::open(&server.url(DatabaseRole::Superuser, "souche"))
}

/// The receipts of a pass's redemptions.
fn receipts(pass: i32, server: &Server) -> Vec<String> {
    superuser(server).column(&format!(
        "SELECT receipt FROM redemptions r JOIN entries e ON (e.programme_id, e.id) = (r.programme_id, r.entry_id) WHERE r.pass = {pass}"
    ))
}

/// Lets redemptions of the passes in `held` stand still where their row says.
fn prepare_to_hold(server: &Server) {
    superuser(server).run(
        "CREATE TABLE probe (n integer);
         CREATE TABLE held (pass integer, at text);
         GRANT SELECT ON held TO souche_service;
         CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF EXISTS (SELECT FROM held WHERE pass = NEW.pass AND at = TG_NAME) THEN
                 PERFORM pg_sleep(30);
             END IF;
             RETURN NULL;
         END $$;
         CREATE TRIGGER before_commit AFTER INSERT ON entries
             FOR EACH ROW EXECUTE FUNCTION stand_still();
         CREATE CONSTRAINT TRIGGER in_commit AFTER INSERT ON entries
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stand_still()",
    );
}

/// Makes the redemption of a pass stand still at a moment; what its session waits for then. Nobody else's
/// end lets it go on, as that of a session with a lock would: PostgreSQL's sessions end one by one.
fn hold(moment: Moment, pass: i32, server: &Server) -> &'static str {
    let mut sql = superuser(server);
    let mut hold_at = |trigger: &str| {
        sql.run(&format!("INSERT INTO held VALUES ({pass}, '{trigger}')"));
        "PgSleep"
    };
    match moment {
        Moment::BeforeCommit => hold_at("before_commit"),
        Moment::InCommit => hold_at("in_commit"),
        Moment::Stored => {
            hold_back_commits(&mut sql, server);
            "SyncRep"
        }
    }
}

/// Makes every COMMIT wait for a standby that does not exist; until the next start.
fn hold_back_commits(session: &mut Sql, server: &Server) {
    session.touched("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    session.touched("SELECT pg_reload_conf()");
    let mut probe = superuser(server);
    // Commits until one does not come back: from then on none does. Ends with the server.
    thread::spawn(move || while probe.attempt("INSERT INTO probe VALUES (1)").is_ok() {});
    wait_until_waiting(session, "application_name = ''", "SyncRep");
    session.touched("ALTER SYSTEM RESET synchronous_standby_names");
}

/// Waits until a session waits for that.
fn wait_until_waiting(sql: &mut Sql, who: &str, event: &str) {
    let begun = Instant::now();
    let query =
        format!("SELECT count(*) FROM pg_stat_activity WHERE {who} AND wait_event = '{event}'");
    while sql.value(&query) == "0" {
        assert!(begun.elapsed() < PATIENCE, "nobody waits for {event}");
    }
}
