//! The schema, carried in the binary, brought up by the role that owns it.

use anyhow::{Context, bail};
use diesel::connection::Connection;
use diesel::migration::MigrationSource;
use diesel::pg::{Pg, PgConnection};
use diesel::sql_types::{Bool, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

fn connect(url: &str) -> anyhow::Result<PgConnection> {
    PgConnection::establish(url).context("the database does not answer")
}

/// Brings the schema up to date, as the owner's role. Says which migrations were run.
pub fn migrate(owner_url: &str) -> anyhow::Result<Vec<String>> {
    let mut conn = connect(owner_url)?;
    let done = conn.run_pending_migrations(MIGRATIONS).map_err(anyhow::Error::from_boxed)?;
    let done = done.iter().map(ToString::to_string).collect();
    sql_query("GRANT SELECT ON __diesel_schema_migrations TO souche_service").execute(&mut conn)?;
    Ok(done)
}

/// Takes every migration back, down to an empty schema.
pub fn revert_all(owner_url: &str) -> anyhow::Result<()> {
    connect(owner_url)?.revert_all_migrations(MIGRATIONS).map_err(anyhow::Error::from_boxed)?;
    Ok(())
}

/// Refuses a schema that is not the one this binary was built with. May be asked as the service's role.
pub fn ensure_current(url: &str) -> anyhow::Result<()> {
    #[derive(QueryableByName)]
    struct Applied {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let applied: Vec<Applied> = sql_query("SELECT version FROM __diesel_schema_migrations ORDER BY version")
        .load(&mut connect(url)?)
        .context("the database has no schema of ours: run `souche migrate` with the owner's connection first")?;
    let ours = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(anyhow::Error::from_boxed)?;
    let ours: Vec<String> =
        ours.iter().map(|migration| migration.name().version().to_string()).collect();
    if applied.iter().map(|applied| &applied.version).eq(&ours) {
        return Ok(());
    }
    let theirs = applied.last().map_or("none", |applied| &applied.version);
    let needed = ours.last().map_or("none", String::as_str);
    if theirs > needed {
        bail!(
            "the schema is at version {theirs}, made by a later release; this binary needs {needed}: start the later release, \
             or bring back the backup that was taken before it"
        );
    }
    bail!(
        "the schema is at version {theirs}, this binary needs {needed}: run `souche migrate` of the same release with the \
         owner's connection"
    )
}

#[derive(QueryableByName)]
struct Privileges {
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Bool)]
    is_powerful: bool,
    #[diesel(sql_type = Bool)]
    owns: bool,
}

/// Refuses to work as a role that the database's rules do not bind: a superuser, one that bypasses row-level
/// security, or an owner of tables (ARCHITECTURE.md, rule 3).
pub fn ensure_least_privilege(service_url: &str) -> anyhow::Result<()> {
    let found: Privileges = sql_query(
        "SELECT rolname::text AS role, rolsuper OR rolbypassrls AS is_powerful,
                EXISTS (SELECT FROM pg_class c WHERE pg_has_role(current_user, c.relowner, 'MEMBER') AND c.relnamespace = 'public'::regnamespace) AS owns
         FROM pg_roles WHERE rolname = current_user",
    )
    .get_result(&mut connect(service_url)?)?;
    if found.is_powerful || found.owns {
        bail!(
            "the role {} may do more than the service may: connect as souche_service, which owns nothing, and give the owner's \
             connection as SOUCHE_OWNER_DATABASE_URL",
            found.role
        );
    }
    Ok(())
}
