//! Who asks: read from the access token of every request.

use std::future::{Ready, ready};

use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, dev, web};

use super::{Problem, Service};
use crate::domain::{Actor, Refusal};

impl FromRequest for Actor {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(read(request).map_err(Problem::from))
    }
}

fn read(request: &HttpRequest) -> Result<Actor, Refusal> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        header.and_then(|header| header.strip_prefix("Bearer ")).ok_or(Refusal::NotSignedIn)?;
    let service = request.app_data::<web::Data<Service>>().ok_or(Refusal::NotSignedIn)?;
    Ok(service.tokens.read(token)?.0)
}
