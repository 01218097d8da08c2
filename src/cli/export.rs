//! `souche export`: what leaves the instance, as files.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::app::evidence;
use crate::db::{Clock, Scope};
use crate::envelope::Recipient;
use crate::instance::Place;

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Export {
    /// All the evidence of a programme in one file, for `souche verify FILE` and `souche import`
    Bundle(Bundle),
}

/// The command.
#[derive(Args, Debug)]
pub struct Bundle {
    /// Code of the programme
    #[arg(long, value_name = "CODE")]
    programme: String,
    /// Where to; refuses to replace a file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Adds who the beneficiaries are, encrypted to that age key (`age1…`); repeated, to several. Left out, they stay here
    #[arg(long, value_name = "AGE")]
    identities_to: Vec<Recipient>,
    #[command(flatten)]
    place: Place,
}

impl Export {
    /// Runs it.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Bundle(command) => command.run(),
        }
    }
}

impl Bundle {
    fn run(self) -> anyhow::Result<()> {
        let instance = self.place.open(Clock::System)?;
        let programmes = super::verify::find(&instance.db, Some(&self.programme))?;
        let (programme, _) = programmes.first().context("aucun dispositif ne porte ce code")?;
        let shown = self.out.display();
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.out)
            .with_context(|| format!("{shown} existe déjà, ou ne peut être écrit"))?;
        let mut out = BufWriter::new(file);
        // Its trace first: a file without one must not be.
        let scope = Scope::Programme(*programme);
        let with_identities = !self.identities_to.is_empty();
        instance.db.transact_blocking(scope, |tx| evidence::note_export(tx, with_identities))?;
        let manifest = instance.db.snapshot_blocking(scope, |tx| {
            evidence::write(tx, &instance.keys, &mut out, &self.identities_to)
        })?;
        out.flush()?;
        out.get_ref().sync_all()?;
        let entries = manifest.counts.get("entry").copied().unwrap_or_default();
        super::say(&format!(
            "{entries} écritures dans {shown}. SHA-256 des lignes avant la dernière : {}. Clé : {}.",
            manifest.sha256, manifest.kid
        ))
    }
}
