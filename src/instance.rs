//! An instance: where its data lies, its keys, its database — its own private PostgreSQL when no
//! other is named.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::db::{self, Clock, Db};
use crate::keys::Keys;
use crate::postgres::{DatabaseRole, Durability, Server};
use crate::signer::Signer;

/// Name of the database in the embedded PostgreSQL.
const DATABASE: &str = "souche";
/// Connections of the pool: handlers wait on PostgreSQL, which has no use for more than this on a small server.
const CONNECTIONS: u32 = 16;

/// Where an instance lies.
#[derive(Args, Clone, Debug)]
pub struct Place {
    /// Directory of the keys, the demo accounts and the embedded PostgreSQL
    #[arg(long, env = "SOUCHE_DATA", default_value = "/var/tmp/souche", value_name = "DIR")]
    pub data: PathBuf,
    /// Connection string of the service's role, which owns nothing; without it, an embedded PostgreSQL is started
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Connection string of the role that owns the schema and brings it up to date
    #[arg(long, env = "SOUCHE_OWNER_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub owner_database_url: Option<String>,
    /// Key file; in the data directory when left out
    #[arg(long, env = "SOUCHE_KEYS", value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// Socket of the signer of logs (`souche signer`); without it, one in this process, in the data directory
    #[arg(long, env = "SOUCHE_SIGNER", value_name = "SOCKET")]
    pub signer: Option<PathBuf>,
    /// Rely on a database that can lose what it has confirmed: for tests
    #[arg(long, env = "SOUCHE_ACCEPT_DATA_LOSS", hide = true)]
    pub accept_data_loss: bool,
}

/// An instance at work. The embedded PostgreSQL stops with it.
pub struct Instance {
    /// Its database, as the role that owns nothing.
    pub db: Db,
    /// Its keys.
    pub keys: Keys,
    /// Who signs the heads of its logs.
    pub signer: Signer,
    /// Where its files lie.
    pub data: PathBuf,
    _server: Option<Server>,
}

impl Place {
    /// Opens the instance: makes what is missing, brings the schema up to date when it may.
    pub fn open(&self, clock: Clock) -> anyhow::Result<Instance> {
        DirBuilder::new().recursive(true).mode(0o755).create(&self.data).with_context(|| {
            format!(
                "the data directory {} can't be made; choose another with --data",
                self.data.display()
            )
        })?;
        let data = fs::canonicalize(&self.data)?;
        let keys = match &self.keys {
            Some(file) => Keys::load(file)?,
            None => Keys::load_or_generate(&data.join("keys.json"))?,
        };
        let signer = match &self.signer {
            Some(socket) => Signer::Behind(socket.clone()),
            None => Signer::here(&data.join("signer"))?,
        };
        let (url, server) = self.database(&data)?;
        if let Clock::System = clock {
            db::ensure_clock(&url, clock.now())?;
        }
        let db = Db::new(&url, CONNECTIONS, clock).signing_as(keys.receipt_kid());
        Ok(Instance { db, keys, signer, data, _server: server })
    }

    fn database(&self, data: &std::path::Path) -> anyhow::Result<(String, Option<Server>)> {
        if let Some(url) = &self.database_url {
            if let Some(owner_url) = &self.owner_database_url {
                db::migrate(owner_url)?;
            }
            db::ensure_current(url)?;
            db::ensure_least_privilege(url)?;
            if !self.accept_data_loss {
                db::ensure_durable(url)?;
            }
            return Ok((url.clone(), None));
        }
        let server = Server::start(&data.join("postgres"), Durability::Durable)?;
        server.ensure_database(DATABASE)?;
        db::migrate(&server.url(DatabaseRole::Owner, DATABASE))?;
        let url = server.url(DatabaseRole::Service, DATABASE);
        db::ensure_least_privilege(&url)?;
        Ok((url, Some(server)))
    }
}
