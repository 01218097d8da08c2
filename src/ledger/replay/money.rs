//! What payouts pay, what was ordered from the bank, what it has debited.

use std::collections::BTreeMap;

use super::{Entry, Leg, Replay, Row, fact, int, of, own};
use crate::domain::account::AccountKind;
use crate::ledger::bound::Broken;

/// A payout, as its lines make it.
#[derive(Clone, Debug, Default)]
pub(super) struct Payout {
    lines: i64,
    cents: i64,
    /// By site: what its lines pay there, less what they deduct.
    shares: BTreeMap<i64, i64>,
    is_approved: bool,
    is_debited: bool,
}

impl Replay {
    /// A line of a payout: it pays a live use that no other has paid, or deducts an incident that none has deducted.
    pub(super) fn item(&mut self, row: &Row) {
        let [payout, line, pass, cycle, cents, total] =
            ["payout", "line", "pass", "cycle", "amount_cents", "total_cents"]
                .map(|it| int(row, it));
        let deducts = row.get("incident").is_some_and(|incident| !incident.is_null());
        let site = if deducts {
            self.incidents.remove(&(pass, cycle))
        } else {
            self.pass(pass).and_then(|pass| {
                let is_due =
                    pass.is_redeemed() && !pass.is_settled && i64::from(pass.cycle) == cycle;
                pass.is_settled = true;
                is_due.then_some(i64::from(pass.site))
            })
        };
        let worth = if deducts { -self.face_value } else { self.face_value };
        let open = self.entry.items.entry(payout).or_default();
        open.lines += 1;
        open.cents += cents;
        *open.shares.entry(site.unwrap_or_default()).or_default() += cents;
        let runs_on = (line, total, cents) == (open.lines, open.cents, worth);
        if site.is_none() || !runs_on || self.entry.kind != "settlement_preparation" {
            self.wrong_payout(&format!("contre-paiement {payout}, ligne {line}"));
        }
    }

    /// A payout is what its lines come to.
    pub(super) fn payout(&mut self, row: &Row) {
        let (number, lines, cents) =
            (int(row, "number"), int(row, "items"), int(row, "amount_cents"));
        let found = self.entry.items.remove(&number).unwrap_or_default();
        let is_new = !self.payouts.contains_key(&number);
        if !is_new || (found.lines, found.cents) != (lines, cents) || cents < 1 {
            self.wrong_payout(&format!("contre-paiement {number}"));
        }
        self.payouts.insert(number, found);
    }

    /// A settlement was prepared: nothing moves, and no line is left without its payout.
    pub(super) fn prepared(&mut self, entry: &Entry) -> bool {
        if let Some(payout) = entry.items.keys().next() {
            self.broken.payouts.count(|| format!("{}, contre-paiement {payout}", entry.name));
        }
        entry.transfers.is_empty() && entry.events == 0
    }

    /// A payout was ordered from the bank: what it pays, site by site.
    pub(super) fn approve(&mut self, entry: &mut Entry) -> bool {
        let transit = own(AccountKind::InTransitToBank);
        let number = fact(&entry.facts, "payout");
        let payout = self.payouts.get_mut(&number).filter(|payout| !payout.is_approved);
        let Some(payout) = payout else {
            self.broken
                .orders_to_bank
                .count(|| format!("{}, contre-paiement {number}", entry.name));
            return false;
        };
        payout.is_approved = true;
        let mut expected = Vec::new();
        for (site, cents) in payout.shares.iter().filter(|(_, cents)| **cents != 0) {
            let payable = of(AccountKind::Payable, *site);
            let (debit, credit) = if *cents > 0 { (payable, transit) } else { (transit, payable) };
            expected.push(Leg::money(debit, credit, cents.abs()));
            *self.owed.entry(*site).or_default() -= cents;
        }
        entry.transfers.sort_unstable();
        expected.sort_unstable();
        if entry.transfers != expected || fact(&entry.facts, "amount_cents") != payout.cents {
            self.broken
                .orders_to_bank
                .count(|| format!("{}, contre-paiement {number}", entry.name));
        }
        entry.events == 0
    }

    /// The bank has debited a payout.
    pub(super) fn debit(&mut self, row: &Row) {
        let number = int(row, "payout");
        let [transit, bank] = [AccountKind::InTransitToBank, AccountKind::Bank].map(own);
        let payout = self.payouts.get_mut(&number);
        let ordered = payout.filter(|payout| payout.is_approved && !payout.is_debited);
        let cents = ordered.map(|payout| {
            payout.is_debited = true;
            payout.cents
        });
        if cents != Some(fact(&self.entry.facts, "amount_cents")) {
            let name = &self.entry.name;
            self.broken.orders_to_bank.count(|| format!("{name}, contre-paiement {number}"));
        }
        self.event([Leg::money(transit, bank, cents.unwrap_or_default())]);
    }

    /// The account of each site is what happened there, less what was ordered for it.
    pub(super) fn payable_is_owed(&self) -> Broken {
        let mut broken = Broken::default();
        let payable = i64::from(AccountKind::Payable.code());
        let mut booked: BTreeMap<i64, i64> = self
            .balances
            .iter()
            .filter(|(id, _)| *id % 100 == payable)
            .map(|(id, balance)| (id / 100, -balance))
            .collect();
        for (site, cents) in &self.owed {
            if booked.remove(site).unwrap_or_default() != *cents {
                broken.count(|| format!("lieu {site}"));
            }
        }
        for (site, _) in booked.into_iter().filter(|(_, cents)| *cents != 0) {
            broken.count(|| format!("lieu {site}"));
        }
        broken
    }

    fn wrong_payout(&mut self, what: &str) {
        let name = &self.entry.name;
        self.broken.payouts.count(|| format!("{name}, {what}"));
    }
}
