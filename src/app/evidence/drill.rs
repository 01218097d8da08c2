//! What every site claims, recomputed from its own receipts, held against what the books say.

use crate::db::{Tx, audit, checkpoints, sites};
use crate::domain::note::{Note, Verifier};
use crate::domain::{Actor, ProgrammeId, Role, SiteId, UserId};
use crate::error::Result;
use crate::keys::Keys;
use crate::ledger::claim::claim;

use super::claim_file;

/// What a site is owed, twice, in cents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The site.
    pub site: SiteId,
    /// By its receipts: signed, and proven to be in the public log under the last checkpoint.
    pub claimed: i64,
    /// By the books: payable, and ordered from the bank but not debited yet.
    pub booked: i64,
    /// Receipts that do not count: their names, and why not.
    pub refused: Vec<(String, String)>,
}

impl Held {
    /// Do both say the same, and does every receipt count?
    pub fn holds(&self) -> bool {
        self.claimed == self.booked && self.refused.is_empty()
    }
}

/// Every site of the programme that the transaction has entered, whose log is sealed and signed to its end.
pub fn hold_claims(tx: &mut Tx<'_>, keys: &Keys, programme: ProgrammeId) -> Result<Vec<Held>> {
    let auditor = Actor {
        user: UserId::generate(),
        role: Role::Auditor,
        programme,
        organisation: None,
        site: None,
    };
    let Some(head) = checkpoints::last(tx)? else { return Ok(Vec::new()) };
    let last: Note = head.note.parse().map_err(anyhow::Error::msg)?;
    let vkeys: Vec<Verifier> =
        checkpoints::keys(tx)?.iter().filter_map(|key| key.parse().ok()).collect();
    let booked = audit::owed_by_site(tx)?;
    let mut all = Vec::new();
    for site in sites::numbers(tx)? {
        let file = claim_file(tx, keys, &auditor, site)?;
        let claim = claim(file.as_bytes(), site, &vkeys, &last).map_err(anyhow::Error::msg)?;
        let booked = booked.get(&site).copied().unwrap_or_default();
        all.push(Held { site, claimed: claim.owed().cents, booked, refused: claim.refused });
    }
    Ok(all)
}
