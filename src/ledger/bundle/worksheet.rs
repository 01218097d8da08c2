//! The worksheet of a sample, from its bundle: the receipts of the leaves that were drawn, and what was found on them.

use std::collections::BTreeMap;
use std::io::BufRead;

use serde_json::{Map, Value};

use super::{Line, Object, Reader};
use crate::domain::entry::EntryKind;
use crate::domain::sample::Conclusion;
use crate::domain::{EntryId, SiteId, Timestamp};
use crate::ledger::told::Told;

/// A receipt that was drawn.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// Its line, from 1.
    pub line: i32,
    /// Its stratum, as the statement of strata names it.
    pub stratum: String,
    /// Its position in the log.
    pub leaf: u64,
    /// Its entry.
    pub entry: EntryId,
    /// What it records.
    pub kind: EntryKind,
    /// Its number, or the redemption that it names.
    pub receipt: String,
    /// When it took place.
    pub happened_at: Timestamp,
    /// What it is worth, when it says so.
    pub amount_cents: Option<i64>,
    /// The site that it names.
    pub site: Option<SiteId>,
    /// That site's name.
    pub site_name: Option<String>,
    /// What stands as found, and why.
    pub finding: Option<(Conclusion, Option<String>)>,
}

/// Reads a bundle again, and tells of each of these leaves what its receipt says; in the order of their lines. `leaves` gives line
/// and stratum of each.
///
/// # Errors
/// In French, when the file is none, or a receipt can't be read.
pub fn worksheet(
    from: impl BufRead,
    sample: i64,
    leaves: &BTreeMap<u64, (i32, String)>,
) -> Result<Vec<Drawn>, String> {
    let mut reader = Reader::new(from);
    let mut drawn: BTreeMap<i32, Drawn> = BTreeMap::new();
    let mut names: BTreeMap<i64, String> = BTreeMap::new();
    while let Some(line) = reader.next_line()? {
        match line {
            Line::Object(Object::Entry(entry)) => {
                let wanted = entry.position.and_then(|leaf| Some((leaf, leaves.get(&leaf)?)));
                if let Some((leaf, (line, stratum))) = wanted {
                    drawn.insert(*line, read(&entry.receipt, leaf, *line, stratum)?);
                }
            }
            Line::Row { table, row, .. } if table == "sites" => {
                names.insert(int(&row, "number"), text(&row, "name").unwrap_or_default());
            }
            Line::Row { table, row, .. }
                if table == "audit_findings" && int(&row, "sample") == sample =>
            {
                let line = i32::try_from(int(&row, "line")).unwrap_or_default();
                let conclusion = text(&row, "conclusion").and_then(|word| word.parse().ok());
                if let (Some(drawn), Some(conclusion)) = (drawn.get_mut(&line), conclusion) {
                    // Each stands until the next of its line.
                    drawn.finding = Some((conclusion, text(&row, "remark")));
                }
            }
            _ => {}
        }
    }
    for drawn in drawn.values_mut() {
        let number = drawn.site.map(|site| i64::from(site.get()));
        drawn.site_name = number.and_then(|number| names.get(&number).cloned());
    }
    Ok(drawn.into_values().collect())
}

fn read(receipt: &str, leaf: u64, line: i32, stratum: &str) -> Result<Drawn, String> {
    let told = Told::read(receipt)?;
    let fact = |name: &str| told.facts.get(name);
    let word = |name: &str| fact(name).and_then(Value::as_str);
    let named = told.number.map(|number| number.to_string());
    Ok(Drawn {
        line,
        stratum: stratum.to_owned(),
        leaf,
        entry: told.entry,
        kind: told.kind,
        receipt: named.or_else(|| word("redemption").map(str::to_owned)).unwrap_or_default(),
        happened_at: told.happened_at,
        amount_cents: fact("amount_cents").and_then(Value::as_i64),
        site: word("site").and_then(|site| site.parse().ok()),
        site_name: None,
        finding: None,
    })
}

fn int(row: &Map<String, Value>, column: &str) -> i64 {
    row.get(column).and_then(Value::as_i64).unwrap_or_default()
}

fn text(row: &Map<String, Value>, column: &str) -> Option<String> {
    row.get(column).and_then(Value::as_str).map(str::to_owned)
}
