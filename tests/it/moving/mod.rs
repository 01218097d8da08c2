//! A programme moves to another instance: the same history there, and service goes on.

mod import;
mod service;
mod two_logs;
