//! What a bundle says of a past date, without the database: where every pass was, and both books. It reads, and does not
//! judge: `souche verify FILE` comes first.
//!
//! In memory: some fifty bytes per pass, and one balance per account.

use std::collections::BTreeMap;
use std::io::BufRead;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Line, Object, Reader};
use crate::domain::account::{Account, AccountKind};
use crate::domain::note::{Checkpoint, Note};
use crate::domain::statement::{
    Conservation, Counted, CustodyFrame, Frame, HeldRange, Names, SignedHead,
};
use crate::domain::{PassNumber, Timestamp};

/// A programme as it stood at a date, read from its bundle.
#[derive(Debug, Default)]
pub struct Past {
    /// The programme's code.
    pub programme: String,
    /// What the programme calls itself.
    pub programme_name: String,
    /// When the bundle was written: what is known in it was known then.
    pub exported_at: Timestamp,
    /// The last signed head.
    pub head: Option<SignedHead>,
    names: Names,
    balances: BTreeMap<Account, i64>,
    counted: Counted,
    /// Passes of each order.
    passes_of: BTreeMap<i64, i64>,
    /// By number, from 1.
    places: Vec<Place>,
    /// Entries until the date that came since the last checkpoint.
    since_head: i64,
    is_whole: bool,
}

/// Where a pass was last moved to: the last by these instants, then by the entry's id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    moved: Option<(Timestamp, Timestamp, Uuid)>,
    account: i32,
}

/// As of when.
#[derive(Clone, Copy, Debug)]
pub struct AsOf {
    /// What had happened until then; what the bundle says last when left out.
    pub as_of: Option<Timestamp>,
    /// As it was known then; when the bundle was written when left out.
    pub known_at: Option<Timestamp>,
}

/// The entry whose rows are being read.
#[derive(Clone, Copy, Default)]
struct Entry {
    id: Uuid,
    happened_at: Timestamp,
    recorded_at: Timestamp,
    /// Is it of the past that is asked for?
    has_happened: bool,
    /// And was it known?
    was_known: bool,
}

impl Past {
    /// Reads a bundle to its end.
    ///
    /// # Errors
    /// In French, when it is none, or is cut.
    pub fn read(from: impl BufRead, at: AsOf) -> Result<Self, String> {
        let mut reader = Reader::new(from);
        let Some(Line::Object(Object::Header(header))) = reader.next_line()? else {
            return Err("ligne 1 : ce n'est pas un dossier de preuves".into());
        };
        let exported_at = header
            .exported_at
            .parse()
            .map_err(|_| "ligne 1 : la date d'export est illisible".to_owned())?;
        let mut past = Self { programme: header.programme, exported_at, ..Self::default() };
        let as_of = at.as_of.unwrap_or(exported_at);
        let known_at = at.known_at.unwrap_or(exported_at);
        let mut entry = Entry::default();
        while let Some(line) = reader.next_line()? {
            match line {
                Line::Object(Object::Entry(it)) => {
                    entry = read_entry(&it.receipt, as_of, known_at).ok_or_else(|| {
                        format!("ligne {} : ce récépissé est illisible", reader.line_number())
                    })?;
                    past.since_head = past.since_head.saturating_add(entry.has_happened.into());
                }
                Line::Object(Object::Checkpoint(it)) => past.sign(&it.note),
                Line::Object(Object::Manifest(_)) => past.is_whole = true,
                Line::Object(_) => {}
                Line::Row { table, row, .. } => past.row(&table, &row, &entry),
            }
        }
        if past.is_whole {
            Ok(past)
        } else {
            Err("le manifeste manque : sa fin a été coupée".into())
        }
    }

    /// A head stands after the last of its leaves: what comes later is past it.
    fn sign(&mut self, note: &str) {
        let signed =
            note.parse::<Note>().ok().and_then(|note| note.text.parse::<Checkpoint>().ok());
        if let Some(signed) = signed {
            self.head = Some(SignedHead { size: signed.size, root: signed.root });
            self.since_head = 0;
        }
    }

