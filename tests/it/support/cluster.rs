//! The one PostgreSQL that all tests of a run share.
//!
//! All integration tests are one binary, run by `cargo test`: threads of one process, so a static
//! is enough. It is never dropped: PostgreSQL shuts down when the process ends, however it ends.
//! (A runner with a process per test would find the directory in use.)
//!
//! The cluster is kept between runs, which saves making it: what an interrupted run left in it is
//! dropped at the next start.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::LazyLock;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use souche::postgres::{DatabaseRole, Durability, Server};

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let server = Server::start(&directory(), Durability::Throwaway).unwrap();
    drop_leftovers(&mut connect(&server));
    server
});

/// The server, started by the first test that asks.
pub fn server() -> &'static Server {
    &SERVER
}

/// Runs `sql` as the superuser, outside of any test's database.
pub fn administer(sql: &str) -> diesel::QueryResult<()> {
    connect(server()).batch_execute(sql)
}

/// Apart for each checkout and each user, who can't write in one another's; under the temporary
/// directory because a checkout under `/root` is out of reach of the user PostgreSQL runs as.
fn directory() -> PathBuf {
    let mut hasher = DefaultHasher::new();
    env!("CARGO_MANIFEST_DIR").hash(&mut hasher);
    fs::metadata("/proc/self").unwrap().uid().hash(&mut hasher);
    env::temp_dir().join(format!("souche-it-{:016x}", hasher.finish()))
}

fn drop_leftovers(superuser: &mut PgConnection) {
    #[derive(QueryableByName)]
    struct Database {
        #[diesel(sql_type = Text)]
        datname: String,
    }
    let leftovers: Vec<Database> =
        sql_query("SELECT datname::text FROM pg_database WHERE datname LIKE 'it\\_%'")
            .load(superuser)
            .unwrap();
    for leftover in leftovers {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", leftover.datname);
        superuser.batch_execute(&drop).unwrap();
    }
}

fn connect(server: &Server) -> PgConnection {
    PgConnection::establish(&server.url(DatabaseRole::Superuser, "postgres")).unwrap()
}
