//! Writes the script of a programme's life, from a seed: who receives which booklet when, and when sites
//! are paid. What people do with their booklets is next door, in `visits`. Pure: nothing here knows the
//! database, so that the same seed gives the same script everywhere.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "the numbers of a story are far from the ends of their types"
)]

use std::collections::{BTreeMap, VecDeque};

use super::calendar::{Calendar, LAST_DAY, WEEKS, When, sunday_after, working};
use super::script::{Cue, Event, Gift, Parcel, Step};
use super::world::{Counter, Prescriber};
use crate::domain::commune::Department;
use crate::domain::eligibility::{Eligibility, Proof};
use crate::domain::fictitious::Weighted;
use crate::domain::person::Person;
use crate::domain::seeded::Seeded;
use crate::domain::territory::Territory;
use crate::domain::text::Line;
use crate::domain::{BookletId, BusinessDate, PassNumber};

/// Passes of a booklet: the region's own choice for people who come through a prescriber.
pub const BOOKLET_SIZE: i32 = 10;
/// Days after the opening, and the part of the order sent then, per thousand. The rest is the sponsor's reserve.
const WAVES: [(u32, i32); 2] = [(21, 580), (98, 360)];
/// Days within which a prescriber hands out what it received.
const HAND_OUT_DAYS: u32 = 75;
/// Booklets of the last parcel, which nobody has counted yet.
const ON_THE_ROAD: i32 = 5;

/// What a script is made from.
pub struct Plot<'p> {
    /// The dates of the story's days.
    pub calendar: Calendar,
    /// The day on which the programme opens.
    pub opens_on: u32,
    /// Weeks at whose end the first two settlements cut off; the third does near the end of the story.
    pub settles_after: [u32; 2],
    /// Booklets of ten, numbered without a gap.
    pub booklets: i32,
    /// The first of them.
    pub first_booklet: BookletId,
    /// Its first pass.
    pub first_pass: PassNumber,
    /// Where people must live.
    pub territory: &'p Territory,
    /// Who hands booklets over.
    pub prescribers: &'p [Prescriber],
    /// Where passes are redeemed.
    pub counters: &'p [Counter],
    /// How many sites out of the territory there are.
    pub strangers: usize,
}

/// Writes the script, in the order of time.
pub fn write(plot: &Plot<'_>, seed: u64) -> VecDeque<Cue> {
    let mut writer = Writer::new(plot, seed);
    writer.distribute();
    writer.settle();
    // Stable: what is written of one person in order stays in order.
    writer.cues.sort_by_key(|cue| cue.at);
    writer.cues.into()
}

/// A script at work.
pub(super) struct Writer<'p> {
    pub plot: &'p Plot<'p>,
    pub seeded: Seeded,
    pub cues: Vec<Cue>,
    homes: BTreeMap<Department, Weighted>,
    parcels: usize,
    /// The last person served, and the day: some come back for more.
    served: Option<(u32, Gift)>,
}

/// What becomes of a booklet in a prescriber's stock.
enum Fate {
    /// It stays there.
    Kept,
    /// It is handed over, and so many of its passes are meant to be used.
    Given(i32),
}

impl<'p> Writer<'p> {
    fn new(plot: &'p Plot<'p>, seed: u64) -> Self {
        let departments: Vec<Department> =
            plot.prescribers.iter().map(|prescriber| prescriber.department).collect();
        let home = |department: Department| {
            (
                department,
                Weighted::new(
                    plot.territory
                        .communes()
                        .filter(move |commune| commune.department() == department),
                ),
            )
        };
        let homes = departments.into_iter().map(home).collect();
        Self { plot, seeded: Seeded::new(seed), cues: Vec::new(), homes, parcels: 0, served: None }
    }

    /// A number in `0..n`.
    pub fn below(&mut self, n: u32) -> u32 {
        u32::try_from(self.seeded.below(n.into())).unwrap_or_default()
    }

    /// True `n` times in a thousand.
    pub fn per_mille(&mut self, n: u32) -> bool {
        self.below(1000) < n
    }

    /// Adds something to the script.
    pub fn cue(&mut self, at: When, what: Event) {
        self.cues.push(Cue { at, what });
    }

