//! The second step of a sample: the seed is revealed, and what it draws is written down for good.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Overview, committed, overview};
use crate::db::samples::{self, Drawn};
use crate::db::{Tx, checkpoints, leaves, programmes};
use crate::domain::entry::EntryKind;
use crate::domain::sample::Seed;
use crate::domain::{Action, Actor, Refusal, SampleId};
use crate::error::Result;
use crate::ledger::{self, Entry};

/// The seed that was committed to.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDraw {
    /// Its 32 bytes. Known to all from now on.
    pub seed: Seed,
}

/// Draws a sample, once: by its seed, and by the head of the log that ends with its commitment.
pub fn draw(tx: &mut Tx<'_>, actor: &Actor, number: SampleId, new: &NewDraw) -> Result<Overview> {
    actor.require(Action::DrawSample)?;
    let committed = committed(tx, number)?;
    if new.seed.commitment() != committed.commitment {
        return Err(Refusal::SeedNotCommitted.into());
    }
    let leaf = leaves::position(tx, committed.entry)?.ok_or(Refusal::NotSealed)?;
    let signed = checkpoints::last(tx)?.map_or(0, |head| head.size);
    if signed <= leaf {
        return Err(Refusal::NotSealed.into());
    }
    let (sample, root) = ledger::samples::draw(tx, &committed.criteria, new.seed, leaf)?;
    let (population, items) = (sample.population(), sample.size());
    let facts = json!({
        "audit_sample": number, "seed": new.seed, "head_size": leaf.saturating_add(1), "head_root": root,
        "population": population, "items": items,
    });
    let entry = Entry::new(tx, EntryKind::AuditDraw, actor.user, facts);
    let drawn = Drawn {
        sample: number,
        commitment: committed.commitment,
        seed: new.seed,
        leaf,
        root,
        signed_size: signed,
        population,
        items: i32::try_from(items).map_err(anyhow::Error::from)?,
        drawn_at: tx.now,
        entry: entry.id,
    };
    if !samples::draw(tx, &drawn, actor.user)? {
        return Err(Refusal::wrong_state(
            "audit_sample",
            "son tirage est déjà fait, une fois pour toutes",
        )
        .into());
    }
    samples::insert_lots(tx, number, &sample)?;
    let code = programmes::current(tx)?.code;
    let entry = entry.wrote("audit_draws").wrote("audit_items").wrote("audit_strata");
    ledger::record(tx, &code, entry)?;
    overview(tx, number)
}
