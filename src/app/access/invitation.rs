//! People are invited by mail (fr: invitation): a link that lasts 72 hours and serves once, for one role. Whoever
//! accepts chooses a password, or shows the one it has.

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::Gate;
use super::assignment::{ensure_given, ensure_goes_with_others};
use super::hasher::{Turn, Verdict};
use super::password::ensure_strong;
use super::sign_in::tries_of;
use super::user::member;
use crate::app::Outcome;
use crate::app::audit::{Asked, Trace};
use crate::app::mail::{Letter, post};
use crate::db::audit_states::Subject;
use crate::db::invitations::Invitation;
use crate::db::{Scope, Tx, invitations as table, memberships, programmes, sign_in_tries, users};
use crate::domain::text::{Email, Line, Password};
use crate::domain::{
    Action, Actor, Assignment, InvitationId, OrganisationId, ProgrammeId, Refusal, Role, SiteId,
};
use crate::error::Result;
use crate::keys::{Keys, hex, random};

/// How long an invitation waits.
const LIFETIME: TimeDelta = TimeDelta::hours(72);

/// Somebody to be invited to a role in the actor's programme.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// Where the link is sent.
    pub email: Email,
    /// What the person will be.
    pub role: Role,
    /// For prescribers and sites: whose.
    #[serde(default)]
    pub organisation: Option<OrganisationId>,
    /// For a mediator: where.
    #[serde(default)]
    pub site: Option<SiteId>,
}

/// The answer to an invitation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// What follows the `#` in the link.
    #[schema(max_length = 200)]
    pub token: String,
    /// The name shown to colleagues; left out by who has an account.
    #[serde(default)]
    pub name: Option<Line>,
    /// A new password of 15 to 128 characters; that of the account, by who has one.
    pub password: Password,
}

/// A role that was taken.
pub struct Invited {
    /// Who acts under it from now on.
    pub actor: Actor,
    /// The address.
    pub email: String,
}

/// Invites somebody: the letter leaves once this is committed. One that waits for the same address is replaced.
pub fn invite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    keys: &Keys,
    new: &NewInvitation,
) -> Result<Invitation> {
    actor.require(Action::ManageUsers)?;
    let asked = Assignment { role: new.role, organisation: new.organisation, site: new.site };
    ensure_given(tx, actor, &asked)?;
    ensure_free(tx, &new.email, new.role)?;
    table::withdraw_all(tx, &new.email)?;
    let token = format!("{}.{}", actor.programme.get(), hex(&random::<32>()?));
    let expires_at = tx.now.checked_add_signed(LIFETIME).unwrap_or(tx.now);
    let invitation =
        table::insert(tx, &token_hash(&token), &new.email, &asked, actor.user, expires_at)?;
    let letter = Letter::Invitation {
        to: invitation.email.clone(),
        programme: match actor.programme {
            ProgrammeId::INSTANCE => "l'instance".to_owned(),
            _ => programmes::current(tx)?.name,
        },
        role: <&str>::from(new.role).to_owned(),
        token,
        expires_at,
    };
    post(tx, keys, &letter)?;
    Ok(invitation)
}

/// Refuses an address whose person has a role here already, or one that does not go with it.
fn ensure_free(tx: &mut Tx<'_>, email: &Email, role: Role) -> Result<()> {
    ensure_goes_with_others(tx, email, role, None)?;
    if let Some(known) = users::by_email(tx, email)?
        && memberships::hold(tx, known.id, tx.programme)?.is_some()
    {
        return Err(Refusal::Duplicate { what: "Un rôle de cette personne".into() }.into());
    }
    Ok(())
}

/// Invitations that wait for an answer; a manager sees those of its own organisation.
pub fn invitations(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: InvitationId,
    limit: i64,
) -> Result<Vec<Invitation>> {
    actor.require(Action::ManageUsers)?;
    table::waiting(tx, actor.organisation, after, limit)
}

