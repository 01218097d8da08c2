//! When the story takes place: forty whole weeks that end just before today, so that the machine's clock
//! can take over from the test clock, and so that the same seed tells the same story on any day.

use chrono::{Datelike, TimeDelta};

use crate::domain::{BusinessDate, Timestamp};

/// Length of the story: nine months.
pub const WEEKS: u32 = 40;
/// The last working day of the story, a Friday.
pub const LAST_DAY: u32 = WEEKS * 7 - 3;

/// A minute of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct When {
    /// Days since the first one, a Monday.
    pub day: u32,
    /// Minutes since midnight in Paris.
    pub minute: u32,
}

impl When {
    /// That day, at that time of the clock.
    pub const fn at(day: u32, hour: u32, minute: u32) -> Self {
        Self { day, minute: hour.saturating_mul(60).saturating_add(minute) }
    }
}

/// That day, or the Monday after a week-end. Public holidays are working days here: they would make
/// the story depend on the year.
pub const fn working(day: u32) -> u32 {
    match day % 7 {
        5 => day.saturating_add(2),
        6 => day.saturating_add(1),
        _ => day,
    }
}

/// The Sunday that ends the first so many weeks.
pub const fn sunday_after(weeks: u32) -> u32 {
    weeks.saturating_mul(7).saturating_sub(1)
}

/// The days of the story, as dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    first_monday: BusinessDate,
}

impl Calendar {
    /// The story that ends on the last Sunday before `today`.
    pub fn ending_before(today: BusinessDate) -> Self {
        let since_monday = u64::from(today.get().weekday().num_days_from_monday());
        Self { first_monday: today.minus_days(since_monday).minus_days(u64::from(WEEKS * 7)) }
    }

    /// Where a test clock stands when the story begins.
    pub fn start(self) -> Timestamp {
        self.instant(When::at(0, 8, 0))
    }

    /// The date of a day of the story.
    pub fn date(self, day: u32) -> BusinessDate {
        self.first_monday.plus_days(day.into())
    }

    /// The instant of a minute of the story. Clocks change on Sundays, when nothing happens here, so
    /// minutes can be counted from midnight.
    pub fn instant(self, when: When) -> Timestamp {
        let midnight = self.date(when.day).start();
        midnight.checked_add_signed(TimeDelta::minutes(when.minute.into())).unwrap_or(midnight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::date::in_paris;

    fn date(text: &str) -> BusinessDate {
        BusinessDate::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn the_story_ends_on_the_sunday_before_today_whatever_the_day() {
        for (today, last) in [
            ("2026-11-16", "2026-11-15"),
            ("2026-11-20", "2026-11-15"),
            ("2026-11-22", "2026-11-15"),
            ("2026-11-23", "2026-11-22"),
        ] {
            let calendar = Calendar::ending_before(date(today));
            assert_eq!(calendar.date(sunday_after(WEEKS)), date(last), "{today}");
            assert_eq!(calendar.date(0).get().weekday(), chrono::Weekday::Mon);
            assert_eq!(calendar.date(LAST_DAY).get().weekday(), chrono::Weekday::Fri);
        }
    }

    #[test]
    fn ten_in_the_morning_is_ten_in_paris_before_and_after_clocks_change() {
        let calendar = Calendar::ending_before(date("2026-11-22"));
        for day in (0..WEEKS * 7).map(working) {
            assert!(
                in_paris(calendar.instant(When::at(day, 10, 0))).ends_with("à 10 h 00"),
                "day {day}"
            );
        }
    }
}
