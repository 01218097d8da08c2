//! `souche users first`: the first account of an instance, from which all others come.

use std::io::Read;

use clap::Subcommand;

use crate::app::access;
use crate::db::{Clock, Scope};
use crate::domain::text::{Email, Line, Password};
use crate::instance::Place;

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Users {
    /// Open the first account of an instance, its administrator; the password is read from standard input
    First {
        /// Mail address
        #[arg(long)]
        email: String,
        /// Name shown
        #[arg(long)]
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

impl Users {
    /// Runs it.
    pub fn run(self) -> anyhow::Result<()> {
        let Self::First { email, name, place } = self;
        let email = Email::try_from(email).map_err(anyhow::Error::msg)?;
        let name = Line::try_from(name).map_err(anyhow::Error::msg)?;
        let mut typed = String::new();
        std::io::stdin().take(1024).read_to_string(&mut typed)?;
        let password = Password::try_from(typed.trim_end_matches(['\r', '\n']).to_owned())
            .map_err(anyhow::Error::msg)?;
        let instance = place.open(Clock::System)?;
        instance.db.transact_blocking(Scope::Nobody, |tx| {
            access::first_admin(tx, &email, &name, &password)
        })?;
        super::say(&format!("Compte ouvert : {}", email.as_str()))
    }
}
