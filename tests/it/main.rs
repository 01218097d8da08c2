//! Everything that is tested on a real PostgreSQL, as one binary: one link, one server, a database per
//! test. One file per behaviour; test names are sentences.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that can't go on must stop, and says where"
)]

mod support;

mod bundle;
mod claim;
mod clocks;
mod concurrency;
mod crash;
mod demo;
mod digest;
mod flags;
mod http;
mod incidents;
mod late_races;
mod life;
mod log;
mod lost_answers;
mod migrations;
mod model;
mod moving;
mod receipts;
mod redemption;
mod rules;
mod safe_start;
mod samples;
mod settlement;
mod sites;
mod statements;
mod storm;
mod tamper;
mod tidy;
mod verify;
