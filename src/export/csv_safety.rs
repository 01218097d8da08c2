//! CSV that a French spreadsheet opens right and that cannot run a formula on the reader's machine.
//!
//! Every CSV we write goes through [`Sheet`], so that no export can forget either half.

use std::borrow::Cow;
use std::io::{self, Write};

/// What makes spreadsheets take a cell for a formula when it comes first: the four signs, their
/// full-width twins, and the blanks that some of them skip before looking (OWASP, CSV Injection).
const FORMULA_STARTS: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Tells Excel that the file is UTF-8; without it, "é" becomes "Ã©".
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The cell as it may be written: a leading `'` shows a spreadsheet that it is text.
///
/// Amounts keep their sign elsewhere (`direction`, debit and credit columns), so no number of ours
/// starts with `-` and none is spoilt.
pub fn escape(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(FORMULA_STARTS) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// A CSV file on its way out: UTF-8 with a byte-order mark, `;` between cells (the comma is the
/// French decimal sign), CRLF after rows (RFC 4180), every cell escaped. Holds one buffer, no rows.
pub struct Sheet<W: Write> {
    rows: csv::Writer<W>,
}

impl<W: Write> Sheet<W> {
    /// Opens the sheet with its header.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new<const N: usize>(mut out: W, header: [&str; N]) -> io::Result<Self> {
        out.write_all(BYTE_ORDER_MARK)?;
        let rows = csv::WriterBuilder::new()
            .delimiter(b';')
            .terminator(csv::Terminator::CRLF)
            .from_writer(out);
        let mut sheet = Self { rows };
        sheet.row(header)?;
        Ok(sheet)
    }

    /// Writes one row, with as many cells as the header.
    ///
    /// # Errors
    /// Those of `out`, and a row of another length than the header.
    pub fn row<'c, I>(&mut self, cells: I) -> io::Result<()>
    where
        I: IntoIterator<Item = &'c str>,
    {
        for cell in cells {
            self.rows.write_field(escape(cell).as_bytes())?;
        }
        Ok(self.rows.write_record(None::<&[u8]>)?)
    }

    /// Hands the last bytes over. A sheet dropped without it may lose its end.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(mut self) -> io::Result<()> {
        self.rows.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(header: [&str; 2], rows: &[[&str; 2]]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut sheet = Sheet::new(&mut out, header).unwrap();
        for row in rows {
            sheet.row(*row).unwrap();
        }
        sheet.finish().unwrap();
        out
    }

    #[test]
    fn a_cell_that_would_be_a_formula_becomes_text() {
        for formula in ["=1+1", "+33 3 20", "-2", "@SUM(A1)", "\tx", "\r=1", "\n=1", "＝1"] {
            assert_eq!(escape(formula), format!("'{formula}"));
        }
    }

    #[test]
    fn an_ordinary_cell_is_left_alone() {
        for plain in ["", "HDF-0412733", "10,00", "L'Haÿ", " =1", "a=b"] {
            assert!(matches!(escape(plain), Cow::Borrowed(same) if same == plain));
        }
    }

    #[test]
    fn a_sheet_opens_in_a_french_spreadsheet() {
        let bytes = written(["nom", "note"], &[["Œuvre; d'Hénin", "=cmd()"], ["dit \"x\"", ""]]);
        let expected = "\u{feff}nom;note\r\n\"Œuvre; d'Hénin\";'=cmd()\r\n\"dit \"\"x\"\"\";\r\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[test]
    fn a_row_of_another_length_than_the_header_is_refused() {
        let mut sheet = Sheet::new(Vec::new(), ["a", "b"]).unwrap();
        assert!(sheet.row(["alone"]).is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back_and_never_a_formula(left in ".*", right in ".*") {
            let bytes = written(["a", "b"], &[[&left, &right]]);
            let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(&bytes[3..]);
            let row = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(row.iter().collect::<Vec<_>>(), [escape(&left), escape(&right)]);
            prop_assert!(row.iter().all(|cell| !cell.starts_with(FORMULA_STARTS)));
        }
    }
}
