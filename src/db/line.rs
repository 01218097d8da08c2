//! A connection of one's own, for work that must neither wait for the pool nor plan anew each time.

use std::time::{Duration, Instant};

use diesel::connection::{
    AnsiTransactionManager, Connection, SimpleConnection, TransactionManager,
};
use diesel::pg::PgConnection;
use diesel::r2d2::CustomizeConnection;

use super::{Db, Limits, Scope, Tx, begin};
use crate::error::{Error, Result};

/// How long plans are kept. Made once for any values, they cost nothing to use; but one made when a table
/// was nearly empty would read all of it later.
const PLANS_LAST: Duration = Duration::from_secs(1);

/// One connection, opened when it is first needed and again when it broke. Its statements are planned once
/// and the plans kept for a second: planning is a third of a small batch's work.
pub struct Line {
    db: Db,
    conn: Option<PgConnection>,
    planned_at: Instant,
}

impl Line {
    pub(super) fn new(db: Db) -> Self {
        Self { db, conn: None, planned_at: Instant::now() }
    }

    /// As [`super::Db::transact_blocking`]. A connection that broke is left, and the next call opens another.
    pub fn transact<T>(
        &mut self,
        scope: Scope,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut conn = self.begin(scope)?;
        let done = self.db.finish(&mut conn, scope, work);
        let is_broken = AnsiTransactionManager::is_broken_transaction_manager(&mut conn);
        if !is_broken && !matches!(done, Err(Error::Unknown(_))) {
            self.conn = Some(conn);
        }
        done
    }

    /// A connection with a transaction begun. One that the server closed since its last use shows it here,
    /// where nothing is lost by trying a new one.
    fn begin(&mut self, scope: Scope) -> Result<PgConnection> {
        if let Some(mut conn) = self.conn.take()
            && self.replan(&mut conn).and_then(|()| begin(&mut conn, "BEGIN", scope)).is_ok()
        {
            return Ok(conn);
        }
        let mut conn = open(&self.db.url)?;
        begin(&mut conn, "BEGIN", scope)?;
        Ok(conn)
    }

    fn replan(&mut self, conn: &mut PgConnection) -> Result<()> {
        if self.planned_at.elapsed() > PLANS_LAST {
            conn.batch_execute("DISCARD PLANS")?;
            self.planned_at = Instant::now();
        }
        Ok(())
    }
}

fn open(url: &str) -> Result<PgConnection> {
    let mut conn = PgConnection::establish(url).map_err(|error| Error::Busy(error.to_string()))?;
    Limits.on_acquire(&mut conn).map_err(|error| Error::Busy(error.to_string()))?;
    conn.batch_execute("SET plan_cache_mode = force_generic_plan")?;
    Ok(conn)
}
