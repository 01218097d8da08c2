//! Sites are paid: the steps of a settlement, its file for the bank, and an invented statement that the bank
//! has paid.

use anyhow::Context;
use sha2::{Digest, Sha256};

use super::script::Step;
use super::season::Season;
use super::stage::line;
use crate::app::settlement::{self, Details, NewExecution, NewSettlement};
use crate::domain::{Cents, SettlementId};
use crate::keys::hex;

/// Files for the bank, and what it is made to answer.
const ROOM: &str = "settlements";

/// Plays one step of the programme's present settlement.
pub fn play(season: &mut Season<'_>, step: Step) -> anyhow::Result<()> {
    match step {
        Step::Prepare { cut_off, execution } => prepare(season, cut_off, execution),
        Step::Approve => approve(season),
        Step::Declare { executed } => declare(season, executed),
        Step::Confirm => confirm(season),
    }
}

fn prepare(season: &mut Season<'_>, cut_off: u32, execution: u32) -> anyhow::Result<()> {
    let (stage, accountant) = (season.stage(), &season.world.cast.accountant);
    let calendar = stage.options.calendar;
    let new = NewSettlement {
        cut_off_on: calendar.date(cut_off),
        execution_on: calendar.date(execution),
    };
    let prepared = stage.act(accountant, |tx| settlement::prepare(tx, accountant, new))?;
    season.settlement = Some(prepared.settlement.number);
    Ok(())
}

fn present(season: &Season<'_>) -> anyhow::Result<SettlementId> {
    season.settlement.context("aucun lot n'est préparé")
}

/// Approves, and takes the file to the bank.
fn approve(season: &Season<'_>) -> anyhow::Result<()> {
    let (stage, number) = (season.stage(), present(season)?);
    let public_accountant = &season.world.cast.public_accountant;
    stage.act(public_accountant, |tx| settlement::approve(tx, public_accountant, number))?;
    let file = stage
        .act(public_accountant, |tx| settlement::payment_file(tx, public_accountant, number))?;
    stage.write(ROOM, &file.name, &file.xml)?;
    Ok(())
}

fn declare(season: &Season<'_>, executed: u32) -> anyhow::Result<()> {
    let (stage, number) = (season.stage(), present(season)?);
    let accountant = &season.world.cast.accountant;
    let details = stage.act(accountant, |tx| settlement::get(tx, accountant, number))?;
    let executed_on = stage.options.calendar.date(executed);
    let code = &season.world.programme.code;
    let name = format!("SOUCHE-{code}-{number}-releve-invente.txt");
    let statement = statement(code.as_str(), &executed_on.to_string(), &details);
    stage.write(ROOM, &name, statement.as_bytes())?;
    let new = NewExecution {
        executed_on,
        document_name: line(&name)?,
        document_sha256: hex(&Sha256::digest(&statement)),
    };
    stage.act(accountant, |tx| settlement::declare_execution(tx, accountant, number, &new))?;
    Ok(())
}

fn confirm(season: &mut Season<'_>) -> anyhow::Result<()> {
    let (stage, number) = (season.stage(), present(season)?);
    let public_accountant = &season.world.cast.public_accountant;
    stage.act(public_accountant, |tx| {
        settlement::confirm_execution(tx, public_accountant, number)
    })?;
    season.settlement = None;
    Ok(())
}

/// A statement that no bank has written, and that says so.
fn statement(code: &str, executed_on: &str, details: &Details) -> String {
    let total: i64 = details.payouts.iter().map(|payout| payout.amount_cents.cents()).sum();
    let head = format!(
        "RELEVÉ INVENTÉ POUR LA DÉMONSTRATION : aucune banque ne l'a émis.\n\n\
         Dispositif {code}, lot de paiement {}, débité le {executed_on} : {} virements, {}\n\n",
        details.settlement.number,
        details.payouts.len(),
        Cents(total),
    );
    let lines = details
        .payouts
        .iter()
        .map(|payout| format!("{}  {}\n", payout.end_to_end_id, payout.amount_cents));
    std::iter::once(head).chain(lines).collect()
}
