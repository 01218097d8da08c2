//! Rule 2: every transfer balances, the two books never mix, and amounts are whole.

use crate::support::World;
use crate::support::sql::Sql;

/// From the sponsor's stock (3) to the printer (2), or from the float (53) to the bank (51), in an entry that exists.
fn transfer(book: &str, debit: &str, credit: &str, amount: &str, first_pass: &str) -> String {
    format!(
        "INSERT INTO transfers (entry_id, line, book, debit, credit, amount, first_pass)
         SELECT id, 90, '{book}', {debit}, {credit}, {amount}, {first_pass} FROM entries WHERE kind = 'mint' AND number = 1"
    )
}

fn refuses(service: &mut Sql, attacks: &[(&str, &str, &str, &str, &str, &str)]) {
    for (book, debit, credit, amount, first_pass, why) in attacks {
        let attack = transfer(book, debit, credit, amount, first_pass);
        assert_eq!(&service.refused(&attack), why, "{book} {debit} {credit} {amount} {first_pass}");
    }
}

#[test]
fn nothing_and_less_than_nothing_do_not_move() {
    let world = World::lived();
    let mut service = world.service();
    service.would_take(&transfer("EUR", "51", "53", "1", "NULL"));
    service.would_take(&transfer("PASS", "2", "3", "1", "46"));
    refuses(
        &mut service,
        &[
            ("EUR", "51", "53", "0", "NULL", "check amount_is_positive"),
            ("EUR", "51", "53", "-1000", "NULL", "check amount_is_positive"),
            ("PASS", "2", "3", "0", "46", "check amount_is_positive"),
            ("PASS", "2", "3", "-1", "46", "check amount_is_positive"),
            ("EUR", "51", "53", "NULL", "NULL", "not null amount"),
            ("EUR", "51", "53", "100000000000001", "NULL", "check amount_is_positive"),
        ],
    );
    world.region.books_hold();
}

#[test]
fn a_transfer_has_two_sides_of_one_book() {
    let world = World::lived();
    refuses(
        &mut world.service(),
        &[
            ("EUR", "51", "51", "1000", "NULL", "check debit_is_not_credit"),
            ("PASS", "3", "3", "1", "46", "check debit_is_not_credit"),
            ("EUR", "51", "NULL", "1000", "NULL", "not null credit"),
            ("EUR", "NULL", "53", "1000", "NULL", "not null debit"),
            // An account of the other book, or of no book.
            ("EUR", "51", "3", "1000", "NULL", "check credit_is_of_the_book"),
            ("EUR", "3", "53", "1000", "NULL", "check debit_is_of_the_book"),
            ("PASS", "53", "3", "1", "46", "check debit_is_of_the_book"),
            ("PASS", "2", "53", "1", "46", "check credit_is_of_the_book"),
            ("EUR", "51", "99", "1000", "NULL", "check credit_is_of_the_book"),
            // Money has no pass numbers, and passes have.
            ("EUR", "51", "53", "1000", "46", "check only_passes_are_numbered"),
            ("PASS", "2", "3", "1", "NULL", "check only_passes_are_numbered"),
            ("PASS", "2", "3", "1", "0", "check transfers_first_pass_check"),
        ],
    );
    world.region.books_hold();
}

#[test]
fn an_account_says_its_book_kind_and_holder() {
    let world = World::lived();
    let mut service = world.service();
    // A site is owed; the float is nobody's in particular.
    service.would_take(&transfer("EUR", "99954", "53", "1", "NULL"));
    service.would_take(&transfer("PASS", "99907", "6", "1", "46"));
    refuses(
        &mut service,
        &[
            ("EUR", "54", "53", "1", "NULL", "check debit_is_of_the_book"),
            ("EUR", "99953", "54", "1", "NULL", "check credit_is_of_the_book"),
            ("PASS", "7", "6", "1", "46", "check debit_is_of_the_book"),
            ("PASS", "99906", "3", "1", "46", "check debit_is_of_the_book"),
            ("EUR", "51", "58", "1", "NULL", "check credit_is_of_the_book"),
            ("PASS", "2", "10", "1", "46", "check credit_is_of_the_book"),
            ("PASS", "2", "0", "1", "46", "check credit_is_of_the_book"),
            ("PASS", "-7", "6", "1", "46", "check debit_is_of_the_book"),
            ("EUR", "-99954", "53", "1", "NULL", "check debit_is_of_the_book"),
        ],
    );
    world.region.books_hold();
}

#[test]
fn the_database_knows_every_account_that_the_code_does() {
    use souche::domain::account::{AccountKind, Book};
    use strum::VariantArray;
    let world = World::new();
    let mut superuser = world.superuser();
    superuser.run("CREATE TABLE probe (LIKE transfers INCLUDING CONSTRAINTS)");
    let ids = (0..100).flat_map(|code| [code, 41_200 + code]);
    for (id, book) in ids.flat_map(|id| [(id, "PASS"), (id, "EUR")]) {
        let kind = AccountKind::VARIANTS.iter().find(|kind| {
            let name = if kind.book() == Book::Pass { "PASS" } else { "EUR" };
            name == book && id == kind.code() + if kind.has_holder() { 41_200 } else { 0 }
        });
        let (other, first_pass) = if book == "PASS" { (1, "1") } else { (52, "NULL") };
        let other = if id == other { other + 1 } else { other };
        let probe = format!(
            "INSERT INTO probe VALUES (1, gen_random_uuid(), 1, '{book}', {id}, {other}, 1, {first_pass})"
        );
        assert_eq!(superuser.attempt(&probe).is_ok(), kind.is_some(), "{book} {id}");
    }
}

#[test]
fn no_column_that_counts_money_or_passes_is_a_float() {
    let world = World::new();
    let floats = "SELECT table_name || '.' || column_name FROM information_schema.columns
         WHERE table_schema = 'public' AND data_type IN ('real', 'double precision', 'numeric', 'money')";
    assert_eq!(world.superuser().column(floats), Vec::<String>::new());
    let cents = "SELECT DISTINCT data_type FROM information_schema.columns WHERE table_schema = 'public' AND column_name LIKE '%\\_cents'";
    assert_eq!(world.superuser().column(cents), ["bigint"]);
}
