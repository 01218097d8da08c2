//! What proves that a settlement was executed: a document, declared by one person, confirmed by another.

use diesel::prelude::*;

use super::Tx;
use super::schema::executions;
use crate::domain::{BusinessDate, Refusal, SettlementId, Timestamp, UserId};
use crate::error::Result;

/// A declared execution, and its confirmation.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = executions, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Execution {
    pub settlement: SettlementId,
    pub settlement_approved_by: UserId,
    pub executed_on: BusinessDate,
    pub document_name: String,
    pub document_sha256: Vec<u8>,
    pub declared_by: UserId,
    pub declared_at: Timestamp,
    pub confirmed_by: Option<UserId>,
    pub confirmed_at: Option<Timestamp>,
}

/// Writes a declaration; false when there was one.
pub fn insert(tx: &mut Tx<'_>, new: &Execution) -> Result<bool> {
    Ok(diesel::insert_into(executions::table)
        .values(new)
        .on_conflict_do_nothing()
        .execute(tx.conn)?
        == 1)
}

/// The execution of a settlement, if one was declared.
pub fn find(tx: &mut Tx<'_>, settlement: SettlementId) -> Result<Option<Execution>> {
    let found = executions::table
        .filter(executions::settlement.eq(settlement))
        .select(Execution::as_select());
    Ok(found.first(tx.conn).optional()?)
}

/// The same, locked; refused when none was declared.
pub fn lock(tx: &mut Tx<'_>, settlement: SettlementId) -> Result<Execution> {
    let found = executions::table
        .filter(executions::settlement.eq(settlement))
        .select(Execution::as_select())
        .for_update();
    Ok(found.first(tx.conn).optional()?.ok_or(Refusal::not_found("execution"))?)
}

/// Keeps a confirmation.
#[expect(clippy::arithmetic_side_effects, reason = "PostgreSQL adds, and refuses what overflows")]
pub fn set_confirmed(tx: &mut Tx<'_>, settlement: SettlementId, by: UserId) -> Result<()> {
    diesel::update(executions::table.filter(executions::settlement.eq(settlement)))
        .set((
            executions::confirmed_by.eq(by),
            executions::confirmed_at.eq(tx.now),
            executions::revision.eq(executions::revision + 1),
        ))
        .execute(tx.conn)?;
    Ok(())
}
