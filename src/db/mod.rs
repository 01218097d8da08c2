//! The way to PostgreSQL: the pool, the transaction, and the queries by table. A row type never
//! leaves its file.
//!
//! The tenant is part of the transaction: [`Db::transact`] names the programme, row-level security
//! shows its rows only, and `programme_id` fills itself in. So queries here speak of local numbers,
//! and none can forget the tenant.

pub mod access_schema;
pub mod account_schema;
mod clock;
mod evidence_tables;
mod line;
pub mod log_schema;
mod migrations;
mod pg_types;
pub mod schema;
mod start;
mod statement;

pub mod api_keys;
pub mod audit;
pub mod audit_log;
pub mod audit_states;
pub mod bank_accounts;
pub mod beneficiaries;
pub mod booklets;
pub mod bundle;
pub mod checkpoints;
pub mod counter;
pub mod deliveries;
pub mod digests;
pub mod entries;
pub mod evidence;
pub mod executions;
pub mod findings;
pub mod flags;
pub mod fundings;
pub mod hand_overs;
pub mod incidents;
pub mod invitations;
pub mod leaves;
pub mod logs;
pub mod memberships;
pub mod orders;
pub mod organisations;
pub mod outbox;
pub mod passes;
pub mod password_resets;
pub mod payouts;
pub mod programmes;
pub mod receipt_keys;
pub mod redemptions;
pub mod refresh_tokens;
pub mod requests;
pub mod restore;
pub mod samples;
pub mod second_factors;
pub mod series;
pub mod sessions;
pub mod settlements;
pub mod sign_in_tries;
pub mod sites;
pub mod transfers;
pub mod users;
pub mod voids;
pub mod workshops;
pub mod wrong_tries;

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, Connection, TransactionManager};
use diesel::pg::PgConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool, PooledConnection};
use diesel::{RunQueryDsl, sql_query};

pub use clock::Clock;
pub use line::Line;
pub use migrations::{ensure_current, ensure_least_privilege, migrate, revert_all};
pub use start::{ensure_clock, ensure_durable};

use crate::domain::{BusinessDate, Kid, ProgrammeId, Timestamp, UserId};
use crate::error::{Error, Result};

/// How long a request waits for a connection before it is told to come back: longer, and a client
/// would have given up while its work still goes on.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// A handle on the database, cheap to clone.
#[derive(Clone)]
pub struct Db {
    url: Arc<str>,
    pool: Pool<ConnectionManager<PgConnection>>,
    clock: Clock,
    kid: Option<Kid>,
}

/// Whose rows a transaction may see.
#[derive(Clone, Copy, Debug)]
pub enum Scope {
    /// Those of one programme; of the instance itself for [`ProgrammeId::INSTANCE`].
    Programme(ProgrammeId),
    /// A person's own memberships, before a programme is chosen.
    Person(UserId),
    /// No programme's.
    Nobody,
}

/// One open transaction, and the single instant at which all of it happens. On a [`Line`], there may be none: each
/// statement is its own then.
pub struct Tx<'conn> {
    /// The connection, for the files of this room.
    pub(crate) conn: &'conn mut PgConnection,
    /// The instant.
    pub now: Timestamp,
    /// The programme it has entered; the instance's own number until then.
    pub programme: ProgrammeId,
    /// The key that will sign the receipts made in it.
    pub kid: Option<Kid>,
}

impl<'conn> Tx<'conn> {
    /// A transaction that somebody else has opened, in `programme`: for whoever audits over a connection
    /// of their own.
    pub fn within(
        conn: &'conn mut PgConnection,
        now: Timestamp,
        programme: ProgrammeId,
    ) -> Result<Self> {
        let mut tx = Self { conn, now, programme: ProgrammeId::INSTANCE, kid: None };
        tx.enter(programme)?;
        Ok(tx)
    }
}