    fn row(&mut self, table: &str, row: &Map<String, Value>, entry: &Entry) {
        let number = |column: &str| i32::try_from(int(row, column)).unwrap_or_default();
        let name = || row.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        match table {
            "transfers" => self.transfer(row, entry),
            "passes" => add(self.passes_of.entry(int(row, "order_number")).or_default(), 1),
            "fundings" if entry.has_happened => {
                let passes = self.passes_of.get(&int(row, "order_number")).copied();
                add(&mut self.counted.funded, passes.unwrap_or_default());
            }
            "redemptions" if entry.has_happened => add(&mut self.counted.used, 1),
            "voids" if entry.has_happened => add(&mut self.counted.used, -1),
            "organisations" => drop(self.names.organisations.insert(number("number"), name())),
            "sites" => drop(self.names.sites.insert(number("number"), name())),
            "programmes" => {
                self.counted.face_value_cents = int(row, "face_value_cents");
                self.programme_name = name();
            }
            _ => {}
        }
    }

    fn transfer(&mut self, row: &Map<String, Value>, entry: &Entry) {
        let account = |column: &str| i32::try_from(int(row, column)).ok();
        let amount = int(row, "amount");
        let (Some(debit), Some(credit)) = (account("debit"), account("credit")) else { return };
        if entry.has_happened {
            for (id, amount) in [(debit, amount), (credit, amount.saturating_neg())] {
                if let Some(account) = Account::from_id(id) {
                    add(self.balances.entry(account).or_default(), amount);
                }
            }
        }
        if row.get("book").and_then(Value::as_str) != Some("PASS") {
            return;
        }
        let moved = (entry.happened_at, entry.recorded_at, entry.id);
        let first = usize::try_from(int(row, "first_pass").saturating_sub(1)).unwrap_or(usize::MAX);
        // No transfer moves more.
        let count = usize::try_from(amount.min(1_000_000)).unwrap_or_default();
        let end = first.saturating_add(count);
        // Passes are made in the order of their numbers, whatever the date that is asked for.
        if credit == Account::of(AccountKind::Issued).id() && first == self.places.len() {
            self.places.resize(end, Place::default());
        }
        for place in self.places.get_mut(first..end).into_iter().flatten() {
            if entry.was_known && place.moved.is_none_or(|before| before < moved) {
                *place = Place { moved: Some(moved), account: debit };
            }
        }
    }

    /// The conservation statement, as the service tells it.
    pub fn conservation(&self, as_of: Timestamp) -> Conservation {
        let frame = Frame {
            programme: self.programme.clone(),
            as_of,
            head: self.head,
            entries_past_head: self.since_head,
        };
        Conservation::of(frame, &self.balances, self.counted, &self.names)
    }

    /// Under what the custody report is made.
    pub fn custody_frame(&self, as_of: Timestamp, known_at: Timestamp) -> CustodyFrame {
        CustodyFrame { programme: self.programme.clone(), as_of, known_at, head: self.head }
    }

    /// Neighbouring passes in the same account, put together, in the order of their numbers.
    pub fn ranges(&self) -> impl Iterator<Item = HeldRange> {
        let places = self
            .places
            .chunk_by(|a, b| a.account == b.account && a.moved.is_some() == b.moved.is_some());
        let mut next = 1_i32;
        places.filter_map(move |range| {
            let first = next;
            next = next.saturating_add(i32::try_from(range.len()).unwrap_or(i32::MAX));
            let account = range.first().filter(|place| place.moved.is_some())?.account;
            let account = Account::from_id(account)?;
            Some(HeldRange {
                first_pass: PassNumber::new(first),
                last_pass: PassNumber::new(next.saturating_sub(1)),
                account: account.kind(),
                holder: account.holder(),
                name: self.names.of(account),
            })
        })
    }
}

fn read_entry(receipt: &str, as_of: Timestamp, known_at: Timestamp) -> Option<Entry> {
    let said: Value = serde_json::from_str(receipt).ok()?;
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    let happened_at: Timestamp = text("happened_at")?.parse().ok()?;
    let recorded_at: Timestamp = text("recorded_at")?.parse().ok()?;
    let has_happened = happened_at <= as_of;
    let was_known = has_happened && recorded_at <= known_at;
    let id = Uuid::parse_str(text("entry")?).ok()?;
    Some(Entry { id, happened_at, recorded_at, has_happened, was_known })
}

/// An integer of a row; 0 when it has none.
fn int(row: &Map<String, Value>, column: &str) -> i64 {
    row.get(column).and_then(Value::as_i64).unwrap_or_default()
}

fn add(sum: &mut i64, n: i64) {
    *sum = sum.saturating_add(n);
}
