//! Mediation places as published in the national schema "lieux de médiation numérique": both
//! generations, JSON or CSV, read with a verdict for every row.
//!
//! The way of a row: `format` finds the rows and cells of a file, `column` says which cells we
//! read, `reading` turns one row into a [`Place`] or says why not, with `locate` for the commune
//! and `values` for dates, coordinates and lists; `verdict` and `remark` hold every reason and
//! remark with its sentence. Nothing here knows a database or a clock: [`read`] is a pure function
//! of bytes.

mod column;
mod format;
mod locate;
mod reading;
mod remark;
mod values;
mod verdict;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::Serialize;

pub use column::{Column, Generation};
pub use remark::{Clue, FileRemark, Remark};
pub use verdict::{FileRefusal, RowRefusal, Told};

use super::commune::{Department, InseeCode, PostalCode};
use super::service::Service;
use super::siret::Pivot;

/// A place where people are helped with digital matters, as a file describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The identifier its source gave it, unique in its file; derived from name, address and
    /// commune when there was none (remark `id_derived`).
    pub source_id: String,
    /// Who runs it. Without a SIRET a place can be listed, but neither qualified nor paid.
    pub pivot: Option<Pivot>,
    /// Its name, on one line, never empty.
    pub name: String,
    /// Number, street and complement, on one line; empty when the file has none.
    pub address: String,
    /// Of the address; `None` only outside Hauts-de-France, when the file gives a commune by its
    /// code.
    pub postal_code: Option<PostalCode>,
    /// Of the commune; `None` only outside Hauts-de-France, when the file gives a postal code
    /// alone.
    pub insee_code: Option<InseeCode>,
    /// The commune's official name in Hauts-de-France, as given elsewhere.
    pub commune: String,
    /// The department of the commune.
    pub department: Department,
    /// Where it is, when the file says so believably.
    pub coordinates: Option<Coordinates>,
    /// What people come for, in the nine services of today.
    pub services: BTreeSet<Service>,
    /// Whether the file says that it takes the pass numérique or bears the APTIC label.
    pub accepts_pass: bool,
    /// Whether it travels (a bus, rounds of permanences).
    pub itinerant: bool,
    /// In the OpenStreetMap notation that the schema asks for, as given.
    pub opening_hours: Option<String>,
    /// The day its source last touched it.
    pub updated_on: Option<NaiveDate>,
    /// Who published it.
    pub source: Option<String>,
}

/// A point in WGS 84, in millionths of a degree (about 11 cm): integers, so that a place read twice
/// is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Coordinates {
    /// North of the equator, −90,000,000 to 90,000,000.
    pub latitude_microdegrees: i32,
    /// East of Greenwich, −180,000,000 to 180,000,000.
    pub longitude_microdegrees: i32,
}

/// How much a file may ask of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file: the whole of it is held in memory while it is read.
    pub bytes: usize,
    /// Rows: a region has some thousands of places, the country some tens of thousands.
    pub rows: usize,
    /// Characters of one cell: the longest honest ones are presentations of some thousands.
    pub cell_chars: usize,
    /// Levels of nesting of a JSON file: a list of objects that hold lists needs three.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 20, rows: 50_000, cell_chars: 10_000, depth: 8 }
    }
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Taken as it stands.
    Imported(Box<Place>),
    /// Taken; something was missing, deduced or put right.
    ImportedWithRemarks(Box<Place>, Vec<Remark>),
    /// Left out, and every reason found.
    Refused(Vec<RowRefusal>),
}

/// One row of a file and its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it stands, from 1: the line it starts on in a CSV file (the header is line 1), its
    /// rank in a JSON list.
    pub at: usize,
    /// The name it bears, cut to eighty characters, so that a person recognises a refused row;
    /// empty when unreadable.
    pub name: String,
    /// What became of it.
    pub verdict: Verdict,
}

/// How a file writes its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A JSON list of objects.
    Json,
    /// A CSV file and the character between its cells.
    Csv {
        /// `,`, `;` or a tab.
        separator: char,
    },
}

/// A file that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceFile {
    /// How it is written.
    pub format: Format,
    /// Which generation of the schema it follows, judged by its columns.
    pub generation: Generation,
    /// Every row, in order: none is left out.
    pub rows: Vec<Row>,
    /// What is true of the file as a whole.
    pub remarks: Vec<FileRemark>,
}

/// How many rows met which verdict; the three add up to the rows of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Taken as they stand.
    pub imported: usize,
    /// Taken with remarks.
    pub with_remarks: usize,
    /// Left out.
    pub refused: usize,
}

impl PlaceFile {
    /// The count of each verdict.
    pub fn counts(&self) -> Counts {
        let count = |wanted: fn(&Verdict) -> bool| {
            self.rows.iter().filter(|row| wanted(&row.verdict)).count()
        };
        Counts {
            imported: count(|verdict| matches!(verdict, Verdict::Imported(_))),
            with_remarks: count(|verdict| matches!(verdict, Verdict::ImportedWithRemarks(..))),
            refused: count(|verdict| matches!(verdict, Verdict::Refused(_))),
        }
    }

    /// The places that were taken, in the order of the file.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.rows.iter().filter_map(|row| row.verdict.place())
    }
}

impl Verdict {
    /// The place, unless the row was refused.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Imported(place) | Self::ImportedWithRemarks(place, _) => Some(place),
            Self::Refused(_) => None,
        }
    }

    /// Every remark or reason, as a code and a sentence.
    pub fn told(&self) -> Vec<Told> {
        match self {
            Self::Imported(_) => Vec::new(),
            Self::ImportedWithRemarks(_, remarks) => remarks.iter().map(Remark::told).collect(),
            Self::Refused(reasons) => reasons.iter().map(RowRefusal::told).collect(),
        }
    }
}

/// Reads a file of places: JSON list or CSV (`,`, `;` or tab; byte-order mark or not), either
/// generation.
///
/// Only UTF-8 is read. A file in Latin-1 is refused with the way out (each spreadsheet can save
/// "CSV UTF-8"), because a wrong guess of the encoding would print mangled names on statements for
/// years.
///
/// # Errors
/// [`FileRefusal`] when no row can be told from another: too big, not UTF-8, broken or too deep
/// JSON, no column `nom`. What is wrong with one row is that row's verdict.
pub fn read(bytes: &[u8], limits: Limits) -> Result<PlaceFile, FileRefusal> {
    let text = format::text(bytes, limits)?;
    let mut reading = reading::Reading::new(limits);
    let format = format::rows(text, &mut reading)?;
    reading.finish(format)
}

#[cfg(test)]
mod handmade;
#[cfg(test)]
mod tests;
