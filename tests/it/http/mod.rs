//! The API over real HTTP.

mod access;
mod authorization;
mod bad_input;
mod batches;
mod canaries;
mod contract;
mod counter;
mod flags;
mod log;
mod path;
mod region;
mod tenancy;
mod tokens;
mod workshops;
