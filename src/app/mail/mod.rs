//! Letters (fr: courriels): written in the transaction of what they are about, sealed, and sent once it is
//! committed, by a thread that tries again until each has left. Plain text, in French.

mod letter;
mod postman;

pub use letter::Letter;
pub use postman::{Postman, Sender, deliver_due};

use crate::db::{Tx, outbox};
use crate::error::Result;
use crate::keys::Keys;

/// What a letter is sealed as.
const SEALED: &str = "letter";

/// Writes a letter, which leaves if and when the transaction is committed.
pub fn post(tx: &mut Tx<'_>, keys: &Keys, letter: &Letter) -> Result<()> {
    let plain = serde_json::to_vec(letter).map_err(anyhow::Error::from)?;
    outbox::insert(tx, &keys.seal(SEALED, &plain)?)
}
