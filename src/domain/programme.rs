//! What a programme sets for all that happens in it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};
use utoipa::ToSchema;

use super::money::Amount;
use super::service::Service;

/// The short name of a programme: 2 to 8 capitals and digits, printed in every code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[A-Z][A-Z0-9]{1,7}$", example = "HDF")]
pub struct ProgrammeCode(String);

impl ProgrammeCode {
    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ProgrammeCode {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_code = (2..=8).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        if is_code {
            Ok(Self(text))
        } else {
            Err("un code de 2 à 8 capitales ou chiffres, commençant par une capitale, est attendu"
                .into())
        }
    }
}

impl From<ProgrammeCode> for String {
    fn from(code: ProgrammeCode) -> String {
        code.0
    }
}

impl fmt::Display for ProgrammeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The legal road that public money takes (note of the ANCT and the `DGFiP` on the pass numérique). It decides
/// which documents are produced; it promises no exemption.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LegalRoad {
    /// An imprest account.
    RegieAvances,
    /// A mandate agreement.
    ConventionMandat,
    /// Receipts, with the paymaster's agreement.
    RecepissesAccordComptable,
}

/// The terms that the rules of a programme rest on.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Its code.
    pub code: ProgrammeCode,
    /// What a pass is worth.
    pub face_value: Amount,
    /// How many passes one person may receive in all.
    pub max_passes_per_person: i32,
}

/// How many passes one person may spend on a service, all sites taken together: 1 to 1,000. A service that is
/// not named has no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "BTreeMap<Service, i32>", into = "BTreeMap<Service, i32>")]
#[schema(value_type = BTreeMap<String, i32>, example = json!({ "employment": 3 }))]
pub struct PassesPerService(BTreeMap<Service, i32>);

impl PassesPerService {
    /// The most for that service; `None` when it has no limit.
    pub fn limit(&self, service: Service) -> Option<i32> {
        self.0.get(&service).copied()
    }
}

impl TryFrom<BTreeMap<Service, i32>> for PassesPerService {
    type Error = String;

    fn try_from(limits: BTreeMap<Service, i32>) -> Result<Self, String> {
        if limits.values().all(|limit| (1..=1000).contains(limit)) {
            Ok(Self(limits))
        } else {
            Err("pour chaque service, un nombre de 1 à 1 000 est attendu".into())
        }
    }
}

impl From<PassesPerService> for BTreeMap<Service, i32> {
    fn from(limits: PassesPerService) -> Self {
        limits.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_of_passes_for_a_service_of_the_schema() {
        let read = |text: &str| serde_json::from_str::<PassesPerService>(text);
        let limits = read(r#"{"employment":3}"#).unwrap();
        assert_eq!(limits.limit(Service::Employment), Some(3));
        assert_eq!(limits.limit(Service::OnlineSafety), None);
        for odd in [r#"{"employment":0}"#, r#"{"employment":1001}"#, r#"{"coffee":1}"#, "[]"] {
            assert!(read(odd).is_err(), "{odd} was taken");
        }
    }
}
