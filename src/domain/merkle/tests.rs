//! Against a second implementation, written straight from the recursive definitions of RFC 6962 §2.1.

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

/// MTH(D[n]).
fn mth(leaves: &[Vec<u8>]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest(b"").into(),
        [only] => Sha256::digest([b"\0", only.as_slice()].concat()).into(),
        _ => {
            let (left, right) = leaves.split_at(k(leaves.len()));
            Sha256::digest([b"\x01".as_slice(), &mth(left), &mth(right)].concat()).into()
        }
    }
}

/// The largest power of two smaller than n.
fn k(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// PATH(m, D[n]).
fn path(m: usize, leaves: &[Vec<u8>]) -> Vec<[u8; 32]> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(k(leaves.len()));
    if m < left.len() {
        [path(m, left), vec![mth(right)]].concat()
    } else {
        [path(m - left.len(), right), vec![mth(left)]].concat()
    }
}

/// SUBPROOF(m, D[n], b).
fn subproof(m: usize, leaves: &[Vec<u8>], whole: bool) -> Vec<[u8; 32]> {
    if m == leaves.len() {
        return if whole { Vec::new() } else { vec![mth(leaves)] };
    }
    let (left, right) = leaves.split_at(k(leaves.len()));
    if m <= left.len() {
        [subproof(m, left, whole), vec![mth(right)]].concat()
    } else {
        [subproof(m - left.len(), right, false), vec![mth(left)]].concat()
    }
}

fn leaves(n: usize) -> Vec<Vec<u8>> {
    (0..n).map(|i| format!("leaf {i}").into_bytes()).collect()
}

fn u(n: usize) -> u64 {
    n.try_into().unwrap()
}

/// The hash of a complete subtree, by the other implementation.
fn node_of(leaves: &[Vec<u8>]) -> impl FnMut(Node) -> Result<Hash, ()> {
    |node| {
        let (begin, end) = node.leaves();
        let (begin, end) = (usize::try_from(begin).unwrap(), usize::try_from(end).unwrap());
        Ok(Hash(mth(leaves.get(begin..end).ok_or(())?)))
    }
}

fn bytes(proof: &[Hash]) -> Vec<[u8; 32]> {
    proof.iter().map(|hash| hash.0).collect()
}

