//! Requests that share a transaction don't feel it.

use std::sync::mpsc::channel;

use souche::app::redemption::Writer;
use souche::domain::Refusal;
use souche::error::Error;

use crate::support::region::fresh_key;
use crate::support::{World, told};

#[test]
fn a_batch_answers_each_in_its_place() {
    let world = World::new();
    let region = &world.region;
    let asks: Vec<_> = [3, 21, 1, 3]
        .map(|pass| region.ask(&region.fourmies, region.code(pass), &fresh_key()))
        .into();
    let answers = region.redeems_all(&asks).unwrap();
    let shown: Vec<_> = answers
        .iter()
        .map(|told| told.as_ref().map(|done| done.pass.get()).map_err(Refusal::code))
        .collect();
    assert_eq!(shown, [Ok(3), Err("unknown_pass"), Ok(1), Err("already_redeemed")]);
    region.books_hold();
}

#[test]
fn twins_of_one_batch_are_answered_alike_and_done_once() {
    let world = World::new();
    let region = &world.region;
    let done = region.ask(&region.fourmies, region.code(1), "k-1");
    let refused = region.ask(&region.fourmies, region.code(21), "k-2");
    let other_body = region.ask(&region.fourmies, region.code(2), "k-1");
    let answers = region
        .redeems_all(&[done.clone(), refused.clone(), done.clone(), refused, other_body.clone()])
        .unwrap();
    let receipt = |n: usize| answers[n].as_ref().unwrap().receipt.clone();
    assert_eq!(receipt(0), receipt(2));
    assert_eq!(answers[1].as_ref().unwrap_err(), answers[3].as_ref().unwrap_err());
    assert_eq!(answers[4].as_ref().unwrap_err(), &Refusal::IdempotencyKeyReused);
    // The same, when the key was used in an earlier batch, and comes behind one that misuses it.
    let later = region.redeems_all(&[other_body, done]).unwrap();
    assert_eq!(later[0].as_ref().unwrap_err(), &Refusal::IdempotencyKeyReused);
    assert_eq!(later[1].as_ref().unwrap().receipt, receipt(0));
    assert_eq!(world.service().value("SELECT count(*) FROM redemptions"), "1");
    region.books_hold();
}

#[test]
fn one_pass_twice_in_a_batch_is_redeemed_once() {
    let world = World::new();
    let region = &world.region;
    let asks = [
        region.ask(&region.fourmies, region.code(1), &fresh_key()),
        region.ask(&region.avesnes, region.code(1), &fresh_key()),
        region.ask(&region.fourmies, region.code(1), &fresh_key()),
    ];
    let answers = region.redeems_all(&asks).unwrap();
    let at = answers[0].as_ref().unwrap().redeemed_at;
    assert_eq!(answers[1].as_ref().unwrap_err(), &Refusal::AlreadyRedeemed { at, here: false });
    assert_eq!(answers[2].as_ref().unwrap_err(), &Refusal::AlreadyRedeemed { at, here: true });
    region.books_hold();
}

#[test]
fn a_poisoned_request_harms_nobody_else() {
    let world = World::new();
    let region = &world.region;
    let poison = region.ask(&region.fourmies, region.code(2), "k-poison");
    // Somebody else's row stands where its redemption would: a key of the database stops it, and with it the batch.
    let mut superuser = world.superuser();
    superuser.run(
        "SET LOCAL session_replication_role = replica;
         INSERT INTO entries (programme_id, id, kind, happened_at, recorded_at, recorded_by, receipt, pass, cycle, hand_over, site, service)
             SELECT programme_id, gen_random_uuid(), 'redemption', now(), now(), recorded_by, '{}', 2, 1, 1, 1, 'everyday_tools'
             FROM entries WHERE kind = 'hand_over' LIMIT 1",
    );
    let asks = [
        region.ask(&region.fourmies, region.code(1), "k-1"),
        poison,
        region.ask(&region.fourmies, region.code(21), "k-2"),
        region.ask(&region.fourmies, region.code(3), "k-3"),
    ];
    assert!(matches!(region.redeems_all(&asks), Err(Error::Fault(_))), "nothing of it is written");
    assert_eq!(world.service().value("SELECT count(*) FROM redemptions"), "1");

    let writer = Writer::start(&region.db, &region.keys).unwrap();
    let (reply, replies) = channel();
    for (n, ask) in asks.into_iter().enumerate() {
        let reply = reply.clone();
        writer.submit(ask, move |outcome| reply.send((n, outcome)).unwrap()).unwrap();
    }
    let mut answers: Vec<_> = replies.iter().take(4).collect();
    answers.sort_by_key(|(n, _)| *n);
    let mut answers = answers.into_iter().map(|(_, outcome)| outcome.map(told));
    assert_eq!(answers.next().unwrap().unwrap().unwrap().pass.get(), 1);
    assert!(matches!(answers.next().unwrap(), Err(Error::Fault(_))));
    assert_eq!(answers.next().unwrap().unwrap().unwrap_err(), Refusal::UnknownPass);
    assert_eq!(answers.next().unwrap().unwrap().unwrap().pass.get(), 3);
    superuser.run("DELETE FROM entries WHERE pass = 2");
    region.books_hold();
}

#[test]
fn a_writer_serves_programmes_side_by_side() {
    let world = World::new();
    let writer = Writer::start(&world.region.db, &world.region.keys).unwrap();
    let (reply, replies) = channel();
    for region in [&world.region, &world.neighbour] {
        for pass in 1..=10 {
            let reply = reply.clone();
            let ask = region.ask(&region.fourmies, region.code(pass), &fresh_key());
            writer.submit(ask, move |outcome| reply.send(told(outcome.unwrap())).unwrap()).unwrap();
        }
    }
    assert!(replies.iter().take(20).all(|told| told.is_ok()));
    world.region.books_hold();
    world.neighbour.books_hold();
}
