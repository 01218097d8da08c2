//! The only writer of entries, transfers and receipts.
//!
//! # What an entry is
//! One business event. It has a receipt (the exact bytes that anyone may keep), and transfers, each
//! one row with a debit, a credit and a positive amount: an unbalanced one cannot be written. Book
//! PASS counts passes, and a transfer there names the range of passes that moved; book EUR counts
//! cents. [`record_all`] writes any number of entries in a few statements, however many they are.
//!
//! # What a receipt binds
//! The rows that its entry wrote, and the state in which it left rows that may change: by digests, so that
//! whoever holds the receipt can tell whether they are still the same (`receipt.rs`). Therefore the rows are
//! written first, under the entry's id, and [`record`] comes last: it reads them back, and what it binds is
//! what the database holds. At the counter nothing is read back: a redemption tells its row.
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

mod bound;
pub mod bundle;
pub mod claim;
mod receipt;
mod replay;
pub mod samples;
pub mod sealer;
mod told;
pub mod tree;
pub mod verify;
pub mod verify_log;

use std::collections::{BTreeMap, BTreeSet};

use crate::db::checkpoints::Head;
use crate::db::entries::EntryRow;
use crate::db::redemptions::Redemption;
use crate::db::transfers::TransferRow;
use crate::db::{Tx, checkpoints, entries, redemptions, series, transfers};
use crate::domain::account::{Account, Book};
use crate::domain::entry::EntryKind;
use crate::domain::programme::ProgrammeCode;
use crate::domain::{Amount, EntryId, PassNumber, Timestamp, UserId};
use crate::error::Result;

pub use receipt::{Receipt, signature};
pub use told::{Told, ToldHead};

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
    /// Its id, which the rows that it writes bear.
    pub id: EntryId,
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
    /// What else its receipt binds.
    pub bound: Bound,
    /// The idempotency key that a redemption bears, and the hash of what was asked under it.
    pub request: Option<([u8; 16], [u8; 16])>,
}

