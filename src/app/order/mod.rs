//! From an order to passes in the sponsor's stock: placed, approved, minted, printed, funded.

mod approve;
mod confirm_print;
mod fund;
mod mint;
mod place;
mod print;

pub use approve::approve;
pub use confirm_print::{PrintCount, confirm_print};
pub use fund::{NewFunding, fund};
pub use mint::mint;
pub use place::{NewOrder, place};
pub use print::{PrintJob, print};

use crate::db::Tx;
use crate::db::fundings::{self, Funding};
use crate::db::orders::{self, Order};
use crate::domain::{Action, Actor, OrderId};
use crate::error::Result;

/// An order, and its funding when it has one.
pub fn get(tx: &mut Tx<'_>, actor: &Actor, number: OrderId) -> Result<(Order, Option<Funding>)> {
    actor.require(Action::ReadOrders)?;
    Ok((orders::get(tx, number)?, fundings::of_order(tx, number)?))
}

/// A page of orders by number.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: OrderId,
    limit: i64,
) -> Result<Vec<(Order, Option<Funding>)>> {
    actor.require(Action::ReadOrders)?;
    // A region places a handful of orders: a query for the funding of each is no burden.
    let page = orders::page(tx, after, limit)?;
    page.into_iter()
        .map(|order| Ok((order.clone(), fundings::of_order(tx, order.number)?)))
        .collect()
}
