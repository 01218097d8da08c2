//! Second factors: a sealed secret, the last code taken, and the codes on paper.

use diesel::prelude::*;

use super::Tx;
use super::account_schema::{recovery_codes, second_factors};
use crate::domain::{Timestamp, UserId};
use crate::error::Result;

/// A person's second factor.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = second_factors, check_for_backend(diesel::pg::Pg))]
pub struct Factor {
    /// The secret that makes its codes, sealed.
    pub secret_sealed: Vec<u8>,
    /// When a first code was shown; until then it counts for nothing.
    pub confirmed_at: Option<Timestamp>,
}

/// A person's second factor, for this transaction alone.
pub fn lock(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Factor>> {
    Ok(second_factors::table
        .find(user)
        .select(Factor::as_select())
        .for_update()
        .first(tx.conn)
        .optional()?)
}

/// Puts a new one in the place of the last, to be confirmed.
pub fn put(tx: &mut Tx<'_>, user: UserId, secret_sealed: &[u8]) -> Result<()> {
    delete(tx, user)?;
    diesel::insert_into(second_factors::table)
        .values((
            second_factors::user_id.eq(user),
            second_factors::secret_sealed.eq(secret_sealed),
            second_factors::enrolled_at.eq(tx.now),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// A first code was shown.
pub fn confirm(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    diesel::update(second_factors::table.find(user))
        .set(second_factors::confirmed_at.eq(Some(tx.now)))
        .execute(tx.conn)?;
    Ok(())
}

/// Uses the code of that period up; says no when it, or a later one, has served.
pub fn spend_step(tx: &mut Tx<'_>, user: UserId, step: i64) -> Result<bool> {
    let unspent = second_factors::table.find(user).filter(second_factors::last_step.lt(step));
    Ok(diesel::update(unspent).set(second_factors::last_step.eq(step)).execute(tx.conn)? == 1)
}

/// Takes a person's second factor away, with its codes on paper.
pub fn delete(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    diesel::delete(second_factors::table.find(user)).execute(tx.conn)?;
    Ok(())
}

/// Keeps the hashes of a person's codes on paper.
pub fn insert_recovery(tx: &mut Tx<'_>, user: UserId, hashes: &[[u8; 32]]) -> Result<()> {
    let rows: Vec<_> = hashes
        .iter()
        .map(|hash| (recovery_codes::user_id.eq(user), recovery_codes::code_hash.eq(&hash[..])))
        .collect();
    diesel::insert_into(recovery_codes::table).values(&rows).execute(tx.conn)?;
    Ok(())
}

/// Uses a code on paper up; says no when it is none, or has served.
pub fn spend_recovery(tx: &mut Tx<'_>, user: UserId, code_hash: &[u8]) -> Result<bool> {
    let unspent =
        recovery_codes::table.find((user, code_hash)).filter(recovery_codes::used_at.is_null());
    Ok(diesel::update(unspent).set(recovery_codes::used_at.eq(Some(tx.now))).execute(tx.conn)? == 1)
}
