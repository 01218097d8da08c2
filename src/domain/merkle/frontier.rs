//! The right edge of a tree: all that growing it needs, whatever its size.

use super::{Hash, Node, TILE_HEIGHT, peaks};

/// The roots of a tree's complete subtrees, largest first: at most 64 hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<(u32, Hash)>,
}

impl Frontier {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// That of a tree of so many leaves, whose complete subtrees `node` knows.
    pub fn read<E>(size: u64, mut node: impl FnMut(Node) -> Result<Hash, E>) -> Result<Self, E> {
        let peaks = peaks(size).into_iter();
        let peaks = peaks.map(|peak| Ok((peak.height, node(peak)?))).collect::<Result<_, E>>()?;
        Ok(Self { size, peaks })
    }

    /// How many leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf at the end. Tells `tiled` of every subtree completed by it that is as high as some
    /// whole number of tiles: those are worth keeping.
    pub fn append(&mut self, leaf: Hash, mut tiled: impl FnMut(Node, Hash)) {
        let (mut height, mut hash) = (0, leaf);
        self.size += 1;
        while let Some((_, left)) = self.peaks.pop_if(|(peak, _)| *peak == height) {
            (height, hash) = (height + 1, Hash::of_node(left, hash));
            if height.is_multiple_of(TILE_HEIGHT) {
                tiled(Node { height, index: (self.size >> height) - 1 }, hash);
            }
        }
        self.peaks.push((height, hash));
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let sides = self.peaks.iter().rev().map(|(_, hash)| *hash);
        sides.reduce(|right, left| Hash::of_node(left, right)).unwrap_or_else(Hash::of_nothing)
    }
}
