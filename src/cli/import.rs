//! `souche import`: what comes in from another instance.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use crate::app::evidence::{self, Ask};
use crate::db::{Clock, Scope};
use crate::domain::text::Email;
use crate::envelope::{Identities, Opened};
use crate::instance::Place;
use crate::ledger::bundle;

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Import {
    /// A whole programme, from the file that `souche export bundle` wrote: it goes on here
    Bundle(Bundle),
}

/// The command.
#[derive(Args, Debug)]
pub struct Bundle {
    /// The file, in clear or encrypted
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Address of an account of this instance: it becomes the programme's administrator, and invites everybody else
    #[arg(long, value_name = "EMAIL")]
    admin: String,
    /// A public key of the log that was kept elsewhere (vkey); repeated, after a change of keys
    #[arg(id = "vkey", long = "key", value_name = "VKEY")]
    keys: Vec<String>,
    /// A checkpoint of the log that was kept elsewhere: the file must hold all that it covers
    #[arg(long, value_name = "NOTE")]
    checkpoint: Option<PathBuf>,
    /// When the file is encrypted: the file of the age private key that opens it
    #[arg(long, value_name = "KEYFILE")]
    identity: Option<PathBuf>,
    /// Take in who the beneficiaries are, encrypted in the file to the age key of that file
    #[arg(long, value_name = "KEYFILE")]
    identities_from: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

impl Import {
    /// Runs it.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Bundle(command) => command.run(),
        }
    }
}

impl Bundle {
    fn run(self) -> anyhow::Result<()> {
        let admin = Email::try_from(self.admin.clone()).map_err(anyhow::Error::msg)?;
        let trusted = super::verify::trusted(&self.keys, self.checkpoint.as_deref())?;
        let identities = self.identities_from.as_deref().map(Identities::read).transpose()?;
        let mut file = Opened::open(&self.file, self.identity.as_deref())?;
        let instance = self.place.open(Clock::System)?;
        let verdict = super::verify::verify_file(&mut file, &trusted)?;
        if !verdict.holds() {
            bail!("ce dossier ne tient pas : rien n'est importé");
        }
        let nobody = Scope::Nobody;
        instance
            .db
            .transact_blocking(nobody, |tx| bundle::ensure_absent(tx, &verdict.programme))?;
        let ask = Ask { admin: Some(admin), identities: identities.as_ref() };
        let (imported, known) = instance
            .db
            .transact_blocking(nobody, |tx| {
                evidence::import(tx, &instance.keys, &mut file, &verdict, &ask)
            })
            .context("rien n'est importé")?;
        let (entries, leaves) = verdict.entries;
        super::say(&format!(
            "{} est importé, sous le numéro {} : {entries} écritures, dont {leaves} dans le journal public ; {known} identités. \
             {} en est l'administrateur ; les autres personnes sont à inviter.",
            verdict.programme, imported.programme, self.admin
        ))
    }
}
