//! Public keys of other instances, which signed the receipts of programmes that came from them.

use diesel::prelude::*;

use super::Tx;
use super::log_schema::receipt_keys;
use crate::domain::Kid;
use crate::error::Result;

/// Keeps keys that are not kept yet, each with its name.
pub fn learn(tx: &mut Tx<'_>, keys: &[(Kid, [u8; 32])]) -> Result<()> {
    let rows: Vec<_> = keys
        .iter()
        .map(|(kid, key)| {
            (
                receipt_keys::kid.eq(kid.to_string()),
                receipt_keys::public_key.eq(key.to_vec()),
                receipt_keys::learned_at.eq(tx.now),
            )
        })
        .collect();
    diesel::insert_into(receipt_keys::table)
        .values(rows)
        .on_conflict_do_nothing()
        .execute(tx.conn)?;
    Ok(())
}

/// All of them: names and keys.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<(String, Vec<u8>)>> {
    Ok(receipt_keys::table
        .select((receipt_keys::kid, receipt_keys::public_key))
        .order((receipt_keys::learned_at.desc(), receipt_keys::kid))
        .load(tx.conn)?)
}
