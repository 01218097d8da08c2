//! The embedded default: a private PostgreSQL, brought up and taken down by our own process.
//!
//! Someone who tries Souche, plays the demo or runs the tests should not have to set a database
//! up; and a ledger should not run on a toy in the meantime. So this is the PostgreSQL of the
//! machine, whole and durable, on a directory of ours, seen by nobody else. The crates that do
//! alike turn fsync off, fail as root, download binaries or take one connection only.
//!
//! # Who runs it
//!
//! PostgreSQL refuses to run as root. Started by root it runs as `postgres`, else `nobody` (or as
//! whoever owns the cluster already); started by anyone else, as that user. See `os_user`.
//!
//! # Who may speak to it
//!
//! It listens on a unix socket in a directory closed to others, never on the network. The kernel
//! tells it which user of the machine is calling, and a map says which roles that user may be: there
//! is no password to make, keep or leak. See `cluster` and `roles`.
//!
//! # Who ends first
//!
//! Dropping the [`Server`] shuts PostgreSQL down and waits for it. When our process ends without
//! doing so (a signal, an abort, `exit`) the kernel sends PostgreSQL the same request. A lock keeps a
//! second process off the directory, and a start waits for what the last run left running. See
//! `postmaster` and `home`.
//!
//! # What a crash costs
//!
//! [`Durability::Durable`]: no committed transaction, whatever fails short of the disk.
//! [`Durability::Throwaway`]: everything if the machine goes down, in exchange for speed.
//!
//! Linux only: the parent's death signal and `/proc` are.

mod binaries;
mod cluster;
mod home;
mod os_user;
mod postmaster;
mod roles;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use diesel::Connection;
use diesel::pg::PgConnection;

use cluster::Cluster;
use home::{Home, Lock};
use postmaster::{PULSE, Postmaster};
pub use roles::DatabaseRole;

/// How long a start may take: after a crash, up to `max_wal_size` is replayed first.
const START_LIMIT: Duration = Duration::from_mins(5);

/// How many lines of PostgreSQL's log an error shows.
const LOG_TAIL: usize = 12;

/// How much a crash may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// What is committed survives.
    Durable,
    /// Nothing is promised (no fsync): for tests only.
    Throwaway,
}

impl Durability {
    /// Throwaway's three switches are what PostgreSQL's manual calls non-durable settings.
    fn settings(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let settings: &[_] = match self {
            // Taken as it is filled. A region's passes and their indexes fit into it.
            Self::Durable => &[("shared_buffers", "512MB")],
            Self::Throwaway => &[
                ("shared_buffers", "128MB"),
                ("fsync", "off"),
                ("synchronous_commit", "off"),
                ("full_page_writes", "off"),
            ],
        };
        settings.iter().copied()
    }
}

/// A running private PostgreSQL, shut down when dropped.
#[derive(Debug)]
pub struct Server {
    cluster: Cluster,
    /// Absent only between [`Server::kill`] and [`Server::restart`].
    postmaster: Option<Postmaster>,
    /// Declared last, so dropped last: the directory is free once nothing runs on it.
    _lock: Lock,
}

impl Server {
    /// Finds the binaries, makes the cluster when `dir` is new, starts it, waits until it answers.
    ///
    /// About two seconds the first time, a tenth of a second later. May be called from any thread.
    ///
    /// # Errors
    /// Each says what to do: no PostgreSQL 15 or later on the machine, or not of the version that
    /// made the data; `dir` in use, someone else's, full of other things, or out of reach of the
    /// user PostgreSQL runs as; PostgreSQL does not start (with the end of its log).
    pub fn start(dir: &Path, durability: Durability) -> Result<Self> {
        Self::start_in(dir, durability)
            .with_context(|| format!("starting PostgreSQL in {}", dir.display()))
    }

