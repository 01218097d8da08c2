//! What the tests stand on: one PostgreSQL, a database per test, and a small world of people who use
//! the service.

pub mod api;
pub mod at_once;
pub mod audits;
pub mod cluster;
mod control;
pub mod database;
mod evidence;
mod founding;
pub mod logs;
pub mod moving;
pub mod processes;
pub mod region;
mod scene;
pub mod signing;
pub mod sql;
pub mod tools;
pub mod world;

use souche::app::redemption::Outcome;
use souche::domain::service::Service;
use souche::domain::text::Line;
use souche::domain::{
    BusinessDate, PassNumber, RedemptionId, Refusal, SiteId, Timestamp, WorkshopId,
};
use souche::error::{Error, Result};

pub use world::World;

/// An instant, as `2026-03-02T08:00:00Z`.
pub fn instant(text: &str) -> Timestamp {
    souche::domain::date::parse_instant(text).unwrap()
}

/// A day in Paris, as `2026-03-02`.
pub fn day(text: &str) -> BusinessDate {
    BusinessDate::try_from(text.to_owned()).unwrap()
}

/// A line of text.
pub fn line(text: &str) -> Line {
    Line::try_from(text.to_owned()).unwrap()
}

/// A spent pass, as it was answered.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names of the answer")]
pub struct Redeemed {
    pub id: RedemptionId,
    pub pass: PassNumber,
    pub site: SiteId,
    pub service: Service,
    pub workshop: Option<WorkshopId>,
    pub redeemed_at: Timestamp,
    pub receipt: String,
}

/// What a redemption came to.
pub fn told(outcome: Outcome) -> Result<Redeemed, Refusal> {
    let read = |done| serde_json::from_value(serde_json::to_value(done).unwrap()).unwrap();
    outcome.map(read)
}

/// The code of the refusal that was met; anything else stops the test.
#[track_caller]
pub fn refusal<T>(result: Result<T>) -> &'static str {
    match result {
        Err(Error::Refused(refusal)) => refusal.code(),
        Err(error) => panic!("neither done nor refused: {error:?}"),
        Ok(_) => panic!("it was done, not refused"),
    }
}
