//! Where money is sent: account numbers, banks, and the identifier that a transfer carries to the
//! statement and back.
//!
//! The registry of account numbers (lengths and structures by country, ISO 13616) and the list of
//! SEPA countries (EPC409-09) are the `sepa` crate's; the words and the narrower rules are ours.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Text that is no account or bank identifier, said to the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BankError {
    /// Not an account number that a SEPA transfer can reach.
    #[error("IBAN invalide : {0}")]
    Iban(String),
    /// Not a bank identifier.
    #[error("BIC invalide : {0}")]
    Bic(String),
}

/// An account in the SEPA area, 15 to 34 letters and digits: length and structure of its country,
/// key mod 97 (ISO 13616). Parsed with or without spaces, in either case.
///
/// `Display` groups by four, as on a bank statement; JSON and [`Iban::as_str`] have no spaces;
/// `Debug` is masked, because logs outlive the need for them.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Iban(sepa::Iban);

impl Iban {
    /// Without spaces, upper case: `FR1420041010050500013M02606`.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Only the last four characters, `•••• 2606`: enough to tell two accounts of one structure apart.
    pub fn masked(&self) -> String {
        let tail = self.as_str().len().saturating_sub(4);
        format!("•••• {}", self.as_str().get(tail..).unwrap_or_default())
    }

    /// The value that the writer of bank files takes.
    pub(crate) fn to_sepa(&self) -> sepa::Iban {
        self.0.clone()
    }
}

impl FromStr for Iban {
    type Err = BankError;

    fn from_str(text: &str) -> Result<Self, BankError> {
        let iban = sepa::validate_iban(text).map_err(|error| BankError::Iban(reason(&error)))?;
        // Mod 97 alone lets 00, 01 and 99 stand for 97, 98 and 02: one account, two spellings.
        if sepa::iban_check_digits(iban.country_code(), iban.bban()) != iban.check_digits() {
            return Err(BankError::Iban(WRONG_KEY.into()));
        }
        if !iban.is_sepa() {
            let country = iban.country_code();
            return Err(BankError::Iban(format!(
                "le pays {country} n'est pas dans l'espace SEPA ; donnez un compte qui s'y trouve"
            )));
        }
        Ok(Self(iban))
    }
}

const WRONG_KEY: &str = "la clé de contrôle ne correspond pas ; recopiez-le depuis le RIB";

fn reason(error: &sepa::IbanError) -> String {
    use sepa::IbanError as E;
    match error {
        E::InvalidLength { len } => {
            format!("{len} caractères ; il en faut 27 pour la France, de 15 à 34 ailleurs")
        }
        E::InvalidCharacter { ch } => {
            format!("le caractère « {} » n'y a pas sa place", ch.escape_debug())
        }
        E::WrongLengthForCountry { country, expected, actual } => {
            format!("{actual} caractères ; il en faut {expected} pour le pays {country}")
        }
        E::InvalidCountryCode { code } => {
            format!("il commence par « {code} » au lieu des deux lettres d'un pays")
        }
        E::NonNumericCheckDigits { value } => {
            format!("sa clé « {value} », en 3e et 4e place, n'est pas faite de deux chiffres")
        }
        E::InvalidBbanFormat { position, found, .. } => {
            format!(
                "« {found} » n'est pas possible en position {position} ; recopiez-le depuis le RIB"
            )
        }
        _ => WRONG_KEY.into(),
    }
}

/// A bank: 8 or 11 letters and digits with a country's code in 5th and 6th place (ISO 9362).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bic(sepa::Bic);

impl Bic {
    /// Without spaces, upper case: `BNPAFRPPXXX`.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The value that the writer of bank files takes.
    pub(crate) fn to_sepa(&self) -> sepa::Bic {
        self.0.clone()
    }
}

impl FromStr for Bic {
    type Err = BankError;

    fn from_str(text: &str) -> Result<Self, BankError> {
        use sepa::BicError as E;
        sepa::validate_bic(text).map(Self).map_err(|error| {
            BankError::Bic(match error {
                E::InvalidLength { len } => format!("{len} caractères ; il en faut 8 ou 11"),
                E::UnknownCountryCode { code } => format!("« {code} » n'est pas un pays"),
                E::Placeholder => "laissez le champ vide si le BIC n'est pas connu".into(),
                _ => {
                    "il n'est fait que de lettres et de chiffres ; recopiez-le depuis le RIB".into()
                }
            })
        })
    }
}

