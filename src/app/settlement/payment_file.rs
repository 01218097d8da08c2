//! The file for the bank, made anew from what was approved: the same bytes each time.

use crate::db::payouts::{self, Payout};
use crate::db::programmes::Programme;
use crate::db::settlements::{self, Settlement};
use crate::db::{Tx, programmes};
use crate::domain::{Action, Actor, Refusal, SettlementId};
use crate::error::Result;
use crate::export::pain001::{self, CreditTransfer, CreditTransfers};

/// A payment file, and what it adds up to when read back.
pub struct PaymentFile {
    /// pain.001.001.09.
    pub xml: Vec<u8>,
    /// Payments in it.
    pub payments: usize,
    /// Their sum, recomputed from the file.
    pub total_cents: i64,
    /// Name to save it under.
    pub name: String,
}

/// The pain.001.001.09 file of an approved settlement.
pub fn payment_file(tx: &mut Tx<'_>, actor: &Actor, number: SettlementId) -> Result<PaymentFile> {
    actor.require(Action::DownloadPaymentFile)?;
    let settlement = settlements::get(tx, number)?;
    if settlement.approved_at.is_none() {
        return Err(Refusal::wrong_state(
            "settlement",
            "faites-le d'abord approuver par une autre personne",
        )
        .into());
    }
    let programme = programmes::current(tx)?;
    make(&programme, &settlement, payouts::of_settlement(tx, number)?)
}

/// Writes the file and reads it back: what leaves is what was approved, to the cent.
pub(crate) fn make(
    programme: &Programme,
    settlement: &Settlement,
    payouts: Vec<Payout>,
) -> Result<PaymentFile> {
    let approved_at = settlement.approved_at.unwrap_or(settlement.prepared_at);
    let expected: i64 = payouts.iter().map(|payout| payout.amount_cents.cents()).sum();
    let message_id = format!("SOUCHE-{}-{}", programme.code, settlement.number);
    let payments: Result<Vec<CreditTransfer>> =
        payouts.into_iter().map(|payout| payment(programme, payout)).collect();
    let file = CreditTransfers {
        message_id: message_id.clone(),
        created_at: approved_at,
        execution_on: settlement.execution_on.get(),
        debtor_name: programme.debtor_name.clone(),
        debtor_iban: programme.debtor_iban.clone(),
        debtor_bic: None,
        payments: payments?,
    };
    let xml = pain001::write(&file).map_err(anyhow::Error::from)?;
    let (payments, total_cents) = pain001::totals(&xml).map_err(anyhow::Error::from)?;
    if total_cents != expected || payments != file.payments.len() {
        return Err(anyhow::anyhow!(
            "{message_id}: the file adds up to {total_cents} cents, {expected} were approved"
        )
        .into());
    }
    Ok(PaymentFile { xml, payments, total_cents, name: format!("{message_id}.xml") })
}

fn payment(programme: &Programme, payout: Payout) -> Result<CreditTransfer> {
    let passes = payout.amount_cents.cents().checked_div(programme.face_value.cents());
    Ok(CreditTransfer {
        remittance: format!(
            "Pass numerique {} contre-paiement {} ({} pass)",
            programme.code,
            payout.number,
            // Less those that incidents took back.
            passes.unwrap_or_default()
        ),
        end_to_end_id: payout.end_to_end_id,
        amount_cents: payout.amount_cents.cents(),
        creditor_name: payout.holder_name,
        creditor_iban: payout.iban.parse().map_err(anyhow::Error::from)?,
        creditor_bic: None,
    })
}
