//! Identities of beneficiaries in a bundle: encrypted to whoever was named, and to nobody else. One age stream, cut into
//! lines, `["identities",{"age":"…","part":0}]`, which stand last among what no receipt binds: so the manifest covers the
//! ciphertext, and it takes no key to verify the file.

use std::io::{self, BufRead, BufReader, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::db::{Tx, beneficiaries};
use crate::envelope::{self, Identities, Recipient};
use crate::error::Result;
use crate::keys::Keys;
use crate::ledger::bundle::{IDENTITIES, Line, Reader};

/// Bytes of a part: in base64, well below the longest line that is read.
const PART_BYTES: usize = 48 << 10;
/// People held at once.
const BATCH: usize = 1_000;

/// One person, as a line of what is encrypted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    identity: Value,
    /// In hexadecimal.
    person_key: String,
}

/// Writes the identities that are here, a line per part.
pub(super) fn write(
    tx: &mut Tx<'_>,
    keys: &Keys,
    to: &[Recipient],
    line: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<()> {
    let mut sealed = envelope::seal(to, Parts { line, bytes: Vec::new(), part: 0 })?;
    beneficiaries::each_identity(tx, |person_key, identity| {
        let identity = keys.unseal("identity", identity)?;
        let identity = serde_json::from_slice(&identity).map_err(anyhow::Error::from)?;
        let known = Known { identity, person_key: person_key.to_owned() };
        serde_json::to_writer(&mut sealed, &known).map_err(anyhow::Error::from)?;
        sealed.write_all(b"\n").map_err(anyhow::Error::from)?;
        Ok(())
    })?;
    let mut parts = sealed.finish().map_err(anyhow::Error::from)?;
    parts.flush_part().map_err(anyhow::Error::from)?;
    Ok(())
}

/// Cuts a stream into lines.
struct Parts<'l> {
    line: &'l mut dyn FnMut(&str) -> Result<()>,
    bytes: Vec<u8>,
    part: u64,
}

impl Parts<'_> {
    fn flush_part(&mut self) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        let row = json!([IDENTITIES, { "age": STANDARD.encode(bytes), "part": self.part }]);
        self.part = self.part.saturating_add(1);
        (self.line)(&row.to_string()).map_err(|error| io::Error::other(format!("{error:#}")))
    }
}

impl Write for Parts<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PART_BYTES.saturating_sub(self.bytes.len());
        let (now, _) = bytes.split_at(room.min(bytes.len()));
        self.bytes.extend_from_slice(now);
        if self.bytes.len() >= PART_BYTES {
            self.flush_part()?;
        }
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Seals anew, with the keys of this instance, the identities whose first part comes next; returns how many.
///
/// # Errors
/// When none of `identities` opens them, or they are of somebody whom no hand-over names.
pub(super) fn restore(
    tx: &mut Tx<'_>,
    keys: &Keys,
    from: impl BufRead,
    identities: &Identities,
) -> Result<usize> {
    let parts = ReadParts { reader: Reader::new(from), part: Vec::new(), at: 0, next: 0 };
    let mut lines = BufReader::new(identities.open(parts)?).lines();
    let mut restored = 0_usize;
    loop {
        let mut batch = Vec::new();
        for line in lines.by_ref().take(BATCH) {
            let known: Known = serde_json::from_str(&line.map_err(anyhow::Error::from)?)
                .map_err(anyhow::Error::from)?;
            let identity = serde_json::to_vec(&known.identity).map_err(anyhow::Error::from)?;
            batch.push((known.person_key, keys.seal("identity", &identity)?));
        }
        if batch.is_empty() {
            return Ok(restored);
        }
        beneficiaries::set_identities(tx, &batch)?;
        restored = restored.saturating_add(batch.len());
    }
}

/// The stream that lines were cut from.
struct ReadParts<R> {
    reader: Reader<R>,
    part: Vec<u8>,
    at: usize,
    next: u64,
}

impl<R: BufRead> ReadParts<R> {
    /// The bytes of the next part; none after the last.
    fn next_part(&mut self) -> io::Result<Vec<u8>> {
        let line = self.reader.next_line().map_err(io::Error::other)?;
        let Some(Line::Row { table, row, .. }) = line else { return Ok(Vec::new()) };
        let part = row.get("part").and_then(Value::as_u64);
        let bytes = row.get("age").and_then(Value::as_str).map(|text| STANDARD.decode(text));
        match bytes {
            Some(Ok(bytes)) if table == IDENTITIES && part == Some(self.next) => {
                self.next = self.next.saturating_add(1);
                Ok(bytes)
            }
            _ => Err(io::Error::other("une part des identités n'est pas à sa place")),
        }
    }
}

impl<R: BufRead> Read for ReadParts<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.part.len() {
            (self.part, self.at) = (self.next_part()?, 0);
        }
        let mut rest = self.part.get(self.at..).unwrap_or_default();
        let n = rest.read(into)?;
        self.at = self.at.saturating_add(n);
        Ok(n)
    }
}
