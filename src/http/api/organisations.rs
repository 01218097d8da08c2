//! Organisations: prescribers and bearers of sites.

use actix_web::{HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::site::{self, NewOrganisation};
use crate::db::organisations::Organisation;
use crate::domain::{Actor, OrganisationId};
use crate::http::page::{Page, PageQuery};
use crate::http::write::{KeyHeader, Write};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(register);
}

/// An organisation (fr: structure).
#[derive(Serialize, ToSchema)]
struct OrganisationView {
    /// Its id.
    id: OrganisationId,
    /// Its name.
    name: String,
    /// Its SIRET, when it has one.
    siret: Option<String>,
    /// Does it hand booklets over?
    is_prescriber: bool,
    /// Its department.
    department: Option<String>,
}

impl From<Organisation> for OrganisationView {
    fn from(organisation: Organisation) -> Self {
        let Organisation { number, name, siret, is_prescriber, department, .. } = organisation;
        Self { id: number, name, siret, is_prescriber, department }
    }
}

/// By id.
#[utoipa::path(
    tag = "organisations", operation_id = "list_organisations", summary = "Lister les structures", params(PageQuery),
    responses((status = 200, description = "Une page", body = Page<OrganisationView>))
)]
#[get("/api/v1/organisations")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = (page.after(OrganisationId::new(0))?, page.limit()?);
    let rows = service
        .read(actor, move |tx, actor| site::list_organisations(tx, actor, after, limit))
        .await?;
    Ok(HttpResponse::Ok()
        .json(Page::<OrganisationView>::new(rows, limit, |row| row.number.to_string())))
}

/// A prescriber's stock account is opened with it.
#[utoipa::path(
    tag = "organisations", operation_id = "register_organisation", summary = "Inscrire une structure", request_body = NewOrganisation,
    params(KeyHeader), responses((status = 201, description = "Inscrite", body = OrganisationView))
)]
#[post("/api/v1/organisations")]
async fn register(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewOrganisation>,
) -> Result<HttpResponse, Problem> {
    service
        .write(actor, write, |tx, actor, new| {
            site::register_organisation(tx, actor, new).map(OrganisationView::from)
        })
        .await
}