impl fmt::Display for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iban({})", self.masked())
    }
}

impl fmt::Display for Bic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Iban {
    type Error = BankError;
    fn try_from(text: String) -> Result<Self, BankError> {
        text.parse()
    }
}

impl TryFrom<String> for Bic {
    type Error = BankError;
    fn try_from(text: String) -> Result<Self, BankError> {
        text.parse()
    }
}

impl From<Iban> for String {
    fn from(iban: Iban) -> Self {
        iban.as_str().to_owned()
    }
}

impl From<Bic> for String {
    fn from(bic: Bic) -> Self {
        bic.as_str().to_owned()
    }
}

/// Marks the transfers of this service among all those of the paying account.
const NAMESPACE: &str = "SOUCHE";

/// The `EndToEndId` of a payout, `SOUCHE-HDF-1042-18`: ours by its first word, unique by programme
/// and number, proof against a copying slip by its two check digits (ISO 7064, mod 97-10).
///
/// Fits the 35 characters of a bank file for codes of up to 8 and numbers of up to 16 characters.
/// What comes back from a bank is still matched on id, amount and account together.
pub fn end_to_end_id(programme_code: &str, payout_number: u64) -> String {
    let stem = format!("{NAMESPACE}-{programme_code}-{payout_number}");
    let key = check_digits(&stem);
    format!("{stem}-{key:02}")
}

/// The programme's code and the payout's number that an `EndToEndId` of ours carries; `None` for
/// anything that [`end_to_end_id`] did not write, to the letter.
pub fn verify_end_to_end_id(id: &str) -> Option<(&str, u64)> {
    let (stem, _key) = id.rsplit_once('-')?;
    let (space_and_code, number) = stem.rsplit_once('-')?;
    let code = space_and_code.strip_prefix(NAMESPACE)?.strip_prefix('-')?;
    let number = number.parse().ok()?;
    (end_to_end_id(code, number) == id).then_some((code, number))
}

