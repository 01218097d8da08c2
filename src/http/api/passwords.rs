//! Passwords, changed or reset.

use actix_web::{HttpResponse, post, web};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::access::{self, AskReset, NewPassword, PasswordChange, Signed};
use crate::db::Scope;
use crate::domain::ProgrammeId;
use crate::http::write::Json;
use crate::http::{Problem, Service, call};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(ask_reset).service(use_reset).service(change);
}

/// The answer is the same whether the address has an account or not; if it has, a link is sent, good once within an
/// hour.
#[utoipa::path(
    tag = "auth", operation_id = "ask_password_reset", summary = "Demander un lien pour un nouveau mot de passe", request_body = AskReset,
    responses((status = 202, description = "Noté"))
)]
#[post("/api/v1/auth/password-resets")]
async fn ask_reset(
    service: web::Data<Service>,
    body: Json<AskReset>,
) -> Result<HttpResponse, Problem> {
    let (keys, asked) = (service.keys.clone(), call::audited());
    let scope = Scope::Programme(ProgrammeId::INSTANCE);
    let noted = service.db.transact(scope, move |tx| access::ask_reset(tx, &keys, &body.0, asked));
    noted.await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Every session of the account ends; its second factor stays.
#[utoipa::path(
    tag = "auth", operation_id = "use_password_reset", summary = "Choisir un nouveau mot de passe par un lien", request_body = NewPassword,
    responses((status = 204, description = "Changé"))
)]
#[post("/api/v1/auth/password-resets/use")]
async fn use_reset(
    service: web::Data<Service>,
    body: Json<NewPassword>,
) -> Result<HttpResponse, Problem> {
    let done = access::use_reset(&service.gate, body.0, call::audited()).await;
    service.audit_refusal(None, None, &done).await?;
    done?;
    service.sessions_ended().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The person's other sessions end.
#[utoipa::path(
    tag = "auth", operation_id = "change_password", summary = "Changer son mot de passe", request_body = PasswordChange,
    responses((status = 204, description = "Changé"))
)]
#[post("/api/v1/auth/password")]
async fn change(
    service: web::Data<Service>,
    signed: Signed,
    body: Json<PasswordChange>,
) -> Result<HttpResponse, Problem> {
    let changed = access::change_password(&service.gate, signed, body.0, call::audited()).await;
    service.audit_refusal(Some(signed.actor), None, &changed).await?;
    changed?;
    service.sessions_ended().await?;
    Ok(HttpResponse::NoContent().finish())
}
