//! Sealing: receipts become leaves of the programme's log, and the head of the log is signed.
//!
//! # What is new
//! Never "whatever is past the last": ids and instants are given before COMMIT, so a transaction that
//! commits late would be passed over. An entry bears the number of its transaction instead. Before a seal
//! looks, it asks PostgreSQL for the oldest transaction still at work, and keeps that number as the
//! *horizon*; it then takes every entry that it can see past the last horizon and that is in no leaf.
//! What it can't see yet belongs to a transaction past the new horizon, and is met next time.
//!
//! # In which order
//! By `recorded_at`, then id, within a seal. An entry that rests on another is written after that one was
//! committed, and later by `recorded_at`: so it never stands before it, in one seal or over several.
//!
//! # Who seals
//! Any process: the row of the log is locked with SKIP LOCKED, so whoever finds it taken goes on to the next
//! programme. Leaves and horizon are one transaction: a sealer that dies anywhere sealed
//! nothing, and another begins again. Signing comes after COMMIT, from what is sealed, and may be late.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::tree::Tree;
use crate::db::leaves::NewLeaf;
use crate::db::logs::Unsealed;
use crate::db::{Db, Scope, Tx, checkpoints, leaves, logs, programmes};
use crate::domain::merkle::{Frontier, Hash};
use crate::domain::{ProgrammeId, Refusal};
use crate::error::{Error, Result};
use crate::signer::{Answer, Ask, Signer};

/// Between two looks at all programmes: how long a receipt waits for its proof.
const INTERVAL: Duration = Duration::from_secs(5);
/// Receipts held at once, and leaves of one statement.
const BATCH: usize = 5_000;
/// Leaves of one transaction: past that, the rest waits for the next, so that a first seal of a long
/// journal is not lost whole with its server.
const MAX_LEAVES: u64 = 500_000;

/// What a seal came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Leaves before.
    pub from: u64,
    /// Leaves after.
    pub to: u64,
    /// Was nothing left to be sealed?
    pub is_all: bool,
}

/// Seals what is new in the programme that the transaction has entered; `None` when another transaction
/// is at it.
pub fn seal(tx: &mut Tx<'_>) -> Result<Option<Sealed>> {
    if logs::lock(tx)?.is_none() {
        return Ok(None);
    }
    let horizon = logs::oldest_transaction(tx)?;
    let from = leaves::size(tx)?;
    let mut frontier = Tree::new(tx).frontier(from)?;
    logs::open_new(tx)?;
    let mut is_all = false;
    while frontier.size().saturating_sub(from) < MAX_LEAVES {
        let new = logs::next_new(tx, BATCH)?;
        if new.is_empty() {
            is_all = true;
            break;
        }
        let first = frontier.size();
        let new: Vec<_> = new.into_iter().map(|entry| leaf(&mut frontier, &entry)).collect();
        leaves::insert(tx, first, &new)?;
    }
    logs::close_new(tx)?;
    if is_all {
        logs::advance(tx, &horizon)?;
    }
    Ok(Some(Sealed { from, to: frontier.size(), is_all }))
}

/// The leaf of an entry, once the tree has grown by it.
fn leaf(frontier: &mut Frontier, entry: &Unsealed) -> NewLeaf {
    let hash = Hash::of_leaf(entry.receipt.as_bytes());
    NewLeaf { entry: entry.id, hash, subtree_roots: grow(frontier, hash) }
}

/// Adds a leaf; returns the roots of the subtrees of whole tiles that it completes.
pub(super) fn grow(frontier: &mut Frontier, leaf: Hash) -> Option<Vec<u8>> {
    let mut roots = Vec::new();
    frontier.append(leaf, |_, root| roots.extend(root.0));
    (!roots.is_empty()).then_some(roots)
}

/// Has the head signed, when it is not yet; returns its size. A refusal is kept where operations look.
///
/// # Errors
/// When the signer can't be reached: nothing is lost, ask again later.
pub fn sign_head(tx: &mut Tx<'_>, signer: &Signer) -> Result<u64> {
    let size = leaves::size(tx)?;
    let last = checkpoints::last(tx)?.map_or(0, |head| head.size);
    if size > last || logs::refusal(tx)?.is_some() {
        ask(tx, signer, last, size)?;
    }
    Ok(size)
}

