//! What a settlement would pay, whom, and what it would leave out and why. The dry run and the real one
//! are the same function.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::flag;
use crate::db::bank_accounts::{self, BankAccount};
use crate::db::payouts::NewItem;
use crate::db::redemptions::{self, Due};
use crate::db::{Tx, programmes};
use crate::domain::flag::FlagKind;
use crate::domain::money::Money;
use crate::domain::{Action, Actor, BusinessDate, OrganisationId, RedemptionId, Refusal, SiteId};
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
    /// What is left out, by organisation and reason.
    pub exclusions: Vec<Exclusion>,
    /// What preparing it would flag, and so hold; flags raised already are listed with the others.
    pub would_flag: Vec<WouldFlag>,
}

/// A flag that would be raised.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WouldFlag {
    /// Where.
    pub site: SiteId,
    /// What is odd.
    pub kind: FlagKind,
    /// The same, in French, with its figures.
    pub explanation: String,
    /// How many passes it would hold.
    pub items: i64,
}

/// A payout that would be made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PayoutPreview {
    /// To whom.
    pub organisation: OrganisationId,
    /// How many passes it pays.
    pub items: i64,
    /// How many incidents it deducts.
    pub deductions: i64,
    /// How much, all in all.
    pub payable: Money,
}

/// Passes that would be left out, and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Exclusion {
    /// Whose.
    pub organisation: OrganisationId,
    /// How many passes.
    pub items: i64,
    /// How many incidents stay to be deducted.
    pub deductions: i64,
    /// How much stays due; less than nothing when more is to be deducted than to be paid.
    pub left_due: Money,
    /// Why.
    pub reason: ExclusionReason,
}

/// Why passes are not paid yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExclusionReason {
    /// Their organisation has no bank account that was approved and has cooled off.
    NoUsableBankAccount,
    /// Its incidents come to as much as its redemptions, or more: all of it waits for the next settlement.
    DeductedInFull,
    /// A flag holds them, and no others, until somebody has decided; or it was upheld.
    HeldByFlag,
}

/// What is due to one organisation, and the account it goes to if there is one.
pub(super) struct Claim {
    pub organisation: OrganisationId,
    /// What a payout would list: redemptions to pay, then incidents to deduct.
    pub items: Vec<NewItem>,
    /// How many more are held by flags.
    pub held: i64,
    pub account: Option<BankAccount>,
}

impl Claim {
    /// Lines that pay, and lines that deduct.
    fn counts(&self) -> (i64, i64) {
        let deducted = self.items.iter().filter(|item| item.incident.is_some()).count();
        let paid = self.items.len().saturating_sub(deducted);
        (count(paid), count(deducted))
    }

    /// Passes that it pays all in all.
    pub fn net(&self) -> i64 {
        let (paid, deducted) = self.counts();
        paid.saturating_sub(deducted)
    }

    /// Why it can't be paid now.
    pub fn hindrance(&self) -> Option<ExclusionReason> {
        match self.account {
            None => Some(ExclusionReason::NoUsableBankAccount),
            Some(_) if self.net() <= 0 => Some(ExclusionReason::DeductedInFull),
            Some(_) => None,
        }
    }
}

/// Everything due until the end of `cut_off_on`, by organisation. `odd` is held too, though no flag says so yet.
pub(super) fn claims(
    tx: &mut Tx<'_>,
    cut_off_on: BusinessDate,
    odd: &BTreeSet<RedemptionId>,
) -> Result<Vec<Claim>> {
    let due = redemptions::due(tx, cut_off_on.end())?;
    let now = tx.now;
    let mut accounts: BTreeMap<OrganisationId, BankAccount> = bank_accounts::usable_at(tx, now)?
        .into_iter()
        .map(|account| (account.organisation, account))
        .collect();
    let mut claims: Vec<Claim> = Vec::new();
    for Due { organisation, pass, cycle, incident, is_held, .. } in due {
        let of = RedemptionId { pass, cycle };
        if claims.last().is_none_or(|claim| claim.organisation != organisation) {
            let account = accounts.remove(&organisation);
            claims.push(Claim { organisation, items: Vec::new(), held: 0, account });
        }
        let Some(claim) = claims.last_mut() else { continue };
        if incident.is_none() && (is_held || odd.contains(&of)) {
            claim.held = claim.held.saturating_add(1);
        } else {
            claim.items.push(NewItem { of, incident });
        }
    }
    Ok(claims)
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
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

/// Shows what a settlement would pay, and writes nothing: what it would flag is left out as if it were flagged.
pub fn dry_run(tx: &mut Tx<'_>, actor: &Actor, cut_off_on: BusinessDate) -> Result<DryRun> {
    actor.require(Action::PrepareSettlement)?;
    ensure_over(tx, cut_off_on)?;
    let face_value = programmes::current(tx)?.face_value.cents();
    let findings = flag::examine(tx, cut_off_on.end())?;
    let odd = findings.iter().flat_map(|finding| finding.held.iter().copied()).collect();
    let would_flag = findings.iter().map(|finding| WouldFlag {
        site: finding.site,
        kind: finding.facts.kind(),
        explanation: finding.facts.explained(),
        items: count(finding.held.len()),
    });
    let mut run = DryRun {
        cut_off_on,
        payable: 0.into(),
        payouts: Vec::new(),
        exclusions: Vec::new(),
        would_flag: would_flag.collect(),
    };
    for claim in claims(tx, cut_off_on, &odd)? {
        run.add(&claim, face_value);
    }
    Ok(run)
}

impl DryRun {
    fn add(&mut self, claim: &Claim, face_value: i64) {
        let organisation = claim.organisation;
        let (items, deductions) = claim.counts();
        let worth: Money = claim.net().saturating_mul(face_value).into();
        match claim.hindrance() {
            _ if claim.items.is_empty() => {}
            None => {
                self.payable = self.payable.amount_cents.saturating_add(worth.amount_cents).into();
                self.payouts.push(PayoutPreview {
                    organisation,
                    items,
                    deductions,
                    payable: worth,
                });
            }
            Some(reason) => self.exclusions.push(Exclusion {
                organisation,
                items,
                deductions,
                left_due: worth,
                reason,
            }),
        }
        if claim.held > 0 {
            self.exclusions.push(Exclusion {
                organisation,
                items: claim.held,
                deductions: 0,
                left_due: claim.held.saturating_mul(face_value).into(),
                reason: ExclusionReason::HeldByFlag,
            });
        }
    }
}
