//! The words and the rules: what a thing is, and what may be true of it. No I/O, no clock, no
//! randomness; instants and random bytes are handed in.

pub mod access;
pub mod account;
pub mod actor;
pub mod api_key;
pub mod bank;
pub mod code;
pub mod commune;
pub mod date;
pub mod eligibility;
pub mod entry;
pub mod fact;
pub mod fictitious;
pub mod flag;
pub mod folding;
pub mod id;
pub mod malformed;
pub mod membership;
pub mod merkle;
pub mod money;
pub mod note;
pub mod order;
pub mod pass;
pub mod person;
pub mod place;
pub mod programme;
pub mod refusal;
pub mod sample;
pub mod seeded;
pub mod service;
pub mod siret;
pub mod statement;
pub mod territory;
pub mod text;

pub use actor::{Action, Actor, Role};
pub use date::{BusinessDate, Timestamp};
pub use id::*;
pub use membership::Assignment;
pub use money::{Amount, Cents};
pub use refusal::Refusal;
