//! The embedded PostgreSQL on a real machine: these tests start and end it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::*;

/// A directory of this test's own, removed at its end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(env::temp_dir().join(format!("souche-postgres-{}-{number}", process::id())))
    }

    fn start(&self) -> Server {
        Server::start(&self.0, Durability::Throwaway).unwrap()
    }

    fn running(&self) -> Vec<u32> {
        postmaster::processes_in(&self.0.canonicalize().unwrap().join("data")).unwrap()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn connect(server: &Server, role: DatabaseRole) -> PgConnection {
    PgConnection::establish(&server.url(role, "souche")).unwrap()
}

/// Runs `sql` as the owner of the database `souche`.
fn run(server: &Server, sql: &str) {
    connect(server, DatabaseRole::Owner).batch_execute(sql).unwrap();
}

fn count(server: &Server, from: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let query = sql_query(format!("SELECT count(*) AS count FROM {from}"));
    query.get_result::<Row>(&mut server.connect("souche").unwrap()).unwrap().count
}

fn shown(server: &Server, setting: &str) -> String {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        value: String,
    }
    let query = sql_query("SELECT current_setting($1) AS value").bind::<Text, _>(setting);
    query.get_result::<Row>(&mut server.connect("postgres").unwrap()).unwrap().value
}

#[test]
fn a_second_start_finds_what_the_first_one_stored() {
    let directory = Directory::new();
    {
        let server = directory.start();
        server.ensure_database("souche").unwrap();
        run(&server, "CREATE TABLE kept AS SELECT generate_series(1, 3)");
    }
    let server = directory.start();
    server.ensure_database("souche").unwrap();
    assert_eq!(count(&server, "kept"), 3);
}

#[test]
fn committed_rows_survive_the_killing_of_a_durable_server() {
    let directory = Directory::new();
    let mut server = Server::start(&directory.0, Durability::Durable).unwrap();
    server.ensure_database("souche").unwrap();
    run(&server, "CREATE TABLE kept AS SELECT generate_series(1, 1000)");
    let mut open = connect(&server, DatabaseRole::Owner);
    open.batch_execute("BEGIN; INSERT INTO kept VALUES (0)").unwrap();

    server.kill().unwrap();
    assert!(open.batch_execute("COMMIT").is_err());
    server.restart().unwrap();

    assert_eq!(count(&server, "kept"), 1000);
    assert_eq!(shown(&server, "fsync"), "on");
    assert_eq!(shown(&server, "data_checksums"), "on");
}

#[test]
fn the_service_owns_nothing_and_can_make_nothing() {
    let directory = Directory::new();
    let server = directory.start();
    server.ensure_database("souche").unwrap();
    let owned = "pg_shdepend JOIN pg_roles ON pg_roles.oid = refobjid
                 WHERE deptype = 'o' AND rolname = 'souche_service'";
    assert_eq!(count(&server, owned), 0);
    let privileged = "pg_roles WHERE rolname LIKE 'souche%'
                      AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)";
    assert_eq!(count(&server, privileged), 0);
    for forbidden in [
        "CREATE TABLE mine ()",
        "CREATE TEMPORARY TABLE mine ()",
        "CREATE SCHEMA mine",
        "CREATE DATABASE mine",
        "CREATE ROLE mine",
        "SET ROLE souche_owner",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
    ] {
        let refusal = connect(&server, DatabaseRole::Service).batch_execute(forbidden).unwrap_err();
        let told = refusal.to_string();
        let is_for_lack_of_rights =
            ["permission denied", "must be superuser"].iter().any(|words| told.starts_with(words));
        assert!(is_for_lack_of_rights, "{forbidden}: {told}");
    }
}

#[test]
fn a_privilege_added_by_hand_is_gone_at_the_next_start() {
    let directory = Directory::new();
    let server = directory.start();
    let mut superuser = server.connect("postgres").unwrap();
    superuser.batch_execute("ALTER ROLE souche_service SUPERUSER BYPASSRLS").unwrap();
    drop(server);
    let server = directory.start();
    server.ensure_database("souche").unwrap();
    assert_eq!(count(&server, "pg_roles WHERE rolname = 'souche_service' AND rolsuper"), 0);
}

