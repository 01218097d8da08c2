//! What an auditor signs off, at any date: where every pass was (fr: état de détention), and that both books add up (fr: état de
//! conservation). From balances and ranges alone, whoever brings them: the database, or a file of evidence.

mod custody;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::VariantArray;
use utoipa::ToSchema;

pub use custody::{Custody, CustodyFrame, HeldRange, Holding, Totals};

use super::account::{Account, AccountKind, Book};
use super::date::Timestamp;
use super::merkle::Hash;

/// The signed head of the log under which something was computed: whoever keeps it keeps a witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedHead {
    /// Leaves.
    pub size: u64,
    /// Root of their tree, base64.
    #[schema(value_type = String)]
    pub root: Hash,
}

/// Names of prescribers and sites, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Of organisations.
    pub organisations: BTreeMap<i32, String>,
    /// Of sites.
    pub sites: BTreeMap<i32, String>,
}

impl Names {
    /// Who holds what lies in an account, when it has a holder.
    pub fn of(&self, account: Account) -> Option<String> {
        let names = match account.kind() {
            AccountKind::PrescriberStock => &self.organisations,
            _ => &self.sites,
        };
        names.get(&account.holder()?).cloned()
    }
}

/// On which side of the book a balance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Debits are more than credits: what is held.
    Debit,
    /// Credits are more than debits: what was issued, or is owed.
    Credit,
}

/// One account and its balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountLine {
    /// The book: passes, or cents.
    pub book: Book,
    /// What it is for.
    pub account: AccountKind,
    /// The same, in French.
    pub label: &'static str,
    /// Number of its prescriber or site, for accounts that have one.
    pub holder: Option<i32>,
    /// That holder's name.
    pub name: Option<String>,
    /// Its side.
    pub side: Side,
    /// Passes or cents; never less than nothing.
    pub balance: i64,
}

/// One term of an equality.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Term {
    /// What it is, in French.
    pub label: String,
    /// Passes or cents.
    pub amount: i64,
}

/// What must be equal, with both sides as figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Equality {
    /// Its stable name.
    pub code: &'static str,
    /// What must be true, in French.
    pub rule: &'static str,
    /// In passes, or in cents.
    pub book: Book,
    /// The left side.
    pub left: Term,
    /// The terms of the right side.
    pub right: Vec<Term>,
    /// Their sum.
    pub right_sum: i64,
    /// Left less right: 0.
    pub difference: i64,
}

/// Passes that the float stands for, counted from fundings, uses and voids, and not from the books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Passes of funded orders.
    pub funded: i64,
    /// Of these, used and not given back.
    pub used: i64,
    /// Cents that a pass is worth.
    pub face_value_cents: i64,
}

/// The conservation statement (fr: état de conservation) of what had happened until an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Conservation {
    /// The programme's code.
    pub programme: String,
    /// What had happened until then, included.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
    /// The last signed head of the log when it was computed; null when there is none.
    pub head: Option<SignedHead>,
    /// Entries that are counted here and not under that head yet.
    pub entries_past_head: i64,
    /// Passes, by kind of account.
    pub passes: BTreeMap<AccountKind, i64>,
    /// Cents, by kind of account.
    pub eur_cents: BTreeMap<AccountKind, i64>,
    /// Every account that ever moved, in the order of kinds and holders.
    pub accounts: Vec<AccountLine>,
    /// The rules of the books, each with both sides.
    pub equalities: Vec<Equality>,
    /// Do all hold?
    pub every_equality_holds: bool,
    /// Issued, less what lies somewhere: 0.
    pub conservation_pass: i64,
    /// Cash, less what is owed: 0.
    pub conservation_eur_cents: i64,
}

/// Under what a statement is made.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The programme's code.
    pub programme: String,
    /// What had happened until then, included.
    pub as_of: Timestamp,
    /// The last signed head.
    pub head: Option<SignedHead>,
    /// Entries until then that it does not cover.
    pub entries_past_head: i64,
}

impl Conservation {
    /// From the balance of every account: debits less credits.
    pub fn of(
        frame: Frame,
        balances: &BTreeMap<Account, i64>,
        counted: Counted,
        names: &Names,
    ) -> Self {
        let sums = Sums::of(balances);
        let of_book =
            |book: Book| AccountKind::VARIANTS.iter().filter(move |kind| kind.book() == book);
        let equalities =
            vec![sums.passes_are_somewhere(), sums.float_is_covered(counted), sums.cash_is_owed()];
        let difference = |code: &str| {
            let of_it = equalities.iter().find(|equality| equality.code == code);
            of_it.map_or(0, |equality| equality.difference)
        };
        Self {
            passes: of_book(Book::Pass).map(|kind| (*kind, sums.shown(*kind))).collect(),
            eur_cents: of_book(Book::Eur).map(|kind| (*kind, sums.shown(*kind))).collect(),
            accounts: balances.iter().map(|(of, balance)| line(*of, *balance, names)).collect(),
            every_equality_holds: equalities.iter().all(|equality| equality.difference == 0),
            conservation_pass: difference(PASSES_ARE_SOMEWHERE),
            conservation_eur_cents: difference(CASH_IS_OWED),
            equalities,
            programme: frame.programme,
            as_of: frame.as_of,
            head: frame.head,
            entries_past_head: frame.entries_past_head,
        }
    }
}

