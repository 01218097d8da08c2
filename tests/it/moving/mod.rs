//! A programme moves to another instance: the same history there, and service goes on.

mod commands;
mod escrow;
mod identities;
mod import;
mod service;
mod two_logs;