impl Tx<'_> {
    /// The day in Paris.
    pub fn today(&self) -> BusinessDate {
        BusinessDate::of(self.now)
    }

    /// Makes this transaction see `programme`, and nothing else, from here to its end.
    pub fn enter(&mut self, programme: ProgrammeId) -> Result<()> {
        self.set("souche.programme", &programme.get().to_string())?;
        self.programme = programme;
        Ok(())
    }

    /// Lets the rest of this transaction see that person's own memberships.
    pub fn speak_as(&mut self, person: UserId) -> Result<()> {
        self.set("souche.person", &person.to_string())
    }

    /// Lets the rest of this transaction read whole tables: for reports. See [`Limits`].
    pub(crate) fn scan_all(&mut self) -> Result<()> {
        self.set("enable_seqscan", "on")
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        // Local to the transaction: a tenant must not leak through the pool.
        diesel::select(functions::set_config(name, value, true)).execute(self.conn)?;
        Ok(())
    }

    /// Runs `work` so that its refusal undoes what it wrote, and nothing else.
    pub fn attempt<T>(&mut self, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let (now, programme, kid) = (self.now, self.programme, self.kid);
        self.conn.transaction(|conn| work(&mut Tx { conn, now, programme, kid }))
    }
}

mod functions {
    //! Functions of PostgreSQL that diesel does not know.
    diesel::define_sql_function! {
        /// Sets a setting, until the end of the transaction or of the session.
        fn set_config(name: diesel::sql_types::Text, value: diesel::sql_types::Text, is_local: diesel::sql_types::Bool) -> diesel::sql_types::Text;
    }
}

impl Db {
    /// A pool on that address; the first use opens the first connection.
    ///
    /// `url` is a libpq connection string for a role that owns nothing.
    pub fn new(url: &str, connections: u32, clock: Clock) -> Self {
        let pool = Pool::builder()
            .max_size(connections)
            .min_idle(Some(0))
            .connection_timeout(ACQUIRE_TIMEOUT)
            .connection_customizer(Box::new(Limits))
            .build_unchecked(ConnectionManager::new(url));
        Self { url: url.into(), pool, clock, kid: None }
    }

    /// A connection of one's own on the same database: see [`Line`].
    pub fn line(&self) -> Line {
        Line::new(self.clone())
    }

    /// The same, whose receipts name the key that signs them.
    #[must_use]
    pub fn signing_as(self, kid: Kid) -> Self {
        Self { kid: Some(kid), ..self }
    }

    /// The clock of every transaction.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Runs `work` in one transaction, on a blocking thread: all of it is kept, or none of it.
    ///
    /// The only bridge between the async world of HTTP and the plain functions of `app`. The work runs
    /// to its end even if the client hangs up, so it can't be cut between two statements.
    pub async fn transact<T, F>(&self, scope: Scope, work: F) -> Result<T>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let db = self.clone();
        actix_web::web::block(move || db.transact_blocking(scope, work))
            .await
            .map_err(|e| Error::Busy(e.to_string()))?
    }

    /// As [`Db::transact`], to read only, all of it as at one moment: whatever is written meanwhile.
    pub async fn snapshot<T, F>(&self, scope: Scope, work: F) -> Result<T>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let db = self.clone();
        actix_web::web::block(move || db.snapshot_blocking(scope, work))
            .await
            .map_err(|e| Error::Busy(e.to_string()))?
    }

    /// As [`Db::transact`], for threads of their own, the command line and the tests.
    pub fn transact_blocking<T>(
        &self,
        scope: Scope,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        self.run("BEGIN", scope, work)
    }

    /// As [`Db::snapshot`], for the command line and the tests.
    pub fn snapshot_blocking<T>(
        &self,
        scope: Scope,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", scope, work)
    }

    fn run<T>(
        &self,
        mode: &str,
        scope: Scope,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut conn = self.acquire()?;
        begin(&mut conn, mode, scope)?;
        self.finish(&mut conn, scope, work)
    }

    /// Works in the transaction that was begun, and ends it: all of it is kept, or none of it.
    fn finish<T>(
        &self,
        conn: &mut PgConnection,
        scope: Scope,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        let programme = match scope {
            Scope::Programme(programme) => programme,
            Scope::Person(_) | Scope::Nobody => ProgrammeId::INSTANCE,
        };
        match work(&mut self.tx(conn, programme)) {
            Ok(value) => commit(conn).map(|()| value),
            Err(error) => {
                // Its own failure changes nothing: without COMMIT, the server undoes all.
                let _ = AnsiTransactionManager::rollback_transaction(conn);
                Err(error)
            }
        }
    }

    fn tx<'conn>(&self, conn: &'conn mut PgConnection, programme: ProgrammeId) -> Tx<'conn> {
        Tx { conn, now: self.clock.now(), programme, kid: self.kid }
    }

    fn acquire(&self) -> Result<PooledConnection<ConnectionManager<PgConnection>>> {
        self.pool.get().map_err(|error| Error::Busy(error.to_string()))
    }

    /// Does the database answer?
    pub fn ping(&self) -> Result<()> {
        sql_query("SELECT 1").execute(&mut self.acquire()?)?;
        Ok(())
    }
}

