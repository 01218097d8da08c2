//! A type per id, all on one page. Within a programme ids are numbers in a continuous series, small
//! enough to lead every key and to be said on the telephone; on the wire they are opaque strings.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! numbers {
    ($($(#[$doc:meta])+ $name:ident, $width:literal;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, pattern = "^[0-9]{1,9}$")]
        pub struct $name(i32);

        impl $name {
            /// Wraps a number that a series has given out.
            pub const fn new(number: i32) -> Self {
                Self(number)
            }

            /// The number in its series.
            pub const fn get(self) -> i32 {
                self.0
            }

            /// The id `n` places further in the series; stays where it is past the last number.
            #[must_use]
            pub const fn plus(self, n: i32) -> Self {
                Self(self.0.saturating_add(n))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:0width$}", self.0, width = $width)
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let is_number = (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
                match text.parse() {
                    Ok(number) if is_number && number > 0 => Ok(Self(number)),
                    _ => Err("un identifiant fait de 1 à 9 chiffres est attendu : reprenez celui que le service a donné".into()),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    )+};
}

numbers! {
    /// A programme (fr: dispositif); the tenant of everything else.
    ProgrammeId, 1;
    /// An organisation (fr: structure): a prescriber, or the bearer of sites.
    OrganisationId, 1;
    /// A mediation place (fr: lieu).
    SiteId, 1;
    /// An order of booklets (fr: commande).
    OrderId, 1;
    /// The funding of an order (fr: financement).
    FundingId, 1;
    /// A booklet (fr: carnet), printed with five digits.
    BookletId, 5;
    /// The public number of a pass, printed with seven digits.
    PassNumber, 7;
    /// A delivery to a prescriber (fr: livraison).
    DeliveryId, 1;
    /// A hand-over to a person (fr: remise).
    HandOverId, 1;
    /// A bank account (fr: compte bancaire).
    BankAccountId, 1;
    /// A settlement (fr: lot de paiement).
    SettlementId, 1;
    /// A payout (fr: contre-paiement).
    PayoutId, 1;
    /// A workshop at a site (fr: atelier).
    WorkshopId, 1;
    /// An incident: a settled redemption that was undone.
    IncidentId, 1;
    /// A fraud flag (fr: signalement).
    FlagId, 1;
    /// An audit sample (fr: échantillon d'audit).
    SampleId, 1;
    /// A line of a sample: one receipt that was drawn (fr: ligne).
    LineNumber, 1;
    /// What was found on a line of a sample (fr: constat).
    FindingId, 1;
}

impl ProgrammeId {
    /// The instance itself, where programmes are created: no programme bears this number.
    pub const INSTANCE: Self = Self(0);
}

macro_rules! uuids {
    ($($(#[$doc:meta])+ $name:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = "uuid")]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, later in order than those made before it on this machine.
            #[expect(clippy::disallowed_methods, reason = "the one place that mints ids")]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// Wraps an id that was read.
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The id itself.
            pub const fn get(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

uuids! {
    /// A person with an account.
    UserId;
    /// An entry of the journal, and its receipt.
    EntryId;
    /// A session: one sign-in, and all that was renewed from it.
    SessionId;
    /// An invitation to take a role.
    InvitationId;
    /// A letter on its way.
    LetterId;
}

/// The name of a key that signs (fr: identifiant de clé): the first eight bytes of the SHA-256 of its public
/// half, 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kid(u64);

impl Kid {
    /// Names a key by these bytes.
    pub const fn new(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One redemption: a pass, and which time it was. Written `0412733-1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedemptionId {
    /// The pass redeemed.
    pub pass: PassNumber,
    /// 1 for its first redemption, 2 for the one after a void, and so on.
    pub cycle: i16,
}

impl fmt::Display for RedemptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.pass, self.cycle)
    }
}

impl FromStr for RedemptionId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('-').and_then(|(pass, cycle)| {
            let cycle = cycle.parse().ok().filter(|cycle| (1..=9999).contains(cycle))?;
            Some(Self { pass: pass.parse().ok()?, cycle })
        });
        parts.ok_or_else(|| "le numéro d'une utilisation est attendu, par exemple 0412733-1".into())
    }
}

impl TryFrom<String> for RedemptionId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<RedemptionId> for String {
    fn from(id: RedemptionId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_number_is_printed_with_seven_digits_and_read_back() {
        assert_eq!(PassNumber::new(412_733).to_string(), "0412733");
        assert_eq!("0412733".parse(), Ok(PassNumber::new(412_733)));
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in ["", "0", "-1", "+1", "1.0", "9999999999", "12a", "１２"] {
            assert!(text.parse::<OrderId>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_redemption_is_named_by_its_pass_and_cycle() {
        let id: RedemptionId = "0412733-2".parse().unwrap();
        assert_eq!((id.pass.get(), id.cycle), (412_733, 2));
        assert_eq!(id.to_string(), "0412733-2");
        assert!("0412733-0".parse::<RedemptionId>().is_err());
    }
}
