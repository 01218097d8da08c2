//! Rule 5: a redemption is paid once, a payout pays exactly the sum of its items, and paid means that two
//! people stand for the bank's debit.

use crate::support::World;
use crate::support::region::iban;

/// A payout of settlement 2 to the organisation of Fourmies, and its items.
fn payout(items: i32, amount_cents: i32, lines: &[Item]) -> String {
    payout_to(
        "organisation, number, approved_by, holder_name, iban FROM bank_accounts WHERE number = 1",
        items,
        amount_cents,
        lines,
    )
}

/// The same, to whoever `account` says.
fn payout_to(account: &str, items: i32, amount_cents: i32, lines: &[Item]) -> String {
    let payout = format!(
        "INSERT INTO payouts (number, settlement, end_to_end_id, items, amount_cents, entry_id,
             organisation, bank_account, account_approved_by, holder_name, iban)
         SELECT 90, 2, 'E2E-90', {items}, {amount_cents}, (SELECT entry_id FROM payouts WHERE number = 1), {account}"
    );
    let items = lines.iter().map(|Item { line, items, pass, cycle, amount, total }| {
        format!(
            "INSERT INTO payout_items (payout, line, items, pass, cycle, amount_cents, total_cents)
             VALUES (90, {line}, {items}, {pass}, {cycle}, {amount}, {total})"
        )
    });
    std::iter::once(payout).chain(items).collect::<Vec<_>>().join(";")
}

/// What a payout says of the bank account of that number: a column of it, or something forged.
fn account(organisation: &str, approved_by: &str, holder: &str, iban: &str, number: i32) -> String {
    format!(
        "{organisation}, number, {approved_by}, {holder}, {iban} FROM bank_accounts WHERE number = {number}"
    )
}

#[derive(Clone, Copy)]
struct Item {
    line: i32,
    items: i32,
    pass: i32,
    cycle: i32,
    amount: i32,
    total: i32,
}

/// The redemption of pass 6, in no payout yet, as the only line of a payout of 10 €.
const SIX: Item = Item { line: 1, items: 1, pass: 6, cycle: 1, amount: 1_000, total: 1_000 };

/// A payout of that redemption, to whoever `account` says.
fn ten_euros_to(account: &str) -> String {
    payout_to(account, 1, 1_000, &[SIX])
}

#[test]
fn a_payout_pays_exactly_the_sum_of_its_items() {
    let world = World::lived();
    // Two redemptions that no payout lists.
    world.region.redeems(&world.region.fourmies, 7).unwrap();
    let mut service = world.service();
    let first_of_two = Item { items: 2, ..SIX };
    let second = Item { line: 2, items: 2, pass: 7, total: 2_000, ..SIX };
    service.would_take(&payout(1, 1_000, &[SIX]));
    service.would_take(&payout(2, 2_000, &[first_of_two, second]));

    let sum = "foreign key payout_is_the_sum_of_its_items";
    assert_eq!(service.refused(&payout(1, 1_000, &[])), sum, "no item");
    assert_eq!(service.refused(&payout(2, 2_000, &[first_of_two])), sum, "an item missing");
    assert_eq!(service.refused(&payout(1, 2_000, &[SIX])), sum, "more than its items");
    assert_eq!(
        service.refused(&payout(2, 1_000, &[first_of_two, second])),
        sum,
        "less than its items"
    );
    let second_of_one = Item { items: 1, ..second };
    assert_eq!(
        service.refused(&payout(1, 1_000, &[SIX, second_of_one])),
        "check no_item_past_the_last",
        "an item too many"
    );
    let of_another_count = "foreign key items_are_as_many_as_told";
    assert_eq!(service.refused(&payout(1, 1_000, &[SIX, second])), of_another_count);
    world.region.books_hold();
}

#[test]
fn an_item_is_worth_the_face_value_and_totals_run_on() {
    let world = World::lived();
    world.region.redeems(&world.region.fourmies, 7).unwrap();
    let mut service = world.service();
    let dear = Item { amount: 2_000, total: 2_000, ..SIX };
    let why = "foreign key item_is_worth_face_value";
    assert_eq!(service.refused(&payout(1, 2_000, &[dear])), why);
    let forged = Item { total: 5_000, ..SIX };
    assert_eq!(service.refused(&payout(1, 5_000, &[forged])), "check first_total_is_first_amount");
    let first = Item { items: 2, ..SIX };
    let jump = Item { line: 2, items: 2, pass: 7, total: 5_000, ..SIX };
    let chain = "foreign key totals_run_on";
    assert_eq!(service.refused(&payout(2, 5_000, &[first, jump])), chain);
    let alone = Item { line: 2, items: 2, total: 2_000, ..SIX };
    assert_eq!(service.refused(&payout(2, 2_000, &[alone])), chain);
    world.region.books_hold();
}

