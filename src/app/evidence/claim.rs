//! What a site is owed, to be carried away.

use crate::db::{Tx, checkpoints, entries, programmes, sites};
use crate::domain::note::{Note, Proof};
use crate::domain::{Action, Actor, Refusal, SiteId};
use crate::error::Result;
use crate::keys::Keys;
use crate::ledger::claim::{Backed, Head};
use crate::ledger::tree::Tree;
use crate::ledger::{self, bundle};

/// The receipts of a site, each with its signature and its proof under the last checkpoint: what `souche claim` reads
/// once the service is gone. Those of a site see their own.
pub fn claim_file(tx: &mut Tx<'_>, keys: &Keys, actor: &Actor, site: SiteId) -> Result<String> {
    actor.require(Action::ReadClaim)?;
    let organisation = sites::get(tx, site)?.organisation;
    let (of, at) = actor.only_of()?;
    if of.is_some_and(|of| of != organisation) || at.is_some_and(|at| at != site) {
        return Err(Refusal::not_found("site").into());
    }
    let head = checkpoints::last(tx)?;
    let signed = head.as_ref().map_or(0, |head| head.size);
    let note =
        head.map(|head| head.note.parse::<Note>()).transpose().map_err(anyhow::Error::msg)?;
    let programme = programmes::current(tx)?.code.to_string();
    let first = Head { programme, receipt_keys: bundle::public_keys(tx, keys)?, site };
    let mut file = first.to_line();
    let receipts = entries::of_site(tx, site)?;
    let mut tree = Tree::new(tx);
    for own in receipts {
        let index = own.position.and_then(|position| u64::try_from(position).ok());
        let proof = match (index.filter(|index| *index < signed), &note) {
            (Some(index), Some(note)) => {
                let hashes = tree.inclusion(index, signed)?;
                Some(Proof { index, hashes, note: note.clone() }.to_string())
            }
            _ => None,
        };
        let signed = ledger::signature(keys, &own.receipt, own.signature.as_deref());
        let signature = signed.map(|(_, signature)| signature);
        file.push_str(&Backed { proof, receipt: own.receipt, signature }.to_line());
    }
    Ok(file)
}