/// Takes an invitation back: its link opens nothing any more.
pub fn withdraw(tx: &mut Tx<'_>, actor: &Actor, id: InvitationId) -> Result<()> {
    actor.require(Action::ManageUsers)?;
    let invitation = table::lock(tx, id)?;
    if actor.organisation.is_some() && actor.organisation != invitation.organisation {
        return Err(Refusal::not_found("invitation").into());
    }
    table::withdraw(tx, id)
}

/// Takes the role of an invitation up, with a new account or the one that the address has.
pub async fn accept(gate: &Gate, answer: Acceptance, asked: Option<Asked>) -> Result<Invited> {
    let turn = gate.hasher.turn()?;
    let programme = programme_of(&answer.token)?;
    let scope = Scope::Programme(programme);
    let hash = token_hash(&answer.token);
    let keys = gate.keys.clone();
    let found = gate.db.transact(scope, move |tx| {
        let invitation = table::by_token(tx, &hash)?;
        let email = address(&invitation)?;
        let known = users::by_email(tx, &email)?;
        if known.is_some() {
            sign_in_tries::count(tx, &tries_of(&keys, &email))?;
        }
        Ok((email, known.map(|known| known.password_hash)))
    });
    let (email, known) = found.await?;
    let account = match known {
        Some(hash) => {
            if turn.verify(&answer.password, Some(&hash)).await? == Verdict::Wrong {
                return Err(Refusal::BadCredentials.into());
            }
            None
        }
        None => Some(new_account(&turn, &email, &answer).await?),
    };
    let name = tries_of(&gate.keys, &email);
    let accepted = gate.db.transact(scope, move |tx| {
        sign_in_tries::forget(tx, &name)?;
        take_up(tx, programme, &hash, account, asked)
    });
    accepted.await
}

async fn new_account(turn: &Turn, email: &Email, answer: &Acceptance) -> Result<(Line, String)> {
    let name = answer.name.clone();
    let name = name.ok_or_else(|| Refusal::invalid("name", "attendu pour un compte nouveau"))?;
    ensure_strong(&answer.password, &[email.as_str(), name.as_str()])?;
    let hash = turn.hash(&answer.password).await?;
    Ok((name, hash))
}

/// The invitation is locked again: it serves once, whoever else has its link.
fn take_up(
    tx: &mut Tx<'_>,
    programme: ProgrammeId,
    token_hash: &[u8],
    account: Option<(Line, String)>,
    asked: Option<Asked>,
) -> Result<Invited> {
    let invitation = table::by_token(tx, token_hash)?;
    let email = address(&invitation)?;
    let Invitation { id, role, organisation, site, .. } = invitation;
    ensure_goes_with_others(tx, &email, role, None)?;
    let user = match account {
        Some((name, hash)) => users::insert(tx, &email, &name, &hash)?,
        None => users::by_email(tx, &email)?.ok_or(Refusal::BadLink)?.id,
    };
    let place = Assignment { role, organisation, site };
    let actor = member(user, programme, &place);
    let trace = asked.map(|asked| Trace::of(tx, asked, Some(actor), Subject::member(user)));
    let trace = trace.transpose()?;
    memberships::insert(tx, &actor)?;
    table::accept(tx, id, user)?;
    if let Some(trace) = trace {
        trace.end(tx, &Outcome::Done(Value::Null))?;
    }
    Ok(Invited { actor, email: email.into() })
}

fn address(invitation: &Invitation) -> Result<Email> {
    Ok(Email::try_from(invitation.email.clone()).map_err(anyhow::Error::msg)?)
}

/// A token begins with the number of its programme, which has to be named before the invitation can be seen.
fn programme_of(token: &str) -> Result<ProgrammeId, Refusal> {
    let number = token.split_once('.').and_then(|(number, _)| number.parse().ok());
    number.filter(|number| *number >= 0).map(ProgrammeId::new).ok_or(Refusal::BadLink)
}

fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
