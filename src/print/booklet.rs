//! The booklet on paper: one A4 page, a strip that says what the booklet is for, and its passes in
//! two columns to be cut or torn along the dashes.
//!
//! ```text
//! ┌──────────────────────────────┐  10 mm margins
//! │ programme          carnet n° │  strip, 36 mm
//! │ what it is for, until when   │
//! ├──────────────┬───────────────┤
//! │ pass     ▞▚  │ pass      ▞▚  │  95 × 47 mm each, five rows
//! ┆              ┆               ┆
//! ```
//!
//! What all passes have in common is one form, written once per file; a page adds numbers and codes.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "lengths on a sheet of paper are far from the ends of i32"
)]

use super::font::Font::{Bold, Fixed, Regular};
use super::paper::{At, Ink, Paper, Style, mm};
use super::pdf::Document;
use super::{Edition, PrintedBooklet, PrintedPass, amount, date};
use std::io::{self, Write};

const PASSES_PER_PAGE: usize = 10;
const LEFT: i32 = mm(10);
const RIGHT: i32 = mm(200);
const TOP: i32 = mm(10);
const FIRST_ROW: i32 = mm(49);
const PASS_WIDTH: i32 = mm(95);
const PASS_HEIGHT: i32 = mm(47);
/// A pass and the outer half of the lines around it.
const FORM_BOX: [i16; 4] = [-20, -20, 9520, 4720];

/// Where the number of a pass stands in it; the label before it is part of the form.
const NUMBER: At = At(mm(4), 2090);
const CODE: At = At(1750, 4395);
const CODE_STYLE: Style = Style::new(Fixed, 105);
const QR: At = At(6150, 880);
/// With the quiet zone. The symbol itself is more than 20 mm wide whatever its content, which may
/// have some 450 bytes; a code of 60 characters gives 24 mm.
const QR_SIDE: i32 = mm(30);

/// Writes the booklets as PDF, one page each (a booklet of more than ten passes takes several).
///
/// # Errors
/// Those of `out`; `InvalidInput` when a QR content is too long to be scanned at this size, which
/// depends on its length only.
pub fn write_pdf(
    out: &mut impl Write,
    edition: &Edition<'_>,
    booklets: impl Iterator<Item = PrintedBooklet>,
) -> io::Result<()> {
    let mut document = Document::begin(out, edition.programme_name)?;
    document.form(pass_form(edition), FORM_BOX)?;
    for booklet in booklets {
        for passes in booklet.passes.chunks(PASSES_PER_PAGE) {
            document.page(page(edition, &booklet, passes)?)?;
        }
    }
    document.finish()
}

fn page(
    edition: &Edition<'_>,
    booklet: &PrintedBooklet,
    passes: &[PrintedPass],
) -> io::Result<Paper> {
    let mut paper = Paper::page();
    strip(&mut paper, edition, booklet);
    let corners = (0..).flat_map(|row| {
        let y = FIRST_ROW + row * PASS_HEIGHT;
        [At(LEFT, y), At(LEFT + PASS_WIDTH, y)]
    });
    for (corner, pass) in corners.zip(passes) {
        draw_pass(&mut paper, corner, pass)?;
    }
    Ok(paper)
}

