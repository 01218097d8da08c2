//! Refresh tokens: kept hashed, good for one use, kept after it so that a second one shows.

use diesel::prelude::*;

use super::Tx;
use super::account_schema::refresh_tokens;
use crate::domain::{SessionId, Timestamp};
use crate::error::Result;

/// Keeps a new token's hash (SHA-256, 32 bytes).
pub fn insert(tx: &mut Tx<'_>, token_hash: &[u8], session: SessionId) -> Result<()> {
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::token_hash.eq(token_hash),
            refresh_tokens::session_id.eq(session),
            refresh_tokens::issued_at.eq(tx.now),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// The session that a token is of.
pub fn session_of(tx: &mut Tx<'_>, token_hash: &[u8]) -> Result<Option<SessionId>> {
    Ok(refresh_tokens::table
        .find(token_hash)
        .select(refresh_tokens::session_id)
        .first(tx.conn)
        .optional()?)
}

/// Has it served, and when? `None` for a token that is not there.
pub fn used_at(tx: &mut Tx<'_>, token_hash: &[u8]) -> Result<Option<Option<Timestamp>>> {
    Ok(refresh_tokens::table
        .find(token_hash)
        .select(refresh_tokens::used_at)
        .first(tx.conn)
        .optional()?)
}

/// It has served now.
pub fn mark_used(tx: &mut Tx<'_>, token_hash: &[u8]) -> Result<()> {
    diesel::update(refresh_tokens::table.find(token_hash))
        .set(refresh_tokens::used_at.eq(Some(tx.now)))
        .execute(tx.conn)?;
    Ok(())
}
