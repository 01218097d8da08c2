//! The worksheet of an audit sample (fr: feuille de travail): one line per receipt drawn, with what to compare it with, and
//! room for what is found.

use std::io::{self, Write};

use super::csv_safety::Sheet;
use crate::domain::date::in_paris;
use crate::domain::entry::EntryKind;
use crate::domain::money::Cents;
use crate::domain::sample::{Conclusion, to_look_at};
use crate::domain::{EntryId, SiteId, Timestamp};

const COLUMNS: [&str; 13] = [
    "ligne",
    "strate",
    "recepisse",
    "nature",
    "survenu",
    "montant",
    "lieu",
    "nom_du_lieu",
    "a_controler",
    "constat",
    "remarque",
    "feuille",
    "ecriture",
];

/// One receipt that was drawn.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Its line, from 1.
    pub line: i32,
    /// The part of the population that it stands for.
    pub stratum: &'a str,
    /// Its number, or the redemption that it names.
    pub receipt: &'a str,
    /// What it records.
    pub kind: EntryKind,
    /// When it took place.
    pub happened_at: Timestamp,
    /// What it is worth, when it says so.
    pub amount_cents: Option<i64>,
    /// The site that it names.
    pub site: Option<(SiteId, &'a str)>,
    /// Its position in the log.
    pub leaf: i64,
    /// Its entry.
    pub entry: EntryId,
    /// What stands as found.
    pub conclusion: Option<Conclusion>,
    /// Why.
    pub remark: Option<&'a str>,
}

/// Opens the sheet.
///
/// # Errors
/// Those of `out`.
pub fn begin<W: Write>(out: W) -> io::Result<Sheet<W>> {
    Sheet::new(out, COLUMNS)
}

/// Adds a line.
///
/// # Errors
/// Those of the sheet.
pub fn write<W: Write>(sheet: &mut Sheet<W>, row: &Row<'_>) -> io::Result<()> {
    let cells: [&str; 13] = [
        &row.line.to_string(),
        row.stratum,
        row.receipt,
        row.kind.label(),
        &in_paris(row.happened_at),
        &row.amount_cents.map(|cents| Cents(cents).to_string()).unwrap_or_default(),
        &row.site.map(|(number, _)| number.to_string()).unwrap_or_default(),
        row.site.map(|(_, name)| name).unwrap_or_default(),
        to_look_at(row.kind),
        row.conclusion.map(Conclusion::label).unwrap_or_default(),
        row.remark.unwrap_or_default(),
        &row.leaf.to_string(),
        &row.entry.to_string(),
    ];
    sheet.row(cells)
}
