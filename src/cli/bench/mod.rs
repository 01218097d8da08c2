//! `souche bench`: how fast, against what PostgreSQL itself does in the same minutes. Machines are
//! noisy: what counts are ratios of medians, of rounds taken in turn.

#![expect(
    clippy::float_arithmetic,
    reason = "rates and ratios of a benchmark; no money is counted here"
)]
#![expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "counts far below 2^52 become rates"
)]

mod counter;
mod load;
mod mint;
mod redeem;
mod seal;
mod world;
mod yardstick;

use clap::Subcommand;

/// The benchmarks.
#[derive(Subcommand, Debug)]
pub enum Bench {
    /// Redemptions over HTTP, against pgbench's TPC-B with 32 clients
    Redeem(redeem::Redeem),
    /// Minting, against COPY of the same rows
    Mint(mint::Mint),
    /// Sealing: roots of long logs, and redemptions with and without a sealer at work
    Seal(seal::Seal),
}

impl Bench {
    /// Runs one.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Redeem(command) => command.run(),
            Self::Mint(command) => command.run(),
            Self::Seal(command) => command.run(),
        }
    }
}

/// The middle one; the lower of the two middle ones.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}
