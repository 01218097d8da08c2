//! Settlements.

use diesel::prelude::*;

use super::Tx;
use super::schema::settlements;
use crate::domain::{BusinessDate, Refusal, SettlementId, Timestamp, UserId};
use crate::error::Result;

/// A settlement, as prepared, and its approval.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = settlements, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Settlement {
    pub number: SettlementId,
    pub cut_off_on: BusinessDate,
    pub execution_on: BusinessDate,
    pub prepared_by: UserId,
    pub prepared_at: Timestamp,
    pub approved_by: Option<UserId>,
    pub approved_at: Option<Timestamp>,
}

/// Writes a prepared settlement.
pub fn insert(tx: &mut Tx<'_>, new: &Settlement) -> Result<()> {
    diesel::insert_into(settlements::table).values(new).execute(tx.conn)?;
    Ok(())
}

/// The settlement of that number.
pub fn get(tx: &mut Tx<'_>, number: SettlementId) -> Result<Settlement> {
    let found =
        settlements::table.filter(settlements::number.eq(number)).select(Settlement::as_select());
    Ok(found.first(tx.conn).optional()?.ok_or(Refusal::not_found("settlement"))?)
}

/// The same, locked.
pub fn lock(tx: &mut Tx<'_>, number: SettlementId) -> Result<Settlement> {
    let found = settlements::table
        .filter(settlements::number.eq(number))
        .select(Settlement::as_select())
        .for_update();
    Ok(found.first(tx.conn).optional()?.ok_or(Refusal::not_found("settlement"))?)
}

/// A page of them by number.
pub fn page(tx: &mut Tx<'_>, after: SettlementId, limit: i64) -> Result<Vec<Settlement>> {
    Ok(settlements::table
        .filter(settlements::number.gt(after))
        .order(settlements::number)
        .limit(limit)
        .select(Settlement::as_select())
        .load(tx.conn)?)
}

/// Keeps an approval.
#[expect(clippy::arithmetic_side_effects, reason = "PostgreSQL adds, and refuses what overflows")]
pub fn set_approved(tx: &mut Tx<'_>, number: SettlementId, by: UserId) -> Result<()> {
    diesel::update(settlements::table.filter(settlements::number.eq(number)))
        .set((
            settlements::approved_by.eq(by),
            settlements::approved_at.eq(tx.now),
            settlements::revision.eq(settlements::revision + 1),
        ))
        .execute(tx.conn)?;
    Ok(())
}
