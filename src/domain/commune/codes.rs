//! The short codes of the French administrative map, as small copyable values that can't be wrong.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::malformed::Malformed;

/// A code of at most `$len` ASCII characters, padded with NUL bytes: read from text by `$check`,
/// written as text.
macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $len:literal, $check:expr, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name([u8; $len]);

        impl $name {
            /// The characters of the code.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or_default().trim_end_matches('\0')
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                let check: fn(&[u8]) -> bool = $check;
                let mut bytes = [0; $len];
                match bytes.get_mut(..text.len()) {
                    Some(used) if check(text.as_bytes()) => used.copy_from_slice(text.as_bytes()),
                    _ => return Err(Malformed($rule)),
                }
                Ok(Self(bytes))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;

            fn try_from(text: String) -> Result<Self, Malformed> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> Self {
                code.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
    };
}

code! {
    /// A French department: `01` to `95`, `2A` and `2B` for Corsica, three digits overseas (`974`).
    Department, 3, is_department,
    "un département a deux caractères (« 59 », « 2A ») ou trois outre-mer (« 974 »)"
}

code! {
    /// A commune in the official geographic code of INSEE: its department, then its number; five
    /// characters.
    InseeCode, 5, is_insee_code,
    "un code INSEE de commune a cinq caractères, par exemple 59253"
}

code! {
    /// A postal code of La Poste, CEDEX ones included: five digits.
    PostalCode, 5, is_postal_code,
    "un code postal a cinq chiffres, par exemple 59610"
}

code! {
    /// An arrondissement of the State in the official geographic code: its department and one more
    /// digit, as in `591` for Avesnes-sur-Helpe.
    Arrondissement, 4, is_arrondissement,
    "un arrondissement est un département et un chiffre, par exemple 591"
}

impl InseeCode {
    /// The department that the code begins with.
    pub fn department(&self) -> Department {
        let [first, second, third, ..] = self.0;
        let overseas = first == b'9' && matches!(second, b'7' | b'8');
        Department([first, second, if overseas { third } else { 0 }])
    }
}

impl PostalCode {
    /// The department that the code points to. Nearly always right: a few communes get their mail
    /// through a neighbouring department, so a commune's own code is better evidence.
    pub fn department(&self) -> Option<Department> {
        let [first, second, third, ..] = self.0;
        let corsica = if matches!(third, b'0' | b'1') { b'A' } else { b'B' };
        let bytes = match (first, second) {
            (b'2', b'0') => [b'2', corsica, 0],
            (b'9', b'7' | b'8') => [first, second, third],
            _ => [first, second, 0],
        };
        let code = Department(bytes);
        is_department(code.as_str().as_bytes()).then_some(code)
    }
}

impl Department {
    /// Whether the department lies overseas: its places are outside the box of metropolitan
    /// coordinates.
    pub fn is_overseas(&self) -> bool {
        matches!(self.0, [b'9', b'7' | b'8', _])
    }
}

fn is_department(code: &[u8]) -> bool {
    match code {
        [b'2', b'A' | b'B'] => true,
        [b'2' | b'0', b'0'] => false,
        [b'9', unit] => (b'0'..=b'5').contains(unit),
        [ten, unit] => ten.is_ascii_digit() && unit.is_ascii_digit(),
        [b'9', b'7' | b'8', unit] => unit.is_ascii_digit(),
        _ => false,
    }
}

fn is_insee_code(code: &[u8]) -> bool {
    match code {
        [b'9', b'7' | b'8', rest @ ..] => rest.len() == 3 && rest.iter().all(u8::is_ascii_digit),
        [first, second, rest @ ..] => {
            is_department(&[*first, *second])
                && rest.len() == 3
                && rest.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

fn is_postal_code(code: &[u8]) -> bool {
    code.len() == 5 && code.iter().all(u8::is_ascii_digit) && !code.starts_with(b"00")
}

fn is_arrondissement(code: &[u8]) -> bool {
    match code.split_last() {
        Some((number, department)) => number.is_ascii_digit() && is_department(department),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_department_is_read_and_nothing_else() {
        for code in ["01", "59", "2A", "95", "974", "988"] {
            assert_eq!(code.parse::<Department>().unwrap().as_str(), code);
        }
        for code in ["", "1", "00", "20", "96", "2C", "aa", "100", "9745", "5\u{666}"] {
            assert!(code.parse::<Department>().is_err(), "{code}");
        }
    }

    #[test]
    fn a_code_tells_its_department() {
        let of_commune = |code: &str| code.parse::<InseeCode>().unwrap().department().to_string();
        assert_eq!(
            [of_commune("59253"), of_commune("2A004"), of_commune("97411")],
            ["59", "2A", "974"]
        );
        let of_mail =
            |code: &str| code.parse::<PostalCode>().unwrap().department().map(String::from);
        assert_eq!(of_mail("02100").as_deref(), Some("02"));
        assert_eq!(of_mail("20000").as_deref(), Some("2A"));
        assert_eq!(of_mail("20200").as_deref(), Some("2B"));
        assert_eq!(of_mail("97400").as_deref(), Some("974"));
        assert_eq!(of_mail("96000"), None);
    }

    #[test]
    fn malformed_codes_are_refused_with_an_example() {
        assert!("5925".parse::<InseeCode>().unwrap_err().0.contains("59253"));
        assert!("59A53".parse::<InseeCode>().is_err());
        assert!("00100".parse::<PostalCode>().is_err());
        assert!("596100".parse::<PostalCode>().is_err());
        assert!("59".parse::<Arrondissement>().is_err());
        assert_eq!("9741".parse::<Arrondissement>().unwrap().as_str(), "9741");
    }
}
