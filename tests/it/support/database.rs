//! A database per test, copied from a template that was made once.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use souche::postgres::DatabaseRole;

use super::cluster::{administer, server};

/// Every name starts with `it_`: that is how leftovers of an interrupted run are known.
const TEMPLATE: &str = "it_template";

/// Migrated by the owner's role, as in production; made by the first test that asks.
static MIGRATED: LazyLock<()> = LazyLock::new(|| {
    server().ensure_database(TEMPLATE).unwrap();
    souche::db::migrate(&server().url(DatabaseRole::Owner, TEMPLATE)).unwrap();
});

/// A database of one test's own, dropped with it.
pub struct TestDatabase {
    name: String,
}

/// A database that others are copied from, rows included. Nobody may be connected to it.
pub struct Template(String);

impl TestDatabase {
    /// With the schema, and only the rows that migrations put there. About 40 ms.
    pub fn new() -> Self {
        LazyLock::force(&MIGRATED);
        Self::copy(TEMPLATE)
    }

    /// With the rows of a template.
    pub fn copy_of(template: &Template) -> Self {
        Self::copy(&template.0)
    }

    /// Without even a schema, to test the migrations themselves.
    pub fn unmigrated() -> Self {
        let database = Self { name: fresh_name() };
        server().ensure_database(&database.name).unwrap();
        database
    }

    fn copy(template: &str) -> Self {
        let database = Self { name: fresh_name() };
        // Copying files beats writing them through the log, and fsync is off anyway.
        administer(&format!(
            "CREATE DATABASE {} OWNER {} TEMPLATE {template} STRATEGY FILE_COPY",
            database.name,
            DatabaseRole::Owner.name()
        ))
        .unwrap();
        // A copy has the template's tables and their privileges, but not those of the database.
        server().ensure_database(&database.name).unwrap();
        database
    }

    /// Closes its connections and keeps it, for others to be copied from.
    pub fn into_template(mut self) -> Template {
        let name = std::mem::take(&mut self.name);
        administer(&format!(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"
        ))
        .unwrap();
        Template(name)
    }

    /// As the service connects: owns nothing.
    pub fn service_url(&self) -> String {
        server().url(DatabaseRole::Service, &self.name)
    }

    /// As the migrations connect.
    pub fn owner_url(&self) -> String {
        server().url(DatabaseRole::Owner, &self.name)
    }

    /// To look behind every privilege and policy.
    pub fn superuser_url(&self) -> String {
        server().url(DatabaseRole::Superuser, &self.name)
    }
}

impl Drop for TestDatabase {
    /// A failure to drop must not hide why the test failed; the next run drops what is left.
    fn drop(&mut self) {
        if !self.name.is_empty() {
            administer(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).ok();
        }
    }
}

fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    format!("it_{}", COUNT.fetch_add(1, Ordering::Relaxed))
}
