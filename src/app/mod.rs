//! What people do here: one use case per verb, grouped in rooms. The only place where things happen
//! in an order. Each says first who may, then reads, decides, writes and records.
//!
//! What a use case is asked is the JSON body of its operation, already made of domain types: past the
//! door it can't be malformed, only refused.

pub mod access;
pub mod api_key;
pub mod audit;
pub mod bank_account;
pub mod delivery;
pub mod evidence;
pub mod flag;
pub mod hand_over;
pub mod identity;
pub mod incident;
pub mod log;
pub mod mail;
mod once;
pub mod order;
pub mod programme;
pub mod receipt;
pub mod redemption;
pub mod report;
pub mod sample;
pub mod settlement;
pub mod site;
pub mod workshop;

pub use once::{Outcome, RequestKey, once};

use crate::domain::PassNumber;

/// Puts booklets' passes together into ranges as long as they can be: first pass and count of each.
fn ranges(booklets: &[crate::db::booklets::Booklet]) -> Vec<(PassNumber, i32)> {
    let mut ranges: Vec<(PassNumber, i32)> = Vec::new();
    for booklet in booklets {
        let size = i32::from(booklet.size);
        match ranges.last_mut() {
            Some((first, count)) if first.plus(*count) == booklet.first_pass => {
                *count = count.saturating_add(size);
            }
            _ => ranges.push((booklet.first_pass, size)),
        }
    }
    ranges
}
