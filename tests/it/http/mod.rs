//! The API over real HTTP.

mod accounts;
mod bad_input;
mod batches;
mod contract;
mod counter;
mod flags;
mod log;
mod path;
mod region;
mod second_factors;
mod sessions;
mod tenancy;
mod workshops;
