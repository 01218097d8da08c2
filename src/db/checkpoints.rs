//! Signed heads of the log, and the keys that signed them. Only `ledger` writes here.

use diesel::prelude::*;

use super::Tx;
use super::leaves::{hash, signed, unsigned};
use super::log_schema::{checkpoints, log_keys};
use crate::domain::Timestamp;
use crate::domain::merkle::Hash;
use crate::error::Result;

/// A signed head.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Head {
    pub size: u64,
    pub root: Hash,
    pub vkey: String,
    pub note: String,
    pub signed_at: Timestamp,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = checkpoints, check_for_backend(diesel::pg::Pg))]
struct Row {
    size: i64,
    root: Vec<u8>,
    vkey: String,
    note: String,
    signed_at: Timestamp,
}

impl TryFrom<Row> for Head {
    type Error = crate::error::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            size: unsigned(row.size)?,
            root: hash(row.root)?,
            vkey: row.vkey,
            note: row.note,
            signed_at: row.signed_at,
        })
    }
}

/// Keeps a head, unless one of that size is kept already.
pub fn insert(tx: &mut Tx<'_>, head: &Head) -> Result<()> {
    diesel::insert_into(log_keys::table)
        .values((log_keys::vkey.eq(&head.vkey), log_keys::first_used_at.eq(head.signed_at)))
        .on_conflict_do_nothing()
        .execute(tx.conn)?;
    diesel::insert_into(checkpoints::table)
        .values((
            checkpoints::size.eq(signed(head.size)?),
            checkpoints::root.eq(head.root.0.to_vec()),
            checkpoints::vkey.eq(&head.vkey),
            checkpoints::note.eq(&head.note),
            checkpoints::signed_at.eq(head.signed_at),
        ))
        .on_conflict_do_nothing()
        .execute(tx.conn)?;
    Ok(())
}

/// The last one.
pub fn last(tx: &mut Tx<'_>) -> Result<Option<Head>> {
    let row: Option<Row> = checkpoints::table
        .order(checkpoints::size.desc())
        .select(Row::as_select())
        .first(tx.conn)
        .optional()?;
    row.map(Head::try_from).transpose()
}

/// Those of a smaller size, largest first, at most so many.
pub fn before(tx: &mut Tx<'_>, size: u64, limit: i64) -> Result<Vec<Head>> {
    let rows: Vec<Row> = checkpoints::table
        .filter(checkpoints::size.lt(signed(size)?))
        .order(checkpoints::size.desc())
        .limit(limit)
        .select(Row::as_select())
        .load(tx.conn)?;
    rows.into_iter().map(Head::try_from).collect()
}

/// Those past a size, up to another included, smallest first.
pub fn between(tx: &mut Tx<'_>, past: u64, to: u64) -> Result<Vec<Head>> {
    let rows: Vec<Row> = checkpoints::table
        .filter(checkpoints::size.gt(signed(past)?).and(checkpoints::size.le(signed(to)?)))
        .order(checkpoints::size)
        .select(Row::as_select())
        .load(tx.conn)?;
    rows.into_iter().map(Head::try_from).collect()
}

/// Every public key that has signed, the newest first.
pub fn keys(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    Ok(log_keys::table
        .order(log_keys::first_used_at.desc())
        .select(log_keys::vkey)
        .load(tx.conn)?)
}
