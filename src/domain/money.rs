//! Money is two types: what moves, and what a balance stands at. Integer euro cents, never floats.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What one transfer or payment moves, in euro cents: more than nothing, at most ten billion euros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "i64", into = "i64")]
#[schema(value_type = i64, minimum = 1)]
pub struct Amount(i64);

impl Amount {
    const MAX_CENTS: i64 = 1_000_000_000_000;

    /// The same, as cents.
    pub const fn cents(self) -> i64 {
        self.0
    }

    /// `n` times as much; `None` when that is nothing, or past the maximum.
    pub fn times(self, n: i64) -> Option<Self> {
        self.0.checked_mul(n).and_then(|cents| Self::try_from(cents).ok())
    }
}

impl TryFrom<i64> for Amount {
    type Error = String;

    fn try_from(cents: i64) -> Result<Self, String> {
        if (1..=Self::MAX_CENTS).contains(&cents) {
            Ok(Self(cents))
        } else {
            Err(format!("un montant de 1 à {} centimes est attendu", Self::MAX_CENTS))
        }
    }
}

impl From<Amount> for i64 {
    fn from(amount: Amount) -> i64 {
        amount.0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Cents(self.0).fmt(f)
    }
}

/// What a balance stands at, in euro cents: may be nothing, may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cents(pub i64);

impl fmt::Display for Cents {
    /// As French readers write it: `1 234,50 €`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (mut euros, cents) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        let mut groups = Vec::new();
        while euros >= 1000 {
            groups.push(format!("{:03}", euros % 1000));
            euros /= 1000;
        }
        groups.push(euros.to_string());
        groups.reverse();
        write!(f, "{sign}{},{cents:02}\u{a0}€", groups.join("\u{202f}"))
    }
}

/// An amount of money on the wire. The name of the field that holds it says which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Money {
    /// Whole cents.
    pub amount_cents: i64,
    /// Always `EUR`.
    pub currency: &'static str,
}

impl From<i64> for Money {
    fn from(amount_cents: i64) -> Self {
        Self { amount_cents, currency: "EUR" }
    }
}

impl From<Amount> for Money {
    fn from(amount: Amount) -> Self {
        amount.cents().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_more_than_nothing() {
        assert!(Amount::try_from(0).is_err());
        assert!(Amount::try_from(-1).is_err());
        assert!(Amount::try_from(1).is_ok());
        assert!(Amount::try_from(i64::MAX).is_err());
        assert_eq!(Amount(1000).times(i64::MAX), None);
    }

    #[test]
    fn cents_are_written_as_in_french() {
        assert_eq!(Cents(66_100_000).to_string(), "661\u{202f}000,00\u{a0}€");
        assert_eq!(Cents(-5).to_string(), "-0,05\u{a0}€");
    }
}
