//! Reads a bundle line by line, whatever its size.

use std::io::{BufRead, Read};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{MAX_LINE_BYTES, Object};
use crate::ledger::receipt::hex;

/// A line of a bundle.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// One of the lines that hold the file together.
    Object(Object),
    /// A row.
    Row {
        /// Its table.
        table: String,
        /// Its columns.
        row: Map<String, Value>,
        /// The exact text: what receipts bind.
        text: String,
    },
}

/// Reads lines, and hashes what it has read.
pub struct Reader<R> {
    from: R,
    line: u64,
    offset: u64,
    hash: Sha256,
    /// Of all lines before the last one read.
    sha256: String,
}

impl<R: BufRead> Reader<R> {
    /// From its first line.
    pub fn new(from: R) -> Self {
        Self { from, line: 0, offset: 0, hash: Sha256::new(), sha256: String::new() }
    }

    /// Number of the last line read, from 1.
    pub const fn line_number(&self) -> u64 {
        self.line
    }

    /// How many bytes were read: where the next line begins.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// SHA-256 of all bytes before the last line read, if that was a manifest: what it must say.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// In French, with the number of the line, when it is none of a bundle.
    pub fn next_line(&mut self) -> Result<Option<Line>, String> {
        let mut bytes = Vec::new();
        self.line = self.line.saturating_add(1);
        let read = self.from.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut bytes);
        read.map_err(|error| self.wrong(&error.to_string()))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let line = self.parse(&bytes)?;
        if matches!(line, Line::Object(Object::Manifest(_))) {
            self.sha256 = hex(self.hash.clone().finalize().into());
        }
        self.hash.update(&bytes);
        self.offset = self.offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(Some(line))
    }

    fn parse(&self, bytes: &[u8]) -> Result<Line, String> {
        let text = bytes
            .strip_suffix(b"\n")
            .ok_or_else(|| self.wrong("elle est coupée, ou trop longue"))?;
        let text = std::str::from_utf8(text).map_err(|_| self.wrong("ce n'est pas de l'UTF-8"))?;
        if text.starts_with('[') {
            let (table, row): (String, Map<String, Value>) =
                serde_json::from_str(text).map_err(|error| self.wrong(&error.to_string()))?;
            return Ok(Line::Row { table, row, text: text.to_owned() });
        }
        let object: Object =
            serde_json::from_str(text).map_err(|error| self.wrong(&error.to_string()))?;
        // Nothing is said in two ways.
        if object.to_line() == text {
            Ok(Line::Object(object))
        } else {
            Err(self.wrong("elle n'est pas sous sa forme canonique"))
        }
    }

    fn wrong(&self, why: &str) -> String {
        format!("ligne {} : {why}", self.line)
    }
}
