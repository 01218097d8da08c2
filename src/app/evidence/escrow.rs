//! Copies for somebody else to keep (fr: dépôt): each night a bundle of each programme, encrypted to the region's key, in a
//! directory of its choosing. With it, and without us, the region goes on elsewhere.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use chrono::Timelike;
use serde_json::json;

use super::bundle;
use crate::app::audit;
use crate::db::{Db, Scope, programmes};
use crate::domain::programme::ProgrammeCode;
use crate::domain::{BusinessDate, ProgrammeId, Refusal};
use crate::envelope::{self, Recipient};
use crate::error::Error;
use crate::keys::Keys;

/// What a copy's name ends with, after the programme's code and the day in Paris.
const END: &str = ".souche.age";
/// What the name of one that is being written ends with.
const UNFINISHED: &str = ".new";
/// Between two looks at whether a copy is missing.
const INTERVAL: Duration = Duration::from_mins(10);
/// From that hour on, in Paris, the day's copy is due.
const FROM_HOUR: u32 = 2;
/// What a process that died has left is in nobody's way for that long.
const LEFTOVER: Duration = Duration::from_hours(24);

/// Where copies go, to whom they are encrypted, and how many of each programme stay.
#[derive(Clone, Debug)]
pub struct Escrow {
    dir: PathBuf,
    to: Vec<Recipient>,
    keep: usize,
}

impl Escrow {
    /// Into that directory, which must be there: one that was made here would not be the region's.
    pub fn new(dir: PathBuf, to: Vec<Recipient>, keep: usize) -> anyhow::Result<Self> {
        if !dir.is_dir() {
            bail!("le dépôt {} n'est pas un répertoire : faites-le, ou montez-le", dir.display());
        }
        if to.is_empty() || keep == 0 {
            bail!("un dépôt veut une clé publique age au moins, et garde une copie au moins");
        }
        Ok(Self { dir, to, keep })
    }

    /// Writes the day's copy of every programme that lacks it, and returns which were written. One that fails keeps no
    /// other waiting.
    ///
    /// # Errors
    /// The first that failed, once all were tried.
    pub fn copy_all(&self, db: &Db, keys: &Keys) -> anyhow::Result<Vec<PathBuf>> {
        let day = BusinessDate::of(db.clock().now());
        let last = db.transact_blocking(Scope::Nobody, programmes::last_id)?;
        let (mut written, mut first_failure) = (Vec::new(), None);
        for id in (1..=last).map(ProgrammeId::new) {
            match self.copy(db, keys, id, day) {
                Ok(path) => written.extend(path),
                Err(error) => {
                    tracing::error!("programme {id} has no copy of {day}: {error:#}");
                    first_failure.get_or_insert(error);
                }
            }
        }
        first_failure.map_or(Ok(written), Err)
    }

    fn copy(
        &self,
        db: &Db,
        keys: &Keys,
        programme: ProgrammeId,
        day: BusinessDate,
    ) -> anyhow::Result<Option<PathBuf>> {
        let scope = Scope::Programme(programme);
        let code = match db.transact_blocking(scope, programmes::current) {
            // A number that no programme bears: its creation was refused.
            Err(Error::Refused(Refusal::NotFound { .. })) => return Ok(None),
            found => found?.code,
        };
        let name = format!("{code}-{}{END}", day.get());
        let path = self.dir.join(&name);
        if path.exists() {
            return Ok(None);
        }
        let unfinished =
            Unfinished(self.dir.join(format!(".{name}.{}{UNFINISHED}", std::process::id())));
        self.write(db, keys, scope, &unfinished.0)
            .with_context(|| format!("{} ne peut être écrit", path.display()))?;
        fs::rename(&unfinished.0, &path)?;
        File::open(&self.dir)?.sync_all()?;
        db.transact_blocking(scope, |tx| {
            audit::record_by_hand(tx, "escrow_bundle", json!({ "programme": code, "file": name }))
        })?;
        self.prune(&code)?;
        Ok(Some(path))
    }

    /// A whole copy, on disk when this returns.
    fn write(&self, db: &Db, keys: &Keys, scope: Scope, path: &Path) -> anyhow::Result<()> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let mut sealed = envelope::seal(&self.to, BufWriter::new(file))?;
        db.snapshot_blocking(scope, |tx| bundle::write(tx, keys, &mut sealed, &[]))?;
        let mut out = sealed.finish()?;
        out.flush()?;
        out.get_ref().sync_all()?;
        Ok(())
    }

    /// Takes away what is older than the copies to be kept, and what a process left that died while it wrote.
    fn prune(&self, code: &ProgrammeCode) -> io::Result<()> {
        let copies = self.copies(code)?;
        for old in copies.iter().rev().skip(self.keep) {
            fs::remove_file(old)?;
        }
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_ours = name.starts_with(&format!(".{code}-")) && name.ends_with(UNFINISHED);
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if is_ours && age > LEFTOVER {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// The copies of a programme, the oldest first.
    fn copies(&self, code: &ProgrammeCode) -> io::Result<Vec<PathBuf>> {
        let mut copies = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let day = name.strip_prefix(&format!("{code}-")).and_then(|it| it.strip_suffix(END));
            if day.is_some_and(|day| day.len() == "2026-12-31".len()) {
                copies.push(entry.path());
            }
        }
        copies.sort_unstable();
        Ok(copies)
    }

    /// How old the last copy of a programme is; nothing when there is none, or the directory can't be read.
    pub fn age(&self, code: &ProgrammeCode) -> Option<Duration> {
        let last = self.copies(code).ok()?.pop()?;
        let written: SystemTime = fs::metadata(last).ok()?.modified().ok()?;
        Some(written.elapsed().unwrap_or_default())
    }
}

/// A file that goes when it was not finished.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Renamed by now, as a rule.
        let _ = fs::remove_file(&self.0);
    }
}

/// The thread that writes the day's copies as long as the service runs; it ends when this is dropped. Any number of
/// services may share a directory: whoever finds a copy there writes none.
pub struct Keeper {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts it.
    pub fn start(db: Db, keys: Keys, escrow: Escrow) -> anyhow::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = thread::Builder::new().name("escrow".into()).spawn(move || {
            loop {
                let hour = db.clock().now().with_timezone(&chrono_tz::Europe::Paris).hour();
                if hour >= FROM_HOUR {
                    // Said by copy_all, told by the metrics, and tried again.
                    let _ = escrow.copy_all(&db, &keys);
                }
                if !matches!(stopped.recv_timeout(INTERVAL), Err(mpsc::RecvTimeoutError::Timeout)) {
                    return;
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
