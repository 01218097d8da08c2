//! Reports: custody on any day, the sums of the books, the three-way report, every rule held against
//! the journal.

use std::io;

use actix_web::{HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::report::{self, ThreeWay};
use crate::db::{Scope, programmes};
use crate::domain::date::parse_as_of;
use crate::domain::statement::{Conservation, Custody};
use crate::domain::{Action, Actor, Refusal, Timestamp};
use crate::export::conservation::write_csv;
use crate::export::custody::Format;
use crate::http::stream::stream;
use crate::http::{Problem, Service};
use crate::ledger::verify::Check;
use crate::print::write_statement;

/// What spreadsheets open.
const CSV: &str = "text/csv; charset=utf-8";

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(custody).service(conservation).service(three_way).service(verification);
}

/// As of when, and how.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CustodyQuery {
    /// What had happened until this instant (RFC 3339), or the end of this day in Paris; now when left out.
    as_of: Option<String>,
    /// As it was known at this instant (RFC 3339), or at the end of this day; now when left out.
    known_at: Option<String>,
    /// `json` when left out.
    #[param(inline)]
    #[serde(default)]
    format: CustodyFormat,
}

/// How a custody report is told.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CustodyFormat {
    #[default]
    Json,
    Csv,
}

/// As of when, by what is known today, and how.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ConservationQuery {
    /// What had happened until this instant (RFC 3339), or the end of this day in Paris; now when left out.
    as_of: Option<String>,
    /// `json` when left out.
    #[param(inline)]
    #[serde(default)]
    format: ConservationFormat,
}

/// How a conservation statement is told.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ConservationFormat {
    #[default]
    Json,
    Csv,
    Pdf,
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
    given.map_or(Ok(now), |text| parse_as_of(text).map_err(|rule| Refusal::invalid(field, rule)))
}

/// Ranges of passes and who held them, at any past instant, as it was known at any other; summed by holder. Written as it is
/// read: an answer that breaks off is not whole. `souche audit custody` tells the same from a bundle.
#[utoipa::path(
    tag = "reports", operation_id = "read_custody", summary = "Savoir qui détenait chaque pass à une date", params(CustodyQuery),
    responses((status = 200, description = "Des plages de pass, leur détenteur, et les totaux par détenteur", content((Custody = "application/json"), (String = "text/csv"))))
)]
#[get("/api/v1/reports/custody")]
async fn custody(
    service: web::Data<Service>,
    actor: Actor,
    query: web::Query<CustodyQuery>,
) -> Result<HttpResponse, Problem> {
    let now = service.db.clock().now();
    let at = instant("as_of", query.as_of.as_deref(), now)?;
    let known_at = instant("known_at", query.known_at.as_deref(), now)?;
    let (format, content_type) = match query.format {
        CustodyFormat::Json => (Format::Json, "application/json"),
        CustodyFormat::Csv => (Format::Csv, CSV),
    };
    // Refused before the first byte leaves.
    service.read(actor, |_, actor| Ok(actor.require(Action::ReadReports)?)).await?;
    let body = stream(move |out| {
        let scope = Scope::Programme(actor.programme);
        let written = service.db.snapshot_blocking(scope, |tx| {
            report::custody(tx, &actor, (at, known_at), format, out)
        });
        written.map_err(|error| io::Error::other(format!("{error:?}")))
    });
    Ok(HttpResponse::Ok().content_type(content_type).body(body))
}

/// Both books add up, at any past instant: every account, and every equality with both sides, under the head of the log.
/// `souche audit conservation` tells the same from a bundle.
#[utoipa::path(
    tag = "reports", operation_id = "read_conservation", summary = "Établir l'état de conservation à une date", params(ConservationQuery),
    responses((status = 200, description = "L'état", content((Conservation = "application/json"), (String = "text/csv"), (Vec<u8> = "application/pdf"))))
)]
#[get("/api/v1/reports/conservation")]
async fn conservation(
    service: web::Data<Service>,
    actor: Actor,
    query: web::Query<ConservationQuery>,
) -> Result<HttpResponse, Problem> {
    let at = instant("as_of", query.as_of.as_deref(), service.db.clock().now())?;
    let scope = Scope::Programme(actor.programme);
    let (statement, name) = service
        .db
        .snapshot(scope, move |tx| {
            Ok((report::conservation(tx, &actor, at)?, programmes::current(tx)?.name))
        })
        .await?;
    let mut file = Vec::new();
    let (written, content_type) = match query.format {
        ConservationFormat::Json => return Ok(HttpResponse::Ok().json(statement)),
        ConservationFormat::Csv => (write_csv(&mut file, &statement), CSV),
        ConservationFormat::Pdf => {
            (write_statement(&mut file, &name, &statement), "application/pdf")
        }
    };
    written.map_err(|error| Problem::fault(&anyhow::Error::from(error)))?;
    Ok(HttpResponse::Ok().content_type(content_type).body(file))
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
