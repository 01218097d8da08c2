//! The Merkle tree of a log (RFC 6962 §2.1, RFC 9162 §2.1): hashes, the frontier that grows it, and the
//! proofs that a leaf is in it and that it only ever grew. Pure: where hashes are kept is the caller's business.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "positions are far below 2^63, and differences are of ordered numbers"
)]

mod frontier;
mod proof;

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use frontier::Frontier;
pub use proof::{consistency_proof, inclusion_proof, root, verify_consistency, verify_inclusion};

/// Levels that one tile spans (C2SP tlog-tiles): 256 hashes.
pub const TILE_HEIGHT: u32 = 8;
/// Hashes of a full tile.
pub const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;

/// A hash of the tree: SHA-256. Written in base64, as checkpoints and proofs are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The tree without leaves: the hash of nothing.
    pub fn of_nothing() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// A leaf: 0x00, then its bytes.
    pub fn of_leaf(bytes: &[u8]) -> Self {
        Self(Sha256::new_with_prefix([0]).chain_update(bytes).finalize().into())
    }

    /// A node: 0x01, then both sides.
    pub fn of_node(left: Self, right: Self) -> Self {
        Self(
            Sha256::new_with_prefix([1])
                .chain_update(left.0)
                .chain_update(right.0)
                .finalize()
                .into(),
        )
    }
}

impl Default for Hash {
    fn default() -> Self {
        Self::of_nothing()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| "une empreinte de 32 octets, en base64, est attendue".into())
    }
}

impl TryFrom<String> for Hash {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

/// A complete subtree: the 2^height leaves from `index` × 2^height on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// 0 for a leaf.
    pub height: u32,
    /// From 0, among those of its height.
    pub index: u64,
}

impl Node {
    /// The leaf at that position.
    pub const fn leaf(position: u64) -> Self {
        Self { height: 0, index: position }
    }

    /// Its position among leaves: the first, and the first past it.
    pub const fn leaves(self) -> (u64, u64) {
        (self.index << self.height, (self.index + 1) << self.height)
    }
}

/// The complete subtrees that the leaves from `begin` to before `end` fall into, left to right. `begin` is
/// where a subtree of the recursion begins, so the largest comes first.
fn complete_nodes(mut begin: u64, end: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    while begin < end {
        let height = (end - begin).ilog2();
        nodes.push(Node { height, index: begin >> height });
        begin += 1 << height;
    }
    nodes
}

/// The complete subtrees of a tree of so many leaves, largest first: what a [`Frontier`] holds.
pub fn peaks(size: u64) -> Vec<Node> {
    complete_nodes(0, size)
}

#[cfg(test)]
mod tests;
