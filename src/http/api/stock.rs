//! A prescriber's own stock.

use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::report;
use crate::domain::{Actor, BookletId};
use crate::http::page::PageQuery;
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(read);
}

/// What lies in the stock of the actor's prescriber.
#[derive(Serialize, ToSchema)]
struct StockView {
    /// Booklets in all.
    booklets: i64,
    /// A page of their numbers.
    items: Vec<BookletId>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<BookletId>,
}

/// Booklets received and not yet handed over.
#[utoipa::path(
    tag = "stock", operation_id = "read_stock", summary = "Lire le stock de sa structure", params(PageQuery),
    responses((status = 200, description = "Le stock", body = StockView))
)]
#[get("/api/v1/stock")]
async fn read(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = (page.after(BookletId::new(0))?, page.limit()?);
    let (booklets, items) =
        service.read(actor, move |tx, actor| report::own_stock(tx, actor, after, limit)).await?;
    let is_full = usize::try_from(limit).is_ok_and(|limit| items.len() >= limit);
    let next = items.last().filter(|_| is_full).copied();
    Ok(HttpResponse::Ok().json(StockView { booklets, items, next }))
}
