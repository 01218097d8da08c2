//! A receipt: the exact bytes that say what happened, in canonical JSON (RFC 8785, of which we use
//! what needs no floating point: sorted keys, integers, strings). Kept as written, so that whoever
//! signs or hashes them later works on the same bytes.
//!
//! It binds what stands beside it in the database, without saying it:
//! - `written` is the SHA-256 of these lines, each with its line feed: the receipt without `written`, then
//!   the lines (see [`crate::db::evidence`]) of the entry's own row, of its transfers, and of the rows that it wrote once and for all;
//! - `state` maps `table/key@revision` to the SHA-256 of two lines: the nonce, and that of the row as the
//!   event left it.
//!
//! `written` being the last key in the order of keys, a receipt is its own first line and a tail of known length.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Entry;
use crate::db::checkpoints::Head;
use crate::db::entries::EntryRow;
use crate::db::transfers::TransferRow;
use crate::db::{Tx, evidence};
use crate::domain::entry::EntryKind;
use crate::domain::programme::ProgrammeCode;
use crate::domain::{EntryId, Timestamp};
use crate::error::Result;
use crate::keys::Keys;

/// Version of the receipt's fields, written in it.
pub(super) const VERSION: u32 = 2;

/// The receipt of one entry (fr: récépissé, reçu).
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The entry.
    pub id: EntryId,
    /// What it records.
    pub kind: EntryKind,
    /// Its number in the continuous series of its kind, when it has one.
    pub number: Option<i32>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The canonical JSON.
    pub text: String,
}

/// Makes the receipts of entries that are about to be written, with their rows; in the same order.
pub(super) fn make_all(
    tx: &mut Tx<'_>,
    code: &ProgrammeCode,
    head: Option<&Head>,
    entries: &[Entry],
    rows: &[EntryRow],
    transfers: &[Vec<TransferRow>],
) -> Result<Vec<Receipt>> {
    let states = States::read(tx, entries)?;
    let (kid, head) = (tx.kid.map(|kid| kid.to_string()), said(head));
    // One call of the system for all.
    let mut nonces = vec![[0_u8; 16]; entries.len()];
    getrandom::fill(nonces.as_flattened_mut())
        .map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    let mut drafts = Vec::with_capacity(entries.len());
    for (((entry, row), transfers), nonce) in entries.iter().zip(rows).zip(transfers).zip(nonces) {
        let mut draft = Draft::of(code, entry, row.number, nonce, kid.as_deref(), &head, &states)?;
        draft.seal.line(&row.line());
        for transfer in transfers {
            draft.seal.line(&transfer.line());
        }
        for line in &entry.bound.told {
            draft.seal.line(line);
        }
        drafts.push(draft);
    }
    read_back(tx, entries, &mut drafts)?;
    let made = entries.iter().zip(rows).zip(drafts).map(|((entry, row), draft)| Receipt {
        id: entry.id,
        kind: entry.kind,
        number: row.number,
        recorded_at: entry.recorded_at,
        text: draft.finish(),
    });
    Ok(made.collect())
}

/// A head of the log as a receipt says it: whoever keeps the receipt keeps a witness of the log.
fn said(head: Option<&Head>) -> Value {
    head.map_or(Value::Null, |head| json!({ "size": head.size, "root": head.root }))
}

/// What a receipt says, but for its seal. In the order of the names: a sorted map would cost more.
#[derive(Serialize)]
struct Body<'a> {
    corrects: Option<String>,
    entry: String,
    facts: &'a Value,
    happened_at: String,
    head: &'a Value,
    kid: Option<&'a str>,
    kind: EntryKind,
    nonce: String,
    number: Option<i32>,
    programme: &'a str,
    recorded_at: String,
    state: BTreeMap<String, String>,
    version: u32,
}

/// A receipt in the making: its first line, and the digest that follows.
struct Draft {
    body: String,
    seal: Seal,
}

