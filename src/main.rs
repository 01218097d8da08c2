//! The `souche` command.

use std::process::ExitCode;

use clap::Parser;
use souche::cli::Cli;

fn main() -> ExitCode {
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("SOUCHE_LOG").unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the last word of a command that failed")]
            {
                eprintln!("souche : {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