/// ISO 7064 mod 97-10 over letters (A = 10 … Z = 35) and digits; other characters are skipped.
fn check_digits(stem: &str) -> u32 {
    let remainder = stem.chars().filter_map(|c| c.to_digit(36)).fold(0_u32, |rest, value| {
        let shift = if value < 10 { 10 } else { 100 };
        rest.wrapping_mul(shift).wrapping_add(value).wrapping_rem(97)
    });
    98_u32.wrapping_sub(remainder.wrapping_mul(100).wrapping_rem(97))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRENCH: &str = "FR14 2004 1010 0505 0001 3M02 606";

    fn iban(text: &str) -> Result<Iban, BankError> {
        text.parse()
    }

    #[test]
    fn an_iban_is_read_with_spaces_and_in_lower_case() {
        let typed = iban(" fr14\u{a0}2004 1010 0505 0001 3m02 606 ").unwrap();
        assert_eq!(typed.as_str(), "FR1420041010050500013M02606");
        assert_eq!(typed.to_string(), FRENCH);
        assert_eq!(typed.masked(), "•••• 2606");
        assert_eq!(format!("{typed:?}"), "Iban(•••• 2606)");
    }

    #[test]
    fn every_way_an_iban_can_be_wrong_is_said_in_french() {
        for (text, said) in [
            ("", "0 caractères"),
            ("FR14 2004", "8 caractères ; il en faut 27"),
            ("FR1420041010050500013M0260", "26 caractères ; il en faut 27 pour le pays FR"),
            ("FR1420041010050500013M02607", "la clé de contrôle"),
            ("FR1420041010050500013M026é6", "« é » n'y a pas sa place"),
            ("FR1420041010050500013M02\u{0}06", "« \\0 » n'y a pas sa place"),
            ("1214200410100505000130260", "deux lettres d'un pays"),
            ("FRX420041010050500013M02606", "« X4 »"),
            ("DE8937O400440532013000", "« O » n'est pas possible en position 7"),
            ("BR1800360305000010009795493C1", "BR n'est pas dans l'espace SEPA"),
        ] {
            let refusal = iban(text).unwrap_err().to_string();
            assert!(refusal.starts_with("IBAN invalide : "), "{refusal}");
            assert!(refusal.contains(said), "{text:?} says {refusal:?}");
        }
    }

    #[test]
    fn an_account_has_one_spelling() {
        let (country, bban) = ("BE", "000000000072");
        let right = sepa::iban_check_digits(country, bban);
        let twin = format!("{:02}", (right.parse::<u32>().unwrap() + 97) % 100);
        assert!(iban(&format!("{country}{right}{bban}")).is_ok());
        assert!(iban(&format!("{country}{twin}{bban}")).is_err());
    }

    #[test]
    fn a_bic_has_8_or_11_characters_and_a_country() {
        assert_eq!("bnpafrppxxx".parse::<Bic>().unwrap().as_str(), "BNPAFRPPXXX");
        assert_eq!("PSSTFRPP".parse::<Bic>().unwrap().to_string(), "PSSTFRPP");
        for (text, said) in [
            ("BNPAFRPPX", "9 caractères ; il en faut 8 ou 11"),
            ("BNPAZZPP", "« ZZ » n'est pas un pays"),
            ("NOTPROVIDED", "laissez le champ vide"),
            ("BNPA-RPP", "lettres et de chiffres"),
        ] {
            assert!(text.parse::<Bic>().unwrap_err().to_string().contains(said), "{text}");
        }
    }

    #[test]
    fn identifiers_travel_as_json_text_and_are_checked_on_the_way_in() {
        let json = serde_json::to_string(&iban(FRENCH).unwrap()).unwrap();
        assert_eq!(json, "\"FR1420041010050500013M02606\"");
        assert_eq!(serde_json::from_str::<Iban>(&json).unwrap().to_string(), FRENCH);
        let error = serde_json::from_str::<Iban>("\"FR00\"").unwrap_err().to_string();
        assert!(error.contains("IBAN invalide"), "{error}");
        assert!(serde_json::from_str::<Bic>("\"BNPAFRPP\"").is_ok());
    }

    #[test]
    fn the_check_digits_are_those_of_iso_7064() {
        // The standard's own property: the whole, check digits included, is 1 modulo 97.
        let id = end_to_end_id("HDF", 1042);
        let rest = id
            .chars()
            .filter_map(|c| c.to_digit(36))
            .fold(0, |rest, value| (rest * if value < 10 { 10 } else { 100 } + value) % 97);
        assert_eq!((id.as_str(), rest), ("SOUCHE-HDF-1042-18", 1));
    }

    #[test]
    fn an_end_to_end_id_comes_back_as_what_it_was_made_of() {
        assert_eq!(verify_end_to_end_id(&end_to_end_id("HDF", 7)), Some(("HDF", 7)));
        for foreign in ["", "NOTPROVIDED", "SOUCHE-HDF-7", "SOUCHE-HDF-007-41", "é-é-é-é"] {
            assert_eq!(verify_end_to_end_id(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn an_end_to_end_id_fits_the_bank_file() {
        assert_eq!(end_to_end_id("HDF-2026", 9_999_999_999_999_999).len(), 35);
    }

    proptest! {
        #[test]
        fn an_iban_survives_its_printed_form(bban in "[0-9]{10}[0-9A-Z]{11}[0-9]{2}") {
            let key = sepa::iban_check_digits("FR", &bban);
            let made = iban(&format!("FR{key}{bban}")).unwrap();
            prop_assert_eq!(&iban(&made.to_string()).unwrap(), &made);
            prop_assert_eq!(&iban(&made.to_string().to_lowercase()).unwrap(), &made);
            prop_assert!(!made.masked().contains(&bban[..19]));
        }

        #[test]
        fn one_wrong_digit_in_an_end_to_end_id_is_seen(number: u64, digit in "[0-9]", at: prop::sample::Index) {
            let id = end_to_end_id("HDF", number);
            let digits: Vec<_> = id.match_indices(|c: char| c.is_ascii_digit()).collect();
            let (place, _) = digits[at.index(digits.len())];
            let mut wrong = id.clone();
            wrong.replace_range(place..=place, &digit);
            prop_assert_eq!(verify_end_to_end_id(&wrong).is_some(), wrong == id);
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC*|.*") {
            let _ = iban(&text);
            let _ = text.parse::<Bic>();
            let _ = verify_end_to_end_id(&text);
            prop_assert!(verify_end_to_end_id(&end_to_end_id(&text, 1)).is_some());
        }
    }
}
