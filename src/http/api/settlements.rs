//! Settlements: prepared, approved, sent to the bank, proven.

use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::payouts::PayoutView;
use crate::app::settlement::{self, Details, DryRun, NewExecution, NewSettlement};
use crate::db::executions::Execution;
use crate::db::settlements::Settlement;
use crate::domain::money::Money;
use crate::domain::{Actor, BusinessDate, SettlementId, Timestamp, UserId};
use crate::http::page::{Page, PageQuery};
use crate::http::write::{KeyHeader, Nothing, Write};
use crate::http::{Problem, Service};
use crate::keys::hex;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(prepare)
        .service(dry_run)
        .service(read)
        .service(approve)
        .service(payment_file)
        .service(declare_execution)
        .service(confirm_execution);
}

/// A settlement (fr: lot de paiement).
#[derive(Serialize, ToSchema)]
struct SettlementView {
    /// Its id.
    id: SettlementId,
    /// Redemptions of this day are the last to be in it.
    cut_off_on: BusinessDate,
    /// The day on which the bank is to debit.
    execution_on: BusinessDate,
    /// Who prepared it.
    prepared_by: UserId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    prepared_at: Timestamp,
    /// Who approved it; null while it waits.
    approved_by: Option<UserId>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    approved_at: Option<Timestamp>,
}

/// A settlement, whole.
#[derive(Serialize, ToSchema)]
struct DetailsView {
    /// The settlement.
    settlement: SettlementView,
    /// Sum of its payouts.
    payable: Money,
    /// Its payouts.
    payouts: Vec<PayoutView>,
    /// What proves that the bank has paid.
    execution: Option<ExecutionView>,
}

/// A document, declared by one person, confirmed by another.
#[derive(Serialize, ToSchema)]
struct ExecutionView {
    /// The day of the debit.
    executed_on: BusinessDate,
    /// What the document is.
    document_name: String,
    /// SHA-256 of its file, in hexadecimal.
    document_sha256: String,
    /// Who declared it.
    declared_by: UserId,
    /// Who confirmed it; null while it waits: nothing is paid until then.
    confirmed_by: Option<UserId>,
}

impl From<Settlement> for SettlementView {
    fn from(settlement: Settlement) -> Self {
        Self {
            id: settlement.number,
            cut_off_on: settlement.cut_off_on,
            execution_on: settlement.execution_on,
            prepared_by: settlement.prepared_by,
            prepared_at: settlement.prepared_at,
            approved_by: settlement.approved_by,
            approved_at: settlement.approved_at,
        }
    }
}

impl From<Execution> for ExecutionView {
    fn from(execution: Execution) -> Self {
        Self {
            executed_on: execution.executed_on,
            document_name: execution.document_name,
            document_sha256: hex(&execution.document_sha256),
            declared_by: execution.declared_by,
            confirmed_by: execution.confirmed_by,
        }
    }
}

impl From<Details> for DetailsView {
    fn from(details: Details) -> Self {
        let payable: i64 = details.payouts.iter().map(|payout| payout.amount_cents.cents()).sum();
        Self {
            settlement: details.settlement.into(),
            payable: payable.into(),
            payouts: details.payouts.into_iter().map(PayoutView::from).collect(),
            execution: details.execution.map(ExecutionView::from),
        }
    }
}

/// Until when.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DryRunQuery {
    /// Redemptions of this day are the last to count; the day must be over.
    cut_off_on: BusinessDate,
}

/// By id.
#[utoipa::path(
    tag = "settlements", operation_id = "list_settlements", summary = "Lister les lots de paiement", params(PageQuery),
    responses((status = 200, description = "Une page", body = Page<SettlementView>))
)]
#[get("/api/v1/settlements")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = (page.after(SettlementId::new(0))?, page.limit()?);
    let rows =
        service.read(actor, move |tx, actor| settlement::list(tx, actor, after, limit)).await?;
    Ok(HttpResponse::Ok()
        .json(Page::<SettlementView>::new(rows, limit, |row| row.number.to_string())))
}

/// Amounts, exclusions and their reasons; nothing is written.
#[utoipa::path(
    tag = "settlements", operation_id = "dry_run_settlement", summary = "Simuler un lot de paiement", params(DryRunQuery),
    responses((status = 200, description = "Ce que le lot paierait", body = DryRun))
)]
#[get("/api/v1/settlements:dry-run")]
async fn dry_run(
    service: web::Data<Service>,
    actor: Actor,
    query: web::Query<DryRunQuery>,
) -> Result<HttpResponse, Problem> {
    let cut_off_on = query.cut_off_on;
    Ok(HttpResponse::Ok().json(
        service.read(actor, move |tx, actor| settlement::dry_run(tx, actor, cut_off_on)).await?,
    ))
}

