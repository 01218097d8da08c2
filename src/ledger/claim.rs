//! What a site is owed, from its own receipts alone: each signed, each proven to be in the public log under a checkpoint
//! that the site's own copy of the log's key verifies. No database.
//!
//! It proves what the site shows. A payout whose receipt the site leaves out is for the other side to show: the programme's
//! bundle has it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Read};

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bundle::{self, MAX_LINE_BYTES};
use crate::domain::SiteId;
use crate::domain::note::{Checkpoint, Note, Proof, Verifier};

/// The first line of a site's file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The programme's code.
    pub programme: String,
    /// Public keys of receipts, base64, by kid.
    pub receipt_keys: BTreeMap<String, String>,
    /// Whose receipts follow.
    pub site: SiteId,
}

/// Any other line: a receipt with what proves it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backed {
    /// That it is in the log (C2SP tlog-proof); `None` when it was not sealed yet.
    pub proof: Option<String>,
    /// The exact text.
    pub receipt: String,
    /// By the key that it names, base64.
    pub signature: Option<String>,
}

impl Head {
    /// The line, with its line feed.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

impl Backed {
    /// The line, with its line feed.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

/// So many passes, worth so many cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub passes: i64,
    /// What they are worth.
    pub cents: i64,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.passes = self.passes.saturating_add(other.passes);
        self.cents = self.cents.saturating_add(other.cents);
    }

    fn less(self, other: Self) -> Self {
        Self {
            passes: self.passes.saturating_sub(other.passes),
            cents: self.cents.saturating_sub(other.cents),
        }
    }
}

/// What a receipt counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// A pass was used.
    Redeemed,
    /// That was undone, by a void or an incident.
    Undone,
    /// The bank has paid.
    Paid,
}

/// A receipt that counts.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Its kind, and its number or redemption.
    pub name: String,
    /// Its place in the log.
    pub position: u64,
    /// What for.
    pub what: For,
    /// How much.
    pub sum: Sum,
    entry: String,
    corrects: Option<String>,
}

/// A site's claim.
#[derive(Debug, Default)]
pub struct Claim {
    /// Receipts that count, in the order of the file.
    pub counted: Vec<Counted>,
    /// Those that don't: their names, and why not.
    pub refused: Vec<(String, String)>,
}

impl Claim {
    /// What counts for that.
    pub fn sum(&self, what: For) -> Sum {
        let mut sum = Sum::default();
        let of_it = self.counted.iter().filter(|counted| counted.what == what);
        of_it.for_each(|counted| sum.add(counted.sum));
        sum
    }

    /// Redeemed, less what was undone, less what was paid.
    pub fn owed(&self) -> Sum {
        self.sum(For::Redeemed).less(self.sum(For::Undone)).less(self.sum(For::Paid))
    }
}

/// Reads a site's file and counts what it proves, under the last checkpoint that was published and the keys of the log
/// that were kept.
///
/// # Errors
/// In French, when the checkpoint is of none of the keys, or the file is no site's.
pub fn claim(
    from: impl BufRead,
    site: SiteId,
    keys: &[Verifier],
    last: &Note,
) -> Result<Claim, String> {
    let signed = keys.iter().find_map(|key| note_of(last, key));
    let last = signed.ok_or("aucune des clés données n'a signé ce point de contrôle")?;
    let mut lines = Lines(from);
    let head = lines.next()?.ok_or("le fichier est vide")?;
    let head: Head = serde_json::from_str(&head).map_err(|error| format!("ligne 1 : {error}"))?;
    let receipt_keys = bundle::read_keys(&head.receipt_keys)?;
    let judge = Judge { site: site.to_string(), keys, last, receipt_keys };
    let mut claim = Claim::default();
    let mut n = 1_u64;
    while let Some(line) = lines.next()? {
        n = n.saturating_add(1);
        match serde_json::from_str::<Backed>(&line) {
            Ok(backed) => match judge.count(&backed) {
                Ok(counted) => claim.counted.push(counted),
                Err(why) => claim.refused.push((name(&backed.receipt), why)),
            },
            Err(error) => claim.refused.push((format!("ligne {n}"), error.to_string())),
        }
    }
    claim.keep_once();
    Ok(claim)
}

fn note_of(note: &Note, key: &Verifier) -> Option<Checkpoint> {
    note.verify(key).ok()
}

struct Lines<R>(R);

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<String>, String> {
        let mut line = String::new();
        let read = self.0.by_ref().take(MAX_LINE_BYTES).read_line(&mut line);
        let n = read.map_err(|error| format!("le fichier est illisible : {error}"))?;
        Ok((n > 0).then_some(line))
    }
}

