//! A person's own sessions.

use actix_web::{HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::access::{self, Signed};
use crate::db::sessions::Session;
use crate::db::{Scope, Tx};
use crate::domain::{SessionId, Timestamp};
use crate::http::page::Page;
use crate::http::write::{Json, Nothing};
use crate::http::{Problem, Service, call};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(end_all).service(end);
}

/// A session that goes on.
#[derive(Serialize, ToSchema)]
struct SessionView {
    /// Its id.
    id: SessionId,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// When it was last renewed.
    #[schema(value_type = String, format = DateTime)]
    used_at: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Is it the one that asks?
    is_this_one: bool,
}

impl SessionView {
    fn new(session: &Session, asking: SessionId) -> Self {
        let Session { id, opened_at, used_at, expires_at, .. } = *session;
        Self { id, opened_at, used_at, expires_at, is_this_one: id == asking }
    }
}

/// The latest first.
#[utoipa::path(
    tag = "auth", operation_id = "list_sessions", summary = "Lister ses sessions",
    responses((status = 200, description = "Les sessions ouvertes", body = Page<SessionView>))
)]
#[get("/api/v1/auth/sessions")]
async fn list(service: web::Data<Service>, signed: Signed) -> Result<HttpResponse, Problem> {
    let user = signed.actor.user;
    let sessions =
        service.db.transact(Scope::Nobody, move |tx| access::sessions_of(tx, user)).await?;
    let items = sessions.iter().map(|session| SessionView::new(session, signed.session)).collect();
    Ok(HttpResponse::Ok().json(Page::<SessionView> { items, next: None }))
}

/// The one that asks included.
#[utoipa::path(
    tag = "auth", operation_id = "end_sessions", summary = "Finir toutes ses sessions", request_body = Nothing,
    responses((status = 204, description = "Finies"))
)]
#[post("/api/v1/auth/sessions/end")]
async fn end_all(
    service: web::Data<Service>,
    signed: Signed,
    _: Json<Nothing>,
) -> Result<HttpResponse, Problem> {
    let (scope, asked) = (Scope::Programme(signed.actor.programme), call::audited());
    service.db.transact(scope, move |tx| access::end_sessions(tx, &signed, asked)).await?;
    service.sessions_ended().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// None of its tokens is taken any more.
#[utoipa::path(
    tag = "auth", operation_id = "end_session", summary = "Finir une de ses sessions", request_body = Nothing,
    params(("session" = SessionId, Path, description = "The session")),
    responses((status = 204, description = "Finie"))
)]
#[post("/api/v1/auth/sessions/{session}/end")]
async fn end(
    service: web::Data<Service>,
    signed: Signed,
    session: web::Path<SessionId>,
    _: Json<Nothing>,
) -> Result<HttpResponse, Problem> {
    let (scope, asked) = (Scope::Programme(signed.actor.programme), call::audited());
    let session = session.into_inner();
    let end = move |tx: &mut Tx<'_>| access::end_session(tx, &signed, session, asked);
    let ended = service.db.transact(scope, end).await;
    service.audit_refusal(Some(signed.actor), None, &ended).await?;
    ended?;
    service.sessions_ended().await?;
    Ok(HttpResponse::NoContent().finish())
}
