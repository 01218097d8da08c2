//! Beneficiaries: the only table of identity, sealed.

use diesel::prelude::*;
use diesel::upsert::{excluded, on_constraint};

use super::Tx;
use super::schema::beneficiaries;
use crate::error::Result;

/// Adds passes to what a person received, and returns the new total. The row stays locked until the
/// end of the transaction, so that two hand-overs to one person are counted one after the other.
#[expect(clippy::arithmetic_side_effects, reason = "PostgreSQL adds, and refuses what overflows")]
pub fn receive(
    tx: &mut Tx<'_>,
    person_key: &[u8],
    identity_sealed: &[u8],
    passes: i32,
) -> Result<i32> {
    Ok(diesel::insert_into(beneficiaries::table)
        .values((
            beneficiaries::person_key.eq(person_key),
            beneficiaries::identity_sealed.eq(identity_sealed),
            beneficiaries::passes_received.eq(passes),
            beneficiaries::first_seen_at.eq(tx.now),
            beneficiaries::last_seen_at.eq(tx.now),
        ))
        .on_conflict(on_constraint("beneficiaries_pkey"))
        .do_update()
        .set((
            beneficiaries::passes_received
                .eq(beneficiaries::passes_received + excluded(beneficiaries::passes_received)),
            beneficiaries::last_seen_at.eq(excluded(beneficiaries::last_seen_at)),
        ))
        .returning(beneficiaries::passes_received)
        .get_result(tx.conn)?)
}

/// Makes whoever counts what one of these people spent wait until the end of this transaction. In the order of
/// the key.
pub fn lock(tx: &mut Tx<'_>, person_keys: &[Vec<u8>]) -> Result<()> {
    beneficiaries::table
        .filter(beneficiaries::person_key.eq_any(person_keys))
        .order(beneficiaries::person_key)
        .select(beneficiaries::person_key)
        .for_no_key_update()
        .load::<Vec<u8>>(tx.conn)?;
    Ok(())
}
