//! Booklets go to prescribers. Two-sided: the sender declares, the receiver counts, and only what was
//! counted changes hands.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::ranges;
use crate::db::booklets::Booklet;
use crate::db::deliveries::{self, Delivery, DeliveryReceipt};
use crate::db::{Tx, booklets, organisations, programmes, series};
use crate::domain::account::{Account, AccountKind};
use crate::domain::entry::EntryKind;
use crate::domain::{Action, Actor, BookletId, DeliveryId, OrganisationId, Refusal, Role};
use crate::error::Result;
use crate::ledger::{self, Entry, Receipt};

/// Most booklets of one delivery: what a van carries, and what a person can count.
const MAX_BOOKLETS: i32 = 10_000;

/// A delivery to be sent.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDelivery {
    /// To which prescriber.
    pub prescriber: OrganisationId,
    /// The first booklet of the range.
    pub first_booklet: BookletId,
    /// The last one, included.
    pub last_booklet: BookletId,
}

/// What a prescriber counted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// Booklets declared by the sender and not found in the parcel; empty when all are there. They
    /// stay in transit, and are to be looked for.
    #[serde(default)]
    #[schema(max_items = 10000)]
    pub missing_booklets: BTreeSet<BookletId>,
}

/// Sends a range of booklets from the sponsor's stock. It is in transit until the prescriber has counted.
pub fn send(tx: &mut Tx<'_>, actor: &Actor, new: NewDelivery) -> Result<(Delivery, Receipt)> {
    actor.require(Action::SendDelivery)?;
    let declared = new.last_booklet.get().saturating_sub(new.first_booklet.get()).saturating_add(1);
    if !(1..=MAX_BOOKLETS).contains(&declared) {
        return Err(Refusal::invalid(
            "last_booklet",
            "de 1 à 10 000 carnets par livraison, du premier au dernier",
        )
        .into());
    }
    let prescriber = organisations::get(tx, new.prescriber)?;
    if !prescriber.is_prescriber {
        return Err(Refusal::invalid(
            "prescriber",
            "cette structure n'est pas prescriptrice ; choisissez-en une qui l'est",
        )
        .into());
    }
    let stock = Account::of(AccountKind::SponsorStock);
    let range = booklets::lock_range(tx, new.first_booklet, new.last_booklet)?;
    if usize::try_from(declared) != Ok(range.len()) {
        return Err(Refusal::not_found("booklet").into());
    }
    for booklet in &range {
        booklet.ensure_in(stock, "stock du commanditaire")?;
    }
    let transit = Account::of(AccountKind::InTransit);
    let number = DeliveryId::new(series::next(tx, "delivery_number")?);
    let facts = json!({
        "delivery": number, "prescriber": new.prescriber, "first_booklet": new.first_booklet, "last_booklet": new.last_booklet,
    });
    let entry = carry(tx, actor, EntryKind::Delivery, facts, &range, (transit, stock))?;
    let delivery = Delivery {
        number,
        prescriber: new.prescriber,
        first_booklet: new.first_booklet,
        last_booklet: new.last_booklet,
        sent_at: tx.now,
        sent_by: actor.user,
        entry_id: entry.id,
    };
    deliveries::insert(tx, &delivery)?;
    Ok((delivery, record(tx, entry.wrote("deliveries"))?))
}

/// Takes what was counted into the prescriber's stock.
pub fn acknowledge(
    tx: &mut Tx<'_>,
    actor: &Actor,
    number: DeliveryId,
    counted: &Counted,
) -> Result<Receipt> {
    actor.require(Action::ReceiveDelivery)?;
    let delivery = deliveries::get(tx, number)?;
    if delivery.prescriber != actor.organisation()? {
        // Another prescriber's parcel is nobody's business here.
        return Err(Refusal::not_found("delivery").into());
    }
    let received = take_counted(tx, &delivery, counted)?;
    let transit = Account::of(AccountKind::InTransit);
    let facts = json!({
        "delivery": number, "prescriber": delivery.prescriber, "received": received.len(), "missing_booklets": counted.missing_booklets,
    });
    let entry = carry(
        tx,
        actor,
        EntryKind::DeliveryReceipt,
        facts,
        &received,
        (Account::stock_of(delivery.prescriber), transit),
    )?;
    let written = deliveries::acknowledge(
        tx,
        &DeliveryReceipt {
            delivery: number,
            received_at: tx.now,
            received_by: actor.user,
            missing_booklets: counted
                .missing_booklets
                .iter()
                .map(|booklet| booklet.get())
                .collect(),
            entry_id: entry.id,
        },
    )?;
    if !written {
        return Err(Refusal::wrong_state(
            "delivery",
            "il a déjà été accusé réception de cette livraison",
        )
        .into());
    }
    record(tx, entry.wrote("delivery_receipts"))
}

/// Locks the booklets of a delivery, and returns those that were counted; all must be in transit.
fn take_counted(tx: &mut Tx<'_>, delivery: &Delivery, counted: &Counted) -> Result<Vec<Booklet>> {
    let range = booklets::lock_range(tx, delivery.first_booklet, delivery.last_booklet)?;
    if let Some(stranger) = counted
        .missing_booklets
        .iter()
        .find(|missing| !range.iter().any(|booklet| booklet.number == **missing))
    {
        let rule = format!(
            "le carnet {stranger} n'est pas de cette livraison, qui va de {} à {}",
            delivery.first_booklet, delivery.last_booklet
        );
        return Err(Refusal::invalid("missing_booklets", rule).into());
    }
    let received: Vec<Booklet> = range
        .into_iter()
        .filter(|booklet| !counted.missing_booklets.contains(&booklet.number))
        .collect();
    if received.is_empty() {
        return Err(Refusal::invalid(
            "missing_booklets",
            "rien n'a été reçu : signalez la livraison perdue à l'expéditeur",
        )
        .into());
    }
    let transit = Account::of(AccountKind::InTransit);
    if received.iter().any(|booklet| booklet.held_in != Some(transit)) {
        return Err(Refusal::wrong_state(
            "delivery",
            "il a déjà été accusé réception de cette livraison",
        )
        .into());
    }
    Ok(received)
}

/// A page of deliveries: a prescriber sees its own.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: DeliveryId,
    limit: i64,
) -> Result<Vec<(Delivery, Option<DeliveryReceipt>)>> {
    actor.require(Action::ReadDeliveries)?;
    let own =
        if actor.role == Role::PrescriberManager { Some(actor.organisation()?) } else { None };
    deliveries::page(tx, own, after, limit)
}

/// Carries booklets from one account into another, as one entry that is still to be recorded.
fn carry(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: EntryKind,
    facts: serde_json::Value,
    range: &[Booklet],
    (debit, credit): (Account, Account),
) -> Result<Entry> {
    booklets::move_to(tx, &range.iter().map(|booklet| booklet.number).collect::<Vec<_>>(), debit)?;
    let mut entry = Entry::new(tx, kind, actor.user, facts);
    for (first, count) in ranges(range) {
        entry = entry.passes(debit, credit, first, count);
    }
    Ok(entry)
}

fn record(tx: &mut Tx<'_>, entry: Entry) -> Result<Receipt> {
    let code = programmes::current(tx)?.code;
    ledger::record(tx, &code, entry)
}
