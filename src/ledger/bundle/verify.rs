//! `souche verify FILE`: a bundle held against itself, with nothing else at hand; and against a key and a checkpoint that
//! were kept elsewhere, when there are.

use std::collections::BTreeMap;
use std::io::BufRead;

use ed25519_dalek::VerifyingKey;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Checkpoint, Entry, FORMAT, Header, Line, Manifest, Object, Reader, Samples, VERSION, is_signed,
};
use crate::db::evidence::{ChangingRow, WrittenRow};
use crate::domain::EntryId;
use crate::domain::merkle::{Frontier, Hash};
use crate::domain::note::{Checkpoint as Kept, Note, Verifier};
use crate::ledger::bound::{self, Audit, Broken};
use crate::ledger::replay::Replay;
use crate::ledger::samples::RULE;
use crate::ledger::verify::Check;

/// What whoever verifies has kept, out of the reach of whoever made the file.
#[derive(Clone, Debug, Default)]
pub struct Trusted {
    /// Public keys of the log; those that the file itself names, when empty.
    pub keys: Vec<Verifier>,
    /// A checkpoint of the log.
    pub checkpoint: Option<Note>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// The programme's code, as the file has it.
    pub programme: String,
    /// The keys of the log that its checkpoints were verified by.
    pub vkeys: Vec<String>,
    /// Rule by rule.
    pub checks: Vec<Check>,
    /// Entries, and of these, leaves of the log.
    pub entries: (u64, u64),
    /// The largest size that a checkpoint signs.
    pub signed: u64,
    /// Receipts that name no key and bear no signature.
    pub unsigned: u64,
    /// Passes, and of these, used.
    pub passes: (usize, usize),
    /// Cents owed to each site and not ordered from the bank yet.
    pub owed: Vec<(i64, i64)>,
    /// Audit samples, each drawn again.
    pub samples: Samples,
    /// Root of the tree of all leaves.
    pub root: Hash,
    /// Where, in bytes, the rows that may change begin.
    pub states_at: u64,
    /// SHA-256 of all lines before the manifest, as it says.
    pub sha256: String,
}

/// Reads a bundle to its end, once, and holds every rule against it.
pub fn verify(from: impl BufRead, trusted: &Trusted) -> Verdict {
    let mut reader = Reader::new(from);
    let mut walk = match reader.next_line() {
        Ok(Some(Line::Object(Object::Header(header)))) => Walk::new(header, trusted),
        Ok(_) => Walk::nothing("ligne 1 : ce n'est pas un dossier de preuves"),
        Err(why) => Walk::nothing(&why),
    };
    while walk.is_readable {
        match reader.next_line() {
            Ok(Some(line)) => walk.take(line, &reader),
            Ok(None) => break,
            Err(why) => walk.stop(&why),
        }
    }
    walk.finish()
}

/// Where in the file the reader is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Journal,
    States,
    Unbound,
    End,
}

/// All that is kept of what was read.
#[derive(Default)]
struct Walk {
    is_readable: bool,
    part: Part,
    verdict: Verdict,
    keys: BTreeMap<String, VerifyingKey>,
    trusted: Vec<Verifier>,
    /// What a checkpoint kept elsewhere says, if a key of the log has signed it; and whether the log was seen to begin
    /// with it.
    kept: Option<(Option<Kept>, bool)>,
    counts: BTreeMap<String, u64>,
    /// The entry whose own row comes next.
    pending: Option<(EntryId, String)>,
    entry: Option<EntryId>,
    /// Is that entry a leaf of the log?
    is_sealed: bool,
    frontier: Frontier,
    audit: Audit,
    samples: Samples,
    replay: Replay,
    whole: Broken,
    manifest: Broken,
    signatures: Broken,
    positions: Broken,
    checkpoints: Broken,
}

impl Walk {
    fn nothing(why: &str) -> Self {
        let mut walk = Self::default();
        walk.stop(why);
        walk
    }

    fn new(header: Header, trusted: &Trusted) -> Self {
        let mut walk = Self { is_readable: true, ..Self::default() };
        walk.count("header");
        if header.format != FORMAT || header.version != VERSION {
            walk.stop("ligne 1 : ce format ou cette version n'est pas connu");
        }
        match super::read_keys(&header.receipt_keys) {
            Ok(keys) => walk.keys = keys,
            Err(why) => walk.signatures.count(|| why),
        }
        let own = header.vkeys.iter().filter_map(|key| key.parse().ok());
        walk.trusted = if trusted.keys.is_empty() { own.collect() } else { trusted.keys.clone() };
        walk.kept = trusted
            .checkpoint
            .as_ref()
            .map(|note| (walk.trusted.iter().find_map(|key| note.verify(key).ok()), false));
        walk.audit = Audit::new(header.programme.clone());
        walk.verdict.vkeys = walk.trusted.iter().map(ToString::to_string).collect();
        walk.verdict.programme = header.programme;
        walk
    }

