//! Another person approves what one has ordered.

use serde_json::json;

use crate::db::orders::{self, Order};
use crate::db::{Tx, programmes};
use crate::domain::entry::EntryKind;
use crate::domain::{Action, Actor, OrderId, Refusal};
use crate::error::Result;
use crate::ledger::{self, Entry};

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
    let facts = json!({ "order": number, "amount_cents": order.amount_cents });
    let entry =
        Entry::new(tx, EntryKind::OrderApproval, actor.user, facts).changed("orders", number.get());
    let code = programmes::current(tx)?.code;
    ledger::record(tx, &code, entry)?;
    orders::get(tx, number)
}
