//! Idempotency: what was answered to each key, refusals included, in the transaction of its effect.

use diesel::prelude::*;
use diesel::upsert::on_constraint;

use super::Tx;
use super::schema::requests;
use crate::domain::UserId;
use crate::error::Result;

/// A request that was made before.
pub struct Earlier {
    /// SHA-256 of what it asked.
    pub body_hash: Vec<u8>,
    /// What it was answered.
    pub outcome: serde_json::Value,
}

/// Takes the key for this transaction, or returns what it was used for. A twin at work on the same
/// key is waited for.
pub fn claim(
    tx: &mut Tx<'_>,
    user: UserId,
    key: &str,
    body_hash: &[u8],
) -> Result<Option<Earlier>> {
    let written = diesel::insert_into(requests::table)
        .values((
            requests::user_id.eq(user),
            requests::key.eq(key),
            requests::body_hash.eq(body_hash),
            requests::at.eq(tx.now),
        ))
        .on_conflict(on_constraint("requests_pkey"))
        .do_nothing()
        .execute(tx.conn)?;
    if written == 1 {
        return Ok(None);
    }
    // A second statement: the one above waited, and its snapshot is older than what it waited for.
    find(tx, user, key)
}

/// What a key was used for.
pub fn find(tx: &mut Tx<'_>, user: UserId, key: &str) -> Result<Option<Earlier>> {
    let found: Option<(Vec<u8>, Option<serde_json::Value>)> = requests::table
        .filter(requests::user_id.eq(user).and(requests::key.eq(key)))
        .select((requests::body_hash, requests::outcome))
        .first(tx.conn)
        .optional()?;
    Ok(found.and_then(|(body_hash, outcome)| Some(Earlier { body_hash, outcome: outcome? })))
}

/// A key and what was answered to it.
pub struct Answered<'a> {
    /// Who asked.
    pub user: UserId,
    /// The key.
    pub key: &'a str,
    /// SHA-256 of what it asked.
    pub body_hash: &'a [u8],
    /// What it was answered.
    pub outcome: serde_json::Value,
}

/// Keeps keys and their answers at once; a twin that was faster is left alone.
pub fn insert(tx: &mut Tx<'_>, answered: &[Answered<'_>]) -> Result<()> {
    let rows: Vec<_> = answered
        .iter()
        .map(|answered| {
            (
                requests::user_id.eq(answered.user),
                requests::key.eq(answered.key),
                requests::body_hash.eq(answered.body_hash),
                requests::outcome.eq(&answered.outcome),
                requests::at.eq(tx.now),
            )
        })
        .collect();
    diesel::insert_into(requests::table)
        .values(rows)
        .on_conflict(on_constraint("requests_pkey"))
        .do_nothing()
        .execute(tx.conn)?;
    Ok(())
}

/// Keeps the answer beside its key.
pub fn conclude(
    tx: &mut Tx<'_>,
    user: UserId,
    key: &str,
    outcome: &serde_json::Value,
) -> Result<()> {
    diesel::update(requests::table.filter(requests::user_id.eq(user).and(requests::key.eq(key))))
        .set(requests::outcome.eq(outcome))
        .execute(tx.conn)?;
    Ok(())
}
