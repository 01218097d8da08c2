//! `souche users`: what is done about accounts on the machine itself.

use std::io::Read;

use clap::Subcommand;

use crate::app::access;
use crate::db::{Clock, Scope, users};
use crate::domain::Refusal;
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
    /// Print the one-time code that a secret makes now: for the accounts of the demonstration
    Code {
        /// The secret, in base 32
        secret: String,
    },
    /// Take a person's second factor away, who has lost device and recovery codes; it enrols another at its next sign-in
    TakeFactor {
        /// Mail address
        #[arg(long)]
        email: String,
        #[command(flatten)]
        place: Place,
    },
}

impl Users {
    /// Runs it.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::First { email, name, place } => first(email, name, &place),
            Self::Code { secret } => super::say(&access::code_at(&secret, Clock::System.now())?),
            Self::TakeFactor { email, place } => take_factor(email, &place),
        }
    }
}

fn first(email: String, name: String, place: &Place) -> anyhow::Result<()> {
    let email = Email::try_from(email).map_err(anyhow::Error::msg)?;
    let name = Line::try_from(name).map_err(anyhow::Error::msg)?;
    let mut typed = String::new();
    std::io::stdin().take(1024).read_to_string(&mut typed)?;
    let password = Password::try_from(typed.trim_end_matches(['\r', '\n']).to_owned())
        .map_err(anyhow::Error::msg)?;
    let instance = place.open(Clock::System)?;
    instance
        .db
        .transact_blocking(Scope::Nobody, |tx| access::first_admin(tx, &email, &name, &password))?;
    super::say(&format!("Compte ouvert : {}", email.as_str()))
}

fn take_factor(email: String, place: &Place) -> anyhow::Result<()> {
    let email = Email::try_from(email).map_err(anyhow::Error::msg)?;
    let instance = place.open(Clock::System)?;
    instance.db.transact_blocking(Scope::Nobody, |tx| {
        let known = users::by_email(tx, &email)?.ok_or(Refusal::not_found("user"))?;
        access::take_away(tx, &instance.keys, known.id)
    })?;
    super::say(&format!("Second facteur retiré : {}", email.as_str()))
}
