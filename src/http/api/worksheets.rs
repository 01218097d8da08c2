//! Worksheets of audit samples, and what was found on their lines.

use std::io;

use actix_web::{HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::sample::{self, NewFinding};
use crate::db::findings::{Finding, Item};
use crate::db::{Db, Scope};
use crate::domain::entry::EntryKind;
use crate::domain::sample::{Conclusion, to_look_at};
use crate::domain::{Actor, EntryId, FindingId, LineNumber, SampleId, SiteId, Timestamp};
use crate::export::worksheet::{self, Row};
use crate::http::page::{Page, PageQuery};
use crate::http::stream::{Pieces, stream};
use crate::http::write::{KeyHeader, Write};
use crate::http::{Problem, Service};

/// Lines read at once for a file.
const ROWS: i64 = 1_000;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(items).service(export).service(findings).service(find);
}

/// A receipt that was drawn, and the finding that stands on it.
#[derive(Serialize, ToSchema)]
struct AuditItemView {
    /// Its line on the worksheet.
    line: LineNumber,
    /// Its stratum.
    stratum: String,
    /// Its position in the log.
    leaf: i64,
    /// The entry.
    entry: EntryId,
    /// What it records.
    kind: EntryKind,
    /// Its number in the series of its kind, or the redemption that it names.
    receipt: String,
    /// When it took place.
    #[schema(value_type = String, format = DateTime)]
    happened_at: Timestamp,
    /// What it is worth, when it says so.
    amount_cents: Option<i64>,
    /// The site that it names.
    site: Option<SiteId>,
    /// That site's name.
    site_name: Option<String>,
    /// With what to compare it, in French.
    to_look_at: &'static str,
    /// The finding that stands.
    finding: Option<FindingId>,
    /// What it concludes.
    conclusion: Option<Conclusion>,
    /// Why.
    remark: Option<String>,
}

/// A finding (fr: constat).
#[derive(Serialize, ToSchema)]
struct FindingView {
    /// Its id.
    id: FindingId,
    /// The line that it is on.
    line: LineNumber,
    /// In order, or not.
    conclusion: Conclusion,
    /// Why.
    remark: Option<String>,
    /// The finding that it takes the place of.
    corrects: Option<FindingId>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    found_at: Timestamp,
    /// Its entry.
    entry: EntryId,
}

impl From<Item> for AuditItemView {
    fn from(it: Item) -> Self {
        Self {
            line: it.line,
            stratum: it.stratum,
            leaf: it.leaf,
            entry: it.entry,
            kind: it.kind,
            receipt: it.receipt,
            happened_at: it.happened_at,
            amount_cents: it.amount_cents,
            site: it.site,
            site_name: it.site_name,
            to_look_at: to_look_at(it.kind),
            finding: it.finding,
            conclusion: it.conclusion,
            remark: it.remark,
        }
    }
}

impl From<Finding> for FindingView {
    fn from(it: Finding) -> Self {
        Self {
            id: it.number,
            line: it.line,
            conclusion: it.conclusion,
            remark: it.remark,
            corrects: it.corrects,
            found_at: it.found_at,
            entry: it.entry_id,
        }
    }
}

/// What to check, and the finding that stands on each line.
#[utoipa::path(
    tag = "audit-samples", operation_id = "list_audit_items", summary = "Lire la feuille de travail d'un échantillon",
    params(("sample" = String, Path, description = "Numéro de l'échantillon"), PageQuery),
    responses((status = 200, description = "Une page", body = Page<AuditItemView>))
)]
#[get("/api/v1/audit-samples/{sample}/items")]
async fn items(
    service: web::Data<Service>,
    actor: Actor,
    sample: web::Path<SampleId>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = (page.after(LineNumber::new(0))?, page.limit()?);
    let number = sample.into_inner();
    let rows = service
        .read(actor, move |tx, actor| sample::items(tx, actor, number, after, limit))
        .await?;
    Ok(HttpResponse::Ok().json(Page::<AuditItemView>::new(rows, limit, |row| row.line.to_string())))
}

