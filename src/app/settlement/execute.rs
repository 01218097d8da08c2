//! What proves that the bank has paid: a document, declared by one person, confirmed by another.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Details, cents_by_site, details};
use crate::db::executions::{self, Execution};
use crate::db::{Tx, payouts, programmes, settlements};
use crate::domain::account::{Account, AccountKind};
use crate::domain::entry::EntryKind;
use crate::domain::text::Line;
use crate::domain::{Action, Actor, BusinessDate, Refusal, SettlementId};
use crate::error::Result;
use crate::keys::{hex, unhex};
use crate::ledger::{self, Entry};

/// The document that shows a settlement's debit at the bank.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExecution {
    /// The day of the debit.
    pub executed_on: BusinessDate,
    /// What the document is: name and date of the statement.
    pub document_name: Line,
    /// SHA-256 of its file, 64 hexadecimal digits: whoever confirms holds the same one.
    #[schema(min_length = 64, max_length = 64)]
    pub document_sha256: String,
}

/// Declares that the bank has executed an approved settlement.
pub fn declare_execution(
    tx: &mut Tx<'_>,
    actor: &Actor,
    number: SettlementId,
    new: &NewExecution,
) -> Result<Details> {
    actor.require(Action::DeclareExecution)?;
    let settlement = settlements::lock(tx, number)?;
    let Some(approved_by) = settlement.approved_by else {
        return Err(Refusal::wrong_state("settlement", "faites-le d'abord approuver").into());
    };
    if new.executed_on > tx.today() {
        return Err(Refusal::invalid("executed_on", "le débit ne peut être dans le futur").into());
    }
    let document_sha256 = unhex("document_sha256", &new.document_sha256).map_err(|_| {
        Refusal::invalid(
            "document_sha256",
            "les 64 chiffres hexadécimaux du SHA-256 du document sont attendus",
        )
    })?;
    let execution = Execution {
        settlement: number,
        settlement_approved_by: approved_by,
        executed_on: new.executed_on,
        document_name: new.document_name.as_str().to_owned(),
        document_sha256: document_sha256.to_vec(),
        declared_by: actor.user,
        declared_at: tx.now,
        confirmed_by: None,
        confirmed_at: None,
    };
    if !executions::insert(tx, &execution)? {
        return Err(Refusal::wrong_state("settlement", "son exécution est déjà déclarée").into());
    }
    let facts = json!({
        "settlement": number, "executed_on": new.executed_on, "document_sha256": hex(&document_sha256),
    });
    let entry = Entry::new(tx, EntryKind::ExecutionDeclaration, actor.user, facts)
        .changed("executions", number.get());
    let code = programmes::current(tx)?.code;
    ledger::record(tx, &code, entry)?;
    details(tx, number)
}

/// Confirms an execution that another person declared: its payouts are paid.
pub fn confirm_execution(tx: &mut Tx<'_>, actor: &Actor, number: SettlementId) -> Result<Details> {
    actor.require(Action::ConfirmExecution)?;
    let execution = executions::lock(tx, number)?;
    if execution.confirmed_by.is_some() {
        return Err(Refusal::wrong_state("settlement", "son exécution est déjà confirmée").into());
    }
    if execution.declared_by == actor.user {
        return Err(Refusal::MakerIsChecker.into());
    }
    executions::set_confirmed(tx, number, actor.user)?;
    let programme = programmes::current(tx)?;
    let payouts = payouts::of_settlement(tx, number)?;
    let shares = payouts::shares(tx, number)?;
    let confirmed = json!({ "settlement": number, "payouts": payouts.len() });
    let mut entries = vec![
        Entry::new(tx, EntryKind::ExecutionConfirmation, actor.user, confirmed)
            .changed("executions", number.get()),
    ];
    for payout in &payouts {
        let facts = json!({
            "payout": payout.number.get(), "settlement": number, "end_to_end_id": payout.end_to_end_id,
            "amount_cents": payout.amount_cents, "executed_on": execution.executed_on,
            "sites": cents_by_site(&shares, payout.number, programme.face_value),
        });
        let (transit, bank) =
            (Account::of(AccountKind::InTransitToBank), Account::of(AccountKind::Bank));
        let entry = Entry::new(tx, EntryKind::PayoutDebit, actor.user, facts)
            .money(transit, bank, payout.amount_cents)
            .wrote("payout_debits");
        payouts::insert_debit(tx, payout, actor.user, entry.id, execution.executed_on)?;
        entries.push(entry);
    }
    ledger::record_all(tx, &programme.code, entries)?;
    details(tx, number)
}
