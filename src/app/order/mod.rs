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

use std::collections::BTreeMap;

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
    let page = orders::page(tx, after, limit)?;
    let numbers: Vec<OrderId> = page.iter().map(|order| order.number).collect();
    let mut funded: BTreeMap<OrderId, Funding> = fundings::of_orders(tx, &numbers)?
        .into_iter()
        .map(|funding| (funding.order_number, funding))
        .collect();
    let with_funding = |order: Order| {
        let funding = funded.remove(&order.number);
        (order, funding)
    };
    Ok(page.into_iter().map(with_funding).collect())
}
