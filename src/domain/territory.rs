//! Where a programme's passes may be used: departments, arrondissements and communes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::commune::{Arrondissement, Commune, Communes, Department, InseeCode};

/// A part of France, as the union of what it lists. It lists something, and every arrondissement or
/// commune of Hauts-de-France it lists exists: a slip of the pen would refuse passes for months.
///
/// ```json
/// {"departments": ["02", "59"], "arrondissements": ["591"], "communes": ["60057"]}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Listed", into = "Listed")]
pub struct Territory(Listed);

/// A territory as it is written, before it is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Listed {
    /// Departments, whole.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub departments: BTreeSet<Department>,
    /// Arrondissements of the State, whole; of Hauts-de-France only, where each commune's is known.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub arrondissements: BTreeSet<Arrondissement>,
    /// Single communes.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub communes: BTreeSet<InseeCode>,
}

/// Why a territory can't be taken as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TerritoryError {
    /// It lists nothing, so no pass could be used anywhere.
    #[error(
        "le territoire ne liste rien : indiquez au moins un département, un arrondissement ou une commune"
    )]
    Empty,
    /// No commune of Hauts-de-France belongs to it.
    #[error(
        "l’arrondissement {0} n’existe pas dans les Hauts-de-France ; hors de la région, listez des départements ou des communes"
    )]
    UnknownArrondissement(Arrondissement),
    /// Its department is in Hauts-de-France, but the commune is not.
    #[error("aucune commune des Hauts-de-France n’a le code INSEE {0}")]
    UnknownCommune(InseeCode),
}

impl Territory {
    /// The region: departments 02, 59, 60, 62 and 80.
    pub fn hauts_de_france() -> Self {
        let communes = Communes::hauts_de_france().all();
        let departments = communes.iter().map(Commune::department).collect();
        Self(Listed { departments, ..Listed::default() })
    }

    /// The pilot's ground: the arrondissement of Avesnes-sur-Helpe (Sambre-Avesnois, 591) and that
    /// of Vervins (Thiérache, 025).
    pub fn sambre_avesnois_thierache() -> Self {
        let arrondissements = ["025", "591"].iter().filter_map(|code| code.parse().ok()).collect();
        Self(Listed { arrondissements, ..Listed::default() })
    }

    /// Whether the commune lies inside; a commune that merged is judged as the commune of today
    /// too.
    pub fn contains(&self, code: &InseeCode) -> bool {
        let today = Communes::hauts_de_france().by_insee_code(*code);
        self.lists(*code) || today.is_some_and(|commune| self.contains_commune(commune))
    }

    /// The communes of Hauts-de-France that lie inside, by INSEE code.
    pub fn communes(&self) -> impl Iterator<Item = &'static Commune> {
        Communes::hauts_de_france().all().iter().filter(|commune| self.contains_commune(commune))
    }

    fn contains_commune(&self, commune: &Commune) -> bool {
        self.lists(commune.insee_code) || self.0.arrondissements.contains(&commune.arrondissement)
    }

    fn lists(&self, code: InseeCode) -> bool {
        self.0.communes.contains(&code) || self.0.departments.contains(&code.department())
    }
}

impl TryFrom<Listed> for Territory {
    type Error = TerritoryError;

    fn try_from(listed: Listed) -> Result<Self, TerritoryError> {
        let table = Communes::hauts_de_france();
        if listed == Listed::default() {
            return Err(TerritoryError::Empty);
        }
        if let Some(code) =
            listed.arrondissements.iter().find(|code| !table.has_arrondissement(**code))
        {
            return Err(TerritoryError::UnknownArrondissement(*code));
        }
        let missing = |code: &&InseeCode| {
            table.covers(code.department()) && table.by_insee_code(**code).is_none()
        };
        if let Some(code) = listed.communes.iter().find(missing) {
            return Err(TerritoryError::UnknownCommune(*code));
        }
        Ok(Self(listed))
    }
}

impl From<Territory> for Listed {
    fn from(territory: Territory) -> Self {
        territory.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Territory, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    fn has(territory: &Territory, code: &str) -> bool {
        territory.contains(&code.parse().unwrap())
    }

    #[test]
    fn the_pilot_covers_two_arrondissements_and_the_region_five_departments() {
        let pilot = Territory::sambre_avesnois_thierache();
        assert_eq!(pilot.communes().count(), 150 + 160);
        assert!(has(&pilot, "59249") && has(&pilot, "02361") && !has(&pilot, "59350"));
        assert_eq!(Territory::hauts_de_france().communes().count(), 3_782);
        assert!(!has(&Territory::hauts_de_france(), "13055"));
    }

    #[test]
    fn a_territory_is_the_union_of_what_it_lists() {
        let territory = read(
            r#"{"departments":["62"],"arrondissements":["591"],"communes":["60057","13055"]}"#,
        )
        .unwrap();
        assert!(["62041", "59249", "60057", "13055"].into_iter().all(|code| has(&territory, code)));
        assert!(!has(&territory, "60159") && !has(&territory, "13001"));
        let again = read(&serde_json::to_string(&territory).unwrap());
        assert_eq!(again, Ok(territory));
    }

    #[test]
    fn a_commune_that_merged_lies_where_the_commune_of_today_lies() {
        let lille = read(r#"{"communes":["59350"]}"#).unwrap();
        assert!(has(&lille, "59355"));
    }

    #[test]
    fn a_territory_that_would_admit_nobody_or_a_wrong_place_is_refused() {
        for (json, reason) in [
            ("{}", "ne liste rien"),
            (r#"{"arrondissements":["599"]}"#, "599"),
            (r#"{"communes":["59999"]}"#, "59999"),
            (r#"{"departments":["96"]}"#, "département"),
            (r#"{"regions":["32"]}"#, "regions"),
        ] {
            assert!(read(json).unwrap_err().contains(reason), "{json}");
        }
    }
}
