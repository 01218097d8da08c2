//! A programme goes on in another instance: its bundle is put back, in one transaction, as it was: the same entries, the
//! same receipts byte for byte, the same leaves and heads; under a number of this instance's own.
//!
//! The file was verified whole before ([`super::verify()`]); here it is read once more, by parts: first the rows that others
//! name, then the journal. What is held at once is a batch of rows, and what grows with sites, organisations and orders,
//! not with passes. Before the transaction may be committed, every rule is held against what the database has, by the
//! live `verify`; so a file that changed between the two readings imports nothing either.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read, Seek, SeekFrom};

use anyhow::{Context, anyhow};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{Entry, Header, Line, Named, Object, Reader, Verdict, read_keys};
use crate::db::checkpoints::Head;
use crate::db::entries::Restored;
use crate::db::leaves::NewLeaf;
use crate::db::restore::{Restorer, STANDING, WRITTEN_IN_ORDER, defer, derive};
use crate::db::{Tx, checkpoints, leaves, logs, programmes, receipt_keys};
use crate::domain::date::parse_instant;
use crate::domain::merkle::{Frontier, Hash};
use crate::domain::programme::ProgrammeCode;
use crate::domain::{EntryId, ProgrammeId, Refusal, UserId};
use crate::error::{Error, Result};
use crate::keys::kid_of;
use crate::ledger::{sealer, verify};

/// Rows held at once.
const BATCH: usize = 5_000;
/// What the file is buffered by, in bytes.
const BUFFER: usize = 1 << 20;
/// The table whose lines are parts of encrypted identities, in no database.
pub const IDENTITIES: &str = "identities";

/// What the importing instance brings to it.
#[derive(Clone, Debug)]
pub struct Host {
    /// Names of the receipt keys at hand: what they sign needs no signature kept.
    pub kids: BTreeSet<String>,
    /// The hash of a password that nobody knows: for accounts of which only an id comes along.
    pub nobodys_password_hash: &'static str,
}

/// What was put back.
#[derive(Clone, Copy, Debug)]
pub struct Imported {
    /// The programme's number here.
    pub programme: ProgrammeId,
    /// Where in the file encrypted identities begin, if there are any.
    pub identities_at: Option<u64>,
}

/// Puts a verified bundle back into a new programme, which the transaction enters. To be committed only when this is `Ok`.
///
/// # Errors
/// When the instance has a programme of that code; when a table has other columns here; when a rule does not hold of what
/// was written, named in French.
pub fn import(
    tx: &mut Tx<'_>,
    mut from: impl Read + Seek,
    verdict: &Verdict,
    host: &Host,
) -> Result<Imported> {
    let programme = programmes::next_id(tx)?;
    tx.enter(programme)?;
    defer(tx)?;
    let mut import = Import::new(tx, host)?;
    from.seek(SeekFrom::Start(verdict.states_at)).map_err(anyhow::Error::from)?;
    let identities_at = import.standing(tx, &mut from)?;
    from.rewind().map_err(anyhow::Error::from)?;
    import.journal(tx, &mut from)?;
    let root = import.frontier.root();
    if (import.frontier.size(), root) != (verdict.entries.1, verdict.root) {
        return Err(anyhow!("l'arbre du dossier n'est plus celui qui a été vérifié").into());
    }
    derive(tx)?;
    logs::open(tx)?;
    ensure_every_rule_holds(tx)?;
    let identities_at = identities_at.map(|offset| offset.saturating_add(verdict.states_at));
    Ok(Imported { programme, identities_at })
}

/// Refuses early what [`import`] would refuse late.
pub fn ensure_absent(tx: &mut Tx<'_>, programme: &str) -> Result<()> {
    let code = ProgrammeCode::try_from(programme.to_owned()).map_err(anyhow::Error::msg)?;
    match programmes::enter(tx, &code) {
        Ok(()) => Err(Refusal::Duplicate { what: format!("Le dispositif {code}") }.into()),
        Err(Error::Refused(Refusal::NotFound { .. })) => Ok(()),
        Err(error) => Err(error),
    }
}

