//! Audit samples of a bundle: every draw made again from the receipts that stand before it, without the database.
//!
//! In memory: twelve bytes per leaf, and the samples.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::bound::Broken;
use super::super::receipt::hex;
use super::super::samples::Recorded;
use crate::domain::BusinessDate;
use crate::domain::SiteId;
use crate::domain::entry::EntryKind;
use crate::domain::merkle::{Frontier, Hash};
use crate::domain::sample::{Candidate, Commitment, Criteria, Draw, Sample, Seed};

/// What a draw looks at in each leaf read so far, and the samples.
#[derive(Debug, Default)]
pub struct Samples {
    /// By position; `None` for kinds that are not known here.
    leaves: Vec<Option<Seen>>,
    committed: BTreeMap<i64, Committed>,
    open: Option<Written>,
    broken: Broken,
}

/// A leaf as a draw looks at it.
#[derive(Clone, Copy, Debug)]
struct Seen {
    kind: EntryKind,
    day: BusinessDate,
    site: i32,
}

/// A commitment, and the head of the tree that ends with it.
#[derive(Clone, Debug)]
pub struct Committed {
    /// What the auditor calls it.
    pub title: String,
    /// SHA-256 of its seed.
    pub commitment: Commitment,
    /// Of what it is.
    pub criteria: Criteria,
    /// Its leaf; `None` when it is not sealed.
    pub leaf: Option<u64>,
    /// The root of the tree that ends with it.
    pub root: Hash,
    /// The seed, once it was drawn.
    pub seed: Option<Seed>,
    /// Lines as they were written down: stratum and leaf.
    pub lines: Vec<(i32, u64)>,
}

/// The rows of a draw as they come.
#[derive(Debug, Default)]
struct Written {
    sample: i64,
    seed: Option<Seed>,
    /// Leaf, root, population and items.
    said: (u64, String, u64, u64),
    recorded: Recorded,
}

impl Samples {
    /// The next leaf.
    pub(super) fn leaf(&mut self, receipt: &Value) {
        let position = u64::try_from(self.leaves.len()).unwrap_or(u64::MAX);
        let seen = Candidate::read(position, receipt).map(|it| Seen {
            kind: it.kind,
            day: it.day,
            site: it.site.map_or(0, SiteId::get),
        });
        self.leaves.push(seen);
    }

    /// A row that an entry wrote. `tree` is as it stands; its last leaf is the entry, when that is sealed.
    pub(super) fn row(
        &mut self,
        table: &str,
        row: &Map<String, Value>,
        (tree, is_sealed): (&Frontier, bool),
    ) {
        match table {
            "audit_samples" => self.commit(row, tree.root(), is_sealed),
            "audit_draws" => {
                let said = (
                    count(row, "leaf"),
                    text(row, "root"),
                    count(row, "population"),
                    count(row, "items"),
                );
                let seed = text(row, "seed").try_into().ok();
                self.open =
                    Some(Written { sample: int(row, "sample"), seed, said, ..Written::default() });
            }
            "audit_strata" => {
                let stratum = (text(row, "name"), count(row, "population"), count(row, "items"));
                self.open.get_or_insert_default().recorded.strata.push(stratum);
            }
            "audit_items" => {
                let stratum = i32::try_from(int(row, "stratum")).unwrap_or_default();
                let line = (stratum, count(row, "leaf"));
                self.open.get_or_insert_default().recorded.lines.push(line);
            }
            _ => {}
        }
    }

    fn commit(&mut self, row: &Map<String, Value>, root: Hash, is_sealed: bool) {
        let last = u64::try_from(self.leaves.len()).ok().and_then(|size| size.checked_sub(1));
        let leaf = last.filter(|_| is_sealed);
        let number = int(row, "number");
        if let Some(committed) = read(row, leaf, root) {
            self.committed.insert(number, committed);
        } else {
            self.broken.count(|| format!("échantillon {number} : son engagement est illisible"));
        }
    }

