//! Audit samples (fr: échantillon d'audit): some receipts of the log, drawn so that nobody chose them, to be checked one by
//! one. Who operates can't steer the draw, who audits can't repeat it until it pleases:
//!
//! 1. the auditor *commits* to a secret seed by its SHA-256, and says which receipts the sample is of;
//! 2. the commitment becomes a leaf of the log; the head of the tree that ends with it exists from then on, and not before;
//! 3. the auditor reveals the seed: seed and head together decide which of the leaves before are drawn.
//!
//! Neither can try other values: the head was unknown when the seed was chosen, the seed when the head was made
//! (docs/decisions/0031-a-sample-nobody-chose.md). All of it is recomputed by anyone from receipts alone.

mod draw;
mod look;

use std::fmt;

use chrono::Datelike;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

pub use draw::{Draw, Lot, Sample};
pub use look::to_look_at;

use super::date::{BusinessDate, Timestamp};
use super::entry::EntryKind;
use super::id::SiteId;

macro_rules! words_of_32_bytes {
    ($($(#[$doc:meta])+ $name:ident, $expected:literal;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
        pub struct $name(pub [u8; 32]);

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                unhex(&text).map(Self).ok_or_else(|| $expected.into())
            }
        }

        impl From<$name> for String {
            fn from(bytes: $name) -> String {
                bytes.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    )+};
}

words_of_32_bytes! {
    /// What the auditor draws by (fr: graine): 32 bytes that nobody else knows until the draw; 64 hexadecimal digits.
    Seed, "une graine de 32 octets, écrite en 64 chiffres hexadécimaux minuscules, est attendue";
    /// What commits to a seed (fr: engagement): its SHA-256; 64 hexadecimal digits.
    Commitment, "le SHA-256 de la graine, écrit en 64 chiffres hexadécimaux minuscules, est attendu";
}

impl Seed {
    /// What commits to it.
    pub fn commitment(&self) -> Commitment {
        Commitment(Sha256::digest(self.0).into())
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let half = |half: Option<&str>| u128::from_str_radix(half?, 16).ok();
    if text.len() != 64 || !is_hex {
        return None;
    }
    let (left, right) = (half(text.get(..32))?.to_be_bytes(), half(text.get(32..))?.to_be_bytes());
    [left, right].concat().try_into().ok()
}

/// What the population is parted by (fr: strate), so that each part has its share of the sample.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Strata {
    /// What was recorded.
    Kind,
    /// The site that the receipt names; what names none is one stratum.
    Site,
    /// The month in which it happened, in Paris.
    Month,
}

/// One part of the population, in the order of their lines: words by their letters, sites by number, 0 for none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stratum {
    /// A kind of entry (`redemption`), or a month (`2026-03`).
    Word(String),
    /// A site.
    Site(i32),
}

impl fmt::Display for Stratum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Site(number) => number.fmt(f),
        }
    }
}

/// What a person found on one receipt (fr: constat).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Conclusion {
    /// In order.
    Conform,
    /// Not in order.
    Anomaly,
    /// Nothing at hand says which.
    NotVerifiable,
}

impl Conclusion {
    /// In French.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Conform => "Conforme",
            Self::Anomaly => "Anomalie",
            Self::NotVerifiable => "Non vérifiable",
        }
    }
}

/// How many receipts of each stratum: 1 to 100; a stratum that has fewer gives all it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "i32", into = "i32")]
#[schema(value_type = i32, minimum = 1, maximum = 100)]
pub struct PerStratum(i32);

impl PerStratum {
    /// The number.
    pub const fn get(self) -> i32 {
        self.0
    }

    /// The same, to count with.
    pub fn count(self) -> usize {
        usize::try_from(self.0).unwrap_or_default()
    }
}

impl TryFrom<i32> for PerStratum {
    type Error = String;

    fn try_from(n: i32) -> Result<Self, String> {
        if (1..=100).contains(&n) {
            Ok(Self(n))
        } else {
            Err("un nombre de récépissés par strate, de 1 à 100, est attendu".into())
        }
    }
}

impl From<PerStratum> for i32 {
    fn from(n: PerStratum) -> i32 {
        n.0
    }
}

/// Of which receipts a sample is, and how many: said before the draw, and never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criteria {
    /// Kinds of entries: at least one, none twice.
    pub kinds: Vec<EntryKind>,
    /// First day on which they happened, in Paris.
    pub from_on: BusinessDate,
    /// Last day, included.
    pub until_on: BusinessDate,
    /// What parts them.
    pub strata: Strata,
    /// How many of each part.
    pub per_stratum: PerStratum,
}

/// A leaf of the log, as far as a draw looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its position.
    pub leaf: u64,
    /// What its receipt records.
    pub kind: EntryKind,
    /// The day on which it happened, in Paris.
    pub day: BusinessDate,
    /// The site that it names.
    pub site: Option<SiteId>,
}

impl Candidate {
    /// The leaf of a receipt, by what it says; `None` when it is of a kind that is not known here.
    pub fn read(leaf: u64, receipt: &Value) -> Option<Self> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let happened_at: Timestamp = text(receipt.get("happened_at"))?.parse().ok()?;
        let site = receipt.get("facts").and_then(|facts| text(facts.get("site")));
        Some(Self {
            leaf,
            kind: text(receipt.get("kind"))?.parse().ok()?,
            day: BusinessDate::of(happened_at),
            site: site.and_then(|site| site.parse().ok()),
        })
    }
}

impl Criteria {
    /// Is the leaf of the population, and of which part?
    pub fn stratum(&self, candidate: &Candidate) -> Option<Stratum> {
        let is_within = (self.from_on..=self.until_on).contains(&candidate.day);
        if !is_within || !self.kinds.contains(&candidate.kind) {
            return None;
        }
        Some(match self.strata {
            Strata::Kind => Stratum::Word(<&str>::from(candidate.kind).to_owned()),
            Strata::Site => Stratum::Site(candidate.site.map_or(0, SiteId::get)),
            Strata::Month => {
                let day = candidate.day.get();
                Stratum::Word(format!("{:04}-{:02}", day.year(), day.month()))
            }
        })
    }
}

#[cfg(test)]
mod tests;
