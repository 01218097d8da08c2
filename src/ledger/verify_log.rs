//! The log, held against the journal: every leaf hashed again from its receipt, the tree grown again from
//! its leaves, every checkpoint compared with it on the way.

use super::sealer;
use super::verify::Check;
use crate::db::leaves::Sealed;
use crate::db::{Tx, audit, checkpoints, leaves};
use crate::domain::merkle::{Frontier, Hash};
use crate::domain::note::{Checkpoint, Note, Verifier};
use crate::error::Result;

/// Leaves and receipts read at once.
const BATCH: i64 = 5_000;

/// What breaks a rule: how many, and the first of them.
#[derive(Default)]
struct Broken {
    n: i64,
    first: Option<String>,
}

impl Broken {
    fn add(&mut self, what: impl FnOnce() -> String) {
        self.n = self.n.saturating_add(1);
        self.first.get_or_insert_with(what);
    }

    fn check(self, code: &'static str, rule: &'static str) -> Check {
        Check { code, rule, holds: self.n == 0, difference: self.n, first: self.first }
    }
}

/// The tree as it is grown again.
struct Walk {
    frontier: Frontier,
    signed_until: u64,
    receipts: Broken,
    positions: Broken,
    tree: Broken,
    signatures: Broken,
}

/// Every rule of the log.
pub fn verify(tx: &mut Tx<'_>) -> Result<Vec<Check>> {
    let walk = walk(tx, None)?;
    let sealed = audit::run(tx, UNSEALED)?;
    Ok(vec![
        walk.positions.check("positions_have_no_gap", "Les feuilles du journal public se suivent"),
        walk.receipts.check(
            "leaves_are_receipts",
            "Chaque feuille du journal public est l'empreinte d'un récépissé inchangé",
        ),
        walk.tree.check(
            "tree_grows_from_leaves",
            "L'arbre du journal public se recalcule depuis ses feuilles",
        ),
        walk.signatures.check(
            "checkpoints_are_of_the_tree",
            "Chaque point de contrôle est signé, et c'est celui de l'arbre",
        ),
        Broken { n: sealed.n, first: sealed.first }
            .check("every_entry_is_sealed", "Aucune écriture n'a échappé au scellement"),
    ])
}

/// Is a checkpoint kept elsewhere one of this log?
pub fn verify_kept(tx: &mut Tx<'_>, note: &Note) -> Result<Check> {
    let mut broken = Broken::default();
    match signed_by_a_known_key(tx, note)? {
        None => broken.add(|| "aucune clé de ce journal ne l'a signé".into()),
        Some(kept) => {
            let size = leaves::size(tx)?;
            if kept.size > size {
                broken.add(|| {
                    format!("il compte {} feuilles, le journal n'en a plus que {size} : sa fin a été coupée", kept.size)
                });
            } else if walk(tx, Some(kept.size))?.frontier.root() != kept.root {
                broken
                    .add(|| format!("les {} premières feuilles ne sont plus les mêmes", kept.size));
            }
        }
    }
    Ok(broken.check(
        "kept_checkpoint_is_of_the_log",
        "Le journal public prolonge le point de contrôle conservé ailleurs",
    ))
}

fn signed_by_a_known_key(tx: &mut Tx<'_>, note: &Note) -> Result<Option<Checkpoint>> {
    let keys = checkpoints::keys(tx)?;
    let mut verifiers = keys.iter().filter_map(|key| key.parse::<Verifier>().ok());
    Ok(verifiers.find_map(|verifier| note.verify(&verifier).ok()))
}

/// Grows the tree again, of all leaves there are now or of the first `until`.
fn walk(tx: &mut Tx<'_>, until: Option<u64>) -> Result<Walk> {
    let mut walk = Walk {
        frontier: Frontier::new(),
        signed_until: 0,
        receipts: Broken::default(),
        positions: Broken::default(),
        tree: Broken::default(),
        signatures: Broken::default(),
    };
    let end = until.map_or_else(|| leaves::size(tx), Ok)?;
    let mut next = 0;
    while next < end {
        let mut batch = leaves::with_receipts(tx, next, BATCH)?;
        batch.retain(|leaf| leaf.position < end);
        let Some(last) = batch.last() else { break };
        next = last.position.saturating_add(1);
        let signed = checkpoints::between(tx, walk.signed_until, next)?;
        walk.signed_until = next;
        walk.grow(&batch, signed);
    }
    if until.is_none() {
        for head in checkpoints::between(tx, end, u64::MAX >> 1)? {
            walk.signatures.add(|| format!("taille {} : sa fin a été coupée", head.size));
        }
    }
    Ok(walk)
}

impl Walk {
    fn grow(&mut self, batch: &[Sealed], signed: Vec<checkpoints::Head>) {
        let mut signed = signed.into_iter().peekable();
        for leaf in batch {
            if leaf.position != self.frontier.size() {
                self.positions.add(|| format!("feuille {}", self.frontier.size()));
            }
            let hash = leaf.receipt.as_ref().map(|receipt| Hash::of_leaf(receipt.as_bytes()));
            if hash != Some(leaf.leaf_hash) {
                self.receipts.add(|| format!("{} (feuille {})", leaf.entry, leaf.position));
            }
            // As it was sealed: a leaf changed together with its receipt does not fit its checkpoint.
            if sealer::grow(&mut self.frontier, leaf.leaf_hash) != leaf.subtree_roots {
                self.tree.add(|| format!("feuille {}", leaf.position));
            }
            while let Some(head) = signed.next_if(|head| head.size <= self.frontier.size()) {
                self.compare(&head);
            }
        }
    }

    fn compare(&mut self, head: &checkpoints::Head) {
        let signed = head
            .vkey
            .parse::<Verifier>()
            .and_then(|verifier| head.note.parse::<Note>().and_then(|note| note.verify(&verifier)));
        let is_ours =
            signed.is_ok_and(|signed| (signed.size, signed.root) == (head.size, head.root));
        let is_of_the_tree = (head.size, head.root) == (self.frontier.size(), self.frontier.root());
        if !is_ours || !is_of_the_tree {
            self.signatures.add(|| format!("taille {}", head.size));
        }
    }
}

/// Entries that a seal has passed over, or left waiting while others were sealed a quarter of an hour after.
const UNSEALED: &str = "SELECT e.id::text FROM entries e, logs g
     WHERE (e.xid < g.horizon OR e.recorded_at < (SELECT max(signed_at) - interval '15 minutes' FROM checkpoints))
       AND NOT EXISTS (SELECT FROM leaves l WHERE l.entry_id = e.id)";
