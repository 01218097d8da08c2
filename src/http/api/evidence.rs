//! Evidence to be carried away, as files.

use std::io;

use actix_web::{HttpResponse, get, web};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::evidence;
use crate::db::Scope;
use crate::domain::{Action, Actor, SiteId};
use crate::http::stream::stream;
use crate::http::{Problem, Service};

/// Lines of JSON.
const LINES: &str = "application/jsonl; charset=utf-8";

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(bundle).service(claim_file);
}

/// A file of lines, its last line signed: `souche verify FILE` verifies it without this service.
#[utoipa::path(
    tag = "exports", operation_id = "export_bundle", summary = "Exporter le dossier de preuves du dispositif",
    responses((status = 200, description = "Le dossier, au fil de sa lecture", content_type = "application/jsonl", body = String))
)]
#[get("/api/v1/exports/bundle")]
async fn bundle(service: web::Data<Service>, actor: Actor) -> Result<HttpResponse, Problem> {
    // Refused, and traced, before the first byte leaves.
    service.read(actor, |_, actor| Ok(actor.require(Action::ReadBundle)?)).await?;
    let body = stream(move |out| {
        let scope = Scope::Programme(actor.programme);
        let written = service
            .db
            .snapshot_blocking(scope, |tx| evidence::bundle(tx, &service.keys, &actor, out));
        written.map(drop).map_err(|error| io::Error::other(format!("{error:?}")))
    });
    Ok(HttpResponse::Ok().content_type(LINES).body(body))
}

/// To be kept: with the last checkpoint and the log's key, `souche claim` proves from it what the site is owed.
#[utoipa::path(
    tag = "exports", operation_id = "export_claim_file", summary = "Exporter les récépissés d'un lieu et leurs preuves",
    params(("site" = String, Path, description = "Numéro du lieu")),
    responses((status = 200, description = "Un récépissé par ligne, avec signature et preuve", content_type = "application/jsonl", body = String))
)]
#[get("/api/v1/sites/{site}/claim-file")]
async fn claim_file(
    service: web::Data<Service>,
    actor: Actor,
    site: web::Path<SiteId>,
) -> Result<HttpResponse, Problem> {
    let (site, keys) = (site.into_inner(), service.keys.clone());
    let scope = Scope::Programme(actor.programme);
    let file =
        service.db.snapshot(scope, move |tx| evidence::claim_file(tx, &keys, &actor, site)).await?;
    Ok(HttpResponse::Ok().content_type(LINES).body(file))
}