/// The same, of a head that is signed already too: a signer that has seen more than the database holds
/// says so at once, and not at the next entry.
pub fn sign_head_again(tx: &mut Tx<'_>, signer: &Signer) -> Result<u64> {
    let size = leaves::size(tx)?;
    ask(tx, signer, size, size)?;
    Ok(size)
}

fn ask(tx: &mut Tx<'_>, signer: &Signer, from: u64, size: u64) -> Result<()> {
    if size == 0 {
        return Ok(());
    }
    let log = programmes::current(tx)?.code;
    let root = Tree::new(tx).root(size)?;
    let mut ask = Ask { log, from, proof: Tree::new(tx).consistency(from, size)?, size, root };
    let mut answer = signer.sign(&ask)?;
    if let Answer::Last { size: signed } = answer {
        if signed > size && leaves::size(tx)? >= signed {
            // Another process has sealed and signed more meanwhile.
            return Ok(());
        }
        ask.from = signed;
        // Past the end there is nothing to prove with, and the signer says why not.
        ask.proof =
            if signed <= size { Tree::new(tx).consistency(signed, size)? } else { Vec::new() };
        answer = signer.sign(&ask)?;
    }
    match answer {
        Answer::Signed { note, vkey } => {
            let signed_at = tx.now;
            checkpoints::insert(tx, &checkpoints::Head { size, root, vkey, note, signed_at })?;
            logs::note_refusal(tx, None)
        }
        Answer::Refused { because } => {
            tracing::error!("the log of {} is not signed: {because}", ask.log);
            logs::note_refusal(tx, Some(&because))
        }
        // Another process was faster: it has signed a longer head meanwhile.
        Answer::Last { .. } => Ok(()),
    }
}

/// Seals and signs all that there is of one programme; returns the size of its log.
pub fn seal_and_sign(db: &Db, programme: ProgrammeId, signer: &Signer) -> Result<u64> {
    let scope = Scope::Programme(programme);
    while db.transact_blocking(scope, logs::has_new)? {
        let sealed = db.transact_blocking(scope, seal)?;
        if sealed.is_none_or(|sealed| sealed.is_all) {
            break;
        }
    }
    db.transact_blocking(scope, |tx| sign_head(tx, signer))
}

/// Seals and signs the logs of every programme. One that fails does not keep the others waiting.
pub fn seal_all(db: &Db, signer: &Signer) -> Result<()> {
    each(db, |programme| seal_and_sign(db, programme, signer).map(|_| ()))
}

fn each(db: &Db, mut work: impl FnMut(ProgrammeId) -> Result<()>) -> Result<()> {
    let last = db.transact_blocking(Scope::Nobody, programmes::last_id)?;
    let mut first_failure = None;
    for programme in (1..=last).map(ProgrammeId::new) {
        let found = db.transact_blocking(Scope::Programme(programme), programmes::current);
        let done = match found {
            // A number that no programme bears: its creation was refused.
            Err(Error::Refused(Refusal::NotFound { .. })) => continue,
            Err(error) => Err(error),
            Ok(_) => work(programme),
        };
        if let Err(error) = done {
            tracing::warn!("programme {programme} is not sealed: {error:#}");
            first_failure.get_or_insert(error);
        }
    }
    first_failure.map_or(Ok(()), Err)
}

/// The thread that seals as long as the service runs; it ends when this is dropped.
pub struct Sealer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sealer {
    /// Starts it.
    pub fn start(db: Db, signer: Signer) -> anyhow::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let thread = thread::Builder::new().name("sealer".into()).spawn(move || {
            let mut begun = false;
            loop {
                if !begun {
                    begun = each(&db, |programme| {
                        let scope = Scope::Programme(programme);
                        db.transact_blocking(scope, |tx| sign_head_again(tx, &signer)).map(|_| ())
                    })
                    .is_ok();
                }
                let _ = seal_all(&db, &signer);
                if !matches!(stopped.recv_timeout(INTERVAL), Err(RecvTimeoutError::Timeout)) {
                    return;
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
