//! The log's tree, read from what the database keeps of it: the hash of each leaf, and one root per 256,
//! 65,536, … leaves. A proof in a log of ten million leaves reads six tiles, and hashes no receipt again.

use std::collections::HashMap;

use anyhow::Context;

use crate::db::{Tx, leaves};
use crate::domain::merkle::{self, Frontier, Hash, Node, TILE_HEIGHT, TILE_WIDTH};
use crate::error::Result;

/// A reader that keeps the tiles it has read.
pub struct Tree<'t, 'conn> {
    tx: &'t mut Tx<'conn>,
    tiles: HashMap<(i16, u64), Vec<Hash>>,
}

impl<'t, 'conn> Tree<'t, 'conn> {
    /// Of the programme that the transaction has entered.
    pub fn new(tx: &'t mut Tx<'conn>) -> Self {
        Self { tx, tiles: HashMap::new() }
    }

    /// The right edge of the first `size` leaves.
    pub fn frontier(&mut self, size: u64) -> Result<Frontier> {
        Frontier::read(size, |node| self.node(node))
    }

    /// The root of the first `size` leaves.
    pub fn root(&mut self, size: u64) -> Result<Hash> {
        merkle::root(size, |node| self.node(node))
    }

    /// That the leaf at `index` is among the first `size`.
    pub fn inclusion(&mut self, index: u64, size: u64) -> Result<Vec<Hash>> {
        merkle::inclusion_proof(index, size, |node| self.node(node))
    }

    /// That the first `to` leaves begin with the first `from`.
    pub fn consistency(&mut self, from: u64, to: u64) -> Result<Vec<Hash>> {
        merkle::consistency_proof(from, to, |node| self.node(node))
    }

    /// The root of a complete subtree, from the tile that it lies in.
    fn node(&mut self, node: Node) -> Result<Hash> {
        let level = i16::try_from(node.height / TILE_HEIGHT).map_err(anyhow::Error::from)?;
        // Within its tile: so many hashes, from that one on.
        let within = node.height % TILE_HEIGHT;
        let first = node.index.checked_shl(within).context("a node past the end of the log")?;
        let (tile, at) = (first / TILE_WIDTH, first % TILE_WIDTH);
        let hashes = self.tile(level, tile)?;
        let (at, n) = (usize::try_from(at).map_err(anyhow::Error::from)?, 1_usize << within);
        let part = hashes.get(at..at.saturating_add(n));
        let mut part =
            part.context("the log has lost a part of its tree: run `souche verify`")?.to_vec();
        while part.len() > 1 {
            part = part
                .chunks_exact(2)
                .filter_map(|pair| pair.first().zip(pair.last()))
                .map(|(left, right)| Hash::of_node(*left, *right))
                .collect();
        }
        Ok(*part.first().context("an empty subtree")?)
    }

    fn tile(&mut self, level: i16, tile: u64) -> Result<&[Hash]> {
        if !self.tiles.contains_key(&(level, tile)) {
            let begin = tile.saturating_mul(TILE_WIDTH);
            let end = begin.saturating_add(TILE_WIDTH);
            let hashes = leaves::hashes(self.tx, level, begin, end)?;
            self.tiles.insert((level, tile), hashes);
        }
        Ok(self.tiles.get(&(level, tile)).map_or(&[], Vec::as_slice))
    }
}
