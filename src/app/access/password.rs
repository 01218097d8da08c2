//! Passwords: which are taken, and how they are kept: argon2id with 46 MiB, one pass, one lane (OWASP password
//! storage cheat sheet).

use std::sync::LazyLock;

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::domain::Refusal;
use crate::domain::text::Password;
use crate::error::Result;

/// What people reach for, one a line, in small letters and digits only.
static COMMON: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let lines = include_str!("common_passwords.txt").lines();
    let mut words: Vec<&str> = lines.filter(|line| !line.starts_with('#')).collect();
    // The longest first: "motdepasse" is gone before "passe" is looked for.
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
    words
});
/// Signs that have to be left of a password once everything that can be guessed is taken out of it.
const MIN_LEFT: usize = 8;
/// A word shorter than that is in too many passwords by chance.
const MIN_WORD: usize = 4;

/// Refuses a new password that is short, or made of little else than common words, a series of keys, one piece
/// again and again, or what everybody knows: `context` is the address, names, the programme (OWASP ASVS 5.0, 6.2).
pub fn ensure_strong(password: &Password, context: &[&str]) -> Result<(), Refusal> {
    if !password.is_long_enough() {
        return Err(Refusal::PasswordTooShort);
    }
    let mut left = plain(password.expose());
    let known =
        context.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric())).map(plain);
    for word in known.filter(|word| word.chars().count() >= MIN_WORD) {
        left = left.replace(&word, "");
    }
    for word in COMMON.iter() {
        left = left.replace(word, "");
    }
    let mut signs: Vec<char> = left.chars().collect();
    let is_repeated = (1..=signs.len().div_euclid(2)).any(|piece| {
        let (head, tail) = (signs.get(piece..), signs.get(..signs.len().saturating_sub(piece)));
        head == tail
    });
    let left = signs.len();
    signs.sort_unstable();
    signs.dedup();
    if left < MIN_LEFT || is_repeated || signs.len() < 5 {
        return Err(Refusal::PasswordTooCommon);
    }
    Ok(())
}

/// Letters and digits alone, small: what is around them makes nothing harder to guess.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Hashes a new password, in PHC form.
pub fn hash_password(password: &Password) -> Result<String> {
    let hash = argon2()?
        .hash_password(password.expose().as_bytes())
        .map_err(|error| anyhow::anyhow!("argon2: {error}"))?;
    Ok(hash.to_string())
}

/// Is it the password of that hash? None is of no account, and takes as long to find out.
pub(super) fn matches(password: &Password, hash: Option<&str>) -> Result<bool> {
    let parsed = PasswordHash::new(hash.unwrap_or(NO_PASSWORD))
        .map_err(|error| anyhow::anyhow!("a password hash can't be read: {error}"))?;
    let is_right = argon2()?.verify_password(password.expose().as_bytes(), &parsed).is_ok();
    Ok(is_right && hash.is_some())
}

/// Was it made as one is made today?
pub(super) fn is_current(hash: &str) -> bool {
    hash.starts_with(TODAY)
}

/// How a hash of today begins.
const TODAY: &str = "$argon2id$v=19$m=47104,t=1,p=1$";
/// The hash of no password anybody knows, of the same cost as a real one: of accounts that nobody signs in to, and of
/// addresses without one.
pub const NO_PASSWORD: &str = "$argon2id$v=19$m=47104,t=1,p=1$c291Y2hlLW5vYm9keS0wMQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn argon2() -> anyhow::Result<Argon2<'static>> {
    let params =
        Params::new(47_104, 1, 1, None).map_err(|error| anyhow::anyhow!("argon2: {error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_password_matches_its_hash_and_nothing_else() {
        let hash = hash_password(&password("la souche reste au carnet")).unwrap();
        assert!(hash.starts_with(TODAY) && NO_PASSWORD.starts_with(TODAY), "{hash}");
        assert!(is_current(&hash) && !is_current(&hash.replace("t=1", "t=2")));
        assert!(matches(&password("la souche reste au carnet"), Some(&hash)).unwrap());
        assert!(!matches(&password("la souche reste au carnet."), Some(&hash)).unwrap());
        assert!(!matches(&password("la souche reste au carnet"), None).unwrap());
    }

    #[test]
    fn what_can_be_guessed_is_refused() {
        let context = ["ana.exemple@mairie-fourmies.fr", "Ana Exemple", "HDF"];
        for text in [
            "motdepasse12345678",
            "Mot-de-passe 2026!!!",
            "azertyuiopqsdfghjklm",
            "aaaaaaaaaaaaaaaaaaaa",
            "xk7pxk7pxk7pxk7pxk7p",
            "123456789012345678",
            "souche souche souche",
            "AnaExemple-Fourmies59",
            "Password1Password1",
        ] {
            let refused = ensure_strong(&password(text), &context);
            assert_eq!(refused, Err(Refusal::PasswordTooCommon), "{text}");
        }
        let short = ensure_strong(&password("quatorze signe"), &context);
        assert_eq!(short, Err(Refusal::PasswordTooShort));
        for text in [
            "la vache tricote un sous-marin",
            "un mot de passe assez long",
            "gx4vq9w2hp7mz3k",
            "une phrase de passe assez longue",
        ] {
            assert_eq!(ensure_strong(&password(text), &context), Ok(()), "{text}");
        }
    }
}
