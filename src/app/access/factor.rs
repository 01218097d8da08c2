//! The second factor: one-time codes of six digits every thirty seconds (TOTP, RFC 6238), and ten codes on paper for
//! when the device is lost. A code works once.

use serde::{Deserialize, Serialize};
use totp_rs::{Builder, Secret, Totp};
use utoipa::ToSchema;

use super::hasher::Verdict;
use super::own_account::act;
use super::session::SignedIn;
use super::sign_in::tries_of_user;
use super::{Gate, Signed};
use crate::app::audit::Asked;
use crate::app::mail::{Letter, post};
use crate::db::{Scope, Tx, second_factors, sessions, sign_in_tries, users};
use crate::domain::text::Password;
use crate::domain::{Refusal, Timestamp, UserId};
use crate::error::Result;
use crate::keys::{Keys, random};

/// What a secret is sealed as.
const SECRET: &str = "second_factor";
/// Codes on paper.
const RECOVERY_CODES: usize = 10;

/// What shows that the person who enrols is the one whose session it is.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The account's password.
    pub password: Password,
    /// A code of the second factor that there is, when one is replaced.
    #[serde(default)]
    #[schema(max_length = 40)]
    pub code: Option<String>,
}

/// A second factor to be put into an application, told once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Enrolled {
    /// The secret, in base 32.
    pub secret: String,
    /// The same as an address, for a QR code.
    pub uri: String,
}

/// A code.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// The six digits of the application, or a recovery code where one is taken.
    #[schema(max_length = 40)]
    pub code: String,
}

/// A second factor that is in force.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Confirmed {
    /// Ten codes on paper, told once, each good once in the place of a code.
    pub recovery_codes: Vec<String>,
    /// The session, with the second factor shown.
    pub session: SignedIn,
}

/// Begins to enrol a second factor, or to replace one; it counts once a first code is shown. Whoever found a
/// session open can't: the password is asked again, and a code of the factor that is replaced.
pub async fn enrol(
    gate: &Gate,
    signed: Signed,
    ask: Enrolment,
    asked: Option<Asked>,
) -> Result<Enrolled> {
    let turn = gate.hasher.turn()?;
    let user = signed.actor.user;
    let name = tries_of_user(&gate.keys, user);
    let known = gate.db.transact(Scope::Nobody, move |tx| {
        sign_in_tries::count(tx, &name)?;
        Ok((users::password_hash(tx, user)?, users::card(tx, user)?.0))
    });
    let (hash, email) = known.await?;
    if turn.verify(&ask.password, Some(&hash)).await? == Verdict::Wrong {
        return Err(Refusal::BadCredentials.into());
    }
    let keys = gate.keys.clone();
    let secret = gate.db.transact(Scope::Programme(signed.actor.programme), move |tx| {
        act(tx, &signed, asked, |tx| {
            show(tx, &keys, user, ask.code.as_deref())?;
            sign_in_tries::forget(tx, &name)?;
            let secret: [u8; 20] = random()?;
            second_factors::put(tx, user, &keys.seal(SECRET, &secret)?)?;
            Ok(Secret::from(secret).to_base32())
        })
    });
    let secret = secret.await?;
    let uri = format!(
        "otpauth://totp/Souche:{email}?secret={secret}&issuer=Souche&algorithm=SHA1&digits=6&period=30"
    );
    Ok(Enrolled { secret, uri })
}

/// A first code puts the factor in force: the session goes on with it, the person's others end.
pub async fn confirm(
    gate: &Gate,
    signed: Signed,
    ask: Code,
    asked: Option<Asked>,
) -> Result<Confirmed> {
    count_try(gate, signed.actor.user).await?;
    let keys = gate.keys.clone();
    let confirmed = gate.db.transact(Scope::Programme(signed.actor.programme), move |tx| {
        let codes = act(tx, &signed, asked, |tx| put_in_force(tx, &keys, &signed, &ask))?;
        Ok((codes, tx.now))
    });
    let (recovery_codes, now) = confirmed.await?;
    let session = SignedIn::new(&gate.tokens, &Signed { factor_at: Some(now), ..signed }, None)?;
    Ok(Confirmed { recovery_codes, session })
}

fn put_in_force(tx: &mut Tx<'_>, keys: &Keys, signed: &Signed, ask: &Code) -> Result<Vec<String>> {
    let user = signed.actor.user;
    let waiting = second_factors::lock(tx, user)?.filter(|factor| factor.confirmed_at.is_none());
    let waiting = waiting.ok_or_else(|| {
        Refusal::wrong_state("second_factor", "enrôlez d'abord un second facteur")
    })?;
    spend_step(tx, keys, user, &waiting.secret_sealed, &ask.code)?;
    second_factors::confirm(tx, user)?;
    let codes: Vec<String> =
        (0..RECOVERY_CODES).map(|_| recovery_code()).collect::<anyhow::Result<_>>()?;
    let hashes: Vec<_> = codes.iter().map(|code| recovery_hash(keys, code)).collect();
    second_factors::insert_recovery(tx, user, &hashes)?;
    sessions::prove(tx, signed.session)?;
    sessions::end_all(tx, user, Some(signed.session))?;
    sign_in_tries::forget(tx, &tries_of_user(keys, user))?;
    let to = users::card(tx, user)?.0;
    post(tx, keys, &Letter::Notice { to, what: "un second facteur a été enrôlé".into() })?;
    Ok(codes)
}

