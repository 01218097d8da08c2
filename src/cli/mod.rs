//! The command line: one file per command.

mod audit;
mod bench;
mod claim;
pub mod demo;
mod drill;
mod escrow;
mod export;
mod import;
mod keys;
mod migrate;
mod openapi;
mod serve;
mod signer;
mod sites;
mod users;
mod verify;

use clap::{Parser, Subcommand};

/// Le registre du pass numérique : où est chaque pass, ce qui est dû à chaque lieu, et la preuve des deux.
#[derive(Parser, Debug)]
#[command(name = "souche", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Play the Hauts-de-France deployment on a fresh instance, then serve it
    Demo(demo::Demo),
    /// Serve the API
    Serve(serve::Serve),
    /// Bring the schema up to date, as the role that owns it
    Migrate(migrate::Migrate),
    /// Hold every rule of the ledger against the journal; exits with 1 when one does not hold
    Verify(verify::Verify),
    /// What leaves the instance, as files
    #[command(subcommand)]
    Export(export::Export),
    /// Samples, custody and conservation from a bundle, with nothing else at hand
    #[command(subcommand)]
    Audit(audit::Audit),
    /// What comes in from another instance
    #[command(subcommand)]
    Import(import::Import),
    /// Write the day's encrypted copy of every programme, for somebody else to keep; `souche serve` does it each night when told
    Escrow(escrow::EscrowCommand),
    /// Would a copy do? Restore it into a throw-away database, hold every rule and every site's claim against it
    Drill(drill::Drill),
    /// What a site is owed, proven from its own receipts alone
    Claim(claim::Claim),
    /// Mediation places
    #[command(subcommand)]
    Sites(sites::Sites),
    /// Accounts of people
    #[command(subcommand)]
    Users(users::Users),
    /// The secrets of an instance
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Sign the logs' heads, apart from the service and its database
    Signer(signer::SignerCommand),
    /// How fast, against what PostgreSQL itself does in the same minutes
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Print the contract of the API, as openapi.yaml
    Openapi,
}

impl Cli {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Demo(command) => command.run(),
            Command::Serve(command) => command.run(),
            Command::Migrate(command) => command.run(),
            Command::Verify(command) => command.run(),
            Command::Export(command) => command.run(),
            Command::Audit(command) => command.run(),
            Command::Import(command) => command.run(),
            Command::Escrow(command) => command.run(),
            Command::Drill(command) => command.run(),
            Command::Claim(command) => command.run(),
            Command::Sites(command) => command.run(),
            Command::Users(command) => command.run(),
            Command::Keys(command) => command.run(),
            Command::Signer(command) => command.run(),
            Command::Bench(command) => command.run(),
            Command::Openapi => openapi::run(),
        }
    }
}

/// Writes a line on standard output.
fn say(line: &str) -> anyhow::Result<()> {
    use std::io::Write;
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(())
}