fn ensure_every_rule_holds(tx: &mut Tx<'_>) -> Result<()> {
    let broken = verify::verify(tx)?.into_iter().find(|check| !check.holds);
    match broken {
        None => Ok(()),
        Some(check) => Err(anyhow!(
            "une fois importé, une règle ne serait pas respectée, rien n'est écrit : {} ({}) — premier : {}",
            check.rule,
            check.code,
            check.first.unwrap_or_else(|| check.difference.to_string())
        )
        .into()),
    }
}

/// Where the import stands.
struct Import<'h> {
    host: &'h Host,
    /// Names of keys of other instances that are known already: what they sign keeps its signature, as it did before.
    foreign: BTreeSet<String>,
    restorer: Restorer,
    frontier: Frontier,
    people: BTreeSet<UserId>,
    batch: Batch,
}

/// Rows that wait to be written, all of them at once.
#[derive(Default)]
struct Batch {
    rows: usize,
    people: Vec<UserId>,
    entries: Vec<Restored>,
    leaves: Vec<NewLeaf>,
    heads: Vec<Head>,
    written: BTreeMap<String, (Vec<EntryId>, Vec<String>)>,
}

type Row = Map<String, Value>;

impl<'h> Import<'h> {
    fn new(tx: &mut Tx<'_>, host: &'h Host) -> Result<Self> {
        let foreign = receipt_keys::all(tx)?.into_iter().map(|(kid, _)| kid);
        Ok(Self {
            host,
            foreign: foreign.collect(),
            restorer: Restorer::new(tx)?,
            frontier: Frontier::new(),
            people: BTreeSet::new(),
            batch: Batch::default(),
        })
    }

    /// The rows that may change, and what no receipt binds: what the journal's rows name. Returns where encrypted
    /// identities begin, counted from here.
    fn standing(&mut self, tx: &mut Tx<'_>, from: impl Read) -> Result<Option<u64>> {
        let mut reader = Reader::new(BufReader::with_capacity(BUFFER, from));
        let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut people = Vec::new();
        let mut identities_at = None;
        loop {
            let at = reader.offset();
            match reader.next_line().map_err(anyhow::Error::msg)? {
                Some(Line::Row { table, .. }) if table == IDENTITIES => {
                    identities_at = Some(at);
                    break;
                }
                Some(Line::Row { table, row, text }) => {
                    self.restorer.ensure_fits(&table, &row).map_err(anyhow::Error::msg)?;
                    for column in PEOPLE {
                        people.extend(person(&row, column).filter(|it| self.people.insert(*it)));
                    }
                    if table == "users" {
                        people.extend(person(&row, "id").filter(|it| self.people.insert(*it)));
                    } else {
                        lines.entry(table).or_default().push(text);
                    }
                }
                Some(Line::Object(Object::Unbound {})) => {}
                Some(Line::Object(_)) | None => break,
            }
        }
        Restorer::people(tx, &people, self.host.nobodys_password_hash)?;
        for table in STANDING {
            if let Some(lines) = lines.remove(table) {
                self.restorer.standing(tx, table, &lines)?;
            }
        }
        match lines.into_keys().next() {
            None => Ok(identities_at),
            Some(table) => Err(anyhow!("{table} n'est pas à sa place dans ce dossier").into()),
        }
    }

    /// The journal, in the order of the log.
    fn journal(&mut self, tx: &mut Tx<'_>, from: impl Read) -> Result<()> {
        let mut reader = Reader::new(BufReader::with_capacity(BUFFER, from));
        let mut open: Option<Open> = None;
        while let Some(line) = reader.next_line().map_err(anyhow::Error::msg)? {
            match line {
                Line::Object(Object::Header(header)) => self.learn(tx, &header)?,
                Line::Object(Object::Entry(entry)) => {
                    if self.batch.rows >= BATCH {
                        self.flush(tx)?;
                    }
                    open = Some(self.entry(entry)?);
                }
                Line::Object(Object::Checkpoint(checkpoint)) => {
                    let signed_at =
                        parse_instant(&checkpoint.signed_at).map_err(anyhow::Error::msg)?;
                    self.batch.heads.push(Head {
                        size: self.frontier.size(),
                        root: self.frontier.root(),
                        vkey: checkpoint.vkey,
                        note: checkpoint.note,
                        signed_at,
                    });
                }
                Line::Row { table, row, text } => {
                    self.restorer.ensure_fits(&table, &row).map_err(anyhow::Error::msg)?;
                    let open = open.as_mut().context("une ligne sans écriture")?;
                    self.row(open, table, &row, text);
                }
                Line::Object(_) => break,
            }
            // Within an entry of many rows: never within one of few, whose rows are written together.
            if self.batch.rows >= 2 * BATCH {
                self.flush(tx)?;
            }
        }
        self.flush(tx)
    }

