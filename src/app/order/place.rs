//! The sponsor orders booklets.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::db::orders::{self, Order};
use crate::db::{Tx, programmes, series};
use crate::domain::entry::EntryKind;
use crate::domain::order::{Dates, Quantity};
use crate::domain::{Action, Actor, OrderId};
use crate::error::Result;
use crate::ledger::{self, Entry};

/// What is ordered.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// How many booklets.
    pub quantity: Quantity,
    /// Until when they are good.
    pub dates: Dates,
}

/// Places an order; it waits for another person's approval.
pub fn place(tx: &mut Tx<'_>, actor: &Actor, new: NewOrder) -> Result<Order> {
    actor.require(Action::PlaceOrder)?;
    new.quantity.ensure_sound()?;
    new.dates.ensure_sound(tx.today())?;
    let programme = programmes::current(tx)?;
    let face_value = programme.face_value;
    let number = OrderId::new(series::next(tx, "order")?);
    orders::insert(
        tx,
        &orders::NewOrder {
            number,
            quantity: new.quantity,
            dates: new.dates,
            face_value,
            amount: new.quantity.worth(face_value)?,
            placed_by: actor.user,
        },
    )?;
    let order = orders::get(tx, number)?;
    let facts = json!({
        "order": number, "booklets_of_10": order.booklets_of_10, "booklets_of_5": order.booklets_of_5,
        "amount_cents": order.amount_cents,
    });
    let entry = Entry::new(tx, EntryKind::OrderPlacement, actor.user, facts)
        .changed("orders", number.get());
    ledger::record(tx, &programme.code, entry)?;
    Ok(order)
}
