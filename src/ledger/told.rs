//! A receipt read back, by whoever holds its bytes: what it says, and whether it says it in the one form that
//! receipts have.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::receipt::{VERSION, split};
use crate::domain::entry::EntryKind;
use crate::domain::merkle::Hash;
use crate::domain::programme::ProgrammeCode;
use crate::domain::{EntryId, Timestamp};

/// What a receipt says.
#[derive(Clone, Debug, Deserialize)]
pub struct Told {
    /// Version of its fields.
    pub version: u32,
    /// The programme's code.
    pub programme: ProgrammeCode,
    /// The entry.
    pub entry: EntryId,
    /// What it records.
    pub kind: EntryKind,
    /// Its number in the series of its kind, when it has one.
    pub number: Option<i32>,
    /// When it took place.
    pub happened_at: Timestamp,
    /// When the ledger knew.
    pub recorded_at: Timestamp,
    /// The entry that it undoes.
    pub corrects: Option<EntryId>,
    /// What its kind has to say.
    pub facts: BTreeMap<String, Value>,
    /// The last signed head of the log when it was made.
    pub head: Option<ToldHead>,
    /// The key that signs it.
    pub kid: Option<String>,
    /// What it binds.
    pub written: String,
}

/// A head of the log, as a receipt says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct ToldHead {
    /// How many leaves.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
}

impl Told {
    /// Reads a receipt. Says in French what keeps it from being one: other bytes that say the same are none.
    pub fn read(text: &str) -> Result<Self, String> {
        let value: Value =
            serde_json::from_str(text).map_err(|_| "ce n'est pas du JSON lisible".to_owned())?;
        let canonical = value.to_string();
        if canonical != text || has_floats(&value) {
            return Err("ce n'est pas du JSON canonique : une clé est déplacée, ou un signe ajouté, par exemple un blanc".into());
        }
        let told: Self = serde_json::from_value(value)
            .map_err(|error| format!("il y manque ce que dit un récépissé ({error})"))?;
        if told.version != VERSION {
            return Err(format!("sa version, {}, n'est pas connue ici", told.version));
        }
        if split(text).is_none_or(|(_, written)| !is_digest(written)) {
            return Err("il ne finit pas par une empreinte".into());
        }
        Ok(told)
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn has_floats(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_floats),
        Value::Object(fields) => fields.values().any(has_floats),
        _ => false,
    }
}
