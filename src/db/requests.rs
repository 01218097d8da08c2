//! Idempotency: what was answered to each key, refusals included, in the transaction of its effect.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Binary, Jsonb, Text, Uuid};
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

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Uuid)]
    user_id: UserId,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Binary)]
    body_hash: Vec<u8>,
    #[diesel(sql_type = Jsonb)]
    outcome: serde_json::Value,
}

/// What each of these keys was used for; those that are new are left out. Planned at each call, as
/// [`super::entries::by_request_keys`] is and for the same reason.
pub fn find_many(
    tx: &mut Tx<'_>,
    users: &[UserId],
    keys: &[String],
) -> Result<Vec<(UserId, String, Earlier)>> {
    let found: Vec<Found> = sql_query(
        "SELECT r.user_id, r.key, r.body_hash, r.outcome FROM unnest($1, $2) AS a (user_id, key) JOIN requests r USING (user_id, key)
         WHERE r.outcome IS NOT NULL",
    )
    .bind::<Array<Uuid>, _>(users)
    .bind::<Array<Text>, _>(keys)
    .load(tx.conn)?;
    let earlier = |found: Found| Earlier { body_hash: found.body_hash, outcome: found.outcome };
    Ok(found.into_iter().map(|found| (found.user_id, found.key.clone(), earlier(found))).collect())
}

/// Keeps a key and its answer at once; a twin that was faster is left alone.
pub fn insert(
    tx: &mut Tx<'_>,
    user: UserId,
    key: &str,
    body_hash: &[u8],
    outcome: &serde_json::Value,
) -> Result<()> {
    diesel::insert_into(requests::table)
        .values((
            requests::user_id.eq(user),
            requests::key.eq(key),
            requests::body_hash.eq(body_hash),
            requests::outcome.eq(outcome),
            requests::at.eq(tx.now),
        ))
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
