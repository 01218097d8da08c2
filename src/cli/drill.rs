//! `souche drill`: would that copy do? It is restored into a database of its own, which nobody else sees and nothing is left
//! of; every rule and every site's claim is held against it.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::bail;
use clap::Args;

use crate::app::evidence::{Ask, Held, hold_claims, import};
use crate::db::{self, Clock, Db, Scope};
use crate::domain::money::Cents;
use crate::envelope::Opened;
use crate::keys::{Keys, hex, random};
use crate::ledger::{sealer, verify};
use crate::postgres::{DatabaseRole, Durability, Server};
use crate::signer::Signer;

/// Name of the database.
const DATABASE: &str = "drill";
/// Connections: one thing is done at a time.
const CONNECTIONS: u32 = 2;

/// The command.
#[derive(Args, Debug)]
pub struct Drill {
    /// The copy, encrypted or not
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// When it is encrypted: the file of the age private key that opens it
    #[arg(long, value_name = "KEYFILE")]
    identity: Option<PathBuf>,
    /// A public key of the log that was kept elsewhere (vkey); repeated, after a change of keys
    #[arg(id = "vkey", long = "key", value_name = "VKEY")]
    keys: Vec<String>,
    /// A checkpoint of the log that was kept elsewhere: the copy must hold all that it covers
    #[arg(long, value_name = "NOTE")]
    checkpoint: Option<PathBuf>,
}

/// The directory of a drill, gone with it.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be removed is in the temporary directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Drill {
    /// Prints what was found; fails unless all of it holds.
    pub fn run(self) -> anyhow::Result<()> {
        let trusted = super::verify::trusted(&self.keys, self.checkpoint.as_deref())?;
        let begun = Instant::now();
        let mut file = Opened::open(&self.file, self.identity.as_deref())?;
        let verdict = super::verify::verify_file(&mut file, &trusted)?;
        told("Dossier vérifié", begun)?;
        if !verdict.holds() {
            bail!("ce dossier ne tient pas : il n'est pas restauré");
        }
        let scratch =
            Scratch(std::env::temp_dir().join(format!("souche-drill-{}", hex(&random::<8>()?))));
        let begun = Instant::now();
        let server = Server::start(&scratch.0, Durability::Throwaway)?;
        server.ensure_database(DATABASE)?;
        db::migrate(&server.url(DatabaseRole::Owner, DATABASE))?;
        told("Base d'essai prête", begun)?;

        // Keys of its own: what the copy proves, it proves without the operator's.
        let keys = Keys::generate()?;
        let url = server.url(DatabaseRole::Service, DATABASE);
        let db = Db::new(&url, CONNECTIONS, Clock::System).signing_as(keys.receipt_kid());
        let begun = Instant::now();
        let (imported, _) = db.transact_blocking(Scope::Nobody, |tx| {
            import(tx, &keys, &mut file, &verdict, &Ask::default())
        })?;
        told(&format!("{} restauré", verdict.programme), begun)?;

        let scope = Scope::Programme(imported.programme);
        let begun = Instant::now();
        let checks = db.snapshot_blocking(scope, verify::verify)?;
        let broken = checks.iter().filter(|check| !check.holds);
        let broken = broken.map(super::verify::say_check).collect::<anyhow::Result<Vec<_>>>()?;
        let held = checks.len().saturating_sub(broken.len());
        told(
            &format!("{held} règles sur {} tiennent dans la base restaurée", checks.len()),
            begun,
        )?;

        let begun = Instant::now();
        let signer = Signer::here(&scratch.0.join("signer"))?;
        sealer::seal_and_sign(&db, imported.programme, &signer)?;
        let sites = db.snapshot_blocking(scope, |tx| hold_claims(tx, &keys, imported.programme))?;
        let is_true = say_sites(&sites)?;
        told(&format!("Réclamations de {} lieux recalculées", sites.len()), begun)?;
        if !broken.is_empty() || !is_true {
            bail!("cette copie ne suffirait pas");
        }
        super::say(
            "Cette copie suffit : le dispositif reprendrait ailleurs, et chaque lieu y prouve ce qui lui est dû.",
        )
    }
}

/// A step, and how long it took.
fn told(what: &str, begun: Instant) -> anyhow::Result<()> {
    let ms = begun.elapsed().as_millis();
    super::say(&format!("{what} en {ms} ms."))
}

/// Says what is owed in all, and every site where receipts and books differ; is there none?
fn say_sites(sites: &[Held]) -> anyhow::Result<bool> {
    let sum = |of: fn(&Held) -> i64| Cents(sites.iter().map(of).fold(0, i64::saturating_add));
    let (claimed, booked) = (sum(|it| it.claimed), sum(|it| it.booked));
    let off: Vec<&Held> = sites.iter().filter(|site| !site.holds()).collect();
    for site in &off {
        super::say(&format!(
            "  ✗ lieu {} : {} d'après ses récépissés, {} d'après les livres",
            site.site,
            Cents(site.claimed),
            Cents(site.booked)
        ))?;
        for (name, why) in &site.refused {
            super::say(&format!("    {name} : {why}"))?;
        }
    }
    let difference = Cents(claimed.0.saturating_sub(booked.0));
    super::say(&format!(
        "Dû aux lieux : {claimed} d'après leurs récépissés, {booked} d'après les livres ; écart : {difference}."
    ))?;
    Ok(off.is_empty())
}
