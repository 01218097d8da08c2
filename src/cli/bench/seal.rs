//! Sealing: the root of logs of two sizes, a region's journal sealed and verified, and what a sealer at work
//! costs the counters, in rounds taken in turn.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::ensure;
use clap::Args;
use serde_json::json;

use super::counter::Counter;
use super::redeem::{request, shuffled};
use super::world::World;
use super::{load, median};
use crate::db::Scope;
use crate::domain::PassNumber;
use crate::domain::merkle::{Frontier, Hash};
use crate::keys::{hex, random};
use crate::ledger::sealer::{self, Sealer};
use crate::ledger::verify_log;
use crate::signer::Signer;

/// The receipts of a region's passes; and ten million.
const SIZES: [u64; 2] = [66_100, 10_000_000];
/// Connections at once.
const CONNECTIONS: usize = 64;

/// The command.
#[derive(Args, Debug)]
pub struct Seal {
    /// Passes in people's hands when it begins
    #[arg(long, default_value_t = 1_200_000, value_name = "N")]
    passes: i32,
    /// Rounds, each with and without a sealer
    #[arg(long, default_value_t = 5, value_name = "N")]
    rounds: usize,
    /// Seconds of each measurement; several seals fall into it
    #[arg(long, default_value_t = 6, value_name = "S")]
    seconds: u64,
    /// Print one line of JSON, last
    #[arg(long)]
    json: bool,
}

/// What the counters did, and what sealing all of it came to.
struct Measured {
    without: f64,
    with: f64,
    ratio: f64,
    sealed: u64,
    seal_seconds: f64,
    verify_seconds: f64,
}

impl Seal {
    /// Measures and prints.
    pub fn run(self) -> anyhow::Result<()> {
        let [region, long] = SIZES.map(root_seconds);
        super::super::say(&format!("root over {} receipts: {region:.3} s", SIZES[0]))?;
        super::super::say(&format!("root over {} receipts: {long:.1} s", SIZES[1]))?;
        let measured = self.counters()?;
        super::super::say(&format!(
            "redemptions: {:.0}/s without a sealer, {:.0}/s with one: {:.2}",
            measured.without, measured.with, measured.ratio
        ))?;
        super::super::say(&format!(
            "the last {} receipts sealed and signed in {:.2} s, the whole log verified in {:.2} s",
            measured.sealed, measured.seal_seconds, measured.verify_seconds
        ))?;
        let rounded = |value: f64, to: f64| (value * to).round() / to;
        let line = json!({
            "root_66100_s": rounded(region, 1_000.0), "root_10m_s": rounded(long, 10.0),
            "tps_without": measured.without.round(), "tps_with": measured.with.round(),
            "ratio": rounded(measured.ratio, 100.0), "sealed": measured.sealed,
            "seal_s": rounded(measured.seal_seconds, 100.0), "verify_s": rounded(measured.verify_seconds, 100.0),
        });
        if self.json { super::super::say(&line.to_string()) } else { Ok(()) }
    }

    fn counters(&self) -> anyhow::Result<Measured> {
        let mut world = World::new()?;
        world.fill(self.passes)?;
        let state = Dir::new()?;
        let signer = Signer::here(&state.0)?;
        let counter = Counter::open(&world)?;
        let address = counter.address;
        let head = format!(
            "POST /api/v1/redemptions HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n",
            world.mediator_token()?
        );
        let (order, taken) = (shuffled(self.passes), AtomicUsize::new(0));
        let next = || {
            let pass: &PassNumber = order.get(taken.fetch_add(1, Ordering::Relaxed))?;
            Some(request(&world, &head, *pass))
        };
        let (mut without, mut with, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for round in 1..=self.rounds {
            // Sealed before each, so that the sealer has no more to do than what the round brings.
            sealer::seal_all(&world.db, &signer)?;
            let alone = load::run(address, CONNECTIONS, self.seconds, &next)?.per_second;
            sealer::seal_all(&world.db, &signer)?;
            let at_work = Sealer::start(world.db.clone(), signer.clone())?;
            let sealed = load::run(address, CONNECTIONS, self.seconds, &next)?.per_second;
            drop(at_work);
            super::super::say(&format!(
                "round {round}: {alone:.0}/s, {sealed:.0}/s with a sealer"
            ))?;
            without.push(alone);
            with.push(sealed);
            ratios.push(sealed / alone);
        }
        load::run(address, CONNECTIONS, self.seconds, &next)?;
        let (sealed, seal_seconds, verify_seconds) = seal_and_verify(&world, &signer)?;
        let (without, with, ratio) = (median(without), median(with), median(ratios));
        Ok(Measured { without, with, ratio, sealed, seal_seconds, verify_seconds })
    }
}

/// What waits is sealed and signed, then the whole log verified: how many, and how long each took.
fn seal_and_verify(world: &World, signer: &Signer) -> anyhow::Result<(u64, f64, f64)> {
    let scope = Scope::Programme(world.programme);
    let before = world.db.transact_blocking(scope, crate::db::leaves::size)?;
    let began = Instant::now();
    let after = sealer::seal_and_sign(&world.db, world.programme, signer)?;
    let sealing = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let checks = world.db.transact_blocking(scope, verify_log::verify)?;
    let broken: Vec<_> = checks.iter().filter(|check| !check.holds).collect();
    ensure!(broken.is_empty(), "the log does not hold: {broken:?}");
    Ok((after.saturating_sub(before), sealing, began.elapsed().as_secs_f64()))
}

/// Hashes so many receipts of a usual length, each another, up to the root.
fn root_seconds(size: u64) -> f64 {
    let mut receipt = vec![b'r'; 500];
    let began = Instant::now();
    let mut frontier = Frontier::new();
    for n in 0..size {
        if let Some(number) = receipt.first_chunk_mut() {
            *number = n.to_be_bytes();
        }
        frontier.append(Hash::of_leaf(&receipt), |_, _| ());
    }
    std::hint::black_box(frontier.root());
    began.elapsed().as_secs_f64()
}

/// The signer's directory, for as long as the benchmark runs.
struct Dir(PathBuf);

impl Dir {
    fn new() -> anyhow::Result<Self> {
        Ok(Self(std::env::temp_dir().join(format!("souche-bench-{}", hex(&random::<4>()?)))))
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
