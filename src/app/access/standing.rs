//! What a caller was let in with, asked again in the transaction of what it does.
//!
//! The door knows a session, or a key, as this process saw it up to a second ago. Between the door and the
//! transaction of the act a role may be taken away. So the act begins by reading the row that dies with the role,
//! and holds it: whoever takes the role away waits for what is under way, and nothing is written after.

use crate::db::{Tx, api_keys, sessions};
use crate::domain::{Refusal, SessionId};
use crate::error::Result;

/// What lets somebody act: one row, which ends with the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A session of a person.
    Session(SessionId),
    /// A secret of an API key, by its hash.
    Key([u8; 32]),
}

impl Standing {
    /// Refuses who may act no more, before it reads anything.
    pub fn ensure(self, tx: &mut Tx<'_>) -> Result<()> {
        let is_good = match self {
            Self::Session(session) => sessions::is_good(tx, session)?,
            Self::Key(secret_hash) => api_keys::is_good(tx, &secret_hash)?,
        };
        if is_good { Ok(()) } else { Err(Refusal::NotSignedIn.into()) }
    }

    /// The same for who writes: good until the transaction ends.
    pub fn hold(self, tx: &mut Tx<'_>) -> Result<()> {
        let is_good = match self {
            Self::Session(session) => sessions::hold(tx, session)?,
            Self::Key(secret_hash) => api_keys::hold(tx, &secret_hash)?,
        };
        if is_good { Ok(()) } else { Err(Refusal::NotSignedIn.into()) }
    }
}
