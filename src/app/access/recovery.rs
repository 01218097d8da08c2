//! A password is changed by who knows it, or reset by who reads the account's mail. Either way whoever was signed
//! in with it is put out.

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::hasher::Verdict;
use super::own_account::act;
use super::password::ensure_strong;
use super::sign_in::{tries_of, tries_of_user};
use super::{Gate, Signed};
use crate::app::Outcome;
use crate::app::audit::{self, Asked, Trace};
use crate::app::mail::{Letter, post};
use crate::db::audit_states::Subject;
use crate::db::{Scope, Tx, password_resets, sessions, sign_in_tries, users};
use crate::domain::text::{Email, Password};
use crate::domain::{ProgrammeId, Refusal, UserId};
use crate::error::Result;
use crate::keys::{Keys, hex, random};

/// How long a link lasts.
const LIFETIME: TimeDelta = TimeDelta::hours(1);
/// Between two letters to one account, so that nobody's letter box is filled.
const BETWEEN_LETTERS: TimeDelta = TimeDelta::minutes(5);

/// An account whose password is lost.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskReset {
    /// Its address.
    pub email: Email,
}

/// A new password, by a link.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// What follows the `#` in the link.
    #[schema(max_length = 200)]
    pub token: String,
    /// The new password, of 15 to 128 characters.
    pub password: Password,
}

/// A new password, by who knows the one there is.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The one there is.
    pub current: Password,
    /// The new one, of 15 to 128 characters.
    pub new: Password,
}

/// Asks for a link. The same for every address, known or not: whether there is an account is looked up only when
/// the letter is sent.
pub fn ask_reset(tx: &mut Tx<'_>, keys: &Keys, ask: &AskReset, asked: Option<Asked>) -> Result<()> {
    if let Some(asked) = asked {
        let asked = asked.about_account(keys, &ask.email);
        audit::record(tx, &asked, None, &Outcome::Done(Value::Null))?;
    }
    post(tx, keys, &Letter::Reset { to: ask.email.clone().into() })
}

/// The token of a new link for the account of that address; `None` without an account, or when one was made in the
/// last minutes, unless that one did not leave. For whoever sends the letter.
pub fn reset_link(tx: &mut Tx<'_>, to: &Email, is_again: bool) -> Result<Option<String>> {
    let Some(known) = users::by_email(tx, to)? else { return Ok(None) };
    let last = password_resets::issued_at(tx, known.id)?;
    let is_recent = |last| tx.now.signed_duration_since(last) < BETWEEN_LETTERS;
    if !is_again && last.is_some_and(is_recent) {
        return Ok(None);
    }
    let token = hex(&random::<32>()?);
    let expires_at = tx.now.checked_add_signed(LIFETIME).unwrap_or(tx.now);
    password_resets::put(tx, known.id, &token_hash(&token), expires_at)?;
    Ok(Some(token))
}

/// Sets a new password by a link, which serves once. Every session of the account ends; its second factor stays.
pub async fn use_reset(gate: &Gate, new: NewPassword, asked: Option<Asked>) -> Result<()> {
    let turn = gate.hasher.turn()?;
    let token = token_hash(&new.token);
    let found = gate.db.transact(Scope::Nobody, move |tx| {
        let user = password_resets::find(tx, &token)?.ok_or(Refusal::BadLink)?;
        Ok((user, users::card(tx, user)?))
    });
    let (user, (email, name)) = found.await?;
    ensure_strong(&new.password, &[&email, &name])?;
    let hash = turn.hash(&new.password).await?;
    let keys = gate.keys.clone();
    let done = gate.db.transact(Scope::Programme(ProgrammeId::INSTANCE), move |tx| {
        let address = Email::try_from(email.clone()).map_err(anyhow::Error::msg)?;
        let asked = asked.map(|asked| asked.about_account(&keys, &address));
        let trace = asked.map(|asked| Trace::of(tx, asked, None, Subject::account(user)));
        let trace = trace.transpose()?;
        if !password_resets::consume(tx, &token)? {
            return Err(Refusal::BadLink.into());
        }
        sign_in_tries::forget(tx, &tries_of(&keys, &address))?;
        sessions::end_all(tx, user, None)?;
        keep(tx, &keys, user, &hash, email)?;
        trace.map_or(Ok(()), |trace| trace.end(tx, &Outcome::Done(Value::Null)))
    });
    done.await
}

/// Changes the password of who is signed in and knows it. Its other sessions end.
pub async fn change_password(
    gate: &Gate,
    signed: Signed,
    ask: PasswordChange,
    asked: Option<Asked>,
) -> Result<()> {
    let turn = gate.hasher.turn()?;
    let user = signed.actor.user;
    let name = tries_of_user(&gate.keys, user);
    let known = gate.db.transact(Scope::Nobody, move |tx| {
        sign_in_tries::count(tx, &name)?;
        Ok((users::password_hash(tx, user)?, users::card(tx, user)?))
    });
    let (old, (email, full_name)) = known.await?;
    if turn.verify(&ask.current, Some(&old)).await? == Verdict::Wrong {
        return Err(Refusal::BadCredentials.into());
    }
    ensure_strong(&ask.new, &[&email, &full_name])?;
    let hash = turn.hash(&ask.new).await?;
    let keys = gate.keys.clone();
    let done = gate.db.transact(Scope::Programme(signed.actor.programme), move |tx| {
        act(tx, &signed, asked, |tx| {
            sign_in_tries::forget(tx, &name)?;
            sessions::end_all(tx, user, Some(signed.session))?;
            keep(tx, &keys, user, &hash, email)
        })
    });
    done.await
}

/// Keeps a new password, and tells its owner.
fn keep(tx: &mut Tx<'_>, keys: &Keys, user: UserId, hash: &str, to: String) -> Result<()> {
    users::set_password_hash(tx, user, hash)?;
    post(tx, keys, &Letter::Notice { to, what: "votre mot de passe a été changé".into() })
}

fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
