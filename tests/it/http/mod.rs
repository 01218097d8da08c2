//! The API over real HTTP.

mod access;
mod access_page;
mod accounts;
mod authorization;
mod bad_input;
mod batches;
mod canaries;
mod changes;
mod contract;
mod counter;
mod evidence;
mod flags;
mod log;
mod path;
mod patience;
mod receipts;
mod region;
mod samples;
mod second_factors;
mod sessions;
mod standing;
mod statements;
mod tenancy;
mod tokens;
mod verifier;
mod workshops;
