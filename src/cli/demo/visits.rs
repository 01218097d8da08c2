//! What people do with their booklets: some visits, some passes each, some slips.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "the numbers of a story are far from the ends of their types"
)]

use std::collections::VecDeque;

use super::calendar::{LAST_DAY, When, working};
use super::plan::{BOOKLET_SIZE, Writer};
use super::script::{At, Code, Event, Presented};
use crate::domain::commune::Department;
use crate::domain::service::Service;
use crate::domain::{BookletId, PassNumber, RedemptionId};

/// When visits end and passes are taken, hour and minute in Paris. Few, so that the counters of a region meet in
/// the same transactions, as they do in a rush.
const SLOTS: [(u32, u32); 7] =
    [(9, 40), (10, 40), (11, 40), (14, 20), (15, 20), (16, 20), (17, 10)];
/// A void comes this many minutes after the redemption: the mistake is seen at once.
const VOID_AFTER: u32 = 12;

/// One booklet in somebody's hands.
struct Purse {
    /// The next redemption of each pass that is left.
    left: VecDeque<RedemptionId>,
    /// A pass that was spent for good.
    spent: Option<PassNumber>,
}

/// One visit: where, when, what for.
#[derive(Clone, Copy)]
struct Visit {
    counter: usize,
    when: When,
    service: Service,
}

impl Writer<'_> {
    /// The visits of a booklet's holder from the day it was handed over: one to three weeks apart, one to three
    /// passes each, mostly at the same place near home, until `uses` passes are used or the story ends.
    pub fn uses(
        &mut self,
        given_on: u32,
        booklet: BookletId,
        department: Department,
        mut uses: i32,
    ) {
        let first = self
            .plot
            .first_pass
            .plus(BOOKLET_SIZE * (booklet.get() - self.plot.first_booklet.get()));
        let left =
            (0..BOOKLET_SIZE).map(|n| RedemptionId { pass: first.plus(n), cycle: 1 }).collect();
        let mut purse = Purse { left, spent: None };
        let usual = self.counter_in(department);
        let mut day = working(given_on + 3 + self.below(25));
        while uses > 0 && day <= LAST_DAY {
            let counter = if self.per_mille(800) { usual } else { self.counter_in(department) };
            let wanted = uses.min(1 + i32::try_from(self.below(3)).unwrap_or_default());
            let (hour, minute) = self.seeded.pick(&SLOTS).copied().unwrap_or_default();
            let visit = Visit {
                counter,
                when: When::at(day, hour, minute),
                service: self.service_of(counter),
            };
            uses -= self.visit(visit, &mut purse, wanted);
            day = working(day + 7 + self.below(15));
        }
    }

    /// Redeems so many passes, and says how many stay redeemed.
    fn visit(&mut self, visit: Visit, purse: &mut Purse, wanted: i32) -> i32 {
        self.slips(visit, purse);
        let wanted = usize::try_from(wanted).unwrap_or_default().min(purse.left.len());
        let taken: Vec<RedemptionId> = purse.left.drain(..wanted).collect();
        for redemption in &taken {
            self.present(visit, At::Counter(visit.counter), redemption.pass, Code::Printed, None);
        }
        let one_too_many = taken
            .last()
            .filter(|_| self.per_mille(3 * u32::try_from(taken.len()).unwrap_or_default()));
        if let Some(undone) = one_too_many {
            let when = When { minute: visit.when.minute + VOID_AFTER, ..visit.when };
            self.cue(when, Event::Void(*undone, visit.counter));
            purse.left.push_back(RedemptionId { pass: undone.pass, cycle: undone.cycle + 1 });
        } else if let Some(first) = taken.first() {
            purse.spent = Some(first.pass);
        }
        i32::try_from(taken.len()).unwrap_or_default() - i32::from(one_too_many.is_some())
    }

    /// What goes wrong before a visit goes well: a pass of last time, one found in a stock, a copy by hand, the
    /// wrong side of the border.
    fn slips(&mut self, visit: Visit, purse: &Purse) {
        let here = At::Counter(visit.counter);
        if let Some(spent) = purse.spent.filter(|_| self.per_mille(18)) {
            self.present(visit, here, spent, Code::Printed, Some("already_redeemed"));
        }
        if self.per_mille(6) {
            // The last pass of the order: its booklet never leaves the sponsor's stock.
            let in_stock = self.plot.first_pass.plus(BOOKLET_SIZE * self.plot.booklets - 1);
            self.present(visit, here, in_stock, Code::Printed, Some("unknown_pass"));
        }
        let Some(next) = purse.left.front().map(|redemption| redemption.pass) else { return };
        if self.per_mille(5) {
            self.present(visit, here, next, Code::Forged, Some("unknown_pass"));
        }
        if self.plot.strangers > 0 && self.per_mille(7) {
            let stranger = At::Stranger(self.seeded.index(self.plot.strangers));
            self.present(visit, stranger, next, Code::Printed, Some("out_of_territory"));
        }
    }

    fn present(
        &mut self,
        visit: Visit,
        at: At,
        pass: PassNumber,
        code: Code,
        refusal: Option<&'static str>,
    ) {
        self.cue(
            visit.when,
            Event::Present(Presented { at, pass, code, service: visit.service, refusal }),
        );
    }

    /// A counter of the department, or any when it has none.
    fn counter_in(&mut self, department: Department) -> usize {
        let all = self.plot.counters;
        let near: Vec<usize> = (0..)
            .zip(all)
            .filter(|(_, counter)| counter.department == department)
            .map(|(rank, _)| rank)
            .collect();
        self.seeded.pick(&near).copied().unwrap_or_else(|| self.seeded.index(all.len()))
    }

    /// One of the services that the counter gives; any when it has declared none.
    fn service_of(&mut self, counter: usize) -> Service {
        let declared = self
            .plot
            .counters
            .get(counter)
            .map(|counter| counter.services.as_slice())
            .unwrap_or_default();
        let choice = if declared.is_empty() { Service::ALL.as_slice() } else { declared };
        self.seeded.pick(choice).copied().unwrap_or(Service::AdministrativeProcedures)
    }
}
