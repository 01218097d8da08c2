//! Signing in, and who is signed in.

use actix_web::{HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::access::{self, Credentials, Gate, KeySet, Refresh, SignedIn};
use crate::db::Scope;
use crate::domain::programme::ProgrammeCode;
use crate::domain::{Actor, OrganisationId, Role, SiteId, UserId};
use crate::http::write::Json;
use crate::http::{Problem, Service, call};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(issue_token).service(refresh_token).service(token_keys).service(me);
}

/// Who the token speaks for.
#[derive(Serialize, ToSchema)]
struct MeView {
    /// The account.
    id: UserId,
    /// Its address.
    email: String,
    /// Its name.
    name: String,
    /// The role of this token.
    role: Role,
    /// The organisation it acts for.
    organisation: Option<OrganisationId>,
    /// The one site of a mediator.
    site: Option<SiteId>,
    /// Its role in each programme.
    memberships: Vec<MembershipView>,
}

/// A role in a programme.
#[derive(Serialize, ToSchema)]
struct MembershipView {
    /// The programme; null for the instance itself.
    programme: Option<ProgrammeCode>,
    /// The role there.
    role: Role,
}

/// Password for tokens. No idempotency key: asking again opens another session.
#[utoipa::path(
    tag = "auth", operation_id = "issue_token", summary = "Obtenir un jeton d'accès", request_body = Credentials,
    responses((status = 200, description = "Jetons de la session", body = SignedIn))
)]
#[post("/api/v1/auth/token")]
async fn issue_token(
    service: web::Data<Service>,
    body: Json<Credentials>,
) -> Result<HttpResponse, Problem> {
    let Json(who) = body;
    let email = who.email.clone();
    let signed_in = access::sign_in(&service.gate, who, call::audited()).await;
    service.audit_refusal(None, Some(&email), &signed_in).await?;
    Ok(HttpResponse::Ok().json(signed_in?))
}

/// The old refresh token is used up. Sent again within ten seconds, it brings the same next one; later, it is in two
/// hands, and the session ends.
#[utoipa::path(
    tag = "auth", operation_id = "refresh_token", summary = "Renouveler un jeton d'accès", request_body = Refresh,
    responses((status = 200, description = "Nouveaux jetons de la session", body = SignedIn))
)]
#[post("/api/v1/auth/refresh")]
async fn refresh_token(
    service: web::Data<Service>,
    body: Json<Refresh>,
) -> Result<HttpResponse, Problem> {
    let Json(session) = body;
    let Gate { db, keys, tokens, .. } = service.gate.clone();
    let signed_in = web::block(move || access::refresh(&db, &keys, &tokens, &session)).await;
    Ok(HttpResponse::Ok().json(signed_in.map_err(|error| Problem::busy(&error.to_string()))??))
}

/// The public halves of the keys that sign access tokens (RFC 7517): that of today, and the one before.
#[utoipa::path(
    tag = "auth", operation_id = "read_token_keys", summary = "Lire les clés qui vérifient les jetons",
    responses((status = 200, description = "Les clés publiques", body = KeySet))
)]
#[get("/api/v1/auth/keys")]
async fn token_keys(service: web::Data<Service>) -> HttpResponse {
    HttpResponse::Ok().json(service.gate.tokens.public_keys())
}

/// Account, role and memberships.
#[utoipa::path(
    tag = "auth", operation_id = "read_me", summary = "Qui suis-je ?",
    responses((status = 200, description = "Le compte et ses rôles", body = MeView))
)]
#[get("/api/v1/me")]
async fn me(service: web::Data<Service>, actor: Actor) -> Result<HttpResponse, Problem> {
    let me =
        service.db.transact(Scope::Person(actor.user), move |tx| access::me(tx, &actor)).await?;
    let memberships = me
        .memberships
        .into_iter()
        .map(|(programme, role)| MembershipView { programme, role })
        .collect();
    let Actor { user, role, organisation, site, .. } = actor;
    Ok(HttpResponse::Ok().json(MeView {
        id: user,
        email: me.email,
        name: me.name,
        role,
        organisation,
        site,
        memberships,
    }))
}
