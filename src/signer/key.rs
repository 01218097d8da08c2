//! The key that signs heads: a file of its own, readable by its owner alone.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, bail};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use crate::domain::note::is_name;
use crate::domain::programme::ProgrammeCode;
use crate::keys::{hex, random, unhex};

/// A key, and the name under which its logs are known.
#[derive(Debug)]
pub(super) struct LogKey {
    name: String,
    pub key: SigningKey,
}

/// As the file holds them: the key is 32 bytes, in hexadecimal.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    name: String,
    key: String,
}

impl LogKey {
    /// Reads the file, or makes it when there is none, under a name drawn from the key itself: nobody
    /// else's log bears it.
    pub fn load_or_generate(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            let key = SigningKey::from_bytes(&random()?);
            let public = hex(key.verifying_key().as_bytes());
            let name = format!("souche-{}", public.get(..12).unwrap_or_default());
            let file = KeyFile { name, key: hex(&key.to_bytes()) };
            let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            writeln!(out, "{}", serde_json::to_string_pretty(&file)?)?;
            out.sync_all()?;
        }
        Self::load(path)
    }

    fn load(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = fs::read_to_string(path)
            .with_context(|| format!("the signer's key {shown} can't be read"))?;
        if fs::metadata(path)?.mode() & 0o077 != 0 {
            bail!("the signer's key {shown} can be read by others: run `chmod 600 {shown}`");
        }
        let file: KeyFile = serde_json::from_str(&text)
            .with_context(|| format!("{shown} is not a signer's key"))?;
        if !is_name(&file.name) {
            bail!("{shown}: a name without blanks and without + is expected");
        }
        Ok(Self { name: file.name, key: SigningKey::from_bytes(&unhex("key", &file.key)?) })
    }

    /// What a log is called, of all logs there are.
    pub fn origin(&self, log: &ProgrammeCode) -> String {
        format!("{}/{log}", self.name)
    }
}
