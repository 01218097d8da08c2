//! What a settlement would pay, whom, and what it would leave out and why. The dry run and the real one
//! are the same function.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::db::bank_accounts::{self, BankAccount};
use crate::db::redemptions::{self, Due};
use crate::db::{Tx, programmes};
use crate::domain::money::Money;
use crate::domain::{Action, Actor, BusinessDate, OrganisationId, RedemptionId, Refusal};
use crate::error::Result;

/// What a settlement would come to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DryRun {
    /// Redemptions of this day are the last to be in it.
    pub cut_off_on: BusinessDate,
    /// Sum of its payouts.
    pub payable: Money,
    /// One per organisation that can be paid.
    pub payouts: Vec<PayoutPreview>,
    /// One per organisation that can't.
    pub exclusions: Vec<Exclusion>,
}

/// A payout that would be made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PayoutPreview {
    /// To whom.
    pub organisation: OrganisationId,
    /// How many passes.
    pub items: i64,
    /// How much.
    pub payable: Money,
}

/// Passes that would be left out, and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Exclusion {
    /// Whose.
    pub organisation: OrganisationId,
    /// How many passes.
    pub items: i64,
    /// How much stays due.
    pub left_due: Money,
    /// Why.
    pub reason: ExclusionReason,
}

/// Why an organisation is not paid yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExclusionReason {
    /// It has no bank account that was approved and has cooled off.
    NoUsableBankAccount,
}

/// What is due to one organisation, and the account it goes to if there is one.
pub(super) struct Claim {
    pub organisation: OrganisationId,
    pub items: Vec<RedemptionId>,
    pub account: Option<BankAccount>,
}

/// Everything due until the end of `cut_off_on`, by organisation.
pub(super) fn claims(tx: &mut Tx<'_>, cut_off_on: BusinessDate) -> Result<Vec<Claim>> {
    let due = redemptions::due(tx, cut_off_on.end())?;
    let now = tx.now;
    let mut accounts: BTreeMap<OrganisationId, BankAccount> = bank_accounts::usable_at(tx, now)?
        .into_iter()
        .map(|account| (account.organisation, account))
        .collect();
    let mut claims: Vec<Claim> = Vec::new();
    for Due { organisation, pass, cycle, .. } in due {
        let item = RedemptionId { pass, cycle };
        match claims.last_mut().filter(|claim| claim.organisation == organisation) {
            Some(claim) => claim.items.push(item),
            None => claims.push(Claim {
                organisation,
                items: vec![item],
                account: accounts.remove(&organisation),
            }),
        }
    }
    Ok(claims)
}

/// Refuses a cut-off that is not over.
pub(super) fn ensure_over(tx: &Tx<'_>, cut_off_on: BusinessDate) -> Result<(), Refusal> {
    if cut_off_on < tx.today() {
        Ok(())
    } else {
        Err(Refusal::invalid(
            "cut_off_on",
            format!(
                "une date d'arrêté avant le {} est attendue : la journée doit être finie",
                tx.today()
            ),
        ))
    }
}

/// Shows what a settlement would pay, and writes nothing.
pub fn dry_run(tx: &mut Tx<'_>, actor: &Actor, cut_off_on: BusinessDate) -> Result<DryRun> {
    actor.require(Action::PrepareSettlement)?;
    ensure_over(tx, cut_off_on)?;
    let face_value = programmes::current(tx)?.face_value.cents();
    let mut run =
        DryRun { cut_off_on, payable: 0.into(), payouts: Vec::new(), exclusions: Vec::new() };
    for claim in claims(tx, cut_off_on)? {
        let items = i64::try_from(claim.items.len()).unwrap_or(i64::MAX);
        let worth: Money = items.saturating_mul(face_value).into();
        if claim.account.is_some() {
            run.payable = run.payable.amount_cents.saturating_add(worth.amount_cents).into();
            run.payouts.push(PayoutPreview {
                organisation: claim.organisation,
                items,
                payable: worth,
            });
        } else {
            let reason = ExclusionReason::NoUsableBankAccount;
            run.exclusions.push(Exclusion {
                organisation: claim.organisation,
                items,
                left_due: worth,
                reason,
            });
        }
    }
    Ok(run)
}
