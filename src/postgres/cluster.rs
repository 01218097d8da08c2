//! A cluster's making and settings: `initdb`, who may connect, what `postgres` is told.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::Durability;
use super::binaries::Binaries;
use super::home::{Home, write_readable};
use super::roles::DatabaseRole;

/// What it takes to run `postgres` on one home.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) home: Home,
    pub(super) binaries: Binaries,
    pub(super) socket_dir: PathBuf,
    durability: Durability,
}

impl Cluster {
    /// Makes the cluster if there is none, and writes who may connect.
    pub(super) fn prepare(home: Home, durability: Durability) -> Result<Self> {
        let binaries = Binaries::find(&home.data())?;
        home.ensure_reached(&binaries.dir, "name another installation in PG_BIN_DIR")?;
        let socket_dir = home.socket_dir()?;
        let cluster = Self { home, binaries, socket_dir, durability };
        cluster.init()?;
        cluster.write_access_rules()?;
        Ok(cluster)
    }

    /// The command that becomes the postmaster.
    pub(super) fn postgres(&self) -> Result<Command> {
        let log = self.home.open_log().context("opening the log of PostgreSQL")?;
        let mut command = self.program("postgres")?;
        command.arg("-D").arg(self.home.data());
        for (name, value) in self.settings()? {
            command.arg("-c").arg(setting(name, value));
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }

    fn program(&self, name: &str) -> Result<Command> {
        self.binaries.command(name, &self.home.user)
    }

    /// The cluster is made under another name, then renamed: one that exists is whole.
    fn init(&self) -> Result<()> {
        if self.home.data().exists() {
            return Ok(());
        }
        let draft = self.home.draft();
        if draft.exists() {
            fs::remove_dir_all(&draft)?;
        }
        self.home.make_private(&draft)?;
        let mut initdb = self.program("initdb")?;
        initdb.arg("-D").arg(&draft).args(["-U", DatabaseRole::Superuser.name()]);
        initdb.args(["-E", "UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-instructions"]);
        initdb.args(["--auth-local=peer", "--auth-host=reject"]);
        if self.durability == Durability::Throwaway {
            initdb.arg("--no-sync");
        }
        run(&mut initdb)?;
        self.home.adopt_draft().context("naming the new cluster")
    }

    /// Only we, and the user PostgreSQL runs as, may connect, as any of our three roles; the
    /// kernel says who is at the other end of the socket, so there is no password to keep.
    fn write_access_rules(&self) -> Result<()> {
        let home = &self.home;
        write_readable(&home.hba(), "local all all peer map=souche\n")?;
        let mut names = vec![home.me.name.as_str(), home.user.name.as_str()];
        names.dedup();
        write_readable(&home.ident(), &ident_map(&names))?;
        Ok(())
    }

    /// Given on the command line, where neither an edited file nor ALTER SYSTEM overrules them.
    fn settings(&self) -> Result<Vec<(&'static str, OsString)>> {
        let mut settings = vec![
            ("hba_file", self.home.hba().into()),
            ("ident_file", self.home.ident().into()),
            ("listen_addresses", "".into()),
            ("port", "5432".into()),
            ("unix_socket_directories", self.socket_dir.clone().into()),
            ("max_connections", "100".into()),
            // Minting and imports write a lot at once: fewer checkpoints, smaller page images.
            ("max_wal_size", "2GB".into()),
            ("wal_compression", self.best_wal_compression()?.into()),
            ("timezone", "UTC".into()),
            ("log_timezone", "UTC".into()),
            // Statements, their parameters and the rows in a DETAIL may tell of people.
            ("log_statement", "none".into()),
            ("log_min_duration_statement", "-1".into()),
            ("log_min_error_statement", "panic".into()),
            ("log_error_verbosity", "terse".into()),
            // A line at each checkpoint would fill a log that nobody turns over.
            ("log_checkpoints", "off".into()),
        ];
        settings.extend(self.durability.settings().map(|(name, value)| (name, value.into())));
        Ok(settings)
    }

    /// lz4 costs next to nothing; pglz is always there. Asks the program rather than its version,
    /// since lz4 is a choice of whoever built it.
    fn best_wal_compression(&self) -> Result<&'static str> {
        let mut probe = self.program("postgres")?;
        probe.arg("-D").arg(self.home.data());
        probe.args(["-c", "wal_compression=lz4", "-C", "wal_compression"]);
        let has_lz4 = probe.output()?.status.success();
        Ok(if has_lz4 { "lz4" } else { "pglz" })
    }
}

/// Each name may be each of our roles (`pg_ident.conf`).
fn ident_map(names: &[&str]) -> String {
    let mut map = String::new();
    for name in names {
        for role in DatabaseRole::ALL {
            map.extend(["souche \"", name, "\" ", role.name(), "\n"]);
        }
    }
    map
}

fn setting(name: &str, value: OsString) -> OsString {
    let mut argument = OsString::from(name);
    argument.push("=");
    argument.push(value);
    argument
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let output = command.output().with_context(|| format!("running {program}"))?;
    ensure!(
        output.status.success(),
        "{program} failed ({}): {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_of_the_machine_may_be_each_role_and_no_other() {
        let map = ident_map(&["root", "with space"]);
        let expected = "souche \"root\" postgres\n\
                        souche \"root\" souche_owner\n\
                        souche \"root\" souche_service\n\
                        souche \"with space\" postgres\n\
                        souche \"with space\" souche_owner\n\
                        souche \"with space\" souche_service\n";
        assert_eq!(map, expected);
    }

    #[test]
    fn a_failing_program_is_reported_with_what_it_said() {
        let refusal = run(Command::new("ls").arg("/nonexistent")).unwrap_err().to_string();
        assert!(refusal.starts_with("ls failed"), "{refusal}");
        assert!(refusal.contains("/nonexistent"), "{refusal}");
    }
}