#[test]
fn a_redemption_is_in_one_payout() {
    let world = World::lived();
    let mut service = world.service();
    // Paid; prepared; approved.
    for pass in [2, 4, 5] {
        let again = Item { pass, ..SIX };
        assert_eq!(
            service.refused(&payout(1, 1_000, &[again])),
            "unique redemption_paid_once",
            "pass {pass}"
        );
    }
    let never_redeemed = Item { pass: 8, ..SIX };
    let why = "foreign key redemption_exists";
    assert_eq!(service.refused(&payout(1, 1_000, &[never_redeemed])), why);
    assert_eq!(service.refused(&payout(1, 1_000, &[Item { cycle: 2, ..SIX }])), why);
    world.region.books_hold();
}

#[test]
fn a_payout_goes_to_an_account_as_its_organisation_declared_it() {
    let world = World::lived();
    let mut service = world.service();
    let fourmies = world.region.fourmies.organisation.to_string();
    let avesnes = world.region.avesnes.organisation.to_string();
    let another_iban = format!("'{}'", iban(2));
    service.would_take(&ten_euros_to(&account(&fourmies, "approved_by", "holder_name", "iban", 1)));
    let forged = [
        account("organisation", "approved_by", "holder_name", &another_iban, 1),
        account("organisation", "approved_by", "'Somebody else'", "iban", 1),
        account(&avesnes, "approved_by", "holder_name", "iban", 1),
        // An approved account, of another organisation.
        account(&fourmies, "approved_by", "holder_name", "iban", 2),
    ];
    for account in forged {
        let why = service.refused(&ten_euros_to(&account));
        assert_eq!(why, "foreign key account_is_as_declared", "{account}");
    }
    world.region.books_hold();
}

#[test]
fn a_payout_goes_to_an_account_that_was_approved() {
    let world = World::lived();
    let mut service = world.service();
    let approver = format!("'{}'", world.region.accountant.user);
    // Account 3 is of the same organisation, declared and not approved.
    let by = |approved_by: &str, number: i32| {
        ten_euros_to(&account("organisation", approved_by, "holder_name", "iban", number))
    };
    let why = "foreign key account_was_approved";
    service.would_take(&by(&approver, 1));
    assert_eq!(service.refused(&by("declared_by", 1)), why, "by who declared it");
    assert_eq!(service.refused(&by(&approver, 3)), why, "not approved");
    assert_eq!(service.refused(&by("approved_by", 3)), "not null account_approved_by");
    let then_approved = format!(
        "UPDATE bank_accounts SET approved_by = {approver}, approved_at = now(), usable_from = now() WHERE number = 3"
    );
    service.would_take(&format!("{then_approved}; {}", by(&approver, 3)));
    let taken_back = "UPDATE bank_accounts SET approved_by = NULL, approved_at = NULL, usable_from = NULL WHERE number = 1";
    assert_eq!(service.refused(taken_back), why, "an approval that money followed stays");
    world.region.books_hold();
}

#[test]
fn paid_comes_only_from_an_execution_that_another_person_confirmed() {
    let world = World::lived();
    let mut service = world.service();
    let debit = |settlement: i32, by: &str| {
        format!(
            "INSERT INTO payout_debits (payout, settlement, confirmed_by, entry_id, debited_on)
             SELECT p.number, p.settlement, {by}, d.entry_id, d.debited_on FROM payouts p, payout_debits d
             WHERE p.settlement = {settlement} AND d.payout = 1"
        )
    };
    let paymaster = format!("'{}'", world.region.paymaster.user);
    let accountant = format!("'{}'", world.region.accountant.user);
    let confirmed = format!(
        "UPDATE executions SET confirmed_by = {paymaster}, confirmed_at = now() WHERE settlement = 3"
    );
    service.would_take(&format!("{confirmed}; {}", debit(3, &paymaster)));

    let why = "foreign key paid_needs_two_people";
    assert_eq!(service.refused(&debit(3, &paymaster)), why, "declared, not confirmed");
    assert_eq!(service.refused(&debit(3, &accountant)), why, "by who declared it");
    assert_eq!(service.refused(&debit(3, "NULL")), "not null confirmed_by");
    assert_eq!(service.refused(&debit(2, &paymaster)), why, "of a settlement that nobody approved");
    assert_eq!(
        service.refused(&debit(1, &paymaster)),
        "unique payout_debited_once",
        "a second time"
    );
    world.region.books_hold();
}

#[test]
fn only_an_approved_settlement_is_executed() {
    let world = World::lived();
    let execution = |by: &str| {
        format!(
            "INSERT INTO executions (settlement, settlement_approved_by, executed_on, document_name, document_sha256, declared_by, declared_at)
             SELECT 2, {by}, executed_on, document_name, document_sha256, declared_by, declared_at FROM executions WHERE settlement = 1"
        )
    };
    let mut service = world.service();
    let why = "foreign key settlement_was_approved";
    assert_eq!(service.refused(&execution("settlement_approved_by")), why);
    assert_eq!(service.refused(&execution("NULL")), "not null settlement_approved_by");
    let taken_back =
        "UPDATE settlements SET approved_by = NULL, approved_at = NULL WHERE number = 1";
    assert_eq!(service.refused(taken_back), why, "an approval is not taken back once executed");
    world.region.books_hold();
}
