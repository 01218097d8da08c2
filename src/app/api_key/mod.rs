//! API keys, for the programs of integrators. A key is an account of its own, with a role in one programme
//! and no password; its secret is shown once.

mod ring;

use chrono::TimeDelta;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

pub use ring::{Known, Ring};

use super::access::NO_PASSWORD;
use crate::db::api_keys::{self, ApiKey};
use crate::db::{Tx, organisations, sites, users};
use crate::domain::api_key::ApiKeySecret;
use crate::domain::text::{Email, Line};
use crate::domain::{Action, Actor, OrganisationId, ProgrammeId, Refusal, Role, SiteId, UserId};
use crate::error::Result;
use crate::keys::{hex, random};

/// Longest life of a key: two years.
const MAX_DAYS: u32 = 731;
/// Longest time during which both secrets of a key are good: a week.
const MAX_OVERLAP_HOURS: u32 = 168;

/// A key to be made, in the caller's programme.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// Which program it is for.
    pub name: Line,
    /// What the program may do: none of the roles that approve or pay.
    pub role: Role,
    /// For prescribers and sites: whose.
    #[serde(default)]
    pub organisation: Option<OrganisationId>,
    /// For a mediator: where.
    #[serde(default)]
    pub site: Option<SiteId>,
    /// Days until it ends, 1 to 731.
    #[schema(minimum = 1, maximum = 731)]
    pub days: u32,
}

/// A secret to be replaced.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Hours during which the old secret stays good, 0 to 168.
    #[schema(minimum = 0, maximum = 168)]
    pub overlap_hours: u32,
}

/// A new secret for that programme.
pub fn new_secret(programme: ProgrammeId) -> Result<ApiKeySecret> {
    Ok(ApiKeySecret::new(programme, random()?))
}

/// Makes a key whose secret is `secret`.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    new: &NewApiKey,
    secret: &ApiKeySecret,
) -> Result<ApiKey> {
    actor.require(Action::ManageApiKeys)?;
    ensure_may_give(actor, new.role, new.organisation)?;
    ensure_place(tx, new)?;
    if !(1..=MAX_DAYS).contains(&new.days) {
        return Err(Refusal::invalid("days", "un nombre de jours de 1 à 731 est attendu").into());
    }
    let lifetime = TimeDelta::days(new.days.into());
    let key = ApiKey {
        user_id: open_account(tx, &new.name)?,
        name: new.name.as_str().to_owned(),
        role: new.role,
        organisation: new.organisation,
        site: new.site,
        created_by: actor.user,
        created_at: tx.now,
        expires_at: tx.now.checked_add_signed(lifetime).unwrap_or(tx.now),
        previous_ends_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    api_keys::insert(tx, &key, &secret.hash())?;
    Ok(key)
}

/// Gives a key a new secret; the old one stays good for some hours.
pub fn rotate(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: UserId,
    rotation: Rotation,
    secret: &ApiKeySecret,
) -> Result<ApiKey> {
    let key = own(tx, actor, id)?;
    if rotation.overlap_hours > MAX_OVERLAP_HOURS {
        return Err(Refusal::invalid("overlap_hours", "de 0 à 168 heures sont attendues").into());
    }
    let overlap = TimeDelta::hours(rotation.overlap_hours.into());
    let ends_at = tx.now.checked_add_signed(overlap).unwrap_or(tx.now).min(key.expires_at);
    api_keys::rotate(tx, id, &secret.hash(), ends_at)?;
    Ok(ApiKey { previous_ends_at: Some(ends_at), ..key })
}

/// Ends a key, both its secrets, for good.
pub fn revoke(tx: &mut Tx<'_>, actor: &Actor, id: UserId) -> Result<ApiKey> {
    let key = own(tx, actor, id)?;
    api_keys::revoke(tx, id, actor.user)?;
    Ok(ApiKey { revoked_at: Some(tx.now), ..key })
}

/// A page of the keys, by id: managers see those of their organisation.
pub fn list(tx: &mut Tx<'_>, actor: &Actor, after: Uuid, limit: i64) -> Result<Vec<ApiKey>> {
    actor.require(Action::ManageApiKeys)?;
    api_keys::page(tx, actor.organisation, after, limit)
}

/// The key, locked, when it is the actor's to manage and not revoked.
fn own(tx: &mut Tx<'_>, actor: &Actor, id: UserId) -> Result<ApiKey> {
    actor.require(Action::ManageApiKeys)?;
    let key = api_keys::lock(tx, id)?;
    if actor.organisation.is_some() && key.organisation != actor.organisation {
        return Err(Refusal::NotFound { what: "api_key".into() }.into());
    }
    if key.revoked_at.is_some() {
        return Err(
            Refusal::wrong_state("api_key", "elle est révoquée ; faites-en une autre").into()
        );
    }
    Ok(key)
}

/// Nobody gives more than it has: a manager gives the roles of its own organisation.
fn ensure_may_give(actor: &Actor, role: Role, to: Option<OrganisationId>) -> Result<()> {
    if !Role::OF_API_KEYS.contains(&role) {
        return Err(Refusal::invalid(
            "role",
            "une clé d'API n'a ni les rôles qui approuvent ou paient, ni ceux de l'opérateur",
        )
        .into());
    }
    let may = match actor.role {
        Role::OperatorAdmin => actor.programme != ProgrammeId::INSTANCE,
        Role::PrescriberManager => matches!(role, Role::PrescriberManager | Role::PrescriberAgent),
        Role::SiteManager => matches!(role, Role::SiteManager | Role::SiteMediator),
        _ => false,
    };
    let is_own = actor.organisation.is_none() || actor.organisation == to;
    if may && is_own {
        Ok(())
    } else {
        Err(Refusal::NotAllowed { action: "give_this_role".into() }.into())
    }
}

/// A role has the place that it acts for, and no other.
fn ensure_place(tx: &mut Tx<'_>, new: &NewApiKey) -> Result<()> {
    let prescribes = matches!(new.role, Role::PrescriberManager | Role::PrescriberAgent);
    let serves = matches!(new.role, Role::SiteManager | Role::SiteMediator);
    if (prescribes || serves) != new.organisation.is_some() {
        let rule = "attendue pour un prescripteur ou un lieu, et pour eux seuls";
        return Err(Refusal::invalid("organisation", rule).into());
    }
    if (new.role == Role::SiteMediator) != new.site.is_some() {
        return Err(Refusal::invalid("site", "attendu pour un médiateur, et pour lui seul").into());
    }
    if let Some(number) = new.organisation {
        let organisation = organisations::get(tx, number)?;
        if prescribes && !organisation.is_prescriber {
            let rule = "cette structure n'est pas prescriptrice";
            return Err(Refusal::invalid("organisation", rule).into());
        }
    }
    match new.site {
        Some(number) if Some(sites::get(tx, number)?.organisation) != new.organisation => {
            Err(Refusal::invalid("site", "ce lieu n'est pas de cette structure").into())
        }
        _ => Ok(()),
    }
}

/// The account under which a key acts: no password opens it, and no mail reaches its address.
fn open_account(tx: &mut Tx<'_>, name: &Line) -> Result<UserId> {
    let email = Email::try_from(format!("{}@api.invalid", hex(&random::<32>()?)));
    let email = email.map_err(anyhow::Error::msg)?;
    users::insert(tx, &email, name, NO_PASSWORD)
}
