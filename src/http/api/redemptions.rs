//! At the counter.

use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::receipt::ReceiptView;
use crate::app::redemption::{self, Ask, Checked, NewRedemption, NewVoid, Outcome, Redeemed};
use crate::db::redemptions::{Listed, SiteTotals};
use crate::domain::code::PassCode;
use crate::domain::date::parse_instant;
use crate::domain::service::Service as Offered;
use crate::domain::{
    Actor, BusinessDate, PassNumber, PayoutId, RedemptionId, Refusal, SiteId, Timestamp, WorkshopId,
};
use crate::error::Result as Done;
use crate::http::page::{Page, PageQuery};
use crate::http::write::{Json, KeyHeader, Write};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(redeem).service(check).service(void).service(list).service(read_totals);
}

/// A pass to be tested.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCheck {
    /// Its code, scanned or typed.
    #[schema(value_type = String, max_length = 300, example = "HDF-0000042-7K3M9QXW2T5V8Y1A-Z")]
    code: PassCode,
    /// Where; a mediator's own site when left out.
    #[serde(default)]
    site: Option<SiteId>,
    /// What for, when that is known.
    #[serde(default)]
    service: Option<Offered>,
}

/// A redemption in a site's list.
#[derive(Serialize, ToSchema)]
struct ListedView {
    /// Pass and cycle.
    #[schema(value_type = String, example = "0412733-1")]
    id: RedemptionId,
    /// The pass.
    pass: PassNumber,
    /// Where.
    site: SiteId,
    /// For what.
    service: Offered,
    /// At which workshop.
    workshop: Option<WorkshopId>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    redeemed_at: Timestamp,
    /// When it was undone, if it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    voided_at: Option<Timestamp>,
    /// The payout that lists it.
    payout: Option<PayoutId>,
    /// The day of that payout's debit at the bank.
    paid_on: Option<BusinessDate>,
}

impl From<Listed> for ListedView {
    fn from(listed: Listed) -> Self {
        Self {
            id: RedemptionId { pass: listed.pass, cycle: listed.cycle },
            pass: listed.pass,
            site: listed.site,
            service: listed.service,
            workshop: listed.workshop,
            redeemed_at: listed.redeemed_at,
            voided_at: listed.voided_at,
            payout: listed.payout.map(PayoutId::new),
            paid_on: listed.debited_on,
        }
    }
}

/// What a site redeemed, and how far its payment is: waiting, held, in payment and paid, less what is to be deducted, add
/// up to what it redeemed.
#[derive(Serialize, ToSchema)]
struct TotalsView {
    /// The site.
    site: SiteId,
    /// Its name.
    name: String,
    /// Passes redeemed and not undone.
    redeemed_passes: i64,
    /// Owed, in no settlement yet.
    waiting_passes: i64,
    /// Owed, and held by flags until somebody has decided; or not to be paid.
    held_passes: i64,
    /// In a settlement, not yet debited; less what its payouts deduct.
    in_payment_passes: i64,
    /// Debited at the bank; less what was deducted.
    paid_passes: i64,
    /// Undone by incidents, to be deducted by the next settlement.
    to_deduct_passes: i64,
}

impl From<SiteTotals> for TotalsView {
    fn from(totals: SiteTotals) -> Self {
        Self {
            site: totals.site,
            name: totals.name,
            redeemed_passes: totals.redeemed,
            waiting_passes: totals
                .redeemed
                .saturating_add(totals.to_deduct)
                .saturating_sub(totals.in_payout)
                .saturating_sub(totals.held),
            held_passes: totals.held,
            in_payment_passes: totals.in_payout.saturating_sub(totals.paid),
            paid_passes: totals.paid,
            to_deduct_passes: totals.to_deduct,
        }
    }
}

/// Spends a pass, once: answers after COMMIT.
#[utoipa::path(
    tag = "redemptions", operation_id = "redeem_pass", summary = "Utiliser un pass", request_body = NewRedemption, params(KeyHeader),
    responses((status = 201, description = "Utilisé : le reçu", body = Redeemed))
)]
#[post("/api/v1/redemptions")]
async fn redeem(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewRedemption>,
) -> Result<HttpResponse, Problem> {
    let (reply, outcome) = oneshot::channel();
    let ask = Ask { actor, request: write.body.request(write.key.as_str())?, what: write.body };
    // Nobody left to hear it: the client hung up, and its key will tell.
    let queued = service.redemptions.submit(ask, move |outcome| drop(reply.send(outcome)));
    queued.map_err(|_| Problem::busy("the queue of redemptions is full"))?;
    let told = told(&service, outcome).await?;
    Ok(HttpResponse::Created().json(told))
}

