//! What a settlement has taken, its site can't undo: the operator records an incident, the pass goes back to its
//! holder, and the next settlement of that organisation deducts what was paid.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::redemption::undo;
use crate::db::incidents::{self, Incident};
use crate::db::{Tx, passes, payouts, redemptions, series, voids};
use crate::domain::text::Line;
use crate::domain::{Action, Actor, IncidentId, RedemptionId, Refusal};
use crate::error::Result;
use crate::ledger::Receipt;

/// A settled redemption to be undone, and why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIncident {
    /// Which: pass and cycle.
    #[schema(value_type = String, example = "0412733-1")]
    pub redemption: RedemptionId,
    /// In the operator's words; the site reads it.
    pub reason: Line,
}

/// Records an incident: one more entry, which points at the redemption's. The money comes back with the next
/// settlement, which one person prepares and another approves.
pub fn record(tx: &mut Tx<'_>, actor: &Actor, new: &NewIncident) -> Result<Receipt> {
    actor.require(Action::RecordIncident)?;
    let of = new.redemption;
    // As for a void: the pass's lock decides between what arrives together.
    let locked = passes::lock(tx, &[of.pass])?;
    let found = redemptions::find(tx, of)?.ok_or(Refusal::not_found("redemption"))?;
    if voids::exists(tx, of)? {
        return Err(Refusal::AlreadyVoided.into());
    }
    if payouts::of_redemption(tx, of)?.is_none() {
        return Err(Refusal::NotSettled.into());
    }
    let pass = locked.first().ok_or(Refusal::not_found("redemption"))?;
    let number = IncidentId::new(series::next(tx, "incident_number")?);
    undo(tx, actor, &found, pass, &new.reason, Some(number))
}

/// A page of incidents by number: those of a site see their own.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: IncidentId,
    limit: i64,
) -> Result<Vec<Incident>> {
    actor.require(Action::ReadIncidents)?;
    incidents::page(tx, actor.only_of()?, after, limit)
}