    /// Keeps the public keys of receipts that are not at hand.
    fn learn(&self, tx: &mut Tx<'_>, header: &Header) -> Result<()> {
        let keys = read_keys(&header.receipt_keys).map_err(anyhow::Error::msg)?;
        let foreign = keys.iter().filter(|(kid, _)| !self.host.kids.contains(*kid));
        let foreign: Vec<_> = foreign.map(|(_, key)| (kid_of(key), *key.as_bytes())).collect();
        if foreign.is_empty() { Ok(()) } else { receipt_keys::learn(tx, &foreign) }
    }

    /// A receipt: it is a leaf, unless it waits to be sealed.
    fn entry(&mut self, entry: Entry) -> Result<Open> {
        let named: Named = serde_json::from_str(&entry.receipt).map_err(anyhow::Error::from)?;
        if entry.position.is_some() {
            let hash = Hash::of_leaf(entry.receipt.as_bytes());
            let subtree_roots = sealer::grow(&mut self.frontier, hash);
            self.batch.leaves.push(NewLeaf { entry: named.entry, hash, subtree_roots });
        }
        let is_at_hand = named
            .kid
            .is_none_or(|kid| self.host.kids.contains(&kid) && !self.foreign.contains(&kid));
        let signature = entry.signature.filter(|_| !is_at_hand);
        let signature = signature.map(|text| STANDARD.decode(text)).transpose();
        Ok(Open {
            id: named.entry,
            own: Some((entry.receipt, signature.map_err(anyhow::Error::from)?)),
        })
    }

    fn row(&mut self, open: &mut Open, table: String, row: &Row, text: String) {
        self.batch.rows = self.batch.rows.saturating_add(1);
        if let Some((receipt, signature)) = open.own.take_if(|_| table == "entries") {
            let by = person(row, "recorded_by").filter(|by| self.people.insert(*by));
            self.batch.people.extend(by);
            self.batch.entries.push(Restored { line: text, redemption: None, receipt, signature });
        } else if let Some(entry) = self.batch.entries.last_mut().filter(|entry| {
            table == "redemptions" && open.own.is_none() && entry.redemption.is_none()
        }) {
            entry.redemption = Some(text);
        } else {
            let (entries, lines) = self.batch.written.entry(table).or_default();
            entries.push(open.id);
            lines.push(text);
        }
    }

    fn flush(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let mut batch = std::mem::take(&mut self.batch);
        Restorer::people(tx, &batch.people, self.host.nobodys_password_hash)?;
        self.restorer.entries(tx, &batch.entries)?;
        let leaves = u64::try_from(batch.leaves.len()).unwrap_or(u64::MAX);
        leaves::insert(tx, self.frontier.size().saturating_sub(leaves), &batch.leaves)?;
        for head in &batch.heads {
            checkpoints::insert(tx, head)?;
        }
        for table in WRITTEN_IN_ORDER {
            if let Some((entries, lines)) = batch.written.remove(table) {
                self.restorer.written(tx, table, &entries, &lines)?;
            }
        }
        match batch.written.into_keys().next() {
            None => Ok(()),
            Some(table) => Err(anyhow!("{table} n'est pas à sa place dans ce dossier").into()),
        }
    }
}

/// An entry whose rows are being read; its receipt and signature until its own row is.
struct Open {
    id: EntryId,
    own: Option<(String, Option<Vec<u8>>)>,
}

/// Columns of rows that may change which name a person.
const PEOPLE: [&str; 8] = [
    "approved_by",
    "confirmed_by",
    "created_by",
    "declared_by",
    "minted_by",
    "placed_by",
    "prepared_by",
    "user_id",
];

fn person(row: &Row, column: &str) -> Option<UserId> {
    serde_json::from_value(row.get(column)?.clone()).ok()
}
