//! Every migration can be undone, and done again, to the same schema; with rows in it or without.

use std::process::Command;

use diesel::prelude::*;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use souche::db::{ensure_current, migrate, revert_all};

use crate::support::World;
use crate::support::cluster::server;
use crate::support::database::TestDatabase;

#[test]
fn every_migration_can_be_undone_and_done_again() {
    let database = TestDatabase::unmigrated();
    let mut owner = PgConnection::establish(&database.owner_url()).unwrap();
    let migrations = || {
        FileBasedMigrations::from_path(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap()
    };

    let mut before = dump(&database);
    let mut n = 0;
    while owner.has_pending_migration(migrations()).unwrap() {
        let version = owner.run_next_migration(migrations()).unwrap().as_owned();
        let after = dump(&database);
        owner.revert_last_migration(migrations()).unwrap();
        assert_eq!(before, dump(&database), "down.sql of {version} does not undo its up.sql");
        owner.run_next_migration(migrations()).unwrap();
        assert_eq!(
            after,
            dump(&database),
            "up.sql of {version} makes another schema the second time"
        );
        before = after;
        n += 1;
    }
    assert!(n >= 9, "{n} migrations ran");
}

#[test]
fn a_schema_full_of_rows_can_be_undone_and_made_again() {
    let world = World::lived();
    let database = &world.database;
    let full = dump(database);
    revert_all(&database.owner_url()).unwrap();
    assert!(!dump(database).contains("CREATE TABLE public.entries"));
    ensure_current(&database.service_url()).unwrap_err();
    migrate(&database.owner_url()).unwrap();
    assert_eq!(dump(database), full);
    ensure_current(&database.service_url()).unwrap();
}

#[test]
fn redemptions_are_the_same_before_they_were_entries() {
    let world = World::lived();
    let told = || {
        world
            .superuser()
            .column("SELECT to_jsonb(t) FROM redemptions t ORDER BY programme_id, pass, cycle")
    };
    let (before, mut owner) =
        (told(), PgConnection::establish(&world.database.owner_url()).unwrap());
    assert!(before.len() > 3, "{before:?}");
    let migrations = || {
        FileBasedMigrations::from_path(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap()
    };
    while owner.revert_last_migration(migrations()).unwrap().to_string() != "20261128000042" {}
    let columns = ["voided_cycle", "workshop_on"].map(|column| format!(" - '{column}'")).concat();
    let apart = format!(
        "SELECT to_jsonb(t){columns} FROM redemptions t ORDER BY programme_id, pass, cycle"
    );
    assert_eq!(world.superuser().column(&apart), before);
    owner.run_pending_migrations(migrations()).unwrap();
    assert_eq!(told(), before);
    for region in [&world.region, &world.neighbour] {
        region.books_hold();
    }
}

#[test]
fn migrating_twice_changes_nothing() {
    let database = TestDatabase::new();
    let before = dump(&database);
    assert_eq!(migrate(&database.owner_url()).unwrap(), Vec::<String>::new());
    assert_eq!(dump(&database), before);
}

#[test]
fn every_table_says_in_french_what_it_holds() {
    let world = World::new();
    let silent = world.superuser().column(
        "SELECT relname FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
         AND relname <> '__diesel_schema_migrations' AND obj_description(oid, 'pg_class') IS NULL",
    );
    assert_eq!(silent, Vec::<String>::new());
}

/// The schema as PostgreSQL writes it down, privileges included.
fn dump(database: &TestDatabase) -> String {
    let output = Command::new(server().bin_dir().join("pg_dump"))
        .args(["--schema-only", "--exclude-table=__diesel_schema_migrations", "--dbname"])
        .arg(database.superuser_url())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let dump = String::from_utf8(output.stdout).unwrap();
    // A line that begins with a backslash is a key that pg_dump draws anew each time.
    dump.lines().filter(|line| !line.starts_with('\\')).collect::<Vec<_>>().join("\n")
}
