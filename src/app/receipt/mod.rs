//! Receipts, as they are read, printed and verified. The bytes are those that were stored with the entry; the
//! signature over them is made when they are told, outside of any transaction: Ed25519 gives the same one each
//! time, so there is nothing to keep ([decision 0019](../../../docs/decisions/0019-signatures-when-told.md)).

mod paper;
mod verify;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::VerifyingKey;

pub use crate::ledger::signature;
pub use paper::{Paper, paper};
pub use verify::{Presented, ReceiptCheck, is_of_the_instance, read_alone, verdict};

use crate::db::entries::{self, EntryRow};
use crate::db::{Tx, payouts, receipt_keys, redemptions, sites};
use crate::domain::{Action, Actor, EntryId, OrganisationId, RedemptionId, Refusal, Role, SiteId};
use crate::error::Result;
use crate::keys::Keys;
use crate::ledger::Told;

/// Which receipt.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// That of an entry.
    Entry(EntryId),
    /// That of a redemption, by its name.
    Redemption(RedemptionId),
}

/// A receipt that the actor may read: those of a site see theirs, those of a prescriber its own, others all of
/// the programme.
pub fn read(tx: &mut Tx<'_>, actor: &Actor, which: Which) -> Result<EntryRow> {
    actor.require(Action::ReadReceipts)?;
    let unknown = || Refusal::not_found("receipt");
    let id = match which {
        Which::Entry(id) => id,
        Which::Redemption(name) => redemptions::find(tx, name)?.ok_or_else(unknown)?.entry_id,
    };
    let entry = entries::find(tx, id)?.ok_or_else(unknown)?;
    if concerns(tx, actor, &entry)? { Ok(entry) } else { Err(unknown().into()) }
}

/// Every key that signs receipts kept here, with its name: the instance's own, the present one first, then those of
/// instances that programmes came from.
pub fn known_keys(tx: &mut Tx<'_>, keys: &Keys) -> Result<Vec<(String, VerifyingKey)>> {
    let own = keys.receipt_keys().map(|key| (key.kid.to_string(), key.verifying_key()));
    let mut known: Vec<_> = own.collect();
    for (kid, bytes) in receipt_keys::all(tx)? {
        let bytes = bytes.as_slice().try_into().map_err(anyhow::Error::from)?;
        known.push((kid, VerifyingKey::from_bytes(bytes).map_err(anyhow::Error::from)?));
    }
    Ok(known)
}

/// The address at which a receipt verifies itself. What follows `#` never leaves the browser.
pub fn address(page: &str, receipt: &str, signature: &str) -> String {
    let signature = STANDARD.decode(signature).unwrap_or_default();
    let [receipt, signature] =
        [receipt.as_bytes(), &signature].map(|it| URL_SAFE_NO_PAD.encode(it));
    format!("https://{page}#{receipt}.{signature}")
}

/// Is it about the organisation, or the one site, that the actor acts for?
fn concerns(tx: &mut Tx<'_>, actor: &Actor, entry: &EntryRow) -> Result<bool> {
    if !matches!(
        actor.role,
        Role::SiteManager | Role::SiteMediator | Role::PrescriberManager | Role::PrescriberAgent
    ) {
        return Ok(true);
    }
    let told = Told::read(&entry.receipt).map_err(anyhow::Error::msg)?;
    if let Some(own) = actor.site {
        return Ok(named::<SiteId>(&told, "site") == Some(own));
    }
    let own = actor.organisation()?;
    if ["organisation", "prescriber"]
        .iter()
        .any(|fact| named::<OrganisationId>(&told, fact) == Some(own))
    {
        return Ok(true);
    }
    if let Some(site) = named(&told, "site") {
        return Ok(sites::get(tx, site)?.organisation == own);
    }
    match named(&told, "payout") {
        Some(payout) => Ok(payouts::find(tx, payout)?.is_some_and(|it| it.organisation == own)),
        None => Ok(false),
    }
}

/// The thing that a fact names: ids are written as strings, or as numbers.
fn named<T: serde::de::DeserializeOwned>(told: &Told, fact: &str) -> Option<T> {
    let text = match told.facts.get(fact)? {
        serde_json::Value::Number(number) => number.to_string().into(),
        value => value.clone(),
    };
    serde_json::from_value(text).ok()
}
