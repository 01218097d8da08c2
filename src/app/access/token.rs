//! Access tokens: `EdDSA` and nothing else, ten minutes, bound to one programme and one session.
//!
//! A token is good as long as its session is. Whoever takes a role away, changes it, or ends a session writes
//! that into the session; every process looks each second which were ended in the last minutes, older tokens being
//! over by themselves. So no request asks the database, and a token of an ended session lives for a second at most,
//! in the process that ended it not at all.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::TimeDelta;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::{EncodePrivateKey, EncodePublicKey, spki::der::pem::LineEnding};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde::{Deserialize, Serialize};

use super::KeySet;
use crate::db::{Clock, Db, Scope, sessions};
use crate::domain::{
    Actor, OrganisationId, ProgrammeId, Refusal, Role, SessionId, SiteId, Timestamp, UserId,
};
use crate::error::{Error, Result};
use crate::keys::{Keys, kid_of};

const ISSUER: &str = "souche";
const AUDIENCE: &str = "souche-api";
/// RFC 9068's type of an access token: one made for anything else is not taken.
const TYPE: &str = "at+jwt";
const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// A session that ended before that has no token left that is good.
const LOOK_BACK: TimeDelta = TimeDelta::minutes(12);
/// Past that, which sessions have ended is not known any more, and no token is taken.
const MAX_STALE: Duration = Duration::from_secs(30);
/// How long a second factor is held for recent.
const RECENT: TimeDelta = TimeDelta::minutes(10);

/// Who is signed in, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Whom the token speaks for.
    pub actor: Actor,
    /// The session that it is of.
    pub session: SessionId,
    /// When the person last showed its second factor in that session.
    pub factor_at: Option<Timestamp>,
}

impl Signed {
    /// The actor, who may act: not before it has shown a second factor where its role takes one.
    pub fn actor(&self) -> Result<Actor, Refusal> {
        if self.actor.role.needs_second_factor() && self.factor_at.is_none() {
            return Err(Refusal::SecondFactorNeeded);
        }
        Ok(self.actor)
    }

    /// The actor, who has shown its second factor in the last ten minutes.
    pub fn proven_actor(&self, now: Timestamp) -> Result<Actor, Refusal> {
        let actor = self.actor()?;
        match self.factor_at {
            Some(at) if now.signed_duration_since(at) < RECENT => Ok(actor),
            _ => Err(Refusal::StepUpRequired),
        }
    }
}

/// Makes and reads access tokens.
#[derive(Clone)]
pub struct Tokens {
    signing: EncodingKey,
    kid: String,
    /// By their names: the key of today, and the one before.
    verifying: Arc<BTreeMap<String, DecodingKey>>,
    public: Arc<KeySet>,
    clock: Clock,
    seen: Arc<Mutex<HashMap<String, Seen>>>,
    ended: Arc<RwLock<Ended>>,
}

/// Tokens remembered at once; past it, all are forgotten and read anew.
const MAX_SEEN: usize = 10_000;

/// What a token that was read before speaks for: verifying a signature costs as much as all else that a
/// request costs the service, and a token is shown hundreds of times in its ten minutes.
#[derive(Clone, Copy, Debug)]
struct Seen {
    signed: Signed,
    not_before: i64,
    ends_at: i64,
}

/// Sessions that were ended of late, and when that was looked up; never looked up where nothing ends them.
#[derive(Default)]
struct Ended {
    sessions: HashSet<SessionId>,
    looked_at: Option<Instant>,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    iat: i64,
    nbf: i64,
    exp: i64,
    sid: SessionId,
    /// How the person has shown who it is (RFC 8176).
    amr: Vec<String>,
    /// When it last showed its second factor.
    auth_time: Option<i64>,
    programme: i32,
    role: Role,
    organisation: Option<OrganisationId>,
    site: Option<SiteId>,
}

