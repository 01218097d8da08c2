//! What is published of a programme's log: hashes, and signed heads. Reading them takes no token: they say
//! nothing of what the receipts say, and whoever keeps one can hold the ledger to it.

use crate::db::{Tx, checkpoints, entries, leaves, logs, programmes};
use crate::domain::merkle::{Hash, TILE_WIDTH};
use crate::domain::note::Proof;
use crate::domain::programme::ProgrammeCode;
use crate::domain::{Action, Actor, EntryId, ProgrammeId, Refusal};
use crate::error::{Error, Result};
use crate::ledger::tree::Tree;

pub use crate::db::checkpoints::Head;

/// The last signed head of a programme's log, as a note.
pub fn checkpoint(tx: &mut Tx<'_>, code: &ProgrammeCode) -> Result<String> {
    programmes::enter(tx, code)?;
    Ok(checkpoints::last(tx)?.ok_or(Refusal::not_found("checkpoint"))?.note)
}

/// The public keys that have signed it, a line each, the newest first.
pub fn keys(tx: &mut Tx<'_>, code: &ProgrammeCode) -> Result<String> {
    programmes::enter(tx, code)?;
    let keys = checkpoints::keys(tx)?;
    if keys.is_empty() {
        return Err(Refusal::not_found("checkpoint").into());
    }
    Ok(keys.join("\n") + "\n")
}

/// A tile: `width` hashes of a level, from `index` × 256 on (C2SP tlog-tiles). Only what a signed head
/// covers: a tile that is told stays as it is.
pub fn tile(
    tx: &mut Tx<'_>,
    code: &ProgrammeCode,
    level: u8,
    index: u64,
    width: u64,
) -> Result<Vec<Hash>> {
    programmes::enter(tx, code)?;
    let signed = checkpoints::last(tx)?.map_or(0, |head| head.size);
    let at_level = signed.checked_shr(u32::from(level).saturating_mul(8)).unwrap_or(0);
    let begin = index.saturating_mul(TILE_WIDTH);
    let end = begin.saturating_add(width);
    if end > at_level {
        return Err(Refusal::not_found("tile").into());
    }
    leaves::hashes(tx, level.into(), begin, end)
}

/// Signed heads, the last first: those of a size below `before`.
pub fn checkpoints(tx: &mut Tx<'_>, actor: &Actor, before: u64, limit: i64) -> Result<Vec<Head>> {
    actor.require(Action::ReadLog)?;
    checkpoints::before(tx, before, limit)
}

/// That a receipt is in the log, under its last signed head.
pub fn proof(tx: &mut Tx<'_>, actor: &Actor, entry: EntryId) -> Result<Proof> {
    actor.require(Action::ReadLog)?;
    entries::find(tx, entry)?.ok_or(Refusal::not_found("receipt"))?;
    let index = leaves::position(tx, entry)?.ok_or(Refusal::NotSealed)?;
    let head = checkpoints::last(tx)?.filter(|head| head.size > index).ok_or(Refusal::NotSealed)?;
    let hashes = Tree::new(tx).inclusion(index, head.size)?;
    Ok(Proof { index, hashes, note: head.note.parse().map_err(anyhow::Error::msg)? })
}

/// That the first `to` leaves begin with the first `from`.
pub fn consistency(tx: &mut Tx<'_>, actor: &Actor, from: u64, to: u64) -> Result<Vec<Hash>> {
    actor.require(Action::ReadLog)?;
    let signed = checkpoints::last(tx)?.ok_or(Refusal::NotSealed)?.size;
    if from == 0 || from > to || to > signed {
        let rule = format!("deux tailles sont attendues, de 1 à {signed}, la plus petite d'abord");
        return Err(Refusal::invalid("from", rule).into());
    }
    Tree::new(tx).consistency(from, to)
}

/// How a programme's log stands, for those who watch over the service.
#[derive(Clone, Debug)]
pub struct Gauge {
    /// The programme.
    pub programme: ProgrammeCode,
    /// Leaves.
    pub size: u64,
    /// Of those, how many a signed head covers.
    pub signed: u64,
    /// How long the oldest receipt has waited that none covers, in seconds.
    pub lag_seconds: i64,
    /// Has the signer refused the head?
    pub is_refused: bool,
}

/// How the logs of all programmes stand.
pub fn gauges(tx: &mut Tx<'_>) -> Result<Vec<Gauge>> {
    let mut gauges = Vec::new();
    for programme in 1..=programmes::last_id(tx)? {
        tx.enter(ProgrammeId::new(programme))?;
        let programme = match programmes::current(tx) {
            Err(Error::Refused(Refusal::NotFound { .. })) => continue,
            found => found?.code,
        };
        let size = leaves::size(tx)?;
        let signed = checkpoints::last(tx)?.map_or(0, |head| head.size);
        let lag_seconds = logs::lag_seconds(tx, i64::try_from(signed).unwrap_or(i64::MAX))?;
        let is_refused = logs::refusal(tx)?.is_some();
        gauges.push(Gauge { programme, size, signed, lag_seconds, is_refused });
    }
    Ok(gauges)
}
