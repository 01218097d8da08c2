//! `souche migrate`: the schema, brought up to date.

use anyhow::Context;
use clap::Args;

use crate::db::{self, Clock};
use crate::instance::Place;

/// The command.
#[derive(Args, Debug)]
pub struct Migrate {
    #[command(flatten)]
    place: Place,
}

impl Migrate {
    /// Migrates the database that is named, or the embedded one.
    pub fn run(self) -> anyhow::Result<()> {
        if self.place.database_url.is_none() && self.place.owner_database_url.is_none() {
            // Opening the embedded one brings it up to date.
            self.place.open(Clock::System)?;
            return super::say("Le schéma est à jour.");
        }
        let url = self
            .place
            .owner_database_url
            .context("give the owner's connection string as SOUCHE_OWNER_DATABASE_URL")?;
        for migration in db::migrate(&url)? {
            super::say(&migration)?;
        }
        super::say("Le schéma est à jour.")
    }
}
