//! The directory that a private PostgreSQL lives in: what is where, who owns it, who may use it.
//!
//! ```text
//! <root>/              ours; when PostgreSQL runs as another user, that user may pass through
//!   lock               held (flock) as long as a `Server` lives; says which process holds it
//!   hba.conf           who may connect, written anew at each start
//!   ident.conf         which user of the machine is which role, written anew at each start
//!   log                what PostgreSQL says
//!   data/              the cluster; belongs to the user PostgreSQL runs as
//!   socket/            the only way in; belongs to that user, closed to everyone else
//! ```
//!
//! When we are root we write only in directories that root owns: the unprivileged user could
//! otherwise plant a link and make us overwrite what it points to.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, Result, bail, ensure};

use super::os_user::OsUser;

/// The name PostgreSQL gives its socket on its default port.
pub(super) const SOCKET: &str = ".s.PGSQL.5432";

/// A socket's path, in bytes, must be shorter than this (`sun_path`, unix(7)).
const SOCKET_PATH_LIMIT: usize = 108;

/// The permissions of everyone but the owner.
const OTHERS: u32 = 0o077;

/// An open home: it exists, it is ours, and the user PostgreSQL runs as can reach its data.
#[derive(Debug)]
pub(super) struct Home {
    root: PathBuf,
    /// Who we are.
    pub(super) me: OsUser,
    /// Who PostgreSQL runs as.
    pub(super) user: OsUser,
}

impl Home {
    /// Makes `dir` a home, or recognises one. A directory with other things in it is refused
    /// rather than taken over.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        DirBuilder::new().recursive(true).mode(0o755).create(dir)?;
        let root = dir.canonicalize()?;
        let me = OsUser::current()?;
        ensure!(
            fs::metadata(&root)?.uid() == me.uid,
            "it belongs to another user: start as that user, or choose another directory (--data)"
        );
        ensure!(
            root.join("lock").exists() || fs::read_dir(&root)?.next().is_none(),
            "it holds other files: choose a new or an empty directory (--data)"
        );
        let user = me.who_runs_postgres(&root.join("data"))?;
        let home = Self { root, me, user };
        let passable = if home.is_shared() { 0o711 } else { 0o700 };
        fs::set_permissions(&home.root, Permissions::from_mode(passable))?;
        home.ensure_reached(&home.root, "choose another directory (--data /var/lib/souche)")?;
        Ok(home)
    }

    /// Whether PostgreSQL runs as another user than we do.
    fn is_shared(&self) -> bool {
        self.user != self.me
    }

    /// Fails when the user PostgreSQL runs as can't get to `path`; `remedy` ends the message. For
    /// ourselves the kernel knows better than we do (groups, access lists).
    pub(super) fn ensure_reached(&self, path: &Path, remedy: &str) -> Result<()> {
        if self.is_shared() { self.user.ensure_reaches(path, remedy) } else { Ok(()) }
    }

    /// Keeps every other process out until the lock is dropped.
    pub(super) fn lock(&self) -> Result<Lock> {
        let path = self.root.join("lock");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("opening {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).unwrap_or_default();
                bail!("it is in use by another process ({holder}): stop that one first");
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        write!(file, "{}", process::id())?;
        Ok(Lock(file))
    }

    pub(super) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Where a cluster is made before it is known to be whole.
    pub(super) fn draft(&self) -> PathBuf {
        self.root.join("data.draft")
    }

    /// The draft becomes the data, for good: had a power cut undone the renaming later, the next
    /// start would take the data for a draft.
    pub(super) fn adopt_draft(&self) -> io::Result<()> {
        fs::rename(self.draft(), self.data())?;
        File::open(&self.root)?.sync_all()
    }

    pub(super) fn hba(&self) -> PathBuf {
        self.root.join("hba.conf")
    }

    pub(super) fn ident(&self) -> PathBuf {
        self.root.join("ident.conf")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    pub(super) fn open_log(&self) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).mode(0o600).open(self.log())
    }

    /// A directory for the socket: in the home, or when that makes too long or too odd a path, in
    /// `/tmp` under a name of its own.
    pub(super) fn socket_dir(&self) -> Result<PathBuf> {
        let dir = socket_dir_of(&self.root);
        self.make_private(&dir)?;
        Ok(dir)
    }

    /// Makes a directory that only the user PostgreSQL runs as may enter.
    ///
    /// In `/tmp` somebody else may have made one of that name first; it is never taken over.
    pub(super) fn make_private(&self, dir: &Path) -> Result<()> {
        match DirBuilder::new().mode(0o700).create(dir) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| format!("making {}", dir.display()));
            }
            _ => {}
        }
        let found = fs::symlink_metadata(dir)?;
        let is_ours = found.is_dir()
            && [self.me.uid, self.user.uid].contains(&found.uid())
            && found.mode() & OTHERS == 0;
        ensure!(is_ours, "{} is not a private directory of ours: remove it", dir.display());
        if self.is_shared() {
            lchown(dir, Some(self.user.uid), Some(self.user.gid))?;
        }
        Ok(())
    }
}

/// Writes a file that the user PostgreSQL runs as may read.
pub(super) fn write_readable(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, Permissions::from_mode(0o644))
}

/// Held as long as the home is in use.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    /// Closing the file is not enough: a child that another thread is just forking holds it too.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "unlocking the PostgreSQL directory");
        }
    }
}

fn socket_dir_of(root: &Path) -> PathBuf {
    let inside = root.join("socket");
    let path = inside.join(SOCKET);
    let bytes = path.as_os_str().as_encoded_bytes();
    // A comma would make it a list, for PostgreSQL and for libpq alike.
    let is_plain = bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"/-._~+@".contains(b));
    if is_plain && bytes.len() < SOCKET_PATH_LIMIT {
        return inside;
    }
    // The name need not outlive this process, so the hash need not be stable between versions.
    let mut hasher = DefaultHasher::new();
    root.hash(&mut hasher);
    PathBuf::from(format!("/tmp/souche-{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_in_the_home_unless_that_makes_too_long_or_too_odd_a_path() {
        assert_eq!(socket_dir_of(Path::new("/srv/souche")), Path::new("/srv/souche/socket"));
        let long = PathBuf::from("/srv").join("d".repeat(100));
        let elsewhere = socket_dir_of(&long);
        assert!(elsewhere.starts_with("/tmp"));
        assert_ne!(elsewhere, socket_dir_of(&long.join("other")));
        assert!(socket_dir_of(Path::new("/srv/été, déjà")).starts_with("/tmp"));
    }
}
