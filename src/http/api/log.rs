//! The public log of a programme, in the addresses that C2SP gives it (tlog-tiles), and proofs from it.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::evidence::Escrow;
use crate::app::log;
use crate::db::{Scope, Tx};
use crate::domain::merkle::TILE_WIDTH;
use crate::domain::programme::ProgrammeCode;
use crate::domain::{Actor, EntryId, Refusal, Timestamp};
use crate::error::Result;
use crate::http::page::{Page, PageQuery};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(checkpoint)
        .service(key)
        .service(tile)
        .service(tile_of_two)
        .service(tile_of_three);
    config.service(list).service(consistency).service(prove).service(read_metrics);
}

/// A full tile never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A signed head.
#[derive(Serialize, ToSchema)]
struct CheckpointView {
    /// How many leaves.
    size: u64,
    /// The root of their tree, in base64.
    root: String,
    /// The signed note: keep it as it is, elsewhere.
    note: String,
    /// The public key that signed it.
    key: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    signed_at: Timestamp,
}

impl From<log::Head> for CheckpointView {
    fn from(head: log::Head) -> Self {
        let root = head.root.to_string();
        Self { size: head.size, root, note: head.note, key: head.vkey, signed_at: head.signed_at }
    }
}

/// From which size to which.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Sizes {
    /// The smaller size, from 1.
    from: u64,
    /// The larger size, at most that of the last checkpoint.
    to: u64,
}

/// That a log only grew.
#[derive(Serialize, ToSchema)]
struct Consistency {
    /// The smaller size.
    from: u64,
    /// The larger size.
    to: u64,
    /// The hashes of RFC 6962, in base64.
    proof: Vec<String>,
}

impl Service {
    /// Runs a use case that anyone may.
    async fn public<T: Send + 'static>(
        &self,
        code: &str,
        work: impl FnOnce(&mut Tx<'_>, &ProgrammeCode) -> Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let code = ProgrammeCode::try_from(code.to_owned())
            .map_err(|rule| Refusal::invalid("programme", rule))?;
        Ok(self.db.transact(Scope::Nobody, move |tx| work(tx, &code)).await?)
    }
}

/// The last signed head.
#[utoipa::path(
    tag = "log", operation_id = "read_checkpoint", summary = "Lire le dernier point de contrôle du journal public",
    params(("programme" = String, Path, description = "Code du dispositif")),
    responses((status = 200, description = "Note signée (C2SP tlog-checkpoint)", content_type = "text/plain", body = String))
)]
#[get("/api/v1/log/{programme}/checkpoint")]
async fn checkpoint(
    service: web::Data<Service>,
    programme: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let note = service.public(&programme, log::checkpoint).await?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(note))
}

/// Who signs.
#[utoipa::path(
    tag = "log", operation_id = "read_log_key", summary = "Lire les clés publiques du journal",
    params(("programme" = String, Path, description = "Code du dispositif")),
    responses((status = 200, description = "Une clé par ligne, la plus récente d'abord (C2SP vkey)", content_type = "text/plain", body = String))
)]
#[get("/api/v1/log/{programme}/key")]
async fn key(
    service: web::Data<Service>,
    programme: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let keys = service.public(&programme, log::keys).await?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(keys))
}

/// Hashes of one tile, 32 bytes each.
#[utoipa::path(
    tag = "log", operation_id = "read_tile", summary = "Lire une tuile du journal public",
    params(
        ("programme" = String, Path, description = "Code du dispositif"), ("level" = String, Path, description = "De 0 (feuilles) à 7"),
        ("index" = String, Path, description = "Numéro de la tuile, sur trois chiffres"),
    ),
    responses((status = 200, description = "Empreintes de 32 octets, bout à bout", content_type = "application/octet-stream", body = Vec<u8>))
)]
#[get("/api/v1/log/{programme}/tile/{level}/{index}")]
async fn tile(
    service: web::Data<Service>,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, Problem> {
    let (programme, level, index) = path.into_inner();
    read_tile(&service, &programme, &level, &[&index]).await
}

/// The same: past number 999, or not full yet.
#[utoipa::path(
    tag = "log", operation_id = "read_tile_of_two_parts", summary = "Lire une tuile du journal public, incomplète ou au-delà de 999",
    params(
        ("programme" = String, Path, description = "Code du dispositif"), ("level" = String, Path, description = "De 0 (feuilles) à 7"),
        ("index" = String, Path, description = "x et trois chiffres, ou trois chiffres et .p"),
        ("rest" = String, Path, description = "Trois chiffres, ou la largeur après .p"),
    ),
    responses((status = 200, description = "Empreintes de 32 octets, bout à bout", content_type = "application/octet-stream", body = Vec<u8>))
)]
#[get("/api/v1/log/{programme}/tile/{level}/{index}/{rest}")]
async fn tile_of_two(
    service: web::Data<Service>,
    path: web::Path<(String, String, String, String)>,
) -> Result<HttpResponse, Problem> {
    let (programme, level, index, rest) = path.into_inner();
    read_tile(&service, &programme, &level, &[&index, &rest]).await
}

