//! Password resets: one link per account at a time, kept hashed, good once.

use diesel::prelude::*;

use super::Tx;
use super::account_schema::password_resets;
use crate::domain::{Timestamp, UserId};
use crate::error::Result;

/// When the account's last link was made.
pub fn issued_at(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Timestamp>> {
    Ok(password_resets::table
        .find(user)
        .select(password_resets::issued_at)
        .first(tx.conn)
        .optional()?)
}

/// Keeps the hash of a new link's token (SHA-256, 32 bytes), in the place of the last one's.
pub fn put(tx: &mut Tx<'_>, user: UserId, token_hash: &[u8], expires_at: Timestamp) -> Result<()> {
    let row = (
        password_resets::token_hash.eq(token_hash),
        password_resets::issued_at.eq(tx.now),
        password_resets::expires_at.eq(expires_at),
    );
    diesel::insert_into(password_resets::table)
        .values((password_resets::user_id.eq(user), row))
        .on_conflict(password_resets::user_id)
        .do_update()
        .set(row)
        .execute(tx.conn)?;
    Ok(())
}

/// Whose link that is, while it is good.
pub fn find(tx: &mut Tx<'_>, token_hash: &[u8]) -> Result<Option<UserId>> {
    Ok(password_resets::table
        .filter(password_resets::token_hash.eq(token_hash))
        .filter(password_resets::expires_at.gt(tx.now))
        .select(password_resets::user_id)
        .first(tx.conn)
        .optional()?)
}

/// Uses a link up; says whether it was still good.
pub fn consume(tx: &mut Tx<'_>, token_hash: &[u8]) -> Result<bool> {
    let good = password_resets::table
        .filter(password_resets::token_hash.eq(token_hash))
        .filter(password_resets::expires_at.gt(tx.now));
    Ok(diesel::delete(good).execute(tx.conn)? == 1)
}
