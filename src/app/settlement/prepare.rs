//! A settlement is made of everything due until its cut-off.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::due::{self, Claim};
use super::{Details, details};
use crate::app::flag;
use crate::db::payouts::{self, Payout};
use crate::db::programmes::{self, Programme};
use crate::db::settlements::{self, Settlement};
use crate::db::{Tx, flags, passes, redemptions, series};
use crate::domain::bank::end_to_end_id;
use crate::domain::entry::EntryKind;
use crate::domain::{
    Action, Actor, BusinessDate, EntryId, PassNumber, PayoutId, Refusal, SettlementId,
};
use crate::error::Result;
use crate::ledger::{self, Entry};

/// A settlement to be prepared.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSettlement {
    /// Redemptions of this day are the last to be in it; the day must be over.
    pub cut_off_on: BusinessDate,
    /// The day on which the bank is to debit: after today.
    pub execution_on: BusinessDate,
}

/// Prepares a settlement: one payout per organisation with a usable account. From here no site can void
/// what is in it. It waits for another person's approval.
pub fn prepare(tx: &mut Tx<'_>, actor: &Actor, new: NewSettlement) -> Result<Details> {
    actor.require(Action::PrepareSettlement)?;
    due::ensure_over(tx, new.cut_off_on)?;
    if new.execution_on <= tx.today() || new.execution_on > tx.today().plus_days(90) {
        return Err(Refusal::invalid(
            "execution_on",
            "une date d'exécution à venir, d'ici 90 jours, est attendue",
        )
        .into());
    }
    lock_passes(tx, new.cut_off_on)?;
    // Nothing is paid before it was examined.
    let findings = flag::examine(tx, new.cut_off_on.end())?;
    flag::raise(tx, actor, findings)?;
    let payable: Vec<Claim> = due::claims(tx, new.cut_off_on, &BTreeSet::new())?
        .into_iter()
        .filter(|claim| claim.hindrance().is_none())
        .collect();
    if payable.is_empty() {
        return Err(Refusal::NothingToPay { cut_off: new.cut_off_on }.into());
    }
    let number = SettlementId::new(series::next(tx, "settlement")?);
    let settlement = Settlement {
        number,
        cut_off_on: new.cut_off_on,
        execution_on: new.execution_on,
        prepared_by: actor.user,
        // Past every decision that it goes by, whichever transaction began first.
        prepared_at: flags::last_decided_at(tx)?.map_or(tx.now, |last| ledger::after(tx, last)),
        approved_by: None,
        approved_at: None,
    };
    settlements::insert(tx, &settlement)?;
    let first =
        series::take(tx, "payout", i32::try_from(payable.len()).map_err(anyhow::Error::from)?)?;
    let programme = programmes::current(tx)?;
    let facts = json!({
        "settlement": number, "cut_off_on": new.cut_off_on, "execution_on": new.execution_on, "payouts": payable.len(),
    });
    let entry = Entry::new(tx, EntryKind::SettlementPreparation, actor.user, facts);
    for (claim, n) in payable.into_iter().zip(0..) {
        let payout = PayoutId::new(first).plus(n);
        write_payout(tx, &programme, (number, entry.id), payout, claim)?;
    }
    let entry = entry.wrote("payouts").wrote("payout_items").changed("settlements", number.get());
    ledger::record(tx, &programme.code, entry)?;
    details(tx, number)
}

/// Locks the passes of everything due, in the order of their numbers, so that no void, incident or decision slips in between:
/// whoever comes first wins. What is due is then read again.
fn lock_passes(tx: &mut Tx<'_>, cut_off_on: BusinessDate) -> Result<()> {
    let due = redemptions::due(tx, cut_off_on.end())?;
    let mut numbers: Vec<PassNumber> = due.into_iter().map(|due| due.pass).collect();
    numbers.sort_unstable();
    numbers.dedup();
    passes::lock(tx, &numbers)?;
    Ok(())
}

fn write_payout(
    tx: &mut Tx<'_>,
    programme: &Programme,
    (settlement, entry): (SettlementId, EntryId),
    number: PayoutId,
    claim: Claim,
) -> Result<()> {
    let net = claim.net();
    let account = claim.account.ok_or_else(|| anyhow::anyhow!("a payout without an account"))?;
    let account_approved_by = account
        .approved_by
        .ok_or_else(|| anyhow::anyhow!("a usable account that nobody approved"))?;
    let n_items = i32::try_from(claim.items.len()).map_err(anyhow::Error::from)?;
    let amount_cents = programme
        .face_value
        .times(net)
        .ok_or_else(|| anyhow::anyhow!("a payout past all bounds"))?;
    let payout = Payout {
        number,
        settlement,
        organisation: claim.organisation,
        bank_account: account.number,
        account_approved_by,
        holder_name: account.holder_name,
        iban: account.iban,
        end_to_end_id: end_to_end_id(programme.code.as_str(), number.get().unsigned_abs().into()),
        items: n_items,
        amount_cents,
        entry_id: Some(entry),
    };
    payouts::insert(tx, &payout, programme.face_value, &claim.items)
}