/// The same: past number 999 and not full yet, or past 999 999.
#[utoipa::path(
    tag = "log", operation_id = "read_tile_of_three_parts", summary = "Lire une tuile du journal public, incomplète au-delà de 999",
    params(
        ("programme" = String, Path, description = "Code du dispositif"), ("level" = String, Path, description = "De 0 (feuilles) à 7"),
        ("index" = String, Path, description = "x et trois chiffres"), ("rest" = String, Path, description = "Trois chiffres et .p, ou x et trois chiffres"),
        ("end" = String, Path, description = "La largeur après .p, ou trois chiffres"),
    ),
    responses((status = 200, description = "Empreintes de 32 octets, bout à bout", content_type = "application/octet-stream", body = Vec<u8>))
)]
#[get("/api/v1/log/{programme}/tile/{level}/{index}/{rest}/{end}")]
async fn tile_of_three(
    service: web::Data<Service>,
    path: web::Path<(String, String, String, String, String)>,
) -> Result<HttpResponse, Problem> {
    let (programme, level, index, rest, end) = path.into_inner();
    read_tile(&service, &programme, &level, &[&index, &rest, &end]).await
}

async fn read_tile(
    service: &Service,
    programme: &str,
    level: &str,
    parts: &[&str],
) -> Result<HttpResponse, Problem> {
    let wrong = || {
        Refusal::invalid("tile", "une adresse de tuile est attendue, comme tile/0/x001/234.p/56")
    };
    let level: u8 = level.parse().ok().filter(|it| *it < 8).ok_or_else(wrong)?;
    let (index, width) = tile_number(parts).ok_or_else(wrong)?;
    let hashes =
        service.public(programme, move |tx, code| log::tile(tx, code, level, index, width)).await?;
    let mut response = HttpResponse::Ok();
    if width == TILE_WIDTH {
        response.insert_header((CACHE_CONTROL, FOR_EVER));
    }
    let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
    Ok(response.content_type("application/octet-stream").body(bytes))
}

/// Number and width of a tile: three digits at a time, all but the last behind an x; then `.p` and the
/// width of one that is not full (C2SP tlog-tiles).
fn tile_number(parts: &[&str]) -> Option<(u64, u64)> {
    let (mut parts, mut width) = (parts.to_vec(), TILE_WIDTH);
    let mut whole = parts.pop()?;
    if let Some(partial) = parts.last().and_then(|part| part.strip_suffix(".p")) {
        width = whole.parse().ok().filter(|it| (1..TILE_WIDTH).contains(it))?;
        if width.to_string() != whole {
            return None;
        }
        whole = partial;
        parts.pop();
    }
    let mut number = three_digits(whole)?;
    let mut thousand: u64 = 1_000;
    for (nth, part) in parts.iter().rev().enumerate() {
        let digits = three_digits(part.strip_prefix('x')?)?;
        let is_first = nth.saturating_add(1) == parts.len();
        if is_first && digits == 0 {
            return None;
        }
        number = number.checked_add(digits.checked_mul(thousand)?)?;
        thousand = thousand.checked_mul(1_000)?;
    }
    Some((number, width))
}

fn three_digits(text: &str) -> Option<u64> {
    let is_one = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then(|| text.parse().ok()).flatten()
}

/// The last first.
#[utoipa::path(
    tag = "log", operation_id = "list_checkpoints", summary = "Lister les points de contrôle, le dernier d'abord", params(PageQuery),
    responses((status = 200, description = "Une page", body = Page<CheckpointView>))
)]
#[get("/api/v1/checkpoints")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let limit = page.limit()?;
    let before: u64 = match page.after_text() {
        None => u64::MAX >> 1,
        Some(text) => text
            .parse()
            .ok()
            .filter(|it| *it <= u64::MAX >> 1)
            .ok_or_else(|| Refusal::invalid("after", "une taille de journal est attendue"))?,
    };
    let rows =
        service.read(actor, move |tx, actor| log::checkpoints(tx, actor, before, limit)).await?;
    Ok(HttpResponse::Ok()
        .json(Page::<CheckpointView>::new(rows, limit, |row| row.size.to_string())))
}

/// That the log only grew between two sizes.
#[utoipa::path(
    tag = "log", operation_id = "prove_consistency", summary = "Prouver que le journal public n'a fait que croître", params(Sizes),
    responses((status = 200, description = "La preuve (RFC 6962)", body = Consistency))
)]
#[get("/api/v1/checkpoints/consistency")]
async fn consistency(
    service: web::Data<Service>,
    actor: Actor,
    sizes: web::Query<Sizes>,
) -> Result<HttpResponse, Problem> {
    let Sizes { from, to } = sizes.into_inner();
    let proof = service.read(actor, move |tx, actor| log::consistency(tx, actor, from, to)).await?;
    let proof = proof.iter().map(ToString::to_string).collect();
    Ok(HttpResponse::Ok().json(Consistency { from, to, proof }))
}