    /// Sends the order to prescribers in two waves, and one parcel more on the last day but one.
    fn distribute(&mut self) {
        let weights: Vec<u64> =
            self.plot.prescribers.iter().map(|prescriber| prescriber.weight).collect();
        let mut next = self.plot.first_booklet;
        for (after, per_mille) in WAVES {
            let shares = apportion(self.plot.booklets * per_mille / 1000, &weights);
            for (prescriber, share) in
                shares.into_iter().enumerate().filter(|(_, share)| *share > 0)
            {
                let parcel = Parcel { prescriber, first: next, last: next.plus(share - 1) };
                next = next.plus(share);
                self.parcel(self.plot.opens_on + after, parcel);
            }
        }
        let last = Parcel { prescriber: 0, first: next, last: next.plus(ON_THE_ROAD - 1) };
        self.cue(When::at(LAST_DAY - 1, 9, 30), Event::Send(self.parcels, last));
    }

    /// A parcel is sent, counted some days later, and handed out in the weeks that follow. The second one of
    /// a programme lacks a booklet.
    fn parcel(&mut self, sent_on: u32, parcel: Parcel) {
        let rank = self.parcels;
        self.parcels += 1;
        let missing = (rank == 1 && parcel.first < parcel.last).then_some(parcel.last);
        let counted_on = working(sent_on + 2 + self.below(3));
        let minute = self.below(90);
        self.cue(When::at(sent_on, 9, 30), Event::Send(rank, parcel));
        self.cue(When::at(counted_on, 10, minute), Event::Count(rank, missing));
        self.served = None;
        let last = if missing.is_some() { parcel.last.get() - 1 } else { parcel.last.get() };
        for booklet in parcel.first.get()..=last {
            self.booklet(counted_on, parcel.prescriber, BookletId::new(booklet));
        }
    }

    fn booklet(&mut self, counted_on: u32, prescriber: usize, booklet: BookletId) {
        match self.fate(booklet) {
            Fate::Kept => self.ask_again(booklet),
            Fate::Given(uses) => {
                let day = working(counted_on + 1 + self.below(HAND_OUT_DAYS));
                let minute = 9 * 60 + 10 + self.below(8 * 60);
                if let Some(gift) = self.gift(day, prescriber, booklet) {
                    self.hand_over(When { day, minute }, &gift);
                    self.uses(day, booklet, gift.insee_code.department(), uses);
                    self.served = Some((day, gift));
                }
            }
        }
    }

    /// The first three booklets are printed for the reader to try: one is in somebody's hands, whole; one is
    /// partly used; one still lies in stock. Of the others a few are kept, three in ten of those given are forgotten in
    /// a drawer, and of the rest two in five are used up: where such passes were counted, 38 to 60 % of them had been used.
    fn fate(&mut self, booklet: BookletId) -> Fate {
        match booklet.get() - self.plot.first_booklet.get() {
            0 => Fate::Given(0),
            1 => Fate::Given(4),
            2 => Fate::Kept,
            _ if self.per_mille(40) => Fate::Kept,
            _ if self.per_mille(300) => Fate::Given(0),
            _ if self.per_mille(400) => Fate::Given(BOOKLET_SIZE),
            _ => Fate::Given(1 + i32::try_from(self.below(9)).unwrap_or_default()),
        }
    }

    /// A jobseeker sometimes comes with last season's certificate first.
    fn hand_over(&mut self, at: When, gift: &Gift) {
        if gift.eligibility == Eligibility::Jobseeker && self.per_mille(15) {
            let proof_dated_on = self.plot.calendar.date(at.day).minus_days(120);
            let refused = Gift { proof_dated_on, refusal: Some("not_eligible"), ..gift.clone() };
            self.cue(When { minute: at.minute - 5, ..at }, Event::HandOver(Box::new(refused)));
        }
        self.cue(at, Event::HandOver(Box::new(gift.clone())));
    }

    /// The last person served sometimes asks for one more, and has had its due.
    fn ask_again(&mut self, kept: BookletId) {
        let Some((day, gift)) = self.served.clone().filter(|_| self.per_mille(300)) else { return };
        let day = working(day + 7);
        if day <= LAST_DAY {
            let asked = Gift { booklet: kept, refusal: Some("entitlement_used"), ..gift };
            self.cue(When::at(day, 11, 5), Event::HandOver(Box::new(asked)));
        }
    }

