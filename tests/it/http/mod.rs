//! The API over real HTTP.

mod bad_input;
mod batches;
mod contract;
mod counter;
mod evidence;
mod flags;
mod log;
mod path;
mod receipts;
mod region;
mod tenancy;
mod verifier;
mod workshops;