/// What a receipt binds besides its entry and transfers.
#[derive(Clone, Debug, Default)]
pub struct Bound {
    /// Tables in which the entry wrote rows once and for all.
    written: BTreeSet<&'static str>,
    /// Lines of such rows, told by whoever is about to write them: at the counter nothing is read back.
    told: Vec<String>,
    /// Rows that may change: table and key.
    changed: Vec<(&'static str, i32)>,
}

impl Entry {
    /// An event of this very instant, with nothing moved yet.
    pub fn new(tx: &Tx<'_>, kind: EntryKind, by: UserId, facts: serde_json::Value) -> Self {
        let (happened_at, recorded_at) = (tx.now, tx.now);
        Self {
            id: EntryId::generate(),
            kind,
            happened_at,
            recorded_at,
            by,
            corrects: None,
            facts,
            transfers: Vec::new(),
            bound: Bound::default(),
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

    /// The same, having written rows of that table, which lead to this entry: its receipt binds them.
    #[must_use]
    pub fn wrote(mut self, table: &'static str) -> Self {
        self.bound.written.insert(table);
        self
    }

    /// The same, about to write the row of this line (see [`crate::db::evidence`]).
    #[must_use]
    pub fn writing(mut self, line: String) -> Self {
        self.bound.told.push(line);
        self
    }

    /// The same, having written a row that may change again: its receipt binds it as it now stands.
    #[must_use]
    pub fn changed(mut self, table: &'static str, key: i32) -> Self {
        self.bound.changed.push((table, key));
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

/// Puts an entry past the last move of the booklets that it moves: for whoever writes its instant elsewhere,
/// since [`record`] does it too. Single passes are left to the caller, who has locked them: their rows say
/// when they last changed.
pub fn past_last_move(tx: &mut Tx<'_>, entry: Entry) -> Result<Entry> {
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

/// Writes one entry, whose rows are written already, and returns its receipt.
pub fn record(tx: &mut Tx<'_>, code: &ProgrammeCode, entry: Entry) -> Result<Receipt> {
    let receipts = record_all(tx, code, vec![entry])?;
    Ok(receipts
        .into_iter()
        .next()
        .ok_or_else(|| anyhow::anyhow!("an entry was written without a receipt"))?)
}

/// Writes entries, whose rows are written already: in two statements, one more for the head of the log, one
/// per series of numbers, and two per table to be read back. Returns their receipts, in the same order.
pub fn record_all(tx: &mut Tx<'_>, code: &ProgrammeCode, new: Vec<Entry>) -> Result<Vec<Receipt>> {
    let head = checkpoints::last(tx)?;
    let made = Made::of(tx, code, head.as_ref(), new)?;
    entries::insert(tx, &made.entries)?;
    transfers::insert(tx, &made.transfers)?;
    Ok(made.receipts)
}

/// Writes redemptions with their entries, each of its idempotency key, and marks their passes, all in one statement;
/// `head` is a signed head of the log, not long the last. Returns their receipts, in the same order. Refused by the
/// database as a whole when a pass or a key is not as it was judged (see [`redemptions::write`]).
pub fn record_redemptions(
    tx: &mut Tx<'_>,
    code: &ProgrammeCode,
    head: Option<&Head>,
    new: Vec<Entry>,
    rows: &[Redemption],
    keys: &[&str],
) -> Result<Vec<Receipt>> {
    let made = Made::of(tx, code, head, new)?;
    redemptions::write(tx, &made.entries, &made.transfers, rows, keys)?;
    Ok(made.receipts)
}

/// What is about to be written for some entries.
struct Made {
    entries: Vec<EntryRow>,
    transfers: Vec<TransferRow>,
    receipts: Vec<Receipt>,
}

impl Made {
    fn of(
        tx: &mut Tx<'_>,
        code: &ProgrammeCode,
        head: Option<&Head>,
        new: Vec<Entry>,
    ) -> Result<Self> {
        let mut numbers = Numbers::take(tx, &new)?;
        let mut rows = Vec::with_capacity(new.len());
        let mut transfers = Vec::with_capacity(new.len());
        let mut entries = Vec::with_capacity(new.len());
        for entry in new {
            let entry = past_last_move(tx, entry)?;
            rows.push(EntryRow {
                id: entry.id,
                kind: entry.kind,
                number: numbers.next(entry.kind),
                happened_at: entry.happened_at,
                recorded_at: entry.recorded_at,
                recorded_by: entry.by,
                corrects: entry.corrects,
                receipt: String::new(),
                request_key: entry.request.map(|(key, _)| key.to_vec()),
                request_hash: entry.request.map(|(_, hash)| hash.to_vec()),
                signature: None,
            });
            transfers.push(rows_of(entry.id, &entry.transfers)?);
            entries.push(entry);
        }
        let receipts = receipt::make_all(tx, code, head, &entries, &rows, &transfers)?;
        for (row, receipt) in rows.iter_mut().zip(&receipts) {
            row.receipt.clone_from(&receipt.text);
        }
        Ok(Self { entries: rows, transfers: transfers.concat(), receipts })
    }
}

/// Numbers taken from the series of each kind: one statement for all entries of a kind.
struct Numbers(BTreeMap<&'static str, i32>);

impl Numbers {
    fn take(tx: &mut Tx<'_>, new: &[Entry]) -> Result<Self> {
        let mut wanted: BTreeMap<&'static str, i32> = BTreeMap::new();
        for entry in new.iter().filter(|entry| entry.kind.is_numbered()) {
            let n = wanted.entry(entry.kind.into()).or_default();
            *n = n.saturating_add(1);
        }
        for (name, n) in &mut wanted {
            *n = series::take(tx, name, *n)?;
        }
        Ok(Self(wanted))
    }

    fn next(&mut self, kind: EntryKind) -> Option<i32> {
        let next = self.0.get_mut(<&str>::from(kind))?;
        let number = *next;
        *next = next.saturating_add(1);
        Some(number)
    }
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