/// A receipt by its kind, and its number or the redemption that it names.
fn name(receipt: &str) -> String {
    let said: Value = serde_json::from_str(receipt).unwrap_or_default();
    let kind = said.get("kind").and_then(Value::as_str).unwrap_or("?");
    let number = said.get("number").and_then(Value::as_i64).map(|number| number.to_string());
    let redemption = || said.get("facts")?.get("redemption")?.as_str().map(str::to_owned);
    let which = redemption().or(number).unwrap_or_else(|| "?".to_owned());
    format!("{kind} {which}")
}

/// What a receipt is held against.
struct Judge<'k> {
    site: String,
    keys: &'k [Verifier],
    last: Checkpoint,
    receipt_keys: BTreeMap<String, VerifyingKey>,
}

#[derive(Deserialize)]
struct Said {
    programme: String,
    entry: String,
    kind: String,
    corrects: Option<String>,
    kid: Option<String>,
    facts: Facts,
}

#[derive(Deserialize)]
struct Facts {
    site: Option<String>,
    amount_cents: Option<i64>,
    /// Cents by site, of a payout.
    sites: Option<BTreeMap<String, i64>>,
}

impl Judge<'_> {
    fn count(&self, backed: &Backed) -> Result<Counted, String> {
        let said: Said = serde_json::from_str(&backed.receipt).map_err(
            |_| "ce n'est pas le récépissé d'une utilisation, d'une annulation ou d'un débit",
        )?;
        let key = said.kid.as_ref().and_then(|kid| self.receipt_keys.get(kid));
        let is_signed = key
            .zip(backed.signature.as_ref())
            .is_some_and(|(key, signature)| bundle::is_signed(key, &backed.receipt, signature));
        if !is_signed {
            return Err("sa signature est fausse, ou manque".into());
        }
        let position = self.prove(backed)?;
        if self.last.origin.rsplit('/').next() != Some(said.programme.as_str()) {
            return Err("il est d'un autre dispositif".into());
        }
        let (what, cents) = self.worth(&said)?;
        let passes = i64::from(what != For::Paid);
        Ok(Counted {
            name: name(&backed.receipt),
            position,
            what,
            sum: Sum { passes, cents },
            entry: said.entry,
            corrects: said.corrects,
        })
    }

    /// It is in the log, under a checkpoint that is not past the last; its position there.
    fn prove(&self, backed: &Backed) -> Result<u64, String> {
        let proof =
            backed.proof.as_ref().ok_or("il n'a pas de preuve : il n'était pas encore scellé")?;
        let proof: Proof = proof.parse()?;
        let proven =
            self.keys.iter().find_map(|key| proof.verify(backed.receipt.as_bytes(), key).ok());
        let under = proven.ok_or("sa preuve ne mène à aucun point de contrôle signé")?;
        if under.size > self.last.size {
            return Err("sa preuve est plus récente que le point de contrôle donné".into());
        }
        if under.origin != self.last.origin
            || (under.size == self.last.size && under.root != self.last.root)
        {
            return Err("sa preuve mène à un autre journal".into());
        }
        Ok(proof.index)
    }

    fn worth(&self, said: &Said) -> Result<(For, i64), String> {
        let what = match said.kind.as_str() {
            "redemption" => For::Redeemed,
            "void" | "incident" => For::Undone,
            "payout_debit" => {
                let sites =
                    said.facts.sites.as_ref().ok_or("il ne dit pas la part de chaque lieu")?;
                let cents = sites.get(&self.site).ok_or("il ne paie pas ce lieu")?;
                return Ok((For::Paid, *cents));
            }
            kind => {
                return Err(format!("un récépissé de nature {kind} ne change pas ce qui est dû"));
            }
        };
        if said.facts.site.as_ref() != Some(&self.site) {
            return Err("il est d'un autre lieu".into());
        }
        Ok((what, said.facts.amount_cents.ok_or("il ne dit pas de montant")?))
    }
}

impl Claim {
    /// Each receipt counts once; what undoes counts if what it undoes does. Payments are told in passes too.
    fn keep_once(&mut self) {
        let redeemed: BTreeMap<String, i64> = self
            .counted
            .iter()
            .filter(|counted| counted.what == For::Redeemed)
            .map(|counted| (counted.entry.clone(), counted.sum.cents))
            .collect();
        let worth = redeemed.values().next().copied().unwrap_or_default();
        let mut seen = BTreeSet::new();
        for mut counted in std::mem::take(&mut self.counted) {
            let undoes_nothing = counted.what == For::Undone
                && !counted.corrects.as_ref().is_some_and(|entry| redeemed.contains_key(entry));
            if !seen.insert(counted.entry.clone()) {
                self.refused.push((counted.name, "il est déjà compté".into()));
            } else if undoes_nothing {
                let why = "il annule une utilisation que rien ne montre";
                self.refused.push((counted.name, why.into()));
            } else {
                if counted.what == For::Paid {
                    counted.sum.passes = counted.sum.cents.checked_div(worth).unwrap_or_default();
                }
                self.counted.push(counted);
            }
        }
    }
}
