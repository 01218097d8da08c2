//! Who asks: read from the access token or the API key of every request, at the door.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev, web};

use super::{Problem, Service};
use crate::app::access::{Signed, Standing};
use crate::domain::access::Proof;
use crate::domain::api_key::ApiKeySecret;
use crate::domain::{Actor, Refusal, Timestamp};

/// Who calls, and with what.
#[derive(Clone, Copy)]
pub(super) enum Caller {
    /// A person, with a token of a session that goes on.
    Person(Signed),
    /// A program, with a key: whose secret has that hash.
    Program(Actor, [u8; 32]),
}

impl Caller {
    pub const fn actor(&self) -> Actor {
        match self {
            Self::Person(signed) => signed.actor,
            Self::Program(actor, _) => *actor,
        }
    }

    pub const fn is_program(&self) -> bool {
        matches!(self, Self::Program(..))
    }

    /// What lets it act, to be asked again when it does.
    pub const fn standing(&self) -> Standing {
        match self {
            Self::Person(signed) => Standing::Session(signed.session),
            Self::Program(_, secret_hash) => Standing::Key(*secret_hash),
        }
    }

    /// Refuses a person that has not shown its second factor when it has to.
    pub fn ensure_shown(&self, proof: Proof, now: Timestamp) -> Result<(), Refusal> {
        let Self::Person(signed) = self else { return Ok(()) };
        match proof {
            Proof::None => Ok(()),
            Proof::AtSignIn => signed.actor().map(drop),
            Proof::Recent => signed.proven_actor(now).map(drop),
        }
    }
}

impl FromRequest for Actor {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let admitted = request.extensions().get::<Caller>().map(Caller::actor);
        ready(admitted.ok_or_else(|| Refusal::NotSignedIn.into()))
    }
}

/// A person and its session: for what it does with its own account.
impl FromRequest for Signed {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(match request.extensions().get::<Caller>() {
            Some(Caller::Person(signed)) => Ok(*signed),
            _ => Err(Refusal::NotSignedIn.into()),
        })
    }
}

/// Reads the `Authorization` header.
pub(super) async fn identify(service: &Service, header: Option<&str>) -> Result<Caller, Problem> {
    let token = header.and_then(|header| header.strip_prefix("Bearer "));
    let token = token.ok_or(Refusal::NotSignedIn)?;
    if ApiKeySecret::is_one(token) {
        return of_key(service, token).await;
    }
    Ok(Caller::Person(service.gate.tokens.read(token)?))
}

async fn of_key(service: &Service, token: &str) -> Result<Caller, Problem> {
    let secret = ApiKeySecret::read(token).ok_or(Refusal::NotSignedIn)?;
    let hash = secret.hash();
    let fresh = service.api_keys.fresh(&secret, service.db.clock().now());
    let known = if let Some(known) = fresh {
        known
    } else {
        let (ring, db) = (service.api_keys.clone(), service.db.clone());
        let read = web::block(move || ring.read(&db, &secret)).await;
        read.map_err(|error| Problem::busy(&error.to_string()))??
    };
    Ok(Caller::Program(known.ok_or(Refusal::NotSignedIn)?.0, hash))
}