impl Draft {
    /// Writes what the receipt says. The nonce keeps its digests from being guessed from their rows.
    fn of(
        code: &ProgrammeCode,
        entry: &Entry,
        number: Option<i32>,
        nonce: [u8; 16],
        kid: Option<&str>,
        head: &Value,
        states: &States,
    ) -> Result<Self> {
        let nonce = format!("{:032x}", u128::from_be_bytes(nonce));
        let body = Body {
            corrects: entry.corrects.map(|id| id.to_string()),
            entry: entry.id.to_string(),
            facts: &entry.facts,
            happened_at: instant(entry.happened_at),
            head,
            kid,
            kind: entry.kind,
            number,
            programme: code.as_str(),
            recorded_at: instant(entry.recorded_at),
            state: states.of(entry, &nonce)?,
            version: VERSION,
            nonce,
        };
        let body = serde_json::to_string(&body).map_err(anyhow::Error::from)?;
        let mut seal = Seal::default();
        seal.line(&body);
        Ok(Self { body, seal })
    }

    fn finish(self) -> String {
        let Self { mut body, seal } = self;
        body.pop();
        body + &tail(&seal.finish())
    }
}

/// The end of a receipt, after its other fields.
fn tail(written: &str) -> String {
    format!(",\"written\":\"{written}\"}}")
}

/// Takes a receipt apart: its first line as it was sealed, and `written`. `None` if it has not that form.
pub(super) fn split(text: &str) -> Option<(String, &str)> {
    let at = text.len().checked_sub(tail(&"0".repeat(64)).len())?;
    let (body, end) = text.split_at_checked(at)?;
    let written = end.strip_prefix(",\"written\":\"")?.strip_suffix("\"}")?;
    Some((format!("{body}}}"), written))
}

/// The key that a receipt names, and its signature (base64): made now, since Ed25519 gives the same each time; where that
/// key is not here, the one that the receipt brought along from another instance. `None` when there is neither.
pub fn signature(
    keys: &Keys,
    receipt: &str,
    brought_along: Option<&[u8]>,
) -> Option<(String, String)> {
    #[derive(Deserialize)]
    struct Named {
        kid: String,
    }
    let Named { kid } = serde_json::from_str(receipt).ok()?;
    let made = keys.sign_receipt(&kid, receipt);
    let signature = made.or_else(|| brought_along.map(|bytes| STANDARD.encode(bytes)))?;
    Some((kid, signature))
}

