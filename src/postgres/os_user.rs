//! Which user of the machine PostgreSQL runs as: it refuses to run as root.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

const ROOT: u32 = 0;

/// Who takes over from root, the first that exists: the user of Debian's packages, else nobody.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// A user of the machine, as its user database (files, LDAP…) knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OsUser {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl OsUser {
    /// The user this process acts as.
    pub(super) fn current() -> Result<Self> {
        // The kernel gives a process's directory to the process's effective user.
        let uid = fs::metadata("/proc/self").context("reading /proc/self")?.uid();
        Self::of_uid(uid)
    }

    /// Who runs PostgreSQL when we are `self`: ourselves, or for root whoever owns the `cluster`
    /// already, else an unprivileged user.
    pub(super) fn who_runs_postgres(&self, cluster: &Path) -> Result<Self> {
        if !self.is_root() {
            return Ok(self.clone());
        }
        match fs::symlink_metadata(cluster) {
            Ok(existing) if existing.uid() != ROOT => Self::of_uid(existing.uid()),
            _ => UNPRIVILEGED.iter().find_map(|name| Self::look_up(name)).with_context(|| {
                format!("PostgreSQL may not run as root, and no user is named {UNPRIVILEGED:?}")
            }),
        }
    }

    /// Fails when `path` lies below a directory that this user may not enter; `remedy` ends the
    /// message.
    pub(super) fn ensure_reaches(&self, path: &Path, remedy: &str) -> Result<()> {
        let outermost_closed = path
            .ancestors()
            .filter(|dir| fs::metadata(dir).is_ok_and(|found| !self.may_enter(&found)))
            .last();
        ensure!(
            outermost_closed.is_none(),
            "PostgreSQL runs as the user {name}, who may not enter {closed}, which {path} needs: \
             {remedy}",
            name = self.name,
            closed = outermost_closed.unwrap_or(path).display(),
            path = path.display(),
        );
        Ok(())
    }

    fn is_root(&self) -> bool {
        self.uid == ROOT
    }

    /// By the three classic classes of permission; access lists are not looked at.
    fn may_enter(&self, dir: &Metadata) -> bool {
        let execute = if dir.uid() == self.uid {
            0o100
        } else if dir.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        self.is_root() || dir.mode() & execute != 0
    }

    fn of_uid(uid: u32) -> Result<Self> {
        Self::look_up(&uid.to_string()).with_context(|| {
            format!("user id {uid} has no name on this machine (/etc/passwd): PostgreSQL needs one")
        })
    }

    /// By name or number. `getent` asks what `getpwnam` would, without unsafe code.
    fn look_up(key: &str) -> Option<Self> {
        let answer = Command::new("getent").args(["passwd", key]).output().ok()?;
        parse_passwd(&String::from_utf8(answer.stdout).ok()?)
    }
}

/// Reads `name:password:uid:gid:…` (passwd(5)).
fn parse_passwd(line: &str) -> Option<OsUser> {
    let mut fields = line.lines().next()?.split(':');
    let name = fields.next()?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(OsUser { name, uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passwd_line_gives_name_and_ids() {
        let user = parse_passwd("postgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash\n");
        assert_eq!(user, Some(OsUser { name: "postgres".into(), uid: 101, gid: 104 }));
        assert_eq!(parse_passwd(""), None);
    }

    #[test]
    fn only_root_hands_over_to_another_user() {
        let nowhere = Path::new("/nonexistent");
        let someone = OsUser { name: "someone".into(), uid: 4242, gid: 4242 };
        let root = OsUser { name: "root".into(), uid: 0, gid: 0 };
        assert_eq!(someone.who_runs_postgres(nowhere).unwrap(), someone);
        assert_ne!(root.who_runs_postgres(nowhere).unwrap().uid, 0);
    }

    #[test]
    fn a_closed_directory_is_named_with_its_remedy() {
        let someone = OsUser { name: "someone".into(), uid: 4242, gid: 4242 };
        someone.ensure_reaches(Path::new("/usr/lib"), "unused").unwrap();
        // Only its owner, who is not this user, may enter a process's table of open files.
        let refusal =
            someone.ensure_reaches(Path::new("/proc/self/fd/x"), "use --data").unwrap_err();
        let told = refusal.to_string();
        assert!(told.contains("may not enter /proc/self/fd,"), "{told}");
        assert!(told.ends_with("use --data"), "{told}");
    }
}