/// The same, whole, as a spreadsheet opens it.
#[utoipa::path(
    tag = "audit-samples", operation_id = "export_worksheet", summary = "Exporter la feuille de travail d'un échantillon",
    params(("sample" = String, Path, description = "Numéro de l'échantillon")),
    responses((status = 200, description = "Le fichier", content_type = "text/csv", body = String))
)]
#[get("/api/v1/audit-samples/{sample}/worksheet")]
async fn export(
    service: web::Data<Service>,
    actor: Actor,
    sample: web::Path<SampleId>,
) -> Result<HttpResponse, Problem> {
    let number = sample.into_inner();
    // Refused before the first byte leaves.
    let first = LineNumber::new(0);
    service.read(actor, move |tx, actor| sample::items(tx, actor, number, first, 1)).await?;
    let db = service.db.clone();
    let name = format!("attachment; filename=\"feuille-de-travail-{number}.csv\"");
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header(("Content-Disposition", name))
        .body(stream(move |out| write_worksheet(out, &db, &actor, number))))
}

/// One transaction for each lot of lines: a slow client holds none open.
fn write_worksheet(out: &mut Pieces, db: &Db, actor: &Actor, number: SampleId) -> io::Result<()> {
    let mut sheet = worksheet::begin(out)?;
    let mut after = LineNumber::new(0);
    loop {
        let scope = Scope::Programme(actor.programme);
        let lot = db
            .transact_blocking(scope, |tx| sample::items(tx, actor, number, after, ROWS))
            .map_err(io::Error::other)?;
        let Some(last) = lot.last() else { return sheet.finish() };
        after = last.line;
        for item in &lot {
            worksheet::write(&mut sheet, &row(item))?;
        }
    }
}

fn row(item: &Item) -> Row<'_> {
    Row {
        line: item.line.get(),
        stratum: &item.stratum,
        receipt: &item.receipt,
        kind: item.kind,
        happened_at: item.happened_at,
        amount_cents: item.amount_cents,
        site: item.site.zip(item.site_name.as_deref()),
        leaf: item.leaf,
        entry: item.entry,
        conclusion: item.conclusion,
        remark: item.remark.as_deref(),
    }
}

/// By id; those that were corrected are among them.
#[utoipa::path(
    tag = "audit-samples", operation_id = "list_findings", summary = "Lister les constats d'un échantillon",
    params(("sample" = String, Path, description = "Numéro de l'échantillon"), PageQuery),
    responses((status = 200, description = "Une page", body = Page<FindingView>))
)]
#[get("/api/v1/audit-samples/{sample}/findings")]
async fn findings(
    service: web::Data<Service>,
    actor: Actor,
    sample: web::Path<SampleId>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = (page.after(FindingId::new(0))?, page.limit()?);
    let number = sample.into_inner();
    let rows = service
        .read(actor, move |tx, actor| sample::history(tx, actor, number, after, limit))
        .await?;
    Ok(HttpResponse::Ok().json(Page::<FindingView>::new(rows, limit, |row| row.number.to_string())))
}

/// Kept for good; a correction is another finding, which names this one.
#[utoipa::path(
    tag = "audit-samples", operation_id = "record_finding", summary = "Consigner un constat sur une ligne", request_body = NewFinding,
    params(
        ("sample" = String, Path, description = "Numéro de l'échantillon"),
        ("line" = String, Path, description = "Ligne de la feuille de travail"), KeyHeader
    ),
    responses((status = 201, description = "Le constat", body = FindingView))
)]
#[post("/api/v1/audit-samples/{sample}/items/{line}/findings")]
async fn find(
    service: web::Data<Service>,
    actor: Actor,
    on: web::Path<(SampleId, LineNumber)>,
    write: Write<NewFinding>,
) -> Result<HttpResponse, Problem> {
    let on = on.into_inner();
    service
        .write(actor, write, move |tx, actor, new| {
            sample::find(tx, actor, on, new).map(FindingView::from)
        })
        .await
}
