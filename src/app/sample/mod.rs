//! Audit samples: an auditor commits to a seed, draws by it once the log has sealed the commitment, and keeps what it finds
//! on each receipt. Others read.

mod commit;
mod draw;
mod find;

pub use commit::{NewSample, commit};
pub use draw::{NewDraw, draw};
pub use find::{NewFinding, find};

use crate::db::findings::{self, Finding, Item, Tally};
use crate::db::samples::{self, Committed, Drawn};
use crate::db::{Tx, checkpoints, leaves};
use crate::domain::{Action, Actor, FindingId, LineNumber, Refusal, SampleId};
use crate::error::Result;
use crate::ledger;
use crate::ledger::verify::Check;

/// A sample, whole but for its lines.
pub struct Overview {
    /// The commitment.
    pub committed: Committed,
    /// Its leaf in the log, once a signed head covers it: from then on it can be drawn.
    pub sealed_at: Option<u64>,
    /// The draw.
    pub drawn: Option<Drawn>,
    /// What was found, stratum by stratum.
    pub tally: Vec<Tally>,
}

/// A page of commitments by number.
pub fn list(tx: &mut Tx<'_>, actor: &Actor, after: SampleId, limit: i64) -> Result<Vec<Committed>> {
    actor.require(Action::ReadSamples)?;
    samples::page(tx, after, limit)
}

/// One sample.
pub fn get(tx: &mut Tx<'_>, actor: &Actor, number: SampleId) -> Result<Overview> {
    actor.require(Action::ReadSamples)?;
    overview(tx, number)
}

/// A page of the worksheet: what was drawn, and what was found on it.
pub fn items(
    tx: &mut Tx<'_>,
    actor: &Actor,
    number: SampleId,
    after: LineNumber,
    limit: i64,
) -> Result<Vec<Item>> {
    actor.require(Action::ReadSamples)?;
    drawn(tx, number)?;
    findings::items(tx, number, after, limit)
}

/// A page of findings by number, those that were corrected included.
pub fn history(
    tx: &mut Tx<'_>,
    actor: &Actor,
    number: SampleId,
    after: FindingId,
    limit: i64,
) -> Result<Vec<Finding>> {
    actor.require(Action::ReadSamples)?;
    committed(tx, number)?;
    findings::page(tx, number, after, limit)
}

/// Makes the draw again from the log, and compares.
pub fn verify(tx: &mut Tx<'_>, actor: &Actor, number: SampleId) -> Result<Check> {
    actor.require(Action::ReadSamples)?;
    drawn(tx, number)?;
    ledger::samples::verify(tx, Some(number))
}

fn committed(tx: &mut Tx<'_>, number: SampleId) -> Result<Committed> {
    Ok(samples::find(tx, number)?.ok_or(Refusal::not_found("audit_sample"))?)
}

/// A sample's draw, or that it comes first.
fn drawn(tx: &mut Tx<'_>, number: SampleId) -> Result<Drawn> {
    committed(tx, number)?;
    let drawn = samples::draws(tx, number, number)?.into_iter().next();
    Ok(drawn.ok_or_else(|| Refusal::wrong_state("audit_sample", "faites d'abord le tirage"))?)
}

fn overview(tx: &mut Tx<'_>, number: SampleId) -> Result<Overview> {
    let committed = committed(tx, number)?;
    let leaf = leaves::position(tx, committed.entry)?;
    let signed = checkpoints::last(tx)?.map_or(0, |head| head.size);
    Ok(Overview {
        sealed_at: leaf.filter(|leaf| *leaf < signed),
        drawn: samples::draws(tx, number, number)?.into_iter().next(),
        tally: findings::tally(tx, number)?,
        committed,
    })
}
