//! The signer of logs, apart from the database: it holds its own key, remembers in its own file the last
//! head that it signed of each log, and signs another only with proof that the log merely grew. So whoever
//! restores or rewrites the database gets no signature on another past
//! ([decision 0016](../../docs/decisions/0016-signer-apart.md)).
//!
//! In the process by default; behind a socket ([`serve`]) where it belongs to another user.

mod key;
mod memory;
mod socket;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::merkle::{Hash, verify_consistency};
use crate::domain::note::{Checkpoint, Note, Verifier};
use crate::domain::programme::ProgrammeCode;
use key::LogKey;
use memory::{Memory, Signed};

pub use socket::serve;

/// What a log asks: to sign its head, which continues the one last signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The programme.
    pub log: ProgrammeCode,
    /// The size that was signed last; 0 for a new log.
    pub from: u64,
    /// How the head continues it.
    pub proof: Vec<Hash>,
    /// The head: how many leaves.
    pub size: u64,
    /// The head: their root.
    pub root: Hash,
}

/// What the signer answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Signed.
    Signed {
        /// The note.
        note: String,
        /// The public key.
        vkey: String,
    },
    /// It last signed another size than the one asked from: ask again, with a proof from there.
    Last {
        /// That size; 0 when it signed nothing of this log yet.
        size: u64,
    },
    /// The head does not continue what was signed: it will never be.
    Refused {
        /// Why, in French.
        because: String,
    },
}

/// The way to a signer.
#[derive(Clone, Debug)]
pub enum Signer {
    /// In this process.
    Here(Arc<Local>),
    /// Behind that socket.
    Behind(PathBuf),
}

impl Signer {
    /// One in this process, whose key and memory are in that directory; both are made when missing.
    pub fn here(state: &Path) -> anyhow::Result<Self> {
        Ok(Self::Here(Arc::new(Local::open(state)?)))
    }

    /// Asks.
    ///
    /// # Errors
    /// When it can't be reached, or can't write down what it signs: ask again later.
    pub fn sign(&self, ask: &Ask) -> anyhow::Result<Answer> {
        match self {
            Self::Here(local) => local.sign(ask),
            Self::Behind(socket) => socket::ask(socket, ask),
        }
    }
}

/// A signer on files of its own. Several processes may share them: a lock is held while one signs.
#[derive(Debug)]
pub struct Local {
    key: LogKey,
    memory: Memory,
}

impl Local {
    /// Opens the directory, or makes it with a new key.
    ///
    /// # Errors
    /// When there is a key and no memory of what it signed.
    pub fn open(state: &Path) -> anyhow::Result<Self> {
        let memory = Memory::open(state)?;
        let key_file = state.join("key.json");
        let key = memory.locked(|memory| {
            if !key_file.exists() {
                memory.write(&memory.read().unwrap_or_default())?;
            }
            memory.read()?;
            LogKey::load_or_generate(&key_file)
        })?;
        Ok(Self { key, memory })
    }

    /// Signs a head that continues the last one, once that is written down.
    pub fn sign(&self, ask: &Ask) -> anyhow::Result<Answer> {
        let origin = self.key.origin(&ask.log);
        self.memory.locked(|memory| {
            let mut heads = memory.read()?;
            let last = heads.get(&origin).copied().unwrap_or_default();
            if ask.from != last.size {
                return Ok(Answer::Last { size: last.size });
            }
            if let Some(because) = objection(&last, ask) {
                return Ok(Answer::Refused { because });
            }
            let head = Signed { size: ask.size, root: ask.root };
            if head != last {
                heads.insert(origin.clone(), head);
                memory.write(&heads)?;
            }
            let checkpoint = Checkpoint { origin: origin.clone(), size: ask.size, root: ask.root };
            let verifier = Verifier { name: origin.clone(), key: self.key.key.verifying_key() };
            Ok(Answer::Signed {
                note: Note::sign(&checkpoint, &self.key.key).to_string(),
                vkey: verifier.to_string(),
            })
        })
    }
}

/// Why a head can't follow the one last signed.
fn objection(last: &Signed, ask: &Ask) -> Option<String> {
    if ask.size < last.size {
        return Some(format!(
            "le journal présenté a {} feuilles, alors que {} ont été signées : sa fin a été coupée, ou la base est une sauvegarde ancienne",
            ask.size, last.size
        ));
    }
    let continues = verify_consistency(last.size, last.root, ask.size, ask.root, &ask.proof);
    (!continues).then(|| {
        format!(
            "le journal présenté ne prolonge pas les {} feuilles signées : son passé a changé",
            last.size
        )
    })
}

#[cfg(test)]
mod tests;