    /// Nothing past this point can be read.
    fn stop(&mut self, why: &str) {
        self.whole.count(|| why.to_owned());
        self.is_readable = false;
    }

    fn count(&mut self, kind: &str) {
        let n = self.counts.entry(kind.to_owned()).or_default();
        *n = n.saturating_add(1);
    }

    fn take<R: BufRead>(&mut self, line: Line, reader: &Reader<R>) {
        let at = reader.line_number();
        let is_in_place = match (&line, self.part) {
            (Line::Row { table, .. }, Part::Journal) => {
                self.entry.is_some() && self.pending.is_none() == (table != "entries")
            }
            (Line::Row { .. }, Part::States | Part::Unbound) => true,
            (Line::Object(Object::Entry(_) | Object::Checkpoint(_) | Object::States {}), part) => {
                part == Part::Journal && self.pending.is_none()
            }
            (Line::Object(Object::Unbound {}), part) => part == Part::States,
            (Line::Object(Object::Manifest(_)), part) => part == Part::Unbound,
            (Line::Object(Object::Header(_)) | Line::Row { .. }, _) => false,
        };
        if !is_in_place {
            return self.stop(&format!("ligne {at} : elle n'est pas à sa place"));
        }
        match line {
            Line::Row { table, row, text } => self.row(&table, &row, text),
            Line::Object(Object::Entry(entry)) => self.entry(entry),
            Line::Object(Object::Checkpoint(checkpoint)) => self.checkpoint(&checkpoint),
            Line::Object(Object::States {}) => {
                self.count("states");
                self.verdict.states_at = reader.offset();
                self.audit.close();
                self.replay.close();
                self.samples.close();
                self.part = Part::States;
            }
            Line::Object(Object::Unbound {}) => {
                self.count("unbound");
                self.part = Part::Unbound;
            }
            Line::Object(Object::Manifest(manifest)) => self.manifest(&manifest, reader.sha256()),
            Line::Object(Object::Header(_)) => {}
        }
    }

    fn entry(&mut self, entry: Entry) {
        self.count("entry");
        let said: Value = serde_json::from_str(&entry.receipt).unwrap_or_default();
        let text = |name: &str| said.get(name).and_then(Value::as_str);
        let id = text("entry").and_then(|id| Uuid::parse_str(id).ok());
        let id = EntryId::new(id.unwrap_or_default());
        let kind = text("kind").unwrap_or("?");
        let number = said.get("number").and_then(Value::as_i64);
        let facts = said.get("facts").cloned().unwrap_or_default();
        let which = number.map(|number| number.to_string());
        let which = which.or_else(|| Some(facts.get("redemption")?.as_str()?.to_owned()));
        let name = format!("{kind} {}", which.as_deref().unwrap_or("?"));
        let name = match entry.position {
            Some(position) => format!("feuille {position}, {name}"),
            None => format!("entries/{id}, {name}"),
        };
        self.signature(&name, text("kid"), &entry);
        self.leaf(&name, &entry);
        self.samples.close();
        self.is_sealed = entry.position.is_some();
        if self.is_sealed {
            self.samples.leaf(&said);
        }
        self.audit.at_leaf(entry.position);
        self.replay.open(name, kind, number, facts);
        self.entry = Some(id);
        self.pending = Some((id, entry.receipt));
    }

    fn signature(&mut self, name: &str, kid: Option<&str>, entry: &Entry) {
        let is_true = match (kid, &entry.signature) {
            (None, None) => {
                self.verdict.unsigned = self.verdict.unsigned.saturating_add(1);
                true
            }
            (Some(kid), Some(signature)) => {
                self.keys.get(kid).is_some_and(|key| is_signed(key, &entry.receipt, signature))
            }
            _ => false,
        };
        if !is_true {
            self.signatures.count(|| name.to_owned());
        }
    }

    /// The tree grows by the receipt, unless it waits to be sealed; those that wait come last.
    fn leaf(&mut self, name: &str, entry: &Entry) {
        let (entries, sealed) = self.verdict.entries;
        self.verdict.entries.0 = entries.saturating_add(1);
        let Some(position) = entry.position else { return };
        if position != self.frontier.size() || entries != sealed {
            self.positions.count(|| name.to_owned());
        }
        self.frontier.append(Hash::of_leaf(entry.receipt.as_bytes()), |_, _| {});
        self.verdict.entries.1 = self.frontier.size();
        if let Some((Some(kept), is_met)) = &mut self.kept
            && kept.size == self.frontier.size()
        {
            *is_met = kept.root == self.frontier.root();
        }
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        self.count("checkpoint");
        let signed =
            self.trusted.iter().find(|key| key.to_string() == checkpoint.vkey).and_then(|key| {
                checkpoint.note.parse::<Note>().and_then(|note| note.verify(key)).ok()
            });
        let head = (self.frontier.size(), self.frontier.root());
        if signed.is_some_and(|signed| (signed.size, signed.root) == head) {
            self.verdict.signed = head.0;
        } else {
            self.checkpoints.count(|| format!("taille {}", head.0));
        }
    }

