//! Programmes: the tenants.

use actix_web::{HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::programme::{self, NewProgramme};
use crate::db::programmes::Programme;
use crate::db::{self, Scope};
use crate::domain::money::Money;
use crate::domain::programme::{LegalRoad, PassesPerService, ProgrammeCode};
use crate::domain::territory::Territory;
use crate::domain::{Actor, ProgrammeId};
use crate::http::write::{KeyHeader, Write};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create);
}

/// A programme (fr: dispositif).
#[derive(Serialize, ToSchema)]
struct ProgrammeView {
    /// Its id.
    id: ProgrammeId,
    /// Its short name.
    code: ProgrammeCode,
    /// Its name.
    name: String,
    /// Who pays for it.
    sponsor_name: String,
    /// Who issues the passes.
    issuer_name: String,
    /// The issuer's address.
    issuer_address: String,
    /// Legal road of the public money.
    legal_road: LegalRoad,
    /// What a pass is worth.
    face_value: Money,
    /// How many passes one person may receive in all.
    max_passes_per_person: i32,
    /// How many of these it may spend on a service; a service that is left out has no limit.
    passes_per_service: PassesPerService,
    /// Where its passes may be used.
    territory: Territory,
}

impl From<Programme> for ProgrammeView {
    fn from(programme: Programme) -> Self {
        Self {
            id: programme.id,
            code: programme.code,
            name: programme.name,
            sponsor_name: programme.sponsor_name,
            issuer_name: programme.issuer_name,
            issuer_address: programme.issuer_address,
            legal_road: programme.legal_road,
            face_value: programme.face_value.into(),
            max_passes_per_person: programme.max_passes_per_person,
            passes_per_service: programme.passes_per_service,
            territory: programme.territory,
        }
    }
}

/// Those where the signed-in person has a role.
#[utoipa::path(
    tag = "programmes", operation_id = "list_programmes", summary = "Lister ses dispositifs",
    responses((status = 200, description = "Les dispositifs où la personne a un rôle", body = Vec<ProgrammeView>))
)]
#[get("/api/v1/programmes")]
async fn list(service: web::Data<Service>, actor: Actor) -> Result<HttpResponse, Problem> {
    let visible = service.db.transact(Scope::Person(actor.user), db::programmes::visible).await?;
    Ok(HttpResponse::Ok().json(visible.into_iter().map(ProgrammeView::from).collect::<Vec<_>>()))
}

/// Its creator becomes its administrator, and signs in to it to go on.
#[utoipa::path(
    tag = "programmes", operation_id = "create_programme", summary = "Créer un dispositif", request_body = NewProgramme, params(KeyHeader),
    responses((status = 201, description = "Créé, ses livres ouverts", body = ProgrammeView))
)]
#[post("/api/v1/programmes")]
async fn create(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewProgramme>,
) -> Result<HttpResponse, Problem> {
    service
        .write(actor, write, |tx, actor, new| {
            programme::create(tx, actor, new).map(ProgrammeView::from)
        })
        .await
}
