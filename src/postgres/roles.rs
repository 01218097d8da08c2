//! The three roles of the embedded PostgreSQL, and what each may do in a database.

use anyhow::{Result, ensure};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::sql_types::Text;
use diesel::{RunQueryDsl, sql_query};

/// PostgreSQL's limit on an identifier, in bytes (`NAMEDATALEN - 1`).
const LONGEST_NAME: usize = 63;

/// Whom to be towards PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseRole {
    /// `postgres`: makes and drops databases and roles. For set-up and tests, never for requests.
    Superuser,
    /// `souche_owner`: owns the database and its tables, runs the migrations.
    Owner,
    /// `souche_service`: owns nothing; may do what the migrations grant, and row-level security
    /// binds it.
    Service,
}

impl DatabaseRole {
    pub(super) const ALL: [Self; 3] = [Self::Superuser, Self::Owner, Self::Service];

    /// Its name in PostgreSQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Superuser => "postgres",
            Self::Owner => "souche_owner",
            Self::Service => "souche_service",
        }
    }
}

/// Makes the roles that are missing, and takes back whatever attribute they should not have.
pub(super) fn ensure_roles(superuser: &mut PgConnection) -> Result<()> {
    for role in [DatabaseRole::Owner, DatabaseRole::Service] {
        let name = role.name();
        let exists = sql_query("SELECT FROM pg_roles WHERE rolname = $1").bind::<Text, _>(name);
        if exists.execute(superuser)? == 0 {
            superuser.batch_execute(&format!("CREATE ROLE {name}"))?;
        }
        superuser.batch_execute(&format!(
            "ALTER ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
        ))?;
    }
    Ok(())
}

/// `CREATE DATABASE name OWNER souche_owner`, if missing.
pub(super) fn ensure_exists(superuser: &mut PgConnection, name: &str) -> Result<()> {
    ensure_plain(name)?;
    let create = format!("CREATE DATABASE {name} OWNER {}", DatabaseRole::Owner.name());
    if exists(superuser, name)? {
        return Ok(());
    }
    match superuser.batch_execute(&create) {
        // Somebody else may have made it since we looked.
        Err(error) if !exists(superuser, name)? => Err(error.into()),
        _ => Ok(()),
    }
}

/// Closes the database `name`, to which `superuser` is connected, to everyone but our two roles:
/// the owner keeps an owner's rights, the service may connect and see the schema `public`, no more.
pub(super) fn close_to_public(superuser: &mut PgConnection, name: &str) -> Result<()> {
    ensure_plain(name)?;
    let service = DatabaseRole::Service.name();
    superuser.batch_execute(&format!(
        "REVOKE ALL ON DATABASE {name} FROM PUBLIC;
         REVOKE ALL ON SCHEMA public FROM PUBLIC;
         GRANT CONNECT ON DATABASE {name} TO {service};
         GRANT USAGE ON SCHEMA public TO {service};"
    ))?;
    Ok(())
}

fn exists(superuser: &mut PgConnection, database: &str) -> Result<bool> {
    let rows = sql_query("SELECT FROM pg_database WHERE datname = $1")
        .bind::<Text, _>(database)
        .execute(superuser)?;
    Ok(rows > 0)
}

/// A name that needs no quotes: `[a-z][a-z0-9_]*`. It stands in the text of a command.
fn ensure_plain(name: &str) -> Result<()> {
    let is_plain = name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    ensure!(is_plain, "{name:?} can't name a database: use a-z, 0-9 and _, a letter first");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_name_needs_no_quotes() {
        for name in ["souche", "test_12", "s"] {
            ensure_plain(name).unwrap();
        }
        for name in ["", "Souche", "1st", "a-b", "a\"; DROP DATABASE b", &"x".repeat(64)] {
            assert!(ensure_plain(name).is_err(), "{name}");
        }
    }
}
