//! A receipt: the exact bytes that say what happened, in canonical JSON (RFC 8785, of which we use
//! what needs no floating point: sorted keys, integers, strings). Kept as written, so that whoever
//! signs or hashes them later works on the same bytes.

use chrono::SecondsFormat;
use serde_json::json;

use super::Entry;
use crate::domain::entry::EntryKind;
use crate::domain::programme::ProgrammeCode;
use crate::domain::{EntryId, Timestamp};
use crate::error::Result;

/// Version of the receipt's fields, written in it.
const VERSION: u32 = 1;

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

impl Receipt {
    /// Writes the receipt of an entry. The nonce keeps its hash from being guessed from its fields.
    pub(super) fn make(
        code: &ProgrammeCode,
        id: EntryId,
        number: Option<i32>,
        entry: &Entry,
    ) -> Result<Self> {
        let mut nonce = [0_u8; 16];
        getrandom::fill(&mut nonce).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        let kind: &str = entry.kind.into();
        // serde_json sorts the keys of a Value.
        let text = json!({
            "version": VERSION,
            "programme": code.as_str(),
            "entry": id.to_string(),
            "kind": kind,
            "number": number,
            "happened_at": instant(entry.happened_at),
            "recorded_at": instant(entry.recorded_at),
            "corrects": entry.corrects.map(|id| id.to_string()),
            "facts": entry.facts,
            "nonce": format!("{:032x}", u128::from_be_bytes(nonce)),
        })
        .to_string();
        Ok(Self { id, kind: entry.kind, number, recorded_at: entry.recorded_at, text })
    }
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

    #[test]
    fn a_receipt_is_canonical_json() {
        let at = parse_instant("2026-11-22T08:00:00.5Z").unwrap();
        let facts = json!({"zebra": 1, "alpha": "é\u{1}"});
        let entry = Entry {
            kind: EntryKind::Mint,
            happened_at: at,
            recorded_at: at,
            by: UserId::generate(),
            corrects: None,
            facts,
            transfers: Vec::new(),
            request: None,
        };
        let code = ProgrammeCode::try_from("HDF".to_owned()).unwrap();
        let receipt = Receipt::make(&code, EntryId::generate(), Some(3), &entry).unwrap();
        let keys: Vec<usize> = [
            "\"corrects\"",
            "\"entry\"",
            "\"facts\":{\"alpha\":\"é\\u0001\",\"zebra\":1}",
            "\"happened_at\":\"2026-11-22T08:00:00.500000Z\"",
            "\"kind\"",
            "\"nonce\"",
            "\"number\":3",
            "\"programme\"",
            "\"recorded_at\"",
            "\"version\":1",
        ]
        .iter()
        .map(|key| {
            receipt.text.find(key).unwrap_or_else(|| panic!("{key} is not in {}", receipt.text))
        })
        .collect();
        assert!(keys.is_sorted(), "{}", receipt.text);
        assert!(!receipt.text.contains([' ', '\n']));
    }
}
