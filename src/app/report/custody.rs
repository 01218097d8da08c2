//! Where every pass was on a day, and the sums of both books then.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::db::{Tx, transfers};
use crate::domain::account::{Account, AccountKind, Book};
use crate::domain::{Action, Actor, PassNumber, Timestamp};
use crate::error::Result;
use crate::ledger::verify::Books;

/// A range of passes and who held it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HeldRange {
    /// First pass of the range.
    pub first_pass: PassNumber,
    /// Last pass of the range, included.
    pub last_pass: PassNumber,
    /// The account it lay in.
    pub account: AccountKind,
    /// Number of the prescriber or site, for accounts that have one.
    pub holder: Option<i32>,
}

/// Who held each pass at `at`, as it was known at `known_at`.
pub fn custody(
    tx: &mut Tx<'_>,
    actor: &Actor,
    at: Timestamp,
    known_at: Timestamp,
) -> Result<Vec<HeldRange>> {
    actor.require(Action::ReadReports)?;
    let held = transfers::custody(tx, at, known_at)?;
    held.into_iter()
        .map(|held| {
            let account = Account::from_id(held.account)
                .ok_or_else(|| anyhow::anyhow!("account {} is of no kind", held.account))?;
            Ok(HeldRange {
                first_pass: held.first_pass,
                last_pass: held.last_pass,
                account: account.kind(),
                holder: account.holder(),
            })
        })
        .collect()
}

/// The balances of both books, by kind of account, and what does not add up: nothing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Conservation {
    /// Passes, by kind of account.
    pub passes: BTreeMap<AccountKind, i64>,
    /// Cents, by kind of account.
    pub eur_cents: BTreeMap<AccountKind, i64>,
    /// Issued, less what lies somewhere: 0.
    pub conservation_pass: i64,
    /// Cash, less what is owed: 0.
    pub conservation_eur_cents: i64,
}

/// The conservation statement of what had happened until `at`.
pub fn conservation(tx: &mut Tx<'_>, actor: &Actor, at: Timestamp) -> Result<Conservation> {
    use strum::VariantArray;
    actor.require(Action::ReadReports)?;
    let books = Books::at(tx, at)?;
    let of_book = |book: Book| AccountKind::VARIANTS.iter().filter(move |kind| kind.book() == book);
    // Each shown as what it is: holdings and cash by their debits, issues and debts by their credits.
    let shown = |kind: &AccountKind| match kind {
        AccountKind::Issued => books.credit(*kind),
        AccountKind::Bank => books.debit(*kind),
        kind if kind.book() == Book::Pass => books.debit(*kind),
        kind => books.credit(*kind),
    };
    Ok(Conservation {
        passes: of_book(Book::Pass).map(|kind| (*kind, shown(kind))).collect(),
        eur_cents: of_book(Book::Eur).map(|kind| (*kind, shown(kind))).collect(),
        conservation_pass: books.conservation_pass(),
        conservation_eur_cents: books.conservation_eur_cents(),
    })
}
