//! The queue at the counter: a writer takes whatever waited while its last commit ran, and makes one
//! transaction of it. No timer: a lone request goes at once, a rush makes large batches.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::setpriority_process;
use rustix::thread::gettid;

use super::batch::{Ask, judge_unlocked, redeem_locked, write};
use super::redeemed::Outcome;
use crate::db::checkpoints::{self, Head};
use crate::db::programmes::{self, Programme};
use crate::db::{Db, Line, Tx};
use crate::domain::ProgrammeId;
use crate::error::{Error, Result};
use crate::keys::Keys;

/// One writes while the other waits for its commit; a third would only make batches smaller.
const WRITERS: usize = 2;
/// How far writers stand back (nice) where the processor is short: a request that has arrived is read first, and goes
/// with the next batch. Larger batches cost less each; the next would be of four while ten are on their way.
const NICENESS: i32 = 10;
/// Most requests of one transaction: past it, a larger batch gains little and makes its first wait.
const MAX_BATCH: usize = 128;
/// Most that wait, requests and batches of them: some tenths of a second of requests. More are told to come back.
const MAX_QUEUE: usize = 2_048;
/// Longest that a request waits in the queue. When the database is away, each batch waits for it in vain:
/// those behind it are told to come back while their clients still listen.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// How old the head of the log may be that a receipt names: one more query a second, not one a batch. Heads are
/// signed every five seconds.
const HEAD_LASTS: Duration = Duration::from_secs(1);

/// Hears what became of a request. Called on the writer's thread, after COMMIT: must not block.
pub type Reply = Box<dyn FnOnce(Result<Outcome>) + Send>;

/// The queue is full: nothing was written.
#[derive(Debug)]
pub struct Overloaded;

/// A handle on the queue, cheap to clone. The writer's thread ends with the last of them.
#[derive(Clone)]
pub struct Writer {
    queue: SyncSender<Queued>,
}

/// What waits: one request, or some that one device sent together, to be judged in their order.
struct Queued {
    asks: Vec<(Ask, Reply)>,
    since: Instant,
}

impl Writer {
    /// Starts a writer on that database.
    pub fn start(db: &Db, keys: &Keys) -> anyhow::Result<Self> {
        let (queue, waiting) = sync_channel(MAX_QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..WRITERS {
            let desk = Desk { line: db.line(), keys: keys.clone(), programmes: HashMap::new() };
            let waiting = waiting.clone();
            thread::Builder::new().name("redemptions".into()).spawn(move || desk.run(&waiting))?;
        }
        Ok(Self { queue })
    }

    /// Puts a request in the queue. `reply` hears its outcome after COMMIT.
    pub fn submit(
        &self,
        ask: Ask,
        reply: impl FnOnce(Result<Outcome>) + Send + 'static,
    ) -> std::result::Result<(), Overloaded> {
        self.submit_all(vec![(ask, Box::new(reply))])
    }

    /// Puts some in the queue, all or none, to be judged in this order.
    pub fn submit_all(&self, asks: Vec<(Ask, Reply)>) -> std::result::Result<(), Overloaded> {
        let queued = Queued { asks, since: Instant::now() };
        self.queue.try_send(queued).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => Overloaded,
        })
    }
}

/// A writer at work: its own connection, and the programmes it has met.
struct Desk {
    line: Line,
    keys: Keys,
    programmes: HashMap<ProgrammeId, Known>,
}

/// What is kept of a programme from one batch to the next.
struct Known {
    /// What a programme is made of never changes, and the service's role could not change it.
    programme: Programme,
    /// The head of its log, as it was at that instant: receipts name it.
    head: Option<Head>,
    head_read_at: Instant,
}