fn hex(hash: Hash) -> String {
    hash.0.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Every proof with one bit of one hash flipped, then one hash short, then one long.
fn spoilt(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for at in 0..proof.len() {
        for bit in 0..256 {
            let mut other = proof.to_vec();
            other[at].0[bit / 8] ^= 1 << (bit % 8);
            all.push(other);
        }
        all.push([&proof[..at], &proof[at + 1..]].concat());
    }
    all.push([proof, &[Hash::of_nothing()]].concat());
    all
}

fn flips(hash: Hash) -> impl Iterator<Item = Hash> {
    (0..256).map(move |bit| {
        let mut other = hash;
        other.0[bit / 8] ^= 1 << (bit % 8);
        other
    })
}

#[test]
fn the_vectors_of_certificate_transparency() {
    // The eight inputs that implementations of RFC 6962 are tried on, and the root after each.
    let inputs: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::new();
    assert_eq!(
        hex(frontier.root()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    for (input, root) in inputs.into_iter().zip(roots) {
        frontier.append(Hash::of_leaf(input), |_, _| ());
        assert_eq!(hex(frontier.root()), root);
    }
}

#[test]
fn both_implementations_agree_on_every_small_tree() {
    for n in 1..=64 {
        let leaves = leaves(n);
        let top = Hash(mth(&leaves));
        assert_eq!(root(u(n), node_of(&leaves)), Ok(top));
        for m in 0..n {
            let proof = inclusion_proof(u(m), u(n), node_of(&leaves)).unwrap();
            assert_eq!(bytes(&proof), path(m, &leaves), "{m} of {n}");
            assert!(verify_inclusion(Hash::of_leaf(&leaves[m]), u(m), u(n), &proof, top));
        }
        for m in 1..=n {
            let proof = consistency_proof(u(m), u(n), node_of(&leaves)).unwrap();
            assert_eq!(bytes(&proof), subproof(m, &leaves, true), "{m} to {n}");
            let old = Hash(mth(&leaves[..m]));
            assert!(verify_consistency(u(m), old, u(n), top, &proof), "{m} to {n}");
        }
    }
}

#[test]
fn a_frontier_tells_of_each_complete_tile_once_and_is_read_back() {
    let leaves = leaves(600);
    let (mut frontier, mut told) = (Frontier::new(), Vec::new());
    for leaf in &leaves {
        frontier.append(Hash::of_leaf(leaf), |node, hash| told.push((node, hash)));
    }
    let tile = |index, range| (Node { height: 8, index }, Hash(mth(&leaves[range])));
    assert_eq!(told, [tile(0, 0..256), tile(1, 256..512)]);
    assert_eq!(Frontier::read(600, node_of(&leaves)), Ok(frontier));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn both_implementations_agree(n in 0_usize..300, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let leaves = leaves(n);
        let mut frontier = Frontier::new();
        for leaf in &leaves {
            frontier.append(Hash::of_leaf(leaf), |_, _| ());
        }
        prop_assert_eq!((frontier.size(), frontier.root()), (u(n), Hash(mth(&leaves))));
        if n > 0 {
            let (index, from) = (a.index(n), b.index(n) + 1);
            let inclusion = inclusion_proof(u(index), u(n), node_of(&leaves)).unwrap();
            prop_assert_eq!(bytes(&inclusion), path(index, &leaves));
            let consistency = consistency_proof(u(from), u(n), node_of(&leaves)).unwrap();
            prop_assert_eq!(bytes(&consistency), subproof(from, &leaves, true));
        }
    }

    #[test]
    fn no_single_change_of_an_inclusion_proof_passes(n in 1_usize..300, a in any::<prop::sample::Index>()) {
        let leaves = leaves(n);
        let (index, size, top) = (u(a.index(n)), u(n), Hash(mth(&leaves)));
        let leaf = Hash::of_leaf(&leaves[a.index(n)]);
        let proof = inclusion_proof(index, size, node_of(&leaves)).unwrap();
        prop_assert!(verify_inclusion(leaf, index, size, &proof, top));
        for other in spoilt(&proof) {
            prop_assert!(!verify_inclusion(leaf, index, size, &other, top));
        }
        for other in flips(leaf) {
            prop_assert!(!verify_inclusion(other, index, size, &proof, top));
        }
        for other in flips(top) {
            prop_assert!(!verify_inclusion(leaf, index, size, &proof, other));
        }
        for bit in 0..64 {
            prop_assert!(!verify_inclusion(leaf, index ^ (1 << bit), size, &proof, top));
        }
    }

    #[test]
    fn no_single_change_of_a_consistency_proof_passes(n in 1_usize..300, a in any::<prop::sample::Index>()) {
        let leaves = leaves(n);
        let m = a.index(n) + 1;
        let (from, to, old, new) = (u(m), u(n), Hash(mth(&leaves[..m])), Hash(mth(&leaves)));
        let proof = consistency_proof(from, to, node_of(&leaves)).unwrap();
        prop_assert!(verify_consistency(from, old, to, new, &proof));
        for other in spoilt(&proof) {
            prop_assert!(!verify_consistency(from, old, to, new, &other));
        }
        for other in flips(old) {
            prop_assert!(!verify_consistency(from, other, to, new, &proof));
        }
        for other in flips(new) {
            prop_assert!(!verify_consistency(from, old, to, other, &proof));
        }
        for bit in 0..64 {
            prop_assert!(!verify_consistency(from ^ (1 << bit), old, to, new, &proof));
        }
    }
}
