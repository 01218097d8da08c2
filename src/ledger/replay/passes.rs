//! Where passes lie, and their states.

use serde_json::Value;

use super::{Leg, Replay, Row, fact, int, of, own};
use crate::domain::account::AccountKind;

/// One pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    /// The account where it lies.
    held: i32,
    /// Its hand-over, once it had one.
    hand_over: i32,
    /// Where it was last used.
    pub(super) site: i32,
    /// How many times it was used.
    pub(super) cycle: i16,
    state: State,
    /// Is its last use in a payout?
    pub(super) is_settled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Inert,
    Active,
    Distributed,
    Redeemed,
}

impl Pass {
    pub(super) fn is_redeemed(&self) -> bool {
        self.state == State::Redeemed
    }

    pub(super) fn held(&self) -> i64 {
        self.held.into()
    }
}

/// A value that the database keeps in so many bits; −1, which is nothing's, when it does not fit.
fn small<T: TryFrom<i64> + From<i8>>(n: i64) -> T {
    T::try_from(n).unwrap_or_else(|_| T::from(-1))
}

impl Replay {
    /// Passes from a number on; none when there are not so many.
    fn range(&mut self, first: i64, count: i64) -> Option<&mut [Pass]> {
        let begin = usize::try_from(first.checked_sub(1)?).ok()?;
        let end = begin.checked_add(usize::try_from(count).ok()?)?;
        self.passes.get_mut(begin..end).filter(|passes| !passes.is_empty())
    }

    pub(super) fn pass(&mut self, number: i64) -> Option<&mut Pass> {
        self.range(number, 1)?.first_mut()
    }

    /// Moves a range of passes out of the account where they must lie; out of `issued`, they are new.
    pub(super) fn carry(&mut self, leg: Leg) {
        let held = small(leg.debit);
        let next = i64::try_from(self.passes.len()).unwrap_or(i64::MAX).saturating_add(1);
        if leg.credit == own(AccountKind::Issued) && leg.first == next && leg.amount <= 1_000_000 {
            let new = Pass {
                held,
                hand_over: 0,
                site: 0,
                cycle: 0,
                state: State::Inert,
                is_settled: false,
            };
            let count = usize::try_from(leg.amount).unwrap_or_default();
            self.passes.extend(std::iter::repeat_n(new, count));
            return;
        }
        let from = small::<i32>(leg.credit);
        let moved = self.range(leg.first, leg.amount).is_some_and(|passes| {
            let lay_there = passes.iter().all(|pass| pass.held == from);
            for pass in passes {
                pass.held = held;
            }
            lay_there
        });
        if !moved {
            let name = &self.entry.name;
            self.broken.custody.count(|| format!("{name}, pass {}", leg.first));
        }
    }

    pub(super) fn booklet(&mut self, row: &Row) {
        let next = i64::try_from(self.booklets.len()).unwrap_or(i64::MAX).saturating_add(1);
        if int(row, "number") != next || self.entry.kind != "mint" {
            self.wrong_state(&format!("carnet {}", int(row, "number")));
        }
        self.booklets.push((int(row, "first_pass"), int(row, "size")));
    }

    /// A pass was made by this mint, for its order.
    pub(super) fn made(&mut self, row: &Row) {
        let (number, order) = (int(row, "number"), int(row, "order_number"));
        self.entry.made += 1;
        let (first, count) = self.minted.entry(order).or_insert((number, 0));
        let is_next = number == *first + *count;
        *count += 1;
        let booklet = usize::try_from(int(row, "booklet") - 1).ok();
        let booklet = booklet.and_then(|at| self.booklets.get(at)).copied().unwrap_or_default();
        let is_within = (booklet.0..booklet.0 + booklet.1).contains(&number);
        let is_minted = order == fact(&self.entry.facts, "order") && self.pass(number).is_some();
        if !is_next || !is_within || !is_minted {
            self.wrong_state(&format!("pass {number}"));
        }
    }

    pub(super) fn fund(&mut self, row: &Row) {
        let (order, amount) = (int(row, "order_number"), int(row, "amount_cents"));
        let (first, count) = self.minted.get(&order).copied().unwrap_or_default();
        let funded = self.become_of(first, count, State::Inert, State::Active);
        if !funded || amount != count * self.face_value {
            self.wrong_state(&format!("commande {order}"));
        }
        self.unspent += count;
        let [bank, received, float] =
            [AccountKind::Bank, AccountKind::FundsReceived, AccountKind::Float].map(own);
        self.event([Leg::money(bank, received, amount), Leg::money(received, float, amount)]);
    }

