//! Redemptions over HTTP: token verified, distinct real passes, every rule and receipt on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::ensure;
use clap::Args;
use serde_json::json;

use super::counter::Counter;
use super::world::World;
use super::{load, median, yardstick};
use crate::domain::PassNumber;

/// Connections at once, each measured in every round.
const CONNECTIONS: [usize; 3] = [16, 64, 256];

/// The command.
#[derive(Args, Debug)]
pub struct Redeem {
    /// Passes in people's hands when it begins
    #[arg(long, default_value_t = 1_500_000, value_name = "N")]
    passes: i32,
    /// Rounds, each of the yardstick and of every number of connections
    #[arg(long, default_value_t = 5, value_name = "N")]
    rounds: usize,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 5, value_name = "S")]
    seconds: u64,
    /// Two short rounds, in less than a minute
    #[arg(long)]
    quick: bool,
    /// Print one line of JSON, last
    #[arg(long)]
    json: bool,
}

impl Redeem {
    /// Fills, measures, checks, prints.
    pub fn run(self) -> anyhow::Result<()> {
        let (passes, rounds, seconds) =
            if self.quick { (200_000, 2, 2) } else { (self.passes, self.rounds, self.seconds) };
        let mut world = World::new()?;
        yardstick::prepare(&world.server)?;
        world.fill(passes)?;
        let counter = Counter::open(&world)?;
        let address = counter.address;
        let head = format!(
            "POST /api/v1/redemptions HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n",
            world.mediator_token()?
        );
        let order = shuffled(passes);
        let taken = AtomicUsize::new(0);
        let next = || {
            order
                .get(taken.fetch_add(1, Ordering::Relaxed))
                .map(|pass| request(&world, &head, *pass))
        };
        let (mut tpcb, mut measured, mut acknowledged) =
            (Vec::new(), BTreeMap::<usize, (Vec<f64>, Vec<f64>)>::new(), 0_usize);
        for round in 1..=rounds {
            let tps = yardstick::tpcb(&world.server, seconds)?;
            super::super::say(&format!("round {round}: TPC-B, {tps:.0}/s"))?;
            tpcb.push(tps);
            for connections in CONNECTIONS {
                let load = load::run(address, connections, seconds, &next)?;
                acknowledged = acknowledged.saturating_add(load.acknowledged);
                let (rates, p99s) = measured.entry(connections).or_default();
                rates.push(load.per_second);
                p99s.push(load.p99_ms);
                super::super::say(&format!(
                    "round {round}: {connections} connections, {:.0}/s, p99 {:.1} ms",
                    load.per_second, load.p99_ms
                ))?;
            }
        }
        let stored = world.stored()?;
        ensure!(
            usize::try_from(stored) == Ok(acknowledged),
            "{acknowledged} redemptions were acknowledged, {stored} are stored"
        );
        report(self.json, median(tpcb), measured, acknowledged, stored)
    }
}

/// Every pass once, in no order that a disk would like: multiples of a number without common factors.
pub(super) fn shuffled(passes: i32) -> Vec<PassNumber> {
    let n = i64::from(passes);
    (0..n)
        .filter_map(|i| i32::try_from(i.wrapping_mul(7_919_993).rem_euclid(n)).ok())
        .map(|i| PassNumber::new(i.saturating_add(1)))
        .collect()
}

pub(super) fn request(world: &World, head: &str, pass: PassNumber) -> Vec<u8> {
    let job = usize::try_from(pass.get().saturating_sub(1) / 1_000_000).unwrap_or(0);
    let code = world.jobs.get(job).map(|job| job.code(pass)).unwrap_or_default();
    let body = format!("{{\"code\":\"{code}\",\"service\":\"everyday_tools\"}}");
    format!("{head}Idempotency-Key: bench-{pass}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

fn report(
    as_json: bool,
    tpcb: f64,
    measured: BTreeMap<usize, (Vec<f64>, Vec<f64>)>,
    acknowledged: usize,
    stored: i64,
) -> anyhow::Result<()> {
    let mut line =
        json!({ "tpcb_tps": tpcb.round(), "acknowledged": acknowledged, "stored": stored });
    super::super::say(&format!(
        "{:>12} {:>10} {:>8} {:>9}",
        "", "per second", "÷ TPC-B", "p99 ms"
    ))?;
    super::super::say(&format!("{:>12} {tpcb:>10.0} {:>8.2} {:>9}", "TPC-B", 1.0, ""))?;
    for (connections, (rates, p99s)) in measured {
        let (rate, p99) = (median(rates), median(p99s));
        let ratio = rate / tpcb;
        super::super::say(&format!(
            "{:>12} {rate:>10.0} {ratio:>8.2} {p99:>9.1}",
            format!("c{connections}")
        ))?;
        let figures = json!({ "tps": rate.round(), "ratio": (ratio * 100.0).round() / 100.0, "p99_ms": (p99 * 10.0).round() / 10.0 });
        if let Some(fields) = line.as_object_mut() {
            fields.insert(format!("c{connections}"), figures);
        }
    }
    if as_json { super::super::say(&line.to_string()) } else { Ok(()) }
}
