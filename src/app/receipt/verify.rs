//! Does what somebody presents as a receipt hold? Says nothing of an entry whose receipt was not presented
//! whole, with its signature: the database is asked only once both fit.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::{Tx, checkpoints, entries, programmes};
use crate::domain::Refusal;
use crate::domain::date::in_paris;
use crate::domain::note::{Proof, Verifier};
use crate::error::{Error, Result};
use crate::ledger::Told;

/// A receipt, and what is said to prove it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Presented {
    /// Its exact text.
    pub receipt: String,
    /// Its signature, in base64.
    pub signature: String,
    /// The key that is said to have signed it; left out, the one that the receipt names.
    #[serde(default)]
    pub kid: Option<String>,
    /// The proof that it is in the public log (C2SP tlog-proof), if there is one.
    #[serde(default)]
    pub proof: Option<String>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiptCheck {
    /// What: `canonical`, `key`, `signature`, `known` or `inclusion`.
    pub check: &'static str,
    /// Does it hold? Null when it could not be looked at.
    pub holds: Option<bool>,
    /// The same, in French.
    pub says: String,
}

fn checked(check: &'static str, holds: bool, says: impl Into<String>) -> ReceiptCheck {
    ReceiptCheck { check, holds: Some(holds), says: says.into() }
}

/// What holds of the receipt by itself: its form, its key, of those [known](super::known_keys), its signature. And what it
/// says, once all three do.
pub fn read_alone(
    keys: &[(String, VerifyingKey)],
    presented: &Presented,
) -> (Vec<ReceiptCheck>, Option<Told>) {
    let told = match Told::read(&presented.receipt) {
        Ok(told) => told,
        Err(why) => {
            let says = format!("Ce n'est pas le texte exact d'un récépissé : {why}.");
            return (vec![checked("canonical", false, says)], None);
        }
    };
    let form = checked("canonical", true, "C'est le texte d'un récépissé, dans sa seule forme.");
    let key = match key_of(keys, &told, presented.kid.as_deref()) {
        Ok(key) => key,
        Err(says) => return (vec![form, checked("key", false, says)], None),
    };
    let known = checked("key", true, "La clé qu'il nomme est une de celles de ce service.");
    let signature = STANDARD.decode(&presented.signature).ok();
    let is_signed = signature
        .and_then(|it| Signature::from_slice(&it).ok())
        .is_some_and(|it| key.verify_strict(presented.receipt.as_bytes(), &it).is_ok());
    let says = if is_signed {
        "La signature est juste : ce texte est celui qui a été signé, au signe près."
    } else {
        "La signature est fausse : ce texte n'est pas celui qui a été signé, ou pas avec cette clé."
    };
    (vec![form, known, checked("signature", is_signed, says)], is_signed.then_some(told))
}

fn key_of(
    keys: &[(String, VerifyingKey)],
    told: &Told,
    named: Option<&str>,
) -> std::result::Result<VerifyingKey, String> {
    let kid =
        told.kid.as_deref().ok_or("Ce récépissé ne nomme aucune clé : il n'est pas signé.")?;
    if named.is_some_and(|named| named != kid) {
        return Err(format!("Le récépissé nomme la clé {kid}, et non celle que vous donnez."));
    }
    keys.iter().find(|(known, _)| known == kid).map(|(_, key)| *key).ok_or_else(|| {
        format!("La clé {kid} n'est pas de ce service : vérifiez-le auprès de celui qui l'a émis.")
    })
}

/// Whether this instance keeps that receipt, and whether the proof puts it into the public log. For a receipt
/// whose signature is one of the instance's.
pub fn is_of_the_instance(
    tx: &mut Tx<'_>,
    presented: &Presented,
    told: &Told,
) -> Result<Vec<ReceiptCheck>> {
    let is_known = match programmes::enter(tx, &told.programme) {
        Ok(()) => entries::find(tx, told.entry)?.is_some_and(|it| it.receipt == presented.receipt),
        Err(Error::Refused(Refusal::NotFound { .. })) => false,
        Err(error) => return Err(error),
    };
    if !is_known {
        let says = "Ce service ne garde pas ce récépissé, bien qu'il porte sa signature : prévenez l'auditeur.";
        return Ok(vec![checked("known", false, says)]);
    }
    let known = checked("known", true, "Ce service garde ce récépissé, le même au signe près.");
    let inclusion = match &presented.proof {
        None => ReceiptCheck {
            check: "inclusion",
            holds: None,
            says: "Aucune preuve d'inscription au journal public n'est jointe.".into(),
        },
        Some(proof) => included(tx, presented, proof)?,
    };
    Ok(vec![known, inclusion])
}

fn included(tx: &mut Tx<'_>, presented: &Presented, proof: &str) -> Result<ReceiptCheck> {
    let proof: Proof = match proof.parse() {
        Ok(proof) => proof,
        Err(why) => {
            return Ok(checked("inclusion", false, format!("La preuve ne se lit pas : {why}.")));
        }
    };
    let keys = checkpoints::keys(tx)?;
    let mut verifiers = keys.iter().filter_map(|key| key.parse::<Verifier>().ok());
    let found = verifiers.find_map(|key| proof.verify(presented.receipt.as_bytes(), &key).ok());
    Ok(match found {
        Some(head) => checked(
            "inclusion",
            true,
            format!(
                "Il est au journal public, à la position {}, sous un point de contrôle de taille {}.",
                proof.index, head.size
            ),
        ),
        None => checked(
            "inclusion",
            false,
            "La preuve ne mène pas de ce récépissé à un point de contrôle signé de ce journal.",
        ),
    })
}

/// One line of all of it.
pub fn verdict(checks: &[ReceiptCheck], told: Option<&Told>) -> String {
    match told.filter(|_| checks.iter().all(|it| it.holds != Some(false))) {
        Some(told) => format!(
            "Ce récépissé est authentique ; il a été fait le {}.",
            in_paris(told.recorded_at)
        ),
        None => "Ce récépissé n'est pas prouvé : ne vous y fiez pas.".into(),
    }
}
