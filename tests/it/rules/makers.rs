//! Rule 10: maker is never checker.

use crate::support::World;

#[test]
fn nobody_approves_what_they_made() {
    let world = World::lived();
    let mut service = world.service();
    let own = [
        (
            "UPDATE orders SET approved_by = placed_by, approved_at = now() WHERE number = 3",
            "check maker_is_not_checker",
        ),
        (
            "UPDATE orders SET approved_by = placed_by WHERE number = 1",
            "check maker_is_not_checker",
        ),
        (
            "UPDATE settlements SET approved_by = prepared_by, approved_at = now() WHERE number = 2",
            "check maker_is_not_checker",
        ),
        (
            "UPDATE bank_accounts SET approved_by = declared_by, approved_at = now(), usable_from = now() WHERE number = 3",
            "check maker_is_not_checker",
        ),
        (
            "UPDATE executions SET confirmed_by = declared_by, confirmed_at = now() WHERE settlement = 3",
            "check maker_is_not_checker",
        ),
    ];
    for (attack, why) in own {
        assert_eq!(service.refused(attack), why, "{attack}");
    }
    let another = world.region.paymaster.user;
    let by_another = [
        format!(
            "UPDATE orders SET approved_by = '{another}', approved_at = now() WHERE number = 3"
        ),
        format!(
            "UPDATE settlements SET approved_by = '{another}', approved_at = now() WHERE number = 2"
        ),
        format!(
            "UPDATE bank_accounts SET approved_by = '{another}', approved_at = now(), usable_from = now() WHERE number = 3"
        ),
        format!(
            "UPDATE executions SET confirmed_by = '{another}', confirmed_at = now() WHERE settlement = 3"
        ),
    ];
    for lawful in by_another {
        service.would_take(&lawful);
    }
    world.region.books_hold();
}

#[test]
fn an_approval_names_a_person_and_an_instant_or_is_none() {
    let world = World::lived();
    let mut service = world.service();
    let another = world.region.paymaster.user;
    let attacks = [
        (format!("UPDATE orders SET approved_by = '{another}' WHERE number = 3"), "check approval_has_person_and_instant"),
        (format!("UPDATE settlements SET approved_by = '{another}' WHERE number = 2"), "check approval_has_person_and_instant"),
        (format!("UPDATE bank_accounts SET approved_by = '{another}', approved_at = now() WHERE number = 3"), "check approval_has_person_and_instant"),
        (format!("UPDATE executions SET confirmed_by = '{another}' WHERE settlement = 3"), "check confirmation_has_person_and_instant"),
        ("UPDATE orders SET approved_by = gen_random_uuid(), approved_at = now() WHERE number = 3".into(), "foreign key orders_approved_by_fkey"),
    ];
    for (attack, why) in attacks {
        assert_eq!(service.refused(&attack), why, "{attack}");
    }
    world.region.books_hold();
}

#[test]
fn an_order_that_nobody_approved_is_neither_minted_nor_printed() {
    let world = World::lived();
    let mut service = world.service();
    let with_the_first_ones = |entry: &str| {
        format!(
            "UPDATE orders SET {entry} = (SELECT {entry} FROM orders WHERE number = 1) WHERE number = 3"
        )
    };
    let minted = service.refused(&with_the_first_ones("mint_entry"));
    assert_eq!(minted, "check only_approved_orders_are_minted");
    let printed = service.refused(&with_the_first_ones("print_entry"));
    assert_eq!(printed, "check only_minted_orders_are_printed");
    world.region.books_hold();
}

#[test]
fn money_does_not_follow_an_account_before_its_approval() {
    let world = World::lived();
    let early = format!(
        "UPDATE bank_accounts SET approved_by = '{}', approved_at = '2026-03-13', usable_from = '2026-03-12' WHERE number = 3",
        world.region.paymaster.user
    );
    assert_eq!(world.service().refused(&early), "check usable_after_approval");
}
