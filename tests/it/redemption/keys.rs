//! What an idempotency key promises: the same answer to the same request, whatever has happened since.

use souche::app::redemption::{NewVoid, void};
use souche::app::{Outcome, RequestKey, once};
use souche::domain::Refusal;

use crate::support::{World, line};

#[test]
fn the_same_key_and_body_get_the_same_bytes_and_nothing_new() {
    let world = World::new();
    let region = &world.region;
    let ask = region.ask(&region.fourmies, region.code(1), "k-1");
    let answers = |at: &str| {
        region.clock_shows(at);
        let outcomes = region
            .does(|tx| {
                souche::app::redemption::redeem_all(tx, &region.keys, std::slice::from_ref(&ask))
            })
            .unwrap();
        serde_json::to_string(&outcomes).unwrap()
    };
    let first = answers("2026-03-02T09:00:00.000001Z");
    assert_eq!(answers("2026-03-02T09:00:05Z"), first);
    region.voids(&region.fourmies, "0000001-1".parse().unwrap()).unwrap();
    assert_eq!(answers("2027-06-01T09:00:00Z"), first, "voided and expired since");
    assert_eq!(world.service().value("SELECT count(*) FROM redemptions"), "1");
    region.books_hold();
}

#[test]
fn a_refusal_is_told_again_even_when_the_world_has_changed() {
    let world = World::new();
    let region = &world.region;
    let not_yet = region.redeems_under(&region.fourmies, 21, "k-1").unwrap_err();
    assert_eq!(not_yet, Refusal::UnknownPass);
    region.hands_over(3, "Ana").unwrap();
    assert_eq!(region.redeems_under(&region.fourmies, 21, "k-1").unwrap_err(), not_yet);
    region.redeems_under(&region.fourmies, 21, "k-2").unwrap();
    region.books_hold();
}

#[test]
fn a_wrong_code_told_again_is_not_counted_again() {
    let world = World::new();
    let region = &world.region;
    let ask = region.ask(&region.fourmies, region.wrong_code(1), "k-1");
    for _ in 0..3 {
        region.redeems_all(std::slice::from_ref(&ask)).unwrap().remove(0).unwrap_err();
    }
    assert_eq!(world.service().column("SELECT tries FROM wrong_tries"), ["1"]);
}

#[test]
fn a_key_used_for_something_else_is_refused_and_stays_with_its_first_use() {
    let world = World::new();
    let region = &world.region;
    let first = region.redeems_under(&region.fourmies, 1, "k-1").unwrap();
    for (at, pass) in [(&region.fourmies, 2), (&region.lille, 1)] {
        assert_eq!(
            region.redeems_under(at, pass, "k-1").unwrap_err(),
            Refusal::IdempotencyKeyReused
        );
    }
    assert_eq!(region.redeems_under(&region.fourmies, 1, "k-1").unwrap().receipt, first.receipt);
    // A refused request keeps its key too.
    region.redeems_under(&region.fourmies, 21, "k-2").unwrap_err();
    assert_eq!(
        region.redeems_under(&region.fourmies, 3, "k-2").unwrap_err(),
        Refusal::IdempotencyKeyReused
    );
    assert_eq!(
        region.redeems_under(&region.fourmies, 21, "k-2").unwrap_err(),
        Refusal::UnknownPass
    );
    region.books_hold();
}

#[test]
fn a_key_belongs_to_its_user_and_its_programme() {
    let world = World::new();
    let region = &world.region;
    region.redeems_under(&region.fourmies, 1, "k-1").unwrap();
    region.redeems_under(&region.avesnes, 2, "k-1").unwrap();
    world.neighbour.redeems_under(&world.neighbour.fourmies, 1, "k-1").unwrap();
    region.books_hold();
    world.neighbour.books_hold();
}

#[test]
fn a_key_that_redeemed_does_nothing_else() {
    let world = World::new();
    let region = &world.region;
    let manager = region.fourmies.manager;
    let redeemed = region.redeems_under(&region.fourmies, 1, "k-1").unwrap();
    let request = RequestKey::new("k-1", "POST /api/v1/redemptions/0000001-1/void", b"{}").unwrap();
    let undo = |request: &RequestKey| {
        region.does(|tx| {
            once(tx, manager.user, request, |tx| {
                void(tx, &manager, redeemed.id, &NewVoid { reason: line("x") })
                    .map(|receipt| receipt.text)
            })
        })
    };
    let refused = undo(&request);
    assert!(
        matches!(refused, Err(souche::error::Error::Refused(Refusal::IdempotencyKeyReused))),
        "{refused:?}"
    );
    // And a key that voided does not redeem.
    let other = RequestKey::new("k-2", "POST /api/v1/redemptions/0000001-1/void", b"{}").unwrap();
    let done = undo(&other).unwrap();
    assert!(matches!(done, Outcome::Done(_)), "{done:?}");
    assert_eq!(undo(&other).unwrap(), done);
    assert_eq!(
        region.redeems_under(&region.fourmies, 1, "k-2").unwrap_err(),
        Refusal::IdempotencyKeyReused
    );
    region.books_hold();
}

#[test]
fn what_a_refused_request_wrote_is_undone_and_its_refusal_kept() {
    let world = World::new();
    let region = &world.region;
    let request = RequestKey::new("k-1", "POST /x", b"").unwrap();
    let user = region.admin.user;
    let outcome = region.does(|tx| {
        once::<String>(tx, user, &request, |tx| {
            souche::db::series::next(tx, "hand_over_number")?;
            Err(Refusal::UnknownPass.into())
        })
    });
    assert_eq!(outcome.unwrap(), Outcome::Refused(Refusal::UnknownPass));
    assert_eq!(
        world.service().value("SELECT last FROM series WHERE name = 'hand_over_number'"),
        "2"
    );
    let again =
        region.does(|tx| once::<String>(tx, user, &request, |_| panic!("done a second time")));
    assert_eq!(again.unwrap(), Outcome::Refused(Refusal::UnknownPass));
}