/// It waits for another person's approval.
#[utoipa::path(
    tag = "settlements", operation_id = "prepare_settlement", summary = "Préparer un lot de paiement", request_body = NewSettlement,
    params(KeyHeader), responses((status = 201, description = "Préparé", body = DetailsView))
)]
#[post("/api/v1/settlements")]
async fn prepare(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewSettlement>,
) -> Result<HttpResponse, Problem> {
    service
        .write(actor, write, |tx, actor, new| {
            settlement::prepare(tx, actor, new).map(DetailsView::from)
        })
        .await
}

/// One settlement, with its payouts.
#[utoipa::path(
    tag = "settlements", operation_id = "read_settlement", summary = "Lire un lot de paiement",
    params(("settlement" = String, Path, description = "Numéro du lot")),
    responses((status = 200, description = "Le lot", body = DetailsView))
)]
#[get("/api/v1/settlements/{settlement}")]
async fn read(
    service: web::Data<Service>,
    actor: Actor,
    settlement: web::Path<SettlementId>,
) -> Result<HttpResponse, Problem> {
    let number = settlement.into_inner();
    let details = service.read(actor, move |tx, actor| settlement::get(tx, actor, number)).await?;
    Ok(HttpResponse::Ok().json(DetailsView::from(details)))
}

/// By another person than who prepared it.
#[utoipa::path(
    tag = "settlements", operation_id = "approve_settlement", summary = "Approuver un lot de paiement", request_body = Nothing,
    params(("settlement" = String, Path, description = "Numéro du lot"), KeyHeader),
    responses((status = 201, description = "Approuvé : les contre-paiements sont ordonnés", body = DetailsView))
)]
#[post("/api/v1/settlements/{settlement}/approval")]
async fn approve(
    service: web::Data<Service>,
    actor: Actor,
    settlement: web::Path<SettlementId>,
    write: Write<Nothing>,
) -> Result<HttpResponse, Problem> {
    let number = settlement.into_inner();
    service
        .write(actor, write, move |tx, actor, _| {
            settlement::approve(tx, actor, number).map(DetailsView::from)
        })
        .await
}

/// pain.001.001.09: the same bytes each time.
#[utoipa::path(
    tag = "settlements", operation_id = "read_payment_file", summary = "Télécharger le fichier de virements",
    params(("settlement" = String, Path, description = "Numéro du lot")),
    responses((status = 200, description = "Le fichier pain.001.001.09", content_type = "application/xml", body = String))
)]
#[get("/api/v1/settlements/{settlement}/payment-file")]
async fn payment_file(
    service: web::Data<Service>,
    actor: Actor,
    settlement: web::Path<SettlementId>,
) -> Result<HttpResponse, Problem> {
    let number = settlement.into_inner();
    let file =
        service.read(actor, move |tx, actor| settlement::payment_file(tx, actor, number)).await?;
    let name = format!("attachment; filename=\"{}\"", file.name);
    Ok(HttpResponse::Ok()
        .content_type("application/xml")
        .insert_header(("Content-Disposition", name))
        .body(file.xml))
}

/// The document that shows the debit; another person confirms it.
#[utoipa::path(
    tag = "settlements", operation_id = "declare_execution", summary = "Déclarer l'exécution d'un lot par la banque", request_body = NewExecution,
    params(("settlement" = String, Path, description = "Numéro du lot"), KeyHeader),
    responses((status = 201, description = "Déclarée", body = DetailsView))
)]
#[post("/api/v1/settlements/{settlement}/execution")]
async fn declare_execution(
    service: web::Data<Service>,
    actor: Actor,
    settlement: web::Path<SettlementId>,
    write: Write<NewExecution>,
) -> Result<HttpResponse, Problem> {
    let number = settlement.into_inner();
    service
        .write(actor, write, move |tx, actor, new| {
            settlement::declare_execution(tx, actor, number, &new).map(DetailsView::from)
        })
        .await
}

/// By another person than who declared it: the payouts are paid.
#[utoipa::path(
    tag = "settlements", operation_id = "confirm_execution", summary = "Confirmer l'exécution d'un lot", request_body = Nothing,
    params(("settlement" = String, Path, description = "Numéro du lot"), KeyHeader),
    responses((status = 201, description = "Confirmée : les contre-paiements sont payés", body = DetailsView))
)]
#[post("/api/v1/settlements/{settlement}/execution/confirmation")]
async fn confirm_execution(
    service: web::Data<Service>,
    actor: Actor,
    settlement: web::Path<SettlementId>,
    write: Write<Nothing>,
) -> Result<HttpResponse, Problem> {
    let number = settlement.into_inner();
    service
        .write(actor, write, move |tx, actor, _| {
            settlement::confirm_execution(tx, actor, number).map(DetailsView::from)
        })
        .await
}
