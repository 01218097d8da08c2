//! The accounts of the two books. An account's id is made from what it is, so that no transfer has
//! to look it up.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use super::id::{OrganisationId, SiteId};

/// One of the two books: passes are counted in one, euro cents in the other, and they never mix.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "UPPERCASE")]
#[serde(rename_all = "UPPERCASE")]
pub enum Book {
    /// Whole passes.
    Pass,
    /// Euro cents.
    Eur,
}

/// What an account is for (docs/ledger.md). `printer` stands between minting and the sponsor's stock.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// Passes made; its credit balance counts them all.
    Issued,
    /// At the printer's.
    Printer,
    /// In the sponsor's stock.
    SponsorStock,
    /// On the way to a prescriber.
    InTransit,
    /// In one prescriber's stock.
    PrescriberStock,
    /// In people's hands.
    Circulation,
    /// Redeemed at one site.
    Redeemed,
    /// Past use.
    Expired,
    /// Withdrawn.
    Cancelled,
    /// The ring-fenced bank account; the one asset of its book.
    Bank,
    /// Funds received and not yet attached to passes.
    FundsReceived,
    /// What funded, unused passes are worth (fr: contre-valeur détenue).
    Float,
    /// Owed to one site.
    Payable,
    /// Ordered from the bank, not yet debited.
    InTransitToBank,
    /// Fees.
    Fees,
    /// Owed back to the sponsor.
    RefundDue,
}

impl AccountKind {
    /// The book it stands in.
    pub const fn book(self) -> Book {
        match self {
            Self::Issued
            | Self::Printer
            | Self::SponsorStock
            | Self::InTransit
            | Self::PrescriberStock
            | Self::Circulation
            | Self::Redeemed
            | Self::Expired
            | Self::Cancelled => Book::Pass,
            Self::Bank
            | Self::FundsReceived
            | Self::Float
            | Self::Payable
            | Self::InTransitToBank
            | Self::Fees
            | Self::RefundDue => Book::Eur,
        }
    }

    /// What it holds, in the words of reports.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Issued => "émis",
            Self::Printer => "chez l'imprimeur",
            Self::SponsorStock => "stock du commanditaire",
            Self::InTransit => "en transit",
            Self::PrescriberStock => "chez les prescripteurs",
            Self::Circulation => "entre les mains des bénéficiaires",
            Self::Redeemed => "utilisés",
            Self::Expired => "périmés",
            Self::Cancelled => "annulés",
            Self::Bank => "en banque",
            Self::FundsReceived => "fonds à affecter",
            Self::Float => "contre-valeur détenue",
            Self::Payable => "dû aux lieux",
            Self::InTransitToBank => "en transit vers la banque",
            Self::Fees => "frais",
            Self::RefundDue => "à rendre au commanditaire",
        }
    }

    /// Is there one for each prescriber or site, rather than one for the programme?
    pub const fn has_holder(self) -> bool {
        matches!(self, Self::PrescriberStock | Self::Redeemed | Self::Payable)
    }

    /// The last two digits of its accounts' ids. Never renumbered: journals refer to them.
    pub const fn code(self) -> i32 {
        match self {
            Self::Issued => 1,
            Self::Printer => 2,
            Self::SponsorStock => 3,
            Self::InTransit => 4,
            Self::PrescriberStock => 5,
            Self::Circulation => 6,
            Self::Redeemed => 7,
            Self::Expired => 8,
            Self::Cancelled => 9,
            Self::Bank => 51,
            Self::FundsReceived => 52,
            Self::Float => 53,
            Self::Payable => 54,
            Self::InTransitToBank => 55,
            Self::Fees => 56,
            Self::RefundDue => 57,
        }
    }
}

/// One account of a programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    kind: AccountKind,
    holder: i32,
}

impl Account {
    /// The programme's own account of that kind; for kinds without a holder.
    pub const fn of(kind: AccountKind) -> Self {
        Self { kind, holder: 0 }
    }

    /// A prescriber's stock.
    pub const fn stock_of(prescriber: OrganisationId) -> Self {
        Self { kind: AccountKind::PrescriberStock, holder: prescriber.get() }
    }

    /// Passes redeemed at a site.
    pub const fn redeemed_at(site: SiteId) -> Self {
        Self { kind: AccountKind::Redeemed, holder: site.get() }
    }

    /// What is owed to a site.
    pub const fn payable_to(site: SiteId) -> Self {
        Self { kind: AccountKind::Payable, holder: site.get() }
    }

    /// What it is for.
    pub const fn kind(self) -> AccountKind {
        self.kind
    }

    /// Whose it is, when its kind has holders.
    pub fn holder(self) -> Option<i32> {
        self.kind.has_holder().then_some(self.holder)
    }

    /// Its id: a hundred times the holder, plus the kind's code.
    pub const fn id(self) -> i32 {
        self.holder.saturating_mul(100).saturating_add(self.kind.code())
    }

    /// The account that bears this id; `None` when no kind has its code.
    pub fn from_id(id: i32) -> Option<Self> {
        use strum::VariantArray;
        let kind = AccountKind::VARIANTS.iter().find(|kind| kind.code() == id % 100)?;
        Some(Self { kind: *kind, holder: id / 100 })
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind: &str = self.kind.into();
        match self.holder() {
            Some(holder) => write!(f, "{kind}:{holder}"),
            None => f.write_str(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_back_from_its_id() {
        for kind in AccountKind::VARIANTS {
            let account = Account { kind: *kind, holder: if kind.has_holder() { 42 } else { 0 } };
            assert_eq!(Account::from_id(account.id()), Some(account));
        }
        assert_eq!(Account::from_id(100), None);
    }

    #[test]
    fn no_two_kinds_share_a_code() {
        let mut codes: Vec<i32> = AccountKind::VARIANTS.iter().map(|kind| kind.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), AccountKind::VARIANTS.len());
    }
}
