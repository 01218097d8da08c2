//! Fraud flags (fr: signalement): what looks odd, from when on, and how it is told. A flag accuses nobody: it
//! holds the payout of its own passes until a person has looked. A workshop of ten people in a morning is normal
//! work, and none of these rules sees it.

use chrono::{TimeDelta, Timelike};
use chrono_tz::Europe::Paris;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use super::date::{BusinessDate, Timestamp, in_paris};
use super::id::{BookletId, HandOverId};

/// A whole booklet in less: nobody receives five services, let alone ten, in a minute.
pub const AT_ONCE: TimeDelta = TimeDelta::seconds(60);
/// A first use sooner after the hand-over: a pass is taken when a service is given, and even where prescriber
/// and site share a roof, that takes longer.
pub const SOON_MINUTES: i32 = 10;
/// From this hour on, and until that one, no place of mediation is open; clocks are those of Paris.
pub const NIGHT_BEGINS_HOUR: i32 = 22;
/// See [`NIGHT_BEGINS_HOUR`].
pub const NIGHT_ENDS_HOUR: i32 = 6;
/// Passes of a night at one site: one or two are an evening that ran late.
pub const NIGHT_FLOOR: i64 = 3;
/// Passes of one prescriber at one site in a month: fewer are a few workshops of one partner.
pub const ONE_PRESCRIBER_FLOOR: i64 = 50;
/// Of all passes used at that site in the month, how many in a hundred.
pub const ONE_PRESCRIBER_PERCENT: i64 = 80;
/// A prescriber and a site once found in order are left alone for so long: neighbours stay neighbours.
pub const ANSWERED_FOR: TimeDelta = TimeDelta::days(90);

/// What was seen.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FlagKind {
    /// A whole booklet used within a minute at one site.
    WholeBookletAtOnce,
    /// First use within minutes of the hand-over.
    UsedSoonAfterHandOver,
    /// More passes in a day than the site declares it can take.
    BeyondCapacity,
    /// Most of a site's passes of a month come from one prescriber.
    OnePrescriberFeedsOneSite,
    /// Uses at night.
    NightHours,
}

/// What a person decided.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// In order: payable from the next settlement on.
    Released,
    /// Not in order: not paid. The site can void these redemptions.
    Upheld,
}

/// Passes that a site declares it can take in a day, 1 to 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "i32", into = "i32")]
#[schema(value_type = i32, minimum = 1, maximum = 10000)]
pub struct DailyCapacity(i32);

impl DailyCapacity {
    /// How many.
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl TryFrom<i32> for DailyCapacity {
    type Error = String;

    fn try_from(passes: i32) -> Result<Self, String> {
        if (1..=10_000).contains(&passes) {
            Ok(Self(passes))
        } else {
            Err("un nombre de pass par jour, de 1 à 10 000, est attendu".into())
        }
    }
}

impl From<DailyCapacity> for i32 {
    fn from(capacity: DailyCapacity) -> i32 {
        capacity.0
    }
}

/// What the redemptions at one site show, of one kind. Undone ones are left out; paid ones are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says itself: how many passes, of what, from when to when")]
pub enum Facts {
    Booklet {
        booklet: BookletId,
        size: i64,
        passes: i64,
        first_at: Timestamp,
        last_at: Timestamp,
    },
    /// `passes` were used within [`SOON_MINUTES`], the first at `first_at`.
    HandOver {
        hand_over: HandOverId,
        handed_at: Timestamp,
        passes: i64,
        first_at: Timestamp,
    },
    Day {
        day: BusinessDate,
        passes: i64,
        capacity: i64,
    },
    /// In the month that begins on `month`.
    Prescriber {
        name: String,
        month: BusinessDate,
        passes: i64,
        of_all: i64,
    },
    Night {
        passes: i64,
        first_at: Timestamp,
        last_at: Timestamp,
    },
}

impl Facts {
    /// The kind of flag that they would raise.
    pub const fn kind(&self) -> FlagKind {
        match self {
            Self::Booklet { .. } => FlagKind::WholeBookletAtOnce,
            Self::HandOver { .. } => FlagKind::UsedSoonAfterHandOver,
            Self::Day { .. } => FlagKind::BeyondCapacity,
            Self::Prescriber { .. } => FlagKind::OnePrescriberFeedsOneSite,
            Self::Night { .. } => FlagKind::NightHours,
        }
    }

