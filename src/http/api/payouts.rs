//! Payouts, as the organisations paid see them.

use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::settlement;
use crate::db::payouts::{Item, Payout};
use crate::domain::bank::Iban;
use crate::domain::money::Money;
use crate::domain::{
    Actor, IncidentId, OrganisationId, PassNumber, PayoutId, RedemptionId, Refusal, SettlementId,
    SiteId, Timestamp,
};
use crate::http::page::{Page, PageQuery};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(items);
}

/// A payment to one organisation.
#[derive(Serialize, ToSchema)]
pub(super) struct PayoutView {
    /// Its id.
    id: PayoutId,
    /// Its settlement.
    settlement: SettlementId,
    /// To whom.
    organisation: OrganisationId,
    /// Holder of the account paid.
    holder_name: String,
    /// The end of its IBAN, as it was when the payout was prepared.
    iban: String,
    /// What the transfer carries, to the statement and back.
    end_to_end_id: String,
    /// How many lines.
    items: i32,
    /// How much.
    payable: Money,
}

impl From<Payout> for PayoutView {
    fn from(payout: Payout) -> Self {
        let iban = payout.iban.parse::<Iban>().map(|iban| iban.masked()).unwrap_or_default();
        Self {
            id: payout.number,
            settlement: payout.settlement,
            organisation: payout.organisation,
            holder_name: payout.holder_name,
            iban,
            end_to_end_id: payout.end_to_end_id,
            items: payout.items,
            payable: payout.amount_cents.into(),
        }
    }
}

/// A line of a payout's statement.
#[derive(Serialize, ToSchema)]
struct ItemView {
    /// From 1.
    line: i32,
    /// The pass.
    pass: PassNumber,
    /// Its redemption.
    #[schema(value_type = String, example = "0412733-1")]
    redemption: RedemptionId,
    /// Where it was redeemed.
    site: SiteId,
    /// That site's name.
    site_name: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    redeemed_at: Timestamp,
    /// What it pays; less than nothing when it deducts.
    payable: Money,
    /// The incident that it deducts; null when it pays.
    incident: Option<IncidentId>,
}

impl From<Item> for ItemView {
    fn from(item: Item) -> Self {
        Self {
            line: item.line,
            pass: item.pass,
            redemption: RedemptionId { pass: item.pass, cycle: item.cycle },
            site: item.site,
            site_name: item.site_name,
            redeemed_at: item.redeemed_at,
            payable: item.amount_cents.into(),
            incident: item.incident,
        }
    }
}

/// A page of a payout's statement.
#[derive(Serialize, ToSchema)]
struct StatementView {
    /// Its lines.
    items: Vec<ItemView>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<String>,
    /// The last signed head of the public log; null before the first.
    head: Option<HeadView>,
}

/// A head of the public log, as receipts say it.
#[derive(Serialize, ToSchema)]
struct HeadView {
    /// How many leaves.
    size: u64,
    /// The root of their tree, in base64.
    root: String,
}

/// Of the actor's organisation.
#[utoipa::path(
    tag = "payouts", operation_id = "list_payouts", summary = "Lister ses contre-paiements", params(PageQuery),
    responses((status = 200, description = "Une page", body = Page<PayoutView>))
)]
#[get("/api/v1/payouts")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = (page.after(PayoutId::new(0))?, page.limit()?);
    let rows = service
        .read(actor, move |tx, actor| settlement::own_payouts(tx, actor, after, limit))
        .await?;
    Ok(HttpResponse::Ok().json(Page::<PayoutView>::new(rows, limit, |row| row.number.to_string())))
}

/// One line per pass paid, then one per incident deducted.
#[utoipa::path(
    tag = "payouts", operation_id = "list_payout_items", summary = "Lire le bordereau d'un contre-paiement",
    params(("payout" = String, Path, description = "Numéro du contre-paiement"), PageQuery),
    responses((status = 200, description = "Une page de lignes", body = StatementView))
)]
#[get("/api/v1/payouts/{payout}/items")]
async fn items(
    service: web::Data<Service>,
    actor: Actor,
    payout: web::Path<PayoutId>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (number, limit) = (payout.into_inner(), page.limit()?);
    let after_line: i32 = match page.after_text() {
        None => 0,
        Some(text) => {
            text.parse().map_err(|_| Refusal::invalid("after", "un numéro de ligne est attendu"))?
        }
    };
    let settlement::Statement { items, head } = service
        .read(actor, move |tx, actor| {
            settlement::payout_items(tx, actor, number, after_line, limit)
        })
        .await?;
    let Page { items, next } = Page::<ItemView>::new(items, limit, |row| row.line.to_string());
    let head = head.map(|head| HeadView { size: head.size, root: head.root.to_string() });
    Ok(HttpResponse::Ok().json(StatementView { items, next, head }))
}
