//! Where every pass was (fr: état de détention): ranges, their holders, and what each holds in all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::SignedHead;
use crate::domain::account::AccountKind;
use crate::domain::date::Timestamp;
use crate::domain::id::PassNumber;

/// Under what a custody report is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CustodyFrame {
    /// The programme's code.
    pub programme: String,
    /// What had happened until then, included.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
    /// As it was known then.
    #[schema(value_type = String, format = DateTime)]
    pub known_at: Timestamp,
    /// The last signed head of the log when it was computed; null when there is none.
    pub head: Option<SignedHead>,
}

/// A range of passes and who held it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldRange {
    /// First pass of the range.
    pub first_pass: PassNumber,
    /// Last pass of the range, included.
    pub last_pass: PassNumber,
    /// The account it lay in.
    pub account: AccountKind,
    /// Number of the prescriber or site, for accounts that have one.
    pub holder: Option<i32>,
    /// That holder's name.
    pub name: Option<String>,
}

impl HeldRange {
    /// How many passes.
    pub fn passes(&self) -> i64 {
        let (first, last) = (self.first_pass.get(), self.last_pass.get());
        i64::from(last).saturating_sub(first.into()).saturating_add(1)
    }
}

/// What a holder held in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Holding {
    /// The account.
    pub account: AccountKind,
    /// Number of the prescriber or site.
    pub holder: Option<i32>,
    /// That holder's name.
    pub name: Option<String>,
    /// How many passes.
    pub passes: i64,
}

/// A whole custody report, as the contract has it; it is written range by range.
#[derive(Serialize, ToSchema)]
pub struct Custody {
    #[serde(flatten)]
    frame: CustodyFrame,
    /// Neighbouring passes in the same account, put together, in the order of their numbers.
    ranges: Vec<HeldRange>,
    /// The same, summed by holder.
    totals: Vec<Holding>,
    /// All passes that had been issued.
    passes: i64,
}

/// Sums ranges as they go by.
#[derive(Default)]
pub struct Totals(BTreeMap<(AccountKind, Option<i32>), (Option<String>, i64)>);

impl Totals {
    /// Adds a range.
    pub fn add(&mut self, range: &HeldRange) {
        let (_, sum) =
            self.0.entry((range.account, range.holder)).or_insert_with(|| (range.name.clone(), 0));
        *sum = sum.saturating_add(range.passes());
    }

    /// What each holder holds, by account and number.
    pub fn holdings(self) -> Vec<Holding> {
        let each = self.0.into_iter();
        each.map(|((account, holder), (name, passes))| Holding { account, holder, name, passes })
            .collect()
    }
}
