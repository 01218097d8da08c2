//! What was begun before the move is finished after it.

use souche::domain::SettlementId;
use souche::domain::order::Quantity;
use souche::error::Error;
use souche::keys::Keys;

use crate::support::moving::{Elsewhere, verified};
use crate::support::region::Region;
use crate::support::signing::Signing;
use crate::support::{World, day, refusal};

/// A region that has moved to an instance with the operator's key file.
fn moved() -> (World, Elsewhere, Region) {
    let world = World::lived();
    let elsewhere = Elsewhere::with(&world.region.keys, &world.region);
    let moved = elsewhere.takes_over(&world.region);
    (world, elsewhere, moved)
}

#[test]
fn passes_in_peoples_hands_are_good_and_used_ones_are_not() {
    let (_world, _elsewhere, moved) = moved();
    moved.redeems(&moved.fourmies, 7).unwrap();
    assert_eq!(moved.redeems(&moved.avesnes, 7).unwrap_err().code(), "already_redeemed");
    assert_eq!(moved.redeems(&moved.avesnes, 4).unwrap_err().code(), "already_redeemed");
    assert_eq!(moved.redeems(&moved.avesnes, 21).unwrap_err().code(), "unknown_pass");
    assert_eq!(moved.tries_a_wrong_code(&moved.avesnes, 8).unwrap_err().code(), "unknown_pass");
    // Given back by an incident before the move; in its second cycle now.
    let again = moved.redeems(&moved.avesnes, 12).unwrap();
    assert_eq!(again.id.to_string(), "0000012-2");
    moved.books_hold();
}

#[test]
fn what_was_prepared_is_approved_and_what_was_declared_is_confirmed() {
    let (_world, _elsewhere, moved) = moved();
    moved.approves(SettlementId::new(2)).unwrap();
    moved.confirms_execution(SettlementId::new(3)).unwrap();
    moved.books_hold();
}

#[test]
fn numbers_go_on_and_so_does_what_a_person_received() {
    let (_world, _elsewhere, mut moved) = moved();
    assert_eq!(refusal(moved.hands_over(3, "Jeanne")), "entitlement_used");
    let receipt = moved.hands_over(3, "Zoé").unwrap();
    assert_eq!(receipt.number, Some(3));
    let first = moved.stocks(2, "2026-12-31");
    assert_eq!(first, 8);
    let redeemed = moved.orders(Quantity { booklets_of_10: 1, booklets_of_5: 0 }, "2026-12-31");
    assert_eq!(redeemed.to_string(), "5");
    moved.books_hold();
    verified(&moved.bundle());
}

#[test]
fn an_approval_takes_another_person_after_the_move_too() {
    let (_world, _elsewhere, moved) = moved();
    moved.clock_shows("2026-03-14T09:00:00Z");
    let settlement = moved.prepares(day("2026-03-13")).unwrap().settlement.number;
    let own = souche::domain::Actor { user: moved.accountant.user, ..moved.paymaster };
    let approved = moved.does(|tx| souche::app::settlement::approve(tx, &own, settlement));
    assert_eq!(refusal(approved), "maker_is_checker");
}

#[test]
fn an_instance_with_other_keys_takes_the_pepper_over_first() {
    let world = World::lived();
    let path = |name: &str| {
        let name = format!(
            "souche-it-{name}-{}",
            souche::keys::hex(&souche::keys::random::<8>().unwrap())
        );
        std::env::temp_dir().join(name)
    };
    let (own, old) = (path("own"), path("old"));
    let keys = Keys::load_or_generate(&own).unwrap();
    world.region.keys.save(&old).unwrap();
    let elsewhere = Elsewhere::with(&keys, &world.region);
    let mut moved = elsewhere.takes_over(&world.region);
    assert_eq!(moved.redeems(&moved.fourmies, 7).unwrap_err().code(), "unknown_pass");
    Keys::adopt(&own, &old, &"SAT".to_owned().try_into().unwrap()).unwrap();
    moved.keys = Keys::load(&own).unwrap();
    moved.redeems(&moved.fourmies, 7).unwrap();
    moved.hands_over(3, "Jeanne").unwrap_err();
    moved.books_hold();
    verified(&moved.bundle());
    for path in [own, old] {
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn the_log_goes_on_from_the_same_size() {
    let (world, elsewhere, moved) = moved();
    let mut superuser = elsewhere.superuser();
    let last = "SELECT max(size) FROM checkpoints WHERE programme_id = ";
    let before: u64 = world.superuser().value(&format!("{last} 1")).parse().unwrap();
    let signing = Signing::new();
    assert_eq!(moved.seals(&signing.signer), before);
    moved.redeems(&moved.fourmies, 7).unwrap();
    assert_eq!(moved.seals(&signing.signer), before + 1);
    assert_eq!(superuser.value(&format!("{last} 2")), (before + 1).to_string());
    // What was sealed before is still under the same leaves: the old head is proven to be the beginning of the new one.
    let proof = moved
        .does(|tx| souche::app::log::consistency(tx, &moved.auditor, before, before + 1))
        .unwrap();
    let head = |size: u64| {
        moved.does(|tx| souche::db::checkpoints::between(tx, size - 1, size)).unwrap().remove(0)
    };
    let (old, new) = (head(before), head(before + 1));
    assert_ne!(old.vkey, new.vkey);
    assert!(souche::domain::merkle::verify_consistency(
        old.size, old.root, new.size, new.root, &proof
    ));
    moved.books_hold();
}

#[test]
fn what_waited_to_be_sealed_is_sealed_elsewhere_and_nothing_twice() {
    let world = World::lived();
    let region = &world.region;
    region.redeems(&region.fourmies, 7).unwrap();
    let elsewhere = Elsewhere::with(&region.keys, region);
    let moved = elsewhere.takes_over(region);
    let entries: u64 = elsewhere
        .superuser()
        .value("SELECT count(*) FROM entries WHERE programme_id = 2")
        .parse()
        .unwrap();
    let signing = Signing::new();
    assert_eq!(moved.seals(&signing.signer), entries);
    assert_eq!(moved.seals(&signing.signer), entries);
    let horizon = elsewhere
        .superuser()
        .value("SELECT horizon::text::bigint > 0 FROM logs WHERE programme_id = 2");
    assert_eq!(horizon, "true");
    moved.books_hold();
}

#[test]
fn a_person_of_the_old_instance_is_nobody_here() {
    let (world, _elsewhere, moved) = moved();
    let region = &world.region;
    let stranger = souche::domain::Actor { programme: moved.programme, ..region.paymaster };
    let held = moved.does(|tx| souche::db::memberships::hold(tx, stranger.user, moved.programme));
    assert!(matches!(held, Ok(None) | Err(Error::Refused(_))));
}
