//! One row after another: from cells to a verdict, and from verdicts to a file.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::column::{Column, Generation, Seen};
use super::locate::{Located, locate};
use super::remark::{FileRemark, Remark};
use super::values::{day, items, point, takes_the_pass, yes_or_no};
use super::verdict::{FileRefusal, RowRefusal, shown};
use super::{Coordinates, Format, Limits, Place, PlaceFile, Row, Verdict};
use crate::domain::commune::Department;
use crate::domain::folding::{fold, has_forbidden, one_line, unmangle};
use crate::domain::service::Service;
use crate::domain::siret::Pivot;

/// The cells of one row that we read, each on one line, and what is already wrong with them.
#[derive(Default)]
pub(super) struct Cells {
    texts: BTreeMap<Column, String>,
    remarks: Vec<Remark>,
    refusals: Vec<RowRefusal>,
}

impl Cells {
    pub(super) fn get(&self, column: Column) -> &str {
        self.texts.get(&column).map(String::as_str).unwrap_or_default()
    }

    /// Puts a raw text in its cell, or says why it can't be there.
    pub(super) fn put(&mut self, column: Column, raw: &str) {
        let repaired = unmangle(raw);
        if repaired.is_some() {
            self.remarks.push(Remark::TextRepaired { column });
        }
        let text = one_line(repaired.as_deref().unwrap_or(raw));
        if has_forbidden(&text) {
            self.refuse(RowRefusal::ControlCharacter { column });
        } else if self.ensure_short(column.name(), &text, column.max_chars()) {
            self.texts.insert(column, text);
        }
    }

    /// Refuses a text of more than `limit` characters; tells whether it is short enough.
    pub(super) fn ensure_short(&mut self, column: &str, text: &str, limit: usize) -> bool {
        // Bytes are counted first: they are at hand, and never fewer than the characters.
        let found = if text.len() > limit { text.chars().count() } else { text.len() };
        if found > limit {
            self.refuse(RowRefusal::TooLong { column: shown(column, 60), found, limit });
        }
        found <= limit
    }

    pub(super) fn refuse(&mut self, refusal: RowRefusal) {
        self.refusals.push(refusal);
    }
}

/// A file while it is being read.
pub(super) struct Reading {
    limits: Limits,
    rows: Vec<Row>,
    columns: Seen,
    has_bars: bool,
    firsts: Firsts,
    stopped: Option<FileRefusal>,
}

/// Where each id, and each (name, address, commune), of a place that was taken first stood.
#[derive(Default)]
struct Firsts {
    ids: HashMap<String, usize>,
    places: HashMap<String, usize>,
}

