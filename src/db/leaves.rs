//! Leaves of the log, and the roots of its complete subtrees. Only `ledger` writes here.

use diesel::dsl::max;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text, Uuid};

use super::Tx;
use super::schema::{leaves, subtrees};
use crate::domain::EntryId;
use crate::domain::merkle::Hash;
use crate::error::Result;

/// A number of leaves or a position, as PostgreSQL counts.
pub(crate) fn signed(n: u64) -> Result<i64> {
    Ok(i64::try_from(n).map_err(anyhow::Error::from)?)
}

/// The same, as we do.
pub(crate) fn unsigned(n: i64) -> Result<u64> {
    Ok(u64::try_from(n).map_err(anyhow::Error::from)?)
}

pub(super) fn hash(bytes: Vec<u8>) -> Result<Hash> {
    let bytes = bytes.try_into().map_err(|_| anyhow::anyhow!("a hash in the database is not one"))?;
    Ok(Hash(bytes))
}

/// How many leaves there are.
pub fn size(tx: &mut Tx<'_>) -> Result<u64> {
    let last: Option<i64> = leaves::table.select(max(leaves::position)).first(tx.conn)?;
    last.map_or(Ok(0), |last| unsigned(last.saturating_add(1)))
}

/// Adds leaves, from that position on.
pub fn insert(tx: &mut Tx<'_>, first: u64, new: &[(EntryId, Hash)]) -> Result<()> {
    let (ids, hashes): (Vec<EntryId>, Vec<&[u8]>) =
        new.iter().map(|(id, hash)| (*id, hash.0.as_slice())).unzip();
    sql_query(
        "INSERT INTO leaves (position, entry_id, leaf_hash) \
         SELECT $1 + n - 1, id, hash FROM unnest($2, $3) WITH ORDINALITY AS new (id, hash, n)",
    )
    .bind::<BigInt, _>(signed(first)?)
    .bind::<Array<Uuid>, _>(ids)
    .bind::<Array<Binary>, _>(hashes)
    .execute(tx.conn)?;
    Ok(())
}

/// Adds roots of complete subtrees: level, number, root.
pub fn insert_subtrees(tx: &mut Tx<'_>, new: &[(i16, u64, Hash)]) -> Result<()> {
    let mut rows = Vec::with_capacity(new.len());
    for (level, number, root) in new {
        rows.push((
            subtrees::level.eq(*level),
            subtrees::number.eq(signed(*number)?),
            subtrees::root.eq(root.0.to_vec()),
        ));
    }
    diesel::insert_into(subtrees::table).values(rows).execute(tx.conn)?;
    Ok(())
}

/// Hashes of that level, from the first to before the second: of leaves at level 0, of complete subtrees
/// of 256^level leaves above. Fewer when the log ends before.
pub fn hashes(tx: &mut Tx<'_>, level: i16, begin: u64, end: u64) -> Result<Vec<Hash>> {
    let (begin, end) = (signed(begin)?, signed(end)?);
    let rows: Vec<Vec<u8>> = if level == 0 {
        leaves::table
            .filter(leaves::position.ge(begin).and(leaves::position.lt(end)))
            .order(leaves::position)
            .select(leaves::leaf_hash)
            .load(tx.conn)?
    } else {
        subtrees::table
            .filter(subtrees::level.eq(level))
            .filter(subtrees::number.ge(begin).and(subtrees::number.lt(end)))
            .order(subtrees::number)
            .select(subtrees::root)
            .load(tx.conn)?
    };
    rows.into_iter().map(hash).collect()
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
        #[diesel(sql_type = Nullable<Text>)]
        receipt: Option<String>,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT l.position, l.entry_id, l.leaf_hash, e.receipt FROM leaves l LEFT JOIN entries e ON e.id = l.entry_id \
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
            receipt: row.receipt,
        })
    });
    sealed.collect()
}

/// Every root of a complete subtree of that level, in order.
pub fn subtrees(tx: &mut Tx<'_>, level: i16) -> Result<Vec<(u64, Hash)>> {
    let rows: Vec<(i64, Vec<u8>)> = subtrees::table
        .filter(subtrees::level.eq(level))
        .order(subtrees::number)
        .select((subtrees::number, subtrees::root))
        .load(tx.conn)?;
    rows.into_iter().map(|(number, root)| Ok((unsigned(number)?, hash(root)?))).collect()
}
