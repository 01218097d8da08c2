//! Fundings of orders.

use diesel::prelude::*;

use super::Tx;
use super::schema::fundings;
use crate::domain::{Amount, BusinessDate, EntryId, FundingId, OrderId};
use crate::error::Result;

/// The funding of one order.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = fundings, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Funding {
    pub number: FundingId,
    pub order_number: OrderId,
    pub mandate_reference: String,
    pub amount_cents: Amount,
    pub received_on: BusinessDate,
    pub entry_id: EntryId,
}

/// Writes a new one.
pub fn insert(tx: &mut Tx<'_>, new: &Funding) -> Result<()> {
    diesel::insert_into(fundings::table).values(new).execute(tx.conn)?;
    Ok(())
}

/// The funding of an order, if it has one.
pub fn of_order(tx: &mut Tx<'_>, order: OrderId) -> Result<Option<Funding>> {
    Ok(fundings::table
        .filter(fundings::order_number.eq(order))
        .select(Funding::as_select())
        .first(tx.conn)
        .optional()?)
}

/// The fundings of those of these orders that have one.
pub fn of_orders(tx: &mut Tx<'_>, orders: &[OrderId]) -> Result<Vec<Funding>> {
    Ok(fundings::table
        .filter(fundings::order_number.eq_any(orders))
        .select(Funding::as_select())
        .load(tx.conn)?)
}
