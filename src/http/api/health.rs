//! Is it alive, can it work, and what can it be asked?

use actix_web::{HttpResponse, get, web};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::{Problem, Service, openapi};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(live).service(ready).service(contract);
}

/// Answers as long as the process does.
#[utoipa::path(tag = "health", operation_id = "live", summary = "Le processus répond-il ?", responses((status = 204, description = "Il répond")))]
#[get("/live")]
async fn live() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// Answers when the database does.
#[utoipa::path(tag = "health", operation_id = "ready", summary = "Le service peut-il travailler ?", responses((status = 204, description = "Il le peut : la base répond")))]
#[get("/ready")]
async fn ready(service: web::Data<Service>) -> Result<HttpResponse, Problem> {
    let db = service.db.clone();
    web::block(move || db.ping()).await.map_err(|error| Problem::busy(&error.to_string()))??;
    Ok(HttpResponse::NoContent().finish())
}

/// This document.
#[utoipa::path(
    tag = "health", operation_id = "read_contract", summary = "Lire le contrat de l'API",
    responses((status = 200, description = "openapi.yaml", content_type = "application/yaml", body = Object))
)]
#[get("/openapi.yaml")]
async fn contract() -> Result<HttpResponse, Problem> {
    let text = openapi().to_yaml().map_err(|error| Problem::fault(&anyhow::Error::from(error)))?;
    Ok(HttpResponse::Ok().content_type("application/yaml").body(text))
}
