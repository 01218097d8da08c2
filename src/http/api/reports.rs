//! Reports: custody on any day, the sums of the books, the three-way report, every rule held against
//! the journal.

use actix_web::{HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::report::{self, Conservation, HeldRange, ThreeWay};
use crate::db::Scope;
use crate::domain::date::parse_instant;
use crate::domain::{Actor, Refusal, Timestamp};
use crate::http::{Problem, Service};
use crate::ledger::verify::Check;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(custody).service(conservation).service(three_way).service(verification);
}

/// As of when.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AsOf {
    /// What had happened until this instant (RFC 3339); now when left out.
    #[param(value_type = Option<String>, format = DateTime)]
    as_of: Option<String>,
    /// As it was known at this instant (RFC 3339); now when left out.
    #[param(value_type = Option<String>, format = DateTime)]
    known_at: Option<String>,
}

/// As of when, by what is known today.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct At {
    /// What had happened until this instant (RFC 3339); now when left out.
    #[param(value_type = Option<String>, format = DateTime)]
    as_of: Option<String>,
}

/// Every rule, and whether all hold.
#[derive(Serialize, ToSchema)]
struct Verification {
    /// Do all hold?
    every_rule_holds: bool,
    /// Rule by rule.
    checks: Vec<Check>,
}

fn instant(field: &str, given: Option<&str>, now: Timestamp) -> Result<Timestamp, Refusal> {
    given.map_or(Ok(now), |text| parse_instant(text).map_err(|rule| Refusal::invalid(field, rule)))
}

/// Ranges of passes and who held them, at any past instant, as it was known at any other.
#[utoipa::path(
    tag = "reports", operation_id = "read_custody", summary = "Savoir qui détenait chaque pass à une date", params(AsOf),
    responses((status = 200, description = "Des plages de pass et leur détenteur", body = Vec<HeldRange>))
)]
#[get("/api/v1/reports/custody")]
async fn custody(
    service: web::Data<Service>,
    actor: Actor,
    query: web::Query<AsOf>,
) -> Result<HttpResponse, Problem> {
    let now = service.db.clock().now();
    let at = instant("as_of", query.as_of.as_deref(), now)?;
    let known_at = instant("known_at", query.known_at.as_deref(), now)?;
    Ok(HttpResponse::Ok().json(
        service.read(actor, move |tx, actor| report::custody(tx, actor, at, known_at)).await?,
    ))
}

/// Both books add up, at any past instant.
#[utoipa::path(
    tag = "reports", operation_id = "read_conservation", summary = "Lire les sommes des deux livres à une date", params(At),
    responses((status = 200, description = "Les soldes par nature de compte", body = Conservation))
)]
#[get("/api/v1/reports/conservation")]
async fn conservation(
    service: web::Data<Service>,
    actor: Actor,
    query: web::Query<At>,
) -> Result<HttpResponse, Problem> {
    let at = instant("as_of", query.as_of.as_deref(), service.db.clock().now())?;
    Ok(HttpResponse::Ok()
        .json(service.read(actor, move |tx, actor| report::conservation(tx, actor, at)).await?))
}

/// Redeemed = payout items = payment files = bank, or which differ.
#[utoipa::path(
    tag = "reports", operation_id = "read_three_way", summary = "Rapprocher utilisations, contre-paiements et banque",
    responses((status = 200, description = "Le rapprochement", body = ThreeWay))
)]
#[get("/api/v1/reports/three-way")]
async fn three_way(service: web::Data<Service>, actor: Actor) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(service.read(actor, report::three_way).await?))
}

/// Recomputed from the journal.
#[utoipa::path(
    tag = "reports", operation_id = "verify_ledger", summary = "Vérifier toutes les règles du registre",
    responses((status = 200, description = "Règle par règle", body = Verification))
)]
#[get("/api/v1/reports/verification")]
async fn verification(service: web::Data<Service>, actor: Actor) -> Result<HttpResponse, Problem> {
    let scope = Scope::Programme(actor.programme);
    let checks = service.db.snapshot(scope, move |tx| report::verify(tx, &actor)).await?;
    Ok(HttpResponse::Ok()
        .json(Verification { every_rule_holds: checks.iter().all(|check| check.holds), checks }))
}