/// The upper strip: who, what, until when, where to ask.
fn strip(paper: &mut Paper, edition: &Edition<'_>, booklet: &PrintedBooklet) {
    let white = |font, tenths| Style::new(font, tenths).in_ink(Ink::White);
    paper.area(Ink::Blue, At(LEFT, TOP), RIGHT - LEFT, mm(15));
    let names = format!("Financé par {} · émis par {}", edition.sponsor_name, edition.issuer_name);
    paper.paragraph(white(Bold, 170), At(LEFT + 400, 1780), mm(122), 1, edition.programme_name);
    paper.paragraph(white(Regular, 80), At(LEFT + 400, 2260), mm(122), 1, &names);
    let number = format!("Carnet n°\u{a0}{}", booklet.number);
    let value = amount(edition.face_value_cents);
    let content = format!("{} pass de {value}\u{a0}€", booklet.passes.len());
    paper.text_to(white(Bold, 140), At(RIGHT - 400, 1780), mm(56), &number);
    paper.text_to(white(Regular, 90), At(RIGHT - 400, 2260), mm(56), &content);

    paper.area(Ink::Tint, At(LEFT, mm(25)), RIGHT - LEFT, mm(21));
    let (small, bold) = (Style::new(Regular, 80), Style::new(Bold, 80));
    let (x, space) = (LEFT + 400, RIGHT - LEFT - 800);
    let use_for = format!(
        "À quoi sert ce carnet\u{a0}? Chaque pass règle {}, dans un lieu qualifié, sur le territoire \
         suivant\u{a0}: {}. Un pass s’utilise en une seule fois, sans rendu de monnaie.",
        edition.services, edition.territory
    );
    let y = paper.paragraph(small, At(x, 2900), space, 2, &use_for);
    let handed = format!(
        "Il est remis en main propre, contre récépissé, au plus tard le {}. Avant cette remise, il \
         n’a aucune valeur.",
        date(edition.last_hand_over)
    );
    let y = paper.paragraph(small, At(x, y), space, 1, &handed);
    let until = format!(
        "À utiliser au plus tard le {}. Lieux, validité et aide\u{a0}: {}",
        date(edition.last_use),
        edition.public_url
    );
    let y = paper.paragraph(bold, At(x, y), space, 1, &until);
    let issuer = format!("Émetteur\u{a0}: {}, {}", edition.issuer_name, edition.issuer_address);
    paper.paragraph(Style::new(Regular, 70).in_ink(Ink::Grey), At(x, y), space, 1, &issuer);
}

/// What all passes of an order have in common, drawn from the corner of a pass.
fn pass_form(edition: &Edition<'_>) -> Paper {
    let mut paper = Paper::part();
    let (x, space) = (mm(4), mm(56));
    let band = |font| Style::new(font, 80).in_ink(Ink::White);
    let small = Style::new(Regular, 65);

    paper.area(Ink::Blue, At(mm(2), mm(2)), PASS_WIDTH - mm(4), 580);
    paper.paragraph(band(Bold), At(x, 590), mm(50), 1, edition.programme_name);
    let edge = At(PASS_WIDTH - mm(4), 590);
    paper.text_to(band(Regular), edge, mm(35), edition.sponsor_name);

    let value = format!("{}\u{a0}€", amount(edition.face_value_cents));
    paper.text(Style::new(Bold, 230), At(x, 1620), &value);
    paper.text(Style::new(Regular, 90), NUMBER, "Pass n°");
    let until = format!("À utiliser au plus tard le {}", date(edition.last_use));
    paper.paragraph(Style::new(Bold, 80), At(x, 2460), space, 1, &until);
    let services = format!("Services\u{a0}: {}", edition.services);
    let y = paper.paragraph(small, At(x, 2790), space, 2, &services);
    let territory = format!("Territoire\u{a0}: {}", edition.territory);
    let y = paper.paragraph(small, At(x, y), space, 1, &territory);
    let issuer = format!("Émis par {}, {}", edition.issuer_name, edition.issuer_address);
    let grey = Style::new(Regular, 58).in_ink(Ink::Grey);
    paper.paragraph(grey, At(x, y), space, 2, &issuer);

    paper.area(Ink::Tint, At(mm(2), 4030), PASS_WIDTH - mm(4), 530);
    paper.text(Style::new(Regular, 70), At(x, 4385), "À saisir\u{a0}:");
    for (from, to) in [
        (At(0, 0), At(PASS_WIDTH, 0)),
        (At(0, PASS_HEIGHT), At(PASS_WIDTH, PASS_HEIGHT)),
        (At(0, 0), At(0, PASS_HEIGHT)),
        (At(PASS_WIDTH, 0), At(PASS_WIDTH, PASS_HEIGHT)),
    ] {
        paper.line(Ink::Hairline, from, to, true);
    }
    paper
}

fn draw_pass(paper: &mut Paper, corner: At, pass: &PrintedPass) -> io::Result<()> {
    let inside = |At(x, y): At| At(corner.0 + x, corner.1 + y);
    paper.form(corner);
    paper.text(Style::new(Bold, 100), inside(At(NUMBER.0 + mm(12), NUMBER.1)), &pass.label);
    paper.paragraph(CODE_STYLE, inside(CODE), mm(75), 1, &pass.typable);
    paper.qr(inside(QR), QR_SIDE, &pass.qr)
}
