//! From bytes to rows: JSON list or CSV, told apart by the first character.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::Value;

use super::column::normalised;
use super::reading::{Cells, Reading};
use super::verdict::{FileRefusal, RowRefusal, shown};
use super::{Column, Format, Limits};

/// The file as text, without its byte-order mark.
pub(super) fn text(bytes: &[u8], limits: Limits) -> Result<&str, FileRefusal> {
    if bytes.len() > limits.bytes {
        return Err(FileRefusal::TooBig { bytes: bytes.len(), limit: limits.bytes });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let sound = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = sound.split(|byte| *byte == b'\n').count();
        FileRefusal::NotUtf8 { line }
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Hands every row of the text to `reading`.
pub(super) fn rows(text: &str, reading: &mut Reading) -> Result<Format, FileRefusal> {
    match text.trim_start().chars().next() {
        None => Err(FileRefusal::Empty),
        Some('{') => Err(FileRefusal::NotAList),
        Some('[') => json(text, reading),
        Some(_) => csv(text, reading),
    }
}

fn json(text: &str, reading: &mut Reading) -> Result<Format, FileRefusal> {
    ensure_shallow(text, reading.limits().depth)?;
    let mut list = serde_json::Deserializer::from_str(text);
    let read = Elements(reading).deserialize(&mut list).and_then(|()| list.end());
    match (reading.stopped(), read) {
        (Some(refusal), _) => Err(refusal),
        (None, Err(error)) => {
            Err(FileRefusal::BrokenJson { line: error.line(), column: error.column() })
        }
        (None, Ok(())) => Ok(Format::Json),
    }
}

/// Refuses deep nesting before anything is built from it: brackets are counted outside strings.
fn ensure_shallow(text: &str, limit: usize) -> Result<(), FileRefusal> {
    let (mut depth, mut line, mut in_string, mut escaped) = (0_usize, 1_usize, false, false);
    for byte in text.bytes() {
        match byte {
            b'\n' => line = line.saturating_add(1),
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth = depth.saturating_add(1),
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return Err(FileRefusal::TooDeep { line, limit });
        }
    }
    Ok(())
}

/// The elements of a JSON list, read one at a time so that the limit of rows is met before memory
/// is.
struct Elements<'a>(&'a mut Reading);

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, list: D) -> Result<(), D::Error> {
        list.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of places")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut at = 0_usize;
        while let Some(element) = list.next_element::<Value>()? {
            at = at.saturating_add(1);
            let cells = object(element, self.0);
            if !self.0.take(at, cells) {
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

fn object(element: Value, reading: &mut Reading) -> Cells {
    let mut cells = Cells::default();
    let Value::Object(fields) = element else {
        cells.refuse(RowRefusal::NotAnObject);
        return cells;
    };
    for (name, value) in fields {
        let name = normalised(&name);
        reading.see(&name);
        if let Some(column) = Column::named(&name) {
            match flat(value) {
                Some(text) => cells.put(column, &text),
                None => cells.refuse(RowRefusal::NotText { column }),
            }
        }
    }
    cells
}

/// A JSON value as the cell of a table: a list becomes a list of the schema, separated by `|`.
fn flat(value: Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Array(items) => {
            Some(items.into_iter().map(flat).collect::<Option<Vec<_>>>()?.join("|"))
        }
        Value::Object(_) => None,
    }
}

fn csv(text: &str, reading: &mut Reading) -> Result<Format, FileRefusal> {
    let separator = separator(text);
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(u8::try_from(separator).unwrap_or(b','))
        .from_reader(text.as_bytes());
    let mut lines = Lines { text, byte: 0, line: 1 };
    let mut record = ::csv::StringRecord::new();
    let mut header: Option<Vec<String>> = None;
    // The only errors the reader knows are of input and of encoding, and a `str` has neither.
    while reader.read_record(&mut record).unwrap_or(false) {
        let row = lines.up_to(reader.position().byte());
        match &header {
            None => header = Some(columns(&record, reading)?),
            Some(names)
                if !reading.take(row.first, cells(&record, names, &row, reading.limits())) =>
            {
                break;
            }
            Some(_) => {}
        }
    }
    reading.stopped().map_or(Ok(Format::Csv { separator }), Err)
}

/// The one of `,`, `;` and tab that the first line has most of, outside quotation marks.
fn separator(text: &str) -> char {
    let header = text.trim_start().lines().next().unwrap_or_default();
    let count = |wanted: char| {
        let mut quoted = false;
        header
            .chars()
            .filter(|c| {
                quoted ^= *c == '"';
                !quoted && *c == wanted
            })
            .count()
    };
    // The last of equals wins, hence the comma's place.
    [';', '\t', ','].into_iter().max_by_key(|candidate| count(*candidate)).unwrap_or(',')
}

fn columns(
    record: &::csv::StringRecord,
    reading: &mut Reading,
) -> Result<Vec<String>, FileRefusal> {
    let names: Vec<String> = record.iter().map(normalised).collect();
    let mut seen = std::collections::BTreeSet::new();
    for name in names.iter().filter(|name| !name.is_empty()) {
        if !seen.insert(name) {
            return Err(FileRefusal::ColumnTwice { name: shown(name, 60) });
        }
        reading.see(name);
    }
    Ok(names)
}

fn cells(record: &::csv::StringRecord, names: &[String], row: &Span<'_>, limits: Limits) -> Cells {
    let mut cells = Cells::default();
    if row.text.matches('"').count() % 2 == 1 {
        cells.refuse(RowRefusal::OpenQuote { last_line: row.last });
        return cells;
    }
    if record.len() != names.len() {
        cells.refuse(RowRefusal::CellCount { expected: names.len(), found: record.len() });
        return cells;
    }
    for (name, text) in names.iter().zip(record) {
        match Column::named(name) {
            Some(column) => cells.put(column, text),
            None => {
                cells.ensure_short(name, text, limits.cell_chars);
            }
        }
    }
    cells
}

/// The lines of a CSV file and how far we are in them. A row may span several lines.
struct Lines<'a> {
    text: &'a str,
    byte: usize,
    line: usize,
}

/// The text of one row, with its first and last line.
struct Span<'a> {
    text: &'a str,
    first: usize,
    last: usize,
}

impl<'a> Lines<'a> {
    /// What lies between the end of the last row and that byte, blank lines before it put aside.
    fn up_to(&mut self, byte: u64) -> Span<'a> {
        let end = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        let whole = self.text.get(self.byte..end).unwrap_or_default();
        let text = whole.trim_matches(['\r', '\n']);
        let before = whole.len().saturating_sub(whole.trim_start_matches(['\r', '\n']).len());
        let skipped = line_breaks(whole.get(..before).unwrap_or_default());
        let first = self.line.saturating_add(skipped);
        let last = first.saturating_add(line_breaks(text));
        self.line = self.line.saturating_add(line_breaks(whole));
        self.byte = end;
        Span { text, first, last }
    }
}

fn line_breaks(text: &str) -> usize {
    text.matches('\n').count()
}
