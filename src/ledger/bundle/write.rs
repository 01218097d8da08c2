//! Writes a bundle as the database is read: from one snapshot, a line at a time.

use std::collections::BTreeMap;
use std::io::Write;

use chrono::SecondsFormat;
use sha2::{Digest, Sha256};

use super::{Entry, FORMAT, Header, Manifest, Object, VERSION, public_keys};
use crate::db::bundle::{LoggedRow, each_logged, each_unbound};
use crate::db::{Tx, checkpoints, evidence, programmes};
use crate::error::Result;
use crate::keys::Keys;
use crate::ledger;
use crate::ledger::receipt::hex;

/// What else goes into a file, behind what no receipt binds: it is given the transaction, and takes a line at a time.
pub type Annex<'a> = dyn FnMut(&mut Tx<'_>, &mut dyn FnMut(&str) -> Result<()>) -> Result<()> + 'a;

/// Writes the bundle of the programme that the transaction has entered, and returns its manifest. To be called in a
/// snapshot ([`crate::db::Db::snapshot`]): all lines are of one moment. The present key of receipts signs the manifest.
///
/// # Errors
/// When a row leads to no entry: `souche verify` on the database names it.
pub fn write(
    tx: &mut Tx<'_>,
    keys: &Keys,
    out: &mut impl Write,
    annex: &mut Annex<'_>,
) -> Result<Manifest> {
    let header = Header {
        exported_at: tx.now.to_rfc3339_opts(SecondsFormat::Micros, true),
        format: FORMAT.to_owned(),
        programme: programmes::current(tx)?.code.to_string(),
        receipt_keys: public_keys(tx, keys)?,
        version: VERSION,
        vkeys: checkpoints::keys(tx)?,
    };
    let mut lines = Lines { out, hash: Sha256::new(), counts: BTreeMap::new(), keys };
    lines.object("header", &Object::Header(header))?;
    each_logged(tx, |logged| lines.logged(&logged))?;
    lines.object("states", &Object::States {})?;
    evidence::each_changing(tx, |table, row| lines.line(table, &row.line))?;
    lines.object("unbound", &Object::Unbound {})?;
    each_unbound(tx, |line| lines.line("unbound_rows", line))?;
    annex(tx, &mut |line| lines.line("unbound_rows", line))?;
    lines.finish()
}

/// The file as it grows: what it comes to so far, and nothing of what it holds.
struct Lines<'w, W> {
    out: &'w mut W,
    hash: Sha256,
    counts: BTreeMap<String, u64>,
    keys: &'w Keys,
}

impl<W: Write> Lines<'_, W> {
    fn line(&mut self, kind: &str, line: &str) -> Result<()> {
        for bytes in [line.as_bytes(), b"\n"] {
            self.hash.update(bytes);
            self.out.write_all(bytes).map_err(anyhow::Error::from)?;
        }
        match self.counts.get_mut(kind) {
            Some(n) => *n = n.saturating_add(1),
            None => drop(self.counts.insert(kind.to_owned(), 1)),
        }
        Ok(())
    }

    fn object(&mut self, kind: &str, object: &Object) -> Result<()> {
        self.line(kind, &object.to_line())
    }

    fn logged(&mut self, logged: &LoggedRow) -> Result<()> {
        let row = &logged.row;
        if logged.is_checkpoint() {
            let checkpoint = serde_json::from_str(&row.line).map_err(anyhow::Error::from)?;
            return self.object("checkpoint", &Object::Checkpoint(checkpoint));
        }
        if let Some(receipt) = &row.receipt {
            let signed = ledger::signature(self.keys, receipt, row.signature.as_deref());
            let signature = signed.map(|(_, signature)| signature);
            let position =
                logged.position.map(u64::try_from).transpose().map_err(anyhow::Error::from)?;
            let entry = Entry { position, receipt: receipt.clone(), signature };
            self.object("entry", &Object::Entry(entry))?;
        } else if row.entry_id.is_none() {
            return Err(
                anyhow::anyhow!("{} leads to no entry: run `souche verify`", row.line).into()
            );
        }
        self.line(row.table(), &row.line)
    }

    fn finish(self) -> Result<Manifest> {
        let kid = self.keys.receipt_kid().to_string();
        let sha256 = hex(self.hash.finalize().into());
        let manifest = Manifest { counts: self.counts, kid, sha256, signature: String::new() };
        let manifest = manifest.sign(self.keys.receipt_key());
        let line = Object::Manifest(manifest.clone()).to_line();
        writeln!(self.out, "{line}")
            .and_then(|()| self.out.flush())
            .map_err(anyhow::Error::from)?;
        Ok(manifest)
    }
}
