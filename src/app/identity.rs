//! Who received a booklet: read one person at a time, for a reason, and never without a trace (docs/decisions/0034).

use serde::Serialize;
use utoipa::ToSchema;

use crate::db::{Tx, beneficiaries, hand_overs};
use crate::domain::person::Person;
use crate::domain::{Action, Actor, HandOverId, Refusal, Role};
use crate::error::Result;
use crate::keys::Keys;

/// A person who received a booklet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Identity {
    /// The hand-over that was asked about.
    pub hand_over: HandOverId,
    /// Who the booklet was handed to.
    pub person: Person,
}

/// Opens the identity behind a hand-over: for the operator, and for the prescriber that handed the booklet over.
/// Another prescriber's is not found. The reason stands in the address, and so in the trace.
pub fn read(tx: &mut Tx<'_>, actor: &Actor, keys: &Keys, number: HandOverId) -> Result<Identity> {
    actor.require(Action::ReadIdentity)?;
    let only_of = match actor.role {
        Role::OperatorAdmin => None,
        _ => Some(actor.organisation()?),
    };
    let person_key = hand_overs::person_of(tx, number, only_of)?;
    let person_key = person_key.ok_or_else(|| Refusal::not_found("hand_over"))?;
    let sealed = beneficiaries::identity_sealed(tx, &person_key)?;
    let plain = keys.unseal("identity", &sealed)?;
    let person = serde_json::from_slice(&plain).map_err(anyhow::Error::from)?;
    Ok(Identity { hand_over: number, person })
}
