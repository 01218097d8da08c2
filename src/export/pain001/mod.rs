//! The file that tells the paying bank whom to pay: SEPA credit transfers, pain.001.001.09.
//!
//! The file is a function of its input: the same settlement gives the same bytes for ever, so a
//! file downloaded twice is one file. Every payment is booked by itself (`BtchBookg` false): the
//! statement then shows which payout was debited. Texts are folded to the character set that all
//! SEPA banks accept (EPC217-08) before the file is made, never by the bank. [`totals()`] reads the
//! finished file back, so that an approver compares with what will be sent, not with what was meant.

mod totals;

#[cfg(test)]
mod tests;

pub use totals::totals;

use crate::domain::bank::{Bic, Iban};
use chrono::{DateTime, NaiveDate, Utc};
use sepa::{CreditTransferEntry, CreditTransferGroup, Pain001Builder, Transliteration};
use std::collections::BTreeSet;

/// One file: payments from one account on one day.
#[derive(Clone, Debug)]
pub struct CreditTransfers {
    /// 1 to 35 characters, never used twice: the bank takes a known one for the same file.
    pub message_id: String,
    /// When the settlement was exported first.
    pub created_at: DateTime<Utc>,
    /// The business day on which the account is to be debited.
    pub execution_on: NaiveDate,
    /// Holder of the paying account, 1 to 70 characters once folded.
    pub debtor_name: String,
    /// The account that pays.
    pub debtor_iban: Iban,
    /// Its bank; the IBAN is enough in the SEPA area.
    pub debtor_bic: Option<Bic>,
    /// At least one.
    pub payments: Vec<CreditTransfer>,
}

/// One payment.
#[derive(Clone, Debug)]
pub struct CreditTransfer {
    /// 1 to 35 characters, once per file: see [`crate::domain::bank::end_to_end_id`].
    pub end_to_end_id: String,
    /// Euro cents, 1 to 99,999,999,999 (the limits of SEPA credit transfers, EPC132-08).
    pub amount_cents: i64,
    /// Holder of the account paid, 1 to 70 characters once folded. Longer is refused, not cut:
    /// banks compare it with the account's holder.
    pub creditor_name: String,
    /// The account paid.
    pub creditor_iban: Iban,
    /// Its bank.
    pub creditor_bic: Option<Bic>,
    /// What the payee reads on the statement, 1 to 140 characters once folded.
    pub remittance: String,
}

/// A file that was not written, or not trusted: which field, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} : {reason}")]
pub struct FileError {
    /// Where: `message_id`, `payments[3].amount_cents`, `GrpHdr/CtrlSum`.
    pub field: String,
    /// Why, in French.
    pub reason: String,
}

impl FileError {
    fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

/// The file, ready to be sent: UTF-8 XML, valid against the schema of pain.001.001.09.
///
/// # Errors
/// The first field that a bank would reject; nothing is written then.
pub fn write(file: &CreditTransfers) -> Result<Vec<u8>, FileError> {
    ensure_distinct(&file.payments)?;
    let group = CreditTransferGroup::new(
        fold(&file.debtor_name),
        &file.debtor_iban.to_sepa(),
        execution_day(file.execution_on)?,
    )
    .batch_booking(false)
    .add_entries(file.payments.iter().map(entry));
    let group = match &file.debtor_bic {
        Some(bic) => group.debtor_bic(bic.to_sepa()),
        None => group,
    };
    Pain001Builder::new(fold(&file.debtor_name), file.message_id.as_str())
        .created_at(creation_instant(file.created_at)?)
        .charset(sepa::CharsetPolicy::Strict)
        .add_group(group)
        .build()
        .map(String::into_bytes)
        .map_err(|error| refusal(&error))
}

/// The text in the characters that every SEPA bank accepts: letters without accents, digits, space
/// and `/-?:().,'+` (EPC217-08).
///
/// The published table gives one letter for one; French ligatures and punctuation come first here,
/// because "Œuvre" is not "Ouvre" and a dash is not a full stop.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'œ' => folded.push_str("oe"),
            'Œ' => folded.push_str("Oe"),
            'æ' => folded.push_str("ae"),
            'Æ' => folded.push_str("Ae"),
            '‐'..='―' => folded.push('-'),
            '‘' | '’' | '«' | '»' | '“' | '”' => folded.push('\''),
            '°' | 'º' => folded.push('o'),
            // Accents that follow their letter: the letter has been kept already.
            '\u{300}'..='\u{36f}' => {}
            _ => folded.push(c),
        }
    }
    sepa::transliterate(&folded, Transliteration::Epc).into_owned()
}

