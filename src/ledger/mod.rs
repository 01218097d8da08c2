//! The only writer of entries, transfers and receipts.
//!
//! # What an entry is
//! One business event. It has a receipt (the exact bytes that anyone may keep), and transfers, each
//! one row with a debit, a credit and a positive amount: an unbalanced one cannot be written. Book
//! PASS counts passes, and a transfer there names the range of passes that moved; book EUR counts
//! cents. [`record`] writes any number of entries in three statements, however many they are.
//!
//! # Phases
//! Whoever changes passes follows the same order: lock the rows in the order of their keys, then
//! read, then decide, then write, then record. A lock wait does not refresh the snapshot of the
//! statement that waited, so what is read is read by a later statement than the one that locked.
//! The lock lives until COMMIT, and nobody is answered before.
//!
//! # Time
//! `happened_at` is when the event took place, `recorded_at` when the ledger knew. A transaction
//! reads the clock when it begins, and may then wait for a lock while another changes the pass; so
//! both lie past the last change of every pass that the entry touches ([`after`], [`record`]). Sorted by
//! (`recorded_at`, `id`), the journal therefore replays in the order in which things were decided,
//! on any number of machines whose clocks differ.
//!
//! # What is absent, on purpose
//! Balances: a row that every redemption updates would queue all counters of a region behind one
//! lock. They are summed from transfers ([`crate::db::transfers::turnovers`]). Updates and deletes: the service's role
//! has neither; a correction is a new entry that names the old one.

mod receipt;
pub mod sealer;
pub mod tree;
pub mod verify;
pub mod verify_log;

use crate::db::entries::EntryRow;
use crate::db::transfers::TransferRow;
use crate::db::{Tx, accounts, entries, series, transfers};
use crate::domain::account::{Account, AccountKind, Book};
use crate::domain::entry::EntryKind;
use crate::domain::programme::ProgrammeCode;
use crate::domain::{Amount, EntryId, OrganisationId, PassNumber, SiteId, Timestamp, UserId};
use crate::error::Result;

pub use receipt::Receipt;

/// What goes from one account to another.
#[derive(Clone, Copy, Debug)]
pub enum Moved {
    /// So many passes, from that number on.
    Passes(PassNumber, i32),
    /// Money.
    Money(Amount),
}

/// One movement: out of the credit account, into the debit account.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    /// Where to.
    pub debit: Account,
    /// Where from.
    pub credit: Account,
    /// How much of what.
    pub moved: Moved,
}

/// An event to be recorded.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What happened.
    pub kind: EntryKind,
    /// When it took place.
    pub happened_at: Timestamp,
    /// When the ledger knows of it: see [`after`].
    pub recorded_at: Timestamp,
    /// Who did it.
    pub by: UserId,
    /// The entry that this one undoes.
    pub corrects: Option<EntryId>,
    /// What the receipt says of it. No personal data: receipts are for everyone to keep.
    pub facts: serde_json::Value,
    /// What moved.
    pub transfers: Vec<Transfer>,
    /// The idempotency key that a redemption bears, and the hash of what was asked under it.
    pub request: Option<([u8; 16], [u8; 16])>,
}

impl Entry {
    /// An event of this very instant, with nothing moved yet.
    pub fn new(tx: &Tx<'_>, kind: EntryKind, by: UserId, facts: serde_json::Value) -> Self {
        let (happened_at, recorded_at) = (tx.now, tx.now);
        Self {
            kind,
            happened_at,
            recorded_at,
            by,
            corrects: None,
            facts,
            transfers: Vec::new(),
            request: None,
        }
    }

    /// The same, with passes moved.
    #[must_use]
    pub fn passes(
        mut self,
        debit: Account,
        credit: Account,
        first: PassNumber,
        count: i32,
    ) -> Self {
        self.transfers.push(Transfer { debit, credit, moved: Moved::Passes(first, count) });
        self
    }

    /// The same, with money moved.
    #[must_use]
    pub fn money(mut self, debit: Account, credit: Account, amount: Amount) -> Self {
        self.transfers.push(Transfer { debit, credit, moved: Moved::Money(amount) });
        self
    }

    /// The same, of another instant: see [`after`].
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        (self.happened_at, self.recorded_at) = (at, at);
        self
    }
}

/// The instant of a change to something last changed at `changed_at`: now, unless a transaction
/// that began later was faster, or another machine's clock is ahead; then just after it.
pub fn after(tx: &Tx<'_>, changed_at: Timestamp) -> Timestamp {
    tx.now.max(just_after(changed_at))
}

fn just_after(at: Timestamp) -> Timestamp {
    at.checked_add_signed(chrono::TimeDelta::microseconds(1)).unwrap_or(at)
}

