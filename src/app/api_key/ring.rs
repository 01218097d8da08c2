//! Whom a presented key speaks for. Read from the database at most once a second for each key, so that a
//! revocation is known everywhere within a second, and a busy key costs next to nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::db::{Db, Scope, api_keys};
use crate::domain::api_key::ApiKeySecret;
use crate::domain::{Actor, Timestamp};
use crate::error::Result;

/// How long what was read is relied on: the most that a revocation takes.
const FRESH: Duration = Duration::from_secs(1);
/// Keys remembered at once; past it, all are forgotten and read anew.
const MAX_KNOWN: usize = 10_000;

/// What was read about a key: for whom it speaks, and until when; nobody, for one that is not good.
pub type Known = Option<(Actor, Timestamp)>;

/// The keys seen lately, by the hash of their secret.
#[derive(Clone, Default)]
pub struct Ring(Arc<Mutex<Seen>>);

/// When each was read, and what.
type Seen = HashMap<[u8; 32], (Instant, Known)>;

impl Ring {
    /// What is known of a key and still fresh.
    pub fn fresh(&self, secret: &ApiKeySecret, now: Timestamp) -> Option<Known> {
        let (read_at, known) = self.lock().get(&secret.hash()).copied()?;
        let known = known.filter(|(_, ends_at)| now < *ends_at);
        (read_at.elapsed() < FRESH).then_some(known)
    }

    /// Reads a key from the database, and remembers what was read. Blocks.
    pub fn read(&self, db: &Db, secret: &ApiKeySecret) -> Result<Known> {
        let hash = secret.hash();
        let read_at = Instant::now();
        let known = db.transact_blocking(Scope::Programme(secret.programme()), |tx| {
            api_keys::by_secret(tx, &hash)
        })?;
        let mut ring = self.lock();
        if ring.len() >= MAX_KNOWN {
            ring.clear();
        }
        ring.insert(hash, (read_at, known));
        Ok(known)
    }

    /// Forgets all: after a change, what this process knows is read anew at once.
    pub fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
