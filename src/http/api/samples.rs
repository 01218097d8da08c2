//! Audit samples: committed to, drawn, drawn again to compare.

use actix_web::{HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::sample::{self, NewDraw, NewSample, Overview};
use crate::db::Scope;
use crate::db::findings::Tally;
use crate::db::samples::{Committed, Drawn};
use crate::domain::entry::EntryKind;
use crate::domain::merkle::Hash;
use crate::domain::sample::{Commitment, PerStratum, Seed, Strata};
use crate::domain::{Actor, BusinessDate, EntryId, SampleId, Timestamp};
use crate::http::page::{Page, PageQuery};
use crate::http::write::{KeyHeader, Write};
use crate::http::{Problem, Service};
use crate::ledger::verify::Check;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(commit).service(read).service(draw).service(verify);
}

/// A commitment (fr: engagement): of what the sample is, said before the draw.
#[derive(Serialize, ToSchema)]
struct CommittedView {
    /// The sample's id.
    id: SampleId,
    /// What the auditor calls it.
    title: String,
    /// SHA-256 of the seed.
    commitment: Commitment,
    /// Kinds of receipts.
    kinds: Vec<EntryKind>,
    /// First day on which they happened, in Paris.
    from: BusinessDate,
    /// Last day, included.
    until: BusinessDate,
    /// What parts them.
    strata: Strata,
    /// How many of each part, at most.
    per_stratum: PerStratum,
    /// When it was committed to.
    #[schema(value_type = String, format = DateTime)]
    committed_at: Timestamp,
    /// Its entry: the receipt, and its proof in the log, are found by it.
    entry: EntryId,
}

/// A sample, whole but for its lines.
#[derive(Serialize, ToSchema)]
struct SampleView {
    /// The commitment.
    #[serde(flatten)]
    committed: CommittedView,
    /// Position of the commitment in the log, once a signed head covers it: the sample can be drawn.
    sealed_at: Option<u64>,
    /// The draw; null until then.
    draw: Option<DrawView>,
    /// What was found, stratum by stratum; empty before the draw.
    strata_found: Vec<StratumView>,
}

/// A draw (fr: tirage).
#[derive(Serialize, ToSchema)]
struct DrawView {
    /// The seed.
    seed: Seed,
    /// Leaves of the tree that ends with the commitment.
    head_size: u64,
    /// Its root, base64.
    #[schema(value_type = String)]
    head_root: Hash,
    /// Size of a signed head that covers it.
    signed_size: u64,
    /// Receipts that it was drawn from.
    population: u64,
    /// Receipts drawn.
    items: i32,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    drawn_at: Timestamp,
    /// Its entry.
    entry: EntryId,
}

/// What a stratum comes to.
#[derive(Serialize, ToSchema)]
struct StratumView {
    /// A kind, a month, or the number of a site; 0 for receipts that name none.
    stratum: String,
    /// The site's name, when it is one.
    site_name: Option<String>,
    /// Receipts in it.
    population: i64,
    /// Of these, drawn.
    items: i32,
    /// Of these, found in order.
    conform: i64,
    /// Found not in order.
    anomaly: i64,
    /// Found not verifiable.
    not_verifiable: i64,
    /// Without a finding yet.
    open: i64,
}

impl From<Committed> for CommittedView {
    fn from(it: Committed) -> Self {
        Self {
            id: it.number,
            title: it.title,
            commitment: it.commitment,
            kinds: it.criteria.kinds,
            from: it.criteria.from_on,
            until: it.criteria.until_on,
            strata: it.criteria.strata,
            per_stratum: it.criteria.per_stratum,
            committed_at: it.committed_at,
            entry: it.entry,
        }
    }
}

impl From<Overview> for SampleView {
    fn from(it: Overview) -> Self {
        Self {
            committed: it.committed.into(),
            sealed_at: it.sealed_at,
            draw: it.drawn.map(DrawView::from),
            strata_found: it.tally.into_iter().map(StratumView::from).collect(),
        }
    }
}

impl From<Drawn> for DrawView {
    fn from(it: Drawn) -> Self {
        Self {
            seed: it.seed,
            head_size: it.leaf.saturating_add(1),
            head_root: it.root,
            signed_size: it.signed_size,
            population: it.population,
            items: it.items,
            drawn_at: it.drawn_at,
            entry: it.entry,
        }
    }
}