fn entry(payment: &CreditTransfer) -> CreditTransferEntry {
    let entry = CreditTransferEntry::new(
        fold(&payment.creditor_name),
        payment.creditor_iban.to_sepa(),
        payment.amount_cents,
        payment.end_to_end_id.as_str(),
    )
    .with_description(fold(&payment.remittance));
    match &payment.creditor_bic {
        Some(bic) => entry.with_bic(bic.to_sepa()),
        None => entry,
    }
}

fn ensure_distinct(payments: &[CreditTransfer]) -> Result<(), FileError> {
    let mut seen = BTreeSet::new();
    for (index, payment) in payments.iter().enumerate() {
        if !seen.insert(payment.end_to_end_id.as_str()) {
            let reason = format!("« {} » sert déjà à un autre paiement", payment.end_to_end_id);
            return Err(FileError::new(format!("payments[{index}].end_to_end_id"), reason));
        }
    }
    Ok(())
}

fn execution_day(day: NaiveDate) -> Result<sepa::IsoDate, FileError> {
    let text = day.format("%Y-%m-%d").to_string();
    text.parse().map_err(|_| FileError::new("execution_on", format!("date hors limites : {text}")))
}

fn creation_instant(instant: DateTime<Utc>) -> Result<sepa::IsoDateTime, FileError> {
    let text = instant.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    text.parse().map_err(|_| FileError::new("created_at", format!("date hors limites : {text}")))
}

/// What the writer refused, under our own names and in French.
fn refusal(error: &sepa::BuildError) -> FileError {
    use sepa::ValidationError as E;
    let at = |element| field(element, error.location.transaction);
    match &error.kind {
        E::EmptyBatch => FileError::new("payments", "il faut au moins un paiement"),
        E::Empty { field } => FileError::new(at(field), "le texte est vide"),
        E::TooLong { field, max, actual } => {
            FileError::new(at(field), format!("{actual} caractères, {max} au plus"))
        }
        E::InvalidCharacter { field, ch } | E::InvalidXmlCharacter { field, ch } => {
            let ch = ch.escape_debug();
            FileError::new(
                at(field),
                format!("le caractère « {ch} » n'est pas admis par les banques"),
            )
        }
        E::SlashRule { field } => {
            FileError::new(at(field), "ni « / » au début ou à la fin, ni « // »")
        }
        E::AmountOutOfRange { field, amount_ct } => {
            let reason =
                format!("{amount_ct} centimes ; de 0,01 à 999 999 999,99 euros par paiement");
            FileError::new(at(field), reason)
        }
        E::ControlSumOverflow => {
            FileError::new("payments", "le total dépasse ce qu'un fichier porte")
        }
        other => FileError::new("fichier", other.to_string()),
    }
}

/// Our name of an element of the message.
fn field(element: &str, payment: Option<usize>) -> String {
    let name = match element.rsplit('/').next().unwrap_or(element) {
        "MsgId" | "PmtInfId" => return "message_id".into(),
        "EndToEndId" => "end_to_end_id",
        "InstdAmt" => "amount_cents",
        "Nm" if payment.is_none() => return "debtor_name".into(),
        "Nm" => "creditor_name",
        "Ustrd" => "remittance",
        _ => element,
    };
    payment.map_or_else(|| name.to_owned(), |index| format!("payments[{index}].{name}"))
}
