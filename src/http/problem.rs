//! The one place where a failure becomes an RFC 9457 problem.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Refusal;

/// An RFC 9457 problem.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Where the kind of problem is explained.
    #[serde(rename = "type")]
    #[schema(example = "/problems#already_redeemed")]
    kind: String,
    /// The kind, in words; the same each time.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The kind, for programs: stable.
    #[schema(example = "already_redeemed")]
    code: String,
    /// What happened this time, in French: what is wrong, and the way out.
    detail: String,
    /// The field that broke a rule, when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip)]
    retry_after_seconds: Option<u32>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.code)
    }
}

impl Problem {
    fn new(code: &str, title: &'static str, status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/problems#{code}"),
            title,
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.into(),
            field: None,
            retry_after_seconds: None,
        }
    }

    /// A body, path or query that can't be read, or whose field breaks a rule.
    pub(super) fn invalid(field: Option<String>, detail: impl Into<String>) -> Self {
        Self { field, ..Self::new("invalid", "Donnée invalide", StatusCode::BAD_REQUEST, detail) }
    }

    /// Its HTTP status.
    pub(super) const fn status(&self) -> u16 {
        self.status
    }

    /// After how many seconds the same request may be sent again, when it may.
    pub(super) const fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after_seconds
    }

    pub(super) fn not_found() -> Self {
        let detail =
            "Cette adresse n'existe pas. Le contrat de l'API est à l'adresse /openapi.yaml.";
        Self::new("no_such_address", "Adresse inconnue", StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn method_not_allowed(allowed: &str) -> Self {
        let detail = format!("Cette adresse accepte : {allowed}.");
        Self::new("method_not_allowed", "Méthode refusée", StatusCode::METHOD_NOT_ALLOWED, detail)
    }

    pub(super) fn payload_too_large(max_bytes: usize) -> Self {
        let detail =
            format!("Le corps de la demande dépasse {max_bytes} octets. Partagez-la en plusieurs.");
        Self::new("payload_too_large", "Demande trop grande", StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    pub(super) fn unsupported_media_type(expected: &str) -> Self {
        let detail = format!("L'en-tête Content-Type doit être : {expected}.");
        Self::new(
            "unsupported_media_type",
            "Type de contenu refusé",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            detail,
        )
    }

    /// A limit of the door: nothing was written; the same request may be sent again.
    pub(super) fn too_many_requests(retry_after_seconds: u32) -> Self {
        let detail = format!(
            "Trop de demandes en peu de temps. Rien n'a été écrit : renvoyez la même dans {retry_after_seconds} s. L'en-tête RateLimit dit ce qu'il reste."
        );
        let title = "Trop de demandes";
        Self {
            retry_after_seconds: Some(retry_after_seconds),
            ..Self::new("too_many_requests", title, StatusCode::TOO_MANY_REQUESTS, detail)
        }
    }

    /// A body that doesn't come to its end.
    pub(super) fn too_slow() -> Self {
        let detail = "Le corps de la demande n'est pas arrivé à temps. Rien n'a été écrit : renvoyez-la avec la même clé.";
        Self::new("too_slow", "Demande trop lente", StatusCode::REQUEST_TIMEOUT, detail)
    }

    /// Nothing was written; the same request may be sent again.
    pub(super) fn busy(why: &str) -> Self {
        tracing::warn!("busy: {why}");
        let detail = "Le service est momentanément saturé. Rien n'a été écrit : renvoyez la même demande avec la même clé.";
        Self {
            retry_after_seconds: Some(2),
            ..Self::new("busy", "Service saturé", StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }

    /// Nobody knows whether it was written; the same key will tell.
    pub(super) fn unknown_outcome(why: &str) -> Self {
        tracing::warn!("outcome unknown: {why}");
        let detail = "La réponse de la base a été perdue : l'opération est peut-être faite. Redemandez avec la même clé Idempotency-Key pour le savoir.";
        Self {
            retry_after_seconds: Some(2),
            ..Self::new("unknown_outcome", "Issue inconnue", StatusCode::GATEWAY_TIMEOUT, detail)
        }
    }

    /// A bug: told as nothing but a reference to the log.
    pub(super) fn fault(fault: &anyhow::Error) -> Self {
        let reference = super::call::id();
        tracing::error!(reference, "fault: {fault:#}");
        let detail = format!(
            "Une erreur interne s'est produite ; rien n'a été écrit. Donnez à l'opérateur la référence {reference}."
        );
        Self::new("fault", "Erreur interne", StatusCode::INTERNAL_SERVER_ERROR, detail)
    }
}

/// Title and status of every refusal. No wildcard: a new refusal must be decided on here.
fn title_and_status(refusal: &Refusal) -> (&'static str, StatusCode) {
    use Refusal as R;
    use StatusCode as S;
    match refusal {
        R::NotSignedIn => ("Non connecté", S::UNAUTHORIZED),
        R::BadCredentials => ("Identification refusée", S::UNAUTHORIZED),
        R::CodeNeeded => ("Code attendu", S::UNAUTHORIZED),
        R::BadCode => ("Code refusé", S::UNAUTHORIZED),
        R::SecondFactorNeeded => ("Second facteur attendu", S::FORBIDDEN),
        R::StepUpRequired => ("Code récent attendu", S::FORBIDDEN),
        R::BadLink => ("Lien périmé", S::GONE),
        R::ProgrammeNeeded { .. } => ("Dispositif à préciser", S::UNPROCESSABLE_ENTITY),
        R::NotAllowed { .. } => ("Action non permise", S::FORBIDDEN),
        R::NotFound { .. } => ("Introuvable", S::NOT_FOUND),
        R::Invalid { .. } => ("Donnée invalide", S::BAD_REQUEST),
        R::IdempotencyKeyMissing => ("Clé d'idempotence attendue", S::BAD_REQUEST),
        R::IdempotencyKeyReused => ("Clé d'idempotence déjà prise", S::UNPROCESSABLE_ENTITY),
        R::TooManySignIns { .. } | R::TooManyTries { .. } => {
            ("Trop d'essais", S::TOO_MANY_REQUESTS)
        }
        R::UnknownPass => ("Pass non reconnu", S::NOT_FOUND),
        R::Stopped => ("Pass frappé d'opposition", S::CONFLICT),
        R::AlreadyRedeemed { .. } => ("Pass déjà utilisé", S::CONFLICT),
        R::Expired { .. } => ("Pass périmé", S::GONE),
        R::OutOfTerritory { .. } => ("Hors du territoire", S::UNPROCESSABLE_ENTITY),
        R::ServiceNotAllowed { .. } => ("Service non déclaré", S::UNPROCESSABLE_ENTITY),
        R::SiteNotQualified { .. } => ("Lieu non qualifié", S::UNPROCESSABLE_ENTITY),
        R::LimitReached { .. } => ("Limite par personne atteinte", S::CONFLICT),
        R::WorkshopOnAnotherDay { .. } => ("Atelier d'un autre jour", S::UNPROCESSABLE_ENTITY),
        R::WorkshopFull { .. } => ("Atelier complet", S::CONFLICT),
        R::AlreadyVoided => ("Déjà annulée", S::CONFLICT),
        R::AlreadySettled => ("Déjà en paiement", S::CONFLICT),
        R::NotSettled => ("Pas encore en paiement", S::CONFLICT),
        R::MakerIsChecker => ("Une autre personne est attendue", S::FORBIDDEN),
        R::WrongState { .. } => ("Pas maintenant", S::CONFLICT),
        R::BookletNotHeld { .. } => ("Carnet ailleurs", S::CONFLICT),
        R::NotEligible { .. } => ("Personne non éligible", S::UNPROCESSABLE_ENTITY),
        R::EntitlementUsed { .. } => ("Droit épuisé", S::CONFLICT),
        R::NothingToPay { .. } => ("Rien à payer", S::CONFLICT),
        R::WrongAmount { .. } => ("Montant inexact", S::UNPROCESSABLE_ENTITY),
        R::PasswordTooShort => ("Mot de passe trop court", S::UNPROCESSABLE_ENTITY),
        R::PasswordTooCommon => ("Mot de passe trop courant", S::UNPROCESSABLE_ENTITY),
        R::IncompatibleRoles { .. } => ("Rôles incompatibles", S::CONFLICT),
        R::Duplicate { .. } => ("Existe déjà", S::CONFLICT),
        R::NotSealed => ("Pas encore scellé", S::CONFLICT),
        R::SeedNotCommitted => ("Autre graine", S::UNPROCESSABLE_ENTITY),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (title, status) = title_and_status(&refusal);
        let problem = Self::new(refusal.code(), title, status, refusal.to_string());
        match refusal {
            Refusal::Invalid { field, .. } => Self { field: Some(field), ..problem },
            Refusal::TooManyTries { retry_after_seconds }
            | Refusal::TooManySignIns { retry_after_seconds } => {
                Self { retry_after_seconds: Some(retry_after_seconds), ..problem }
            }
            _ => problem,
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        if let Some(seconds) = self.retry_after_seconds {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if self.status == StatusCode::UNAUTHORIZED.as_u16() {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        response.body(serde_json::to_string(self).unwrap_or_default())
    }
}

/// A query string that can't be read becomes a problem.
pub(super) fn query_config() -> web::QueryConfig {
    web::QueryConfig::default().error_handler(|error, _| {
        Problem::invalid(
            None,
            format!("L'adresse a un paramètre invalide : {}.", in_french(&error.to_string())),
        )
        .into()
    })
}

/// A path whose number is none becomes a problem.
pub(super) fn path_config() -> web::PathConfig {
    web::PathConfig::default().error_handler(|error, _| {
        Problem::invalid(
            None,
            format!("L'adresse a un numéro invalide : {}.", in_french(&error.to_string())),
        )
        .into()
    })
}

/// Serde's own words, in French; a rule of ours is in French already.
pub(super) fn in_french(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or(message);
    let message = ["Query deserialize error: ", "Path deserialize error: "]
        .iter()
        .find_map(|prefix| message.strip_prefix(prefix))
        .unwrap_or(message);
    let openings = [
        ("missing field ", "champ attendu : "),
        ("unknown field ", "champ inconnu : "),
        ("unknown variant ", "valeur inconnue : "),
        ("duplicate field ", "champ donné deux fois : "),
        ("invalid type: ", "valeur inattendue : "),
        ("invalid value: ", "valeur inattendue : "),
        ("invalid length ", "longueur inattendue : "),
    ];
    let Some((rest, opening)) =
        openings.iter().find_map(|(theirs, ours)| Some((message.strip_prefix(theirs)?, ours)))
    else {
        return message.to_owned();
    };
    let words = [
        (", expected one of ", " ; attendu : "),
        (", expected ", " ; attendu : "),
        (" or ", " ou "),
        ("string", "texte"),
        ("sequence", "liste"),
        ("map", "objet"),
        ("boolean", "booléen"),
        ("integer", "entier"),
        ("floating point", "nombre à virgule"),
        ("null", "rien"),
        ("i32", "un entier"),
        ("i64", "un entier"),
        ("a texte", "un texte"),
        ("struct ", "un objet "),
        ("fewer elements in array", "un objet"),
    ];
    words.iter().fold(format!("{opening}{rest}"), |text, (theirs, ours)| text.replace(theirs, ours))
}

/// The field that serde misses, when that is what it says.
pub(super) fn missing_field(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.split('`').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serde_is_told_in_french() {
        for (theirs, ours) in [
            ("missing field `quantity` at line 1 column 2", "champ attendu : `quantity`"),
            (
                "unknown field `a`, expected `quantity` or `dates` at line 1 column 4",
                "champ inconnu : `a` ; attendu : `quantity` ou `dates`",
            ),
            (
                "invalid type: string \"x\", expected i32",
                "valeur inattendue : texte \"x\" ; attendu : un entier",
            ),
            ("une date est attendue at line 1 column 3", "une date est attendue"),
        ] {
            assert_eq!(in_french(theirs), ours);
        }
        assert_eq!(missing_field("missing field `quantity`"), Some("quantity"));
    }
}
