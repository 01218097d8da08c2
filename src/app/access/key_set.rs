//! The public halves of the keys that sign access tokens, for whoever wants to verify one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use serde::Serialize;
use utoipa::ToSchema;

use crate::keys::kid_of;

/// Public keys, as RFC 7517 and RFC 8037 write them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeySet {
    /// Each of them.
    keys: Vec<PublicKey>,
}

/// A public key of access tokens.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct PublicKey {
    /// Always `OKP`.
    kty: &'static str,
    /// Always `Ed25519`.
    crv: &'static str,
    /// Always `EdDSA`.
    alg: &'static str,
    /// Always `sig`.
    #[serde(rename = "use")]
    usage: &'static str,
    /// Its name, as tokens bear it.
    kid: String,
    /// The key, 32 bytes in base64url.
    x: String,
}

impl KeySet {
    /// The public halves of these.
    pub fn of(keys: &[&SigningKey]) -> Self {
        Self { keys: keys.iter().map(|key| PublicKey::of(key)).collect() }
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.keys.len()
    }
}

impl PublicKey {
    fn of(key: &SigningKey) -> Self {
        Self {
            kty: "OKP",
            crv: "Ed25519",
            alg: "EdDSA",
            usage: "sig",
            kid: kid_of(&key.verifying_key()).to_string(),
            x: URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes()),
        }
    }
}
