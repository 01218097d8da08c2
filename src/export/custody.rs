//! The custody report (fr: état de détention), range by range: nothing holds all of them.

use std::io::{self, Write};

use super::csv_safety::Sheet;
use crate::domain::account::AccountKind;
use crate::domain::statement::{CustodyFrame, HeldRange, Holding, Totals};

const COLUMNS: [&str; 8] =
    ["ligne", "compte", "libelle", "detenteur", "nom", "premier_pass", "dernier_pass", "pass"];

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object: the frame, `ranges`, `totals`, `passes`.
    Json,
    /// A spreadsheet: a `plage` per range, then a `total` per holder.
    Csv,
}

/// A report on its way out.
pub struct Report<W: Write> {
    out: Out<W>,
    totals: Totals,
    passes: i64,
}

enum Out<W: Write> {
    Json { out: W, is_first: bool },
    Csv(Box<Sheet<W>>),
}

impl<W: Write> Report<W> {
    /// Opens it.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn begin(mut out: W, format: Format, frame: &CustodyFrame) -> io::Result<Self> {
        let out = match format {
            Format::Json => {
                let frame = serde_json::to_string(frame)?;
                let open = frame.strip_suffix('}').unwrap_or(&frame);
                write!(out, "{open},\"ranges\":[")?;
                Out::Json { out, is_first: true }
            }
            Format::Csv => Out::Csv(Box::new(Sheet::new(out, COLUMNS)?)),
        };
        Ok(Self { out, totals: Totals::default(), passes: 0 })
    }

    /// Adds a range.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn range(&mut self, range: &HeldRange) -> io::Result<()> {
        self.totals.add(range);
        self.passes = self.passes.saturating_add(range.passes());
        match &mut self.out {
            Out::Json { out, is_first } => {
                if !std::mem::take(is_first) {
                    out.write_all(b",")?;
                }
                Ok(serde_json::to_writer(out, range)?)
            }
            Out::Csv(sheet) => {
                let ends = Some((range.first_pass.to_string(), range.last_pass.to_string()));
                let holder = (range.account, range.holder, range.name.as_deref());
                row(sheet, "plage", holder, ends, range.passes())
            }
        }
    }

    /// Adds what each holder holds in all, and ends it.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(self) -> io::Result<()> {
        let (totals, passes) = (self.totals.holdings(), self.passes);
        match self.out {
            Out::Json { mut out, .. } => {
                let totals = serde_json::to_string(&totals)?;
                write!(out, "],\"totals\":{totals},\"passes\":{passes}}}")?;
                out.flush()
            }
            Out::Csv(mut sheet) => {
                for Holding { account, holder, name, passes } in &totals {
                    row(&mut sheet, "total", (*account, *holder, name.as_deref()), None, *passes)?;
                }
                sheet.finish()
            }
        }
    }
}

fn row<W: Write>(
    sheet: &mut Sheet<W>,
    line: &str,
    (account, holder, name): (AccountKind, Option<i32>, Option<&str>),
    ends: Option<(String, String)>,
    passes: i64,
) -> io::Result<()> {
    let (first, last) = ends.unwrap_or_default();
    let holder = holder.map(|holder| holder.to_string()).unwrap_or_default();
    let (name, passes) = (name.unwrap_or_default(), passes.to_string());
    let account_word: &str = account.into();
    sheet.row([line, account_word, account.label(), &holder, name, &first, &last, &passes])
}
