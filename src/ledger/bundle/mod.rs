//! The bundle (fr: dossier de preuves): all the evidence of a programme in one file of lines, that anyone verifies
//! without the database, and from which another instance goes on. docs/bundle.md tells the format.
//!
//! A line that begins with `[` is a row, `["table",{…}]`, in the very bytes that receipts bind (see
//! [`crate::db::evidence`]); a line that begins with `{` is one of [`Object`]. Neither grows with the programme, and
//! neither writing nor reading holds more than one of them.

mod import;
mod past;
mod read;
mod samples;
mod verify;
mod worksheet;
mod write;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::db::{Tx, receipt_keys};
use crate::domain::EntryId;
use crate::error::Result;
use crate::keys::{Keys, ReceiptKey, kid_of};

pub use import::{Host, IDENTITIES, Imported, ensure_absent, import};
pub use past::{AsOf, Past};
pub use read::{Line, Reader};
pub use samples::{Committed, Samples};
pub use verify::{Trusted, Verdict, verify};
pub use worksheet::{Drawn, worksheet};
pub use write::{Annex, write};

/// What the file is, in its first line.
pub const FORMAT: &str = "souche-bundle";
/// Version of the format.
pub const VERSION: u32 = 1;
/// Longest line that is read, in bytes: a receipt has 100,000 characters at most.
pub const MAX_LINE_BYTES: u64 = 1 << 20;

/// A line that is no row. Fields are in the order of their names; `signature` comes last, so that what is signed is the line
/// without its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case", deny_unknown_fields)]
pub enum Object {
    /// The first line.
    Header(Header),
    /// An entry; its rows follow it, and the checkpoint signed once it was the last of the log.
    Entry(Entry),
    /// A head of the log, of as many leaves as stand before it.
    Checkpoint(Checkpoint),
    /// From here on, the rows that may change, as they stand.
    States {},
    /// From here on, what no receipt binds: memberships, series, ids of people.
    Unbound {},
    /// The last line.
    Manifest(Manifest),
}

/// What the file is, and the keys that its signatures are of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// When, RFC 3339.
    pub exported_at: String,
    /// [`FORMAT`].
    pub format: String,
    /// The programme's code.
    pub programme: String,
    /// Ed25519 public keys of receipts and manifest, base64, by kid.
    pub receipt_keys: BTreeMap<String, String>,
    /// [`VERSION`].
    pub version: u32,
    /// Public keys that have signed the log, the newest first.
    pub vkeys: Vec<String>,
}

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its place in the log; `None` when it is not sealed yet: such entries stand last.
    pub position: Option<u64>,
    /// The exact text.
    pub receipt: String,
    /// Ed25519 over the text's bytes by the key that it names, base64; `None` when it names none, or one not at hand.
    pub signature: Option<String>,
}

/// A signed head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The signed note.
    pub note: String,
    /// When it was signed.
    pub signed_at: String,
    /// By which key.
    pub vkey: String,
}

/// What the file comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// How many lines of each kind: rows by table, the others as `Object` names them.
    pub counts: BTreeMap<String, u64>,
    /// The key that signs.
    pub kid: String,
    /// SHA-256 of all bytes before this line, in hexadecimal.
    pub sha256: String,
    /// Ed25519 over this line without `,"signature":"…"`, base64. Empty only while it is being made.
    pub signature: String,
}

impl Object {
    /// The line, without its line feed: canonical JSON.
    pub fn to_line(&self) -> String {
        // By way of a Value, whose keys are sorted.
        serde_json::to_value(self).map(|value| value.to_string()).unwrap_or_default()
    }
}

impl Manifest {
    /// What its signature is over.
    fn signed_text(&self) -> String {
        let line = Object::Manifest(self.clone()).to_line();
        let end = format!(",\"signature\":\"{}\"}}", self.signature);
        line.strip_suffix(&end).map(|body| format!("{body}}}")).unwrap_or_default()
    }

    /// The same, signed.
    #[must_use]
    pub fn sign(mut self, key: &ReceiptKey) -> Self {
        self.signature = key.sign(&self.signed_text());
        self
    }

    /// Is it signed by that key?
    pub fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        is_signed(key, &self.signed_text(), &self.signature)
    }
}

/// What is read of a receipt to put it back.
#[derive(Deserialize)]
struct Named {
    entry: EntryId,
    kid: Option<String>,
}

/// The public halves of the keys of receipts, by their names: of those at hand, and of those that receipts of other
/// instances brought along.
pub fn public_keys(tx: &mut Tx<'_>, keys: &Keys) -> Result<BTreeMap<String, String>> {
    let own = keys
        .receipt_keys()
        .map(|key| (key.kid.to_string(), STANDARD.encode(key.verifying_key().as_bytes())));
    let foreign = receipt_keys::all(tx)?.into_iter();
    Ok(foreign.map(|(kid, key)| (kid, STANDARD.encode(key))).chain(own).collect())
}

/// Is that the signature of the text?
pub fn is_signed(key: &VerifyingKey, text: &str, signature: &str) -> bool {
    STANDARD
        .decode(signature)
        .ok()
        .and_then(|bytes| Signature::from_slice(&bytes).ok())
        .is_some_and(|signature| key.verify_strict(text.as_bytes(), &signature).is_ok())
}

/// Reads public keys by their names; a name that is not its key's is an error, in French.
pub fn read_keys(
    keys: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, VerifyingKey>, String> {
    let read = |(kid, text): (&String, &String)| {
        let bytes = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        let key = bytes.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        let key = key.filter(|key| kid_of(key).to_string() == *kid);
        key.map(|key| (kid.clone(), key)).ok_or(format!("la clé {kid} n'est pas celle qu'elle dit"))
    };
    keys.iter().map(read).collect()
}
