//! `souche signer`: the signer of logs, as a process of its own.

use std::path::PathBuf;

use clap::Args;

use crate::signer::{Local, serve};

/// The command.
#[derive(Args, Debug)]
pub struct SignerCommand {
    /// Unix socket to answer on: who may write to it may ask for signatures
    #[arg(long, value_name = "SOCKET")]
    listen: PathBuf,
    /// Directory of its key and of what it last signed; made when missing, and never restored from a backup
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
}

impl SignerCommand {
    /// Answers until the process is told to stop.
    pub fn run(self) -> anyhow::Result<()> {
        let signer = Local::open(&self.state)?;
        serve(&signer, &self.listen, || {
            let _ = super::say(&format!("Le signataire répond sur {}", self.listen.display()));
        })
    }
}
