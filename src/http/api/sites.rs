//! Mediation places.

use actix_web::{HttpResponse, get, post, put, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::site::{self, Capacity, Imported, NewSite, Qualification};
use crate::db::sites::Site;
use crate::domain::flag::DailyCapacity;
use crate::domain::place::{self, Limits};
use crate::domain::text::Line;
use crate::domain::{Actor, BusinessDate, OrganisationId, Refusal, SiteId};
use crate::http::page::{Page, PageQuery};
use crate::http::write::{File, KeyHeader, Write};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(register)
        .service(import)
        .service(qualify)
        .service(declare_capacity);
}

/// A mediation place (fr: lieu).
#[derive(Serialize, ToSchema)]
struct SiteView {
    /// Its id.
    id: SiteId,
    /// Whose it is.
    organisation: OrganisationId,
    /// Its name.
    name: String,
    /// Number and street.
    address: String,
    /// Postal code.
    postal_code: Option<String>,
    /// INSEE code of its commune.
    insee_code: String,
    /// Its commune.
    commune: String,
    /// Millionths of a degree, north.
    latitude_microdegrees: Option<i32>,
    /// Millionths of a degree, east.
    longitude_microdegrees: Option<i32>,
    /// What people can come for; every service when empty.
    services: Vec<String>,
    /// Made up for a demonstration?
    is_fictitious: bool,
    /// First day on which it may redeem.
    qualified_from: Option<BusinessDate>,
    /// Last day, included.
    qualified_until: Option<BusinessDate>,
    /// Passes that it declares it can take in a day.
    daily_capacity: Option<DailyCapacity>,
    /// Who published it, and under which id.
    source: Option<String>,
    /// Its id there.
    source_id: Option<String>,
}

impl From<Site> for SiteView {
    fn from(site: Site) -> Self {
        Self {
            id: site.number,
            organisation: site.organisation,
            name: site.name,
            address: site.address,
            postal_code: site.postal_code,
            insee_code: site.insee_code,
            commune: site.commune,
            latitude_microdegrees: site.latitude_microdegrees,
            longitude_microdegrees: site.longitude_microdegrees,
            services: site.services,
            is_fictitious: site.is_fictitious,
            qualified_from: site.qualified_from,
            qualified_until: site.qualified_until,
            daily_capacity: site.daily_capacity,
            source: site.source,
            source_id: site.source_id,
        }
    }
}

/// How to import a file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// Who published the file: with the ids in it, tells places that are known already.
    #[param(value_type = String, min_length = 1, max_length = 200)]
    source: Line,
    /// Judge every row, and write nothing.
    #[serde(default)]
    dry_run: bool,
}

/// By id.
#[utoipa::path(
    tag = "sites", operation_id = "list_sites", summary = "Lister les lieux", params(PageQuery),
    responses((status = 200, description = "Une page", body = Page<SiteView>))
)]
#[get("/api/v1/sites")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = (page.after(SiteId::new(0))?, page.limit()?);
    let rows = service.read(actor, move |tx, actor| site::list(tx, actor, after, limit)).await?;
    Ok(HttpResponse::Ok().json(Page::<SiteView>::new(rows, limit, |row| row.number.to_string())))
}

/// It redeems nothing until it is qualified.
#[utoipa::path(
    tag = "sites", operation_id = "register_site", summary = "Inscrire un lieu", request_body = NewSite, params(KeyHeader),
    responses((status = 201, description = "Inscrit", body = SiteView))
)]
#[post("/api/v1/sites")]
async fn register(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewSite>,
) -> Result<HttpResponse, Problem> {
    service
        .write(actor, write, |tx, actor, new| {
            site::register_site(tx, actor, new).map(SiteView::from)
        })
        .await
}

/// Both generations of the national schema, as JSON or CSV; a verdict for every row.
#[utoipa::path(
    tag = "sites", operation_id = "import_sites", summary = "Importer des lieux au schéma national",
    request_body(content((String = "text/csv"), (Vec<serde_json::Value> = "application/json")), description = "Le fichier, tel que publié"),
    params(ImportQuery, KeyHeader),
    responses((status = 201, description = "Un verdict par ligne", body = Imported))
)]
#[post("/api/v1/sites:import")]
async fn import(
    service: web::Data<Service>,
    actor: Actor,
    query: web::Query<ImportQuery>,
    write: Write<File>,
) -> Result<HttpResponse, Problem> {
    let ImportQuery { source, dry_run } = query.into_inner();
    service
        .write(actor, write, move |tx, actor, File(bytes)| {
            let file = place::read(&bytes, Limits::default())
                .map_err(|refusal| Refusal::invalid("corps", refusal.told().detail))?;
            site::import(tx, actor, &file, source.as_str(), false, dry_run)
        })
        .await
}

/// Its organisation must have a SIRET.
#[utoipa::path(
    tag = "sites", operation_id = "qualify_site", summary = "Qualifier un lieu", request_body = Qualification,
    params(("site" = String, Path, description = "Numéro du lieu"), KeyHeader),
    responses((status = 201, description = "Qualifié", body = SiteView))
)]
#[put("/api/v1/sites/{site}/qualification")]
async fn qualify(
    service: web::Data<Service>,
    actor: Actor,
    site: web::Path<SiteId>,
    write: Write<Qualification>,
) -> Result<HttpResponse, Problem> {
    let number = site.into_inner();
    service
        .write(actor, write, move |tx, actor, new| {
            site::qualify(tx, actor, number, new).map(SiteView::from)
        })
        .await
}

/// More passes than that in a day raise a flag.
#[utoipa::path(
    tag = "sites", operation_id = "declare_capacity", summary = "Déclarer ce qu'un lieu peut recevoir en un jour", request_body = Capacity,
    params(("site" = String, Path, description = "Numéro du lieu"), KeyHeader),
    responses((status = 201, description = "Déclaré", body = SiteView))
)]
#[put("/api/v1/sites/{site}/capacity")]
async fn declare_capacity(
    service: web::Data<Service>,
    actor: Actor,
    site: web::Path<SiteId>,
    write: Write<Capacity>,
) -> Result<HttpResponse, Problem> {
    let number = site.into_inner();
    service
        .write(actor, write, move |tx, actor, new| {
            site::declare_capacity(tx, actor, number, new).map(SiteView::from)
        })
        .await
}
