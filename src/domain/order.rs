//! What an order asks for, and how its booklets and passes are numbered.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::date::BusinessDate;
use super::id::{BookletId, PassNumber};
use super::money::Amount;
use super::refusal::Refusal;

/// How many booklets of each size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Quantity {
    /// Booklets of ten passes, 0 to 100,000.
    #[schema(minimum = 0, maximum = 100_000)]
    pub booklets_of_10: i32,
    /// Booklets of five passes, 0 to 100,000.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 100_000)]
    pub booklets_of_5: i32,
}

/// The three dates of an order: none may come before the one above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dates {
    /// Last day on which a booklet may be handed over.
    pub last_hand_over_on: BusinessDate,
    /// Last day on which a pass may be redeemed.
    pub last_use_on: BusinessDate,
    /// Last day on which a site may present what it redeemed.
    pub last_presentation_on: BusinessDate,
}

impl Quantity {
    /// The most that one order may ask of each size: a million passes and a half is past any region.
    pub const MAX_BOOKLETS: i32 = 100_000;

    /// Within bounds, and something rather than nothing.
    pub fn ensure_sound(self) -> Result<(), Refusal> {
        for (field, n) in
            [("booklets_of_10", self.booklets_of_10), ("booklets_of_5", self.booklets_of_5)]
        {
            if !(0..=Self::MAX_BOOKLETS).contains(&n) {
                return Err(Refusal::invalid(
                    field,
                    "un nombre de carnets de 0 à 100 000 est attendu ; partagez au-delà",
                ));
            }
        }
        if self.booklets() == 0 {
            return Err(Refusal::invalid(
                "booklets_of_10",
                "commandez au moins un carnet, de 10 ou de 5",
            ));
        }
        Ok(())
    }

    /// Booklets of both sizes.
    pub const fn booklets(self) -> i32 {
        self.booklets_of_10.saturating_add(self.booklets_of_5)
    }

    /// Passes in all of them.
    pub const fn passes(self) -> i32 {
        self.booklets_of_10.saturating_mul(10).saturating_add(self.booklets_of_5.saturating_mul(5))
    }

    /// What they are worth at that face value.
    pub fn worth(self, face_value: Amount) -> Result<Amount, Refusal> {
        let too_much = || {
            Refusal::invalid(
                "booklets_of_10",
                "la commande dépasse le montant permis ; partagez-la",
            )
        };
        face_value.times(self.passes().into()).ok_or_else(too_much)
    }

    /// The booklets in the order of their numbers: those of ten first, passes without a gap.
    pub fn plan(
        self,
        first_booklet: BookletId,
        first_pass: PassNumber,
    ) -> impl Iterator<Item = PlannedBooklet> {
        let sizes =
            (0..self.booklets_of_10).map(|_| 10_i16).chain((0..self.booklets_of_5).map(|_| 5));
        sizes.scan((first_booklet, first_pass), |(booklet, pass), size| {
            let planned = PlannedBooklet { number: *booklet, first_pass: *pass, size };
            *booklet = booklet.plus(1);
            *pass = pass.plus(size.into());
            Some(planned)
        })
    }
}

/// A booklet to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedBooklet {
    /// Its number.
    pub number: BookletId,
    /// The first of its passes.
    pub first_pass: PassNumber,
    /// 5 or 10.
    pub size: i16,
}

impl PlannedBooklet {
    /// Its passes, in order.
    pub fn passes(self) -> impl Iterator<Item = PassNumber> {
        (0..self.size).map(move |n| self.first_pass.plus(n.into()))
    }
}

impl Dates {
    /// In order, and none in the past.
    pub fn ensure_sound(self, today: BusinessDate) -> Result<(), Refusal> {
        if self.last_hand_over_on < today {
            return Err(Refusal::invalid(
                "last_hand_over_on",
                format!("une date à partir du {today} est attendue"),
            ));
        }
        if self.last_use_on < self.last_hand_over_on {
            return Err(Refusal::invalid(
                "last_use_on",
                "la dernière utilisation ne peut précéder la dernière remise",
            ));
        }
        if self.last_presentation_on < self.last_use_on {
            return Err(Refusal::invalid(
                "last_presentation_on",
                "la dernière présentation ne peut précéder la dernière utilisation",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_are_numbered_without_a_gap_across_sizes() {
        let quantity = Quantity { booklets_of_10: 2, booklets_of_5: 1 };
        let plan: Vec<_> = quantity.plan(BookletId::new(8), PassNumber::new(41)).collect();
        let shown: Vec<_> =
            plan.iter().map(|b| (b.number.get(), b.first_pass.get(), b.size)).collect();
        assert_eq!(shown, [(8, 41, 10), (9, 51, 10), (10, 61, 5)]);
        let passes: Vec<_> = plan.iter().flat_map(|b| b.passes()).map(PassNumber::get).collect();
        assert_eq!(passes, (41..=65).collect::<Vec<_>>());
        assert_eq!(quantity.passes(), 25);
    }

    #[test]
    fn an_order_of_nothing_or_too_much_is_refused() {
        for (tens, fives) in [(0, 0), (-1, 2), (100_001, 0)] {
            assert!(
                Quantity { booklets_of_10: tens, booklets_of_5: fives }.ensure_sound().is_err()
            );
        }
    }

    #[test]
    fn the_three_dates_come_in_order() {
        let day = |text: &str| BusinessDate::try_from(text.to_owned()).unwrap();
        let dates = |a, b, c| Dates {
            last_hand_over_on: day(a),
            last_use_on: day(b),
            last_presentation_on: day(c),
        };
        let today = day("2026-01-01");
        assert!(dates("2026-06-01", "2026-12-31", "2027-01-31").ensure_sound(today).is_ok());
        let field = |dates: Dates| match dates.ensure_sound(today).unwrap_err() {
            Refusal::Invalid { field, .. } => field,
            other => panic!("{other}"),
        };
        assert_eq!(field(dates("2025-12-31", "2026-12-31", "2027-01-31")), "last_hand_over_on");
        assert_eq!(field(dates("2026-06-01", "2026-05-31", "2027-01-31")), "last_use_on");
        assert_eq!(field(dates("2026-06-01", "2026-12-31", "2026-12-30")), "last_presentation_on");
    }
}
