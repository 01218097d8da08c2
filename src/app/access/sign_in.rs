//! Signing in: password for a token bound to one programme, and its renewal.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{Hasher, Tokens};
use crate::db::{Db, Scope, memberships, programmes, refresh_tokens, users};
use crate::domain::programme::ProgrammeCode;
use crate::domain::text::{Email, Password};
use crate::domain::{Actor, ProgrammeId, Refusal, UserId};
use crate::error::Result;
use crate::keys::{hex, random};

/// How long a session lasts without being used.
const REFRESH_LIFETIME: TimeDelta = TimeDelta::hours(12);

/// What a person signs in with.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Mail address.
    pub email: Email,
    /// Password.
    pub password: Password,
    /// The programme to act in; may be left out by who acts in one only.
    #[serde(default)]
    pub programme: Option<ProgrammeCode>,
}

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
    /// For `POST /api/v1/auth/refresh`, once.
    pub refresh_token: String,
}

/// Signs a person in. Wrong password and unknown address are told alike, and take as long.
///
/// Takes the database, not a transaction: none is held while the password is verified.
pub fn sign_in(db: &Db, hasher: &Hasher, tokens: &Tokens, who: &Credentials) -> Result<SignedIn> {
    let known = db.transact_blocking(Scope::Nobody, |tx| users::by_email(tx, &who.email))?;
    let matches =
        hasher.verify(&who.password, known.as_ref().map(|known| known.password_hash.as_str()))?;
    let Some(user) = known.filter(|_| matches).map(|known| known.id) else {
        return Err(Refusal::BadCredentials.into());
    };
    let actor = db.transact_blocking(Scope::Person(user), |tx| {
        let programmes = programmes::visible(tx)?;
        choose(&memberships::of(tx, user)?, &programmes, who.programme.as_ref())
    })?;
    open_session(db, tokens, &actor)
}

/// The membership to act under: the one asked for, or the only one.
fn choose(
    members: &[Actor],
    programmes: &[programmes::Programme],
    asked: Option<&ProgrammeCode>,
) -> Result<Actor> {
    let code_of = |id: ProgrammeId| {
        programmes.iter().find(|programme| programme.id == id).map(|programme| &programme.code)
    };
    let chosen = match (asked, members) {
        (Some(code), _) => members.iter().find(|member| code_of(member.programme) == Some(code)),
        (None, [only]) => Some(only),
        // Who runs the instance signs in to it, and names a programme to act there.
        (None, _) => members.iter().find(|member| member.programme == ProgrammeId::INSTANCE),
    };
    match chosen {
        Some(actor) => Ok(*actor),
        None if asked.is_some() || members.is_empty() => Err(Refusal::BadCredentials.into()),
        None => {
            let codes: Vec<&str> = members
                .iter()
                .filter_map(|member| code_of(member.programme))
                .map(ProgrammeCode::as_str)
                .collect();
            Err(Refusal::ProgrammeNeeded { codes: codes.join(", ") }.into())
        }
    }
}

/// Renews a session. The old token is used up, and the role is read anew: one taken away is gone.
pub fn refresh(db: &Db, tokens: &Tokens, session: &Refresh) -> Result<SignedIn> {
    let hash = token_hash(&session.refresh_token);
    let consumed: Option<(UserId, ProgrammeId)> =
        db.transact_blocking(Scope::Nobody, |tx| refresh_tokens::consume(tx, &hash))?;
    let (user, programme) = consumed.ok_or(Refusal::BadCredentials)?;
    let member = db.transact_blocking(Scope::Person(user), |tx| {
        memberships::in_programme(tx, user, programme)
    })?;
    open_session(db, tokens, &member.ok_or(Refusal::BadCredentials)?)
}

fn open_session(db: &Db, tokens: &Tokens, actor: &Actor) -> Result<SignedIn> {
    let refresh_token = hex(&random::<32>()?);
    db.transact_blocking(Scope::Nobody, |tx| {
        let expires_at = tx.now.checked_add_signed(REFRESH_LIFETIME).unwrap_or(tx.now);
        refresh_tokens::insert(
            tx,
            &token_hash(&refresh_token),
            actor.user,
            actor.programme,
            expires_at,
        )
    })?;
    let (access_token, expires_in) = tokens.issue(actor)?;
    Ok(SignedIn { access_token, token_type: "Bearer", expires_in, refresh_token })
}

fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
