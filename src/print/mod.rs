//! Papers: the booklets of an order, for the printer, and the receipts of what happened.
//!
//! Pure functions from data to bytes, written as they are made: an order of 66,100 passes needs no
//! more memory than one page. Texts are French. Nothing here knows the database, the clock or how
//! a code is made; the caller hands over what is to be read on the paper.
//!
//! * [`write_pdf`]: one A4 page per booklet, to print in-house or as the proof (bon à tirer);
//! * [`write_csv`]: the variable data, for a printer with a layout of its own;
//! * [`write_receipt`]: the receipt of one entry;
//! * [`write_statement`]: that the books add up, at a date.

mod booklet;
mod font;
mod paper;
mod pdf;
mod qr;
mod receipt;
mod statement;
mod variable_data;

pub use booklet::write_pdf;
pub use receipt::{PrintedReceipt, write_receipt};
pub use statement::write_statement;
pub use variable_data::write_csv;

use chrono::NaiveDate;

/// What all passes of an order have in common, as the paper says it: the mentions that article
/// R. 1611-8 CGCT asks of a chèque d'accompagnement personnalisé, and the dates.
#[derive(Clone, Debug)]
pub struct Edition<'a> {
    /// Who issues the passes.
    pub issuer_name: &'a str,
    /// Its postal address, on one line.
    pub issuer_address: &'a str,
    /// Who pays for them.
    pub sponsor_name: &'a str,
    /// What the programme calls itself: "Pass numérique Hauts-de-France".
    pub programme_name: &'a str,
    /// What one pass is worth, in euro cents.
    pub face_value_cents: i64,
    /// After this business day a booklet is not handed over any more.
    pub last_hand_over: NaiveDate,
    /// After this business day a pass is not redeemed any more.
    pub last_use: NaiveDate,
    /// What it pays for: "ateliers et accompagnements au numérique".
    pub services: &'a str,
    /// Where: "Hauts-de-France".
    pub territory: &'a str,
    /// The page that explains the pass, without `https://`.
    pub public_url: &'a str,
}

/// One booklet: its number in the series, its 5 or 10 passes in order.
#[derive(Clone, Debug)]
pub struct PrintedBooklet {
    /// In the order's continuous series.
    pub number: u32,
    /// In the order of their numbers.
    pub passes: Vec<PrintedPass>,
}

/// One pass: its public number and its secret, the latter typable and scannable.
#[derive(Clone)]
pub struct PrintedPass {
    /// In the order's continuous series.
    pub number: u32,
    /// The number as people read and say it: `HDF-0412733`.
    pub label: String,
    /// The code as people type it, in groups of four.
    pub typable: String,
    /// The code as devices scan it.
    pub qr: String,
}

/// The secret must not reach a log by accident.
impl std::fmt::Debug for PrintedPass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrintedPass({})", self.label)
    }
}

/// `1 000,00` for 100,000 cents: the French figure, without the sign of the currency.
fn amount(cents: i64) -> String {
    let cents = cents.unsigned_abs();
    let euros = (cents / 100).to_string();
    let mut figure = String::new();
    for (index, digit) in euros.chars().enumerate() {
        if index > 0 && (euros.len().wrapping_sub(index)).is_multiple_of(3) {
            figure.push('\u{a0}');
        }
        figure.push(digit);
    }
    format!("{figure},{:02}", cents % 100)
}

/// `31/12/2027`.
fn date(day: NaiveDate) -> String {
    day.format("%d/%m/%Y").to_string()
}

#[cfg(test)]
mod tests;
