//! Receipts against rows: does every receipt say what its entry says, and is every row of evidence the one
//! that a receipt binds? One pass over all rows, in the order of their entries. What is kept in memory grows
//! with sites, organisations and orders, not with passes.

use std::collections::BTreeMap;

use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;
use serde_json::{Value, json};

use super::receipt::{self, Seal, VERSION};
use super::verify::Check;
use crate::db::evidence::{self, ChangingRow, WrittenRow};
use crate::db::{Tx, audit, receipt_keys};
use crate::domain::EntryId;
use crate::error::Result;
use crate::keys::kid_of;

/// Most tables named for an entry that is broken.
const MAX_NAMED: usize = 6;

/// The checks of receipts.
pub(super) fn checks(tx: &mut Tx<'_>) -> Result<Vec<Check>> {
    let mut audit = Audit::new(audit::programme_code(tx)?);
    for (kid, key) in receipt_keys::all(tx)? {
        let key = key.as_slice().try_into().ok().and_then(|key| VerifyingKey::from_bytes(key).ok());
        audit.foreign.insert(kid.clone(), key.filter(|key| kid_of(key).to_string() == kid));
    }
    evidence::each_written(tx, |row| {
        audit.written(&row);
        Ok(())
    })?;
    audit.close();
    evidence::each_changing(tx, |table, row| {
        audit.changing(table, &row);
        Ok(())
    })?;
    let brought_along = std::mem::take(&mut audit.brought_along).check(
        "signatures_brought_along_are_true",
        "Chaque récépissé venu d'une autre instance garde la signature de la clé qu'il nomme, et aucun autre",
    );
    Ok(audit.checks().into_iter().chain([brought_along]).collect())
}

/// What breaks a rule: how many, and the first by name.
#[derive(Debug, Default)]
pub(super) struct Broken {
    n: i64,
    first: Option<String>,
}

impl Broken {
    pub(super) fn count(&mut self, name: impl FnOnce() -> String) {
        self.n = self.n.saturating_add(1);
        self.first.get_or_insert_with(name);
    }

    pub(super) fn check(self, code: &'static str, rule: &'static str) -> Check {
        Check { code, rule, holds: self.n == 0, difference: self.n, first: self.first }
    }
}

/// Rows in the order of their entries, those of an entry after its receipt; then the rows that may change.
#[derive(Default)]
pub(super) struct Audit {
    programme: String,
    /// Place in the log of the entry to come, where the rows come with it.
    leaf: Option<u64>,
    open: Option<Open>,
    /// Rows that may change, by `table/key`.
    states: BTreeMap<String, Bound>,
    /// Keys of other instances, by their names; nothing where one is not what it says.
    foreign: BTreeMap<String, Option<VerifyingKey>>,
    brought_along: Broken,
    says: Broken,
    binds: Broken,
    unbound: Broken,
    state: Broken,
}

/// An entry whose rows are being read.
struct Open {
    id: Option<EntryId>,
    name: String,
    seal: Seal,
    /// What its receipt says that the seal is; nothing when it is no receipt.
    written: Option<String>,
    /// Keys of its rows, first and last, by table.
    rows: Vec<(&'static str, String, String)>,
}

/// The last state of a row that may change, as a receipt binds it, and how many receipts bind one.
struct Bound {
    revision: i32,
    receipts: i32,
    nonce: String,
    digest: String,
}

/// What is read of a receipt. Other fields are bound by its seal.
#[derive(Deserialize)]
struct Said {
    version: u32,
    programme: String,
    entry: Value,
    kind: Value,
    number: Value,
    happened_at: Value,
    recorded_at: Value,
    corrects: Value,
    facts: Value,
    kid: Option<String>,
    nonce: String,
    state: BTreeMap<String, String>,
}

impl Audit {
    pub(super) fn new(programme: String) -> Self {
        Self { programme, ..Self::default() }
    }

    /// The next entry is that leaf of the log: it is named by it too.
    pub(super) fn at_leaf(&mut self, leaf: Option<u64>) {
        self.leaf = leaf;
    }

    pub(super) fn written(&mut self, row: &WrittenRow) {
        if let Some(receipt) = &row.receipt {
            self.close();
            let open = self.entry(row, receipt);
            self.open = Some(open);
        } else if let Some(open) =
            self.open.as_mut().filter(|open| open.id.is_some() && open.id == row.entry_id)
        {
            open.seal.line(&row.line);
            open.names(row);
        } else {
            // It leads to an entry that is not there, or to none.
            let entry = row.entry_id.map(|id| format!(" (entries/{id})")).unwrap_or_default();
            self.unbound.count(|| format!("{}/{}{entry}", row.table(), key(row)));
        }
    }