fn line(account: Account, balance: i64, names: &Names) -> AccountLine {
    let kind = account.kind();
    let side = match balance {
        0 if is_shown_by_debits(kind) => Side::Debit,
        1.. => Side::Debit,
        _ => Side::Credit,
    };
    AccountLine {
        book: kind.book(),
        account: kind,
        label: kind.label(),
        holder: account.holder(),
        name: names.of(account),
        side,
        balance: balance.saturating_abs(),
    }
}

/// Holdings and cash are shown by their debits, issues and debts by their credits.
fn is_shown_by_debits(kind: AccountKind) -> bool {
    kind == AccountKind::Bank || (kind.book() == Book::Pass && kind != AccountKind::Issued)
}

/// Rule 6 of ARCHITECTURE.md.
const PASSES_ARE_SOMEWHERE: &str = "conservation_pass";
/// Rule 7, its first half.
const FLOAT_IS_COVERED: &str = "float_covers_passes";
/// Rule 7, its second half.
const CASH_IS_OWED: &str = "conservation_eur";

/// Balances by kind.
struct Sums(BTreeMap<AccountKind, i64>);

impl Sums {
    fn of(balances: &BTreeMap<Account, i64>) -> Self {
        let mut sums: BTreeMap<AccountKind, i64> = BTreeMap::new();
        for (account, balance) in balances {
            let sum = sums.entry(account.kind()).or_default();
            *sum = sum.saturating_add(*balance);
        }
        Self(sums)
    }

    fn shown(&self, kind: AccountKind) -> i64 {
        let balance = self.0.get(&kind).copied().unwrap_or(0);
        if is_shown_by_debits(kind) { balance } else { balance.saturating_neg() }
    }

    fn terms(&self, kinds: &[AccountKind]) -> Vec<Term> {
        let term =
            |kind: &AccountKind| Term { label: kind.label().to_owned(), amount: self.shown(*kind) };
        kinds.iter().map(term).collect()
    }

    fn equality(
        &self,
        (code, rule): (&'static str, &'static str),
        left: AccountKind,
        right: Vec<Term>,
    ) -> Equality {
        let right_sum = right.iter().fold(0_i64, |sum, term| sum.saturating_add(term.amount));
        let left_term = Term { label: left.label().to_owned(), amount: self.shown(left) };
        let difference = left_term.amount.saturating_sub(right_sum);
        Equality { code, rule, book: left.book(), left: left_term, right, right_sum, difference }
    }

    fn passes_are_somewhere(&self) -> Equality {
        let right = [
            AccountKind::Printer,
            AccountKind::SponsorStock,
            AccountKind::InTransit,
            AccountKind::PrescriberStock,
            AccountKind::Circulation,
            AccountKind::Redeemed,
            AccountKind::Expired,
            AccountKind::Cancelled,
        ];
        let rule = (PASSES_ARE_SOMEWHERE, "Tout pass émis est quelque part, une seule fois");
        self.equality(rule, AccountKind::Issued, self.terms(&right))
    }

    fn float_is_covered(&self, counted: Counted) -> Equality {
        let worth = |passes: i64| passes.saturating_mul(counted.face_value_cents);
        let right = vec![
            Term {
                label: format!("valeur faciale de {} pass financés", counted.funded),
                amount: worth(counted.funded),
            },
            Term {
                label: format!("valeur faciale de {} pass utilisés, à retrancher", counted.used),
                amount: worth(counted.used).saturating_neg(),
            },
        ];
        let rule = (
            FLOAT_IS_COVERED,
            "La contre-valeur détenue est celle des pass financés et non utilisés",
        );
        self.equality(rule, AccountKind::Float, right)
    }

    fn cash_is_owed(&self) -> Equality {
        let right = [
            AccountKind::FundsReceived,
            AccountKind::Float,
            AccountKind::Payable,
            AccountKind::InTransitToBank,
            AccountKind::RefundDue,
            AccountKind::Fees,
        ];
        let rule = (CASH_IS_OWED, "L'argent en banque est exactement ce qui est dû");
        self.equality(rule, AccountKind::Bank, self.terms(&right))
    }
}

#[cfg(test)]
mod tests;
