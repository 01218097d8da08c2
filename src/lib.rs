//! Souche keeps the stub of every pass numérique, so that anyone entitled to ask can be shown
//! where each pass is, was, and why. `ARCHITECTURE.md` is the map.

pub mod app;
pub mod cli;
pub mod db;
pub mod domain;
pub mod envelope;
pub mod error;
pub mod export;
pub mod http;
pub mod instance;
pub mod keys;
pub mod ledger;
pub mod postgres;
pub mod print;
pub mod signer;
