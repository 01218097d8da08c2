//! Who asks: read from the access token or the API key of every request, at the door.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev, web};

use super::{Problem, Service};
use crate::domain::api_key::ApiKeySecret;
use crate::domain::{Actor, Refusal};

/// Who calls, and with what.
#[derive(Clone, Copy)]
pub(super) struct Caller {
    pub actor: Actor,
    /// A program, with a key.
    pub by_api_key: bool,
}

impl FromRequest for Actor {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let admitted = request.extensions().get::<Self>().copied();
        ready(admitted.ok_or_else(|| Refusal::NotSignedIn.into()))
    }
}

/// Reads the `Authorization` header.
pub(super) async fn identify(service: &Service, header: Option<&str>) -> Result<Caller, Problem> {
    let token = header.and_then(|header| header.strip_prefix("Bearer "));
    let token = token.ok_or(Refusal::NotSignedIn)?;
    if ApiKeySecret::is_one(token) {
        let actor = of_key(service, token).await?;
        return Ok(Caller { actor, by_api_key: true });
    }
    Ok(Caller { actor: service.tokens.read(token)?.0, by_api_key: false })
}

async fn of_key(service: &Service, token: &str) -> Result<Actor, Problem> {
    let secret = ApiKeySecret::read(token).ok_or(Refusal::NotSignedIn)?;
    let fresh = service.api_keys.fresh(&secret, service.db.clock().now());
    let known = if let Some(known) = fresh {
        known
    } else {
        let (ring, db) = (service.api_keys.clone(), service.db.clone());
        let read = web::block(move || ring.read(&db, &secret)).await;
        read.map_err(|error| Problem::busy(&error.to_string()))??
    };
    Ok(known.ok_or(Refusal::NotSignedIn)?.0)
}
