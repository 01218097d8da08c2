//! Proofs, made from the hashes of complete subtrees and verified from themselves alone.

use super::{Hash, Node, complete_nodes};

/// Leaves from the first to before the second, as the recursion of the RFC cuts them.
type Range = (u64, u64);

/// The largest power of two below `n`: where a tree of `n` leaves is cut, for `n` > 1.
fn cut(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The siblings of a leaf's path, from the leaf up (RFC 9162 §2.1.3.1).
fn inclusion_ranges(index: u64, size: u64) -> Vec<Range> {
    let (mut begin, mut end, mut siblings) = (0, size, Vec::new());
    while end - begin > 1 {
        let middle = begin + cut(end - begin);
        if index < middle {
            siblings.push((middle, end));
            end = middle;
        } else {
            siblings.push((begin, middle));
            begin = middle;
        }
    }
    siblings.reverse();
    siblings
}

/// What leads from a tree of `from` leaves to one of `to` (RFC 9162 §2.1.4.1).
fn consistency_ranges(from: u64, to: u64) -> Vec<Range> {
    let (mut begin, mut end, mut siblings) = (0, to, Vec::new());
    while end != from {
        let middle = begin + cut(end - begin);
        if from <= middle {
            siblings.push((middle, end));
            end = middle;
        } else {
            siblings.push((begin, middle));
            begin = middle;
        }
    }
    // The old tree itself is known to whoever asks, unless it was cut.
    if begin > 0 {
        siblings.push((begin, end));
    }
    siblings.reverse();
    siblings
}

fn range_root<E>(
    (begin, end): Range,
    node: &mut impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Hash, E> {
    let mut root = None;
    for part in complete_nodes(begin, end).into_iter().rev() {
        let left = node(part)?;
        root = Some(root.map_or(left, |right| Hash::of_node(left, right)));
    }
    Ok(root.unwrap_or_else(Hash::of_nothing))
}

/// The root of the first `size` leaves; `node` knows the complete subtrees among them.
pub fn root<E>(size: u64, mut node: impl FnMut(Node) -> Result<Hash, E>) -> Result<Hash, E> {
    range_root((0, size), &mut node)
}

/// That the leaf at `index` is among the first `size`; `index` < `size`.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    mut node: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    inclusion_ranges(index, size).into_iter().map(|range| range_root(range, &mut node)).collect()
}

/// That the first `to` leaves begin with the first `from`; 1 ≤ `from` ≤ `to`. Empty for `from` = 0.
pub fn consistency_proof<E>(
    from: u64,
    to: u64,
    mut node: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    if from == 0 {
        return Ok(Vec::new());
    }
    consistency_ranges(from, to).into_iter().map(|range| range_root(range, &mut node)).collect()
}

/// Is that leaf at `index` in the tree of `size` leaves with that root (RFC 9162 §2.1.3.2)?
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = Hash::of_node(*sibling, hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = Hash::of_node(hash, *sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && hash == root
}

/// Does the tree of `to` leaves begin with the one of `from` (RFC 9162 §2.1.4.2)? Any tree begins with
/// the empty one, and with itself.
pub fn verify_consistency(
    from: u64,
    from_root: Hash,
    to: u64,
    to_root: Hash,
    proof: &[Hash],
) -> bool {
    match from {
        0 => return proof.is_empty() && from_root == Hash::of_nothing(),
        _ if from > to => return false,
        _ if from == to => return proof.is_empty() && from_root == to_root,
        _ => {}
    }
    // A complete old tree is not repeated in its proof.
    let (first, rest) = if from.is_power_of_two() {
        (from_root, proof)
    } else if let Some((first, rest)) = proof.split_first() {
        (*first, rest)
    } else {
        return false;
    };
    let shift = (from - 1).trailing_ones();
    let (mut node, mut last) = ((from - 1) >> shift, (to - 1) >> shift);
    let (mut old, mut new) = (first, first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            (old, new) = (Hash::of_node(*sibling, old), Hash::of_node(*sibling, new));
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            new = Hash::of_node(new, *sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && old == from_root && new == to_root
}