/// Shows a code again in a session, for what takes a recent one.
pub async fn step_up(
    gate: &Gate,
    signed: Signed,
    ask: Code,
    asked: Option<Asked>,
) -> Result<SignedIn> {
    let user = signed.actor.user;
    count_try(gate, user).await?;
    let keys = gate.keys.clone();
    let shown = gate.db.transact(Scope::Programme(signed.actor.programme), move |tx| {
        act(tx, &signed, asked, |tx| {
            let at = show(tx, &keys, user, Some(&ask.code))?.ok_or(Refusal::SecondFactorNeeded)?;
            sign_in_tries::forget(tx, &tries_of_user(&keys, user))?;
            sessions::prove(tx, signed.session)?;
            Ok(at)
        })
    });
    let factor_at = Some(shown.await?);
    SignedIn::new(&gate.tokens, &Signed { factor_at, ..signed }, None)
}

/// Counts a try of somebody who is signed in, in a transaction that nothing takes back.
async fn count_try(gate: &Gate, user: UserId) -> Result<()> {
    let name = tries_of_user(&gate.keys, user);
    gate.db.transact(Scope::Nobody, move |tx| sign_in_tries::count(tx, &name)).await
}

/// Takes a person's second factor away, and ends its sessions: for who has lost device and codes, by whoever runs
/// the machine. The person enrols another at its next sign-in.
pub fn take_away(tx: &mut Tx<'_>, keys: &Keys, user: UserId) -> Result<()> {
    second_factors::delete(tx, user)?;
    sessions::end_all(tx, user, None)?;
    let to = users::card(tx, user)?.0;
    post(tx, keys, &Letter::Notice { to, what: "votre second facteur a été retiré".into() })
}

/// Gives a person a second factor that is in force at once, and returns its secret: for the tests and the
/// demonstration, whose people have no device.
pub fn give(tx: &mut Tx<'_>, keys: &Keys, user: UserId) -> Result<String> {
    let secret: [u8; 20] = random()?;
    second_factors::put(tx, user, &keys.seal(SECRET, &secret)?)?;
    second_factors::confirm(tx, user)?;
    Ok(Secret::from(secret).to_base32())
}

/// The code that a secret in base 32 makes at an instant.
pub fn code_at(secret: &str, now: Timestamp) -> anyhow::Result<String> {
    let secret = Secret::try_from_base32(secret)
        .map_err(|_| anyhow::anyhow!("ce n'est pas un secret en base 32"))?;
    Ok(totp(secret)?.generate(seconds(now)).to_string())
}

/// When the second factor was shown: now, with a code that is good; never, by a person who has none.
pub(super) fn show(
    tx: &mut Tx<'_>,
    keys: &Keys,
    user: UserId,
    code: Option<&str>,
) -> Result<Option<Timestamp>> {
    let factor = second_factors::lock(tx, user)?.filter(|factor| factor.confirmed_at.is_some());
    let Some(factor) = factor else { return Ok(None) };
    let code = code.ok_or(Refusal::CodeNeeded)?;
    if code.chars().filter(char::is_ascii_digit).count() == 6 && code.trim().len() == 6 {
        spend_step(tx, keys, user, &factor.secret_sealed, code.trim())?;
    } else if !second_factors::spend_recovery(tx, user, &recovery_hash(keys, code))? {
        return Err(Refusal::BadCode.into());
    }
    Ok(Some(tx.now))
}

/// Uses a code up: that of this period of thirty seconds, or of the one before or after, for clocks that differ.
fn spend_step(
    tx: &mut Tx<'_>,
    keys: &Keys,
    user: UserId,
    secret_sealed: &[u8],
    code: &str,
) -> Result<()> {
    let secret = keys.unseal(SECRET, secret_sealed)?;
    let step = totp(Secret::from(secret))?.check(code, seconds(tx.now));
    let step = step.and_then(|step| i64::try_from(step).ok()).ok_or(Refusal::BadCode)?;
    if second_factors::spend_step(tx, user, step)? { Ok(()) } else { Err(Refusal::BadCode.into()) }
}

fn totp(secret: Secret) -> anyhow::Result<Totp> {
    // SHA-1, six digits, thirty seconds, one period either way: what every application takes.
    let totp = Builder::new().with_secret(secret).build();
    totp.map_err(|_| anyhow::anyhow!("a secret of a second factor is too short"))
}

fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.timestamp()).unwrap_or_default()
}

/// Eighty random bits, as `ABCD-EFGH-IJKL-MNOP`.
fn recovery_code() -> anyhow::Result<String> {
    let text = Secret::from(random::<10>()?.to_vec()).to_base32();
    let groups: Vec<String> = text
        .as_bytes()
        .chunks(4)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    Ok(groups.join("-"))
}

/// As it was written down: blanks, hyphens and small letters make no difference.
fn recovery_hash(keys: &Keys, code: &str) -> [u8; 32] {
    let plain: String =
        code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    keys.mark("recovery code", plain.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::date::parse_instant;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six of eight digits.
        let secret = Secret::from(b"12345678901234567890".to_vec()).to_base32();
        for (instant, code) in [
            ("2005-03-18T01:58:29Z", "081804"),
            ("2005-03-18T01:58:31Z", "050471"),
            ("2009-02-13T23:31:30Z", "005924"),
        ] {
            assert_eq!(code_at(&secret, parse_instant(instant).unwrap()).unwrap(), code);
        }
    }

    #[test]
    fn a_code_on_paper_is_read_as_it_was_written_down() {
        let keys = Keys::generate().unwrap();
        let code = recovery_code().unwrap();
        assert_eq!(code.len(), 19);
        let written = code.to_lowercase().replace('-', " ");
        assert_eq!(recovery_hash(&keys, &code), recovery_hash(&keys, &written));
    }
}