    /// How to connect as `role` to `database`: a libpq URL, without a secret in it.
    pub fn url(&self, role: DatabaseRole, database: &str) -> String {
        let socket_dir = percent_encoded(self.socket_dir().as_os_str().as_encoded_bytes());
        let database = percent_encoded(database.as_bytes());
        format!("postgresql://{}@{socket_dir}:5432/{database}", role.name())
    }

    /// The directory of its socket, as `psql -h` takes it.
    pub fn socket_dir(&self) -> &Path {
        &self.cluster.socket_dir
    }

    /// Where its programs are (`postgres`, and usually `psql` and `pg_dump`).
    pub fn bin_dir(&self) -> &Path {
        &self.cluster.binaries.dir
    }

    /// What PostgreSQL says. Statements, parameters and rows are kept out of it.
    pub fn log_path(&self) -> PathBuf {
        self.cluster.home.log()
    }

    /// Makes the database `name` (`[a-z][a-z0-9_]*`), owned by the owner's role, if missing, and
    /// closes it and its schema `public` to everyone but the owner and the service.
    pub fn ensure_database(&self, name: &str) -> Result<()> {
        roles::ensure_exists(&mut self.connect("postgres")?, name)
            .and_then(|()| roles::close_to_public(&mut self.connect(name)?, name))
            .with_context(|| format!("making the database {name}"))
    }

    /// Ends PostgreSQL as a power cut would, sessions included, for tests of what survives. Once
    /// this returns, nothing more can be committed until [`Server::restart`].
    pub fn kill(&mut self) -> Result<()> {
        let data = self.cluster.home.data();
        self.postmaster.take().map_or(Ok(()), |postmaster| postmaster.kill(&data))
    }

    /// Starts PostgreSQL again: after [`Server::kill`], or shutting it down first.
    pub fn restart(&mut self) -> Result<()> {
        self.postmaster = None;
        self.postmaster = Some(launch(&self.cluster)?);
        self.wait_until_it_answers().map(drop)
    }

    fn start_in(dir: &Path, durability: Durability) -> Result<Self> {
        let home = Home::open(dir)?;
        let lock = home.lock()?;
        let cluster = Cluster::prepare(home, durability)?;
        let postmaster = Some(launch(&cluster)?);
        let mut server = Self { cluster, postmaster, _lock: lock };
        let mut superuser = server.wait_until_it_answers()?;
        roles::ensure_roles(&mut superuser)?;
        Ok(server)
    }

    fn connect(&self, database: &str) -> Result<PgConnection> {
        Ok(PgConnection::establish(&self.url(DatabaseRole::Superuser, database))?)
    }

    fn wait_until_it_answers(&mut self) -> Result<PgConnection> {
        let started = Instant::now();
        loop {
            let refusal = match self.connect("postgres") {
                Ok(connection) => return Ok(connection),
                Err(refusal) => refusal,
            };
            let ended = self.postmaster.as_mut().map(Postmaster::has_ended).transpose()?.flatten();
            if let Some(status) = ended {
                bail!("PostgreSQL ended ({status}). Its log:\n{}", self.end_of_log());
            }
            if started.elapsed() > START_LIMIT {
                return Err(refusal.context(format!("its log:\n{}", self.end_of_log())));
            }
            thread::sleep(PULSE);
        }
    }

    fn end_of_log(&self) -> String {
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        let skipped = log.lines().count().saturating_sub(LOG_TAIL);
        log.lines().skip(skipped).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.postmaster = None;
        // Empty by now, and made again at each start: leaves nothing in /tmp.
        fs::remove_dir(self.socket_dir()).ok();
    }
}

fn launch(cluster: &Cluster) -> Result<Postmaster> {
    postmaster::retire_predecessor(&cluster.home.data(), &cluster.socket_dir)?;
    Postmaster::spawn(cluster.postgres()?)
}

/// For one component of a URL (RFC 3986 §2.1): all but letters, digits and `-._~` is escaped.
fn percent_encoded(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            write!(encoded, "%{byte:02X}").ok();
        }
    }
    encoded
}
