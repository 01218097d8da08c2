//! A sheet to draw on, in hundredths of a millimetre from its upper left corner, downwards.
//!
//! Lengths are whole numbers: a page is laid out with integers, and the one factor to PDF points
//! is in the page's matrix.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "lengths on a sheet of paper are far from the ends of i32"
)]

use super::font::{Font, width, winansi, wrap};
use super::pdf::{COMPACT, FORM_NAME};
use super::qr::{QUIET_ZONE, Qr};
use pdf_writer::{Content, Str};
use std::io;

/// Points per hundredth of a millimetre, and the height of A4 in points.
const PAGE_MATRIX: [f32; 6] = [0.028_346_457, 0.0, 0.0, -0.028_346_457, 0.0, 841.89];

/// Below a third of a millimetre per module, office printers smear and phones give up.
const SMALLEST_MODULE: i32 = 33;

/// The lower limit of legible print when a text has to shrink: 5 points.
const SMALLEST_SIZE: i32 = 176;

/// Millimetres as a length.
pub(super) const fn mm(millimetres: i32) -> i32 {
    millimetres * 100
}

/// Tenths of a point as a length: `pt(85)` is 8.5 points.
const fn pt(tenths: i32) -> i32 {
    tenths * 3528 / 1000
}

/// What is printed with. Text and codes are pure black, not a mix of four inks that the press may
/// not lay exactly upon each other.
#[derive(Clone, Copy)]
pub(super) enum Ink {
    Black,
    Grey,
    Hairline,
    White,
    Blue,
    Tint,
}

/// How a text looks.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub font: Font,
    pub size: i32,
    pub ink: Ink,
}

impl Style {
    /// A black text in `tenths` of a point.
    pub const fn new(font: Font, tenths: i32) -> Self {
        Self { font, size: pt(tenths), ink: Ink::Black }
    }

    /// The same in another ink.
    pub const fn in_ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }

    /// The text in at most `lines` lines of `space`: smaller if it has to be, then cut with "…".
    fn fit(mut self, space: i32, lines: usize, text: &str) -> (Self, Vec<String>) {
        let mut broken = wrap(self.font, self.size, space, text);
        while broken.len() > lines && self.size > SMALLEST_SIZE {
            self.size = (self.size - pt(2)).max(SMALLEST_SIZE);
            broken = wrap(self.font, self.size, space, text);
        }
        if broken.len() > lines {
            let room = space - width(self.font, self.size, "…");
            broken = wrap(self.font, self.size, room, text);
            broken.truncate(lines);
            if let Some(last) = broken.last_mut() {
                last.push('…');
            }
        }
        (self, broken)
    }

    const fn leading(self) -> i32 {
        self.size * 6 / 5
    }
}

/// Where something goes: the upper left corner of a box, or the left end of a line of text.
#[derive(Clone, Copy)]
pub(super) struct At(pub i32, pub i32);

/// A page or a part of one.
pub(super) struct Paper {
    content: Content,
}

impl Paper {
    /// An empty A4 page, 21,000 × 29,700.
    pub fn page() -> Self {
        let mut paper = Self::part();
        paper.content.transform(PAGE_MATRIX);
        paper
    }

    /// An empty part of a page, see [`super::pdf::Document::form`].
    pub fn part() -> Self {
        Self { content: Content::with_settings(COMPACT) }
    }

    /// The finished content stream.
    pub fn into_bytes(self) -> Vec<u8> {
        self.content.finish().into_vec()
    }

    /// One line of text, from its left end, on its base line.
    pub fn text(&mut self, style: Style, At(x, y): At, text: &str) {
        self.fill(style.ink);
        self.content.begin_text();
        self.content.op("Tf").operand(style.font.name()).operand(style.size);
        // Upright although the page's matrix counts downwards.
        self.content.op("Tm").operands([1, 0, 0, -1, x, y]);
        self.content.show(Str(&winansi(text)));
        self.content.end_text();
    }

    /// One line of text that ends at the given point and begins at most `space` before it.
    pub fn text_to(&mut self, style: Style, At(right, y): At, space: i32, text: &str) {
        let (style, lines) = style.fit(space, 1, text);
        for line in lines {
            self.text(style, At(right - width(style.font, style.size, &line), y), &line);
        }
    }

    /// A text in at most `lines` lines of `space`, see [`Style::fit`].
    /// Returns the base line that comes next.
    pub fn paragraph(&mut self, style: Style, at: At, space: i32, lines: usize, text: &str) -> i32 {
        let (style, lines) = style.fit(space, lines, text);
        let At(x, mut y) = at;
        for line in &lines {
            self.text(style, At(x, y), line);
            y += style.leading();
        }
        y
    }

    /// A filled box.
    pub fn area(&mut self, ink: Ink, At(x, y): At, width: i32, height: i32) {
        self.fill(ink);
        self.content.op("re").operands([x, y, width, height]);
        self.content.fill_nonzero();
    }

    /// A line of `thickness`, dashed to be cut along or not.
    pub fn line(&mut self, ink: Ink, from: At, to: At, dashed: bool) {
        self.content.save_state();
        match ink {
            Ink::Black => self.content.set_stroke_gray(0.0),
            _ => self.content.set_stroke_gray(0.6),
        };
        self.content.op("w").operand(15);
        if dashed {
            self.content.set_dash_pattern([100.0, 100.0], 0.0);
        }
        self.content.op("m").operands([from.0, from.1]);
        self.content.op("l").operands([to.0, to.1]);
        self.content.stroke().restore_state();
    }

    /// Paints the form of the document with its corner at the given point.
    pub fn form(&mut self, At(x, y): At) {
        self.content.save_state();
        self.content.op("cm").operands([1, 0, 0, 1, x, y]);
        self.content.x_object(FORM_NAME).restore_state();
    }

    /// A QR code, quiet zone included, within a square of `side`; as large as whole hundredths of a
    /// millimetre per module allow.
    ///
    /// # Errors
    /// A content so long that its modules would be too small to be scanned.
    pub fn qr(&mut self, At(x, y): At, side: i32, content: &str) -> io::Result<()> {
        let qr = Qr::encode(content).map_err(unprintable)?;
        let module = side / (qr.width + 2 * QUIET_ZONE);
        if module < SMALLEST_MODULE {
            return Err(unprintable("trop de caractères pour la place"));
        }
        let margin = (side - module * qr.width) / 2;
        self.content.save_state();
        self.fill(Ink::Black);
        self.content.op("cm").operands([module, 0, 0, module, x + margin, y + margin]);
        // One path for the whole symbol: rows painted apart show hairlines on screens.
        for [x, y, length] in qr.runs() {
            self.content.op("re").operands([x, y, length, 1]);
        }
        self.content.fill_nonzero().restore_state();
        Ok(())
    }

    fn fill(&mut self, ink: Ink) {
        match ink {
            Ink::Black => self.content.set_fill_gray(0.0),
            Ink::Grey => self.content.set_fill_gray(0.35),
            Ink::Hairline => self.content.set_fill_gray(0.6),
            Ink::White => self.content.set_fill_gray(1.0),
            Ink::Blue => self.content.set_fill_cmyk(1.0, 0.75, 0.0, 0.35),
            Ink::Tint => self.content.set_fill_cmyk(0.08, 0.04, 0.0, 0.0),
        };
    }
}

fn unprintable(reason: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("QR non imprimable : {reason}"))
}
