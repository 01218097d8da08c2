//! What a redemption is answered with.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::money::Money;
use crate::domain::service::Service;
use crate::domain::{PassNumber, RedemptionId, Refusal, SiteId, Timestamp, WorkshopId};
use crate::error::Result;

/// What a redemption came to: a refusal is an outcome too, kept with its key.
pub type Outcome = std::result::Result<Redeemed, Refusal>;

/// A spent pass: the receipt that the site keeps.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Redeemed {
    /// The redemption: pass and cycle.
    #[schema(value_type = String, example = "0412733-1")]
    pub id: RedemptionId,
    /// The pass.
    pub pass: PassNumber,
    /// Where.
    pub site: SiteId,
    /// For what.
    pub service: Service,
    /// At which workshop.
    pub workshop: Option<WorkshopId>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub redeemed_at: Timestamp,
    /// What the site is owed for it.
    pub payable: Money,
    /// The receipt, as canonical JSON in a string: keep it as it is.
    pub receipt: String,
    /// The key that signs the receipt: it names it too.
    pub kid: Option<String>,
    /// Its signature (Ed25519, base64), made when it is told: the same each time.
    pub signature: Option<String>,
}

impl Redeemed {
    /// The answer that a receipt was first told with, made again from the receipt.
    pub(super) fn told(receipt: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Facts {
            redemption: RedemptionId,
            site: SiteId,
            service: Service,
            #[serde(default)]
            workshop: Option<WorkshopId>,
            amount_cents: i64,
        }
        #[derive(Deserialize)]
        struct Kept {
            recorded_at: Timestamp,
            facts: Facts,
            #[serde(default)]
            kid: Option<String>,
        }
        let kept: Kept = serde_json::from_str(receipt).map_err(anyhow::Error::from)?;
        Ok(Self {
            id: kept.facts.redemption,
            pass: kept.facts.redemption.pass,
            site: kept.facts.site,
            service: kept.facts.service,
            workshop: kept.facts.workshop,
            redeemed_at: kept.recorded_at,
            payable: kept.facts.amount_cents.into(),
            receipt: receipt.to_owned(),
            kid: kept.kid,
            signature: None,
        })
    }
}
