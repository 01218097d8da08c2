//! Orders of booklets, from placing to funding.

use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::receipt::ReceiptView;
use crate::app::order::{self, NewFunding, NewOrder, PrintCount};
use crate::db::fundings::Funding;
use crate::db::orders::Order;
use crate::domain::money::Money;
use crate::domain::order::{Dates, Quantity};
use crate::domain::{Actor, BusinessDate, OrderId, Timestamp, UserId};
use crate::http::page::{Page, PageQuery};
use crate::http::stream::stream;
use crate::http::write::{KeyHeader, Nothing, Write};
use crate::http::{Problem, Service};
use crate::print;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(place)
        .service(read)
        .service(approve)
        .service(mint)
        .service(print_file)
        .service(confirm_print)
        .service(fund);
}

/// An order, and what has become of it.
#[derive(Serialize, ToSchema)]
struct OrderView {
    /// Its id.
    id: OrderId,
    /// Booklets of each size.
    quantity: Quantity,
    /// Until when.
    dates: Dates,
    /// What a pass is worth.
    face_value: Money,
    /// What they are all worth.
    payable: Money,
    /// Where it stands.
    state: OrderState,
    /// Who asked.
    placed_by: UserId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    placed_at: Timestamp,
    /// Who approved.
    approved_by: Option<UserId>,
    /// Its funding.
    funding: Option<FundingView>,
}

/// How far an order is. Its funding comes in its own time, once it is minted.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OrderState {
    /// Waits for approval.
    Placed,
    /// Waits for minting.
    Approved,
    /// At the printer.
    Minted,
    /// Counted into the sponsor's stock.
    Printed,
}

/// The funding of an order.
#[derive(Serialize, ToSchema)]
struct FundingView {
    /// The payer's reference.
    mandate_reference: String,
    /// What was received.
    received: Money,
    /// Day of the credit at the bank.
    received_on: BusinessDate,
}

impl From<Funding> for FundingView {
    fn from(funding: Funding) -> Self {
        Self {
            mandate_reference: funding.mandate_reference,
            received: funding.amount_cents.into(),
            received_on: funding.received_on,
        }
    }
}

impl From<(Order, Option<Funding>)> for OrderView {
    fn from((order, funding): (Order, Option<Funding>)) -> Self {
        let state = match (order.print_entry, order.mint_entry, order.approved_by) {
            (Some(_), _, _) => OrderState::Printed,
            (None, Some(_), _) => OrderState::Minted,
            (None, None, Some(_)) => OrderState::Approved,
            (None, None, None) => OrderState::Placed,
        };
        Self {
            id: order.number,
            quantity: order.quantity(),
            dates: order.dates(),
            face_value: order.face_value_cents.into(),
            payable: order.amount_cents.into(),
            state,
            placed_by: order.placed_by,
            placed_at: order.placed_at,
            approved_by: order.approved_by,
            funding: funding.map(FundingView::from),
        }
    }
}

/// In which form.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PrintQuery {
    /// `pdf`: pages to print. `csv`: variable data for a printer with a layout of its own.
    #[param(inline)]
    format: PrintFormat,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PrintFormat {
    Pdf,
    Csv,
}

/// By id.
#[utoipa::path(
    tag = "orders", operation_id = "list_orders", summary = "Lister les commandes", params(PageQuery),
    responses((status = 200, description = "Une page", body = Page<OrderView>))
)]
#[get("/api/v1/orders")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = (page.after(OrderId::new(0))?, page.limit()?);
    let rows = service.read(actor, move |tx, actor| order::list(tx, actor, after, limit)).await?;
    Ok(HttpResponse::Ok()
        .json(Page::<OrderView>::new(rows, limit, |(order, _)| order.number.to_string())))
}

/// It waits for another person's approval.
#[utoipa::path(
    tag = "orders", operation_id = "place_order", summary = "Commander des carnets", request_body = NewOrder, params(KeyHeader),
    responses((status = 201, description = "Passée", body = OrderView))
)]
#[post("/api/v1/orders")]
async fn place(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewOrder>,
) -> Result<HttpResponse, Problem> {
    service
        .write(actor, write, |tx, actor, new| {
            Ok(OrderView::from((order::place(tx, actor, new)?, None)))
        })
        .await
}

/// One order.
#[utoipa::path(
    tag = "orders", operation_id = "read_order", summary = "Lire une commande",
    params(("order" = String, Path, description = "Numéro de la commande")),
    responses((status = 200, description = "La commande", body = OrderView))
)]
#[get("/api/v1/orders/{order}")]
async fn read(
    service: web::Data<Service>,
    actor: Actor,
    order: web::Path<OrderId>,
) -> Result<HttpResponse, Problem> {
    let number = order.into_inner();
    let found = service.read(actor, move |tx, actor| order::get(tx, actor, number)).await?;
    Ok(HttpResponse::Ok().json(OrderView::from(found)))
}

