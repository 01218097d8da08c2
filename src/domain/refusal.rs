//! Every reason to say no. A refusal is a value: nothing was written. It is kept with its
//! idempotency key, so it can be told again, and only `http` knows its status code.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::date::{BusinessDate, Timestamp, in_paris};
use super::money::Cents;
use super::text::Password;

/// The words of the API as people here say them (docs/glossary.md).
fn in_french(what: &str) -> &str {
    match what {
        "programme" => "dispositif",
        "organisation" => "structure",
        "site" => "lieu",
        "order" => "commande",
        "booklet" => "carnet",
        "delivery" => "livraison",
        "hand_over" => "remise",
        "redemption" => "utilisation",
        "bank_account" => "compte bancaire",
        "settlement" => "lot de paiement",
        "execution" => "exécution",
        "payout" => "contre-paiement",
        "workshop" => "atelier",
        "flag" => "signalement",
        "receipt" => "récépissé",
        "api_key" => "clé d'API",
        "checkpoint" => "point de contrôle",
        "tile" => "tuile",
        "user" => "personne",
        "session" => "session",
        "invitation" => "invitation",
        "audit_sample" => "échantillon d'audit",
        "audit_item" => "ligne d'échantillon",
        other => other,
    }
}

/// A word of ours, or one read back.
type Word = Cow<'static, str>;

