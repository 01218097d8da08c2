//! Most redemptions are judged before anything is locked. What becomes of a pass, or of a key, between that and the
//! statement that writes: the statement waits, finds it, and all is judged again.

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use souche::app::redemption::Writer;
use souche::domain::Refusal;
use souche::keys::hex;

use crate::support::{Redeemed, World, told};

/// Longest that a redemption may take to come to the pass that is held.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks for pass 1 under the key `late`, through a writer, while somebody else holds it and does what `statements`
/// say; they are committed once the redemption waits for the pass, so once it was judged.
fn overtaken(world: &World, statements: &str) -> Result<Redeemed, Refusal> {
    let region = &world.region;
    let writer = Writer::start(&region.db, &region.keys).unwrap();
    let (reply, replies) = channel();
    let mut elsewhere = world.superuser();
    elsewhere.begin(&format!("SELECT FROM passes WHERE number = 1 FOR UPDATE; {statements}"));
    let ask = region.ask(&region.fourmies, region.code(1), "late");
    writer.submit(ask, move |outcome| reply.send(told(outcome.unwrap())).unwrap()).unwrap();
    let mut seen = world.superuser();
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                 AND query LIKE 'SELECT write_redemptions(%'";
    let begun = Instant::now();
    while seen.value(waits) == "0" {
        assert!(begun.elapsed() < PATIENCE, "no redemption waits for the pass");
        thread::yield_now();
    }
    elsewhere.commit();
    replies.recv().unwrap()
}

fn redemptions(world: &World) -> String {
    world.service().value("SELECT count(*) FROM redemptions")
}

#[test]
fn a_pass_that_is_only_held_is_redeemed() {
    let world = World::new();
    assert!(overtaken(&world, "").is_ok());
    assert_eq!(redemptions(&world), "1");
    world.region.books_hold();
}

#[test]
fn a_pass_stopped_since_it_was_judged_is_refused() {
    let world = World::new();
    let told = overtaken(&world, "UPDATE passes SET state = 'stopped' WHERE number = 1");
    assert_eq!(told.unwrap_err().code(), "stopped");
    assert_eq!(redemptions(&world), "0");
    assert_eq!(
        world.service().value("SELECT count(*) FROM entries WHERE kind = 'redemption'"),
        "0"
    );
}

#[test]
fn a_pass_that_changed_and_came_back_since_is_redeemed_after_that() {
    let world = World::new();
    let told = overtaken(
        &world,
        "UPDATE passes SET changed_at = changed_at + interval '10 years' WHERE number = 1",
    );
    let changed_at = world.service().value(
        "SELECT p.changed_at = r.redeemed_at AND r.redeemed_at > now() + interval '1 year'
         FROM passes p JOIN redemptions r ON r.pass = p.number WHERE p.number = 1",
    );
    assert!(told.is_ok());
    assert_eq!(changed_at, "true");
}

#[test]
fn a_key_refused_since_is_told_its_refusal_and_spends_nothing() {
    let world = World::new();
    let region = &world.region;
    let twin = region.ask(&region.fourmies, region.code(1), "late");
    let hash = hex(twin.request.body_hash());
    let user = region.fourmies.manager.user;
    let told = overtaken(
        &world,
        &format!(
            r#"INSERT INTO requests (user_id, key, body_hash, outcome, at)
               VALUES ('{user}', 'late', '\x{hash}', '{{"refused": {{"code": "stopped"}}}}', now())"#
        ),
    );
    assert_eq!(told.unwrap_err(), Refusal::Stopped);
    assert_eq!(redemptions(&world), "0");
    region.books_hold();
}

#[test]
fn a_key_that_was_answered_is_told_its_receipt_by_a_writer_whatever_is_refused_now() {
    let world = World::new();
    let region = &world.region;
    let writer = Writer::start(&region.db, &region.keys).unwrap();
    let redeem = || {
        let (reply, replies) = channel();
        let ask = region.ask(&region.fourmies, region.code(1), "k");
        writer.submit(ask, move |outcome| reply.send(told(outcome.unwrap())).unwrap()).unwrap();
        replies.recv().unwrap().unwrap().receipt
    };
    let receipt = redeem();
    let site = region.fourmies.site;
    // Braked: a refusal that is not kept with its key.
    world.superuser().run(&format!(
        "INSERT INTO wrong_tries (site, pass, since, tries) VALUES ({site}, 1, '2100-01-01', 99)"
    ));
    assert_eq!(redeem(), receipt);
}
