//! Sessions: opened by a sign-in, renewed by refresh tokens, ended by whoever may.
//!
//! A refresh token serves once, and its use names the next: its HMAC under the instance's key, so that two uses of
//! one token within [`GRACE`] have the same successor, and the plain token is kept nowhere. A token that serves
//! again later, or after its successor has served, is in two hands: the whole session ends.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::own_account::act;
use super::{Signed, Tokens};
use crate::app::audit::Asked;
use crate::db::memberships::Member;
use crate::db::sessions::Session;
use crate::db::{Db, Scope, Tx, memberships, refresh_tokens, sessions};
use crate::domain::{Refusal, SessionId, Timestamp, UserId};
use crate::error::Result;
use crate::keys::{Keys, hex, random};

/// How long a session lasts without being used.
const IDLE: TimeDelta = TimeDelta::hours(12);
/// How long it lasts at most.
const LONGEST: TimeDelta = TimeDelta::days(7);
/// An answer can be lost on its way: for so long, the old token brings it again.
const GRACE: TimeDelta = TimeDelta::seconds(10);
/// Sessions that are over stay that long, so that their tokens are known if they come back.
const KEPT: TimeDelta = TimeDelta::days(1);

/// A session to be renewed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The refresh token; good for one use.
    pub refresh_token: String,
}

/// Tokens of a session.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignedIn {
    /// For the `Authorization: Bearer` header.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds until the access token ends.
    pub expires_in: i64,
    /// For `POST /api/v1/auth/refresh`, once; null when the session goes on with the one it has.
    pub refresh_token: Option<String>,
    /// Does the role take a second factor that the person has not enrolled? Then nothing else can be done.
    pub enrolment_needed: bool,
}

impl SignedIn {
    pub(super) fn new(
        tokens: &Tokens,
        signed: &Signed,
        refresh_token: Option<String>,
    ) -> Result<Self> {
        let (access_token, expires_in) = tokens.issue(signed)?;
        let enrolment_needed = signed.actor().is_err();
        Ok(Self { access_token, token_type: "Bearer", expires_in, refresh_token, enrolment_needed })
    }
}

/// Opens a session for a member whose role is held; returns who is signed in, and the first refresh token.
pub(super) fn open(
    tx: &mut Tx<'_>,
    member: &Member,
    factor_at: Option<Timestamp>,
) -> Result<(Signed, String)> {
    let user = member.actor.user;
    sessions::forget(tx, user, tx.now.checked_sub_signed(KEPT).unwrap_or(tx.now))?;
    let ends_at = tx.now.checked_add_signed(IDLE).unwrap_or(tx.now);
    let session = sessions::insert(tx, member, ends_at, factor_at)?;
    let token = hex(&random::<32>()?);
    refresh_tokens::insert(tx, &token_hash(&token), session)?;
    Ok((Signed { actor: member.actor, session, factor_at }, token))
}

/// Renews a session. Role and second factor are read anew; a role that was changed since ends it.
pub fn refresh(db: &Db, keys: &Keys, tokens: &Tokens, old: &Refresh) -> Result<SignedIn> {
    // What ends a session has to be kept: so it is no refusal of the transaction's.
    let renewed = db.transact_blocking(Scope::Nobody, |tx| renew(tx, keys, &old.refresh_token))?;
    let Some((signed, token)) = renewed else {
        tokens.look(db)?;
        return Err(Refusal::BadCredentials.into());
    };
    SignedIn::new(tokens, &signed, Some(token))
}

fn renew(tx: &mut Tx<'_>, keys: &Keys, token: &str) -> Result<Option<(Signed, String)>> {
    let hash = token_hash(token);
    let Some(id) = refresh_tokens::session_of(tx, &hash)? else { return Ok(None) };
    let Some(session) = sessions::lock(tx, id)? else { return Ok(None) };
    // Read once the session is locked: of two uses at once, the second sees the first.
    let used_at = refresh_tokens::used_at(tx, &hash)?.flatten();
    let next = hex(&keys.mark("refresh token", token.as_bytes()));
    let member = current_member(tx, &session)?;
    let is_good = match used_at {
        None => true,
        Some(at) => {
            let is_lately = tx.now.signed_duration_since(at) <= GRACE;
            is_lately && refresh_tokens::used_at(tx, &token_hash(&next))? == Some(None)
        }
    };
    let Some(member) = member.filter(|_| is_good) else {
        tracing::warn!(user = %session.user_id, session = %id, "a refresh token in two hands, or of a role that was changed: the session ends");
        sessions::end(tx, session.user_id, id)?;
        return Ok(None);
    };
    if used_at.is_none() {
        refresh_tokens::mark_used(tx, &hash)?;
        refresh_tokens::insert(tx, &token_hash(&next), id)?;
        sessions::renew(tx, id, ends_at(tx.now, &session))?;
    }
    Ok(Some((Signed { actor: member.actor, session: id, factor_at: session.factor_at }, next)))
}

/// The member that a session speaks for, unless its role was changed since.
fn current_member(tx: &mut Tx<'_>, session: &Session) -> Result<Option<Member>> {
    tx.enter(session.programme_id)?;
    let member = memberships::hold(tx, session.user_id, session.programme_id)?;
    Ok(member.filter(|member| member.version == session.role_version))
}

/// When a session that is renewed now ends by itself.
fn ends_at(now: Timestamp, session: &Session) -> Timestamp {
    let after = |instant: Timestamp, delta| instant.checked_add_signed(delta).unwrap_or(instant);
    // A session renewed at the very instant of its end would end before it was used.
    after(now, IDLE).min(after(session.opened_at, LONGEST)).max(after(now, TimeDelta::seconds(1)))
}

/// A person's sessions that go on.
pub fn sessions_of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Session>> {
    sessions::of(tx, user)
}

/// Ends one of a person's own sessions.
pub fn end_session(
    tx: &mut Tx<'_>,
    signed: &Signed,
    session: SessionId,
    asked: Option<Asked>,
) -> Result<()> {
    act(tx, signed, asked, |tx| sessions::end(tx, signed.actor.user, session))
}

/// Ends all of a person's own sessions.
pub fn end_sessions(tx: &mut Tx<'_>, signed: &Signed, asked: Option<Asked>) -> Result<()> {
    act(tx, signed, asked, |tx| sessions::end_all(tx, signed.actor.user, None))
}

fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
