//! A pass, end to end.

use actix_web::{HttpResponse, get, web};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::report::{self, Trace};
use crate::domain::{Actor, PassNumber};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(trace);
}

/// Everything that happened to it, in order, with the receipts.
#[utoipa::path(
    tag = "passes", operation_id = "trace_pass", summary = "Suivre un pass de bout en bout",
    params(("pass" = String, Path, description = "Numéro du pass")),
    responses((status = 200, description = "La vie du pass", body = Trace))
)]
#[get("/api/v1/passes/{pass}/trace")]
async fn trace(
    service: web::Data<Service>,
    actor: Actor,
    pass: web::Path<PassNumber>,
) -> Result<HttpResponse, Problem> {
    let number = pass.into_inner();
    Ok(HttpResponse::Ok()
        .json(service.read(actor, move |tx, actor| report::trace(tx, actor, number)).await?))
}
