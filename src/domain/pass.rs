//! The life of a pass: its states, and what may be done in each.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use super::date::{BusinessDate, Timestamp};
use super::id::{HandOverId, SiteId};
use super::refusal::Refusal;

/// Where a pass stands, as a word.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PassStateName {
    /// Printed, not yet funded: worth nothing.
    Inert,
    /// Funded, not yet in anybody's hands.
    Active,
    /// Handed over against a receipt: can be spent.
    Distributed,
    /// Spent.
    Redeemed,
    /// Under a stop order (fr: opposition).
    Stopped,
    /// Past its last day of use.
    Expired,
    /// Withdrawn, replaced pass included.
    Cancelled,
}

/// Where a pass stands. Each state carries what is true only in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassState {
    /// Printed, not yet funded: worth nothing.
    Inert,
    /// Funded, not yet in anybody's hands.
    Active,
    /// In somebody's hands.
    Distributed(HandOverId),
    /// Spent; by the redemption of the pass's present cycle.
    Redeemed(HandOverId),
    /// Under a stop order.
    Stopped,
    /// Past its last day of use.
    Expired,
    /// Withdrawn.
    Cancelled,
}

/// The last redemption of a pass: what a refusal may tell of it.
#[derive(Clone, Copy, Debug)]
pub struct LastUse {
    /// Where.
    pub site: SiteId,
    /// When.
    pub at: Timestamp,
}

/// What a redemption is judged by, besides the state of the pass.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The site that presents the pass.
    pub site: SiteId,
    /// The moment of the judgement.
    pub now: Timestamp,
    /// Last day of use of the pass's order.
    pub last_use_on: BusinessDate,
    /// Its last redemption, when it has one.
    pub last_use: Option<LastUse>,
}

impl PassState {
    /// Puts together what the database keeps apart; `None` when it holds what can't be.
    pub fn new(name: PassStateName, hand_over: Option<HandOverId>) -> Option<Self> {
        Some(match (name, hand_over) {
            (PassStateName::Inert, _) => Self::Inert,
            (PassStateName::Active, _) => Self::Active,
            (PassStateName::Distributed, Some(hand_over)) => Self::Distributed(hand_over),
            (PassStateName::Redeemed, Some(hand_over)) => Self::Redeemed(hand_over),
            (PassStateName::Distributed | PassStateName::Redeemed, None) => return None,
            (PassStateName::Stopped, _) => Self::Stopped,
            (PassStateName::Expired, _) => Self::Expired,
            (PassStateName::Cancelled, _) => Self::Cancelled,
        })
    }

    /// `Distributed → Redeemed`, or why not. What is not in anybody's hands is not told apart from
    /// what does not exist: a thief of stock learns nothing.
    pub fn redeem(self, ask: &Ask) -> Result<HandOverId, Refusal> {
        match self {
            Self::Inert | Self::Active | Self::Cancelled => Err(Refusal::UnknownPass),
            Self::Stopped => Err(Refusal::Stopped),
            Self::Redeemed(_) => Err(ask.last_use.map_or(Refusal::UnknownPass, |last| {
                Refusal::AlreadyRedeemed { at: last.at, here: last.site == ask.site }
            })),
            Self::Expired => Err(Refusal::Expired { on: ask.last_use_on }),
            // To the second, in Paris: the day after begins at midnight there.
            Self::Distributed(_) if ask.now >= ask.last_use_on.end() => {
                Err(Refusal::Expired { on: ask.last_use_on })
            }
            Self::Distributed(hand_over) => Ok(hand_over),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::date::parse_instant;

    fn ask(now: &str) -> Ask {
        Ask {
            site: SiteId::new(1),
            now: parse_instant(now).unwrap(),
            last_use_on: BusinessDate::try_from("2026-12-31".to_owned()).unwrap(),
            last_use: Some(LastUse {
                site: SiteId::new(2),
                at: parse_instant("2026-05-01T08:00:00Z").unwrap(),
            }),
        }
    }

    #[test]
    fn each_state_answers_a_redemption_in_its_own_way() {
        let hand_over = HandOverId::new(3);
        let told = |state: PassState| {
            state.redeem(&ask("2026-06-01T08:00:00Z")).map_err(|refusal| refusal.code())
        };
        assert_eq!(told(PassState::Inert), Err("unknown_pass"));
        assert_eq!(told(PassState::Active), Err("unknown_pass"));
        assert_eq!(told(PassState::Distributed(hand_over)), Ok(hand_over));
        assert_eq!(told(PassState::Redeemed(hand_over)), Err("already_redeemed"));
        assert_eq!(told(PassState::Stopped), Err("stopped"));
        assert_eq!(told(PassState::Expired), Err("expired"));
        assert_eq!(told(PassState::Cancelled), Err("unknown_pass"));
    }

    #[test]
    fn a_pass_is_good_until_the_last_second_of_its_last_day_in_paris() {
        let pass = PassState::Distributed(HandOverId::new(3));
        assert!(pass.redeem(&ask("2026-12-31T22:59:59.999999Z")).is_ok());
        assert_eq!(pass.redeem(&ask("2026-12-31T23:00:00Z")).unwrap_err().code(), "expired");
    }

    #[test]
    fn a_state_that_needs_a_hand_over_is_nothing_without_one() {
        for name in PassStateName::VARIANTS {
            let needs_one = matches!(name, PassStateName::Distributed | PassStateName::Redeemed);
            assert_eq!(PassState::new(*name, None).is_none(), needs_one);
        }
    }
}