    /// Do they raise it?
    pub fn are_odd(&self) -> bool {
        match *self {
            Self::Booklet { size, passes, first_at, last_at, .. } => {
                passes >= size && last_at.signed_duration_since(first_at) <= AT_ONCE
            }
            Self::HandOver { handed_at, passes, first_at, .. } => {
                let soon = TimeDelta::minutes(SOON_MINUTES.into());
                passes > 0 && first_at.signed_duration_since(handed_at) < soon
            }
            Self::Day { passes, capacity, .. } => passes > capacity,
            Self::Prescriber { passes, of_all, .. } => {
                passes >= ONE_PRESCRIBER_FLOOR
                    && passes.saturating_mul(100) >= of_all.saturating_mul(ONE_PRESCRIBER_PERCENT)
            }
            Self::Night { passes, first_at, last_at } => {
                passes >= NIGHT_FLOOR && is_night(first_at) && is_night(last_at)
            }
        }
    }

    /// In French, for the site and for whoever decides: what was seen, and from when on it is told.
    pub fn explained(&self) -> String {
        match self {
            Self::Booklet { booklet, passes, first_at, .. } => format!(
                "Les {passes} pass du carnet {booklet} ont été utilisés ici en {} secondes au plus, le {}.",
                AT_ONCE.num_seconds(),
                in_paris(*first_at)
            ),
            Self::HandOver { hand_over, handed_at, passes, first_at } => format!(
                "{passes} pass de la remise {hand_over}, faite le {}, utilisés ici dans les {SOON_MINUTES} minutes : le premier le {}.",
                in_paris(*handed_at),
                in_paris(*first_at)
            ),
            Self::Day { day, passes, capacity } => format!(
                "{passes} pass ont été utilisés ici le {day} ; le lieu déclare pouvoir en recevoir {capacity} par jour. Sont retenus ceux d'au-delà."
            ),
            Self::Prescriber { name, month, passes, of_all } => format!(
                "{passes} des {of_all} pass utilisés ici depuis le {month}, sur un mois, viennent d'un seul prescripteur, {name}. On le signale à partir de {ONE_PRESCRIBER_FLOOR} pass et de {ONE_PRESCRIBER_PERCENT} %."
            ),
            Self::Night { passes, first_at, last_at } => format!(
                "{passes} pass ont été utilisés ici entre {NIGHT_BEGINS_HOUR} h et {NIGHT_ENDS_HOUR} h : du {} au {}.",
                in_paris(*first_at),
                in_paris(*last_at)
            ),
        }
    }
}

fn is_night(at: Timestamp) -> bool {
    let hour = i32::try_from(at.with_timezone(&Paris).hour()).unwrap_or(0);
    !(NIGHT_ENDS_HOUR..NIGHT_BEGINS_HOUR).contains(&hour)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::date::parse_instant;

    fn at(text: &str) -> Timestamp {
        parse_instant(text).unwrap()
    }

    fn day(text: &str) -> BusinessDate {
        BusinessDate::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_whole_booklet_within_a_minute_is_odd_and_nine_of_ten_are_a_workshop() {
        let booklet = |passes, last: &str| Facts::Booklet {
            booklet: BookletId::new(1),
            size: 10,
            passes,
            first_at: at("2026-03-02T09:00:00Z"),
            last_at: at(last),
        };
        for (passes, last, odd) in [
            (10, "2026-03-02T09:00:00Z", true),
            (10, "2026-03-02T09:01:00Z", true),
            (10, "2026-03-02T09:01:01Z", false),
            (9, "2026-03-02T09:00:00Z", false),
        ] {
            assert_eq!(booklet(passes, last).are_odd(), odd, "{passes} until {last}");
        }
    }

    #[test]
    fn a_use_within_ten_minutes_of_the_hand_over_is_odd() {
        for (first, odd) in [
            ("2026-03-02T09:00:00Z", true),
            ("2026-03-02T09:09:59.999999Z", true),
            ("2026-03-02T09:10:00Z", false),
        ] {
            let facts = Facts::HandOver {
                hand_over: HandOverId::new(1),
                handed_at: at("2026-03-02T09:00:00Z"),
                passes: 1,
                first_at: at(first),
            };
            assert_eq!(facts.are_odd(), odd, "{first}");
        }
    }

    #[test]
    fn a_day_is_odd_beyond_what_the_site_declares() {
        for (passes, odd) in [(20, false), (21, true)] {
            let facts = Facts::Day { day: day("2026-03-02"), passes, capacity: 20 };
            assert_eq!(facts.are_odd(), odd, "{passes}");
        }
    }

    #[test]
    fn most_of_a_site_s_passes_from_one_prescriber_are_odd_when_they_are_many() {
        for (passes, of_all, odd) in
            [(49, 49, false), (50, 50, true), (50, 62, true), (50, 63, false), (80, 100, true)]
        {
            let name = "Mission locale".to_owned();
            let facts = Facts::Prescriber { name, month: day("2026-03-01"), passes, of_all };
            assert_eq!(facts.are_odd(), odd, "{passes} of {of_all}");
        }
    }

    #[test]
    fn a_night_goes_from_22_to_6_on_a_clock_in_paris() {
        let night = |passes, first: &str, last: &str| Facts::Night {
            passes,
            first_at: at(first),
            last_at: at(last),
        };
        for (first, last, odd) in [
            // Winter: an hour ahead of UTC.
            ("2026-03-02T20:59:59Z", "2026-03-02T20:59:59Z", false),
            ("2026-03-02T21:00:00Z", "2026-03-03T04:59:59Z", true),
            ("2026-03-02T21:00:00Z", "2026-03-03T05:00:00Z", false),
            // Summer: two.
            ("2026-07-01T19:59:59Z", "2026-07-01T19:59:59Z", false),
            ("2026-07-01T20:00:00Z", "2026-07-02T03:59:59Z", true),
            ("2026-07-01T20:00:00Z", "2026-07-02T04:00:00Z", false),
            // The nights when clocks change, of seven hours and of nine.
            ("2026-03-28T21:00:00Z", "2026-03-29T03:59:59Z", true),
            ("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z", false),
            ("2026-10-24T20:00:00Z", "2026-10-25T04:59:59Z", true),
            ("2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z", false),
        ] {
            assert_eq!(night(3, first, last).are_odd(), odd, "{first} to {last}");
        }
        let late = "2026-03-02T22:00:00Z";
        assert!(!night(2, late, late).are_odd(), "an evening that ran late");
    }

    #[test]
    fn every_kind_explains_itself_in_french() {
        let (first_at, last_at) = (at("2026-03-02T22:00:00Z"), at("2026-03-02T22:05:00Z"));
        let told: Vec<String> = [
            Facts::Booklet { booklet: BookletId::new(7), size: 5, passes: 5, first_at, last_at },
            Facts::HandOver {
                hand_over: HandOverId::new(7),
                handed_at: first_at,
                passes: 1,
                first_at: last_at,
            },
            Facts::Day { day: day("2026-03-02"), passes: 21, capacity: 20 },
            Facts::Prescriber {
                name: "Mission locale".into(),
                month: day("2026-03-01"),
                passes: 60,
                of_all: 61,
            },
            Facts::Night { passes: 3, first_at, last_at },
        ]
        .iter()
        .map(Facts::explained)
        .collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
