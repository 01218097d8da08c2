//! Leaves of the log, and the roots of its complete subtrees, kept with the leaf that completes them. Only `ledger` writes here.

use diesel::dsl::max;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Text, Uuid};

use super::Tx;
use super::log_schema::leaves;
use crate::domain::EntryId;
use crate::domain::merkle::Hash;
use crate::error::Result;

/// No position lies past it.
const LAST: u64 = u64::MAX >> 1;

/// A number of leaves or a position, as PostgreSQL counts.
pub(crate) fn signed(n: u64) -> Result<i64> {
    Ok(i64::try_from(n).map_err(anyhow::Error::from)?)
}

/// The same, as we do.
pub(crate) fn unsigned(n: i64) -> Result<u64> {
    Ok(u64::try_from(n).map_err(anyhow::Error::from)?)
}

pub(super) fn hash(bytes: Vec<u8>) -> Result<Hash> {
    let bytes =
        bytes.try_into().map_err(|_| anyhow::anyhow!("a hash in the database is not one"))?;
    Ok(Hash(bytes))
}

/// How many leaves there are.
pub fn size(tx: &mut Tx<'_>) -> Result<u64> {
    let last: Option<i64> = leaves::table.select(max(leaves::position)).first(tx.conn)?;
    last.map_or(Ok(0), |last| unsigned(last.saturating_add(1)))
}

/// A leaf to be added.
#[derive(Clone, Debug)]
pub struct NewLeaf {
    /// The entry.
    pub entry: EntryId,
    /// The hash of its receipt.
    pub hash: Hash,
    /// The roots of the subtrees of 256, 65,536, … leaves that it completes, 32 bytes each.
    pub subtree_roots: Option<Vec<u8>>,
}

/// Adds leaves, from that position on.
pub fn insert(tx: &mut Tx<'_>, first: u64, new: &[NewLeaf]) -> Result<()> {
    sql_query(
        "INSERT INTO leaves (position, entry_id, leaf_hash, subtree_roots) \
         SELECT $1 + n - 1, id, hash, roots FROM unnest($2, $3, $4) WITH ORDINALITY AS new (id, hash, roots, n)",
    )
    .bind::<BigInt, _>(signed(first)?)
    .bind::<Array<Uuid>, _>(new.iter().map(|leaf| leaf.entry).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(new.iter().map(|leaf| leaf.hash.0.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Binary>>, _>(
        new.iter().map(|leaf| leaf.subtree_roots.as_deref()).collect::<Vec<_>>(),
    )
    .execute(tx.conn)?;
    Ok(())
}

/// One hash of a tile.
#[derive(QueryableByName)]
struct OfTile {
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
}

/// Hashes of that level, from the first to before the second, of at most one tile: of leaves at level 0, of
/// complete subtrees of 256^level leaves above. Fewer when the log ends before.
pub fn hashes(tx: &mut Tx<'_>, level: i16, begin: u64, end: u64) -> Result<Vec<Hash>> {
    let rows: Vec<OfTile> = if level == 0 {
        sql_query(
            "SELECT leaf_hash AS hash FROM leaves WHERE position >= $1 AND position < $2 ORDER BY position",
        )
        .bind::<BigInt, _>(signed(begin)?)
        .bind::<BigInt, _>(signed(end)?)
        .load(tx.conn)?
    } else {
        let leaves = 256_u64.saturating_pow(u16::try_from(level).unwrap_or(0).into());
        let last_leaf = |number: u64| {
            signed(number.saturating_add(1).saturating_mul(leaves).saturating_sub(1).min(LAST))
        };
        sql_query(
            "SELECT substring(subtree_roots FROM 32 * ($1 - 1) + 1 FOR 32) AS hash FROM leaves \
             WHERE position = ANY($2) ORDER BY position",
        )
        .bind::<Integer, _>(i32::from(level))
        .bind::<Array<BigInt>, _>((begin..end).map(last_leaf).collect::<Result<Vec<_>>>()?)
        .load(tx.conn)?
    };
    rows.into_iter().map(|row| hash(row.hash)).collect()
}

/// Where an entry is sealed.
pub fn position(tx: &mut Tx<'_>, entry: EntryId) -> Result<Option<u64>> {
    let found: Option<i64> = leaves::table
        .filter(leaves::entry_id.eq(entry))
        .select(leaves::position)
        .first(tx.conn)
        .optional()?;
    found.map(unsigned).transpose()
}

/// A leaf with the receipt that it must be of.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Sealed {
    pub position: u64,
    pub entry: EntryId,
    pub leaf_hash: Hash,
    pub subtree_roots: Option<Vec<u8>>,
    /// `None` when the entry is gone.
    pub receipt: Option<String>,
}

/// Leaves with their receipts, from a position on, at most so many.
pub fn with_receipts(tx: &mut Tx<'_>, from: u64, limit: i64) -> Result<Vec<Sealed>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        position: i64,
        #[diesel(sql_type = Uuid)]
        entry_id: EntryId,
        #[diesel(sql_type = Binary)]
        leaf_hash: Vec<u8>,
        #[diesel(sql_type = Nullable<Binary>)]
        subtree_roots: Option<Vec<u8>>,
        #[diesel(sql_type = Nullable<Text>)]
        receipt: Option<String>,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT l.position, l.entry_id, l.leaf_hash, l.subtree_roots, e.receipt FROM leaves l LEFT JOIN entries e ON e.id = l.entry_id \
         WHERE l.position >= $1 ORDER BY l.position LIMIT $2",
    )
    .bind::<BigInt, _>(signed(from)?)
    .bind::<BigInt, _>(limit)
    .load(tx.conn)?;
    let sealed = rows.into_iter().map(|row| {
        Ok(Sealed {
            position: unsigned(row.position)?,
            entry: row.entry_id,
            leaf_hash: hash(row.leaf_hash)?,
            subtree_roots: row.subtree_roots,
            receipt: row.receipt,
        })
    });
    sealed.collect()
}
