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
            ("EUR", "51", "3", "1000", "NULL", "foreign key credit_is_of_the_book"),
            ("EUR", "3", "53", "1000", "NULL", "foreign key debit_is_of_the_book"),
            ("PASS", "53", "3", "1", "46", "foreign key debit_is_of_the_book"),
            ("PASS", "2", "53", "1", "46", "foreign key credit_is_of_the_book"),
            ("EUR", "51", "99", "1000", "NULL", "foreign key credit_is_of_the_book"),
            // Money has no pass numbers, and passes have.
            ("EUR", "51", "53", "1000", "46", "check only_passes_are_numbered"),
            ("PASS", "2", "3", "1", "NULL", "check only_passes_are_numbered"),
            ("PASS", "2", "3", "1", "0", "check transfers_first_pass_check"),
        ],
    );
    world.region.books_hold();
}

#[test]
fn an_account_stands_in_the_book_of_its_kind() {
    let world = World::lived();
    let mut service = world.service();
    let account = |id: i32, book: &str, kind: &str, holder: &str| {
        format!(
            "INSERT INTO accounts (id, book, kind, holder) VALUES ({id}, '{book}', '{kind}', {holder})"
        )
    };
    service.would_take(&account(99_954, "EUR", "payable", "999"));
    assert_eq!(
        service.refused(&account(99_954, "PASS", "payable", "999")),
        "check book_follows_from_kind"
    );
    assert_eq!(
        service.refused(&account(99_907, "EUR", "redeemed", "999")),
        "check book_follows_from_kind"
    );
    assert_eq!(
        service.refused(&account(54, "EUR", "payable", "NULL")),
        "check holder_follows_from_kind"
    );
    assert_eq!(
        service.refused(&account(99_953, "EUR", "float", "999")),
        "check holder_follows_from_kind"
    );
    assert_eq!(service.refused(&account(54, "EUR", "payable", "999")), "check id_says_its_holder");
    assert_eq!(
        service.refused(&account(58, "EUR", "float", "NULL")),
        "unique one_account_per_kind_and_holder"
    );
    world.region.books_hold();
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
