//! Minting an order, against COPY of the same rows into the same table without any rule of ours.

use std::time::Instant;

use anyhow::Context;
use clap::Args;
use diesel::connection::{Connection, SimpleConnection};
use diesel::pg::PgConnection;
use serde_json::json;

use super::median;
use super::world::World;
use crate::app::order;
use crate::db::Scope;
use crate::domain::Role;
use crate::postgres::DatabaseRole;

/// The command.
#[derive(Args, Debug)]
pub struct Mint {
    /// Passes of an order
    #[arg(long, default_value_t = 66_100, value_name = "N")]
    passes: i32,
    /// Rounds, each of COPY and of minting
    #[arg(long, default_value_t = 5, value_name = "N")]
    rounds: usize,
    /// Print one line of JSON, last
    #[arg(long)]
    json: bool,
}

impl Mint {
    /// Measures and prints.
    pub fn run(self) -> anyhow::Result<()> {
        let world = World::new()?;
        let (mut copied, mut minted) = (Vec::new(), Vec::new());
        let mut raw = PgConnection::establish(&world.server.url(DatabaseRole::Superuser, "bench"))?;
        for round in 0..=self.rounds {
            let number = world.approved_order(self.passes)?;
            let began = Instant::now();
            let admin = world.actor(Role::OperatorAdmin);
            world.db.transact_blocking(Scope::Programme(world.programme), |tx| {
                order::mint(tx, &admin, &world.keys, number)
            })?;
            let mint = began.elapsed().as_secs_f64();
            let copy = copy(&mut raw, number.get())?;
            // The first round warms both.
            if round > 0 {
                minted.push(f64::from(self.passes) / mint);
                copied.push(f64::from(self.passes) / copy);
            }
        }
        let (mint, copy) = (median(minted), median(copied));
        super::super::say(&format!(
            "COPY {copy:.0} rows/s, mint {mint:.0} passes/s, ratio {:.2}",
            mint / copy
        ))?;
        if self.json {
            let ratio = (mint / copy * 100.0).round() / 100.0;
            super::super::say(&json!({ "copy_rows_per_s": copy.round(), "mint_passes_per_s": mint.round(), "ratio": ratio }).to_string())?;
        }
        Ok(())
    }
}

/// Seconds that COPY takes for the rows of an order's passes, into a table of the same columns, keys and foreign keys.
fn copy(raw: &mut PgConnection, order: i32) -> anyhow::Result<f64> {
    let file = "/tmp/souche-bench-passes";
    raw.batch_execute(&format!(
        "DROP TABLE IF EXISTS passes_copied;
         CREATE TABLE passes_copied (LIKE passes INCLUDING ALL);
         ALTER TABLE passes_copied ADD FOREIGN KEY (programme_id, booklet) REFERENCES booklets,
             ADD FOREIGN KEY (programme_id, order_number, funding) REFERENCES fundings (programme_id, order_number, number),
             ADD FOREIGN KEY (programme_id, booklet, hand_over) REFERENCES hand_overs (programme_id, booklet, number);
         COPY (SELECT * FROM passes WHERE order_number = {order}) TO '{file}' (FORMAT binary);"
    ))?;
    let began = Instant::now();
    raw.batch_execute(&format!("COPY passes_copied FROM '{file}' (FORMAT binary)"))
        .context("COPY")?;
    Ok(began.elapsed().as_secs_f64())
}