impl Reading {
    pub(super) fn new(limits: Limits) -> Self {
        let (rows, columns, firsts) = (Vec::new(), Seen::default(), Firsts::default());
        Self { limits, rows, columns, has_bars: false, firsts, stopped: None }
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// Notes that the file has a column of that normalised name.
    pub(super) fn see(&mut self, column: &str) {
        self.columns.see(column);
    }

    /// Why the file had to be left before its end, if it was.
    pub(super) fn stopped(&mut self) -> Option<FileRefusal> {
        self.stopped.take()
    }

    /// Judges the next row; false when the file has too many.
    pub(super) fn take(&mut self, at: usize, cells: Cells) -> bool {
        if self.rows.len() >= self.limits.rows {
            self.stopped = Some(FileRefusal::TooManyRows { limit: self.limits.rows });
            return false;
        }
        self.has_bars |= cells.get(Column::SERVICES).contains('|');
        let name = shown(cells.get(Column::NAME), 80);
        let verdict = match place(cells).and_then(|read| self.firsts.admit(at, read)) {
            Ok((place, remarks)) if remarks.is_empty() => Verdict::Imported(Box::new(place)),
            Ok((place, remarks)) => Verdict::ImportedWithRemarks(Box::new(place), remarks),
            Err(refusals) => Verdict::Refused(refusals),
        };
        self.rows.push(Row { at, name, verdict });
        true
    }

    /// The file once all rows are in.
    pub(super) fn finish(self, format: Format) -> Result<PlaceFile, FileRefusal> {
        if self.rows.is_empty() {
            return Err(FileRefusal::Empty);
        }
        if !self.columns.has(Column::NAME.name()) {
            return Err(FileRefusal::NoName);
        }
        let (old, new) = self.columns.betrayed();
        let is_new = new > old || (new == old && self.has_bars);
        let generation = if is_new { Generation::V1 } else { Generation::V0 };
        let unknown = Some(self.columns.unknown()).filter(|names| !names.is_empty());
        let mixed = (old > 0 && new > 0).then_some(FileRemark::MixedGenerations);
        let remarks = unknown.map(FileRemark::UnknownColumns).into_iter().chain(mixed).collect();
        Ok(PlaceFile { format, generation, rows: self.rows, remarks })
    }
}

type Taken = (Place, Vec<Remark>);

impl Firsts {
    /// Lets the place in unless its id, or its name, address and commune, already came.
    fn admit(&mut self, at: usize, taken: Taken) -> Result<Taken, Vec<RowRefusal>> {
        let place = &taken.0;
        let likeness = likeness(place);
        // Places first: two rows without id that are alike have the same derived one.
        if let Some(first) = self.places.get(&likeness) {
            return Err(vec![RowRefusal::DuplicatePlace { first: *first }]);
        }
        if let Some(first) = self.ids.get(&place.source_id) {
            return Err(vec![RowRefusal::DuplicateId {
                id: place.source_id.clone(),
                first: *first,
            }]);
        }
        self.ids.insert(place.source_id.clone(), at);
        self.places.insert(likeness, at);
        Ok(taken)
    }
}

/// What two rows on the same place have in common, however they are spelt.
fn likeness(place: &Place) -> String {
    let commune = place
        .insee_code
        .map_or_else(|| format!("{} {}", place.department, fold(&place.commune)), String::from);
    [fold(&place.name), fold(&place.address), commune].join("\n")
}

/// The place that the cells describe, or every reason why not.
fn place(mut cells: Cells) -> Result<Taken, Vec<RowRefusal>> {
    let mut remarks = std::mem::take(&mut cells.remarks);
    let mut refusals = std::mem::take(&mut cells.refusals);
    if !refusals.is_empty() {
        return Err(refusals);
    }
    if cells.get(Column::NAME).is_empty() {
        refusals.push(RowRefusal::NameMissing);
    }
    match locate(&cells, &mut remarks) {
        Ok(located) if refusals.is_empty() => {
            Ok((describe(&cells, located, &mut remarks), remarks))
        }
        Ok(_) => Err(refusals),
        Err(refusal) => {
            refusals.push(refusal);
            Err(refusals)
        }
    }
}

fn describe(cells: &Cells, located: Located, remarks: &mut Vec<Remark>) -> Place {
    let some = |column| Some(cells.get(column).to_owned()).filter(|text| !text.is_empty());
    let mut place = Place {
        source_id: cells.get(Column::ID).to_owned(),
        pivot: pivot(cells.get(Column::PIVOT), remarks),
        name: cells.get(Column::NAME).to_owned(),
        address: address(cells, remarks),
        postal_code: located.postal_code,
        insee_code: located.insee_code,
        commune: located.commune,
        department: located.department,
        coordinates: coordinates(cells, located.department, remarks),
        services: services(cells.get(Column::SERVICES), remarks),
        accepts_pass: Column::of_the_pass().any(|column| takes_the_pass(cells.get(column))),
        itinerant: itinerant(cells.get(Column::ITINERANT), remarks),
        opening_hours: some(Column::HOURS),
        updated_on: updated_on(cells.get(Column::UPDATED), remarks),
        source: some(Column::SOURCE),
    };
    if place.source_id.is_empty() {
        remarks.push(Remark::IdDerived);
        place.source_id = derived_id(&place);
    }
    place
}

/// `derived-` and the first sixteen hexadecimal digits of the SHA-256 of what tells the place from
/// others: the same row gives the same id in the next file.
fn derived_id(place: &Place) -> String {
    let digest = Sha256::digest(likeness(place).as_bytes());
    digest.iter().take(8).fold("derived-".to_owned(), |mut id, byte| {
        // Writing to a String can't fail.
        let _ = write!(id, "{byte:02x}");
        id
    })
}

fn pivot(text: &str, remarks: &mut Vec<Remark>) -> Option<Pivot> {
    if text.is_empty() {
        remarks.push(Remark::PivotMissing);
        return None;
    }
    match text.parse() {
        Ok(pivot) => Some(pivot),
        Err(rule) => {
            remarks.push(Remark::PivotInvalid { given: shown(text, 40), rule });
            None
        }
    }
}

fn address(cells: &Cells, remarks: &mut Vec<Remark>) -> String {
    let (street, more) = (cells.get(Column::ADDRESS), cells.get(Column::ADDRESS_MORE));
    if street.is_empty() && more.is_empty() {
        remarks.push(Remark::AddressMissing);
    }
    one_line(&format!("{street} {more}"))
}

fn coordinates(
    cells: &Cells,
    department: Department,
    remarks: &mut Vec<Remark>,
) -> Option<Coordinates> {
    match point(cells.get(Column::LATITUDE), cells.get(Column::LONGITUDE), department) {
        Ok(point) => {
            remarks.extend(
                point.as_ref().filter(|point| point.swapped).map(|_| Remark::CoordinatesSwapped),
            );
            point.map(|point| point.coordinates)
        }
        Err(remark) => {
            remarks.push(remark);
            None
        }
    }
}

fn services(text: &str, remarks: &mut Vec<Remark>) -> BTreeSet<Service> {
    let mut services = BTreeSet::new();
    for item in items(text) {
        match Service::from_label(item) {
            Some(service) => {
                services.insert(service);
            }
            None => remarks.push(Remark::ServiceUnknown { given: shown(item, 80) }),
        }
    }
    services
}

fn itinerant(text: &str, remarks: &mut Vec<Remark>) -> bool {
    yes_or_no(text).unwrap_or_else(|| {
        remarks.push(Remark::ItineranceUnknown { given: shown(text, 40) });
        false
    })
}

fn updated_on(text: &str, remarks: &mut Vec<Remark>) -> Option<chrono::NaiveDate> {
    let date = day(text);
    match date {
        _ if text.is_empty() => remarks.push(Remark::DateMissing),
        None => remarks.push(Remark::DateInvalid { given: shown(text, 40) }),
        Some(_) => {}
    }
    date
}
