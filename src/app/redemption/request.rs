//! The key of a redemption, bound to what is asked and not to how it was written or where it was sent: a device
//! that heard no answer may ask again in a batch, under the same key, and is told the same.

use serde_json::json;

use super::batch::NewRedemption;
use crate::app::once::RequestKey;
use crate::domain::Refusal;

/// What a key of a redemption is bound to, alone or in a batch.
const OPERATION: &str = "POST /api/v1/redemptions";

impl NewRedemption {
    /// The key, as it was sent, of this redemption.
    pub fn request(&self, key: &str) -> Result<RequestKey, Refusal> {
        let asked = json!({
            "code": self.code.typable(), "service": self.service, "site": self.site, "workshop": self.workshop,
        });
        RequestKey::new(key, OPERATION, asked.to_string().as_bytes())
    }
}