/// The instant of a change to `count` passes from `first` on that moves none of them: past the last
/// move of their booklets.
pub fn after_last_move(tx: &mut Tx<'_>, first: PassNumber, count: i32) -> Result<Timestamp> {
    let last = transfers::last_moved(tx, first, count)?;
    Ok(last.map_or(tx.now, |last| after(tx, last)))
}

/// Puts an entry past the last move of the booklets that it moves. Single passes are left to the
/// caller, who has locked them: their rows say when they last changed.
fn past_last_move(tx: &mut Tx<'_>, entry: Entry) -> Result<Entry> {
    let mut at = entry.recorded_at;
    for transfer in &entry.transfers {
        if let Moved::Passes(first, count) = transfer.moved
            && count > 1
            && let Some(last) = transfers::last_moved(tx, first, count)?
        {
            at = at.max(just_after(last));
        }
    }
    Ok(if at == entry.recorded_at { entry } else { entry.at(at) })
}

/// Writes one entry, and returns its receipt.
pub fn record(tx: &mut Tx<'_>, code: &ProgrammeCode, entry: Entry) -> Result<Receipt> {
    let receipts = record_all(tx, code, vec![entry])?;
    Ok(receipts
        .into_iter()
        .next()
        .ok_or_else(|| anyhow::anyhow!("an entry was written without a receipt"))?)
}

/// Writes entries, in three statements and one more per series of numbers; returns their receipts,
/// in the same order.
pub fn record_all(tx: &mut Tx<'_>, code: &ProgrammeCode, new: Vec<Entry>) -> Result<Vec<Receipt>> {
    let mut receipts = Vec::with_capacity(new.len());
    let mut entry_rows = Vec::with_capacity(new.len());
    let mut transfer_rows = Vec::with_capacity(new.len().saturating_mul(2));
    for entry in new {
        let entry = past_last_move(tx, entry)?;
        let number = if entry.kind.is_numbered() {
            Some(series::next(tx, entry.kind.into())?)
        } else {
            None
        };
        let receipt = Receipt::make(code, EntryId::generate(), number, &entry)?;
        transfer_rows.extend(rows_of(receipt.id, &entry.transfers)?);
        entry_rows.push(EntryRow {
            id: receipt.id,
            kind: entry.kind,
            number,
            happened_at: entry.happened_at,
            recorded_at: entry.recorded_at,
            recorded_by: entry.by,
            corrects: entry.corrects,
            receipt: receipt.text.clone(),
            request_key: entry.request.map(|(key, _)| key.to_vec()),
            request_hash: entry.request.map(|(_, hash)| hash.to_vec()),
        });
        receipts.push(receipt);
    }
    entries::insert(tx, &entry_rows)?;
    transfers::insert(tx, &transfer_rows)?;
    Ok(receipts)
}

fn rows_of(entry_id: EntryId, transfers: &[Transfer]) -> Result<Vec<TransferRow>> {
    let numbered = transfers.iter().zip(1..);
    numbered
        .map(|(transfer, line)| {
            let (book, amount, first_pass) = match transfer.moved {
                Moved::Passes(first, count) => (Book::Pass, i64::from(count), Some(first)),
                Moved::Money(amount) => (Book::Eur, amount.cents(), None),
            };
            let line = i16::try_from(line).map_err(anyhow::Error::from)?;
            Ok(TransferRow {
                entry_id,
                line,
                book,
                debit: transfer.debit.id(),
                credit: transfer.credit.id(),
                amount,
                first_pass,
            })
        })
        .collect()
}

/// Opens the accounts that a programme has of its own.
pub fn open_programme(tx: &mut Tx<'_>) -> Result<()> {
    use strum::VariantArray;
    let own = AccountKind::VARIANTS.iter().filter(|kind| !kind.has_holder());
    accounts::open(tx, &own.map(|kind| Account::of(*kind)).collect::<Vec<_>>())
}

/// Opens the stock accounts of prescribers.
pub fn open_prescribers(tx: &mut Tx<'_>, prescribers: &[OrganisationId]) -> Result<()> {
    accounts::open(
        tx,
        &prescribers.iter().map(|prescriber| Account::stock_of(*prescriber)).collect::<Vec<_>>(),
    )
}

/// Opens the two accounts of sites: what they redeemed, and what they are owed.
pub fn open_sites(tx: &mut Tx<'_>, sites: &[SiteId]) -> Result<()> {
    let both =
        sites.iter().flat_map(|site| [Account::redeemed_at(*site), Account::payable_to(*site)]);
    accounts::open(tx, &both.collect::<Vec<_>>())
}
