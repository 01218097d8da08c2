//! The sponsor orders booklets.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::db::orders::{self, Order};
use crate::db::{Tx, programmes, series};
use crate::domain::order::{Dates, Quantity};
use crate::domain::{Action, Actor, OrderId};
use crate::error::Result;

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
    let face_value = programmes::current(tx)?.face_value;
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
    orders::get(tx, number)
}
