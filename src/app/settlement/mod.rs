//! Sites are paid: what is due until a cut-off is prepared by one person, approved by another, sent to
//! the bank, and proven debited by a document that two people stand for.

mod approve;
mod due;
mod execute;
mod payment_file;
mod prepare;

pub use approve::approve;
pub use due::{DryRun, Exclusion, ExclusionReason, PayoutPreview, WouldFlag, dry_run};
pub use execute::{NewExecution, confirm_execution, declare_execution};
pub(super) use payment_file::make as payment_file_of;
pub use payment_file::{PaymentFile, payment_file};
pub use prepare::{NewSettlement, prepare};

use std::collections::BTreeMap;

use crate::db::Tx;
use crate::db::checkpoints::{self, Head};
use crate::db::executions::{self, Execution};
use crate::db::payouts::{self, Item, Payout, SiteShare};
use crate::db::settlements::{self, Settlement};
use crate::domain::{Action, Actor, Amount, PayoutId, Refusal, Role, SettlementId};
use crate::error::Result;

/// A settlement, its payouts, and the proof of its execution when there is one.
pub struct Details {
    /// The settlement.
    pub settlement: Settlement,
    /// Its payouts, by number.
    pub payouts: Vec<Payout>,
    /// What proves that it was executed.
    pub execution: Option<Execution>,
}

/// A page of a payout's statement (fr: bordereau).
pub struct Statement {
    /// Its lines.
    pub items: Vec<Item>,
    /// The last signed head of the log: whoever keeps the statement keeps a witness of it.
    pub head: Option<Head>,
}

/// One settlement, whole.
pub fn get(tx: &mut Tx<'_>, actor: &Actor, number: SettlementId) -> Result<Details> {
    actor.require(Action::ReadSettlements)?;
    details(tx, number)
}

fn details(tx: &mut Tx<'_>, number: SettlementId) -> Result<Details> {
    Ok(Details {
        settlement: settlements::get(tx, number)?,
        payouts: payouts::of_settlement(tx, number)?,
        execution: executions::find(tx, number)?,
    })
}

/// What a payout pays to each site, in cents, as its receipts say it: so that a site can hold them against its own.
fn cents_by_site(
    shares: &[SiteShare],
    payout: PayoutId,
    face_value: Amount,
) -> BTreeMap<String, i64> {
    let of_it = shares.iter().filter(|share| share.payout == payout && share.passes != 0);
    of_it
        .map(|share| (share.site.to_string(), share.passes.saturating_mul(face_value.cents())))
        .collect()
}

/// A page of settlements by number.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: SettlementId,
    limit: i64,
) -> Result<Vec<Settlement>> {
    actor.require(Action::ReadSettlements)?;
    settlements::page(tx, after, limit)
}

/// A page of the payouts of the actor's organisation.
pub fn own_payouts(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: PayoutId,
    limit: i64,
) -> Result<Vec<Payout>> {
    actor.require(Action::ReadOwnPayouts)?;
    payouts::of_organisation(tx, actor.organisation()?, after, limit)
}

/// A page of a payout's statement (fr: bordereau): one line per pass. An organisation sees its own.
pub fn payout_items(
    tx: &mut Tx<'_>,
    actor: &Actor,
    number: PayoutId,
    after_line: i32,
    limit: i64,
) -> Result<Statement> {
    let payout = payouts::find(tx, number)?;
    let is_own = matches!(actor.role, Role::SiteManager | Role::SiteMediator);
    actor.require(if is_own { Action::ReadOwnPayouts } else { Action::ReadSettlements })?;
    let found = payout.filter(|payout| !is_own || actor.organisation == Some(payout.organisation));
    found.ok_or(Refusal::not_found("payout"))?;
    Ok(Statement {
        items: payouts::items(tx, number, after_line, limit)?,
        head: checkpoints::last(tx)?,
    })
}
