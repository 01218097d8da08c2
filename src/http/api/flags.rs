//! Fraud flags: raised, shown, decided.

use actix_web::{HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::flag::{self, NewDecision};
use crate::db::flags::Flag;
use crate::domain::flag::{FlagKind, Outcome};
use crate::domain::{Actor, FlagId, RedemptionId, SiteId, Timestamp};
use crate::http::page::{Page, PageQuery};
use crate::http::write::{KeyHeader, Nothing, Write};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(scan).service(decide);
}

/// A fraud flag (fr: signalement): its passes, and no others, wait for a decision before they are paid.
#[derive(Serialize, ToSchema)]
struct FlagView {
    /// Its id.
    id: FlagId,
    /// What was seen.
    kind: FlagKind,
    /// The same, in French, with its figures.
    explanation: String,
    /// Where.
    site: SiteId,
    /// That site's name.
    site_name: String,
    /// When it was raised.
    #[schema(value_type = String, format = DateTime)]
    raised_at: Timestamp,
    /// What it holds: pass and cycle of each.
    #[schema(value_type = Vec<String>)]
    redemptions: Vec<RedemptionId>,
    /// What was decided; null while it waits.
    decision: Option<DecisionView>,
}

/// What a person decided, once.
#[derive(Serialize, ToSchema)]
struct DecisionView {
    /// Paid with the next settlement, or not.
    outcome: Outcome,
    /// Why.
    reason: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    decided_at: Timestamp,
}

/// Flags that an examination raised.
#[derive(Serialize, ToSchema)]
struct ScannedView {
    /// Their ids; none when nothing new was odd.
    raised: Vec<FlagId>,
}

impl From<Flag> for FlagView {
    fn from(flag: Flag) -> Self {
        let redemptions = flag.redemptions().collect();
        let decided = flag.outcome.zip(flag.reason).zip(flag.decided_at);
        Self {
            id: flag.number,
            kind: flag.kind,
            explanation: flag.explanation,
            site: flag.site,
            site_name: flag.site_name,
            raised_at: flag.raised_at,
            redemptions,
            decision: decided.map(|((outcome, reason), decided_at)| DecisionView {
                outcome,
                reason,
                decided_at,
            }),
        }
    }
}

/// By id; a site's people see their own.
#[utoipa::path(
    tag = "flags", operation_id = "list_flags", summary = "Lister les signalements", params(PageQuery),
    responses((status = 200, description = "Une page", body = Page<FlagView>))
)]
#[get("/api/v1/flags")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = (page.after(FlagId::new(0))?, page.limit()?);
    let rows = service.read(actor, move |tx, actor| flag::list(tx, actor, after, limit)).await?;
    Ok(HttpResponse::Ok().json(Page::<FlagView>::new(rows, limit, |row| row.number.to_string())))
}

/// As a settlement does before it pays. A second time, it raises nothing new.
#[utoipa::path(
    tag = "flags", operation_id = "scan_flags", summary = "Examiner ce qui n'est pas encore payé", request_body = Nothing, params(KeyHeader),
    responses((status = 201, description = "Les signalements nouveaux", body = ScannedView))
)]
#[post("/api/v1/flags:scan")]
async fn scan(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<Nothing>,
) -> Result<HttpResponse, Problem> {
    service
        .write(actor, write, |tx, actor, _| {
            flag::scan(tx, actor).map(|raised| ScannedView { raised })
        })
        .await
}

/// Once, with a reason.
#[utoipa::path(
    tag = "flags", operation_id = "decide_flag", summary = "Trancher un signalement", request_body = NewDecision,
    params(("flag" = String, Path, description = "Numéro du signalement"), KeyHeader),
    responses((status = 201, description = "Tranché", body = FlagView))
)]
#[post("/api/v1/flags/{flag}/decision")]
async fn decide(
    service: web::Data<Service>,
    actor: Actor,
    flag: web::Path<FlagId>,
    write: Write<NewDecision>,
) -> Result<HttpResponse, Problem> {
    let number = flag.into_inner();
    service
        .write(actor, write, move |tx, actor, new| {
            flag::decide(tx, actor, number, &new).map(FlagView::from)
        })
        .await
}