/// The answer to a request that was queued, with its receipt signed: here, where no other request waits for it.
pub(super) async fn told(
    service: &Service,
    outcome: oneshot::Receiver<Done<Outcome>>,
) -> Result<Redeemed, Problem> {
    let outcome = outcome
        .await
        .map_err(|_| Problem::unknown_outcome("the writer of redemptions is gone"))??;
    let told = outcome?;
    let signature =
        told.kid.as_deref().and_then(|kid| service.keys.sign_receipt(kid, &told.receipt));
    Ok(Redeemed { signature, ..told })
}

/// Says what a redemption would say, and spends nothing. Counts as a try.
#[utoipa::path(
    tag = "redemptions", operation_id = "check_pass", summary = "Tester un pass sans l'utiliser", request_body = NewCheck,
    responses((status = 200, description = "Il serait accepté", body = Checked))
)]
#[post("/api/v1/redemptions:check")]
async fn check(
    service: web::Data<Service>,
    actor: Actor,
    body: Json<NewCheck>,
) -> Result<HttpResponse, Problem> {
    let (Json(NewCheck { code, site, service: offered }), keys) = (body, service.keys.clone());
    let checked = service
        .read(actor, move |tx, actor| redemption::check(tx, actor, &keys, &code, site, offered))
        .await?;
    Ok(HttpResponse::Ok().json(checked?))
}

/// Until it is in a settlement.
#[utoipa::path(
    tag = "redemptions", operation_id = "void_redemption", summary = "Annuler une utilisation", request_body = NewVoid,
    params(("redemption" = String, Path, description = "Numéro de l'utilisation, par exemple 0412733-1"), KeyHeader),
    responses((status = 201, description = "Annulée : le pass est de nouveau valable", body = ReceiptView))
)]
#[post("/api/v1/redemptions/{redemption}/void")]
async fn void(
    service: web::Data<Service>,
    actor: Actor,
    redemption: web::Path<RedemptionId>,
    write: Write<NewVoid>,
) -> Result<HttpResponse, Problem> {
    let of = redemption.into_inner();
    service
        .write(actor, write, move |tx, actor, new| {
            redemption::void(tx, actor, of, &new).map(ReceiptView::from)
        })
        .await
}

/// Of the actor's site, or of all sites of its organisation; newest first.
#[utoipa::path(
    tag = "redemptions", operation_id = "list_redemptions", summary = "Lister ses utilisations", params(PageQuery),
    responses((status = 200, description = "Une page", body = Page<ListedView>))
)]
#[get("/api/v1/redemptions")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (before, limit) = (before(page.after_text())?, page.limit()?);
    let rows =
        service.read(actor, move |tx, actor| redemption::list(tx, actor, before, limit)).await?;
    let key = |row: &Listed| {
        format!(
            "{}~{}",
            row.redeemed_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            row.pass
        )
    };
    Ok(HttpResponse::Ok().json(Page::<ListedView>::new(rows, limit, key)))
}

fn before(after: Option<&str>) -> Result<(Timestamp, PassNumber), Refusal> {
    let Some(text) = after else { return Ok((Timestamp::MAX_UTC, PassNumber::new(i32::MAX))) };
    let parts = text
        .split_once('~')
        .and_then(|(at, pass)| Some((parse_instant(at).ok()?, pass.parse().ok()?)));
    parts.ok_or_else(|| {
        Refusal::invalid("after", "la valeur « next » de la page précédente est attendue")
    })
}

/// What each site of the organisation is owed.
#[utoipa::path(
    tag = "redemptions", operation_id = "read_totals", summary = "Lire ce qui est dû à ses lieux",
    responses((status = 200, description = "Un total par lieu", body = Vec<TotalsView>))
)]
#[get("/api/v1/redemptions/totals")]
async fn read_totals(service: web::Data<Service>, actor: Actor) -> Result<HttpResponse, Problem> {
    let totals = service.read(actor, redemption::totals).await?;
    Ok(HttpResponse::Ok().json(totals.into_iter().map(TotalsView::from).collect::<Vec<_>>()))
}
