//! `souche verify` on the live database: what the rules promise, recomputed from the journal.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::bound;
use crate::db::{Tx, audit, transfers};
use crate::domain::account::{Account, AccountKind, Book};
use crate::error::Result;

/// One rule held against the journal.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Check {
    /// Stable name of the check.
    pub code: &'static str,
    /// What must be true, in French.
    pub rule: &'static str,
    /// Is it?
    pub holds: bool,
    /// How far from true: passes, cents or rows; 0 when it holds.
    pub difference: i64,
    /// The first that breaks it, by name.
    pub first: Option<String>,
}

/// The balance of every account: debits less credits, in passes or cents.
pub struct Books {
    balances: BTreeMap<Account, i64>,
    /// Ids that are no account's.
    strangers: Vec<i32>,
}

impl Books {
    /// Sums every transfer, those of a machine whose clock is ahead of ours included: what the books
    /// are held against knows no date either.
    pub fn read(tx: &mut Tx<'_>) -> Result<Self> {
        Self::until(tx, None)?.sound()
    }

    /// The same, of what happened until `at`, included.
    pub fn at(tx: &mut Tx<'_>, at: crate::domain::Timestamp) -> Result<Self> {
        Self::until(tx, Some(at))?.sound()
    }

    /// Refuses to add up what is in no account.
    fn sound(self) -> Result<Self> {
        match self.strangers.first() {
            None => Ok(self),
            Some(id) => Err(anyhow::anyhow!("account {id} is of no kind").into()),
        }
    }

    fn until(tx: &mut Tx<'_>, at: Option<crate::domain::Timestamp>) -> Result<Self> {
        let (mut balances, mut strangers) = (BTreeMap::new(), Vec::new());
        for turnover in transfers::turnovers(tx, at)? {
            match Account::from_id(turnover.account) {
                Some(account) => {
                    balances.insert(account, turnover.debits.saturating_sub(turnover.credits));
                }
                None => strangers.push(turnover.account),
            }
        }
        Ok(Self { balances, strangers })
    }

    /// The sum of the balances of all accounts of a kind: debits less credits.
    pub fn debit(&self, kind: AccountKind) -> i64 {
        self.balances
            .iter()
            .filter(|(account, _)| account.kind() == kind)
            .map(|(_, balance)| *balance)
            .sum()
    }

    /// The same, credits less debits.
    pub fn credit(&self, kind: AccountKind) -> i64 {
        self.debit(kind).saturating_neg()
    }

    /// Balance of one account: debits less credits.
    pub fn balance(&self, account: Account) -> i64 {
        self.balances.get(&account).copied().unwrap_or(0)
    }

    /// Every account and its balance, in the order of kinds and holders.
    pub fn accounts(&self) -> impl Iterator<Item = (Account, i64)> {
        self.balances.iter().map(|(account, balance)| (*account, *balance))
    }

    /// Rule 6: what was issued, less what lies somewhere. Zero, always.
    pub fn conservation_pass(&self) -> i64 {
        let somewhere: i64 = self
            .accounts()
            .filter(|(account, _)| {
                account.kind().book() == Book::Pass && account.kind() != AccountKind::Issued
            })
            .map(|(_, balance)| balance)
            .sum();
        self.credit(AccountKind::Issued).saturating_sub(somewhere)
    }

    /// Rule 7: cash, less everything that is owed. Zero, always.
    pub fn conservation_eur_cents(&self) -> i64 {
        let owed = [
            AccountKind::FundsReceived,
            AccountKind::Float,
            AccountKind::Payable,
            AccountKind::InTransitToBank,
            AccountKind::RefundDue,
            AccountKind::Fees,
        ];
        self.debit(AccountKind::Bank)
            .saturating_sub(owed.into_iter().map(|kind| self.credit(kind)).sum())
    }
}

/// Every check, in the order of the rules (ARCHITECTURE.md). Reads only.
pub fn verify(tx: &mut Tx<'_>) -> Result<Vec<Check>> {
    let books = Books::until(tx, None)?;
    let face_value = audit::face_value_cents(tx)?;
    let minted = audit::minted(tx)?;
    let unspent = audit::funded_and_unspent(tx)?;
    let mut checks = vec![
        number(
            "conservation_pass",
            "Tout pass émis est quelque part, une seule fois",
            books.conservation_pass(),
        ),
        number(
            "issued_is_minted",
            "Le livre des pass compte autant de pass que la base en contient",
            books.credit(AccountKind::Issued).saturating_sub(minted),
        ),
        number(
            "float_covers_passes",
            "La contre-valeur détenue est celle des pass financés et non utilisés",
            books.credit(AccountKind::Float).saturating_sub(face_value.saturating_mul(unspent)),
        ),
        number(
            "conservation_eur",
            "L'argent en banque est exactement ce qui est dû",
            books.conservation_eur_cents(),
        ),
    ];
    checks.push(negative_balances(&books));
    checks.push(strangers(&books));
    for (code, rule, query) in audit::CHECKS {
        let found = audit::run(tx, query)?;
        checks.push(Check {
            code,
            rule,
            holds: found.n == 0,
            difference: found.n,
            first: found.first,
        });
    }
    checks.extend(bound::checks(tx)?);
    checks.extend(super::verify_log::verify(tx)?);
    checks.push(super::samples::verify(tx, None)?);
    Ok(checks)
}

fn number(code: &'static str, rule: &'static str, difference: i64) -> Check {
    Check { code, rule, holds: difference == 0, difference, first: None }
}

/// Every transfer is between accounts of the two books.
fn strangers(books: &Books) -> Check {
    let n = i64::try_from(books.strangers.len()).unwrap_or(i64::MAX);
    let first = books.strangers.first().map(ToString::to_string);
    Check {
        code: "accounts_are_of_a_kind",
        rule: "Chaque mouvement va d'un compte du plan à un autre",
        holds: n == 0,
        difference: n,
        first,
    }
}

/// A holder can't hold fewer passes than none, nor be owed less than nothing. A site can, between an incident and
/// the settlement that deducts it: what it is owed is checked to the cent by `payable_is_what_is_owed`.
fn negative_balances(books: &Books) -> Check {
    let held = |account: Account, balance: i64| match account.kind() {
        AccountKind::Issued => balance.saturating_neg(),
        kind if kind.book() == Book::Pass || kind == AccountKind::Bank => balance,
        _ => balance.saturating_neg(),
    };
    let first = books
        .accounts()
        .filter(|(account, _)| account.kind() != AccountKind::Payable)
        .find(|(account, balance)| held(*account, *balance) < 0);
    Check {
        code: "no_negative_holding",
        rule: "Aucun compte ne détient moins que rien",
        holds: first.is_none(),
        difference: first.map_or(0, |(account, balance)| held(account, balance).abs()),
        first: first.map(|(account, _)| account.to_string()),
    }
}
