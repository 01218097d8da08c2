//! The rules that may never break, attacked by direct SQL as the service's role: whatever the code does,
//! the database refuses (ARCHITECTURE.md, rules marked D). Every attack says which constraint must stop it, and
//! stands beside a lawful neighbour that is taken, so that it can't fail for another reason.

mod accounts;
mod append_only;
mod flags;
mod hand_overs;
mod incidents;
mod makers;
mod names;
mod once_per_cycle;
mod payouts;
mod samples;
mod tenants;
mod transfers;
mod workshops;