/// By another person than who placed it.
#[utoipa::path(
    tag = "orders", operation_id = "approve_order", summary = "Approuver une commande", request_body = Nothing,
    params(("order" = String, Path, description = "Numéro de la commande"), KeyHeader),
    responses((status = 201, description = "Approuvée", body = OrderView))
)]
#[post("/api/v1/orders/{order}/approval")]
async fn approve(
    service: web::Data<Service>,
    actor: Actor,
    order: web::Path<OrderId>,
    write: Write<Nothing>,
) -> Result<HttpResponse, Problem> {
    let number = order.into_inner();
    service
        .write(actor, write, move |tx, actor, _| {
            Ok(OrderView::from((order::approve(tx, actor, number)?, None)))
        })
        .await
}

/// All its booklets and passes, in one go.
#[utoipa::path(
    tag = "orders", operation_id = "mint_order", summary = "Émettre les pass d'une commande", request_body = Nothing,
    params(("order" = String, Path, description = "Numéro de la commande"), KeyHeader),
    responses((status = 201, description = "Émis", body = ReceiptView))
)]
#[post("/api/v1/orders/{order}/mint")]
async fn mint(
    service: web::Data<Service>,
    actor: Actor,
    order: web::Path<OrderId>,
    write: Write<Nothing>,
) -> Result<HttpResponse, Problem> {
    let (number, keys) = (order.into_inner(), service.keys.clone());
    service
        .write(actor, write, move |tx, actor, _| {
            order::mint(tx, actor, &keys, number).map(ReceiptView::from)
        })
        .await
}

/// Until the print is confirmed; it holds every code.
#[utoipa::path(
    tag = "orders", operation_id = "read_print_file", summary = "Télécharger le fichier d'impression",
    params(("order" = String, Path, description = "Numéro de la commande"), PrintQuery),
    responses((status = 200, description = "Le fichier", content((Vec<u8> = "application/pdf"), (String = "text/csv"))))
)]
#[get("/api/v1/orders/{order}/print-file")]
async fn print_file(
    service: web::Data<Service>,
    actor: Actor,
    order: web::Path<OrderId>,
    query: web::Query<PrintQuery>,
) -> Result<HttpResponse, Problem> {
    let (number, keys, public_url) =
        (order.into_inner(), service.keys.clone(), service.public_url.clone());
    let job = service.read(actor, move |tx, actor| order::print(tx, actor, &keys, number)).await?;
    let (content_type, extension) = match query.format {
        PrintFormat::Pdf => ("application/pdf", "pdf"),
        PrintFormat::Csv => ("text/csv; charset=utf-8", "csv"),
    };
    let name = format!("attachment; filename=\"commande-{}.{extension}\"", job.order());
    let format = query.format;
    let body = stream(move |out| match format {
        PrintFormat::Pdf => {
            print::write_pdf(out, &job.edition(&public_url), job.booklets(&public_url))
        }
        PrintFormat::Csv => {
            print::write_csv(out, &job.edition(&public_url), job.booklets(&public_url))
        }
    });
    Ok(HttpResponse::Ok()
        .content_type(content_type)
        .insert_header(("Content-Disposition", name))
        .body(body))
}

/// The booklets were counted; the key of their codes is destroyed.
#[utoipa::path(
    tag = "orders", operation_id = "confirm_print", summary = "Confirmer l'impression", request_body = PrintCount,
    params(("order" = String, Path, description = "Numéro de la commande"), KeyHeader),
    responses((status = 201, description = "En stock", body = ReceiptView))
)]
#[post("/api/v1/orders/{order}/print-confirmation")]
async fn confirm_print(
    service: web::Data<Service>,
    actor: Actor,
    order: web::Path<OrderId>,
    write: Write<PrintCount>,
) -> Result<HttpResponse, Problem> {
    let number = order.into_inner();
    service
        .write(actor, write, move |tx, actor, counted| {
            order::confirm_print(tx, actor, number, counted).map(ReceiptView::from)
        })
        .await
}

/// Switches its passes on.
#[utoipa::path(
    tag = "orders", operation_id = "fund_order", summary = "Enregistrer le financement d'une commande", request_body = NewFunding,
    params(("order" = String, Path, description = "Numéro de la commande"), KeyHeader),
    responses((status = 201, description = "Financée, ses pass actifs", body = ReceiptView))
)]
#[post("/api/v1/orders/{order}/funding")]
async fn fund(
    service: web::Data<Service>,
    actor: Actor,
    order: web::Path<OrderId>,
    write: Write<NewFunding>,
) -> Result<HttpResponse, Problem> {
    let number = order.into_inner();
    service
        .write(actor, write, move |tx, actor, new| {
            order::fund(tx, actor, number, new).map(ReceiptView::from)
        })
        .await
}