impl From<Tally> for StratumView {
    fn from(it: Tally) -> Self {
        let found = [it.conform, it.anomaly, it.not_verifiable].iter().sum();
        Self {
            stratum: it.stratum,
            site_name: it.site_name,
            population: it.population,
            items: it.items,
            conform: it.conform,
            anomaly: it.anomaly,
            not_verifiable: it.not_verifiable,
            open: i64::from(it.items).saturating_sub(found),
        }
    }
}

/// By id. One that was committed to and never drawn stays in the list: nobody takes a commitment back.
#[utoipa::path(
    tag = "audit-samples", operation_id = "list_audit_samples", summary = "Lister les échantillons d'audit", params(PageQuery),
    responses((status = 200, description = "Une page", body = Page<CommittedView>))
)]
#[get("/api/v1/audit-samples")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = (page.after(SampleId::new(0))?, page.limit()?);
    let rows = service.read(actor, move |tx, actor| sample::list(tx, actor, after, limit)).await?;
    Ok(HttpResponse::Ok()
        .json(Page::<CommittedView>::new(rows, limit, |row| row.number.to_string())))
}

/// The seed stays with the auditor, who alone knows it until the draw.
#[utoipa::path(
    tag = "audit-samples", operation_id = "commit_audit_sample", summary = "S'engager sur un échantillon d'audit, avant son tirage",
    request_body = NewSample, params(KeyHeader),
    responses((status = 201, description = "L'engagement", body = SampleView))
)]
#[post("/api/v1/audit-samples")]
async fn commit(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewSample>,
) -> Result<HttpResponse, Problem> {
    service
        .write(actor, write, |tx, actor, new| sample::commit(tx, actor, &new).map(SampleView::from))
        .await
}

/// With the counts of what was found, stratum by stratum.
#[utoipa::path(
    tag = "audit-samples", operation_id = "read_audit_sample", summary = "Lire un échantillon d'audit et son bilan",
    params(("sample" = String, Path, description = "Numéro de l'échantillon")),
    responses((status = 200, description = "L'échantillon", body = SampleView))
)]
#[get("/api/v1/audit-samples/{sample}")]
async fn read(
    service: web::Data<Service>,
    actor: Actor,
    sample: web::Path<SampleId>,
) -> Result<HttpResponse, Problem> {
    let number = sample.into_inner();
    let found = service.read(actor, move |tx, actor| sample::get(tx, actor, number)).await?;
    Ok(HttpResponse::Ok().json(SampleView::from(found)))
}

/// Once for all: by the seed, and by the head of the log that ends with the commitment.
#[utoipa::path(
    tag = "audit-samples", operation_id = "draw_audit_sample", summary = "Révéler la graine et tirer l'échantillon", request_body = NewDraw,
    params(("sample" = String, Path, description = "Numéro de l'échantillon"), KeyHeader),
    responses((status = 201, description = "Tiré", body = SampleView))
)]
#[post("/api/v1/audit-samples/{sample}/draw")]
async fn draw(
    service: web::Data<Service>,
    actor: Actor,
    sample: web::Path<SampleId>,
    write: Write<NewDraw>,
) -> Result<HttpResponse, Problem> {
    let number = sample.into_inner();
    service
        .write(actor, write, move |tx, actor, new| {
            sample::draw(tx, actor, number, &new).map(SampleView::from)
        })
        .await
}

/// From the log, and compared with what was written down. `souche audit sample` does it without this service.
#[utoipa::path(
    tag = "audit-samples", operation_id = "verify_audit_sample", summary = "Refaire le tirage et le comparer",
    params(("sample" = String, Path, description = "Numéro de l'échantillon")),
    responses((status = 200, description = "Le même, ou la première ligne qui diffère", body = Check))
)]
#[get("/api/v1/audit-samples/{sample}/verification")]
async fn verify(
    service: web::Data<Service>,
    actor: Actor,
    sample: web::Path<SampleId>,
) -> Result<HttpResponse, Problem> {
    let number = sample.into_inner();
    let scope = Scope::Programme(actor.programme);
    let check = service.db.snapshot(scope, move |tx| sample::verify(tx, &actor, number)).await?;
    Ok(HttpResponse::Ok().json(check))
}
