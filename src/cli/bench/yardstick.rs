//! The yardstick: pgbench's TPC-B, prepared, 32 clients, on the same server.

use std::process::Command;

use anyhow::{Context, bail};

use crate::postgres::{DatabaseRole, Server};

const DATABASE: &str = "yardstick";

/// Fills pgbench's tables.
pub(super) fn prepare(server: &Server) -> anyhow::Result<()> {
    server.ensure_database(DATABASE)?;
    run(server, &["-i", "-q", "-s", "20"])?;
    Ok(())
}

/// Transactions per second over so many seconds.
pub(super) fn tpcb(server: &Server, seconds: u64) -> anyhow::Result<f64> {
    let said =
        run(server, &["-n", "-M", "prepared", "-c", "32", "-j", "2", "-T", &seconds.to_string()])?;
    let line =
        said.lines().find(|line| line.starts_with("tps = ")).context("pgbench said no tps")?;
    line.split_whitespace()
        .nth(2)
        .and_then(|tps| tps.parse().ok())
        .context("pgbench's tps is no number")
}

fn run(server: &Server, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(server.bin_dir().join("pgbench"))
        .args(arguments)
        .arg(server.url(DatabaseRole::Superuser, DATABASE))
        .output()
        .context("pgbench can't be run: it comes with Debian's package postgresql")?;
    if !output.status.success() {
        bail!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