impl Desk {
    fn run(mut self, waiting: &Mutex<Receiver<Queued>>) {
        // Of this thread alone. Where it is not allowed, batches are smaller, and nothing else.
        setpriority_process(Some(gettid()), NICENESS).ok();
        while let Some(queued) = take(waiting) {
            let mut by_programme: BTreeMap<ProgrammeId, (Vec<Ask>, Vec<Reply>)> = BTreeMap::new();
            for (ask, reply) in queued {
                let (asks, replies) = by_programme.entry(ask.actor.programme).or_default();
                asks.push(ask);
                replies.push(reply);
            }
            for (programme, (asks, replies)) in by_programme {
                let mut replies = replies.into_iter();
                for asks in asks.chunks(MAX_BATCH) {
                    for (outcome, reply) in
                        self.settle(programme, asks).into_iter().zip(&mut replies)
                    {
                        reply(outcome);
                    }
                }
            }
        }
    }

    /// One transaction for all; if that fails and nothing was written, one for each, so that a request that
    /// can't be written harms nobody else. One whose key was at work in another process too is told, at its
    /// second try, what came of it there.
    fn settle(&mut self, programme: ProgrammeId, asks: &[Ask]) -> Vec<Result<Outcome>> {
        match self.attempt(programme, asks) {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(Error::Unknown(why)) => {
                asks.iter().map(|_| Err(Error::Unknown(why.clone()))).collect()
            }
            Err(Error::Busy(why)) => asks.iter().map(|_| Err(Error::Busy(why.clone()))).collect(),
            Err(_) => asks.iter().map(|ask| self.alone(programme, ask)).collect(),
        }
    }

    /// Most batches are two statements: one that reads, one that writes what was judged, if passes are still as they
    /// were. The others are judged again, in a transaction that locks them.
    fn attempt(&mut self, id: ProgrammeId, asks: &[Ask]) -> Result<Vec<Outcome>> {
        let known = match self.programmes.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(self.line.read(id, Known::read)?),
        };
        let judged = self.line.read(id, |tx| {
            known.refresh(tx)?;
            judge_unlocked(tx, &self.keys, &known.programme, asks)
        })?;
        let Known { programme, head, .. } = known;
        if let Some(judged) = judged {
            match self.line.write(id, |tx| write(tx, programme, head.as_ref(), asks, judged)) {
                Err(error) if !matches!(error, Error::Unknown(_)) => {}
                done => return done,
            }
        }
        self.line.transact(id, |tx| redeem_locked(tx, &self.keys, programme, head.as_ref(), asks))
    }

    fn alone(&mut self, programme: ProgrammeId, ask: &Ask) -> Result<Outcome> {
        let mut outcomes = self.attempt(programme, std::slice::from_ref(ask))?;
        Ok(outcomes.pop().ok_or_else(|| anyhow::anyhow!("a request was not answered"))?)
    }
}

impl Known {
    fn read(tx: &mut Tx<'_>) -> Result<Self> {
        Ok(Self {
            programme: programmes::current(tx)?,
            head: checkpoints::last(tx)?,
            head_read_at: Instant::now(),
        })
    }

    /// Reads the head again when it is old.
    fn refresh(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        if self.head_read_at.elapsed() > HEAD_LASTS {
            self.head = checkpoints::last(tx)?;
            self.head_read_at = Instant::now();
        }
        Ok(())
    }
}

/// Waits for a request, and takes those behind it too, as many as make a transaction. Who has waited for too
/// long is told to come back.
fn take(waiting: &Mutex<Receiver<Queued>>) -> Option<Vec<(Ask, Reply)>> {
    let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let mut taken = Vec::new();
    let mut next = Some(waiting.recv().ok()?);
    while let Some(Queued { asks, since }) = next {
        if since.elapsed() > MAX_WAIT {
            for (_, reply) in asks {
                reply(Err(Error::Busy("the queue of redemptions does not advance".into())));
            }
        } else {
            taken.extend(asks);
        }
        next = if taken.len() < MAX_BATCH { waiting.try_recv().ok() } else { None };
    }
    Some(taken)
}
