//! Instants are UTC, business dates are days in Paris, and one can't be taken for the other.

use std::fmt;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Europe::Paris;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An instant, in UTC, to the microsecond (what PostgreSQL keeps).
pub type Timestamp = DateTime<Utc>;

/// A day on a calendar in Paris, from 2000 to 2199.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = Date, example = "2026-12-31")]
pub struct BusinessDate(NaiveDate);

impl BusinessDate {
    /// The day in Paris at that instant.
    pub fn of(instant: Timestamp) -> Self {
        Self(instant.with_timezone(&Paris).date_naive())
    }

    /// Wraps a date that was read from the database.
    pub const fn new(date: NaiveDate) -> Self {
        Self(date)
    }

    /// The calendar date, for files and papers.
    pub const fn get(self) -> NaiveDate {
        self.0
    }

    /// The first instant of the day in Paris.
    pub fn start(self) -> Timestamp {
        // Midnight exists and is unique in Paris: its clocks change at two or three in the morning.
        Paris.from_local_datetime(&self.0.and_time(NaiveTime::MIN)).earliest().map_or_else(
            || self.0.and_time(NaiveTime::MIN).and_utc(),
            |local| local.with_timezone(&Utc),
        )
    }

    /// The first instant after the day: what is earlier still belongs to it.
    pub fn end(self) -> Timestamp {
        self.plus_days(1).start()
    }

    /// The date so many days later.
    #[must_use]
    pub fn plus_days(self, n: u64) -> Self {
        Self(self.0.checked_add_days(Days::new(n)).unwrap_or(self.0))
    }

    /// The date so many days earlier.
    #[must_use]
    pub fn minus_days(self, n: u64) -> Self {
        Self(self.0.checked_sub_days(Days::new(n)).unwrap_or(self.0))
    }

    /// Whole years from `birth` to this day, as the law counts them; 0 for a birth to come.
    pub fn years_since(self, birth: Self) -> u32 {
        self.0.years_since(birth.0).unwrap_or(0)
    }

    /// The same day so many months earlier, or the last of that month.
    #[must_use]
    pub fn minus_months(self, n: u32) -> Self {
        Self(self.0.checked_sub_months(chrono::Months::new(n)).unwrap_or(self.0))
    }
}

impl TryFrom<String> for BusinessDate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parsed =
            if text.len() == 10 { NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok() } else { None };
        match parsed {
            Some(date) if (1900..2200).contains(&date.year()) => Ok(Self(date)),
            _ => {
                Err("une date entre 1900-01-01 et 2199-12-31, écrite AAAA-MM-JJ, est attendue"
                    .into())
            }
        }
    }
}

impl From<BusinessDate> for String {
    fn from(date: BusinessDate) -> String {
        date.0.to_string()
    }
}

impl fmt::Display for BusinessDate {
    /// As people in France write it: `31/12/2026`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format("%d/%m/%Y").fmt(f)
    }
}

/// An instant as people in France read it, on a clock in Paris: `31/12/2026 à 23 h 59`.
pub fn in_paris(instant: Timestamp) -> String {
    instant.with_timezone(&Paris).format("%d/%m/%Y à %H h %M").to_string()
}

/// The same, to the second: `31/12/2026 à 23:59:59`.
pub fn in_paris_to_the_second(instant: Timestamp) -> String {
    instant.with_timezone(&Paris).format("%d/%m/%Y à %H:%M:%S").to_string()
}

/// Reads a date as of which something is told: an instant, or a day, which is told as of its last microsecond in Paris.
pub fn parse_as_of(text: &str) -> Result<Timestamp, String> {
    let day = BusinessDate::try_from(text.to_owned()).ok();
    let end = day.and_then(|day| day.end().checked_sub_signed(TimeDelta::microseconds(1)));
    end.map_or_else(|| parse_instant(text), Ok).map_err(|_| {
        "un jour (2026-12-31) ou un instant (2026-12-31T22:59:59Z) entre 2000 et 2199 est attendu".into()
    })
}

/// Reads an RFC 3339 instant between 2000 and 2199.
pub fn parse_instant(text: &str) -> Result<Timestamp, String> {
    let instant = DateTime::parse_from_rfc3339(text).ok().map(|local| local.with_timezone(&Utc));
    instant.filter(|at| (2000..2200).contains(&at.year())).ok_or_else(|| {
        "un instant entre 2000 et 2199 est attendu, écrit comme 2026-12-31T22:59:59Z".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> BusinessDate {
        BusinessDate::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn the_last_second_of_the_year_in_paris_is_still_this_year() {
        let last = parse_instant("2026-12-31T22:59:59Z").unwrap();
        let first = parse_instant("2026-12-31T23:00:00Z").unwrap();
        assert_eq!(BusinessDate::of(last), date("2026-12-31"));
        assert_eq!(BusinessDate::of(first), date("2027-01-01"));
        assert_eq!(date("2026-12-31").end(), first);
    }

    #[test]
    fn a_day_is_told_as_of_its_end() {
        let end = parse_as_of("2026-12-31").unwrap();
        assert_eq!(end, parse_instant("2026-12-31T22:59:59.999999Z").unwrap());
        assert_eq!(parse_as_of("2026-12-31T22:59:59Z"), parse_instant("2026-12-31T22:59:59Z"));
        for odd in ["", "1999-12-31T00:00:00Z", "31/12/2026", "2026-13-01"] {
            assert!(parse_as_of(odd).is_err(), "{odd} was taken");
        }
    }

    #[test]
    fn the_nights_when_clocks_change_last_23_and_25_hours() {
        let hours = |day: &str| (date(day).end() - date(day).start()).num_hours();
        assert_eq!((hours("2026-03-29"), hours("2026-10-25"), hours("2026-06-01")), (23, 25, 24));
    }

    #[test]
    fn far_or_odd_dates_are_refused() {
        for text in ["0001-01-01", "9999-12-31", "2026-2-3", "2026-02-30", "+02026-01-01", ""] {
            assert!(BusinessDate::try_from(text.to_owned()).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_person_is_sixty_on_the_birthday_and_not_the_day_before() {
        let birth = date("1966-11-22");
        assert_eq!(date("2026-11-21").years_since(birth), 59);
        assert_eq!(date("2026-11-22").years_since(birth), 60);
    }
}
