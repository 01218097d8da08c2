//! A person's second factor.

use actix_web::{HttpResponse, post, web};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::access::{self, Code, Confirmed, Enrolled, Enrolment, Signed, SignedIn};
use crate::http::write::Json;
use crate::http::{Problem, Service, call};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(enrol).service(confirm).service(step_up);
}

/// It counts once a first code has confirmed it. Who has one shows a code of it, and replaces it.
#[utoipa::path(
    tag = "auth", operation_id = "enrol_second_factor", summary = "Enrôler un second facteur", request_body = Enrolment,
    responses((status = 200, description = "Le secret, montré une fois", body = Enrolled))
)]
#[post("/api/v1/auth/second-factor")]
async fn enrol(
    service: web::Data<Service>,
    signed: Signed,
    body: Json<Enrolment>,
) -> Result<HttpResponse, Problem> {
    let enrolled = access::enrol(&service.gate, signed, body.0, call::audited()).await;
    service.audit_refusal(Some(signed.actor), None, &enrolled).await?;
    Ok(HttpResponse::Ok().json(enrolled?))
}

/// The session goes on with it; the person's others end.
#[utoipa::path(
    tag = "auth", operation_id = "confirm_second_factor", summary = "Confirmer son second facteur", request_body = Code,
    responses((status = 200, description = "Les codes de secours, montrés une fois, et la session", body = Confirmed))
)]
#[post("/api/v1/auth/second-factor/confirmation")]
async fn confirm(
    service: web::Data<Service>,
    signed: Signed,
    body: Json<Code>,
) -> Result<HttpResponse, Problem> {
    let confirmed = access::confirm(&service.gate, signed, body.0, call::audited()).await;
    service.audit_refusal(Some(signed.actor), None, &confirmed).await?;
    let confirmed = confirmed?;
    service.sessions_ended().await?;
    Ok(HttpResponse::Ok().json(confirmed))
}

/// For what takes a second factor shown in the last ten minutes.
#[utoipa::path(
    tag = "auth", operation_id = "step_up", summary = "Montrer à nouveau son second facteur", request_body = Code,
    responses((status = 200, description = "Un jeton d'accès, second facteur montré", body = SignedIn))
)]
#[post("/api/v1/auth/step-up")]
async fn step_up(
    service: web::Data<Service>,
    signed: Signed,
    body: Json<Code>,
) -> Result<HttpResponse, Problem> {
    let shown = access::step_up(&service.gate, signed, body.0, call::audited()).await;
    service.audit_refusal(Some(signed.actor), None, &shown).await?;
    Ok(HttpResponse::Ok().json(shown?))
}