    /// Somebody who does not exist, and a proof that is sound on that day. None when the prescriber's department has
    /// no commune in the territory.
    fn gift(&mut self, day: u32, prescriber: usize, booklet: BookletId) -> Option<Gift> {
        let today = self.plot.calendar.date(day);
        let department = self.plot.prescribers.get(prescriber)?.department;
        let home = self.homes.get(&department)?.draw(&mut self.seeded)?;
        let (eligibility, proof, age, proof_dated_on) = self.situation(today);
        // Months past the birthday, so that the person is of that age for some weeks more.
        let born_on = today.minus_months(12 * age + self.below(11));
        let person = Person {
            last_name: Line::try_from(format!("Fictive {booklet:06}", booklet = booklet.get()))
                .ok()?,
            first_name: Line::try_from("Personne".to_owned()).ok()?,
            born_on,
        };
        Some(Gift {
            prescriber,
            booklet,
            person,
            insee_code: home.insee_code,
            eligibility,
            proof,
            proof_dated_on,
            refusal: None,
        })
    }

    /// A public, what it shows, an age, and the day of the proof: 45 % are sixty or over, 40 % look for work,
    /// 15 % are young people on an insertion path.
    fn situation(&mut self, today: BusinessDate) -> (Eligibility, Proof, u32, BusinessDate) {
        match self.below(100) {
            0..45 => (
                Eligibility::Senior,
                Proof::IdentityDocument,
                60 + self.below(28),
                today.minus_months(3 + self.below(90)),
            ),
            45..85 => {
                let dated_on = today.minus_days(u64::from(3 + self.below(65)));
                (Eligibility::Jobseeker, Proof::JobseekerCertificate, 26 + self.below(34), dated_on)
            }
            n => {
                let proof = if n < 95 {
                    Proof::MissionLocaleCertificate
                } else {
                    Proof::PlacementCertificate
                };
                (
                    Eligibility::YoungInInsertion,
                    proof,
                    18 + self.below(8),
                    today.minus_days(u64::from(5 + self.below(60))),
                )
            }
        }
    }

    /// Two settlements go all their way; the third waits for its approval when the story ends.
    fn settle(&mut self) {
        for week in self.plot.settles_after {
            let cut_off = sunday_after(week);
            let execution = cut_off + 4;
            self.cue(
                When::at(cut_off + 1, 8, 45),
                Event::Settle(Step::Prepare { cut_off, execution }),
            );
            self.cue(When::at(cut_off + 2, 8, 50), Event::Settle(Step::Approve));
            self.cue(
                When::at(cut_off + 5, 8, 40),
                Event::Settle(Step::Declare { executed: execution }),
            );
            self.cue(When::at(cut_off + 8, 8, 30), Event::Settle(Step::Confirm));
        }
        let (cut_off, execution) = (sunday_after(WEEKS - 1), LAST_DAY + 14);
        self.cue(When::at(LAST_DAY, 17, 45), Event::Settle(Step::Prepare { cut_off, execution }));
    }
}

/// Shares `total` in proportion to the weights; what rounding leaves goes to the largest remainders, the first
/// first. All of it goes to somebody unless there is nobody.
fn apportion(total: i32, weights: &[u64]) -> Vec<i32> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum::<u128>().max(1);
    let whole = u128::try_from(total).unwrap_or_default();
    let mut shares: Vec<(i32, u128)> = weights
        .iter()
        .map(|weight| {
            let exact = whole * u128::from(*weight);
            (i32::try_from(exact / sum).unwrap_or_default(), exact % sum)
        })
        .collect();
    let left = total - shares.iter().map(|(share, _)| *share).sum::<i32>();
    let mut by_remainder: Vec<usize> = (0..shares.len()).collect();
    by_remainder
        .sort_by_key(|rank| std::cmp::Reverse(shares.get(*rank).map(|(_, remainder)| *remainder)));
    for rank in by_remainder.into_iter().take(usize::try_from(left).unwrap_or_default()) {
        if let Some((share, _)) = shares.get_mut(rank) {
            *share += 1;
        }
    }
    shares.into_iter().map(|(share, _)| share).collect()
}

#[cfg(test)]
mod tests;