/// The rows that may change and that these entries changed, as they now stand.
struct States(BTreeMap<(&'static str, i32), (i32, String)>);

impl States {
    /// One query per table.
    fn read(tx: &mut Tx<'_>, entries: &[Entry]) -> Result<Self> {
        let mut wanted: BTreeMap<&'static str, Vec<i32>> = BTreeMap::new();
        for (table, key) in entries.iter().flat_map(|entry| &entry.bound.changed) {
            wanted.entry(table).or_default().push(*key);
        }
        let mut states = BTreeMap::new();
        for (table, keys) in wanted {
            for row in evidence::changing(tx, table, &keys)? {
                states.insert((table, row.key), (row.revision, row.line));
            }
        }
        Ok(Self(states))
    }

    /// The field `state` of an entry's receipt.
    fn of(&self, entry: &Entry, nonce: &str) -> Result<BTreeMap<String, String>> {
        let bound = entry.bound.changed.iter().map(|(table, key)| {
            let (revision, line) = self
                .0
                .get(&(*table, *key))
                .ok_or_else(|| anyhow::anyhow!("{table}/{key} was to be bound and is not there"))?;
            Ok((format!("{table}/{key}@{revision}"), state(nonce, line)))
        });
        bound.collect()
    }
}

/// The digest of a row that may change.
pub(super) fn state(nonce: &str, line: &str) -> String {
    let mut seal = Seal::default();
    seal.line(nonce);
    seal.line(line);
    seal.finish()
}

/// Adds the rows that entries wrote, table by table: two queries each, however many entries.
fn read_back(tx: &mut Tx<'_>, entries: &[Entry], drafts: &mut [Draft]) -> Result<()> {
    let ids = entries.iter().map(|entry| entry.id);
    let mut seals: BTreeMap<EntryId, &mut Seal> =
        ids.zip(drafts.iter_mut().map(|draft| &mut draft.seal)).collect();
    for table in evidence::tables() {
        let wrote = entries.iter().filter(|entry| entry.bound.written.contains(table));
        let wrote: Vec<EntryId> = wrote.map(|entry| entry.id).collect();
        if wrote.is_empty() {
            continue;
        }
        evidence::each_written_in(tx, table, &wrote, |entry, line| {
            if let Some(seal) = seals.get_mut(&entry) {
                seal.line(line);
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// A SHA-256 over lines, each with its line feed.
#[derive(Clone, Default)]
pub(super) struct Seal(Sha256);

impl Seal {
    /// Adds a line.
    pub(super) fn line(&mut self, line: &str) {
        self.0.update(line.as_bytes());
        self.0.update(b"\n");
    }

    /// 64 hexadecimal digits.
    pub(super) fn finish(self) -> String {
        hex(self.0.finalize().into())
    }
}

/// A digest as 64 hexadecimal digits.
pub(super) fn hex(digest: [u8; 32]) -> String {
    let half = |half: Option<&[u8; 16]>| u128::from_be_bytes(half.copied().unwrap_or_default());
    format!("{:032x}{:032x}", half(digest.first_chunk()), half(digest.last_chunk()))
}

/// An instant as receipts write it: RFC 3339, UTC, six decimals.
fn instant(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::UserId;
    use crate::domain::date::parse_instant;

    fn entry() -> Entry {
        let at = parse_instant("2026-11-22T08:00:00.5Z").unwrap();
        Entry {
            id: EntryId::generate(),
            kind: EntryKind::Mint,
            happened_at: at,
            recorded_at: at,
            by: UserId::generate(),
            corrects: None,
            facts: json!({"zebra": 1, "alpha": "é\u{1}"}),
            transfers: Vec::new(),
            bound: super::super::Bound::default(),
            request: None,
        }
    }

    fn receipt(entry: &Entry) -> String {
        let code = ProgrammeCode::try_from("HDF".to_owned()).unwrap();
        let states = States(BTreeMap::new());
        Draft::of(&code, entry, Some(3), [7; 16], None, &Value::Null, &states).unwrap().finish()
    }

    #[test]
    fn a_receipt_is_canonical_json() {
        let text = receipt(&entry());
        let keys: Vec<usize> = [
            "\"corrects\"",
            "\"entry\"",
            "\"facts\":{\"alpha\":\"é\\u0001\",\"zebra\":1}",
            "\"happened_at\":\"2026-11-22T08:00:00.500000Z\"",
            "\"head\":null",
            "\"kid\":null",
            "\"kind\"",
            "\"nonce\"",
            "\"number\":3",
            "\"programme\"",
            "\"recorded_at\"",
            "\"state\":{}",
            "\"version\":2",
            "\"written\"",
        ]
        .iter()
        .map(|key| text.find(key).unwrap_or_else(|| panic!("{key} is not in {text}")))
        .collect();
        assert!(keys.is_sorted(), "{text}");
        assert!(!text.contains([' ', '\n']));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap().to_string(), text);
    }

    #[test]
    fn a_receipt_is_sealed_by_its_last_field() {
        let text = receipt(&entry());
        let (body, written) = split(&text).unwrap();
        let mut seal = Seal::default();
        seal.line(&body);
        assert_eq!(seal.finish(), written);
        for other in ["", "{}", "é", &"é".repeat(60), &text.replace("written", "writtem")] {
            assert_eq!(split(other), None, "{other}");
        }
    }
}