    /// All rows of an entry were read: a draw is made again.
    pub(super) fn close(&mut self) {
        let Some(written) = self.open.take() else { return };
        let name = format!("échantillon {}", written.sample);
        let Some(committed) = self.committed.get(&written.sample).cloned() else {
            return self.broken.count(|| format!("{name} : personne ne s'y est engagé"));
        };
        let is_its_seed =
            written.seed.is_some_and(|seed| seed.commitment() == committed.commitment);
        let Some(sample) = written.seed.and_then(|seed| self.remake(&committed, seed)) else {
            return self.broken.count(|| format!("{name} : son engagement n'était pas scellé"));
        };
        let must = Recorded::of(&sample);
        let items = u64::try_from(sample.size()).unwrap_or(u64::MAX);
        let root = hex(committed.root.0);
        let said = (committed.leaf.unwrap_or(u64::MAX), root, sample.population(), items);
        if let Some(line) = written.recorded.differs_from(&must) {
            self.broken.count(|| format!("{name}, ligne {line}"));
        } else if !is_its_seed || written.said != said || written.recorded != must {
            self.broken.count(|| name);
        }
        if let Some(committed) = self.committed.get_mut(&written.sample) {
            (committed.seed, committed.lines) = (written.seed, written.recorded.lines);
        }
    }

    /// Draws by a seed from the leaves before the commitment; `None` when that is not sealed.
    pub fn remake(&self, committed: &Committed, seed: Seed) -> Option<Sample> {
        let leaf = committed.leaf?;
        let mut draw = Draw::new(&committed.criteria, seed, leaf.checked_add(1)?, committed.root);
        for (leaf, seen) in (0..leaf).zip(&self.leaves) {
            if let Some(seen) = seen {
                let site = (seen.site > 0).then(|| SiteId::new(seen.site));
                draw.offer(&Candidate { leaf, kind: seen.kind, day: seen.day, site });
            }
        }
        Some(draw.finish())
    }

    /// The commitment of that number.
    pub fn find(&self, number: i64) -> Option<&Committed> {
        self.committed.get(&number)
    }

    /// What broke the rule.
    pub(super) fn finish(mut self) -> (Self, Broken) {
        self.close();
        let broken = std::mem::take(&mut self.broken);
        (self, broken)
    }
}

fn read(row: &Map<String, Value>, leaf: Option<u64>, root: Hash) -> Option<Committed> {
    let kinds = row.get("kinds")?.as_array()?.iter();
    let kinds: Option<Vec<EntryKind>> = kinds.map(|kind| kind.as_str()?.parse().ok()).collect();
    let per_stratum = i32::try_from(int(row, "per_stratum")).ok()?;
    Some(Committed {
        title: text(row, "title"),
        commitment: text(row, "commitment").try_into().ok()?,
        criteria: Criteria {
            kinds: kinds?,
            from_on: text(row, "from_on").try_into().ok()?,
            until_on: text(row, "until_on").try_into().ok()?,
            strata: text(row, "strata").parse().ok()?,
            per_stratum: per_stratum.try_into().ok()?,
        },
        leaf,
        root,
        seed: None,
        lines: Vec::new(),
    })
}

