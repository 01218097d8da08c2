//! Another person approves what one has ordered.

use crate::db::Tx;
use crate::db::orders::{self, Order};
use crate::domain::{Action, Actor, OrderId, Refusal};
use crate::error::Result;

/// Approves an order. Maker is never checker.
pub fn approve(tx: &mut Tx<'_>, actor: &Actor, number: OrderId) -> Result<Order> {
    actor.require(Action::ApproveOrder)?;
    let order = orders::lock(tx, number)?;
    if order.approved_by.is_some() {
        return Err(Refusal::wrong_state("order", "elle est déjà approuvée").into());
    }
    if order.placed_by == actor.user {
        return Err(Refusal::MakerIsChecker.into());
    }
    orders::set_approved(tx, number, actor.user)?;
    orders::get(tx, number)
}