    /// Opens an entry: its receipt says what its columns say, and binds states.
    fn entry(&mut self, row: &WrittenRow, text: &str) -> Open {
        let said: Option<Said> = serde_json::from_str(text).ok();
        let mut name = name(row, said.as_ref());
        if let Some(leaf) = self.leaf {
            name = format!("feuille {leaf}, {name}");
        }
        let agrees = said.as_ref().is_some_and(|said| {
            said.version == VERSION
                && said.programme == self.programme
                && row.said.as_ref() == Some(&columns(said))
        });
        if !agrees {
            self.says.count(|| name.clone());
        }
        let kid = said.as_ref().and_then(|said| said.kid.as_ref());
        let is_true = match (kid.and_then(|kid| self.foreign.get(kid)), &row.signature) {
            (None, None) => true,
            (Some(Some(key)), Some(signature)) => Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(text.as_bytes(), &signature).is_ok()),
            _ => false,
        };
        if !is_true {
            self.brought_along.count(|| name.clone());
        }
        for (row, digest) in said.iter().flat_map(|said| &said.state) {
            if let Some((table_and_key, revision)) = row.split_once('@') {
                let nonce = said.as_ref().map(|said| said.nonce.clone()).unwrap_or_default();
                let revision = revision.parse().unwrap_or_default();
                self.bind(table_and_key, revision, nonce, digest);
            }
        }
        let mut open =
            Open { id: row.entry_id, name, seal: Seal::default(), written: None, rows: Vec::new() };
        if let Some((body, written)) = receipt::split(text) {
            open.seal.line(&body);
            open.written = Some(written.to_owned());
        }
        open.seal.line(&row.line);
        open
    }

    fn bind(&mut self, row: &str, revision: i32, nonce: String, digest: &str) {
        let digest = digest.to_owned();
        match self.states.get_mut(row) {
            Some(bound) => {
                bound.receipts = bound.receipts.saturating_add(1);
                if revision > bound.revision {
                    (bound.revision, bound.nonce, bound.digest) = (revision, nonce, digest);
                }
            }
            None => {
                self.states.insert(row.to_owned(), Bound { revision, receipts: 1, nonce, digest });
            }
        }
    }

    /// Every row of the open entry was read: its seal is whole.
    pub(super) fn close(&mut self) {
        if let Some(open) = self.open.take()
            && open.written.as_deref() != Some(open.seal.clone().finish().as_str())
        {
            self.binds.count(|| open.shown());
        }
    }

    /// A row that may change is as the last receipt that binds it says, and every one before is there.
    pub(super) fn changing(&mut self, table: &str, row: &ChangingRow) {
        let name = format!("{table}/{}", row.key);
        match self.states.remove(&name) {
            None => self.unbound.count(|| name),
            Some(bound) => {
                let is_last = bound.revision == row.revision && bound.receipts == row.revision;
                if !is_last || bound.digest != receipt::state(&bound.nonce, &row.line) {
                    self.state.count(|| name);
                }
            }
        }
    }

    pub(super) fn checks(mut self) -> [Check; 4] {
        // What is left was bound, and is not there.
        for name in std::mem::take(&mut self.states).into_keys() {
            self.state.count(|| name);
        }
        [
            self.says.check(
                "receipt_says_its_entry",
                "Chaque récépissé dit la même chose que son écriture",
            ),
            self.binds.check(
                "receipt_binds_its_rows",
                "Chaque écriture, ses mouvements et ses lignes sont ceux que son récépissé scelle",
            ),
            self.unbound.check("row_is_bound", "Aucune ligne n'est sans récépissé"),
            self.state.check(
                "state_is_as_bound",
                "Chaque ligne qui peut changer est telle que son dernier récépissé la scelle",
            ),
        ]
    }
}

impl Open {
    fn names(&mut self, row: &WrittenRow) {
        let key = key(row);
        match self.rows.last_mut().filter(|(table, ..)| *table == row.table()) {
            Some((_, _, last)) => *last = key,
            None => self.rows.push((row.table(), key.clone(), key)),
        }
    }

    /// As `entries/0193…, redemption 0000006-1 (transfers/1…2, redemptions/6-1)`.
    fn shown(&self) -> String {
        let rows = self.rows.iter().take(MAX_NAMED).map(|(table, first, last)| {
            if first == last {
                format!("{table}/{first}")
            } else {
                format!("{table}/{first}…{last}")
            }
        });
        let rows: Vec<String> = rows.collect();
        if rows.is_empty() {
            self.name.clone()
        } else {
            format!("{} ({})", self.name, rows.join(", "))
        }
    }
}

fn key(row: &WrittenRow) -> String {
    if row.subkey == 0 { row.key.to_string() } else { format!("{}-{}", row.key, row.subkey) }
}

/// An entry by its id, and by the name that its receipt gives it: kind and number, or redemption.
fn name(row: &WrittenRow, said: Option<&Said>) -> String {
    let id = row.entry_id.map(|id| id.to_string()).unwrap_or_default();
    let Some(said) = said else {
        return format!("entries/{id}");
    };
    let kind = said.kind.as_str().unwrap_or("?");
    match (said.number.as_i64(), said.facts.get("redemption").and_then(Value::as_str)) {
        (Some(number), _) => format!("entries/{id}, {kind} {number}"),
        (None, Some(redemption)) => format!("entries/{id}, {kind} {redemption}"),
        (None, None) => format!("entries/{id}, {kind}"),
    }
}

/// What the columns of a receipt's entry must say, when there is only the receipt to go by; `None` when it is not in
/// its canonical form.
pub(super) fn said(receipt: &str) -> Option<String> {
    let value: Value = serde_json::from_str(receipt).ok()?;
    let canonical = value.to_string();
    let said: Said = serde_json::from_value(value).ok()?;
    (canonical == receipt).then(|| columns(&said))
}

/// What a receipt says that its entry's columns say too, written as [`evidence`] writes them.
fn columns(said: &Said) -> String {
    json!({
        "corrects": said.corrects, "happened_at": said.happened_at, "id": said.entry, "kind": said.kind,
        "number": said.number, "recorded_at": said.recorded_at,
    })
    .to_string()
}
