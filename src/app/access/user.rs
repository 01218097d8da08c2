//! Accounts of people.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::hash_password;
use crate::db::{Tx, memberships, organisations, sites, users};
use crate::domain::text::{Email, Line, Password};
use crate::domain::{Action, Actor, OrganisationId, ProgrammeId, Refusal, Role, SiteId, UserId};
use crate::error::Result;

/// An account to be opened, with its role in the actor's programme. For an address that has an account
/// already, the role is added to it, and name and password stay as they are.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Mail address.
    pub email: Email,
    /// Name shown to colleagues.
    pub name: Line,
    /// First password, 15 characters or more.
    pub password: Password,
    /// What the person may do.
    pub role: Role,
    /// For prescribers and sites: whose.
    #[serde(default)]
    pub organisation: Option<OrganisationId>,
    /// For a mediator: where.
    #[serde(default)]
    pub site: Option<SiteId>,
}

/// An account and its role in a programme.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct User {
    /// The account.
    pub id: UserId,
    /// Its address.
    pub email: Email,
    /// Its role here.
    pub role: Role,
}

/// Opens an account with a role in the actor's programme.
pub fn add_user(tx: &mut Tx<'_>, actor: &Actor, new: &NewUser) -> Result<User> {
    actor.require(Action::ManageUsers)?;
    if actor.programme == ProgrammeId::INSTANCE && new.role != Role::OperatorAdmin {
        return Err(Refusal::invalid("role", "hors d'un dispositif, seul operator_admin a un sens ; connectez-vous dans un dispositif").into());
    }
    ensure_place(tx, new)?;
    let user = match users::by_email(tx, &new.email)? {
        Some(known) => known.id,
        None => open(tx, new)?,
    };
    let member = Actor {
        user,
        role: new.role,
        programme: actor.programme,
        organisation: new.organisation,
        site: new.site,
    };
    memberships::insert(tx, &member)?;
    Ok(User { id: user, email: new.email.clone(), role: new.role })
}

/// Opens the first account of an instance; refused once it has one. For the command line: no one can
/// be signed in before.
pub fn first_admin(
    tx: &mut Tx<'_>,
    email: &Email,
    name: &Line,
    password: &Password,
) -> Result<UserId> {
    if users::exist(tx)? {
        return Err(Refusal::Duplicate { what: "Un premier compte".into() }.into());
    }
    if !password.is_long_enough() {
        return Err(Refusal::PasswordTooShort.into());
    }
    let user = users::insert(tx, email, name, &hash_password(password)?)?;
    tx.enter(ProgrammeId::INSTANCE)?;
    let member = Actor {
        user,
        role: Role::OperatorAdmin,
        programme: ProgrammeId::INSTANCE,
        organisation: None,
        site: None,
    };
    memberships::insert(tx, &member)?;
    Ok(user)
}

fn open(tx: &mut Tx<'_>, new: &NewUser) -> Result<UserId> {
    if !new.password.is_long_enough() {
        return Err(Refusal::PasswordTooShort.into());
    }
    users::insert(tx, &new.email, &new.name, &hash_password(&new.password)?)
}

/// A role has the place that it acts for, and no other.
fn ensure_place(tx: &mut Tx<'_>, new: &NewUser) -> Result<()> {
    let needs_organisation = matches!(
        new.role,
        Role::PrescriberManager | Role::PrescriberAgent | Role::SiteManager | Role::SiteMediator
    );
    if needs_organisation != new.organisation.is_some() {
        return Err(Refusal::invalid(
            "organisation",
            "attendue pour un prescripteur ou un lieu, et pour eux seuls",
        )
        .into());
    }
    if (new.role == Role::SiteMediator) != new.site.is_some() {
        return Err(Refusal::invalid("site", "attendu pour un médiateur, et pour lui seul").into());
    }
    if let Some(number) = new.organisation {
        let organisation = organisations::get(tx, number)?;
        let prescribes = matches!(new.role, Role::PrescriberManager | Role::PrescriberAgent);
        if prescribes && !organisation.is_prescriber {
            return Err(Refusal::invalid(
                "organisation",
                "cette structure n'est pas prescriptrice",
            )
            .into());
        }
    }
    if let Some(number) = new.site
        && Some(sites::get(tx, number)?.organisation) != new.organisation
    {
        return Err(Refusal::invalid("site", "ce lieu n'est pas de cette structure").into());
    }
    Ok(())
}
