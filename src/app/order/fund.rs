//! The sponsor's money arrives, and switches an order's passes on.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::db::fundings::{self, Funding};
use crate::db::orders::Order;
use crate::db::{Tx, booklets, orders, passes, programmes, series};
use crate::domain::account::{Account, AccountKind};
use crate::domain::entry::EntryKind;
use crate::domain::text::Line;
use crate::domain::{Action, Actor, Amount, BusinessDate, FundingId, OrderId, Refusal, Timestamp};
use crate::error::Result;
use crate::ledger::{self, Entry, Receipt};

/// The money received for an order.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFunding {
    /// The payer's reference (fr: numéro de mandat), 1 to 100 characters.
    pub mandate_reference: Line,
    /// The whole face value of the order, in cents.
    pub amount_cents: Amount,
    /// Day of the credit at the bank.
    pub received_on: BusinessDate,
}

/// Records the funding of a minted order and activates its passes: no pass is worth anything whose
/// counter-value is not on account.
pub fn fund(tx: &mut Tx<'_>, actor: &Actor, number: OrderId, new: NewFunding) -> Result<Receipt> {
    actor.require(Action::FundOrder)?;
    if new.mandate_reference.as_str().chars().count() > 100 {
        return Err(Refusal::invalid(
            "mandate_reference",
            "une référence de 100 caractères au plus est attendue",
        )
        .into());
    }
    if new.received_on > tx.today() {
        return Err(Refusal::invalid(
            "received_on",
            "la date de réception ne peut être dans le futur",
        )
        .into());
    }
    let order = orders::lock(tx, number)?;
    if order.mint_entry.is_none() {
        return Err(Refusal::wrong_state("order", "faites-la d'abord émettre").into());
    }
    if fundings::of_order(tx, number)?.is_some() {
        return Err(Refusal::wrong_state("order", "elle est déjà financée").into());
    }
    if new.amount_cents != order.amount_cents {
        return Err(Refusal::WrongAmount { expected_cents: order.amount_cents.cents() }.into());
    }
    let facts = json!({
        "order": number, "mandate_reference": new.mandate_reference, "amount_cents": new.amount_cents, "received_on": new.received_on,
    });
    let [bank, received, float] =
        [AccountKind::Bank, AccountKind::FundsReceived, AccountKind::Float].map(Account::of);
    let entry = Entry::new(tx, EntryKind::Funding, actor.user, facts)
        .money(bank, received, new.amount_cents)
        .money(received, float, new.amount_cents)
        .at(after_mint_and_print(tx, &order)?);
    let funding = Funding {
        number: FundingId::new(series::next(tx, "funding_of_order")?),
        order_number: number,
        mandate_reference: new.mandate_reference.into(),
        amount_cents: new.amount_cents,
        received_on: new.received_on,
        entry_id: entry.id,
    };
    fundings::insert(tx, &funding)?;
    let activated = passes::activate_order(tx, number, funding.number, entry.recorded_at)?;
    if usize::try_from(order.quantity().passes()) != Ok(activated) {
        return Err(anyhow::anyhow!(
            "order {number}: {activated} passes were inert, all of them should be"
        )
        .into());
    }
    let code = programmes::current(tx)?.code;
    ledger::record(tx, &code, entry.wrote("fundings"))
}

/// It changes every pass of the order, and moves none: past whatever moved them.
fn after_mint_and_print(tx: &mut Tx<'_>, order: &Order) -> Result<Timestamp> {
    let first_pass = booklets::first_of_order(tx, order.number)?.first_pass;
    ledger::after_last_move(tx, first_pass, order.quantity().passes())
}
