//! The receipt of a write, as every operation that records one answers it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::entry::EntryKind;
use crate::domain::{EntryId, Timestamp};
use crate::ledger::Receipt;

/// A receipt (fr: récépissé).
#[derive(Serialize, ToSchema)]
pub(super) struct ReceiptView {
    /// The entry of the journal.
    entry: EntryId,
    /// What it records.
    kind: EntryKind,
    /// Its number in the continuous series of its kind; null for redemptions and voids, named by pass and cycle.
    number: Option<i32>,
    /// When the ledger knew.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// The receipt itself, as canonical JSON in a string: keep it as it is.
    receipt: String,
}

impl From<Receipt> for ReceiptView {
    fn from(receipt: Receipt) -> Self {
        Self {
            entry: receipt.id,
            kind: receipt.kind,
            number: receipt.number,
            recorded_at: receipt.recorded_at,
            receipt: receipt.text,
        }
    }
}