impl Tokens {
    /// With these keys, on that clock.
    pub fn new(keys: &Keys, clock: Clock) -> anyhow::Result<Self> {
        let private = keys.token.to_pkcs8_pem(LineEnding::LF).context("token key")?;
        let known: Vec<&SigningKey> =
            [&keys.token].into_iter().chain(&keys.previous_token).collect();
        let mut verifying = BTreeMap::new();
        for key in &known {
            let public =
                key.verifying_key().to_public_key_pem(LineEnding::LF).context("token key")?;
            verifying.insert(
                kid_of(&key.verifying_key()).to_string(),
                DecodingKey::from_ed_pem(public.as_bytes())?,
            );
        }
        Ok(Self {
            signing: EncodingKey::from_ed_pem(private.as_bytes())?,
            kid: kid_of(&keys.token.verifying_key()).to_string(),
            verifying: Arc::new(verifying),
            public: Arc::new(KeySet::of(&known)),
            clock,
            seen: Arc::default(),
            ended: Arc::default(),
        })
    }

    /// The keys with which anybody can verify tokens.
    pub fn public_keys(&self) -> &KeySet {
        &self.public
    }

    /// A token for who is signed in, and the seconds it is good for.
    pub fn issue(&self, signed: &Signed) -> anyhow::Result<(String, i64)> {
        let now = self.clock.now().timestamp();
        let Signed { actor, session, factor_at } = signed;
        let amr: &[&str] = if factor_at.is_some() { &["pwd", "otp"] } else { &["pwd"] };
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: actor.user,
            iat: now,
            nbf: now,
            exp: now.saturating_add(LIFETIME.num_seconds()),
            sid: *session,
            amr: amr.iter().map(|&how| how.to_owned()).collect(),
            auth_time: factor_at.map(|at| at.timestamp()),
            programme: actor.programme.get(),
            role: actor.role,
            organisation: actor.organisation,
            site: actor.site,
        };
        let header = Header {
            typ: Some(TYPE.into()),
            kid: Some(self.kid.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        Ok((encode(&header, &claims, &self.signing)?, LIFETIME.num_seconds()))
    }

    /// Who a token says is signed in; nobody when anything about it is wrong, or its session has ended.
    pub fn read(&self, token: &str) -> Result<Signed> {
        let now = self.clock.now().timestamp();
        let known = self.seen().get(token).copied();
        let seen = match known {
            Some(known) => known,
            None => self.remember(token)?,
        };
        if seen.not_before > now || now >= seen.ends_at {
            return Err(Refusal::NotSignedIn.into());
        }
        self.ensure_goes_on(seen.signed.session)?;
        Ok(seen.signed)
    }

    fn ensure_goes_on(&self, session: SessionId) -> Result<()> {
        let ended = self.ended.read().unwrap_or_else(PoisonError::into_inner);
        if ended.sessions.contains(&session) {
            return Err(Refusal::NotSignedIn.into());
        }
        if ended.looked_at.is_some_and(|at| at.elapsed() > MAX_STALE) {
            return Err(Error::Busy("which sessions have ended is not known".into()));
        }
        Ok(())
    }

    /// Looks up which sessions have ended: each second, and after whatever ends some.
    pub fn look(&self, db: &Db) -> Result<()> {
        let looked_at = Some(Instant::now());
        let sessions = db.transact_blocking(Scope::Nobody, |tx| {
            let since = tx.now.checked_sub_signed(LOOK_BACK).unwrap_or(tx.now);
            sessions::ended_since(tx, since)
        })?;
        let sessions = sessions.into_iter().collect();
        *self.ended.write().unwrap_or_else(PoisonError::into_inner) = Ended { sessions, looked_at };
        Ok(())
    }

    fn remember(&self, token: &str) -> Result<Seen, Refusal> {
        let read = self.verify(token)?;
        let mut seen = self.seen();
        if seen.len() >= MAX_SEEN {
            seen.clear();
        }
        seen.insert(token.to_owned(), read);
        Ok(read)
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything about a token but the time, which is judged on our own clock at each use.
    fn verify(&self, token: &str) -> Result<Seen, Refusal> {
        let header = decode_header(token).map_err(|_| Refusal::NotSignedIn)?;
        let key =
            header.kid.and_then(|kid| self.verifying.get(&kid)).ok_or(Refusal::NotSignedIn)?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(Refusal::NotSignedIn);
        }
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["iss", "aud", "exp", "nbf", "sub"]);
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let claims = decode::<Claims>(token, key, &rules).map_err(|_| Refusal::NotSignedIn)?.claims;
        let actor = Actor {
            user: claims.sub,
            role: claims.role,
            programme: ProgrammeId::new(claims.programme),
            organisation: claims.organisation,
            site: claims.site,
        };
        let factor_at = claims.auth_time.and_then(|at| Timestamp::from_timestamp(at, 0));
        let signed = Signed { actor, session: claims.sid, factor_at };
        Ok(Seen { signed, not_before: claims.nbf, ends_at: claims.exp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::date::parse_instant;

    fn signed() -> Signed {
        let actor = Actor {
            user: UserId::generate(),
            role: Role::SiteMediator,
            programme: ProgrammeId::new(3),
            organisation: Some(OrganisationId::new(4)),
            site: Some(SiteId::new(5)),
        };
        Signed { actor, session: SessionId::generate(), factor_at: None }
    }

    #[test]
    fn a_token_speaks_for_its_actor_for_ten_minutes() {
        let clock = Clock::test(parse_instant("2026-11-22T08:00:00Z").unwrap());
        let tokens = Tokens::new(&Keys::generate().unwrap(), clock.clone()).unwrap();
        let signed = signed();
        let (token, seconds) = tokens.issue(&signed).unwrap();
        assert_eq!(seconds, 600);
        assert_eq!(tokens.read(&token).unwrap(), signed);
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
        assert!(tokens.read(&stranger.issue(&signed()).unwrap().0).is_err());
        let (good, _) = tokens.issue(&signed()).unwrap();
        let claims = decode::<serde_json::Value>(&good, &tokens.verifying[&tokens.kid], &{
            let mut lax = Validation::new(Algorithm::EdDSA);
            lax.validate_aud = false;
            lax
        })
        .unwrap()
        .claims;
        let forge = |header: &Header, key: &EncodingKey| encode(header, &claims, key).unwrap();
        let right = Header {
            typ: Some(TYPE.into()),
            kid: Some(tokens.kid.clone()),
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
                kid: Some(tokens.kid.clone()),
                ..Header::new(Algorithm::HS256)
            },
            &EncodingKey::from_secret(public.as_bytes()),
        );
        assert!(tokens.read(&confused).is_err());
    }

    #[test]
    fn a_token_outlives_one_rotation_of_the_key_and_not_two() {
        let mut keys = Keys::generate().unwrap();
        let old = Tokens::new(&keys, Clock::System).unwrap();
        let token = old.issue(&signed()).unwrap().0;
        let mut rotate = || {
            let next = Keys::generate().unwrap().token;
            keys.previous_token = Some(std::mem::replace(&mut keys.token, next));
            Tokens::new(&keys, Clock::System).unwrap()
        };
        let (once, twice) = (rotate(), rotate());
        assert!(once.read(&token).is_ok());
        assert_ne!(once.kid, old.kid);
        assert!(twice.read(&token).is_err());
        assert!(old.read(&once.issue(&signed()).unwrap().0).is_err());
        assert_eq!(once.public_keys().count(), 2);
    }

    #[test]
    fn a_role_that_lets_money_go_acts_with_a_recent_second_factor_only() {
        let now = parse_instant("2026-11-22T08:00:00Z").unwrap();
        let mut money = signed();
        money.actor.role = Role::PublicAccountant;
        assert_eq!(money.actor(), Err(Refusal::SecondFactorNeeded));
        money.factor_at = Some(now);
        assert!(money.actor().is_ok() && money.proven_actor(now).is_ok());
        let later = now + TimeDelta::minutes(10);
        assert_eq!(money.proven_actor(later), Err(Refusal::StepUpRequired));
        assert_eq!(signed().proven_actor(now), Err(Refusal::StepUpRequired));
        assert!(signed().actor().is_ok());
    }
}
