//! What was missing, deduced or put right in a row that is taken, and what is true of a file as a
//! whole: a stable code for programs, a French sentence for people.

use thiserror::Error;

use super::{Column, Told};
use crate::domain::commune::{InseeCode, PostalCode};
use crate::domain::malformed::Malformed;

/// From what a commune was deduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Clue {
    /// The only commune that the postal code serves.
    #[error("du code postal, qui n’en sert pas d’autre")]
    PostalCode,
    /// The only commune of that name in the department; the postal code is a CEDEX one or mistyped.
    #[error("de son nom, seul de ce nom dans le département")]
    Name,
    /// What follows the postal code in the address.
    #[error("de l’adresse")]
    Address,
}

/// What was missing, deduced or put right in a row that is taken. No remark is an error: `Error` is
/// derived for the sentences.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the fields are the words of the variant's sentence")]
pub enum Remark {
    /// No id.
    #[error("« id » est vide : un identifiant est tiré du nom, de l’adresse et de la commune.")]
    IdDerived,
    /// No pivot.
    #[error("« pivot » est vide : sans SIRET, le lieu ne peut être ni qualifié ni payé.")]
    PivotMissing,
    /// A pivot that is none.
    #[error(
        "« pivot » vaut « {given} » : {rule}. Sans SIRET, le lieu ne peut être ni qualifié ni payé."
    )]
    PivotInvalid { given: String, rule: Malformed },
    /// No address.
    #[error("« adresse » est vide.")]
    AddressMissing,
    /// No date of update.
    #[error("« date_maj » est vide.")]
    DateMissing,
    /// A date that is none, or not of this century.
    #[error(
        "« date_maj » vaut « {given} », qui n’est pas une date de ce siècle (2022-05-02 ou 02/05/2022) : laissée de côté."
    )]
    DateInvalid { given: String },
    /// A four-digit code, as spreadsheets make of those of the Aisne.
    #[error("« {column} » vaut « {given} » : un zéro est remis devant.")]
    ZeroRestored { column: Column, given: String },
    /// A postal or INSEE code that is none.
    #[error(
        "« {column} » vaut « {given} », qui n’est pas un code de cinq caractères : laissé de côté."
    )]
    CodeInvalid { column: Column, given: String },
    /// An INSEE code that no commune has, nor had.
    #[error("Aucune commune n’a le code INSEE {given} : il est laissé de côté.")]
    InseeCodeUnknown { given: InseeCode },
    /// Name and postal code agree on another commune than the INSEE code.
    #[error(
        "Le code INSEE {given} désigne une autre commune que le nom et le code postal : {kept} est retenue."
    )]
    InseeCodeDisagrees { given: InseeCode, kept: &'static str },
    /// The commune was deduced.
    #[error("Commune déduite {from} : {commune}.")]
    CommuneDeduced { commune: &'static str, from: Clue },
    /// The commune has merged into another since.
    #[error("« {given} » fait aujourd’hui partie de {today}.")]
    CommuneMerged { given: String, today: &'static str },
    /// The commune kept has another name than the one given.
    #[error(
        "La commune retenue s’appelle {kept}, le fichier dit « {given} » : vérifiez que c’est la même."
    )]
    CommuneNameDiffers { given: String, kept: &'static str },
    /// Outside Hauts-de-France, where we have no table of communes.
    #[error("Hors des Hauts-de-France, la commune est prise telle quelle, sans vérification.")]
    CommuneNotChecked,
    /// The postal code is not one of the commune's.
    #[error(
        "Le code postal {given} n’est pas un de ceux de la commune ({commune}) : CEDEX ou faute de frappe, gardé tel quel."
    )]
    PostalCodeDiffers { given: PostalCode, commune: &'static str },
    /// No postal code: the commune's first one.
    #[error("« code_postal » manque : {postal_code} est retenu.")]
    PostalCodeDeduced { postal_code: PostalCode },
    /// Coordinates that can't be read.
    #[error("« latitude » et « longitude » sont illisibles : laissées de côté.")]
    CoordinatesInvalid,
    /// Coordinates too large for degrees, as in Lambert 93.
    #[error(
        "« latitude » et « longitude » ne sont pas des degrés (Lambert 93 ?) : laissées de côté."
    )]
    CoordinatesNotDegrees,
    /// Latitude and longitude were in each other's column.
    #[error("« latitude » et « longitude » étaient inversées : remises en ordre.")]
    CoordinatesSwapped,
    /// A point outside metropolitan France for a place inside.
    #[error(
        "« latitude » et « longitude » sont hors de la France métropolitaine : laissées de côté."
    )]
    CoordinatesOutside,
    /// A service that neither generation has.
    #[error("« services » contient « {given} », inconnu du schéma : laissé de côté.")]
    ServiceUnknown { given: String },
    /// A value that is neither yes nor no.
    #[error("« itinerance » vaut « {given} », ni oui ni non : le lieu est tenu pour fixe.")]
    ItineranceUnknown { given: String },
    /// A text encoded twice.
    #[error("« {column} » était encodé deux fois (Ã© pour é) : réparé.")]
    TextRepaired { column: Column },
}

/// What is true of a file as a whole. Not an error either.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FileRemark {
    /// Columns that neither generation has.
    #[error("Colonnes inconnues du schéma, non lues : {}.", .0.join(", "))]
    UnknownColumns(Vec<String>),
    /// Columns of both generations.
    #[error("Le fichier mêle des colonnes des deux versions du schéma : les deux sont lues.")]
    MixedGenerations,
}

impl Remark {
    /// The code and the sentence.
    pub fn told(&self) -> Told {
        let code = match self {
            Self::IdDerived => "id_derived",
            Self::PivotMissing => "pivot_missing",
            Self::PivotInvalid { .. } => "pivot_invalid",
            Self::AddressMissing => "address_missing",
            Self::DateMissing => "date_missing",
            Self::DateInvalid { .. } => "date_invalid",
            Self::ZeroRestored { .. } => "zero_restored",
            Self::CodeInvalid { .. } => "code_invalid",
            Self::InseeCodeUnknown { .. } => "insee_code_unknown",
            Self::InseeCodeDisagrees { .. } => "insee_code_disagrees",
            Self::CommuneDeduced { .. } => "commune_deduced",
            Self::CommuneMerged { .. } => "commune_merged",
            Self::CommuneNameDiffers { .. } => "commune_name_differs",
            Self::CommuneNotChecked => "commune_not_checked",
            Self::PostalCodeDiffers { .. } => "postal_code_differs",
            Self::PostalCodeDeduced { .. } => "postal_code_deduced",
            Self::CoordinatesInvalid => "coordinates_invalid",
            Self::CoordinatesNotDegrees => "coordinates_not_degrees",
            Self::CoordinatesSwapped => "coordinates_swapped",
            Self::CoordinatesOutside => "coordinates_outside",
            Self::ServiceUnknown { .. } => "service_unknown",
            Self::ItineranceUnknown { .. } => "itinerance_unknown",
            Self::TextRepaired { .. } => "text_repaired",
        };
        Told { code, detail: self.to_string() }
    }
}

impl FileRemark {
    /// The code and the sentence.
    pub fn told(&self) -> Told {
        let code = match self {
            Self::UnknownColumns(_) => "unknown_columns",
            Self::MixedGenerations => "mixed_generations",
        };
        Told { code, detail: self.to_string() }
    }
}
