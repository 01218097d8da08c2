//! Who stands behind a place: the three identifiers that the national schema accepts as `pivot`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::malformed::Malformed;

/// The SIREN of La Poste, whose thousands of establishments outgrew the Luhn key: INSEE lets their
/// fourteen digits add up to a multiple of five instead.
const LA_POSTE: &str = "356000000";

/// An establishment's number: fourteen digits, SIREN (9) then NIC (5), with INSEE's Luhn key.
/// Spaces between groups are accepted and forgotten; all zeros are refused although their key is
/// right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Siret(String);

impl Siret {
    /// The fourteen digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nine digits of the organisation that the establishment belongs to.
    pub fn siren(&self) -> &str {
        self.0.get(..9).unwrap_or_default()
    }
}

impl FromStr for Siret {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let digits = without_blanks(text);
        if !is_digits(&digits, 14) {
            return Err(Malformed("un SIRET a 14 chiffres, par exemple 217 500 016 00019"));
        }
        if digits.bytes().all(|digit| digit == b'0') {
            return Err(Malformed(
                "un SIRET n’est pas fait que de zéros ; laissez le champ vide s’il est inconnu",
            ));
        }
        if luhn_remainder(&digits) == 0 || is_la_poste(&digits) {
            Ok(Self(digits))
        } else {
            Err(Malformed("la clé de ce SIRET est fausse : un chiffre est mal recopié"))
        }
    }
}

/// An association's number in the national register: `W`, then nine characters of which the second
/// may be a letter (Corsica, overseas), as in `W595001234`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rna(String);

impl Rna {
    /// The ten characters, capital W first.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Rna {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let number = without_blanks(text).to_ascii_uppercase();
        match number.as_bytes() {
            [b'W', first, second, rest @ ..]
                if first.is_ascii_digit()
                    && second.is_ascii_alphanumeric()
                    && rest.len() == 7
                    && rest.iter().all(u8::is_ascii_digit) =>
            {
                Ok(Self(number))
            }
            _ => Err(Malformed(
                "un numéro RNA est un W suivi de neuf chiffres, par exemple W595001234",
            )),
        }
    }
}

/// An establishment's number in New Caledonia: the RID of seven digits and the three of the
/// establishment, kept as ten digits. A RID of six digits is accepted when a point follows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ridet(String);

impl Ridet {
    /// The ten digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Ridet {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const RULE: Malformed = Malformed("un RIDET a dix chiffres, par exemple 0123456.001");
        let number = without_blanks(text);
        let digits = match number.split_once(['.', '-']) {
            Some((rid, establishment)) if establishment.len() == 3 => {
                format!("{rid:0>7}{establishment}")
            }
            Some(_) => return Err(RULE),
            None => number,
        };
        let blank = digits.bytes().all(|digit| digit == b'0');
        if is_digits(&digits, 10) && !blank { Ok(Self(digits)) } else { Err(RULE) }
    }
}

/// What the field `pivot` of the national schema may hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Pivot {
    /// The one that lets a place be qualified and paid.
    Siret(Siret),
    /// An association that has no SIRET.
    Rna(Rna),
    /// An establishment of New Caledonia.
    Ridet(Ridet),
}

impl Pivot {
    /// The SIRET, when it is one.
    pub fn siret(&self) -> Option<&Siret> {
        match self {
            Self::Siret(siret) => Some(siret),
            Self::Rna(_) | Self::Ridet(_) => None,
        }
    }

    /// The number, without blanks.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Siret(siret) => siret.as_str(),
            Self::Rna(rna) => rna.as_str(),
            Self::Ridet(ridet) => ridet.as_str(),
        }
    }
}

impl FromStr for Pivot {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let number = without_blanks(text);
        match number.len() {
            14 => number.parse().map(Self::Siret),
            _ if number.starts_with(['W', 'w']) => number.parse().map(Self::Rna),
            10 | 11 => number.parse().map(Self::Ridet),
            9 if is_digits(&number, 9) => Err(Malformed(
                "c’est un SIREN : il manque les cinq chiffres de l’établissement pour un SIRET",
            )),
            _ => Err(Malformed(
                "un pivot est un SIRET (14 chiffres), un RNA (W et neuf chiffres) ou un RIDET (dix chiffres)",
            )),
        }
    }
}