/// A rule was not met, and nothing was written. `Display` says it in French: what is wrong, and the
/// way out. In order of precedence: when several apply, the first is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "code", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[expect(missing_docs, reason = "docs/problems.md has a paragraph on each, and a test sees to it")]
pub enum Refusal {
    // Who asks, and how
    #[error(
        "Cette adresse demande d'être connecté : obtenez un jeton par POST /api/v1/auth/token, puis présentez-le en « Authorization: Bearer »."
    )]
    NotSignedIn,
    #[error(
        "Adresse ou mot de passe incorrect. Vérifiez-les, ou demandez un lien de réinitialisation par POST /api/v1/auth/password-resets."
    )]
    BadCredentials,
    #[error(
        "Trop d'essais pour ce compte. Recommencez dans {retry_after_seconds} secondes ; les sessions déjà ouvertes restent bonnes, et un lien de réinitialisation lève l'attente."
    )]
    TooManySignIns { retry_after_seconds: u32 },
    #[error(
        "Ce compte demande un code à usage unique : renvoyez la même demande avec « code », celui de votre application ou un code de secours."
    )]
    CodeNeeded,
    #[error(
        "Ce code n'est pas bon, ou a déjà servi. Attendez le suivant, ou prenez un code de secours."
    )]
    BadCode,
    #[error(
        "Ce rôle demande un second facteur : enrôlez-en un par POST /api/v1/auth/second-factor, puis confirmez-le."
    )]
    SecondFactorNeeded,
    #[error(
        "Cette action demande un code à usage unique de moins de dix minutes : présentez-en un à POST /api/v1/auth/step-up, puis recommencez avec le jeton rendu. Sans second facteur, enrôlez-en un par POST /api/v1/auth/second-factor."
    )]
    StepUpRequired,
    #[error(
        "Ce lien n'est plus bon : il a servi, a expiré ou a été remplacé. Demandez-en un autre."
    )]
    BadLink,
    #[error("Votre compte agit dans plusieurs dispositifs : précisez « programme » parmi {codes}.")]
    ProgrammeNeeded { codes: String },
    #[error(
        "Votre rôle ne permet pas cette action ({action}). Demandez-la à une personne qui en a la charge."
    )]
    NotAllowed { action: Word },
    #[error(
        "Rien de tel dans ce dispositif : {} inconnu ou inconnue. Vérifiez le numéro.",
        in_french(what)
    )]
    NotFound { what: Word },
    #[error("{field} : {rule}.")]
    Invalid { field: String, rule: String },
    #[error(
        "L'en-tête Idempotency-Key est attendu : une clé de 1 à 100 signes imprimables, nouvelle pour chaque opération, la même pour chaque nouvel essai."
    )]
    IdempotencyKeyMissing,
    #[error(
        "Cette clé Idempotency-Key a déjà servi à une autre demande. Prenez-en une nouvelle, ou renvoyez la demande d'origine."
    )]
    IdempotencyKeyReused,

    // At the counter
    #[error("Trop de codes faux ont été essayés. Attendez {} minutes avant de recommencer.", retry_after_seconds.div_ceil(60))]
    TooManyTries { retry_after_seconds: u32 },
    #[error(
        "Ce pass n'est pas reconnu : il est inconnu, pas encore remis, annulé, ou d'un autre dispositif. Vérifiez le code ; ne l'acceptez pas."
    )]
    UnknownPass,
    #[error(
        "Ce pass est frappé d'opposition. Ne l'acceptez pas, et invitez la personne à contacter qui le lui a remis."
    )]
    Stopped,
    #[error("Ce pass a déjà été utilisé le {}, {}.", in_paris(*at), if *here { "dans ce lieu même" } else { "dans un autre lieu" })]
    AlreadyRedeemed { at: Timestamp, here: bool },
    #[error("Ce pass n'est plus valable depuis le {on}. Ne l'acceptez pas.")]
    Expired { on: BusinessDate },
    #[error("Ce pass n'est pas valable ici : {commune} est hors du territoire du dispositif.")]
    OutOfTerritory { commune: String },
    #[error(
        "Ce lieu n'a pas déclaré le service « {service} ». Choisissez l'un des siens, ou faites compléter sa fiche par l'opérateur."
    )]
    ServiceNotAllowed { service: String },
    #[error("Ce lieu n'est pas qualifié à la date du {on}. Contactez l'opérateur du dispositif.")]
    SiteNotQualified { on: BusinessDate },
    #[error(
        "Cette personne a déjà utilisé {limit} pass pour « {service} », le plus que le dispositif permet. N'acceptez pas celui-ci pour ce service ; un autre service reste possible."
    )]
    LimitReached { service: String, limit: i32 },
    #[error(
        "Cet atelier se tient le {on}, pas aujourd'hui. Choisissez celui du jour, ou n'en nommez aucun."
    )]
    WorkshopOnAnotherDay { on: BusinessDate },
    #[error(
        "Les pass de {people} personnes, autant que déclaré, ont servi à cet atelier, et celui-ci est d'une autre. Déclarez un autre atelier, ou n'en nommez aucun."
    )]
    WorkshopFull { people: i32 },
    #[error("Cette utilisation a déjà été annulée.")]
    AlreadyVoided,
    #[error(
        "Cette utilisation est déjà dans un lot de paiement : elle ne s'annule plus ici. Signalez-la à l'opérateur, qui passera une écriture contraire."
    )]
    AlreadySettled,
    #[error(
        "Cette utilisation n'est dans aucun lot de paiement : il n'y a rien à déduire. Son lieu peut l'annuler lui-même."
    )]
    NotSettled,

    // Orders and custody
    #[error(
        "La personne qui a préparé ne peut pas approuver. Demandez l'approbation à une autre personne."
    )]
    MakerIsChecker,
    #[error("Cela ne peut se faire maintenant ({}) : {needs}.", in_french(what))]
    WrongState { what: Word, needs: String },
    #[error("Le carnet {booklet} n'est pas en {place}. Vérifiez les numéros.")]
    BookletNotHeld { booklet: String, place: Word },

    // Hand-over
    #[error("La personne ne remplit pas la condition déclarée : {rule}.")]
    NotEligible { rule: String },
    #[error(
        "Cette personne a déjà reçu {received} pass ; le dispositif en permet {limit}. Ne remettez pas ce carnet."
    )]
    EntitlementUsed { received: i32, limit: i32 },

    // Money
    #[error(
        "Rien n'est à payer jusqu'au {cut_off}. Choisissez une date d'arrêté plus tardive, ou traitez les exclusions."
    )]
    NothingToPay { cut_off: BusinessDate },
    #[error("Le montant attendu est de {}.", Cents(*expected_cents))]
    WrongAmount { expected_cents: i64 },

    #[error("Un mot de passe d'au moins {} caractères est attendu.", Password::MIN_CHARS)]
    PasswordTooShort,
    #[error(
        "Ce mot de passe est trop facile à deviner : il tient à des mots courants, à une suite, ou à ce que chacun sait de vous et du dispositif. Choisissez une phrase que vous seul connaissez."
    )]
    PasswordTooCommon,
    #[error(
        "Cette personne tient déjà, dans ce dispositif, le rôle {held}, qui ne va pas avec {asked}. Confiez l'un des deux à une autre personne."
    )]
    IncompatibleRoles { held: String, asked: String },
    #[error("{what} existe déjà. Reprenez l'existant.")]
    Duplicate { what: String },
    #[error(
        "Ce récépissé n'est pas encore sous un point de contrôle signé. Recommencez dans une minute."
    )]
    NotSealed,
    #[error(
        "Cette graine n'est pas celle de l'engagement : son SHA-256 en diffère. Donnez les 32 octets dont vous avez publié l'empreinte."
    )]
    SeedNotCommitted,
}

impl Refusal {
    /// The stable name by which programs tell refusals apart.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    /// Is it told again to the same idempotency key? Not when it passes by itself: `Retry-After` invites
    /// the very same request again, which must then be judged anew.
    pub const fn is_kept(&self) -> bool {
        !matches!(self, Self::TooManyTries { .. } | Self::TooManySignIns { .. } | Self::NotSealed)
    }

    /// Nothing of that kind bears that number here.
    pub fn not_found(what: &'static str) -> Self {
        Self::NotFound { what: what.into() }
    }

    /// It is not the time: what it is about, and what has to be done first or instead.
    pub fn wrong_state(what: &'static str, needs: impl Into<String>) -> Self {
        Self::WrongState { what: what.into(), needs: needs.into() }
    }

    /// An input that broke a rule: which field, and what was expected.
    pub fn invalid(field: &str, rule: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), rule: rule.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_asks_to_come_back_is_not_kept_with_its_key() {
        assert!(!Refusal::TooManyTries { retry_after_seconds: 900 }.is_kept());
        assert!(Refusal::UnknownPass.is_kept());
    }
}
