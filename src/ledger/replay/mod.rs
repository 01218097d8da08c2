//! The journal, replayed from zero: where every pass lies and in which state, what is owed to every site, what the bank
//! holds; each entry judged by what those before it have left. It reads rows alone, in the order of the log, and knows no
//! database: whoever holds the rows may run it.
//!
//! In memory: sixteen bytes per pass, one record per payout, and nothing of what was read.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "sums of cents and passes, each below 2^47, fewer than 2^40 of them: bounded by the size of a file"
)]

mod money;
mod passes;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::bound::Broken;
use super::verify::Check;
use crate::domain::account::{Account, AccountKind, Book};
use money::Payout;
use passes::Pass;

/// A row's columns.
type Row = Map<String, Value>;

/// What must hold, and what breaks it.
#[derive(Default)]
struct Rules {
    custody: Broken,
    state: Broken,
    legs: Broken,
    float: Broken,
    holdings: Broken,
    kinds: Broken,
    payouts: Broken,
    orders_to_bank: Broken,
    numbers: Broken,
}

/// The programme as it stands after the entries read so far.
#[derive(Default)]
pub struct Replay {
    /// Cents that a pass is worth.
    face_value: i64,
    /// By number, from 1.
    passes: Vec<Pass>,
    /// First pass and size, by number, from 1.
    booklets: Vec<(i64, i64)>,
    /// First pass and how many, by order.
    minted: BTreeMap<i64, (i64, i64)>,
    /// Debits less credits, by account.
    balances: BTreeMap<i64, i64>,
    /// Passes funded and not used.
    unspent: i64,
    /// What is owed to each site, by what happened there and what approved payouts settle.
    owed: BTreeMap<i64, i64>,
    /// Pass, cycle and site of incidents that no payout has deducted yet.
    incidents: BTreeMap<(i64, i64), i64>,
    payouts: BTreeMap<i64, Payout>,
    numbers: BTreeMap<String, Series>,
    entry: Entry,
    broken: Rules,
}

/// The entry being read.
#[derive(Default)]
struct Entry {
    name: String,
    kind: String,
    facts: Value,
    transfers: Vec<Leg>,
    /// The transfers that its row asks for.
    expected: Vec<Leg>,
    /// Rows that make an event: one, for kinds that have such a row.
    events: u32,
    /// Rows of passes made.
    made: i64,
    /// The payout whose lines are being read, how many there are and what they come to.
    items: BTreeMap<i64, Payout>,
}

/// A transfer: book, debit, credit, amount, first pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Leg {
    is_passes: bool,
    debit: i64,
    credit: i64,
    amount: i64,
    first: i64,
}

/// Numbers given so far, of a kind.
#[derive(Default)]
struct Series {
    next: i64,
    /// Met before one below them.
    early: BTreeSet<i64>,
}

/// An account of the programme itself, by its id.
fn own(kind: AccountKind) -> i64 {
    Account::of(kind).id().into()
}

/// The account of a holder, by its id.
fn of(kind: AccountKind, holder: i64) -> i64 {
    100 * holder + i64::from(kind.code())
}

/// An integer of a row; 0 when it has none.
fn int(row: &Row, column: &str) -> i64 {
    row.get(column).and_then(Value::as_i64).unwrap_or_default()
}

/// A fact that is a number, however it is written.
fn fact(facts: &Value, name: &str) -> i64 {
    let value = facts.get(name);
    let text = || value.and_then(Value::as_str).and_then(|text| text.parse().ok());
    value.and_then(Value::as_i64).or_else(text).unwrap_or_default()
}

impl Leg {
    fn passes(debit: i64, credit: i64, first: i64, amount: i64) -> Self {
        Self { is_passes: true, debit, credit, amount, first }
    }

    fn money(debit: i64, credit: i64, amount: i64) -> Self {
        Self { is_passes: false, debit, credit, amount, first: 0 }
    }

    fn read(row: &Row) -> Self {
        let is_passes = row.get("book").and_then(Value::as_str) == Some("PASS");
        let [debit, credit, amount, first] =
            ["debit", "credit", "amount", "first_pass"].map(|column| int(row, column));
        Self { is_passes, debit, credit, amount, first }
    }
}

