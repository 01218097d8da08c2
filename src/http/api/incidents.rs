//! Incidents: settled redemptions, undone.

use actix_web::{HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::receipt::ReceiptView;
use crate::app::incident::{self, NewIncident};
use crate::db::incidents::Incident;
use crate::domain::money::Money;
use crate::domain::{
    Actor, EntryId, IncidentId, OrganisationId, PayoutId, RedemptionId, SiteId, Timestamp,
};
use crate::http::page::{Page, PageQuery};
use crate::http::write::{KeyHeader, Write};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(record);
}

/// A settled redemption that was undone.
#[derive(Serialize, ToSchema)]
struct IncidentView {
    /// Its id: the number of its receipt.
    id: IncidentId,
    /// What it undid: pass and cycle.
    #[schema(value_type = String, example = "0412733-1")]
    redemption: RedemptionId,
    /// Where that was.
    site: SiteId,
    /// Whose site.
    organisation: OrganisationId,
    /// Why, in the operator's words.
    reason: String,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// Its entry in the journal.
    entry: EntryId,
    /// What is taken off a payout.
    deductible: Money,
    /// The payout that pays the redemption.
    paid_by: PayoutId,
    /// The payout that deducts it; null until a settlement does.
    deducted_from: Option<PayoutId>,
}

impl From<Incident> for IncidentView {
    fn from(incident: Incident) -> Self {
        Self {
            id: incident.number,
            redemption: RedemptionId { pass: incident.pass, cycle: incident.cycle },
            site: incident.site,
            organisation: incident.organisation,
            reason: incident.reason,
            recorded_at: incident.recorded_at,
            entry: incident.entry_id,
            deductible: incident.amount_cents.into(),
            paid_by: incident.paid_by,
            deducted_from: incident.deducted_from,
        }
    }
}

/// The pass is good again, and the next settlement of the organisation deducts it.
#[utoipa::path(
    tag = "incidents", operation_id = "record_incident", summary = "Annuler une utilisation déjà dans un lot de paiement",
    request_body = NewIncident, params(KeyHeader),
    responses((status = 201, description = "Enregistré : le récépissé", body = ReceiptView))
)]
#[post("/api/v1/incidents")]
async fn record(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewIncident>,
) -> Result<HttpResponse, Problem> {
    service
        .write(actor, write, |tx, actor, new| {
            incident::record(tx, actor, &new).map(ReceiptView::from)
        })
        .await
}

/// By id; a site's people see their own.
#[utoipa::path(
    tag = "incidents", operation_id = "list_incidents", summary = "Lister les incidents", params(PageQuery),
    responses((status = 200, description = "Une page", body = Page<IncidentView>))
)]
#[get("/api/v1/incidents")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = (page.after(IncidentId::new(0))?, page.limit()?);
    let rows =
        service.read(actor, move |tx, actor| incident::list(tx, actor, after, limit)).await?;
    Ok(HttpResponse::Ok()
        .json(Page::<IncidentView>::new(rows, limit, |row| row.number.to_string())))
}
