//! The queue at the counter: one writer takes whatever waited while its last commit ran, and makes one
//! transaction of it. No timer: a lone request goes at once, a rush makes large batches.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::batch::{Ask, redeem_all};
use crate::app::once::Outcome;
use crate::db::{Db, Line, Scope};
use crate::domain::ProgrammeId;
use crate::error::{Error, Result};
use crate::keys::Keys;

/// Most requests of one transaction: past it, a larger batch gains little and makes its first wait.
const MAX_BATCH: usize = 128;
/// Most requests that wait: some tenths of a second of work. More are told to come back.
const MAX_QUEUE: usize = 2_048;
/// Longest that a request waits in the queue. When the database is away, each batch waits for it in vain:
/// those behind it are told to come back while their clients still listen.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// Hears what became of a request. Called on the writer's thread, after COMMIT: must not block.
type Reply = Box<dyn FnOnce(Result<Outcome>) + Send>;

/// The queue is full: nothing was written.
#[derive(Debug)]
pub struct Overloaded;

/// A handle on the queue, cheap to clone. The writer's thread ends with the last of them.
#[derive(Clone)]
pub struct Writer {
    queue: SyncSender<Queued>,
}

/// A request that waits for its batch.
struct Queued {
    ask: Ask,
    reply: Reply,
    since: Instant,
}

impl Writer {
    /// Starts a writer on that database.
    pub fn start(db: Db, keys: Keys) -> anyhow::Result<Self> {
        let (queue, waiting) = sync_channel(MAX_QUEUE);
        thread::Builder::new()
            .name("redemptions".into())
            .spawn(move || run(db.line(), &keys, &waiting))?;
        Ok(Self { queue })
    }

    /// Puts a request in the queue. `reply` hears its outcome after COMMIT.
    pub fn submit(
        &self,
        ask: Ask,
        reply: impl FnOnce(Result<Outcome>) + Send + 'static,
    ) -> std::result::Result<(), Overloaded> {
        let queued = Queued { ask, reply: Box::new(reply), since: Instant::now() };
        self.queue.try_send(queued).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => Overloaded,
        })
    }
}

fn run(mut line: Line, keys: &Keys, waiting: &Receiver<Queued>) {
    while let Ok(first) = waiting.recv() {
        let mut by_programme: BTreeMap<ProgrammeId, (Vec<Ask>, Vec<Reply>)> = BTreeMap::new();
        for Queued { ask, reply, since } in
            std::iter::once(first).chain(waiting.try_iter().take(MAX_BATCH.saturating_sub(1)))
        {
            if since.elapsed() > MAX_WAIT {
                reply(Err(Error::Busy("the queue of redemptions does not advance".into())));
                continue;
            }
            let (asks, replies) = by_programme.entry(ask.actor.programme).or_default();
            asks.push(ask);
            replies.push(reply);
        }
        for (programme, (asks, replies)) in by_programme {
            for (reply, outcome) in
                replies.into_iter().zip(settle(&mut line, keys, programme, &asks))
            {
                reply(outcome);
            }
        }
    }
}

/// One transaction for all; if that fails and nothing was written, one for each, so that a request that
/// can't be written harms nobody else. One whose key was at work in another process too is told, at its
/// second try, what came of it there.
fn settle(
    line: &mut Line,
    keys: &Keys,
    programme: ProgrammeId,
    asks: &[Ask],
) -> Vec<Result<Outcome>> {
    match attempt(line, keys, programme, asks) {
        Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
        Err(Error::Unknown(why)) => asks.iter().map(|_| Err(Error::Unknown(why.clone()))).collect(),
        Err(Error::Busy(why)) => asks.iter().map(|_| Err(Error::Busy(why.clone()))).collect(),
        Err(_) => asks.iter().map(|ask| alone(line, keys, programme, ask)).collect(),
    }
}

fn attempt(
    line: &mut Line,
    keys: &Keys,
    programme: ProgrammeId,
    asks: &[Ask],
) -> Result<Vec<Outcome>> {
    line.transact(Scope::Programme(programme), |tx| redeem_all(tx, keys, asks))
}

fn alone(line: &mut Line, keys: &Keys, programme: ProgrammeId, ask: &Ask) -> Result<Outcome> {
    let mut outcomes = attempt(line, keys, programme, std::slice::from_ref(ask))?;
    Ok(outcomes.pop().ok_or_else(|| anyhow::anyhow!("a request was not answered"))?)
}
