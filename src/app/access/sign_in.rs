//! Signing in: password, and a code where there is a second factor, for a session bound to one programme.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::hasher::Verdict;
use super::session::{self, SignedIn};
use super::{Gate, factor};
use crate::app::Outcome;
use crate::app::audit::{self, Asked};
use crate::db::{Scope, Tx, memberships, programmes, sign_in_tries, users};
use crate::domain::programme::ProgrammeCode;
use crate::domain::text::{Email, Password};
use crate::domain::{Actor, ProgrammeId, Refusal, UserId};
use crate::error::Result;
use crate::keys::Keys;

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
    /// A one-time code, or a recovery code, where a second factor is enrolled.
    #[serde(default)]
    #[schema(max_length = 40)]
    pub code: Option<String>,
}

/// Signs a person in. Wrong password and unknown address are told alike, and take as long: the same steps, and a
/// hash of the same cost.
///
/// The try is counted, in a transaction of its own, before it is judged: many at once gain nothing, and what a
/// refusal takes back is not the count. No transaction is held while the password is verified.
pub async fn sign_in(gate: &Gate, who: Credentials, asked: Option<Asked>) -> Result<SignedIn> {
    let turn = gate.hasher.turn()?;
    let name = tries_of(&gate.keys, &who.email);
    let email = who.email.clone();
    let known = gate.db.transact(Scope::Nobody, move |tx| {
        sign_in_tries::count(tx, &name)?;
        users::by_email(tx, &email)
    });
    let known = known.await?;
    let hash = known.as_ref().map(|known| known.password_hash.as_str());
    let verdict = turn.verify(&who.password, hash).await?;
    let Some(user) = known.filter(|_| verdict != Verdict::Wrong).map(|known| known.id) else {
        return Err(Refusal::BadCredentials.into());
    };
    let keys = gate.keys.clone();
    let opened = gate.db.transact(Scope::Person(user), move |tx| {
        if let Verdict::RightAndStronger(hash) = &verdict {
            users::set_password_hash(tx, user, hash)?;
        }
        let programmes = programmes::visible(tx)?;
        let chosen = choose(&memberships::of(tx, user)?, &programmes, who.programme.as_ref())?;
        let factor_at = factor::show(tx, &keys, user, who.code.as_deref())?;
        let member = memberships::hold(tx, user, chosen.programme)?;
        sign_in_tries::forget(tx, &name)?;
        let opened = session::open(tx, &member.ok_or(Refusal::BadCredentials)?, factor_at)?;
        if let Some(asked) = asked {
            tx.enter(chosen.programme)?;
            let asked = asked.about_account(&keys, &who.email);
            audit::record(tx, &asked, Some(&opened.0.actor), &Outcome::Done(Value::Null))?;
        }
        Ok(opened)
    });
    let (signed, token) = opened.await?;
    SignedIn::new(&gate.tokens, &signed, Some(token))
}

/// Opens a session for a person who has shown who it is elsewhere: the tests and the demonstration. With its
/// second factor shown, when `is_proven`.
pub fn open_session(
    tx: &mut Tx<'_>,
    gate: &Gate,
    email: &Email,
    programme: Option<&ProgrammeCode>,
    is_proven: bool,
) -> Result<SignedIn> {
    let user = users::by_email(tx, email)?.ok_or(Refusal::BadCredentials)?.id;
    tx.speak_as(user)?;
    let programmes = programmes::visible(tx)?;
    let chosen = choose(&memberships::of(tx, user)?, &programmes, programme)?;
    let member = memberships::hold(tx, user, chosen.programme)?.ok_or(Refusal::BadCredentials)?;
    let (signed, token) = session::open(tx, &member, is_proven.then_some(tx.now))?;
    SignedIn::new(&gate.tokens, &signed, Some(token))
}

/// Under which name the tries of an address are counted, whether it has an account or not.
pub(super) fn tries_of(keys: &Keys, email: &Email) -> [u8; 32] {
    keys.mark("sign-in tries", email.as_str().as_bytes())
}

/// Under which name the tries of somebody who is signed in are counted: apart, so that a stranger at the door
/// does not slow down who is inside.
pub(super) fn tries_of_user(keys: &Keys, user: UserId) -> [u8; 32] {
    keys.mark("tries inside", user.get().as_bytes())
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
