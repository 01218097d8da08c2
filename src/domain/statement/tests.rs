//! Both sides of every equality, and what breaks each.

use super::*;
use crate::domain::date::parse_instant;
use crate::domain::{PassNumber, SiteId};

fn statement(balances: &[(Account, i64)], counted: Counted) -> Conservation {
    let as_of = parse_instant("2026-12-31T12:00:00Z").unwrap();
    let frame = Frame { programme: "HDF".into(), as_of, head: None, entries_past_head: 0 };
    let names = Names { sites: BTreeMap::from([(12, "Médiathèque".into())]), ..Names::default() };
    Conservation::of(frame, &balances.iter().copied().collect(), counted, &names)
}

fn balances() -> Vec<(Account, i64)> {
    let of = Account::of;
    vec![
        (of(AccountKind::Issued), -20),
        (of(AccountKind::Circulation), 19),
        (Account::redeemed_at(SiteId::new(12)), 1),
        (of(AccountKind::Bank), 10_000),
        (of(AccountKind::Float), -9_000),
        (Account::payable_to(SiteId::new(12)), -1_000),
    ]
}

const COUNTED: Counted = Counted { funded: 10, used: 1, face_value_cents: 1_000 };

fn differences(of: &Conservation) -> Vec<i64> {
    of.equalities.iter().map(|equality| equality.difference).collect()
}

#[test]
fn books_that_add_up_show_both_sides_alike() {
    let told = statement(&balances(), COUNTED);
    assert_eq!((differences(&told), told.every_equality_holds), (vec![0, 0, 0], true));
    let float = &told.equalities[1];
    assert_eq!((float.left.amount, float.right_sum), (9_000, 9_000));
    let owed = told.accounts.last().unwrap();
    assert_eq!(
        (owed.side, owed.balance, owed.name.as_deref()),
        (Side::Credit, 1_000, Some("Médiathèque"))
    );
}

#[test]
fn each_equality_fails_by_itself_and_says_by_how_much() {
    for (at, change, expected) in
        [(0, -3, [3, 0, 0]), (3, 50, [0, 0, 50]), (4, -7, [0, 7, -7]), (5, 10, [0, 0, 10])]
    {
        let mut balances = balances();
        balances[at].1 = balances[at].1.saturating_add(change);
        let told = statement(&balances, COUNTED);
        assert_eq!(differences(&told), expected, "{:?}", balances[at]);
        assert!(!told.every_equality_holds);
    }
    let told = statement(&balances(), Counted { used: 2, ..COUNTED });
    assert_eq!(differences(&told), [0, 1_000, 0]);
}

#[test]
fn ranges_sum_by_holder() {
    let range = |first, last, account, holder: Option<i32>| HeldRange {
        first_pass: PassNumber::new(first),
        last_pass: PassNumber::new(last),
        account,
        holder,
        name: holder.map(|holder| format!("Lieu {holder}")),
    };
    let mut totals = Totals::default();
    for range in [
        range(1, 10, AccountKind::Circulation, None),
        range(11, 11, AccountKind::Redeemed, Some(12)),
        range(12, 14, AccountKind::Circulation, None),
        range(15, 16, AccountKind::Redeemed, Some(12)),
    ] {
        totals.add(&range);
    }
    let told: Vec<_> =
        totals.holdings().into_iter().map(|it| (it.holder, it.name, it.passes)).collect();
    assert_eq!(told, [(None, None, 13), (Some(12), Some("Lieu 12".to_owned()), 3)]);
}
