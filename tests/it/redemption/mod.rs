//! At the counter: what is refused, in which words and order; what an idempotency key promises; what a batch
//! does to its members.

mod batches;
mod brake;
mod dates;
mod keys;
mod limits;
mod overtaken;
mod refusals;
mod voids;
mod workshops;
