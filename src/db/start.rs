//! What must be true of a database before the service relies on it, beside its schema and the service's own
//! rights (`migrations.rs`).

use anyhow::{Context, bail};
use chrono::TimeDelta;
use diesel::connection::Connection;
use diesel::pg::PgConnection;
use diesel::sql_types::{Text, Timestamptz};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use crate::domain::Timestamp;
use crate::domain::date::parse_instant;

/// What the machine's clock and the server's may differ by.
const CLOCKS_APART: TimeDelta = TimeDelta::minutes(5);
/// No instant before this was ever lived by this release.
const BEFORE_US: &str = "2026-01-01T00:00:00Z";

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Refuses a server that can lose what it has confirmed: after a power cut, a pass that was spent could be
/// spent again, and a receipt speak of nothing.
pub fn ensure_durable(url: &str) -> anyhow::Result<()> {
    let off: Vec<Setting> = sql_query(
        "SELECT name FROM pg_settings
         WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name",
    )
    .load(&mut connect(url)?)?;
    if off.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = off.iter().map(|setting| setting.name.as_str()).collect();
    bail!(
        "this PostgreSQL can lose what it has confirmed: {} off. Turn on what is off, in postgresql.conf or with ALTER SYSTEM \
         (synchronous_commit: of the role and the database too), then start again",
        names.join(", ")
    )
}

/// Refuses a clock that is before this release, or apart from the server's: tokens, dates of passes and the
/// order of entries would be wrong.
pub fn ensure_clock(url: &str, now: Timestamp) -> anyhow::Result<()> {
    #[derive(QueryableByName)]
    struct Theirs {
        #[diesel(sql_type = Timestamptz)]
        now: Timestamp,
    }
    let theirs: Theirs =
        sql_query("SELECT clock_timestamp() AS now").get_result(&mut connect(url)?)?;
    let earliest = parse_instant(BEFORE_US).map_err(anyhow::Error::msg)?;
    let apart = theirs.now.signed_duration_since(now).abs();
    if now < earliest || apart > CLOCKS_APART {
        bail!(
            "the clock of this machine says {now}, the database's {}: set it right (NTP) on both, then start again",
            theirs.now
        );
    }
    Ok(())
}

fn connect(url: &str) -> anyhow::Result<PgConnection> {
    PgConnection::establish(url).context("the database does not answer")
}
