//! A connection of one's own, for work that must neither wait for the pool nor plan anew each time.

use std::time::{Duration, Instant};

use diesel::connection::{
    AnsiTransactionManager, Connection, SimpleConnection, TransactionManager,
};
use diesel::pg::PgConnection;
use diesel::r2d2::CustomizeConnection;

use super::{Db, Limits, Scope, Tx, begin};
use crate::domain::ProgrammeId;
use crate::error::{Error, Result};

/// How long plans are kept. Made once for any values, they cost nothing to use; but one made when a table
/// was nearly empty would read all of it later.
const PLANS_LAST: Duration = Duration::from_secs(1);

/// One connection, opened when it is first needed and again when it broke. Its statements are planned once
/// and the plans kept for a second: planning is a third of a small batch's work.
///
/// What one statement can do needs no transaction around it, and costs one round trip in place of three:
/// [`Line::read`] and [`Line::write`].
pub struct Line {
    db: Db,
    open: Option<Open>,
}

/// An open connection.
struct Open {
    conn: PgConnection,
    /// Whose rows it sees outside of transactions. It is nobody else's, so the tenant can't leak.
    tenant: Option<ProgrammeId>,
    planned_at: Instant,
}

impl Line {
    pub(super) fn new(db: Db) -> Self {
        Self { db, open: None }
    }

    /// As [`super::Db::transact_blocking`], in a programme. A connection that broke is left, and the next call opens
    /// another.
    pub fn transact<T>(
        &mut self,
        programme: ProgrammeId,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        let scope = Scope::Programme(programme);
        let mut open = self.begin(scope)?;
        let done = self.db.finish(&mut open.conn, scope, work);
        let is_broken = AnsiTransactionManager::is_broken_transaction_manager(&mut open.conn);
        if !is_broken && !matches!(done, Err(Error::Unknown(_))) {
            self.open = Some(open);
        }
        done
    }

    /// Reads, with no transaction around the statements of `work`: each sees what is there when it runs. Tried twice
    /// where the connection turns out to be broken.
    pub fn read<T>(
        &mut self,
        programme: ProgrammeId,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        let was_open = self.open.is_some();
        match self.try_read(programme, &mut work) {
            Err(Error::Busy(_)) if was_open => self.try_read(programme, &mut work),
            done => done,
        }
    }

    fn try_read<T>(
        &mut self,
        programme: ProgrammeId,
        work: &mut impl FnMut(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut open = self.enter(programme)?;
        let read = work(&mut self.db.tx(&mut open.conn, programme));
        if matches!(read, Ok(_) | Err(Error::Refused(_))) {
            self.open = Some(open);
        }
        read
    }

    /// Writes, by the one statement of `work`: a transaction of its own. An error means that nothing was written,
    /// unless it is [`Error::Unknown`].
    pub fn write<T>(
        &mut self,
        programme: ProgrammeId,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut open = self.enter(programme)?;
        let written = work(&mut self.db.tx(&mut open.conn, programme));
        match written {
            // Who still speaks has answered before: with its refusal.
            Err(error) if open.conn.batch_execute("SELECT 1").is_err() => {
                Err(Error::Unknown(error.to_string()))
            }
            done => {
                self.open = Some(open);
                done
            }
        }
    }

    /// A connection that sees that programme.
    fn enter(&mut self, programme: ProgrammeId) -> Result<Open> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => Open::new(&self.db.url)?,
        };
        open.replan()?;
        if open.tenant != Some(programme) {
            open.conn.batch_execute(&format!("SET souche.programme = {}", programme.get()))?;
            open.tenant = Some(programme);
        }
        Ok(open)
    }

    /// A connection with a transaction begun. One that the server closed since its last use shows it here,
    /// where nothing is lost by trying a new one.
    fn begin(&mut self, scope: Scope) -> Result<Open> {
        if let Some(mut open) = self.open.take()
            && open.replan().and_then(|()| begin(&mut open.conn, "BEGIN", scope)).is_ok()
        {
            return Ok(open);
        }
        let mut open = Open::new(&self.db.url)?;
        begin(&mut open.conn, "BEGIN", scope)?;
        Ok(open)
    }
}

impl Open {
    fn new(url: &str) -> Result<Self> {
        let mut conn =
            PgConnection::establish(url).map_err(|error| Error::Busy(error.to_string()))?;
        Limits.on_acquire(&mut conn).map_err(|error| Error::Busy(error.to_string()))?;
        conn.batch_execute("SET plan_cache_mode = force_generic_plan")?;
        Ok(Self { conn, tenant: None, planned_at: Instant::now() })
    }

    fn replan(&mut self) -> Result<()> {
        if self.planned_at.elapsed() > PLANS_LAST {
            self.conn.batch_execute("DISCARD PLANS")?;
            self.planned_at = Instant::now();
        }
        Ok(())
    }
}
