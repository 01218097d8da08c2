//! Finding PostgreSQL's programs on this machine.

use std::env;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::os_user::OsUser;

/// The oldest major version we run on: the first whose schema `public` is closed by default.
const OLDEST_MAJOR: u32 = 15;

/// Where Debian keeps one directory per major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// One installed PostgreSQL: a directory holding at least `initdb` and `postgres`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) dir: PathBuf,
    major: u32,
}

impl Binaries {
    /// The programs to use for `cluster`: those of the version that made it, if it exists, else
    /// the first of `$PG_BIN_DIR`, the newest of Debian's, `pg_config --bindir`, `$PATH`.
    pub(super) fn find(cluster: &Path) -> Result<Self> {
        let made_by = fs::read_to_string(cluster.join("PG_VERSION"))
            .ok()
            .and_then(|version| version.trim().parse().ok());
        let dirs = places();
        let found = dirs.iter().filter_map(|dir| Self::inspect(dir)).collect();
        choose(found, made_by, &dirs)
    }

    /// A command for one of the programs, run as `user` from a directory anyone may enter.
    ///
    /// The environment is emptied: a stray `PGDATA` or `LC_MESSAGES` must not mislead it.
    pub(super) fn command(&self, program: &str, user: &OsUser) -> Result<Command> {
        let mut command = Command::new(self.dir.join(program));
        command.current_dir("/").env_clear().env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        if user.uid != OsUser::current()?.uid {
            // The standard library also drops root's supplementary groups here.
            command.uid(user.uid).gid(user.gid);
        }
        Ok(command)
    }

    fn inspect(dir: &Path) -> Option<Self> {
        if !dir.join("initdb").is_file() {
            return None;
        }
        let answer = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
        let major = parse_major(&String::from_utf8_lossy(&answer.stdout))?;
        (major >= OLDEST_MAJOR).then(|| Self { dir: dir.to_owned(), major })
    }
}

/// Where to look, best first. Someone who sets `PG_BIN_DIR` wants that one and no other.
fn places() -> Vec<PathBuf> {
    if let Some(chosen) = env::var_os("PG_BIN_DIR") {
        return vec![chosen.into()];
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let mut dirs = debian_dirs();
    dirs.extend(pg_config_dir());
    dirs.extend(env::split_paths(&path));
    dirs
}

/// Newest first.
fn debian_dirs() -> Vec<PathBuf> {
    let mut majors: Vec<u32> = fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    majors.sort_unstable_by(|a, b| b.cmp(a));
    majors.iter().map(|major| Path::new(DEBIAN).join(major.to_string()).join("bin")).collect()
}

fn pg_config_dir() -> Option<PathBuf> {
    let answer = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(answer.stdout).ok()?.trim_end()))
}

fn choose(found: Vec<Binaries>, made_by: Option<u32>, looked_in: &[PathBuf]) -> Result<Binaries> {
    ensure!(
        !found.is_empty(),
        "PostgreSQL {OLDEST_MAJOR} or later was not found (initdb and postgres, in {looked_in:?}). \
         Install it with `apt-get install postgresql libpq-dev`, or name its directory in PG_BIN_DIR"
    );
    let majors: Vec<u32> = found.iter().map(|binaries| binaries.major).collect();
    found.into_iter().find(|it| made_by.is_none_or(|major| major == it.major)).with_context(|| {
        let made_by = made_by.unwrap_or_default();
        format!(
            "the data was made by PostgreSQL {made_by}, and only {majors:?} was found. \
             Install it with `apt-get install postgresql-{made_by}`, or move the data with pg_upgrade"
        )
    })
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` → 15; `… 19beta1` → 19.
fn parse_major(answer: &str) -> Option<u32> {
    let version = answer.strip_prefix("postgres (PostgreSQL) ")?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(major: u32) -> Binaries {
        Binaries { dir: format!("/pg/{major}").into(), major }
    }

    #[test]
    fn the_major_version_is_read_from_what_postgres_says() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(parse_major("zsh: command not found\n"), None);
    }

    #[test]
    fn a_new_cluster_takes_the_first_found_and_an_old_one_its_own_version() {
        let found = || vec![installed(17), installed(15)];
        assert_eq!(choose(found(), None, &[]).unwrap(), installed(17));
        assert_eq!(choose(found(), Some(15), &[]).unwrap(), installed(15));
    }

    #[test]
    fn what_is_missing_comes_with_the_line_that_installs_it() {
        let nothing = choose(vec![], None, &["/pg".into()]).unwrap_err().to_string();
        assert!(nothing.contains("`apt-get install postgresql libpq-dev`"), "{nothing}");
        let other = choose(vec![installed(17)], Some(15), &[]).unwrap_err().to_string();
        assert!(other.contains("`apt-get install postgresql-15`"), "{other}");
    }
}