fn text(row: &Map<String, Value>, column: &str) -> String {
    row.get(column).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn int(row: &Map<String, Value>, column: &str) -> i64 {
    row.get(column).and_then(Value::as_i64).unwrap_or_default()
}

fn count(row: &Map<String, Value>, column: &str) -> u64 {
    u64::try_from(int(row, column)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SEED: Seed = Seed([9; 32]);

    fn row(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    /// A log of thirty uses at three sites, then a commitment; and what its seed draws: two of each site.
    fn committed() -> (Samples, Frontier) {
        let (mut samples, mut tree) = (Samples::default(), Frontier::new());
        for site in ["1", "2", "3"].into_iter().cycle().take(30) {
            let receipt = json!({ "kind": "redemption", "happened_at": "2026-03-02T08:00:00.000000Z", "facts": { "site": site } });
            samples.leaf(&receipt);
            tree.append(Hash::of_leaf(receipt.to_string().as_bytes()), |_, _| {});
        }
        let own = json!({ "kind": "audit_commitment", "happened_at": "2026-03-02T08:00:01.000000Z", "facts": {} });
        samples.leaf(&own);
        tree.append(Hash::of_leaf(own.to_string().as_bytes()), |_, _| {});
        let commitment = row(json!({
            "number": 1, "title": "x", "commitment": SEED.commitment(), "kinds": ["redemption"], "from_on": "2026-01-01",
            "until_on": "2026-12-31", "strata": "site", "per_stratum": 2,
        }));
        samples.row("audit_samples", &commitment, (&tree, true));
        (samples, tree)
    }

    /// The rows of the true draw.
    fn drawn(samples: &Samples, tree: &Frontier) -> Vec<(&'static str, Value)> {
        let sample = samples.remake(samples.find(1).unwrap(), SEED).unwrap();
        let root = hex(tree.root().0);
        let draw = json!({ "sample": 1, "seed": SEED, "leaf": 30, "root": root, "population": 30, "items": 6 });
        let items = sample.lines().map(|(stratum, leaf)| {
            ("audit_items", json!({ "sample": 1, "stratum": stratum, "leaf": leaf }))
        });
        let strata = ["1", "2", "3"].map(|name| {
            ("audit_strata", json!({ "sample": 1, "name": name, "population": 10, "items": 2 }))
        });
        std::iter::once(("audit_draws", draw)).chain(items).chain(strata).collect()
    }

    fn first_broken(change: impl FnOnce(&mut Vec<(&'static str, Value)>)) -> Option<String> {
        let (mut samples, tree) = committed();
        let mut rows = drawn(&samples, &tree);
        change(&mut rows);
        for (table, value) in rows {
            samples.row(table, &row(value), (&tree, true));
        }
        samples.finish().1.check("", "").first
    }

    #[test]
    fn a_draw_is_the_one_that_its_seed_and_head_give_or_is_found() {
        assert_eq!(first_broken(|_| {}), None);
        let broken =
            |at: usize, field: &str, value: Value| first_broken(|rows| rows[at].1[field] = value);
        let sample = Some("échantillon 1".to_owned());
        assert!(broken(0, "seed", json!("00".repeat(32))).is_some(), "it draws others");
        assert_eq!(broken(0, "leaf", json!(29)), sample);
        assert_eq!(broken(0, "root", json!("00".repeat(32))), sample);
        assert_eq!(broken(0, "population", json!(29)), sample);
        assert_eq!(broken(3, "leaf", json!(29)), Some("échantillon 1, ligne 3".into()));
        assert_eq!(broken(8, "population", json!(11)), sample);
        assert_eq!(
            first_broken(|rows| drop(rows.remove(6))),
            Some("échantillon 1, ligne 6".into())
        );
        let stranger = broken(0, "sample", json!(2));
        assert_eq!(stranger, Some("échantillon 2 : personne ne s'y est engagé".into()));
    }

    #[test]
    fn another_seed_than_the_one_committed_to_is_found_even_when_it_draws_what_is_written() {
        let (mut samples, tree) = committed();
        let other = Seed([8; 32]);
        let sample = samples.remake(samples.find(1).unwrap(), other).unwrap();
        let mut rows = drawn(&samples, &tree);
        rows[0].1["seed"] = json!(other);
        for ((_, item), (_, leaf)) in rows.iter_mut().skip(1).zip(sample.lines()) {
            item["leaf"] = json!(leaf);
        }
        for (table, value) in rows {
            samples.row(table, &row(value), (&tree, true));
        }
        assert_eq!(samples.finish().1.check("", "").first, Some("échantillon 1".into()));
    }

    #[test]
    fn a_commitment_that_is_not_sealed_draws_nothing() {
        let (mut samples, tree) = committed();
        let rows = drawn(&samples, &tree);
        if let Some(committed) = samples.committed.get_mut(&1) {
            committed.leaf = None;
        }
        assert!(samples.remake(samples.find(1).unwrap(), SEED).is_none());
        for (table, value) in rows {
            samples.row(table, &row(value), (&tree, true));
        }
        let first = samples.finish().1.check("", "").first;
        assert_eq!(first, Some("échantillon 1 : son engagement n'était pas scellé".into()));
    }
}
