//! Who is here, and what becomes of their roles. A change ends the person's sessions in the programme with it.

use serde::{Deserialize, Serialize};
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

/// What became of a person's role.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct RoleChange {
    /// The role it had.
    pub previous_role: Role,
    /// The role it has; none once it is taken away.
    pub role: Option<Role>,
}

/// Gives a person another role, in the place of the one it has.
pub fn change_role(
    tx: &mut Tx<'_>,
    actor: &Actor,
    user: UserId,
    new: &NewRole,
) -> Result<RoleChange> {
    let was = lock_in_charge(tx, actor, user)?;
    let asked = Assignment { role: new.role, organisation: new.organisation, site: new.site };
    ensure_given(tx, actor, &asked)?;
    let email = users::card(tx, user)?.0;
    let email = Email::try_from(email).map_err(anyhow::Error::msg)?;
    ensure_goes_with_others(tx, &email, new.role, Some(user))?;
    memberships::change(tx, &member(user, actor.programme, &asked))?;
    sessions::end_in(tx, user, actor.programme)?;
    Ok(RoleChange { previous_role: was.role, role: Some(new.role) })
}

/// Takes a person's role away.
pub fn revoke(tx: &mut Tx<'_>, actor: &Actor, user: UserId) -> Result<RoleChange> {
    let was = lock_in_charge(tx, actor, user)?;
    memberships::end(tx, &was)?;
    sessions::end_in(tx, user, actor.programme)?;
    Ok(RoleChange { previous_role: was.role, role: None })
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