/// Begins a transaction in its scope, with one round trip; `mode` is its BEGIN.
fn begin(conn: &mut PgConnection, mode: &str, scope: Scope) -> Result<()> {
    // Local to the transaction: a tenant must not leak through the pool.
    let begin = match scope {
        Scope::Programme(programme) => {
            format!("{mode}; SET LOCAL souche.programme = {}", programme.get())
        }
        Scope::Person(person) => format!("{mode}; SET LOCAL souche.person = '{person}'"),
        Scope::Nobody => mode.to_owned(),
    };
    Ok(AnsiTransactionManager::begin_transaction_sql(conn, &begin)?)
}

/// A COMMIT that the server refuses is a failure; one whose answer is lost is nobody knows.
fn commit(conn: &mut PgConnection) -> Result<()> {
    use diesel::result::{DatabaseErrorKind as Kind, Error as DieselError};
    match AnsiTransactionManager::commit_transaction(conn) {
        Ok(()) => Ok(()),
        Err(DieselError::DatabaseError(kind, info))
            if !matches!(
                kind,
                Kind::ClosedConnection | Kind::UnableToSendCommand | Kind::Unknown
            ) =>
        {
            Err(Error::from(DieselError::DatabaseError(kind, info)))
        }
        Err(error) => Err(Error::Unknown(error.to_string())),
    }
}

/// What a connection may ask of the server, and how it finds rows: by their keys. A connection plans a
/// statement once, often when its table is still small enough to be read whole, and keeps that plan while
/// the table grows; the checks of foreign keys are planned the same way. Without this, redemptions slow
/// down with every one made, until statistics catch up. A scan that can't be avoided then looks so dear
/// that it would be compiled at each execution, for longer than it takes: no compilation.
#[derive(Debug)]
struct Limits;

impl CustomizeConnection<PgConnection, diesel::r2d2::Error> for Limits {
    fn on_acquire(&self, conn: &mut PgConnection) -> std::result::Result<(), diesel::r2d2::Error> {
        // 60 s: minting a region's passes takes some seconds. 5 s: whoever waits longer for a row should come back.
        sql_query(
            "SELECT set_config('statement_timeout', '60s', false), set_config('lock_timeout', '5s', false), \
                    set_config('idle_in_transaction_session_timeout', '30s', false), set_config('timezone', 'UTC', false), \
                    set_config('application_name', 'souche', false), set_config('enable_seqscan', 'off', false), \
                    set_config('jit', 'off', false)",
        )
        .execute(conn)
        .map_err(diesel::r2d2::Error::QueryError)?;
        Ok(())
    }
}
