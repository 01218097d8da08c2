//! Refresh tokens: kept hashed, good for one use.

use diesel::prelude::*;

use super::Tx;
use super::schema::refresh_tokens;
use crate::domain::{ProgrammeId, Timestamp, UserId};
use crate::error::Result;

/// Keeps a new token's hash (SHA-256, 32 bytes).
pub fn insert(
    tx: &mut Tx<'_>,
    token_hash: &[u8],
    user: UserId,
    programme: ProgrammeId,
    expires_at: Timestamp,
) -> Result<()> {
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::token_hash.eq(token_hash),
            refresh_tokens::user_id.eq(user),
            refresh_tokens::programme_id.eq(programme),
            refresh_tokens::issued_at.eq(tx.now),
            refresh_tokens::expires_at.eq(expires_at),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// Uses a token up, and says whose it was; `None` for one that is unknown, used or too old.
pub fn consume(tx: &mut Tx<'_>, token_hash: &[u8]) -> Result<Option<(UserId, ProgrammeId)>> {
    let found =
        diesel::delete(refresh_tokens::table.filter(refresh_tokens::token_hash.eq(token_hash)))
            .returning((
                refresh_tokens::user_id,
                refresh_tokens::programme_id,
                refresh_tokens::expires_at,
            ))
            .get_result::<(UserId, ProgrammeId, Timestamp)>(tx.conn)
            .optional()?;
    Ok(found
        .filter(|(_, _, expires_at)| *expires_at > tx.now)
        .map(|(user, programme, _)| (user, programme)))
}
