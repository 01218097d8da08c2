//! The conservation statement as a spreadsheet opens it. Amounts bear no sign: a column says on which side they stand.

use std::io::{self, Write};

use super::csv_safety::Sheet;
use crate::domain::account::Book;
use crate::domain::statement::{AccountLine, Conservation, Equality, Side};

const COLUMNS: [&str; 8] =
    ["rubrique", "code", "libelle", "detenteur", "nom", "sens", "montant", "unite"];

/// Writes it: what it was computed under, every account, then every equality term by term.
///
/// # Errors
/// Those of `out`.
pub fn write_csv(out: impl Write, statement: &Conservation) -> io::Result<()> {
    let mut sheet = Sheet::new(out, COLUMNS)?;
    let mut frame = |code: &str, value: &str| sheet.row(["cadre", code, value, "", "", "", "", ""]);
    frame("dispositif", &statement.programme)?;
    frame("arrete_au", &statement.as_of.to_rfc3339())?;
    if let Some(head) = statement.head {
        frame("taille_du_journal", &head.size.to_string())?;
        frame("racine_du_journal", &head.root.to_string())?;
    }
    frame("ecritures_pas_encore_sous_cette_tete", &statement.entries_past_head.to_string())?;
    for line in &statement.accounts {
        account(&mut sheet, line)?;
    }
    for it in &statement.equalities {
        equality(&mut sheet, it)?;
    }
    sheet.finish()
}

fn account<W: Write>(sheet: &mut Sheet<W>, line: &AccountLine) -> io::Result<()> {
    let holder = line.holder.map(|holder| holder.to_string()).unwrap_or_default();
    let side = if line.side == Side::Debit { "débit" } else { "crédit" };
    let (code, name): (&str, _) = (line.account.into(), line.name.as_deref().unwrap_or_default());
    let amount = line.balance.to_string();
    sheet.row(["compte", code, line.label, &holder, name, side, &amount, unit(line.book)])
}

fn equality<W: Write>(sheet: &mut Sheet<W>, it: &Equality) -> io::Result<()> {
    let mut row = |side: &str, label: &str, amount: i64| {
        let sense = if amount < 0 { "moins" } else { "plus" };
        let amount = amount.saturating_abs().to_string();
        sheet.row([side, it.code, label, "", "", sense, &amount, unit(it.book)])
    };
    row("égalité, à gauche", &it.left.label, it.left.amount)?;
    for term in &it.right {
        row("égalité, à droite", &term.label, term.amount)?;
    }
    row("égalité, somme à droite", it.rule, it.right_sum)?;
    row("égalité, écart", it.rule, it.difference)
}

const fn unit(book: Book) -> &'static str {
    match book {
        Book::Pass => "pass",
        Book::Eur => "centimes",
    }
}
