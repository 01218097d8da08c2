//! What letters say.

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;
use crate::domain::date::in_paris;

/// A letter, before it is put into words.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Letter {
    /// Somebody is invited to a role.
    Invitation {
        /// Address.
        to: String,
        /// Name of the programme.
        programme: String,
        /// The role.
        role: String,
        /// What the link bears.
        token: String,
        /// Until when it is good.
        expires_at: Timestamp,
    },
    /// Somebody says that it has lost the password of this address; whether it has an account is seen when the
    /// letter is sent, and the link made then.
    Reset {
        /// Address.
        to: String,
    },
    /// Something changed in how an account signs in.
    Notice {
        /// Address.
        to: String,
        /// What happened, in French.
        what: String,
    },
}

/// A letter in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub to: String,
    pub subject: String,
    pub body: String,
}

impl Letter {
    pub(super) fn to(&self) -> &str {
        match self {
            Self::Invitation { to, .. } | Self::Reset { to } | Self::Notice { to, .. } => to,
        }
    }

    /// In words; `reset` is the token of a reset's link. What follows the `#` of an address is sent to no server and
    /// stands in no log.
    pub(super) fn in_words(&self, site: &str, reset: &str) -> Words {
        let (subject, text) = match self {
            Self::Invitation { programme, role, token, expires_at, .. } => (
                format!("Invitation : {programme}"),
                format!(
                    "Vous êtes invité à rejoindre {programme}, avec le rôle {role}.\n\n\
                     Pour accepter et choisir votre mot de passe :\n\n{site}/invitation#{token}\n\n\
                     Ce lien sert une fois, jusqu'au {}. Si vous n'attendiez rien, ne faites rien.",
                    in_paris(*expires_at)
                ),
            ),
            Self::Reset { .. } => (
                "Nouveau mot de passe".to_owned(),
                format!(
                    "Quelqu'un a demandé un nouveau mot de passe pour ce compte.\n\n\
                     Si c'est vous, choisissez-le ici, dans l'heure :\n\n{site}/mot-de-passe#{reset}\n\n\
                     Ce lien sert une fois, et met fin à toutes vos sessions. Sinon, ne faites rien : votre mot de passe reste le même."
                ),
            ),
            Self::Notice { what, .. } => (
                "Sécurité de votre compte".to_owned(),
                format!(
                    "Sur votre compte, {what}.\n\n\
                     Si ce n'est pas vous, demandez tout de suite un nouveau mot de passe, et prévenez l'opérateur."
                ),
            ),
        };
        let body = format!("Bonjour,\n\n{text}\n\n-- \nSouche, registre du pass numérique\n");
        Words { to: self.to().to_owned(), subject, body }
    }
}