/// `TryFrom<String>`, back, and `Display`, which are the same for all four.
macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = Malformed;

            fn try_from(text: String) -> Result<Self, Malformed> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(number: $name) -> Self {
                number.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}
as_text!(Siret, Rna, Ridet, Pivot);

/// The fourteen digits of an establishment from the first eight of a SIREN and four of a NIC, the
/// two Luhn keys computed. For invented places only: a real SIRET is read, never made.
pub(crate) fn invented(siren: u32, nic: u16) -> Option<Siret> {
    let siren = with_key(&format!("{siren:08}"));
    with_key(&format!("{siren}{nic:04}")).parse().ok()
}

fn with_key(digits: &str) -> String {
    let remainder = luhn_remainder(&format!("{digits}0"));
    let key = if remainder == 0 { 0 } else { 10_u32.saturating_sub(remainder) };
    format!("{digits}{key}")
}

/// The Luhn sum modulo 10: each second digit from the right counts double, nine less past nine.
fn luhn_remainder(digits: &str) -> u32 {
    let values = digits.chars().rev().filter_map(|c| c.to_digit(10));
    let sum: u32 = values
        .enumerate()
        .map(|(rank, value)| match (rank % 2 == 1, value) {
            (false, _) => value,
            (true, 0..=4) => value.saturating_mul(2),
            (true, _) => value.saturating_mul(2).saturating_sub(9),
        })
        .sum();
    sum % 10
}

fn is_la_poste(digits: &str) -> bool {
    digits.starts_with(LA_POSTE)
        && digits.chars().filter_map(|c| c.to_digit(10)).sum::<u32>() % 5 == 0
}

fn is_digits(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> &'static str {
        text.parse::<Pivot>().unwrap_err().0
    }

    #[test]
    fn a_siret_is_fourteen_digits_with_the_right_key() {
        let siret: Siret = "217 500 016 00019".parse().unwrap();
        assert_eq!((siret.as_str(), siret.siren()), ("21750001600019", "217500016"));
        assert!(refusal("21750001600018").contains("clé"));
        assert!("2175000160001".parse::<Siret>().is_err());
        assert!("2175000160001٩".parse::<Siret>().is_err());
    }

    #[test]
    fn establishments_of_la_poste_add_up_to_a_multiple_of_five() {
        assert!("35600000000048".parse::<Siret>().is_ok());
        assert!("35600000033884".parse::<Siret>().is_ok());
        assert!("35600000033883".parse::<Siret>().is_err());
    }

    #[test]
    fn placeholders_are_no_pivot() {
        assert!(refusal("00000000000000").contains("zéros"));
        assert!(refusal("215901539").contains("SIREN"));
        for text in ["1", "", "0000000000", "W", "415397652000125", "7,75547E+13"] {
            assert!(text.parse::<Pivot>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_association_or_a_caledonian_establishment_has_its_own_number() {
        assert!(
            matches!("w595001234".parse(), Ok(Pivot::Rna(rna)) if rna.as_str() == "W595001234")
        );
        assert!(matches!("W9R1234567".parse(), Ok(Pivot::Rna(_))));
        assert!(
            matches!("123456.001".parse(), Ok(Pivot::Ridet(ridet)) if ridet.as_str() == "0123456001")
        );
        assert!(matches!("0123456001".parse(), Ok(Pivot::Ridet(_))));
    }

    #[test]
    fn a_pivot_travels_as_a_plain_string() {
        let pivot: Pivot = serde_json::from_str("\"217 500 016 00019\"").unwrap();
        assert_eq!(serde_json::to_string(&pivot).unwrap(), "\"21750001600019\"");
        assert!(serde_json::from_str::<Pivot>("\"1\"").is_err());
    }

    #[test]
    fn an_invented_siret_has_both_keys_right() {
        let siret = invented(99_990_042, 1).unwrap();
        assert_eq!(luhn_remainder(siret.siren()), 0);
        assert!(siret.as_str().starts_with("99990042"));
    }
}
