//! Orders of booklets, and where each stands.

use diesel::prelude::*;

use super::Tx;
use super::schema::orders;
use crate::domain::order::{Dates, Quantity};
use crate::domain::{Amount, BusinessDate, EntryId, OrderId, Refusal, Timestamp, UserId};
use crate::error::Result;

/// An order, as placed, and what has become of it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = orders, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Order {
    pub number: OrderId,
    pub booklets_of_10: i32,
    pub booklets_of_5: i32,
    pub face_value_cents: Amount,
    pub amount_cents: Amount,
    pub last_hand_over_on: BusinessDate,
    pub last_use_on: BusinessDate,
    pub last_presentation_on: BusinessDate,
    pub placed_by: UserId,
    pub placed_at: Timestamp,
    pub approved_by: Option<UserId>,
    pub approved_at: Option<Timestamp>,
    pub minted_by: Option<UserId>,
    pub mint_entry: Option<EntryId>,
    pub print_key_sealed: Option<Vec<u8>>,
    pub print_entry: Option<EntryId>,
}

impl Order {
    /// Booklets of each size.
    pub fn quantity(&self) -> Quantity {
        Quantity { booklets_of_10: self.booklets_of_10, booklets_of_5: self.booklets_of_5 }
    }

    /// Its three dates.
    pub fn dates(&self) -> Dates {
        Dates {
            last_hand_over_on: self.last_hand_over_on,
            last_use_on: self.last_use_on,
            last_presentation_on: self.last_presentation_on,
        }
    }
}

/// What is written when an order is placed.
pub struct NewOrder {
    /// Next in its series.
    pub number: OrderId,
    /// How many booklets.
    pub quantity: Quantity,
    /// Until when.
    pub dates: Dates,
    /// What a pass is worth.
    pub face_value: Amount,
    /// What they are all worth.
    pub amount: Amount,
    /// Who asks.
    pub placed_by: UserId,
}

/// Writes a new order.
pub fn insert(tx: &mut Tx<'_>, new: &NewOrder) -> Result<()> {
    diesel::insert_into(orders::table)
        .values((
            orders::number.eq(new.number),
            orders::booklets_of_10.eq(new.quantity.booklets_of_10),
            orders::booklets_of_5.eq(new.quantity.booklets_of_5),
            orders::face_value_cents.eq(new.face_value),
            orders::amount_cents.eq(new.amount),
            orders::last_hand_over_on.eq(new.dates.last_hand_over_on),
            orders::last_use_on.eq(new.dates.last_use_on),
            orders::last_presentation_on.eq(new.dates.last_presentation_on),
            orders::placed_by.eq(new.placed_by),
            orders::placed_at.eq(tx.now),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// The order of that number.
pub fn get(tx: &mut Tx<'_>, number: OrderId) -> Result<Order> {
    let found = orders::table.filter(orders::number.eq(number)).select(Order::as_select());
    Ok(found.first(tx.conn).optional()?.ok_or(Refusal::not_found("order"))?)
}

/// The same, locked until the end of the transaction: whoever changes an order takes it first.
pub fn lock(tx: &mut Tx<'_>, number: OrderId) -> Result<Order> {
    let found =
        orders::table.filter(orders::number.eq(number)).select(Order::as_select()).for_update();
    Ok(found.first(tx.conn).optional()?.ok_or(Refusal::not_found("order"))?)
}

/// A page of them by number.
pub fn page(tx: &mut Tx<'_>, after: OrderId, limit: i64) -> Result<Vec<Order>> {
    Ok(orders::table
        .filter(orders::number.gt(after))
        .order(orders::number)
        .limit(limit)
        .select(Order::as_select())
        .load(tx.conn)?)
}

/// Keeps an approval.
#[expect(clippy::arithmetic_side_effects, reason = "PostgreSQL adds, and refuses what overflows")]
pub fn set_approved(tx: &mut Tx<'_>, number: OrderId, by: UserId) -> Result<()> {
    diesel::update(orders::table.filter(orders::number.eq(number)))
        .set((
            orders::approved_by.eq(by),
            orders::approved_at.eq(tx.now),
            orders::revision.eq(orders::revision + 1),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// Keeps the minting, and the sealed key of its codes.
#[expect(clippy::arithmetic_side_effects, reason = "PostgreSQL adds, and refuses what overflows")]
pub fn set_minted(
    tx: &mut Tx<'_>,
    number: OrderId,
    by: UserId,
    entry: EntryId,
    print_key_sealed: &[u8],
) -> Result<()> {
    diesel::update(orders::table.filter(orders::number.eq(number)))
        .set((
            orders::minted_by.eq(by),
            orders::mint_entry.eq(entry),
            orders::print_key_sealed.eq(print_key_sealed),
            orders::revision.eq(orders::revision + 1),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// Keeps the printer's delivery, and destroys the key.
#[expect(clippy::arithmetic_side_effects, reason = "PostgreSQL adds, and refuses what overflows")]
pub fn set_printed(tx: &mut Tx<'_>, number: OrderId, entry: EntryId) -> Result<()> {
    diesel::update(orders::table.filter(orders::number.eq(number)))
        .set((
            orders::print_entry.eq(entry),
            orders::print_key_sealed.eq(None::<Vec<u8>>),
            orders::revision.eq(orders::revision + 1),
        ))
        .execute(tx.conn)?;
    Ok(())
}
