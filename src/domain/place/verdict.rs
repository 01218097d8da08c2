//! Why a file or a row is left out: a stable code for programs, a French sentence for people that
//! names the field, the rule and the way out.

use serde::Serialize;
use thiserror::Error;

use super::Column;
use crate::domain::commune::PostalCode;
use crate::domain::folding::has_forbidden;

/// A reason or a remark as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Stable, `snake_case`.
    pub code: &'static str,
    /// One or two French sentences: the field, the rule, the way out.
    pub detail: String,
}

/// Why a file can't be read at all.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the fields are the words of the variant's sentence")]
pub enum FileRefusal {
    /// More bytes than the limit.
    #[error(
        "Le fichier pèse {bytes} octets, au-delà de la limite de {limit} : importez-le en plusieurs fichiers."
    )]
    TooBig { bytes: usize, limit: usize },
    /// A byte sequence is not UTF-8.
    #[error(
        "Le fichier n’est pas en UTF-8 (ligne {line}) : enregistrez-le en « CSV UTF-8 », puis recommencez."
    )]
    NotUtf8 { line: usize },
    /// No row at all.
    #[error("Le fichier ne contient aucun lieu : exportez-le à nouveau depuis sa source.")]
    Empty,
    /// JSON, but not a list.
    #[error("Le fichier JSON doit être une liste d’objets, un par lieu : [{{\"nom\": …}}, …].")]
    NotAList,
    /// JSON nested deeper than the limit.
    #[error(
        "Le fichier JSON emboîte plus de {limit} niveaux à la ligne {line} : un lieu est un objet simple."
    )]
    TooDeep { line: usize, limit: usize },
    /// JSON that stops being JSON.
    #[error(
        "Le fichier n’est plus du JSON à la ligne {line}, colonne {column} : corrigez-le ou exportez-le à nouveau."
    )]
    BrokenJson { line: usize, column: usize },
    /// Two columns of a CSV file bear the same name.
    #[error("Deux colonnes s’appellent « {name} » : n’en gardez qu’une.")]
    ColumnTwice { name: String },
    /// No column `nom`: another kind of file.
    #[error(
        "Aucune colonne « nom » : ce fichier ne suit pas le schéma des lieux de médiation numérique."
    )]
    NoName,
    /// More rows than the limit.
    #[error("Le fichier a plus de {limit} lieux : importez-le en plusieurs fichiers.")]
    TooManyRows { limit: usize },
}

/// Why a row is left out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the fields are the words of the variant's sentence")]
pub enum RowRefusal {
    /// An element of the JSON list that is not an object.
    #[error("Chaque élément de la liste JSON doit être un objet, par exemple {{\"nom\": …}}.")]
    NotAnObject,
    /// A CSV row with more or fewer cells than the header.
    #[error(
        "{found} cellules pour {expected} colonnes : mettez entre guillemets les textes qui contiennent le séparateur."
    )]
    CellCount { expected: usize, found: usize },
    /// A quotation mark opened and never closed; the row swallowed what follows.
    #[error(
        "Un guillemet n’est pas refermé, tout est illisible jusqu’à la ligne {last_line} : doublez les guillemets dans les textes."
    )]
    OpenQuote { last_line: usize },
    /// A JSON object where a text or a list of texts is expected.
    #[error("« {column} » doit être un texte, un nombre ou une liste de textes.")]
    NotText { column: Column },
    /// A NUL, control or direction character.
    #[error("« {column} » contient un caractère de contrôle invisible : ressaisissez ce texte.")]
    ControlCharacter { column: Column },
    /// A cell with more characters than the limit.
    #[error(
        "« {column} » a {found} caractères, au-delà de la limite de {limit} : raccourcissez-le."
    )]
    TooLong { column: String, found: usize, limit: usize },
    /// No name.
    #[error("« nom » est vide : donnez le nom du lieu.")]
    NameMissing,
    /// Nothing that tells the commune.
    #[error("La commune manque : donnez « code_insee », ou « commune » et « code_postal ».")]
    CommuneMissing,
    /// A postal code alone, which several communes share.
    #[error(
        "Le code postal {postal_code} est celui de {communes} communes : donnez « commune » ou « code_insee »."
    )]
    CommuneAmbiguous { postal_code: PostalCode, communes: usize },
    /// A commune that Hauts-de-France does not have.
    #[error(
        "Aucune commune ne correspond à « {given} » : corrigez « commune » et « code_postal », ou donnez « code_insee »."
    )]
    CommuneNotFound { given: String },
    /// Another row has the same id.
    #[error("« id » vaut « {id} », comme au n° {first} du fichier : chaque lieu a le sien.")]
    DuplicateId { id: String, first: usize },
    /// Another row has the same name, address and commune.
    #[error(
        "Même nom, même adresse et même commune qu’au n° {first} du fichier : ne gardez qu’une ligne par lieu."
    )]
    DuplicatePlace { first: usize },
}

impl FileRefusal {
    /// The code and the sentence.
    pub fn told(&self) -> Told {
        let code = match self {
            Self::TooBig { .. } => "file_too_big",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::Empty => "file_empty",
            Self::NotAList => "not_a_list",
            Self::TooDeep { .. } => "json_too_deep",
            Self::BrokenJson { .. } => "json_broken",
            Self::ColumnTwice { .. } => "column_twice",
            Self::NoName => "column_nom_missing",
            Self::TooManyRows { .. } => "too_many_rows",
        };
        Told { code, detail: self.to_string() }
    }
}

impl RowRefusal {
    /// The code and the sentence.
    pub fn told(&self) -> Told {
        let code = match self {
            Self::NotAnObject => "not_an_object",
            Self::CellCount { .. } => "cell_count",
            Self::OpenQuote { .. } => "open_quote",
            Self::NotText { .. } => "not_text",
            Self::ControlCharacter { .. } => "control_character",
            Self::TooLong { .. } => "too_long",
            Self::NameMissing => "name_missing",
            Self::CommuneMissing => "commune_missing",
            Self::CommuneAmbiguous { .. } => "commune_ambiguous",
            Self::CommuneNotFound { .. } => "commune_not_found",
            Self::DuplicateId { .. } => "duplicate_id",
            Self::DuplicatePlace { .. } => "duplicate_place",
        };
        Told { code, detail: self.to_string() }
    }
}

/// A text from a file as a message may show it: no control character, at most `chars` long.
pub(super) fn shown(text: &str, chars: usize) -> String {
    let mut shown: String =
        text.chars().take(chars).filter(|c| !has_forbidden(c.encode_utf8(&mut [0; 4]))).collect();
    if text.chars().nth(chars).is_some() {
        shown.push('…');
    }
    shown
}
