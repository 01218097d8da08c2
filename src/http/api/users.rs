//! Who is in a programme, and with which role.

use actix_web::{HttpResponse, get, post, put, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::access::{self, NewRole, RoleChange};
use crate::db::memberships::Card;
use crate::domain::{Actor, OrganisationId, Role, SiteId, UserId};
use crate::http::page::{Page, PageQuery};
use crate::http::write::{KeyHeader, Nothing, Write};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(change_role).service(revoke);
}

/// A person and its role here.
#[derive(Serialize, ToSchema)]
struct UserView {
    /// The account.
    id: UserId,
    /// Its address.
    email: String,
    /// Its name.
    name: String,
    /// Its role.
    role: Role,
    /// For whom it acts.
    organisation: Option<OrganisationId>,
    /// Where.
    site: Option<SiteId>,
}

impl From<Card> for UserView {
    fn from(card: Card) -> Self {
        let Card { user, email, name, role, organisation, site } = card;
        Self { id: user, email, name, role, organisation, site }
    }
}

/// In the order of their addresses; a manager sees the people of its organisation.
#[utoipa::path(
    tag = "users", operation_id = "list_users", summary = "Lister les personnes et leurs rôles", params(PageQuery),
    responses((status = 200, description = "Les personnes", body = Page<UserView>))
)]
#[get("/api/v1/users")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let limit = page.limit()?;
    let after = page.after_text().unwrap_or_default().to_owned();
    let rows =
        service.read(actor, move |tx, actor| access::members(tx, actor, &after, limit)).await?;
    Ok(HttpResponse::Ok().json(Page::<UserView>::new(rows, limit, |row| row.email.clone())))
}

/// In the place of the one it has. The person's sessions here end at once.
#[utoipa::path(
    tag = "users", operation_id = "change_role", summary = "Changer le rôle d'une personne", request_body = NewRole,
    params(KeyHeader, ("user" = UserId, Path, description = "The person")),
    responses((status = 201, description = "Changé", body = RoleChange))
)]
#[put("/api/v1/users/{user}/role")]
async fn change_role(
    service: web::Data<Service>,
    actor: Actor,
    user: web::Path<UserId>,
    write: Write<NewRole>,
) -> Result<HttpResponse, Problem> {
    let user = user.into_inner();
    let change = move |tx: &mut crate::db::Tx<'_>, actor: &Actor, new: NewRole| {
        access::change_role(tx, actor, user, &new)
    };
    let changed = service.write(actor, write, change).await?;
    service.sessions_ended().await?;
    Ok(changed)
}

/// The person's sessions here end at once; its account stays.
#[utoipa::path(
    tag = "users", operation_id = "revoke_role", summary = "Retirer le rôle d'une personne", request_body = Nothing,
    params(KeyHeader, ("user" = UserId, Path, description = "The person")),
    responses((status = 201, description = "Retiré", body = RoleChange))
)]
#[post("/api/v1/users/{user}/revocation")]
async fn revoke(
    service: web::Data<Service>,
    actor: Actor,
    user: web::Path<UserId>,
    write: Write<Nothing>,
) -> Result<HttpResponse, Problem> {
    let user = user.into_inner();
    let revoked =
        service.write(actor, write, move |tx, actor, _| access::revoke(tx, actor, user)).await?;
    service.sessions_ended().await?;
    Ok(revoked)
}
