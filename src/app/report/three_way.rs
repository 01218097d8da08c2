//! The three-way report: redeemed = payout items = payment files = bank, or which differ and by how much.
//! Each leg is computed from its own rows, so that they can disagree.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::settlement::payment_file_of;
use crate::db::redemptions::Due;
use crate::db::{Tx, payouts, programmes, redemptions, settlements};
use crate::domain::account::AccountKind;
use crate::domain::{Action, Actor, SettlementId};
use crate::error::Result;
use crate::ledger::verify::Books;

/// The legs, in cents, and their differences.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ThreeWay {
    /// Redeemed and not voided, at face value: from redemptions.
    pub redeemed_cents: i64,
    /// Of these, in no payout yet: from redemptions.
    pub waiting_cents: i64,
    /// Of these, held by flags.
    pub held_cents: i64,
    /// In a payout and undone since, by incidents that no payout has deducted.
    pub to_deduct_cents: i64,
    /// Lines of payouts: what they pay, less what they deduct.
    pub items_cents: i64,
    /// Payouts prepared and not approved.
    pub prepared_cents: i64,
    /// Payouts approved.
    pub approved_cents: i64,
    /// Sum of the payment files of approved settlements, each read back from its bytes.
    pub in_files_cents: i64,
    /// Debited at the bank.
    pub debited_cents: i64,
    /// Ordered and not yet debited: from the ledger.
    pub in_transit_cents: i64,
    /// Every leg that differs from its neighbour; empty when all agree.
    pub differences: Vec<Difference>,
    /// Sum of the differences' absolute values.
    pub difference_cents: i64,
}

/// Two legs that disagree.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Difference {
    /// Which.
    pub between: &'static str,
    /// By how much.
    pub cents: i64,
}

/// Computes the legs and holds them against each other.
pub fn three_way(tx: &mut Tx<'_>, actor: &Actor) -> Result<ThreeWay> {
    actor.require(Action::ReadReports)?;
    let sums = payouts::sums(tx)?;
    let programme = programmes::current(tx)?;
    let books = Books::read(tx)?;
    let end_of_time = tx.today().plus_days(1).end();
    let due = redemptions::due(tx, end_of_time)?;
    let worth = |of: &dyn Fn(&Due) -> bool| {
        let n = due.iter().filter(|due| of(due)).count();
        i64::try_from(n).unwrap_or(i64::MAX).saturating_mul(programme.face_value.cents())
    };
    let waiting_cents = worth(&|due| due.incident.is_none());
    let held_cents = worth(&|due| due.is_held);
    let to_deduct_cents = worth(&|due| due.incident.is_some());
    let (mut approved_cents, mut prepared_cents, mut in_files_cents) = (0_i64, 0_i64, 0_i64);
    // A region makes some dozens of settlements in its programme's life.
    for settlement in settlements::page(tx, SettlementId::new(0), i64::MAX)? {
        let of_it = payouts::of_settlement(tx, settlement.number)?;
        let total: i64 = of_it.iter().map(|payout| payout.amount_cents.cents()).sum();
        if settlement.approved_by.is_some() {
            approved_cents = approved_cents.saturating_add(total);
            in_files_cents = in_files_cents
                .saturating_add(payment_file_of(&programme, &settlement, of_it)?.total_cents);
        } else {
            prepared_cents = prepared_cents.saturating_add(total);
        }
    }
    let in_transit_cents = books.credit(AccountKind::InTransitToBank);
    let owed = books.credit(AccountKind::Payable);
    let legs = [
        (
            "redemptions, payout items",
            less(sums.redeemed, &[sums.items, waiting_cents, to_deduct_cents.saturating_neg()]),
        ),
        ("payout items, payouts", less(sums.items, &[sums.payouts])),
        ("payouts, payouts by settlement", less(sums.payouts, &[approved_cents, prepared_cents])),
        ("payouts approved, payment files", less(approved_cents, &[in_files_cents])),
        ("payment files, bank", less(in_files_cents, &[sums.debited, in_transit_cents])),
        ("redemptions, ledger", less(sums.redeemed, &[approved_cents, owed])),
    ];
    let differences: Vec<Difference> = legs
        .into_iter()
        .filter(|(_, cents)| *cents != 0)
        .map(|(between, cents)| Difference { between, cents })
        .collect();
    Ok(ThreeWay {
        redeemed_cents: sums.redeemed,
        waiting_cents,
        held_cents,
        to_deduct_cents,
        items_cents: sums.items,
        prepared_cents,
        approved_cents,
        in_files_cents,
        debited_cents: sums.debited,
        in_transit_cents,
        difference_cents: differences.iter().map(|difference| difference.cents.abs()).sum(),
        differences,
    })
}

fn less(whole: i64, parts: &[i64]) -> i64 {
    parts.iter().fold(whole, |rest, part| rest.saturating_sub(*part))
}
