//! The receipt on paper: what happened, to what, when, under which number, and how to check it.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "lengths on a sheet of paper are far from the ends of i32"
)]

use super::font::Font::{Bold, Regular};
use super::paper::{At, Ink, Paper, Style, mm};
use super::pdf::Document;
use std::io::{self, Write};

const LEFT: i32 = mm(20);
const RIGHT: i32 = mm(190);
const VALUES: i32 = mm(70);
/// Below this base line a receipt goes on overleaf.
const LAST_LINE: i32 = mm(190);
const FIRST_LINE_OVERLEAF: i32 = mm(30);
const FOOT: i32 = mm(208);
/// Large enough for a whole receipt with its signature: 1,300 bytes have modules of 0.42 mm.
const QR_SIDE: i32 = mm(60);

/// A receipt as it is read, all of it in French and ready to print.
#[derive(Clone, Debug)]
pub struct PrintedReceipt<'a> {
    /// What it attests: "Récépissé de remise d'un carnet".
    pub title: &'a str,
    /// Its number in the series without gaps.
    pub number: &'a str,
    /// Who issues it.
    pub issuer_name: &'a str,
    /// Its postal address, on one line.
    pub issuer_address: &'a str,
    /// Label and value, in the order of reading. A long value takes several lines.
    pub lines: &'a [(String, String)],
    /// Whose signature the paper leaves room for; a third has none.
    pub signatures: &'a [&'a str],
    /// Where and with what it can be checked.
    pub qr: &'a str,
    /// Small print: the checkpoint of the journal, the legal road.
    pub footer: &'a str,
}

impl PrintedReceipt<'_> {
    /// Longest content that is certain to have modules large enough to be scanned.
    pub const MAX_QR_BYTES: usize = 2_000;
}

/// Writes the receipt as PDF: one A4 page, more when the lines do not fit.
///
/// # Errors
/// Those of `out`; `InvalidInput` when the QR content is too long to be scanned at this size.
pub fn write_receipt(out: &mut impl Write, receipt: &PrintedReceipt<'_>) -> io::Result<()> {
    let mut document = Document::begin(out, &format!("{} {}", receipt.title, receipt.number))?;
    let mut paper = Paper::page();
    let mut y = head(&mut paper, receipt);
    for (label, value) in receipt.lines {
        if y > LAST_LINE {
            paper.text_to(Style::new(Regular, 80), At(RIGHT, mm(285)), mm(60), "Suite au verso");
            document.page(std::mem::replace(&mut paper, Paper::page()))?;
            y = FIRST_LINE_OVERLEAF;
        }
        y = line(&mut paper, y, label, value);
    }
    foot(&mut paper, receipt)?;
    document.page(paper)?;
    document.finish()
}

/// Issuer, title and number; returns the base line of the first line.
fn head(paper: &mut Paper, receipt: &PrintedReceipt<'_>) -> i32 {
    let space = RIGHT - LEFT;
    paper.area(Ink::Blue, At(LEFT, mm(18)), space, mm(2));
    let grey = Style::new(Regular, 90).in_ink(Ink::Grey);
    paper.paragraph(Style::new(Bold, 110), At(LEFT, mm(27)), space, 1, receipt.issuer_name);
    paper.paragraph(grey, At(LEFT, mm(32)), space, 1, receipt.issuer_address);
    let y = paper.paragraph(Style::new(Bold, 180), At(LEFT, mm(48)), space, 2, receipt.title);
    let number = format!("N°\u{a0}{}", receipt.number);
    let y = paper.paragraph(Style::new(Regular, 110), At(LEFT, y), space, 1, &number);
    paper.line(Ink::Hairline, At(LEFT, y), At(RIGHT, y), false);
    y + mm(9)
}

/// One label and its value; returns the base line that comes next.
fn line(paper: &mut Paper, y: i32, label: &str, value: &str) -> i32 {
    let grey = Style::new(Regular, 95).in_ink(Ink::Grey);
    let label_space = VALUES - LEFT - mm(4);
    let after_label = paper.paragraph(grey, At(LEFT, y), label_space, 2, label);
    let after_value =
        paper.paragraph(Style::new(Bold, 100), At(VALUES, y), RIGHT - VALUES, 4, value);
    after_label.max(after_value) + mm(3)
}

/// Room for signatures, the code to check with, the small print.
fn foot(paper: &mut Paper, receipt: &PrintedReceipt<'_>) -> io::Result<()> {
    let small = Style::new(Regular, 80);
    for (signer, x) in receipt.signatures.iter().zip([LEFT, LEFT + mm(54)]) {
        paper.paragraph(small, At(x, FOOT + mm(24)), mm(48), 2, signer);
        let bottom = FOOT + mm(54);
        paper.line(Ink::Black, At(x, bottom), At(x + mm(48), bottom), true);
    }
    paper.qr(At(RIGHT - QR_SIDE, FOOT - mm(1)), QR_SIDE, receipt.qr)?;
    paper.text_to(small, At(RIGHT - mm(4), FOOT + mm(61)), QR_SIDE, "Scanner pour vérifier");
    let grey = Style::new(Regular, 75).in_ink(Ink::Grey);
    paper.line(Ink::Hairline, At(LEFT, mm(273)), At(RIGHT, mm(273)), false);
    paper.paragraph(grey, At(LEFT, mm(278)), RIGHT - LEFT, 3, receipt.footer);
    Ok(())
}
