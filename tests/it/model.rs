//! Random days in a small region, held against a model that fits on this page. What the service answers and
//! what the model expects are the same, and `verify` holds after every sequence.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use souche::domain::seeded::Seeded;
use souche::domain::{BusinessDate, RedemptionId};

use crate::support::region::{Counter, Region};
use crate::support::{World, refusal};

/// Sequences, and commands in each.
const SEQUENCES: u64 = 6;
const COMMANDS: u32 = 100;

/// Where a pass is, and what its site is owed for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    InStock,
    Held,
    Used { at: usize, on: BusinessDate, settled: bool },
}

/// The world in the model: passes by number, how many times each was used, passes by person.
struct Model {
    passes: BTreeMap<i32, (Pass, i16)>,
    received: BTreeMap<&'static str, i32>,
    /// Sites that a settlement can pay.
    payable: [bool; 3],
    /// Incidents of each site that no settlement has deducted.
    to_deduct: [i64; 3],
    /// Passes that settlements paid, less those that they deducted.
    settled: i64,
}

const PEOPLE: [&str; 4] = ["Jeanne", "Paul", "Ana", "Bea"];

impl Model {
    /// As the fresh scene leaves it: see `support/scene.rs`.
    fn fresh() -> Self {
        let passes =
            (1..=45).map(|pass| (pass, (if pass <= 20 { Pass::Held } else { Pass::InStock }, 0)));
        Self {
            passes: passes.collect(),
            received: [("Jeanne", 10), ("Paul", 10)].into(),
            payable: [true, true, false],
            to_deduct: [0; 3],
            settled: 0,
        }
    }

    fn hands_over(&mut self, booklet: i32, person: &'static str) -> &'static str {
        let first = 10 * (booklet - 1) + 1;
        let size = if booklet == 5 { 5 } else { 10 };
        let received = self.received.entry(person).or_default();
        if self.passes[&first].0 != Pass::InStock {
            return "booklet_not_held";
        }
        if *received + size > 10 {
            return "entitlement_used";
        }
        *received += size;
        for pass in first..first + size {
            self.passes.insert(pass, (Pass::Held, 0));
        }
        "done"
    }

    fn redeems(&mut self, pass: i32, at: usize, on: BusinessDate) -> &'static str {
        let (state, cycle) = self.passes[&pass];
        match state {
            Pass::InStock => "unknown_pass",
            Pass::Used { .. } => "already_redeemed",
            Pass::Held => {
                self.passes.insert(pass, (Pass::Used { at, on, settled: false }, cycle + 1));
                "done"
            }
        }
    }

    fn voids(&mut self, pass: i32, by: usize) -> &'static str {
        let (state, cycle) = self.passes[&pass];
        match state {
            _ if cycle == 0 => "not_found",
            Pass::Used { at, .. } if at != by => "not_found",
            Pass::Used { settled: true, .. } => "already_settled",
            Pass::Used { .. } => {
                self.passes.insert(pass, (Pass::Held, cycle));
                "done"
            }
            // Whose it was is no longer in the model: any site but its own is told that there is none.
            Pass::InStock | Pass::Held => "already_voided",
        }
    }

    fn records_incident(&mut self, pass: i32) -> &'static str {
        let (state, cycle) = self.passes[&pass];
        match state {
            _ if cycle == 0 => "not_found",
            Pass::Used { at, settled: true, .. } => {
                self.passes.insert(pass, (Pass::Held, cycle));
                self.to_deduct[at] += 1;
                "done"
            }
            Pass::Used { .. } => "not_settled",
            Pass::InStock | Pass::Held => "already_voided",
        }
    }

    fn settles(&mut self, until: BusinessDate) -> &'static str {
        let mut told = "nothing_to_pay";
        for site in 0..3 {
            let mut due: Vec<&mut bool> = self
                .passes
                .values_mut()
                .filter_map(|(state, _)| match state {
                    Pass::Used { at, on, settled } if *at == site && *on <= until && !*settled => {
                        Some(settled)
                    }
                    _ => None,
                })
                .collect();
            let net = i64::try_from(due.len()).unwrap() - self.to_deduct[site];
            if self.payable[site] && net > 0 {
                for settled in &mut due {
                    **settled = true;
                }
                self.settled += net;
                self.to_deduct[site] = 0;
                told = "done";
            }
        }
        told
    }

    /// Held, used, owed, settled and to be deducted, in passes.
    fn sums(&self) -> [i64; 5] {
        let count = |wanted: &dyn Fn(Pass) -> bool| {
            i64::try_from(self.passes.values().filter(|(pass, _)| wanted(*pass)).count()).unwrap()
        };
        [
            count(&|pass| pass == Pass::Held),
            count(&|pass| matches!(pass, Pass::Used { .. })),
            count(&|pass| matches!(pass, Pass::Used { settled: false, .. })),
            self.settled,
            self.to_deduct.iter().sum(),
        ]
    }
}

