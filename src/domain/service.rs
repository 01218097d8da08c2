//! What a person comes to a mediation place for: the nine services of the national schema, and the
//! finer values of its first generation.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};
use utoipa::ToSchema;

use super::folding::fold;

/// A service of the national schema "lieux de médiation numérique", version 1.0.2, where the
/// list has nine values. The code is ours and stable; the label is the schema's.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Service {
    /// Aide aux démarches administratives.
    AdministrativeProcedures,
    /// Maîtrise des outils numériques du quotidien.
    EverydayTools,
    /// Insertion professionnelle via le numérique.
    Employment,
    /// Utilisation sécurisée du numérique.
    OnlineSafety,
    /// Parentalité et éducation avec le numérique.
    ParentingAndEducation,
    /// Loisirs et créations numériques.
    LeisureAndCreation,
    /// Compréhension du monde numérique.
    DigitalUnderstanding,
    /// Accès internet et matériel informatique.
    AccessToEquipment,
    /// Acquisition de matériel informatique à prix solidaire.
    SolidarityPurchase,
}

impl Service {
    /// The nine, in the schema's order.
    pub const ALL: [Self; 9] = [
        Self::AdministrativeProcedures,
        Self::EverydayTools,
        Self::Employment,
        Self::OnlineSafety,
        Self::ParentingAndEducation,
        Self::LeisureAndCreation,
        Self::DigitalUnderstanding,
        Self::AccessToEquipment,
        Self::SolidarityPurchase,
    ];

    /// The label of the national schema, as it is written there and shown here.
    pub fn label(self) -> &'static str {
        match self {
            Self::AdministrativeProcedures => "Aide aux démarches administratives",
            Self::EverydayTools => "Maîtrise des outils numériques du quotidien",
            Self::Employment => "Insertion professionnelle via le numérique",
            Self::OnlineSafety => "Utilisation sécurisée du numérique",
            Self::ParentingAndEducation => "Parentalité et éducation avec le numérique",
            Self::LeisureAndCreation => "Loisirs et créations numériques",
            Self::DigitalUnderstanding => "Compréhension du monde numérique",
            Self::AccessToEquipment => "Accès internet et matériel informatique",
            Self::SolidarityPurchase => "Acquisition de matériel informatique à prix solidaire",
        }
    }

    /// The service that a label of either generation names, whatever its case, accents and
    /// apostrophes; `None` when neither schema has it.
    pub fn from_label(label: &str) -> Option<Self> {
        static LABELS: LazyLock<HashMap<String, Service>> = LazyLock::new(|| {
            let nine = Service::ALL.map(|service| (service.label(), service));
            nine.into_iter().chain(FINER).map(|(label, service)| (fold(label), service)).collect()
        });
        LABELS.get(&fold(label)).copied()
    }
}

/// The fifteen values of the first generation and the service that took each over. "Utilisation
/// sécurisée du numérique" is new: no older value leads to it.
const FINER: [(&str, Service); 15] = [
    ("Devenir autonome dans les démarches administratives", Service::AdministrativeProcedures),
    (
        "Réaliser des démarches administratives avec un accompagnement",
        Service::AdministrativeProcedures,
    ),
    ("Accompagner les démarches de santé", Service::AdministrativeProcedures),
    ("Prendre en main un smartphone ou une tablette", Service::EverydayTools),
    ("Prendre en main un ordinateur", Service::EverydayTools),
    ("Utiliser le numérique au quotidien", Service::EverydayTools),
    ("Favoriser mon insertion professionnelle", Service::Employment),
    ("Créer et développer mon entreprise", Service::Employment),
    ("Soutenir la parentalité et l'éducation avec le numérique", Service::ParentingAndEducation),
    ("Créer avec le numérique", Service::LeisureAndCreation),
    ("Approfondir ma culture numérique", Service::DigitalUnderstanding),
    ("Promouvoir la citoyenneté numérique", Service::DigitalUnderstanding),
    ("Accéder à une connexion internet", Service::AccessToEquipment),
    ("Accéder à du matériel", Service::AccessToEquipment),
    ("S'équiper en matériel informatique", Service::SolidarityPurchase),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_of_both_generations_is_read_back() {
        for service in Service::ALL {
            assert_eq!(Service::from_label(service.label()), Some(service));
        }
        for (label, service) in FINER {
            assert_eq!(Service::from_label(&label.to_uppercase()), Some(service));
        }
        assert_eq!(
            Service::from_label("S’équiper en matériel informatique"),
            Some(Service::SolidarityPurchase)
        );
        assert_eq!(Service::from_label("Faire du café"), None);
    }

    #[test]
    fn codes_for_the_interface_are_stable() {
        let codes = serde_json::to_string(&Service::ALL).unwrap();
        assert_eq!(
            codes,
            r#"["administrative_procedures","everyday_tools","employment","online_safety","parenting_and_education","leisure_and_creation","digital_understanding","access_to_equipment","solidarity_purchase"]"#
        );
    }
}
