//! Accounts of people.

use actix_web::{HttpResponse, post, web};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::access::{self, NewUser, User};
use crate::domain::Actor;
use crate::http::write::{KeyHeader, Write};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(add);
}

/// With a role in the programme of the token.
#[utoipa::path(
    tag = "users", operation_id = "add_user", summary = "Ouvrir un compte avec un rôle", request_body = NewUser, params(KeyHeader),
    responses((status = 201, description = "Ouvert", body = User))
)]
#[post("/api/v1/users")]
async fn add(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewUser>,
) -> Result<HttpResponse, Problem> {
    service.write(actor, write, |tx, actor, new| access::add_user(tx, actor, &new)).await
}
