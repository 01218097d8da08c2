//! The API over real HTTP.

mod access;
mod authorization;
mod bad_input;
mod batches;
mod canaries;
mod contract;
mod counter;
mod evidence;
mod flags;
mod log;
mod path;
mod receipts;
mod region;
mod tenancy;
mod tokens;
mod verifier;
mod workshops;
