//! Deliveries to prescribers.

use actix_web::{HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::receipt::ReceiptView;
use crate::app::delivery::{self, Counted, NewDelivery};
use crate::db::deliveries::{Delivery, DeliveryReceipt};
use crate::domain::{Actor, BookletId, DeliveryId, OrganisationId, Timestamp};
use crate::http::page::{Page, PageQuery};
use crate::http::write::{KeyHeader, Write};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(send).service(acknowledge);
}

/// A delivery, as sent, and as counted.
#[derive(Serialize, ToSchema)]
struct DeliveryView {
    /// Its id.
    id: DeliveryId,
    /// To whom.
    prescriber: OrganisationId,
    /// First booklet of the range.
    first_booklet: BookletId,
    /// Last booklet, included.
    last_booklet: BookletId,
    /// When it left.
    #[schema(value_type = String, format = DateTime)]
    sent_at: Timestamp,
    /// When it was counted; null in transit.
    #[schema(value_type = Option<String>, format = DateTime)]
    received_at: Option<Timestamp>,
    /// Declared and not found: to be looked for.
    missing_booklets: Vec<BookletId>,
}

impl From<(Delivery, Option<DeliveryReceipt>)> for DeliveryView {
    fn from((delivery, receipt): (Delivery, Option<DeliveryReceipt>)) -> Self {
        let missing = receipt.iter().flat_map(|receipt| &receipt.missing_booklets);
        Self {
            id: delivery.number,
            prescriber: delivery.prescriber,
            first_booklet: delivery.first_booklet,
            last_booklet: delivery.last_booklet,
            sent_at: delivery.sent_at,
            missing_booklets: missing.map(|booklet| BookletId::new(*booklet)).collect(),
            received_at: receipt.map(|receipt| receipt.received_at),
        }
    }
}

/// A delivery that left, and its receipt.
#[derive(Serialize, ToSchema)]
struct SentView {
    /// The delivery.
    delivery: DeliveryView,
    /// Its receipt.
    receipt: ReceiptView,
}

/// By id; a prescriber sees its own.
#[utoipa::path(
    tag = "deliveries", operation_id = "list_deliveries", summary = "Lister les livraisons", params(PageQuery),
    responses((status = 200, description = "Une page", body = Page<DeliveryView>))
)]
#[get("/api/v1/deliveries")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = (page.after(DeliveryId::new(0))?, page.limit()?);
    let rows =
        service.read(actor, move |tx, actor| delivery::list(tx, actor, after, limit)).await?;
    Ok(HttpResponse::Ok()
        .json(Page::<DeliveryView>::new(rows, limit, |(delivery, _)| delivery.number.to_string())))
}

/// From the sponsor's stock; in transit until the prescriber has counted.
#[utoipa::path(
    tag = "deliveries", operation_id = "send_delivery", summary = "Livrer des carnets à un prescripteur", request_body = NewDelivery,
    params(KeyHeader), responses((status = 201, description = "En chemin", body = SentView))
)]
#[post("/api/v1/deliveries")]
async fn send(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewDelivery>,
) -> Result<HttpResponse, Problem> {
    service
        .write(actor, write, |tx, actor, new| {
            let (delivery, receipt) = delivery::send(tx, actor, new)?;
            Ok(SentView { delivery: (delivery, None).into(), receipt: receipt.into() })
        })
        .await
}

/// What was counted goes into the prescriber's stock; what is missing stays in transit.
#[utoipa::path(
    tag = "deliveries", operation_id = "acknowledge_delivery", summary = "Accuser réception d'une livraison", request_body = Counted,
    params(("delivery" = String, Path, description = "Numéro de la livraison"), KeyHeader),
    responses((status = 201, description = "En stock", body = ReceiptView))
)]
#[post("/api/v1/deliveries/{delivery}/acknowledgement")]
async fn acknowledge(
    service: web::Data<Service>,
    actor: Actor,
    delivery: web::Path<DeliveryId>,
    write: Write<Counted>,
) -> Result<HttpResponse, Problem> {
    let number = delivery.into_inner();
    service
        .write(actor, write, move |tx, actor, counted| {
            delivery::acknowledge(tx, actor, number, &counted).map(ReceiptView::from)
        })
        .await
}
