//! The identity of a beneficiary: the one operation that shows it.

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::identity::{self, Identity};
use crate::domain::person::ReadingReason;
use crate::domain::{Actor, HandOverId};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(read);
}

/// Why.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "asked for, and kept in the trace as the address says it")]
struct ReasonQuery {
    /// What it is read for.
    #[param(inline)]
    reason: ReadingReason,
}

/// For the operator, and for the prescriber that handed the booklet over. Leaves a trace, with the reason.
#[utoipa::path(
    tag = "hand-overs", operation_id = "read_identity", summary = "Lire l'identité de la personne d'une remise",
    params(("hand_over" = String, Path, description = "Numéro de la remise"), ReasonQuery),
    responses((status = 200, description = "L'identité", body = Identity))
)]
#[get("/api/v1/hand-overs/{hand_over}/identity")]
async fn read(
    service: web::Data<Service>,
    actor: Actor,
    hand_over: web::Path<HandOverId>,
    _: web::Query<ReasonQuery>,
) -> Result<HttpResponse, Problem> {
    let (number, keys) = (hand_over.into_inner(), service.keys.clone());
    let read =
        service.read(actor, move |tx, actor| identity::read(tx, actor, &keys, number)).await?;
    Ok(HttpResponse::Ok().json(read))
}
