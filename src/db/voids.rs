//! Redemptions undone.

use diesel::prelude::*;

use super::Tx;
use super::schema::voids;
use crate::domain::{EntryId, RedemptionId};
use crate::error::Result;

/// Writes a void, or says that the redemption was undone before.
pub fn insert(tx: &mut Tx<'_>, of: RedemptionId, entry: EntryId, reason: &str) -> Result<()> {
    diesel::insert_into(voids::table)
        .values((
            voids::pass.eq(of.pass),
            voids::cycle.eq(of.cycle),
            voids::entry_id.eq(entry),
            voids::reason.eq(reason),
            voids::voided_at.eq(tx.now),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// Was it undone?
pub fn exists(tx: &mut Tx<'_>, of: RedemptionId) -> Result<bool> {
    let found = voids::table.filter(voids::pass.eq(of.pass).and(voids::cycle.eq(of.cycle)));
    Ok(diesel::select(diesel::dsl::exists(found)).get_result(tx.conn)?)
}