fn shown<T>(result: souche::error::Result<T>) -> &'static str {
    if result.is_ok() { "done" } else { refusal(result) }
}

/// One command, to the service and to the model: what each told.
fn command(
    seeded: &mut Seeded,
    region: &Region,
    model: &mut Model,
) -> (String, &'static str, &'static str) {
    let sites: [&Counter; 3] = [&region.fourmies, &region.avesnes, &region.hirson];
    let pass = i32::try_from(seeded.index(30)).unwrap() + 1;
    let at = seeded.index(3);
    match seeded.below(20) {
        0..=1 => {
            let (booklet, person) =
                (i32::try_from(seeded.index(3)).unwrap() + 3, *seeded.pick(&PEOPLE).unwrap());
            let told = shown(region.hands_over(booklet, person));
            // Nothing odd happens here, or it would be held: see `flags.rs`.
            region.clock_is(region.now() + TimeDelta::minutes(15));
            let expected = model.hands_over(booklet, person);
            (format!("hand over {booklet} to {person}"), told, expected)
        }
        2..=10 => {
            let told =
                region.redeems(sites[at], pass).map_or_else(|refusal| refusal.code(), |_| "done");
            (format!("redeem {pass} at {at}"), told, model.redeems(pass, at, region.today()))
        }
        11..=12 => {
            let cycle = model.passes[&pass].1.max(1);
            let of = RedemptionId { pass: pass.to_string().parse().unwrap(), cycle };
            (
                format!("incident on {pass}"),
                shown(region.records_incident(of)),
                model.records_incident(pass),
            )
        }
        13..=15 => {
            let (state, cycle) = model.passes[&pass];
            // A pass that was voided is voided again by whom the service remembers; the model does not.
            if state == Pass::Held && cycle > 0 {
                return (
                    format!("check {pass}"),
                    region.checks(sites[at], region.code(pass)).map_or("refused", |_| "done"),
                    "done",
                );
            }
            let told = shown(region.voids(
                sites[at],
                RedemptionId { pass: pass.to_string().parse().unwrap(), cycle: cycle.max(1) },
            ));
            (format!("void {pass} by {at}"), told, model.voids(pass, at))
        }
        16..=18 => {
            let yesterday = region.today().minus_days(1);
            (
                format!("settle until {yesterday}"),
                shown(region.prepares(yesterday)),
                model.settles(yesterday),
            )
        }
        _ => {
            region.clock_is(region.now() + TimeDelta::hours(24));
            ("a day passes".into(), "done", "done")
        }
    }
}

#[test]
fn the_service_and_a_model_of_it_tell_the_same_story() {
    for seed in 1..=SEQUENCES {
        let world = World::new();
        let region = &world.region;
        let (mut seeded, mut model) = (Seeded::new(seed), Model::fresh());
        let mut story = Vec::new();
        for _ in 0..COMMANDS {
            let (what, told, expected) = command(&mut seeded, region, &mut model);
            story.push(format!("{what}: {told}"));
            assert_eq!(
                told,
                expected,
                "seed {seed}, the model expected {expected}:\n{}",
                story.join("\n")
            );
        }
        region.books_hold();
        let done = story.iter().filter(|line| line.ends_with("done")).count();
        assert!(done > 15, "seed {seed} does too little to tell anything: {done}");
        let legs = region.does(|tx| souche::app::report::three_way(tx, &region.auditor)).unwrap();
        let [held, used, owed, settled, to_deduct] = model.sums();
        assert_eq!(
            [legs.redeemed_cents, legs.waiting_cents, legs.items_cents, legs.to_deduct_cents],
            [used, owed, settled, to_deduct].map(|n| 1_000 * n),
            "seed {seed}"
        );
        let in_circulation =
            world.service().value("SELECT count(*) FROM passes WHERE state = 'distributed'");
        assert_eq!(in_circulation, held.to_string(), "seed {seed}");
    }
}
