//! Passwords: argon2id with 46 MiB, one pass, one lane (OWASP password storage cheat sheet), in a small
//! pool of its own, so that a flood of sign-ins neither fills memory nor starves redemptions.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::domain::text::Password;
use crate::error::{Error, Result};

/// Hashes at work at once: two cores' worth, 92 MiB.
const AT_ONCE: usize = 2;
/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(3);

/// Verifies passwords, a few at a time.
#[derive(Clone, Default)]
pub struct Hasher {
    busy: Arc<(Mutex<usize>, Condvar)>,
}

impl Hasher {
    /// Does the password match? An account that does not exist takes as long, and never does.
    pub fn verify(&self, password: &Password, hash: Option<&str>) -> Result<bool> {
        let _turn = self.turn()?;
        let known = hash.is_some();
        let parsed = PasswordHash::new(hash.unwrap_or(NOBODY))
            .map_err(|error| anyhow::anyhow!("a password hash can't be read: {error}"))?;
        Ok(argon2()?.verify_password(password.expose().as_bytes(), &parsed).is_ok() && known)
    }

    fn turn(&self) -> Result<Turn<'_>> {
        let (count, freed) = &*self.busy;
        let busy = count.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut busy, wait) = freed
            .wait_timeout_while(busy, PATIENCE, |busy| *busy >= AT_ONCE)
            .unwrap_or_else(PoisonError::into_inner);
        if wait.timed_out() {
            return Err(Error::Busy("too many sign-ins at once".into()));
        }
        *busy = busy.saturating_add(1);
        Ok(Turn(self))
    }
}

/// A place among those at work; given back when dropped.
struct Turn<'h>(&'h Hasher);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let (count, freed) = &*self.0.busy;
        let mut busy = count.lock().unwrap_or_else(PoisonError::into_inner);
        *busy = busy.saturating_sub(1);
        freed.notify_one();
    }
}

/// The hash of no password anybody knows, of the same cost as a real one.
const NOBODY: &str = "$argon2id$v=19$m=47104,t=1,p=1$c291Y2hlLW5vYm9keS0wMQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn argon2() -> anyhow::Result<Argon2<'static>> {
    let params =
        Params::new(47_104, 1, 1, None).map_err(|error| anyhow::anyhow!("argon2: {error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a new password, in PHC form.
pub fn hash_password(password: &Password) -> Result<String> {
    let hash = argon2()?
        .hash_password(password.expose().as_bytes())
        .map_err(|error| anyhow::anyhow!("argon2: {error}"))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_hash_and_nothing_else() {
        let password = |text: &str| Password::try_from(text.to_owned()).unwrap();
        let hash = hash_password(&password("la souche reste au carnet")).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{hash}");
        let hasher = Hasher::default();
        assert!(hasher.verify(&password("la souche reste au carnet"), Some(&hash)).unwrap());
        assert!(!hasher.verify(&password("la souche reste au carnet."), Some(&hash)).unwrap());
        assert!(!hasher.verify(&password("la souche reste au carnet"), None).unwrap());
    }
}