    fn row(&mut self, table: &str, row: &Map<String, Value>, text: String) {
        match self.part {
            Part::Journal => {
                if table != "entries" {
                    self.replay.row(table, row);
                    self.samples.row(table, row, (&self.frontier, self.is_sealed));
                }
                let Some(entry) = self.entry else { return };
                let mut written = WrittenRow::read(entry, table, row, text);
                if let Some((_, receipt)) = self.pending.take() {
                    written.said = bound::said(&receipt);
                    written.receipt = Some(receipt);
                }
                self.audit.written(&written);
                self.count(table);
            }
            Part::States => {
                match ChangingRow::read(table, row, text) {
                    Some((table, row)) => self.audit.changing(table, &row),
                    None => self
                        .whole
                        .count(|| format!("{table} n'est pas une table dont les lignes changent")),
                }
                self.count(table);
            }
            Part::Unbound | Part::End => self.count("unbound_rows"),
        }
    }

    fn manifest(&mut self, manifest: &Manifest, sha256: &str) {
        self.part = Part::End;
        manifest.sha256.clone_into(&mut self.verdict.sha256);
        if manifest.sha256 != sha256 {
            self.whole.count(|| "son empreinte n'est pas celle de ses lignes".to_owned());
        }
        for (kind, n) in &self.counts {
            if manifest.counts.get(kind) != Some(n) {
                self.whole.count(|| format!("le manifeste ne compte pas {n} lignes de {kind}"));
            }
        }
        if manifest.counts.len() != self.counts.len() {
            self.whole.count(|| "le manifeste compte des lignes qui n'y sont pas".to_owned());
        }
        let key = self.keys.get(&manifest.kid);
        if !key.is_some_and(|key| manifest.is_signed_by(key)) {
            self.manifest.count(|| format!("clé {}", manifest.kid));
        }
    }

    fn finish(mut self) -> Verdict {
        if self.part != Part::End && self.is_readable {
            self.stop("le manifeste manque : sa fin a été coupée");
        }
        if self.part != Part::End {
            self.manifest.count(|| "il manque".to_owned());
        }
        self.audit.close();
        self.replay.close();
        let mut verdict = self.verdict;
        verdict.passes = self.replay.passes();
        verdict.owed = self.replay.owed().collect();
        verdict.root = self.frontier.root();
        let mut checks = vec![
            self.whole
                .check("file_is_whole", "Le fichier est entier, tel que son manifeste le compte"),
            self.manifest.check("manifest_is_signed", "Le manifeste est signé"),
            self.signatures.check(
                "receipts_are_signed",
                "Chaque récépissé qui nomme une clé est signé par elle",
            ),
            self.positions
                .check("positions_have_no_gap", "Les feuilles du journal public se suivent"),
            self.checkpoints.check(
                "checkpoints_are_of_the_tree",
                "Chaque point de contrôle est signé, et c'est celui de l'arbre recalculé",
            ),
        ];
        checks.extend(self.kept.map(|kept| check_kept(kept, self.frontier.size())));
        checks.extend(self.audit.checks());
        checks.extend(self.replay.finish());
        let (samples, broken) = self.samples.finish();
        checks.push(broken.check(RULE.0, RULE.1));
        verdict.samples = samples;
        verdict.checks = checks;
        verdict
    }
}

fn check_kept((kept, is_met): (Option<Kept>, bool), size: u64) -> Check {
    let mut broken = Broken::default();
    match kept {
        None => broken.count(|| "aucune clé de ce journal ne l'a signé".to_owned()),
        Some(kept) if kept.size > size => broken.count(|| {
            format!(
                "il compte {} feuilles, le dossier n'en a que {size} : sa fin a été coupée",
                kept.size
            )
        }),
        Some(kept) if !is_met => {
            broken.count(|| format!("les {} premières feuilles ne sont plus les mêmes", kept.size));
        }
        Some(_) => {}
    }
    broken.check(
        "kept_checkpoint_is_of_the_log",
        "Le journal public prolonge le point de contrôle conservé ailleurs",
    )
}

impl Verdict {
    /// Does every rule hold?
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }
}
