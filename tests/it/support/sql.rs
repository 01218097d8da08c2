//! Direct SQL: what somebody could do who had the service's password, and not its code.

use diesel::connection::SimpleConnection;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use souche::domain::ProgrammeId;

/// One connection, and the tenant that it names.
pub struct Sql(PgConnection);

impl Sql {
    /// Connected, with no tenant named.
    pub fn open(url: &str) -> Self {
        Self(PgConnection::establish(url).unwrap())
    }

    /// The same, speaking for that programme from here on.
    pub fn speaking_for(mut self, programme: ProgrammeId) -> Self {
        self.speak_for(&programme.to_string());
        self
    }

    /// Names a tenant, as the service does; any text, as an intruder could.
    pub fn speak_for(&mut self, programme: &str) {
        sql_query("SELECT set_config('souche.programme', $1, false)")
            .bind::<Text, _>(programme)
            .execute(&mut self.0)
            .unwrap();
    }

    /// Runs statements in one transaction, deferred constraints and COMMIT included. Says why it was
    /// refused: the kind of violation and the constraint, or PostgreSQL's own words.
    pub fn attempt(&mut self, statements: &str) -> Result<(), String> {
        self.0.batch_execute("BEGIN").unwrap();
        let done = self.0.batch_execute(statements).and_then(|()| self.0.batch_execute("COMMIT"));
        done.map_err(|error| {
            self.0.batch_execute("ROLLBACK").ok();
            described(&error)
        })
    }

    /// Runs statements that must be refused, and says why they were.
    #[track_caller]
    pub fn refused(&mut self, statements: &str) -> String {
        self.attempt(statements).expect_err(&format!("the database took: {statements}"))
    }

    /// Runs statements that must be taken, and takes them back: what an attack has to differ from.
    #[track_caller]
    pub fn would_take(&mut self, statements: &str) {
        self.0.batch_execute("BEGIN").unwrap();
        let done = self.0.batch_execute(&format!("{statements}; SET CONSTRAINTS ALL IMMEDIATE"));
        self.0.batch_execute("ROLLBACK").unwrap();
        done.unwrap();
    }

    /// Runs statements that must be taken.
    #[track_caller]
    pub fn run(&mut self, statements: &str) {
        self.attempt(statements).unwrap();
    }

    /// Begins a transaction and leaves it open.
    #[track_caller]
    pub fn begin(&mut self, statements: &str) {
        self.0.batch_execute("BEGIN").and_then(|()| self.0.batch_execute(statements)).unwrap();
    }

    /// Ends it.
    #[track_caller]
    pub fn commit(&mut self) {
        self.0.batch_execute("COMMIT").unwrap();
    }

    /// Runs one statement, and counts the rows it touched.
    #[track_caller]
    pub fn touched(&mut self, statement: &str) -> usize {
        sql_query(statement).execute(&mut self.0).unwrap()
    }

    /// How a query would be answered by a connection of the service's.
    #[track_caller]
    pub fn plan(&mut self, query: &str) -> String {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
            line: String,
        }
        // As the service plans, and its sealer.
        for way in ["enable_seqscan"].iter().chain(&souche::db::logs::WAYS_ROUND) {
            self.0.batch_execute(&format!("SET {way} = off")).unwrap();
        }
        let rows: Vec<Row> =
            sql_query(format!("EXPLAIN (COSTS OFF) {query}")).load(&mut self.0).unwrap();
        rows.into_iter().map(|row| row.line + "\n").collect()
    }

    /// The first column, cast to text, of every row; NULL is shown as `∅`.
    #[track_caller]
    pub fn column(&mut self, query: &str) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            shown: String,
        }
        let query =
            format!("SELECT coalesce(shown::text, '∅') AS shown FROM ({query}) AS rows (shown)");
        let rows: Vec<Row> = sql_query(query).load(&mut self.0).unwrap();
        rows.into_iter().map(|row| row.shown).collect()
    }

    /// The only value that a query finds.
    #[track_caller]
    pub fn value(&mut self, query: &str) -> String {
        let mut rows = self.column(query);
        assert_eq!(rows.len(), 1, "{query}");
        rows.remove(0)
    }
}

fn described(error: &DieselError) -> String {
    match error {
        DieselError::DatabaseError(kind, info) => match (kind, info.constraint_name()) {
            (DatabaseErrorKind::ForeignKeyViolation, Some(name)) => format!("foreign key {name}"),
            (DatabaseErrorKind::UniqueViolation, Some(name)) => format!("unique {name}"),
            (DatabaseErrorKind::CheckViolation, Some(name)) => format!("check {name}"),
            (DatabaseErrorKind::NotNullViolation, _) => {
                format!("not null {}", info.column_name().unwrap_or("?"))
            }
            _ => info.message().to_owned(),
        },
        other => other.to_string(),
    }
}
