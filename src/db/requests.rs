//! Idempotency: what was answered to each key, refusals included, in the transaction of its effect.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Jsonb, Nullable, Text, Uuid};
use diesel::upsert::on_constraint;

use super::Tx;
use super::schema::requests;
use super::statement::statement;
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

statement! {
    /// A redemption bears its key in its entry, all else in this table: both at once. The limits have each key
    /// looked up by itself: joined, a plan made for an unknown tenant reads all that it has.
    FindUses {
        short_keys: Array<Binary> = [Vec<u8>], users: Array<Uuid> = [UserId], keys: Array<Text> = [String],
    } -> (BigInt, Binary, Nullable<Text>, Nullable<Jsonb>),
    "SELECT a.n, e.request_hash, e.receipt, NULL::jsonb FROM unnest(?) WITH ORDINALITY AS a (key, n), \
     LATERAL (SELECT request_hash, receipt FROM entries WHERE request_key = a.key LIMIT 1) e \
     UNION ALL \
     SELECT a.n, r.body_hash, NULL, r.outcome FROM unnest(?, ?) WITH ORDINALITY AS a (user_id, key, n), \
     LATERAL (SELECT body_hash, outcome FROM requests \
              WHERE user_id = a.user_id AND key = a.key AND outcome IS NOT NULL LIMIT 1) r"
}

/// What a key was used for.
pub enum Use {
    /// A redemption.
    Redemption {
        /// First half of the hash of what it asked.
        request_hash: Vec<u8>,
        /// Its receipt.
        receipt: String,
    },
    /// Anything else, refused redemptions included.
    Other(Earlier),
}

/// What each of these keys was used for, by its place in the list; those that are new are left out.
/// `short_keys` says of redemptions what `users` and `keys` say of all else, in the same order.
pub fn uses(
    tx: &mut Tx<'_>,
    short_keys: &[Vec<u8>],
    users: &[UserId],
    keys: &[String],
) -> Result<HashMap<usize, Use>> {
    type Row = (i64, Vec<u8>, Option<String>, Option<serde_json::Value>);
    let rows: Vec<Row> = FindUses { short_keys, users, keys }.load(tx.conn)?;
    let used = |(n, hash, receipt, outcome): Row| {
        let place = usize::try_from(n).ok()?.checked_sub(1)?;
        let used = match (receipt, outcome) {
            (Some(receipt), _) => Use::Redemption { request_hash: hash, receipt },
            (None, outcome) => Use::Other(Earlier { body_hash: hash, outcome: outcome? }),
        };
        Some((place, used))
    };
    Ok(rows.into_iter().filter_map(used).collect())
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
