//! Invitations to a role.

use actix_web::{HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::access::{self, Acceptance, NewInvitation};
use crate::db::invitations::Invitation;
use crate::domain::{Actor, InvitationId, OrganisationId, Role, SiteId, Timestamp, UserId};
use crate::http::page::{Page, PageQuery};
use crate::http::write::{Json, KeyHeader, Nothing, Write};
use crate::http::{Problem, Service, call};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(invite).service(withdraw).service(accept);
}

/// An invitation.
#[derive(Serialize, ToSchema)]
struct InvitationView {
    /// Its id.
    id: InvitationId,
    /// Who is invited.
    email: String,
    /// To be what.
    role: Role,
    /// For whom.
    organisation: Option<OrganisationId>,
    /// Where.
    site: Option<SiteId>,
    /// Who invites.
    invited_by: UserId,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    invited_at: Timestamp,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        let Invitation { id, email, role, organisation, site, .. } = invitation;
        let Invitation { invited_by, invited_at, expires_at, .. } = invitation;
        Self { id, email, role, organisation, site, invited_by, invited_at, expires_at }
    }
}

/// A role that was taken up.
#[derive(Serialize, ToSchema)]
struct AcceptedView {
    /// The account.
    id: UserId,
    /// Its address.
    email: String,
    /// Its role.
    role: Role,
}

/// Those that wait for an answer, in the order in which they were made; a manager sees its organisation's.
#[utoipa::path(
    tag = "users", operation_id = "list_invitations", summary = "Lister les invitations en attente", params(PageQuery),
    responses((status = 200, description = "Les invitations", body = Page<InvitationView>))
)]
#[get("/api/v1/invitations")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let limit = page.limit()?;
    let after = match page.after_text().map(str::parse) {
        None => InvitationId::new(uuid::Uuid::nil()),
        Some(Ok(id)) => InvitationId::new(id),
        Some(Err(_)) => return Err(access_after()),
    };
    let rows =
        service.read(actor, move |tx, actor| access::invitations(tx, actor, after, limit)).await?;
    let page = Page::<InvitationView>::new(rows, limit, |row| row.id.to_string());
    Ok(HttpResponse::Ok().json(page))
}

fn access_after() -> Problem {
    crate::domain::Refusal::invalid("after", "reprenez « next » de la page précédente").into()
}

/// A link is sent to the address, good once within 72 hours. A manager invites people of its own organisation.
#[utoipa::path(
    tag = "users", operation_id = "invite", summary = "Inviter une personne à un rôle", request_body = NewInvitation, params(KeyHeader),
    responses((status = 201, description = "Invitée", body = InvitationView))
)]
#[post("/api/v1/invitations")]
async fn invite(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewInvitation>,
) -> Result<HttpResponse, Problem> {
    let keys = service.keys.clone();
    let invite = move |tx: &mut crate::db::Tx<'_>, actor: &Actor, new: NewInvitation| {
        access::invite(tx, actor, &keys, &new).map(InvitationView::from)
    };
    service.write(actor, write, invite).await
}

/// Its link opens nothing any more.
#[utoipa::path(
    tag = "users", operation_id = "withdraw_invitation", summary = "Retirer une invitation", request_body = Nothing,
    params(KeyHeader, ("invitation" = InvitationId, Path, description = "The invitation")),
    responses((status = 201, description = "Retirée"))
)]
#[post("/api/v1/invitations/{invitation}/withdrawal")]
async fn withdraw(
    service: web::Data<Service>,
    actor: Actor,
    id: web::Path<InvitationId>,
    write: Write<Nothing>,
) -> Result<HttpResponse, Problem> {
    let id = id.into_inner();
    service.write(actor, write, move |tx, actor, _| access::withdraw(tx, actor, id)).await
}

/// With a new account, or the one that the address has. No token, no idempotency key: the link is both.
#[utoipa::path(
    tag = "auth", operation_id = "accept_invitation", summary = "Accepter une invitation", request_body = Acceptance,
    responses((status = 200, description = "Le rôle est pris ; il reste à se connecter", body = AcceptedView))
)]
#[post("/api/v1/auth/invitations")]
async fn accept(
    service: web::Data<Service>,
    body: Json<Acceptance>,
) -> Result<HttpResponse, Problem> {
    let accepted = access::accept(&service.gate, body.0, call::audited()).await;
    service.audit_refusal(None, None, &accepted).await?;
    let access::Invited { actor: Actor { user: id, role, .. }, email } = accepted?;
    Ok(HttpResponse::Ok().json(AcceptedView { id, email, role }))
}