    pub(super) fn hand_over(&mut self, row: &Row) {
        let (booklet, number) = (int(row, "booklet"), int(row, "number"));
        let at = usize::try_from(booklet - 1).ok();
        let (first, size) = at.and_then(|at| self.booklets.get(at)).copied().unwrap_or_default();
        if !self.become_of(first, size, State::Active, State::Distributed) {
            self.wrong_state(&format!("carnet {booklet}"));
        }
        for pass in self.range(first, size).into_iter().flatten() {
            pass.hand_over = small(number);
        }
        let stock = of(AccountKind::PrescriberStock, int(row, "prescriber"));
        self.event([Leg::passes(own(AccountKind::Circulation), stock, first, size)]);
    }

    /// All passes of a range go from a state to another; `false` when one was in none such, or none is there.
    fn become_of(&mut self, first: i64, count: i64, from: State, to: State) -> bool {
        let Some(passes) = self.range(first, count) else { return false };
        let were = passes.iter().all(|pass| pass.state == from);
        for pass in passes {
            pass.state = to;
        }
        were
    }

    pub(super) fn redeem(&mut self, row: &Row) {
        let (number, cycle, site) = (int(row, "pass"), int(row, "cycle"), int(row, "site"));
        let hand_over = int(row, "hand_over");
        let spent = self.pass(number).is_some_and(|pass| {
            let was = *pass;
            pass.state = State::Redeemed;
            (pass.cycle, pass.site, pass.is_settled) = (small(cycle), small(site), false);
            was.state == State::Distributed
                && i64::from(was.hand_over) == hand_over
                && i64::from(was.cycle) + 1 == cycle
        });
        if !spent || self.entry.kind != "redemption" || !self.says_redemption(number, cycle) {
            self.wrong_state(&format!("pass {number}"));
        }
        self.unspent -= 1;
        let face_value = self.face_value;
        *self.owed.entry(site).or_default() += face_value;
        let (there, payable) = (of(AccountKind::Redeemed, site), of(AccountKind::Payable, site));
        self.event([
            Leg::passes(there, own(AccountKind::Circulation), number, 1),
            Leg::money(own(AccountKind::Float), payable, face_value),
        ]);
    }

    /// A void, or an incident if a payout has taken the redemption.
    pub(super) fn undo(&mut self, row: &Row) {
        let (number, cycle) = (int(row, "pass"), int(row, "cycle"));
        let is_incident = self.entry.kind == "incident";
        let was = self.pass(number).map(|pass| {
            let was = *pass;
            pass.state = State::Distributed;
            was
        });
        let given_back = was.is_some_and(|was| {
            was.is_redeemed() && i64::from(was.cycle) == cycle && was.is_settled == is_incident
        });
        if !given_back || !self.says_redemption(number, cycle) {
            self.wrong_state(&format!("pass {number}"));
        }
        let site = was.map_or(0, |was| i64::from(was.site));
        if is_incident {
            self.incidents.insert((number, cycle), site);
        }
        self.unspent += 1;
        let face_value = self.face_value;
        *self.owed.entry(site).or_default() -= face_value;
        let (there, payable) = (of(AccountKind::Redeemed, site), of(AccountKind::Payable, site));
        self.event([
            Leg::passes(own(AccountKind::Circulation), there, number, 1),
            Leg::money(payable, own(AccountKind::Float), face_value),
        ]);
    }

    /// Does the receipt name that redemption?
    fn says_redemption(&self, pass: i64, cycle: i64) -> bool {
        let said = self.entry.facts.get("redemption").and_then(Value::as_str);
        said == Some(format!("{pass:07}-{cycle}").as_str())
    }

    /// A row that makes an event, and the transfers that it asks for.
    pub(super) fn event<const N: usize>(&mut self, legs: [Leg; N]) {
        self.entry.events = self.entry.events.saturating_add(1);
        self.entry.expected.extend(legs);
    }

    fn wrong_state(&mut self, what: &str) {
        let name = &self.entry.name;
        self.broken.state.count(|| format!("{name}, {what}"));
    }
}