impl Replay {
    /// Begins an entry: what its receipt says. `name` is how what it breaks is named.
    pub fn open(&mut self, name: String, kind: &str, number: Option<i64>, facts: Value) {
        self.close();
        if self.face_value == 0 {
            self.face_value = fact(&facts, "face_value_cents");
        }
        self.entry = Entry { name, kind: kind.to_owned(), facts, ..Entry::default() };
        if let Some(number) = number {
            let series = self.numbers.entry(kind.to_owned()).or_default();
            if !series.give(number) {
                let name = &self.entry.name;
                self.broken.numbers.count(|| format!("{name} : ce numéro est donné deux fois"));
            }
        }
    }

    /// A row that the entry wrote.
    pub fn row(&mut self, table: &str, row: &Row) {
        match table {
            "transfers" => self.transfer(Leg::read(row)),
            "booklets" => self.booklet(row),
            "passes" => self.made(row),
            "fundings" => self.fund(row),
            "hand_overs" => self.hand_over(row),
            "redemptions" => self.redeem(row),
            "voids" => self.undo(row),
            "payout_items" => self.item(row),
            "payouts" => self.payout(row),
            "payout_debits" => self.debit(row),
            _ => {}
        }
    }

    fn transfer(&mut self, leg: Leg) {
        let book = if leg.is_passes { Book::Pass } else { Book::Eur };
        let is_of_book = |id: i64| {
            let account = i32::try_from(id).ok().and_then(Account::from_id);
            account.is_some_and(|account| account.kind().book() == book)
        };
        if !is_of_book(leg.debit)
            || !is_of_book(leg.credit)
            || leg.debit == leg.credit
            || leg.amount < 1
        {
            let name = &self.entry.name;
            self.broken.kinds.count(|| name.clone());
        }
        *self.balances.entry(leg.debit).or_default() += leg.amount;
        *self.balances.entry(leg.credit).or_default() -= leg.amount;
        if leg.is_passes {
            self.carry(leg);
        }
        self.entry.transfers.push(leg);
    }

    /// All rows of the entry were read: it moved what it says, and the books add up.
    pub fn close(&mut self) {
        let mut entry = std::mem::take(&mut self.entry);
        if entry.kind.is_empty() {
            return;
        }
        let moves = match entry.kind.as_str() {
            "redemption" | "void" | "incident" | "funding" | "hand_over" | "payout_debit" => {
                entry.transfers.sort_unstable();
                entry.expected.sort_unstable();
                entry.events == 1 && entry.transfers == entry.expected
            }
            "mint" => {
                let moved: i64 = entry.transfers.iter().map(|leg| leg.amount).sum();
                entry.made == moved && entry.leads(AccountKind::Printer, AccountKind::Issued)
            }
            "print_receipt" => entry.leads(AccountKind::SponsorStock, AccountKind::Printer),
            "delivery" => entry.leads(AccountKind::InTransit, AccountKind::SponsorStock),
            "delivery_receipt" => entry.leads(AccountKind::PrescriberStock, AccountKind::InTransit),
            "payout_approval" => self.approve(&mut entry),
            "settlement_preparation" => self.prepared(&entry),
            _ => entry.transfers.is_empty() && entry.events == 0,
        };
        if !moves {
            self.broken.legs.count(|| entry.name.clone());
        }
        self.hold(&entry);
    }

    /// What the books promise after every entry.
    fn hold(&mut self, entry: &Entry) {
        let float = -self.balance(own(AccountKind::Float));
        if float != self.face_value * self.unspent {
            self.broken.float.count(|| entry.name.clone());
        }
        let touched = entry.transfers.iter().flat_map(|leg| [leg.debit, leg.credit]);
        for id in touched {
            let Some(account) = i32::try_from(id).ok().and_then(Account::from_id) else { continue };
            let held = match account.kind() {
                AccountKind::Payable => 0,
                AccountKind::Issued => -self.balance(id),
                kind if kind.book() == Book::Pass || kind == AccountKind::Bank => self.balance(id),
                _ => -self.balance(id),
            };
            if held < 0 {
                self.broken.holdings.count(|| format!("{} ({account})", entry.name));
            }
        }
    }

