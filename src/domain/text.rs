//! Text that people write: trimmed, not empty, bounded, without control characters (PostgreSQL
//! refuses NUL, and a line break in a name is a forged line elsewhere).

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A line of 1 to 200 characters: a name, a reference, a reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 200)]
pub struct Line(String);

impl Line {
    const MAX_CHARS: usize = 200;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Line {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let trimmed = text.trim();
        if trimmed.is_empty()
            || trimmed.chars().count() > Self::MAX_CHARS
            || trimmed.chars().any(char::is_control)
        {
            return Err("un texte de 1 à 200 caractères, sans saut de ligne ni caractère de contrôle, est attendu".into());
        }
        Ok(Self(trimmed.to_owned()))
    }
}

impl From<Line> for String {
    fn from(line: Line) -> String {
        line.0
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A remark of 1 to 1,000 characters, on one line: what was found, and by which document it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 1000)]
pub struct Remark(String);

impl Remark {
    const MAX_CHARS: usize = 1_000;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Remark {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let trimmed = text.trim();
        let is_one_line = !trimmed.is_empty() && !trimmed.chars().any(char::is_control);
        if is_one_line && trimmed.chars().count() <= Self::MAX_CHARS {
            Ok(Self(trimmed.to_owned()))
        } else {
            Err("un texte de 1 à 1 000 caractères, sans saut de ligne ni caractère de contrôle, est attendu".into())
        }
    }
}

impl From<Remark> for String {
    fn from(remark: Remark) -> String {
        remark.0
    }
}

/// A mail address, lower-cased: what a person signs in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = Email, max_length = 254)]
pub struct Email(String);

impl Email {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Email {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let address = text.trim().to_lowercase();
        let is_plausible = address.len() <= 254
            && address.split_once('@').is_some_and(|(user, host)| {
                !user.is_empty() && host.contains('.') && !host.contains('@')
            })
            && !address.chars().any(|c| c.is_control() || c.is_whitespace());
        if is_plausible {
            Ok(Self(address))
        } else {
            Err("une adresse de courriel est attendue, par exemple nom@exemple.fr".into())
        }
    }
}

impl From<Email> for String {
    fn from(email: Email) -> String {
        email.0
    }
}

/// A password as typed: 15 to 128 characters, never printed.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, format = Password, min_length = 1, max_length = 128)]
pub struct Password(String);

impl Password {
    /// Shortest password of a new account (OWASP ASVS 5.0, 6.2.1 recommends 15).
    pub const MIN_CHARS: usize = 15;

    /// The secret; hand it to the hash, and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Longest password taken.
    pub const MAX_CHARS: usize = 128;

    /// Long enough for a new account?
    pub fn is_long_enough(&self) -> bool {
        self.0.chars().count() >= Self::MIN_CHARS
    }
}

impl TryFrom<String> for Password {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() || text.chars().count() > Self::MAX_CHARS || text.contains('\0') {
            return Err("un mot de passe de 1 à 128 caractères est attendu".into());
        }
        Ok(Self(text))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_trimmed_and_a_forged_one_refused() {
        assert_eq!(
            Line::try_from("  Maison d'Éléonore ".to_owned()).unwrap().as_str(),
            "Maison d'Éléonore"
        );
        for text in ["", "   ", "a\0b", "a\nb", &"x".repeat(201)] {
            assert!(Line::try_from(text.to_owned()).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_remark_has_room_for_a_sentence_or_two() {
        let read = |text: &str| Remark::try_from(text.to_owned());
        assert_eq!(
            read(&format!(" {} ", "é".repeat(1_000))).unwrap().as_str().chars().count(),
            1_000
        );
        for text in ["", "  ", "a\nb", &"x".repeat(1_001)] {
            assert!(read(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let password = Password::try_from("correct horse battery".to_owned()).unwrap();
        assert_eq!(format!("{password:?}"), "Password(…)");
    }
}
