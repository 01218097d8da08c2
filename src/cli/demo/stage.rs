//! Where the story is played: the database under its test clock, the keys, and a directory for files.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::ProgressBar;

use super::calendar::When;
use super::{Options, progress};
use crate::db::{Db, Scope, Tx};
use crate::domain::text::Line;
use crate::domain::{Actor, Timestamp};
use crate::error::{Error, Result};
use crate::keys::Keys;

/// What every scene needs.
pub struct Stage<'s> {
    /// The database, under a test clock.
    pub db: &'s Db,
    /// The instance's keys.
    pub keys: &'s Keys,
    /// Where papers and bank files are left.
    pub data: &'s Path,
    /// What was asked for.
    pub options: &'s Options,
}

impl Stage<'_> {
    /// Lets time pass until that minute; it never goes back.
    pub fn wait_until(&self, when: When) {
        let at = self.options.calendar.instant(when);
        self.db.clock().set(at.max(self.now()));
    }

    /// The instant of the test clock.
    pub fn now(&self) -> Timestamp {
        self.db.clock().now()
    }

    /// Lets the actor do something, in a transaction of its own.
    pub fn act<T>(
        &self,
        actor: &Actor,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T, Error> {
        self.db.transact_blocking(Scope::Programme(actor.programme), work)
    }

    /// A bar for a phase of the story.
    pub fn bar(&self, label: String, len: usize) -> ProgressBar {
        progress::bar(self.options.progress, label, len)
    }

    /// Creates a file that its owner alone may read, `room` being a directory of the instance's data.
    /// One of the same name, left by an instance that is gone, is replaced.
    pub fn create(&self, room: &str, name: &str) -> anyhow::Result<(PathBuf, fs::File)> {
        let directory = self.data.join(room);
        DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
        let path = directory.join(name);
        let shown = || format!("{} ne peut être écrit", path.display());
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(shown);
            }
            _ => {}
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .with_context(shown)?;
        Ok((path, file))
    }

    /// Writes a whole file, as [`Stage::create`] makes it.
    pub fn write(&self, room: &str, name: &str, bytes: &[u8]) -> anyhow::Result<PathBuf> {
        let (path, mut file) = self.create(room, name)?;
        file.write_all(bytes)?;
        Ok(path)
    }
}

/// A line of text, cut to what a line may hold.
pub fn line(text: &str) -> anyhow::Result<Line> {
    let cut: String = text.chars().take(200).collect();
    Line::try_from(cut).map_err(anyhow::Error::msg)
}
