//! A site undoes its own redemption, until it is in a settlement.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::db::passes::Pass;
use crate::db::redemptions::Redemption;
use crate::db::{Tx, incidents, passes, payouts, programmes, redemptions, sites, voids};
use crate::domain::account::{Account, AccountKind};
use crate::domain::entry::EntryKind;
use crate::domain::text::Line;
use crate::domain::{Action, Actor, IncidentId, RedemptionId, Refusal};
use crate::error::Result;
use crate::ledger::{self, Entry, Receipt};

/// Why a redemption is undone.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVoid {
    /// In the site's words.
    pub reason: Line,
}

/// Undoes a redemption: one more entry, which points at the first, and the pass is good again.
pub fn void(tx: &mut Tx<'_>, actor: &Actor, of: RedemptionId, new: &NewVoid) -> Result<Receipt> {
    actor.require(Action::VoidRedemption)?;
    // The pass's lock decides between a void, a redemption and a settlement that arrive together.
    let locked = passes::lock(tx, &[of.pass])?;
    let found = redemptions::find(tx, of)?.ok_or(Refusal::not_found("redemption"))?;
    let site = sites::get(tx, found.site)?;
    if site.organisation != actor.organisation()?
        || actor.site.is_some_and(|own| own != site.number)
    {
        return Err(Refusal::not_found("redemption").into());
    }
    if voids::exists(tx, of)? {
        return Err(Refusal::AlreadyVoided.into());
    }
    if payouts::of_redemption(tx, of)?.is_some() {
        return Err(Refusal::AlreadySettled.into());
    }
    let pass = locked.first().ok_or(Refusal::not_found("redemption"))?;
    undo(tx, actor, &found, pass, &new.reason, None)
}

/// Writes the opposite of a redemption, gives its locked pass back to its holder, and lets it be redeemed again in
/// its next cycle: a void, or the incident of that number.
pub(in crate::app) fn undo(
    tx: &mut Tx<'_>,
    actor: &Actor,
    found: &Redemption,
    pass: &Pass,
    reason: &Line,
    incident: Option<IncidentId>,
) -> Result<Receipt> {
    let at = ledger::after(tx, pass.changed_at);
    let of = RedemptionId { pass: found.pass, cycle: found.cycle };
    let programme = programmes::current(tx)?;
    // The reason is free text, which may name somebody: it stays out of the receipt.
    let facts = json!({
        "redemption": of, "pass": of.pass, "site": found.site, "amount_cents": programme.face_value,
    });
    let kind = if incident.is_some() { EntryKind::Incident } else { EntryKind::Void };
    let entry = Entry::new(tx, kind, actor.user, facts)
        .passes(Account::of(AccountKind::Circulation), Account::redeemed_at(found.site), of.pass, 1)
        .money(
            Account::payable_to(found.site),
            Account::of(AccountKind::Float),
            programme.face_value,
        )
        .at(at);
    voids::insert(tx, of, entry.id, reason.as_str())?;
    if passes::restore(tx, of.pass, at)? != 1 {
        return Err(anyhow::anyhow!(
            "pass {} was not redeemed when its redemption was undone",
            of.pass
        )
        .into());
    }
    let mut entry = Entry { corrects: Some(found.entry_id), ..entry.wrote("voids") };
    if let Some(number) = incident {
        incidents::insert(tx, number, of)?;
        entry = entry.wrote("incidents");
    }
    ledger::record(tx, &programme.code, entry)
}
