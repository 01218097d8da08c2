//! Workshops of sites.

use actix_web::{HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::workshop::{self, NewWorkshop};
use crate::db::workshops::Workshop;
use crate::domain::{Actor, BusinessDate, SiteId, Timestamp, UserId, WorkshopId};
use crate::http::page::{Page, PageQuery};
use crate::http::write::{KeyHeader, Write};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(declare);
}

/// A workshop (fr: atelier).
#[derive(Serialize, ToSchema)]
struct WorkshopView {
    /// Its id: what a redemption names.
    id: WorkshopId,
    /// Whose.
    site: SiteId,
    /// On which day.
    held_on: BusinessDate,
    /// Where.
    place: String,
    /// How many people come.
    people: i32,
    /// Who declared it.
    declared_by: UserId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    declared_at: Timestamp,
}

impl From<Workshop> for WorkshopView {
    fn from(workshop: Workshop) -> Self {
        Self {
            id: workshop.number,
            site: workshop.site,
            held_on: workshop.held_on,
            place: workshop.place,
            people: workshop.people,
            declared_by: workshop.declared_by,
            declared_at: workshop.declared_at,
        }
    }
}

/// Of the actor's site, or of all sites of its organisation; by id.
#[utoipa::path(
    tag = "redemptions", operation_id = "list_workshops", summary = "Lister ses ateliers", params(PageQuery),
    responses((status = 200, description = "Une page", body = Page<WorkshopView>))
)]
#[get("/api/v1/workshops")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = (page.after(WorkshopId::new(0))?, page.limit()?);
    let rows =
        service.read(actor, move |tx, actor| workshop::list(tx, actor, after, limit)).await?;
    Ok(HttpResponse::Ok()
        .json(Page::<WorkshopView>::new(rows, limit, |row| row.number.to_string())))
}

/// On the day, or before; redemptions made there name it.
#[utoipa::path(
    tag = "redemptions", operation_id = "declare_workshop", summary = "Déclarer un atelier", request_body = NewWorkshop, params(KeyHeader),
    responses((status = 201, description = "Déclaré", body = WorkshopView))
)]
#[post("/api/v1/workshops")]
async fn declare(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewWorkshop>,
) -> Result<HttpResponse, Problem> {
    service
        .write(actor, write, |tx, actor, new| {
            workshop::declare(tx, actor, new).map(WorkshopView::from)
        })
        .await
}
