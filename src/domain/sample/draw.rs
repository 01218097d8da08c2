//! The draw: each leaf of the population has a ticket, SHA-256(key ‖ position), and the smallest tickets of each stratum are
//! drawn. The key is SHA-256(name ‖ seed ‖ size ‖ root): of the seed that was committed to, and of the head of the tree that
//! ends with the commitment. Numbers are eight bytes, big end first; all parts have a fixed length, so no two draws share a key.
//!
//! Tickets are as good as random numbers of 256 bits, each its own: every set of so many leaves is as likely as any other, in
//! whatever order they are looked at, and no number has to be brought into a range. What is kept in memory grows with the
//! sample, not with the population.

use std::collections::{BTreeMap, BinaryHeap};

use sha2::{Digest, Sha256};

use super::{Candidate, Criteria, Seed, Stratum};
use crate::domain::merkle::Hash;

/// What the key is for, and which version of the draw: a line of its own, so that no other use of a seed gives the same.
const NAME: &[u8] = b"souche-audit-draw-v1\n";

/// A draw under way.
pub struct Draw<'c> {
    criteria: &'c Criteria,
    key: [u8; 32],
    lots: BTreeMap<Stratum, Tickets>,
}

/// The smallest tickets of a stratum, and how many were looked at.
#[derive(Default)]
struct Tickets {
    population: u64,
    /// The largest on top.
    smallest: BinaryHeap<([u8; 32], u64)>,
}

/// What was drawn of one stratum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Which.
    pub stratum: Stratum,
    /// How many leaves it has.
    pub population: u64,
    /// Positions of those drawn, in order; at least one.
    pub leaves: Vec<u64>,
}

/// What was drawn, by stratum; its lines are numbered in this order, from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Strata that have a leaf, in order.
    pub lots: Vec<Lot>,
}

impl<'c> Draw<'c> {
    /// By that seed, under the head of the first `size` leaves.
    pub fn new(criteria: &'c Criteria, seed: Seed, size: u64, root: Hash) -> Self {
        let key = Sha256::new_with_prefix(NAME)
            .chain_update(seed.0)
            .chain_update(size.to_be_bytes())
            .chain_update(root.0)
            .finalize()
            .into();
        Self { criteria, key, lots: BTreeMap::new() }
    }

    /// The next leaf of the log; what is not of the population is passed over.
    pub fn offer(&mut self, candidate: &Candidate) {
        let Some(stratum) = self.criteria.stratum(candidate) else { return };
        let ticket: [u8; 32] = Sha256::new_with_prefix(self.key)
            .chain_update(candidate.leaf.to_be_bytes())
            .finalize()
            .into();
        let lot = self.lots.entry(stratum).or_default();
        lot.population = lot.population.saturating_add(1);
        lot.smallest.push((ticket, candidate.leaf));
        if lot.smallest.len() > self.criteria.per_stratum.count() {
            lot.smallest.pop();
        }
    }

    /// What was drawn, once every leaf was offered.
    pub fn finish(self) -> Sample {
        let lots = self.lots.into_iter().map(|(stratum, tickets)| {
            let mut leaves: Vec<u64> = tickets.smallest.into_iter().map(|(_, leaf)| leaf).collect();
            leaves.sort_unstable();
            Lot { stratum, population: tickets.population, leaves }
        });
        Sample { lots: lots.collect() }
    }
}

impl Sample {
    /// How many leaves it was drawn from.
    pub fn population(&self) -> u64 {
        self.lots.iter().map(|lot| lot.population).sum()
    }

    /// How many were drawn.
    pub fn size(&self) -> usize {
        self.lots.iter().map(|lot| lot.leaves.len()).sum()
    }

    /// Its lines: number of the stratum from 1, and leaf.
    pub fn lines(&self) -> impl Iterator<Item = (i32, u64)> {
        let numbered = (1..).zip(&self.lots);
        numbered.flat_map(|(number, lot)| lot.leaves.iter().map(move |leaf| (number, *leaf)))
    }
}
