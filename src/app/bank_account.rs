//! Where an organisation is paid: declared by one person, approved by another, and a change waits.

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::db::bank_accounts::{self, BankAccount};
use crate::db::{Tx, programmes, series};
use crate::domain::bank::Iban;
use crate::domain::entry::EntryKind;
use crate::domain::text::Line;
use crate::domain::{Action, Actor, BankAccountId, Refusal, Role};
use crate::error::Result;
use crate::ledger::{self, Entry};

/// How long a new account waits before money follows it, when it takes the place of another: the old
/// contact has time to object.
const COOLING_OFF: TimeDelta = TimeDelta::hours(72);

/// A bank account of the actor's organisation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBankAccount {
    /// Its holder, as the bank knows it: 1 to 70 characters as the payment file writes them.
    pub holder_name: Line,
    /// The account, in the SEPA area.
    #[schema(value_type = String, example = "FR76 3000 6000 0112 3456 7890 189")]
    pub iban: Iban,
}

/// Declares an account; it waits for the operator's accountant.
pub fn declare(tx: &mut Tx<'_>, actor: &Actor, new: &NewBankAccount) -> Result<BankAccount> {
    actor.require(Action::DeclareBankAccount)?;
    if crate::export::pain001::fold(new.holder_name.as_str()).chars().count() > 70 {
        return Err(Refusal::invalid(
            "holder_name",
            "un nom de 70 caractères au plus est attendu, tel que la banque le connaît",
        )
        .into());
    }
    let number = BankAccountId::new(series::next(tx, "bank_account")?);
    bank_accounts::insert(
        tx,
        number,
        actor.organisation()?,
        new.holder_name.as_str(),
        new.iban.as_str(),
        actor.user,
    )?;
    let account = bank_accounts::lock(tx, number)?;
    record(tx, actor, EntryKind::BankAccountDeclaration, &account)?;
    Ok(account)
}

/// Approves an account that another person declared. The first of an organisation may be used at once;
/// one that follows another, after 72 hours.
pub fn approve(tx: &mut Tx<'_>, actor: &Actor, number: BankAccountId) -> Result<BankAccount> {
    actor.require(Action::ApproveBankAccount)?;
    let account = bank_accounts::lock(tx, number)?;
    if account.approved_by.is_some() {
        return Err(Refusal::wrong_state("bank_account", "il est déjà approuvé").into());
    }
    if account.declared_by == actor.user {
        return Err(Refusal::MakerIsChecker.into());
    }
    let waits = bank_accounts::has_approved(tx, account.organisation)?;
    let usable_from =
        if waits { tx.now.checked_add_signed(COOLING_OFF).unwrap_or(tx.now) } else { tx.now };
    bank_accounts::set_approved(tx, number, actor.user, usable_from)?;
    let account = bank_accounts::lock(tx, number)?;
    record(tx, actor, EntryKind::BankAccountApproval, &account)?;
    Ok(account)
}

fn record(tx: &mut Tx<'_>, actor: &Actor, kind: EntryKind, account: &BankAccount) -> Result<()> {
    let facts = json!({ "bank_account": account.number, "organisation": account.organisation });
    let entry =
        Entry::new(tx, kind, actor.user, facts).changed("bank_accounts", account.number.get());
    let code = programmes::current(tx)?.code;
    ledger::record(tx, &code, entry)?;
    Ok(())
}

/// A page of accounts: an organisation sees its own.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: BankAccountId,
    limit: i64,
) -> Result<Vec<BankAccount>> {
    actor.require(Action::ReadBankAccounts)?;
    let own = if actor.role == Role::SiteManager { Some(actor.organisation()?) } else { None };
    bank_accounts::page(tx, own, after, limit)
}
