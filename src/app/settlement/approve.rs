//! Another person approves what one has prepared, and the debt to sites becomes an order to the bank.

use serde_json::json;

use super::{Details, cents_by_site, details};
use crate::db::payouts::{self, Payout, SiteShare};
use crate::db::{Tx, programmes, settlements};
use crate::domain::account::{Account, AccountKind};
use crate::domain::entry::EntryKind;
use crate::domain::{Action, Actor, Amount, Refusal, SettlementId};
use crate::error::Result;
use crate::ledger::{self, Entry};

/// Approves a settlement. Maker is never checker.
pub fn approve(tx: &mut Tx<'_>, actor: &Actor, number: SettlementId) -> Result<Details> {
    actor.require(Action::ApproveSettlement)?;
    let settlement = settlements::lock(tx, number)?;
    if settlement.approved_by.is_some() {
        return Err(Refusal::wrong_state("settlement", "il est déjà approuvé").into());
    }
    if settlement.prepared_by == actor.user {
        return Err(Refusal::MakerIsChecker.into());
    }
    settlements::set_approved(tx, number, actor.user)?;
    let programme = programmes::current(tx)?;
    let shares = payouts::shares(tx, number)?;
    let payouts = payouts::of_settlement(tx, number)?;
    let facts = json!({ "settlement": number, "payouts": payouts.len() });
    let approval = Entry::new(tx, EntryKind::SettlementApproval, actor.user, facts)
        .changed("settlements", number.get());
    let orders = payouts
        .iter()
        .map(|payout| order_payment(tx, actor, payout, &shares, programme.face_value));
    let entries: Result<Vec<Entry>> = std::iter::once(Ok(approval)).chain(orders).collect();
    ledger::record_all(tx, &programme.code, entries?)?;
    details(tx, number)
}

/// What is owed to each site of the payout, less its incidents, goes in transit to the bank.
fn order_payment(
    tx: &Tx<'_>,
    actor: &Actor,
    payout: &Payout,
    shares: &[SiteShare],
    face_value: Amount,
) -> Result<Entry> {
    let facts = json!({
        "payout": payout.number.get(), "settlement": payout.settlement, "organisation": payout.organisation,
        "end_to_end_id": payout.end_to_end_id, "items": payout.items, "amount_cents": payout.amount_cents,
        "sites": cents_by_site(shares, payout.number, face_value),
    });
    let mut entry = Entry::new(tx, EntryKind::PayoutApproval, actor.user, facts);
    let of_it = shares.iter().filter(|share| share.payout == payout.number && share.passes != 0);
    for share in of_it {
        let amount = face_value
            .times(share.passes.saturating_abs())
            .ok_or_else(|| anyhow::anyhow!("a share past all bounds"))?;
        let (site, bank) =
            (Account::payable_to(share.site), Account::of(AccountKind::InTransitToBank));
        // A site that owes more than it is owed is made up for by the others of its organisation.
        entry = if share.passes > 0 {
            entry.money(site, bank, amount)
        } else {
            entry.money(bank, site, amount)
        };
    }
    Ok(entry)
}
