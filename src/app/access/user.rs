//! Accounts that are opened without a letter: the first of an instance, and those of people who are played.

use super::assignment::{ensure_given, ensure_goes_with_others};
use super::hash_password;
use super::password::ensure_strong;
use crate::db::{Tx, memberships, users};
use crate::domain::text::{Email, Line, Password};
use crate::domain::{
    Action, Actor, Assignment, OrganisationId, ProgrammeId, Refusal, Role, SiteId, UserId,
};
use crate::error::Result;

/// An account to be opened, with its role in the actor's programme. For an address that has an account
/// already, the role is added to it, and name and password stay as they are.
#[derive(Clone, Debug)]
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
    pub organisation: Option<OrganisationId>,
    /// For a mediator: where.
    pub site: Option<SiteId>,
}

/// An account and its role in a programme.
#[derive(Clone, Debug)]
pub struct User {
    /// The account.
    pub id: UserId,
    /// Its address.
    pub email: Email,
    /// Its role here.
    pub role: Role,
}

/// Opens an account with a role in the actor's programme: for the tests and the demonstration. Over HTTP, people
/// are invited and choose their own password.
pub fn add_user(tx: &mut Tx<'_>, actor: &Actor, new: &NewUser) -> Result<User> {
    actor.require(Action::ManageUsers)?;
    let asked = Assignment { role: new.role, organisation: new.organisation, site: new.site };
    ensure_given(tx, actor, &asked)?;
    ensure_goes_with_others(tx, &new.email, new.role, None)?;
    let user = if let Some(known) = users::by_email(tx, &new.email)? {
        known.id
    } else {
        ensure_strong(&new.password, &[new.email.as_str(), new.name.as_str()])?;
        users::insert(tx, &new.email, &new.name, &hash_password(&new.password)?)?
    };
    memberships::insert(tx, &member(user, actor.programme, &asked))?;
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
    ensure_strong(password, &[email.as_str(), name.as_str()])?;
    let user = users::insert(tx, email, name, &hash_password(password)?)?;
    tx.enter(ProgrammeId::INSTANCE)?;
    let asked = Assignment { role: Role::OperatorAdmin, organisation: None, site: None };
    memberships::insert(tx, &member(user, ProgrammeId::INSTANCE, &asked))?;
    Ok(user)
}

/// A person with that role there.
pub(super) fn member(user: UserId, programme: ProgrammeId, asked: &Assignment) -> Actor {
    let Assignment { role, organisation, site } = *asked;
    Actor { user, role, programme, organisation, site }
}