#[test]
fn two_servers_on_one_directory_are_one_too_many() {
    let directory = Directory::new();
    let _first = directory.start();
    let refusal = Server::start(&directory.0, Durability::Throwaway).unwrap_err();
    let told = format!("{refusal:#}");
    assert!(told.contains(&format!("in use by another process ({})", process::id())), "{told}");
}

#[test]
fn a_directory_with_other_things_in_it_is_left_alone() {
    let directory = Directory::new();
    fs::create_dir(&directory.0).unwrap();
    fs::write(directory.0.join("thesis.odt"), "years of work").unwrap();
    let refusal = Server::start(&directory.0, Durability::Throwaway).unwrap_err();
    assert!(format!("{refusal:#}").contains("it holds other files"), "{refusal:#}");
    assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 1);
}

#[test]
fn a_stopped_server_leaves_no_process() {
    let directory = Directory::new();
    let server = directory.start();
    assert!(!directory.running().is_empty());
    drop(server);
    assert!(directory.running().is_empty());
}

#[test]
fn a_half_made_cluster_is_made_again() {
    let directory = Directory::new();
    drop(directory.start());
    fs::rename(directory.0.join("data"), directory.0.join("data.draft")).unwrap();
    drop(directory.start());
    assert!(!directory.0.join("data.draft").exists());
}

#[test]
fn a_long_path_has_its_socket_elsewhere() {
    let directory = Directory::new();
    let deep = directory.0.join("a".repeat(100));
    let server = Server::start(&deep, Durability::Throwaway).unwrap();
    assert!(server.socket_dir().starts_with("/tmp"));
    assert_eq!(shown(&server, "listen_addresses"), "");
    let socket_dir = server.socket_dir().to_owned();
    drop(server);
    assert!(!socket_dir.exists());
}

#[test]
fn neither_rows_nor_statements_reach_the_log() {
    let directory = Directory::new();
    let server = directory.start();
    server.ensure_database("souche").unwrap();
    run(&server, "CREATE TABLE person (name text UNIQUE); INSERT INTO person VALUES ('Ghislaine')");
    let mut owner = connect(&server, DatabaseRole::Owner);
    assert!(owner.batch_execute("INSERT INTO person VALUES ('Ghislaine')").is_err());
    let log = fs::read_to_string(server.log_path()).unwrap();
    assert!(log.contains("duplicate key value"), "{log}");
    assert!(!log.contains("Ghislaine"), "{log}");
}

/// Where the process that aborts is told to start its server.
const ABANDONED: &str = "SOUCHE_ABANDONED_DIRECTORY";

#[test]
fn postgresql_shuts_down_cleanly_when_its_process_aborts() {
    let directory = Directory::new();
    let status = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "postgres::tests::abandons_a_server"])
        .env(ABANDONED, &directory.0)
        .output()
        .unwrap()
        .status;
    assert!(!status.success(), "it was to abort");

    let server = directory.start();
    assert_eq!(count(&server, "abandoned"), 7);
    let log = fs::read_to_string(server.log_path()).unwrap();
    assert!(log.contains("database system is shut down"), "{log}");
    assert!(!log.contains("not properly shut down"), "{log}");
}

/// Not a test: the other process of the test above. The thread that starts the server ends before
/// the process does, and PostgreSQL must not take the one for the other.
#[test]
#[ignore = "aborts on purpose"]
fn abandons_a_server() {
    let Some(directory) = env::var_os(ABANDONED) else { return };
    let start = move || Server::start(Path::new(&directory), Durability::Throwaway).unwrap();
    let server = thread::spawn(start).join().unwrap();
    server.ensure_database("souche").unwrap();
    run(&server, "CREATE TABLE abandoned AS SELECT generate_series(1, 7)");
    process::abort();
}
