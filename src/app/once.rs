//! Exactly once: what was answered to a key is answered again, and done no second time.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::db::{Tx, entries, requests};
use crate::domain::{Refusal, UserId};
use crate::error::{Error, Result};

/// The key of one request, and the hash of what it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    key: String,
    body_hash: [u8; 32],
}

/// What a request came to. Kept with its key, refusals included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done; this is the answer.
    Done(Value),
    /// It was refused.
    Refused(Refusal),
}

impl Outcome {
    /// The answer, or the refusal.
    pub fn into_result(self) -> Result<Value> {
        match self {
            Self::Done(value) => Ok(value),
            Self::Refused(refusal) => Err(refusal.into()),
        }
    }
}

impl RequestKey {
    /// Longest key taken.
    pub const MAX_LEN: usize = 100;

    /// A key of printable ASCII, for a request to `operation` (method and path) with that body.
    pub fn new(key: &str, operation: &str, body: &[u8]) -> Result<Self, Refusal> {
        if !(1..=Self::MAX_LEN).contains(&key.len())
            || !key.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(Refusal::IdempotencyKeyMissing);
        }
        let mut hash = Sha256::new();
        hash.update(operation.as_bytes());
        hash.update([0]);
        hash.update(body);
        Ok(Self { key: key.to_owned(), body_hash: hash.finalize().into() })
    }

    /// The key as it was sent.
    pub fn as_str(&self) -> &str {
        &self.key
    }

    /// SHA-256 of what it asks.
    pub fn body_hash(&self) -> &[u8; 32] {
        &self.body_hash
    }

    /// The key and its hash as an entry bears them: 16 bytes each, the key bound to its user.
    pub fn short(&self, user: UserId) -> ([u8; 16], [u8; 16]) {
        let mut hash = Sha256::new();
        hash.update(user.get().as_bytes());
        hash.update(self.key.as_bytes());
        (first_half(hash.finalize().into()), first_half(self.body_hash))
    }

    /// The earlier outcome, or a refusal when the key was used for something else.
    pub fn replay(&self, earlier: requests::Earlier) -> Result<Outcome> {
        if earlier.body_hash != self.body_hash {
            return Err(Refusal::IdempotencyKeyReused.into());
        }
        Ok(serde_json::from_value(earlier.outcome).map_err(anyhow::Error::from)?)
    }
}

fn first_half(hash: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(hash.first_chunk::<16>().unwrap_or(&[0; 16]));
    half
}

/// Does `work` unless this user's key has done it before; keeps the outcome with the key, in the
/// transaction of its effect. A refusal undoes what `work` wrote, and is kept too. A twin at work on
/// the same key is waited for.
pub fn once<T: Serialize>(
    tx: &mut Tx<'_>,
    user: UserId,
    request: &RequestKey,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
) -> Result<Outcome> {
    if let Some(earlier) = requests::claim(tx, user, &request.key, &request.body_hash)? {
        return request.replay(earlier);
    }
    let (short_key, _) = request.short(user);
    if entries::has_request_key(tx, &short_key)? {
        // A redemption keeps its key in its entry, not in `requests`.
        return Err(Refusal::IdempotencyKeyReused.into());
    }
    let home = tx.programme;
    let outcome = match tx.attempt(work) {
        Ok(done) => Outcome::Done(serde_json::to_value(done).map_err(anyhow::Error::from)?),
        Err(Error::Refused(refusal)) if refusal.is_kept() => Outcome::Refused(refusal),
        Err(error) => return Err(error),
    };
    // The work may have entered a programme that it has just created.
    tx.enter(home)?;
    requests::conclude(
        tx,
        user,
        &request.key,
        &serde_json::to_value(&outcome).map_err(anyhow::Error::from)?,
    )?;
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_bound_to_its_user_and_its_body() {
        let key = |body: &[u8]| RequestKey::new("k-1", "POST /x", body).unwrap();
        let (one, other) = (UserId::generate(), UserId::generate());
        assert_eq!(key(b"a").short(one), key(b"a").short(one));
        assert_ne!(key(b"a").short(one).0, key(b"a").short(other).0);
        assert_ne!(key(b"a").short(one).1, key(b"b").short(one).1);
    }

    #[test]
    fn an_odd_key_is_refused() {
        for key in ["", "two words", "é", &"k".repeat(101)] {
            assert_eq!(RequestKey::new(key, "POST /x", b""), Err(Refusal::IdempotencyKeyMissing));
        }
    }
}
