//! Access tokens: `EdDSA` and nothing else, ten minutes, bound to one programme.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use chrono::TimeDelta;
use ed25519_dalek::pkcs8::{EncodePrivateKey, EncodePublicKey, spki::der::pem::LineEnding};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use crate::db::Clock;
use crate::domain::{Actor, OrganisationId, ProgrammeId, Refusal, Role, SiteId, Timestamp, UserId};
use crate::keys::Keys;

const ISSUER: &str = "souche";
const AUDIENCE: &str = "souche-api";
/// RFC 9068's type of an access token: one made for anything else is not taken.
const TYPE: &str = "at+jwt";
/// Names the one key there is.
const KEY_ID: &str = "1";
const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// Makes and reads access tokens.
#[derive(Clone)]
pub struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    clock: Clock,
    seen: Arc<Mutex<HashMap<String, Seen>>>,
}

/// Tokens remembered at once; past it, all are forgotten and read anew.
const MAX_SEEN: usize = 10_000;

/// What a token that was read before speaks for: verifying a signature costs as much as all else that a
/// request costs the service, and a token is shown hundreds of times in its ten minutes.
#[derive(Clone, Copy, Debug)]
struct Seen {
    actor: Actor,
    not_before: i64,
    ends_at: Timestamp,
}

impl Seen {
    fn at(self, now: i64) -> Result<(Actor, Timestamp), Refusal> {
        if self.not_before <= now && now < self.ends_at.timestamp() {
            Ok((self.actor, self.ends_at))
        } else {
            Err(Refusal::NotSignedIn)
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    iat: i64,
    nbf: i64,
    exp: i64,
    programme: i32,
    role: Role,
    organisation: Option<OrganisationId>,
    site: Option<SiteId>,
}

impl Tokens {
    /// With these keys, on that clock.
    pub fn new(keys: &Keys, clock: Clock) -> anyhow::Result<Self> {
        let private = keys.token.to_pkcs8_pem(LineEnding::LF).context("token key")?;
        let public =
            keys.token.verifying_key().to_public_key_pem(LineEnding::LF).context("token key")?;
        Ok(Self {
            signing: EncodingKey::from_ed_pem(private.as_bytes())?,
            verifying: DecodingKey::from_ed_pem(public.as_bytes())?,
            clock,
            seen: Arc::default(),
        })
    }

    /// A token for an actor, and the seconds it is good for.
    pub fn issue(&self, actor: &Actor) -> anyhow::Result<(String, i64)> {
        let now = self.clock.now().timestamp();
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: actor.user,
            iat: now,
            nbf: now,
            exp: now.saturating_add(LIFETIME.num_seconds()),
            programme: actor.programme.get(),
            role: actor.role,
            organisation: actor.organisation,
            site: actor.site,
        };
        let header = Header {
            typ: Some(TYPE.into()),
            kid: Some(KEY_ID.into()),
            ..Header::new(Algorithm::EdDSA)
        };
        Ok((encode(&header, &claims, &self.signing)?, LIFETIME.num_seconds()))
    }

    /// The actor that a token speaks for, and when it ends; nobody when anything about it is wrong.
    pub fn read(&self, token: &str) -> Result<(Actor, Timestamp), Refusal> {
        let now = self.clock.now().timestamp();
        let known = self.seen().get(token).copied();
        if let Some(known) = known {
            return known.at(now);
        }
        let read = self.verify(token)?;
        let mut seen = self.seen();
        if seen.len() >= MAX_SEEN {
            seen.clear();
        }
        seen.insert(token.to_owned(), read);
        read.at(now)
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything about a token but the time, which is judged on our own clock at each use.
    fn verify(&self, token: &str) -> Result<Seen, Refusal> {
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["iss", "aud", "exp", "nbf", "sub"]);
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let read =
            decode::<Claims>(token, &self.verifying, &rules).map_err(|_| Refusal::NotSignedIn)?;
        let (header, claims) = (read.header, read.claims);
        let is_ours = header.typ.as_deref() == Some(TYPE) && header.kid.as_deref() == Some(KEY_ID);
        let ends_at = Timestamp::from_timestamp(claims.exp, 0).filter(|_| is_ours);
        let actor = Actor {
            user: claims.sub,
            role: claims.role,
            programme: ProgrammeId::new(claims.programme),
            organisation: claims.organisation,
            site: claims.site,
        };
        let ends_at = ends_at.ok_or(Refusal::NotSignedIn)?;
        Ok(Seen { actor, not_before: claims.nbf, ends_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::date::parse_instant;

    fn actor() -> Actor {
        Actor {
            user: UserId::generate(),
            role: Role::SiteMediator,
            programme: ProgrammeId::new(3),
            organisation: Some(OrganisationId::new(4)),
            site: Some(SiteId::new(5)),
        }
    }

    #[test]
    fn a_token_speaks_for_its_actor_for_ten_minutes() {
        let clock = Clock::test(parse_instant("2026-11-22T08:00:00Z").unwrap());
        let tokens = Tokens::new(&Keys::generate().unwrap(), clock.clone()).unwrap();
        let actor = actor();
        let (token, seconds) = tokens.issue(&actor).unwrap();
        assert_eq!(seconds, 600);
        assert_eq!(tokens.read(&token).unwrap().0, actor);
        clock.set(parse_instant("2026-11-22T08:10:00Z").unwrap());
        assert!(tokens.read(&token).is_err());
        clock.set(parse_instant("2026-11-22T07:59:59Z").unwrap());
        assert!(tokens.read(&token).is_err());
    }

    #[test]
    fn a_token_of_another_key_type_or_algorithm_is_nobodys() {
        let keys = Keys::generate().unwrap();
        let tokens = Tokens::new(&keys, Clock::System).unwrap();
        let stranger = Tokens::new(&Keys::generate().unwrap(), Clock::System).unwrap();
        assert!(tokens.read(&stranger.issue(&actor()).unwrap().0).is_err());
        let (good, _) = tokens.issue(&actor()).unwrap();
        let claims = decode::<serde_json::Value>(&good, &tokens.verifying, &{
            let mut lax = Validation::new(Algorithm::EdDSA);
            lax.validate_aud = false;
            lax
        })
        .unwrap()
        .claims;
        let forge = |header: &Header, key: &EncodingKey| encode(header, &claims, key).unwrap();
        let right = Header {
            typ: Some(TYPE.into()),
            kid: Some(KEY_ID.into()),
            ..Header::new(Algorithm::EdDSA)
        };
        assert!(tokens.read(&forge(&right, &tokens.signing)).is_ok());
        assert!(
            tokens
                .read(&forge(&Header { typ: Some("JWT".into()), ..right.clone() }, &tokens.signing))
                .is_err()
        );
        assert!(
            tokens
                .read(&forge(&Header { kid: Some("2".into()), ..right }, &tokens.signing))
                .is_err()
        );
        let public = keys.token.verifying_key().to_public_key_pem(LineEnding::LF).unwrap();
        let confused = forge(
            &Header {
                typ: Some(TYPE.into()),
                kid: Some(KEY_ID.into()),
                ..Header::new(Algorithm::HS256)
            },
            &EncodingKey::from_secret(public.as_bytes()),
        );
        assert!(tokens.read(&confused).is_err());
    }
}
