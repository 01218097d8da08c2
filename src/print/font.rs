//! The three fonts that every PDF reader and every press has, and how wide their letters are.
//!
//! Standard fonts are not embedded; a page of ten passes stays small. Widths are those that Adobe
//! publishes in the font metrics of Helvetica, in thousandths of the size, by `WinAnsi` code.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "lengths on a sheet of paper are far from the ends of i32"
)]

use pdf_writer::Name;

/// A standard font.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Font {
    Regular,
    Bold,
    /// All letters of one width and well told apart: for codes.
    Fixed,
}

impl Font {
    /// What the file calls it.
    pub const fn base(self) -> Name<'static> {
        match self {
            Self::Regular => Name(b"Helvetica"),
            Self::Bold => Name(b"Helvetica-Bold"),
            Self::Fixed => Name(b"Courier-Bold"),
        }
    }

    /// What pages call it.
    pub const fn name(self) -> Name<'static> {
        match self {
            Self::Regular => Name(b"R"),
            Self::Bold => Name(b"B"),
            Self::Fixed => Name(b"C"),
        }
    }

    /// Thousandths of the size that a code of `WinAnsi` takes.
    fn advance(self, code: u8) -> i32 {
        let table = match self {
            Self::Regular => &REGULAR,
            Self::Bold => &BOLD,
            Self::Fixed => return 600,
        };
        let index = usize::from(code.saturating_sub(b' '));
        table.get(index).copied().map_or(0, i32::from)
    }
}

/// Widths of Helvetica from code 32 to 255.
#[rustfmt::skip]
const REGULAR: [u16; 224] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584, 350,
    556, 350, 222, 556, 333, 1000, 556, 556, 333, 1000, 667, 333, 1000, 350, 611, 350,
    350, 222, 222, 333, 333, 350, 556, 1000, 333, 1000, 500, 333, 944, 350, 500, 667,
    278, 333, 556, 556, 556, 556, 260, 556, 333, 737, 370, 556, 584, 333, 737, 333,
    400, 584, 333, 333, 333, 556, 537, 278, 333, 333, 365, 556, 834, 834, 834, 611,
    667, 667, 667, 667, 667, 667, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278,
    722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667, 611,
    556, 556, 556, 556, 556, 556, 889, 500, 556, 556, 556, 556, 278, 278, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 584, 611, 556, 556, 556, 556, 500, 556, 500,
];

/// Widths of Helvetica-Bold from code 32 to 255.
#[rustfmt::skip]
const BOLD: [u16; 224] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
    975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
    333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611,
    611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584, 350,
    556, 350, 278, 556, 500, 1000, 556, 556, 333, 1000, 667, 333, 1000, 350, 611, 350,
    350, 278, 278, 500, 500, 350, 556, 1000, 333, 1000, 556, 333, 944, 350, 500, 667,
    278, 333, 556, 556, 556, 556, 280, 556, 333, 737, 370, 556, 584, 333, 737, 333,
    400, 584, 333, 333, 333, 611, 556, 278, 333, 333, 365, 556, 834, 834, 834, 611,
    722, 722, 722, 722, 722, 722, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278,
    722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667, 611,
    556, 556, 556, 556, 556, 556, 889, 556, 556, 556, 556, 556, 278, 278, 278, 278,
    611, 611, 611, 611, 611, 611, 611, 584, 611, 611, 611, 611, 611, 556, 611, 556,
];

/// What the codes 128 to 159 stand for; the rest of `WinAnsi` is Latin-1 (ISO 32000-1 annex D.2).
const ABOVE_ASCII: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘',
    '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// The text as the fonts count their letters. What they lack is folded to its plain letter, so
/// that a name stays readable: "Łódź" gives "Lódz".
pub(super) fn winansi(text: &str) -> Vec<u8> {
    let mut codes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match (c, u8::try_from(u32::from(c))) {
            (_, Ok(code @ (0x20..=0x7e | 0xa0..=0xff))) => codes.push(code),
            ('\u{2009}' | '\u{202f}', _) => codes.push(0xa0),
            ('\u{300}'..='\u{36f}', _) => {}
            _ => match (128..).zip(ABOVE_ASCII).find(|(_, known)| *known == c && c != '\0') {
                Some((code, _)) => codes.push(code),
                None => codes.extend(plain(c)),
            },
        }
    }
    codes
}

fn plain(c: char) -> Vec<u8> {
    if c.is_control() {
        return vec![b' '];
    }
    sepa::transliterate(&c.to_string(), sepa::Transliteration::Epc).as_bytes().to_vec()
}

/// How long a text is, in the unit of `size`.
pub(super) fn width(font: Font, size: i32, text: &str) -> i32 {
    let thousandths: i64 = winansi(text).iter().map(|code| i64::from(font.advance(*code))).sum();
    i32::try_from(thousandths * i64::from(size) / 1000).unwrap_or(i32::MAX)
}

/// Breaks a text into lines of at most `space`, between words; a word longer than a line is cut.
pub(super) fn wrap(font: Font, size: i32, space: i32, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    // Not `split_whitespace`: a no-break space is white too.
    for word in text.split([' ', '\n', '\t', '\r']).filter(|word| !word.is_empty()) {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(font, size, &longer) <= space {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in word.chars() {
            line.push(c);
            if width(font, size, &line) > space && line.chars().count() > 1 {
                line.pop();
                lines.push(std::mem::replace(&mut line, c.to_string()));
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn french_letters_keep_their_accents() {
        assert_eq!(winansi("Œé€—’ œÿ"), [0x8c, 0xe9, 0x80, 0x97, 0x92, 0x20, 0x9c, 0xff]);
        assert_eq!(winansi("10\u{202f}€"), [b'1', b'0', 0xa0, 0x80]);
    }

    #[test]
    fn letters_that_the_fonts_lack_become_plain() {
        assert_eq!(winansi("Łódź\n\0Ω"), b"L\xf3dz  O");
    }

    #[test]
    fn widths_are_those_of_the_published_metrics() {
        assert_eq!(width(Font::Regular, 1000, "AVÉ€"), 667 + 667 + 667 + 556);
        assert_eq!(width(Font::Bold, 1000, "jœ—"), 278 + 944 + 1000);
        assert_eq!(width(Font::Fixed, 1000, "7K3M"), 2400);
    }

    #[test]
    fn lines_break_between_words_and_never_at_a_no_break_space() {
        let lines = wrap(Font::Fixed, 1000, 6000, "un deux trois\u{a0}! quatrequatrequatre");
        assert_eq!(lines, ["un deux", "trois\u{a0}!", "quatrequat", "requatre"]);
    }

    proptest! {
        #[test]
        fn wrapping_loses_no_letter_and_keeps_within_the_space(text in "\\PC{0,200}", space in 100..20_000) {
            let lines = wrap(Font::Regular, 250, space, &text);
            let blank = |c: &char| *c != ' ';
            let kept: String = lines.concat().chars().filter(blank).collect();
            prop_assert_eq!(kept, text.chars().filter(blank).collect::<String>());
            for line in lines {
                prop_assert!(width(Font::Regular, 250, &line) <= space || line.chars().count() == 1);
            }
        }
    }
}
