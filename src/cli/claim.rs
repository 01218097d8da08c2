//! `souche claim`: what a site is owed, proven from its own receipts; no database, no service.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use crate::domain::SiteId;
use crate::domain::money::Cents;
use crate::domain::note::{Note, Verifier};
use crate::ledger::claim::{self, For, Sum};

/// The command.
#[derive(Args, Debug)]
pub struct Claim {
    /// The site's receipts (`GET /api/v1/sites/{site}/claim-file`)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Number of the site
    #[arg(long, value_name = "NUMBER")]
    site: String,
    /// The last checkpoint of the public log that was published
    #[arg(long, value_name = "NOTE")]
    checkpoint: PathBuf,
    /// A public key of the log, as it was written down (vkey); repeated, after a change of keys
    #[arg(long = "key", value_name = "VKEY", required = true)]
    keys: Vec<String>,
}

impl Claim {
    /// Prints each receipt that counts, then the sums; fails when one had to be refused.
    pub fn run(self) -> anyhow::Result<()> {
        let site: SiteId = self.site.parse().map_err(anyhow::Error::msg)?;
        let keys = self.keys.iter().map(|key| key.parse().map_err(anyhow::Error::msg));
        let keys: Vec<Verifier> = keys.collect::<anyhow::Result<_>>()?;
        let note = fs::read_to_string(&self.checkpoint)
            .with_context(|| format!("{} est illisible", self.checkpoint.display()))?;
        let note: Note = note.parse().map_err(anyhow::Error::msg)?;
        let file = File::open(&self.file)
            .with_context(|| format!("{} est illisible", self.file.display()))?;
        let claim =
            claim::claim(BufReader::new(file), site, &keys, &note).map_err(anyhow::Error::msg)?;
        for counted in &claim.counted {
            let cents = match counted.what {
                For::Redeemed => counted.sum.cents,
                For::Undone | For::Paid => counted.sum.cents.saturating_neg(),
            };
            super::say(&format!(
                "  feuille {}, {} : {}",
                counted.position,
                counted.name,
                Cents(cents)
            ))?;
        }
        for (name, why) in &claim.refused {
            super::say(&format!("  refusé : {name} : {why}"))?;
        }
        say("utilisés", claim.sum(For::Redeemed))?;
        say("annulés", claim.sum(For::Undone))?;
        say("payés", claim.sum(For::Paid))?;
        say("dus", claim.owed())?;
        if !claim.refused.is_empty() {
            bail!("{} récépissés ne sont pas comptés", claim.refused.len());
        }
        Ok(())
    }
}

fn say(what: &str, sum: Sum) -> anyhow::Result<()> {
    super::say(&format!("{what} : {} pass, {}", sum.passes, Cents(sum.cents)))
}
