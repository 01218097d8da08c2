//! Who asks: read from the access token of every request.

use std::future::{Ready, ready};

use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, dev, web};

use super::{Problem, Service};
use crate::app::access::Signed;
use crate::domain::{Actor, Refusal};
use crate::error::Result;

/// An actor who has shown its second factor in the last ten minutes: for what lets money go, or people in.
pub(super) struct Proven(pub Actor);

impl FromRequest for Actor {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(read(request).and_then(|(signed, _)| Ok(signed.actor()?)).map_err(Problem::from))
    }
}

impl FromRequest for Proven {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let proven = |(signed, service): (Signed, &web::Data<Service>)| {
            Ok(Self(signed.proven_actor(service.db.clock().now())?))
        };
        ready(read(request).and_then(proven).map_err(Problem::from))
    }
}

/// Whoever is signed in, even with a second factor still to be enrolled: for its own account alone.
impl FromRequest for Signed {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(read(request).map(|(signed, _)| signed).map_err(Problem::from))
    }
}

fn read(request: &HttpRequest) -> Result<(Signed, &web::Data<Service>)> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        header.and_then(|header| header.strip_prefix("Bearer ")).ok_or(Refusal::NotSignedIn)?;
    let service = request.app_data::<web::Data<Service>>().ok_or(Refusal::NotSignedIn)?;
    Ok((service.gate.tokens.read(token)?, service))
}