    fn balance(&self, account: i64) -> i64 {
        self.balances.get(&account).copied().unwrap_or_default()
    }

    /// Passes that exist, and of these, how many are used.
    pub fn passes(&self) -> (usize, usize) {
        (self.passes.len(), self.passes.iter().filter(|pass| pass.is_redeemed()).count())
    }

    /// What is owed to each site and not ordered from the bank yet, in cents, as the journal has it.
    pub fn owed(&self) -> impl Iterator<Item = (i64, i64)> {
        self.owed.iter().map(|(site, cents)| (*site, *cents))
    }

    /// Every rule, after the last entry.
    pub fn finish(mut self) -> Vec<Check> {
        self.close();
        for (kind, series) in &self.numbers {
            if !series.early.is_empty() {
                self.broken.numbers.count(|| format!("{kind} {}", series.next + 1));
            }
        }
        let (conservation, owed) = (self.conservation(), self.payable_is_owed());
        let broken = self.broken;
        vec![
            broken.kinds.check("accounts_are_of_a_kind", "Chaque mouvement va d'un compte du plan à un autre"),
            broken.custody.check("custody_is_continuous", "Un pass ne quitte que le compte où son mouvement précédent l'a mis"),
            broken.state.check("pass_state_replays", "Le journal, rejoué depuis zéro, trouve chaque pass dans l'état qu'il faut ; aucun n'est utilisé deux fois par cycle"),
            broken.legs.check("entry_moves_what_it_says", "Chaque écriture déplace exactement ce que sa nature et ses lignes disent"),
            broken.float.check("float_covers_passes", "Après chaque écriture, la contre-valeur détenue est celle des pass financés et non utilisés"),
            broken.holdings.check("no_negative_holding", "Après chaque écriture, aucun compte ne détient moins que rien"),
            conservation.check("conservation", "Les deux livres sont équilibrés : chaque pass est quelque part, l'argent en banque est ce qui est dû"),
            broken.payouts.check("payout_is_the_sum_of_its_items", "Chaque contre-paiement est la somme de ses lignes, et ne paie rien deux fois"),
            broken.orders_to_bank.check("payout_entries_match", "Chaque contre-paiement ordonné ou débité l'est une fois, pour son montant exact, lieu par lieu"),
            owed.check("payable_is_what_is_owed", "Chaque lieu est dû de ce qu'il a utilisé, moins annulations et incidents, moins ce que les lots approuvés en règlent"),
            broken.numbers.check("numbers_have_no_gap", "Les récépissés numérotés se suivent sans trou"),
        ]
    }

    fn conservation(&self) -> Broken {
        let mut broken = Broken::default();
        let minted = i64::try_from(self.passes.len()).unwrap_or(i64::MAX);
        let (mut held, mut eur) = (BTreeMap::<i64, i64>::new(), 0);
        for pass in &self.passes {
            *held.entry(pass.held()).or_default() += 1;
        }
        held.insert(own(AccountKind::Issued), -minted);
        for (id, balance) in &self.balances {
            let account = i32::try_from(*id).ok().and_then(Account::from_id);
            match account.map(|account| account.kind().book()) {
                Some(Book::Pass) if *balance == held.get(id).copied().unwrap_or_default() => {}
                Some(Book::Eur) => eur += balance,
                _ => broken.count(|| account.map_or(id.to_string(), |account| account.to_string())),
            }
        }
        if eur != 0 {
            broken.count(|| "EUR".to_owned());
        }
        broken
    }
}

impl Entry {
    /// Does every transfer lead passes between accounts of these kinds?
    fn leads(&self, debit: AccountKind, credit: AccountKind) -> bool {
        let is = |id: i64, kind: AccountKind| id % 100 == i64::from(kind.code());
        let every = |leg: &Leg| leg.is_passes && is(leg.debit, debit) && is(leg.credit, credit);
        self.events == 0 && self.transfers.iter().all(every)
    }
}

impl Series {
    /// Notes a number; `false` when it was given before.
    fn give(&mut self, number: i64) -> bool {
        if number <= self.next || !self.early.insert(number) {
            return false;
        }
        while self.early.remove(&(self.next + 1)) {
            self.next += 1;
        }
        true
    }
}
