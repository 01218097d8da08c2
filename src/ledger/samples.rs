//! Audit samples on the live database: drawn, and every draw made again from the log.

use super::bound::Broken;
use super::tree::Tree;
use super::verify::Check;
use crate::db::samples::{self, Committed, Drawn};
use crate::db::{Tx, leaves};
use crate::domain::SampleId;
use crate::domain::merkle::Hash;
use crate::domain::sample::{Criteria, Draw, Sample, Seed};
use crate::error::Result;

/// Code and rule of the check, the same on a bundle.
pub(super) const RULE: (&str, &str) = (
    "samples_are_as_committed",
    "Chaque échantillon d'audit est celui que donnent sa graine et la tête du journal, et nul autre",
);

/// Draws, by a seed and the head of the tree that ends with the leaf of the commitment; with that head's root.
pub fn draw(tx: &mut Tx<'_>, of: &Criteria, seed: Seed, leaf: u64) -> Result<(Sample, Hash)> {
    let size = leaf.saturating_add(1);
    let root = Tree::new(tx).root(size)?;
    let mut draw = Draw::new(of, seed, size, root);
    samples::each_candidate(tx, of, leaf, |candidate| draw.offer(candidate))?;
    Ok((draw.finish(), root))
}

/// A sample as its rows have it: what it is compared with.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Recorded {
    /// Name, population and number drawn of each stratum, in order.
    pub strata: Vec<(String, u64, u64)>,
    /// Stratum and leaf of each line, in order.
    pub lines: Vec<(i32, u64)>,
}

impl Recorded {
    /// What the rows must be.
    pub(super) fn of(sample: &Sample) -> Self {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let lots = sample.lots.iter();
        Self {
            strata: lots
                .map(|lot| (lot.stratum.to_string(), lot.population, count(lot.leaves.len())))
                .collect(),
            lines: sample.lines().collect(),
        }
    }

    /// The first line that is not as it must be.
    pub(super) fn differs_from(&self, other: &Self) -> Option<usize> {
        let at = self.lines.iter().zip(&other.lines).position(|(is, must)| is != must);
        let longest = self.lines.len().max(other.lines.len());
        let shortest = self.lines.len().min(other.lines.len());
        at.or((longest > shortest).then_some(shortest)).map(|at| at.saturating_add(1))
    }
}

/// Makes a draw again: what is not as it must be, by name; nothing when all of it is.
fn remade(tx: &mut Tx<'_>, committed: &Committed, drawn: &Drawn) -> Result<Option<String>> {
    let name = format!("audit_draws/{}", drawn.sample);
    let leaf = leaves::position(tx, committed.entry)?;
    if leaf != Some(drawn.leaf) || drawn.seed.commitment() != committed.commitment {
        return Ok(Some(name));
    }
    let (sample, root) = draw(tx, &committed.criteria, drawn.seed, drawn.leaf)?;
    let (is, must) = (samples::recorded(tx, drawn.sample)?, Recorded::of(&sample));
    let is = Recorded { strata: is.0, lines: is.1 };
    if let Some(line) = is.differs_from(&must) {
        return Ok(Some(format!("audit_items/{}-{line}", drawn.sample)));
    }
    let counts = (drawn.population, usize::try_from(drawn.items).ok());
    let is_whole = counts == (sample.population(), Some(sample.size())) && root == drawn.root;
    Ok((!is_whole || is != must).then_some(name))
}

/// The number past every other.
const LAST: SampleId = SampleId::new(i32::MAX);

/// Makes every draw again, or that of one sample.
pub fn verify(tx: &mut Tx<'_>, only: Option<SampleId>) -> Result<Check> {
    let mut broken = Broken::default();
    let (from, to) = only.map_or((SampleId::new(0), LAST), |only| (only, only));
    for drawn in samples::draws(tx, from, to)? {
        let wrong = match samples::find(tx, drawn.sample)? {
            Some(committed) => remade(tx, &committed, &drawn)?,
            None => Some(format!("audit_draws/{}", drawn.sample)),
        };
        if let Some(name) = wrong {
            broken.count(|| name);
        }
    }
    let (code, rule) = RULE;
    Ok(broken.check(code, rule))
}
