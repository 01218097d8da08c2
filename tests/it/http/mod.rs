//! The API over real HTTP.

mod bad_input;
mod contract;
mod counter;
mod log;
mod path;
mod region;
mod tenancy;
