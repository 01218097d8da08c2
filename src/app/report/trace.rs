//! The whole life of a pass, in order, with its receipts.

use serde::Serialize;
use utoipa::ToSchema;

use crate::db::{Tx, booklets, entries, fundings, passes, payouts};
use crate::domain::account::Account;
use crate::domain::entry::EntryKind;
use crate::domain::pass::PassStateName;
use crate::domain::{
    Action, Actor, BookletId, BusinessDate, EntryId, OrderId, PassNumber, PayoutId, RedemptionId,
    Refusal, Timestamp,
};
use crate::error::Result;

/// A pass, and everything that happened to it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Trace {
    /// Its number.
    pub pass: PassNumber,
    /// Its booklet.
    pub booklet: BookletId,
    /// Its order.
    pub order: OrderId,
    /// Where it stands now.
    pub state: PassStateName,
    /// The payout that lists its last redemption, when one does.
    pub payout: Option<PayoutId>,
    /// The day of that payout's debit at the bank: the pass is paid.
    pub paid_on: Option<BusinessDate>,
    /// Oldest first.
    pub steps: Vec<Step>,
}

/// One thing that happened to it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Step {
    /// What.
    pub kind: EntryKind,
    /// The same, in French.
    pub label: &'static str,
    /// When it took place.
    #[schema(value_type = String, format = DateTime)]
    pub happened_at: Timestamp,
    /// When the ledger knew.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Timestamp,
    /// Who held it before; absent when it did not move.
    pub from: Option<String>,
    /// Who held it from then on.
    pub to: Option<String>,
    /// The entry.
    pub entry: EntryId,
    /// Number of its receipt in its series.
    pub number: Option<i32>,
    /// The receipt, as canonical JSON in a string.
    pub receipt: String,
}

/// The life of a pass.
pub fn trace(tx: &mut Tx<'_>, actor: &Actor, number: PassNumber) -> Result<Trace> {
    actor.require(Action::TracePass)?;
    let pass = passes::find(tx, number)?.ok_or(Refusal::not_found("pass"))?;
    let booklet = booklets::get(tx, pass.booklet)?;
    let mut steps: Vec<Step> = entries::steps_of_pass(tx, number)?.into_iter().map(moved).collect();
    if let Some(funding) = fundings::of_order(tx, booklet.order_number)? {
        steps.extend(entries::find(tx, funding.entry_id)?.map(unmoved));
    }
    // Stable: entries of the same instant keep the order of their ids.
    steps.sort_by_key(|step| (step.recorded_at, step.entry));
    let last = RedemptionId { pass: number, cycle: pass.cycle };
    let (payout, paid_on) = match payouts::of_redemption(tx, last)? {
        Some((payout, paid_on)) => (Some(payout), paid_on),
        None => (None, None),
    };
    Ok(Trace {
        pass: number,
        booklet: booklet.number,
        order: booklet.order_number,
        state: pass.state_name,
        payout,
        paid_on,
        steps,
    })
}

fn moved(step: entries::Step) -> Step {
    let shown = |id: i32| Account::from_id(id).map(|account| account.to_string());
    Step {
        kind: step.kind,
        label: step.kind.label(),
        happened_at: step.happened_at,
        recorded_at: step.recorded_at,
        from: shown(step.credit),
        to: shown(step.debit),
        entry: step.id,
        number: step.number,
        receipt: step.receipt,
    }
}

/// A funding moves money, and switches the pass on where it lies.
fn unmoved(entry: entries::EntryRow) -> Step {
    Step {
        kind: entry.kind,
        label: entry.kind.label(),
        happened_at: entry.happened_at,
        recorded_at: entry.recorded_at,
        from: None,
        to: None,
        entry: entry.id,
        number: entry.number,
        receipt: entry.receipt,
    }
}
