//! What was signed last, of each log: one small file, written to disk before a signature leaves.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::domain::merkle::Hash;

/// The head last signed of a log; of no leaves before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Signed {
    pub size: u64,
    pub root: Hash,
}

/// Heads by origin.
pub(super) type Heads = BTreeMap<String, Signed>;

/// The directory of the file and of its lock.
#[derive(Debug)]
pub(super) struct Memory {
    dir: PathBuf,
}

impl Memory {
    /// In that directory, made when missing.
    pub fn open(dir: &Path) -> anyhow::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .with_context(|| format!("the signer's directory {} can't be made", dir.display()))?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// Runs `work` while no other process does, on this machine.
    pub fn locked<T>(&self, work: impl FnOnce(&Self) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let path = self.dir.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.with_context(|| format!("{} can't be opened", path.display()))?;
        lock.lock()?;
        work(self)
    }

    /// What was signed so far. A memory that is gone is not one of nothing: a key without it would sign another past.
    pub fn read(&self) -> anyhow::Result<Heads> {
        let path = self.path();
        let shown = path.display();
        match fs::read_to_string(&path) {
            Ok(text) => {
                serde_json::from_str(&text).with_context(|| format!("{shown} can't be understood"))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => bail!(
                "{shown} is missing, and nothing else remembers what its key has signed: bring it along with the key, or begin \
                 with a new directory, under which the logs go on by another name; only where the key never signed anything, \
                 write {{}} into it"
            ),
            Err(error) => Err(error).with_context(|| format!("{shown} can't be read")),
        }
    }

    /// Writes it down: whole or not at all, and on disk when this returns.
    pub fn write(&self, heads: &Heads) -> anyhow::Result<()> {
        let next = self.dir.join("heads.json.new");
        let mut file = File::create(&next)?;
        writeln!(file, "{}", serde_json::to_string_pretty(heads)?)?;
        file.sync_all()?;
        fs::rename(&next, self.path())?;
        File::open(&self.dir)?.sync_all()?;
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.dir.join("heads.json")
    }
}
