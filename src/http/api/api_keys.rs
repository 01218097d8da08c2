//! API keys of integrators.

use actix_web::{HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::app::Outcome;
use crate::app::api_key::{self, NewApiKey, Rotation};
use crate::db::api_keys::ApiKey;
use crate::domain::api_key::ApiKeySecret;
use crate::domain::{Actor, OrganisationId, Refusal, Role, SiteId, Timestamp, UserId};
use crate::http::page::{Page, PageQuery};
use crate::http::write::{KeyHeader, Nothing, Write};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(rotate).service(revoke);
}

/// An API key (fr: clé d'API), without its secret.
#[derive(Serialize, ToSchema)]
struct ApiKeyView {
    /// Its id: the account that what it does bears.
    id: UserId,
    /// Which program it is for.
    name: String,
    /// What the program may do.
    role: Role,
    /// The organisation it acts for.
    organisation: Option<OrganisationId>,
    /// The one site of a mediator.
    site: Option<SiteId>,
    /// Who made it.
    created_by: UserId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Until when the secret before this one is good too.
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_ends_at: Option<Timestamp>,
    /// When it was ended, if it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.user_id,
            name: key.name,
            role: key.role,
            organisation: key.organisation,
            site: key.site,
            created_by: key.created_by,
            created_at: key.created_at,
            expires_at: key.expires_at,
            previous_ends_at: key.previous_ends_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
        }
    }
}

/// A key and its secret.
#[derive(Serialize, ToSchema)]
struct ShownView {
    /// The key.
    #[schema(value_type = ApiKeyView)]
    key: serde_json::Value,
    /// Its secret, to be sent as `Authorization: Bearer souche_…`: shown this once. Null when this same
    /// request is answered again: what was shown is kept nowhere.
    secret: Option<String>,
}

/// Of the programme; a manager sees those of its organisation. By id.
#[utoipa::path(
    tag = "api-keys", operation_id = "list_api_keys", summary = "Lister les clés d'API", params(PageQuery),
    responses((status = 200, description = "Une page", body = Page<ApiKeyView>))
)]
#[get("/api/v1/api-keys")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let limit = page.limit()?;
    let after = match page.after_text() {
        None => Uuid::nil(),
        Some(text) => text
            .parse()
            .map_err(|_| Refusal::invalid("after", "l'identifiant d'une clé est attendu"))?,
    };
    let rows = service.read(actor, move |tx, actor| api_key::list(tx, actor, after, limit)).await?;
    Ok(HttpResponse::Ok().json(Page::<ApiKeyView>::new(rows, limit, |key| key.user_id.to_string())))
}

/// Its secret is shown once.
#[utoipa::path(
    tag = "api-keys", operation_id = "create_api_key", summary = "Créer une clé d'API", request_body = NewApiKey, params(KeyHeader),
    responses((status = 201, description = "Créée : son secret, une seule fois", body = ShownView))
)]
#[post("/api/v1/api-keys")]
async fn create(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewApiKey>,
) -> Result<HttpResponse, Problem> {
    let secret = api_key::new_secret(actor.programme)?;
    let kept = secret.clone();
    let (outcome, is_new) = service
        .perform(actor, write, move |tx, actor, new| {
            api_key::create(tx, actor, &new, &kept).map(ApiKeyView::from)
        })
        .await?;
    shown(outcome, is_new.then_some(&secret))
}

/// Both secrets are good for a while: change the program's, then let the old one end.
#[utoipa::path(
    tag = "api-keys", operation_id = "rotate_api_key", summary = "Renouveler le secret d'une clé d'API", request_body = Rotation,
    params(("key" = String, Path, format = "uuid", description = "La clé"), KeyHeader),
    responses((status = 201, description = "Renouvelée : son nouveau secret, une seule fois", body = ShownView))
)]
#[post("/api/v1/api-keys/{key}/rotation")]
async fn rotate(
    service: web::Data<Service>,
    actor: Actor,
    key: web::Path<UserId>,
    write: Write<Rotation>,
) -> Result<HttpResponse, Problem> {
    let id = key.into_inner();
    let secret = api_key::new_secret(actor.programme)?;
    let kept = secret.clone();
    let (outcome, is_new) = service
        .perform(actor, write, move |tx, actor, rotation| {
            api_key::rotate(tx, actor, id, rotation, &kept).map(ApiKeyView::from)
        })
        .await?;
    service.api_keys.forget();
    shown(outcome, is_new.then_some(&secret))
}

/// For good, within a second wherever the service runs.
#[utoipa::path(
    tag = "api-keys", operation_id = "revoke_api_key", summary = "Révoquer une clé d'API", request_body = Nothing,
    params(("key" = String, Path, format = "uuid", description = "La clé"), KeyHeader),
    responses((status = 201, description = "Révoquée", body = ApiKeyView))
)]
#[post("/api/v1/api-keys/{key}/revocation")]
async fn revoke(
    service: web::Data<Service>,
    actor: Actor,
    key: web::Path<UserId>,
    write: Write<Nothing>,
) -> Result<HttpResponse, Problem> {
    let id = key.into_inner();
    let revoked = service
        .write(actor, write, move |tx, actor, _| {
            api_key::revoke(tx, actor, id).map(ApiKeyView::from)
        })
        .await;
    service.api_keys.forget();
    revoked
}

/// The answer that is kept never has the secret in it.
fn shown(outcome: Outcome, secret: Option<&ApiKeySecret>) -> Result<HttpResponse, Problem> {
    let key = outcome.into_result()?;
    let secret = secret.map(ApiKeySecret::expose);
    Ok(HttpResponse::Created().json(ShownView { key, secret }))
}
