//! Who is here, and what becomes of their roles. A change ends the person's sessions in the programme with it.

use serde::Deserialize;
use utoipa::ToSchema;

use super::assignment::{ensure_given, ensure_goes_with_others};
use super::user::member;
use crate::db::memberships::Card;
use crate::db::{Tx, memberships, sessions, users};
use crate::domain::text::Email;
use crate::domain::{Action, Actor, Assignment, OrganisationId, Refusal, Role, SiteId, UserId};
use crate::error::Result;

/// Another role for a person.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    /// What the person may do from now on.
    pub role: Role,
    /// For prescribers and sites: whose.
    #[serde(default)]
    pub organisation: Option<OrganisationId>,
    /// For a mediator: where.
    #[serde(default)]
    pub site: Option<SiteId>,
}

/// Members of the programme in the order of their addresses, past `after`; a manager sees its own people.
pub fn members(tx: &mut Tx<'_>, actor: &Actor, after: &str, limit: i64) -> Result<Vec<Card>> {
    actor.require(Action::ManageUsers)?;
    memberships::page(tx, actor.organisation, after, limit)
}

/// Gives a person another role, in the place of the one it has.
pub fn change_role(tx: &mut Tx<'_>, actor: &Actor, user: UserId, new: &NewRole) -> Result<()> {
    let was = lock_in_charge(tx, actor, user)?;
    let asked = Assignment { role: new.role, organisation: new.organisation, site: new.site };
    ensure_given(tx, actor, &asked)?;
    let email = users::card(tx, user)?.0;
    let email = Email::try_from(email).map_err(anyhow::Error::msg)?;
    ensure_goes_with_others(tx, &email, new.role, Some(user))?;
    let now = member(user, actor.programme, &asked);
    memberships::change(tx, &now)?;
    sessions::end_in(tx, user, actor.programme)?;
    trace(actor, "role_changed", &was, Some(&now));
    Ok(())
}

/// Takes a person's role away.
pub fn revoke(tx: &mut Tx<'_>, actor: &Actor, user: UserId) -> Result<()> {
    let was = lock_in_charge(tx, actor, user)?;
    memberships::end(tx, &was)?;
    sessions::end_in(tx, user, actor.programme)?;
    trace(actor, "role_revoked", &was, None);
    Ok(())
}

/// A member that the actor has the charge of; nobody has that of itself, so an administrator always remains.
fn lock_in_charge(tx: &mut Tx<'_>, actor: &Actor, user: UserId) -> Result<Actor> {
    actor.require(Action::ManageUsers)?;
    let was = memberships::lock(tx, user)?;
    let held = Assignment { role: was.role, organisation: was.organisation, site: was.site };
    if actor.organisation.is_some() && was.organisation != actor.organisation {
        // Another organisation's people are not there to be found.
        return Err(Refusal::not_found("user").into());
    }
    held.ensure_in_charge(actor)?;
    if actor.user == user { Err(Refusal::MakerIsChecker.into()) } else { Ok(was) }
}

/// The one place that sees each change of a role: who, whose, from what to what.
fn trace(by: &Actor, what: &str, was: &Actor, now: Option<&Actor>) {
    let role = now.map_or("none", |now| now.role.into());
    let before: &str = was.role.into();
    tracing::info!(by = %by.user, user = %was.user, programme = %was.programme, before, role, "{what}");
}
