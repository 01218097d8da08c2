//! `souche escrow`: the day's encrypted copy of every programme, for a timer; and the options by which `souche serve` does
//! the same by itself.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::app::evidence::Escrow;
use crate::db::Clock;
use crate::envelope::Recipient;
use crate::instance::Place;

/// Where copies go, and to whom they are encrypted.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "the names of the options")]
pub struct EscrowOptions {
    /// Directory of the encrypted copies, `CODE-2026-12-31.souche.age`: best of somebody else's
    #[arg(long, env = "SOUCHE_ESCROW_DIR", value_name = "DIR", requires = "escrow_to")]
    pub escrow_dir: Option<PathBuf>,
    /// The age public key (`age1…`) that they are encrypted to; repeated, or with commas, to several
    #[arg(long, env = "SOUCHE_ESCROW_TO", value_name = "AGE", value_delimiter = ',')]
    pub escrow_to: Vec<Recipient>,
    /// How many copies of each programme stay
    #[arg(long, env = "SOUCHE_ESCROW_KEEP", value_name = "N", default_value_t = 30)]
    pub escrow_keep: usize,
}

impl EscrowOptions {
    /// What was asked for, if anything was.
    pub fn read(&self) -> anyhow::Result<Option<Escrow>> {
        let dir = self.escrow_dir.clone();
        dir.map(|dir| Escrow::new(dir, self.escrow_to.clone(), self.escrow_keep)).transpose()
    }
}

/// The command.
#[derive(Args, Debug)]
pub struct EscrowCommand {
    #[command(flatten)]
    escrow: EscrowOptions,
    #[command(flatten)]
    place: Place,
}

impl EscrowCommand {
    /// Writes what is missing; fails when one copy could not be written.
    pub fn run(self) -> anyhow::Result<()> {
        let escrow = self.escrow.read()?.context("le dépôt manque : --escrow-dir DIR")?;
        let instance = self.place.open(Clock::System)?;
        let written = escrow.copy_all(&instance.db, &instance.keys)?;
        for path in &written {
            super::say(&format!("{} est écrit.", path.display()))?;
        }
        super::say(&format!("{} copies écrites ; celles du jour sont toutes là.", written.len()))
    }
}
