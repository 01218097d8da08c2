//! Deliveries to prescribers, and what each counted.

use diesel::prelude::*;

use super::Tx;
use super::schema::{deliveries, delivery_receipts};
use crate::domain::{BookletId, DeliveryId, EntryId, OrganisationId, Refusal, Timestamp, UserId};
use crate::error::Result;

/// What the sender declared.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = deliveries, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Delivery {
    pub number: DeliveryId,
    pub prescriber: OrganisationId,
    pub first_booklet: BookletId,
    pub last_booklet: BookletId,
    pub sent_at: Timestamp,
    pub sent_by: UserId,
    pub entry_id: EntryId,
}

/// What the receiver counted.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = delivery_receipts, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct DeliveryReceipt {
    pub delivery: DeliveryId,
    pub received_at: Timestamp,
    pub received_by: UserId,
    pub missing_booklets: Vec<i32>,
    pub entry_id: EntryId,
}

/// Writes a new delivery.
pub fn insert(tx: &mut Tx<'_>, new: &Delivery) -> Result<()> {
    diesel::insert_into(deliveries::table).values(new).execute(tx.conn)?;
    Ok(())
}

/// Writes what was counted; false when the delivery was acknowledged before.
pub fn acknowledge(tx: &mut Tx<'_>, new: &DeliveryReceipt) -> Result<bool> {
    Ok(diesel::insert_into(delivery_receipts::table)
        .values(new)
        .on_conflict_do_nothing()
        .execute(tx.conn)?
        == 1)
}

/// The delivery of that number.
pub fn get(tx: &mut Tx<'_>, number: DeliveryId) -> Result<Delivery> {
    let found =
        deliveries::table.filter(deliveries::number.eq(number)).select(Delivery::as_select());
    Ok(found.first(tx.conn).optional()?.ok_or(Refusal::not_found("delivery"))?)
}

/// A page of deliveries by number, of one prescriber or of all, each with what was counted.
pub fn page(
    tx: &mut Tx<'_>,
    prescriber: Option<OrganisationId>,
    after: DeliveryId,
    limit: i64,
) -> Result<Vec<(Delivery, Option<DeliveryReceipt>)>> {
    let mut found = deliveries::table
        .left_join(delivery_receipts::table.on(delivery_receipts::delivery.eq(deliveries::number)))
        .filter(deliveries::number.gt(after))
        .order(deliveries::number)
        .limit(limit)
        .select((Delivery::as_select(), Option::<DeliveryReceipt>::as_select()))
        .into_boxed();
    if let Some(prescriber) = prescriber {
        found = found.filter(deliveries::prescriber.eq(prescriber));
    }
    Ok(found.load(tx.conn)?)
}

diesel::allow_tables_to_appear_in_same_query!(deliveries, delivery_receipts);
