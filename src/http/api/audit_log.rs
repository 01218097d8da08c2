//! The audit log: read page by page, or taken away as a file.

use std::io;

use actix_web::{HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::app::audit;
use crate::db::audit_log::{Act, Filter};
use crate::db::{Db, Scope};
use crate::domain::{Actor, BusinessDate, OrganisationId, Refusal, Role, Timestamp, UserId};
use crate::export::csv_safety::Sheet;
use crate::http::page::{Page, PageQuery};
use crate::http::stream::{Pieces, stream};
use crate::http::{Problem, Service};

/// Rows read at once for a file.
const ROWS: i64 = 1_000;

const COLUMNS: [&str; 14] = [
    "id",
    "instant",
    "compte",
    "role",
    "structure",
    "cle_api",
    "operation",
    "sur",
    "issue",
    "resultat",
    "avant",
    "apres",
    "demande",
    "reseau",
];

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(export);
}

/// Which acts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ActsQuery {
    /// `next` of the page before; the last acts without it.
    after: Option<String>,
    /// Rows of the page, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// Of that account or API key.
    #[param(value_type = Option<String>, format = "uuid")]
    actor: Option<UserId>,
    /// By that operation of this contract.
    operation: Option<String>,
    /// From that day on, in Paris.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<BusinessDate>,
    /// Until that day, included.
    #[param(value_type = Option<String>, format = Date)]
    until: Option<BusinessDate>,
}

/// Which days.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DaysQuery {
    /// The first day, in Paris.
    #[param(value_type = String, format = Date)]
    from: BusinessDate,
    /// The last day, included.
    #[param(value_type = String, format = Date)]
    until: BusinessDate,
}

/// An act that left its trace.
#[derive(Serialize, ToSchema)]
struct ActView {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The account; null when nobody was let in.
    actor: Option<UserId>,
    /// Its role then.
    role: Option<Role>,
    /// The organisation that it acted for, when its role has one.
    organisation: Option<OrganisationId>,
    /// Was it a program, with an API key?
    by_api_key: bool,
    /// The operation of this contract.
    operation: String,
    /// What the address named.
    #[schema(value_type = Object)]
    about: serde_json::Value,
    /// `done`, or the code of the refusal.
    outcome: String,
    /// What is kept of the answer: nothing that names a person or opens anything.
    #[schema(value_type = Object)]
    result: serde_json::Value,
    /// What the act found, of what names nobody and opens nothing; null when it changed nothing that was there.
    #[schema(value_type = Option<Object>)]
    before: Option<serde_json::Value>,
    /// The same, as the act left it.
    #[schema(value_type = Option<Object>)]
    after: Option<serde_json::Value>,
    /// The `X-Request-Id` that was answered.
    request_id: String,
    /// The client's network.
    network: Option<String>,
}

impl From<Act> for ActView {
    fn from(act: Act) -> Self {
        Self {
            id: act.id,
            at: act.at,
            actor: act.actor,
            role: act.role,
            organisation: act.organisation,
            by_api_key: act.by_api_key,
            operation: act.operation,
            about: act.about,
            outcome: act.outcome,
            result: act.result,
            before: act.before,
            after: act.after,
            request_id: act.request_id,
            network: act.address,
        }
    }
}

/// The last first.
#[utoipa::path(
    tag = "audit-log", operation_id = "list_audit_log", summary = "Lire la trace des actes privilégiés", params(ActsQuery),
    responses((status = 200, description = "Une page", body = Page<ActView>))
)]
#[get("/api/v1/audit-log")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    query: web::Query<ActsQuery>,
) -> Result<HttpResponse, Problem> {
    let ActsQuery { after, limit, actor: by, operation, from, until } = query.into_inner();
    let page = PageQuery { after, limit };
    let limit = page.limit()?;
    let before = page.after_text().map(str::parse);
    let before = before
        .transpose()
        .map_err(|_| Refusal::invalid("after", "l'identifiant d'un acte est attendu"))?;
    let filter = Filter {
        actor: by,
        operation,
        from: from.map(BusinessDate::start),
        until: until.map(BusinessDate::end),
    };
    let rows = service
        .read(actor, move |tx, actor| audit::list(tx, actor, &filter, before, limit))
        .await?;
    Ok(HttpResponse::Ok().json(Page::<ActView>::new(rows, limit, |act| act.id.to_string())))
}

/// As a spreadsheet opens it; leaves a trace itself.
#[utoipa::path(
    tag = "audit-log", operation_id = "export_audit_log", summary = "Exporter la trace des actes privilégiés", params(DaysQuery),
    responses((status = 200, description = "Le fichier", content_type = "text/csv", body = String))
)]
#[get("/api/v1/audit-log/export")]
async fn export(
    service: web::Data<Service>,
    actor: Actor,
    days: web::Query<DaysQuery>,
) -> Result<HttpResponse, Problem> {
    let DaysQuery { from, until } = days.into_inner();
    let filter = Filter { from: Some(from.start()), until: Some(until.end()), ..Filter::default() };
    // Its own trace is the last row of the file.
    service.read(actor, |_, _| Ok(())).await?;
    let db = service.db.clone();
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header(("Content-Disposition", "attachment; filename=\"actes.csv\""))
        .body(stream(move |out| write_csv(out, &db, &actor, &filter))))
}

/// One transaction for each lot of rows: a slow client holds none open.
fn write_csv(out: &mut Pieces, db: &Db, actor: &Actor, filter: &Filter) -> io::Result<()> {
    let mut sheet = Sheet::new(out, COLUMNS)?;
    let mut before = None;
    loop {
        let acts = db
            .transact_blocking(Scope::Programme(actor.programme), |tx| {
                audit::list(tx, actor, filter, before, ROWS)
            })
            .map_err(io::Error::other)?;
        let Some(last) = acts.last() else { return sheet.finish() };
        before = Some(last.id);
        for act in &acts {
            sheet.row(cells(act).iter().map(String::as_str))?;
        }
    }
}

fn cells(act: &Act) -> [String; 14] {
    let json = |told: Option<&serde_json::Value>| told.map(ToString::to_string).unwrap_or_default();
    let word = |role: Role| <&'static str>::from(role).to_owned();
    [
        act.id.to_string(),
        act.at.to_rfc3339(),
        act.actor.map(|actor| actor.to_string()).unwrap_or_default(),
        act.role.map(word).unwrap_or_default(),
        act.organisation.map(|number| number.to_string()).unwrap_or_default(),
        if act.by_api_key { "oui".to_owned() } else { String::new() },
        act.operation.clone(),
        act.about.to_string(),
        act.outcome.clone(),
        act.result.to_string(),
        json(act.before.as_ref()),
        json(act.after.as_ref()),
        act.request_id.clone(),
        act.address.clone().unwrap_or_default(),
    ]
}