/// That a receipt is in the log: keep it next to the receipt.
#[utoipa::path(
    tag = "log", operation_id = "prove_receipt", summary = "Prouver qu'un récépissé est au journal public",
    params(("entry" = String, Path, description = "L'écriture dont c'est le récépissé")),
    responses((status = 200, description = "La preuve (C2SP tlog-proof)", content_type = "text/plain", body = String))
)]
#[get("/api/v1/receipts/{entry}/proof")]
async fn prove(
    service: web::Data<Service>,
    actor: Actor,
    entry: web::Path<EntryId>,
) -> Result<HttpResponse, Problem> {
    let entry = entry.into_inner();
    let proof = service.read(actor, move |tx, actor| log::proof(tx, actor, entry)).await?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(proof.to_string()))
}

/// For Prometheus.
#[utoipa::path(
    tag = "health", operation_id = "read_metrics", summary = "Lire les mesures du service",
    responses((status = 200, description = "Texte de Prometheus", content_type = "text/plain", body = String))
)]
#[get("/metrics")]
async fn read_metrics(service: web::Data<Service>) -> Result<HttpResponse, Problem> {
    let gauges = service.db.transact(Scope::Nobody, log::gauges).await?;
    let mut text = exposed(&gauges);
    if let Some(escrow) = &service.escrow {
        text.push_str(&copies_exposed(escrow, &gauges));
    }
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text))
}

/// A programme without a copy has one that is infinitely old: whoever watches is told of both alike.
fn copies_exposed(escrow: &Escrow, gauges: &[log::Gauge]) -> String {
    let name = "souche_escrow_age_seconds";
    let ages = gauges.iter().map(|gauge| {
        let age = escrow.age(&gauge.programme).map_or("+Inf".into(), |it| it.as_secs().to_string());
        format!("{name}{{programme=\"{}\"}} {age}\n", gauge.programme)
    });
    format!("# HELP {name} Age of the last encrypted copy\n# TYPE {name} gauge\n")
        + &ages.collect::<String>()
}

fn exposed(gauges: &[log::Gauge]) -> String {
    type Value = fn(&log::Gauge) -> i128;
    let metrics: [(&str, &str, Value); 4] = [
        (
            "souche_seal_lag_seconds",
            "Age of the oldest receipt that no signed checkpoint covers",
            |it| it.lag_seconds.into(),
        ),
        ("souche_log_leaves", "Receipts sealed into the log", |it| it.size.into()),
        ("souche_log_signed_leaves", "Of those, covered by a signed checkpoint", |it| {
            it.signed.into()
        }),
        ("souche_signer_refuses", "1 when the signer refused the head of the log", |it| {
            it.is_refused.into()
        }),
    ];
    let mut lines = Vec::new();
    for (name, help, value) in metrics {
        lines.extend([format!("# HELP {name} {help}"), format!("# TYPE {name} gauge")]);
        lines.extend(
            gauges.iter().map(|gauge| {
                format!("{name}{{programme=\"{}\"}} {}", gauge.programme, value(gauge))
            }),
        );
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programme_without_a_copy_has_one_that_is_infinitely_old() {
        let dir = std::env::temp_dir().join(format!("souche-metrics-{}", std::process::id()));
        std::fs::create_dir(&dir).unwrap();
        let to = age::x25519::Identity::generate().to_public().to_string().parse().unwrap();
        let escrow = Escrow::new(dir.clone(), vec![to], 1).unwrap();
        let programme = "SAT".to_owned().try_into().unwrap();
        let gauge = log::Gauge { programme, size: 0, signed: 0, lag_seconds: 0, is_refused: false };
        let shown = || copies_exposed(&escrow, std::slice::from_ref(&gauge));
        assert!(shown().ends_with("souche_escrow_age_seconds{programme=\"SAT\"} +Inf\n"));
        std::fs::write(dir.join("SAT-2026-12-31.souche.age"), "").unwrap();
        assert!(shown().ends_with("souche_escrow_age_seconds{programme=\"SAT\"} 0\n"));
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn tiles_are_numbered_as_the_specification_says() {
        for (parts, number) in [
            (&["000"][..], Some((0, 256))),
            (&["067"], Some((67, 256))),
            (&["067.p", "5"], Some((67, 5))),
            (&["x001", "234"], Some((1_234, 256))),
            (&["x001", "x234", "067"], Some((1_234_067, 256))),
            (&["x001", "234.p", "255"], Some((1_234, 255))),
            (&["67"], None),
            (&["0067"], None),
            (&["x067"], None),
            (&["001", "234"], None),
            (&["x000", "234"], None),
            (&["067.p", "0"], None),
            (&["067.p", "256"], None),
            (&["067.p", "05"], None),
            (&["067.p"], None),
            (&[".p", "5"], None),
            (&["x+01", "234"], None),
        ] {
            assert_eq!(tile_number(parts), number, "{parts:?}");
        }
    }
}
