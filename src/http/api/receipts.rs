//! Receipts: read with their signature, printed, and verified by whoever holds one.

use actix_web::{HttpResponse, get, post, web};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::receipt::{self, Presented, ReceiptCheck, Which};
use crate::db::Scope;
use crate::db::entries::EntryRow;
use crate::domain::entry::EntryKind;
use crate::domain::{Actor, EntryId, RedemptionId, Timestamp};
use crate::http::write::Json;
use crate::http::{Problem, Service};
use crate::keys::Keys;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(read).service(read_of_redemption).service(list_keys).service(verify);
}

/// In which form.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReceiptQuery {
    /// `json` when left out; `pdf` is to be printed.
    #[serde(default)]
    format: ReceiptFormat,
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ReceiptFormat {
    #[default]
    Json,
    Pdf,
}

/// A receipt and its signature.
#[derive(Serialize, ToSchema)]
struct SignedReceiptView {
    /// The entry of the journal.
    entry: EntryId,
    /// What it records.
    kind: EntryKind,
    /// Its number in the continuous series of its kind; null for redemptions and voids, named by pass and cycle.
    number: Option<i32>,
    /// When it took place.
    #[schema(value_type = String, format = DateTime)]
    happened_at: Timestamp,
    /// When the ledger knew.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// The receipt itself, as canonical JSON in a string: keep it as it is.
    receipt: String,
    /// The key that signs it; null when the key that it names is not of this service.
    kid: Option<String>,
    /// Ed25519 over the bytes of `receipt`, in base64; null as `kid` is. The same each time.
    signature: Option<String>,
    /// Where it verifies itself, without being sent anywhere; null as `kid` is.
    verify_at: Option<String>,
}

impl SignedReceiptView {
    fn new(entry: EntryRow, keys: &Keys, page: &str) -> Self {
        let (kid, signature) =
            receipt::signature(keys, &entry.receipt, entry.signature.as_deref()).unzip();
        Self {
            entry: entry.id,
            kind: entry.kind,
            number: entry.number,
            happened_at: entry.happened_at,
            recorded_at: entry.recorded_at,
            verify_at: signature.as_ref().map(|it| receipt::address(page, &entry.receipt, it)),
            receipt: entry.receipt,
            kid,
            signature,
        }
    }
}

/// Of an entry that concerns the actor.
#[utoipa::path(
    tag = "receipts", operation_id = "read_receipt", summary = "Lire un récépissé signé, ou l'imprimer",
    params(("entry" = String, Path, description = "L'écriture dont c'est le récépissé"), ReceiptQuery),
    responses((status = 200, description = "Le récépissé et sa signature", content((SignedReceiptView = "application/json"), (Vec<u8> = "application/pdf"))))
)]
#[get("/api/v1/receipts/{entry}")]
async fn read(
    service: web::Data<Service>,
    actor: Actor,
    entry: web::Path<EntryId>,
    query: web::Query<ReceiptQuery>,
) -> Result<HttpResponse, Problem> {
    tell(&service, actor, Which::Entry(entry.into_inner()), query.format).await
}

/// The same, by the name of the redemption.
#[utoipa::path(
    tag = "receipts", operation_id = "read_receipt_of_redemption", summary = "Lire le reçu signé d'une utilisation, ou l'imprimer",
    params(("redemption" = String, Path, description = "Numéro de l'utilisation, par exemple 0412733-1"), ReceiptQuery),
    responses((status = 200, description = "Le reçu et sa signature", content((SignedReceiptView = "application/json"), (Vec<u8> = "application/pdf"))))
)]
#[get("/api/v1/redemptions/{redemption}/receipt")]
async fn read_of_redemption(
    service: web::Data<Service>,
    actor: Actor,
    redemption: web::Path<RedemptionId>,
    query: web::Query<ReceiptQuery>,
) -> Result<HttpResponse, Problem> {
    tell(&service, actor, Which::Redemption(redemption.into_inner()), query.format).await
}

async fn tell(
    service: &Service,
    actor: Actor,
    which: Which,
    format: ReceiptFormat,
) -> Result<HttpResponse, Problem> {
    let page = service.verifier();
    if matches!(format, ReceiptFormat::Json) {
        let entry = service.read(actor, move |tx, actor| receipt::read(tx, actor, which)).await?;
        return Ok(HttpResponse::Ok().json(SignedReceiptView::new(entry, &service.keys, &page)));
    }
    let paper = service.read(actor, move |tx, actor| receipt::paper(tx, actor, which)).await?;
    let mut pdf = Vec::new();
    paper
        .write(&mut pdf, &service.keys, &page)
        .map_err(|error| Problem::fault(&anyhow::Error::from(error)))?;
    let name = format!("inline; filename=\"recepisse-{}.pdf\"", paper.number);
    Ok(HttpResponse::Ok()
        .content_type("application/pdf")
        .insert_header(("Content-Disposition", name))
        .body(pdf))
}

/// A public key that has signed receipts.
#[derive(Serialize, ToSchema)]
struct ReceiptKeyView {
    /// Its name, as receipts give it.
    kid: String,
    /// Its 32 bytes, in base64.
    public_key: String,
    /// The same, as a JSON Web Key (RFC 8037).
    jwk: Jwk,
    /// Does it sign the receipts made now?
    is_current: bool,
}

#[derive(Serialize, ToSchema)]
struct Jwk {
    kty: &'static str,
    crv: &'static str,
    kid: String,
    x: String,
    #[serde(rename = "use")]
    usage: &'static str,
}

/// Those that signed before are told too, for as long as their receipts are kept: for ever. And those of instances that
/// programmes came from.
#[utoipa::path(
    tag = "receipts", operation_id = "list_receipt_keys", summary = "Lire les clés publiques des récépissés",
    responses((status = 200, description = "La clé présente d'abord", body = Vec<ReceiptKeyView>))
)]
#[get("/api/v1/receipt-keys")]
async fn list_keys(service: web::Data<Service>) -> Result<HttpResponse, Problem> {
    let current = service.keys.receipt_kid().to_string();
    let keys = known(&service).await?.into_iter().map(|(kid, key)| ReceiptKeyView {
        is_current: kid == current,
        public_key: STANDARD.encode(key.as_bytes()),
        jwk: Jwk {
            kty: "OKP",
            crv: "Ed25519",
            kid: kid.clone(),
            x: URL_SAFE_NO_PAD.encode(key.as_bytes()),
            usage: "sig",
        },
        kid,
    });
    Ok(HttpResponse::Ok().json(keys.collect::<Vec<_>>()))
}

/// The keys of receipts, those of instances that programmes came from included.
pub(super) async fn known(service: &Service) -> Result<Vec<(String, VerifyingKey)>, Problem> {
    let keys = service.keys.clone();
    Ok(service.db.transact(Scope::Nobody, move |tx| receipt::known_keys(tx, &keys)).await?)
}

/// What was found of a receipt that was presented.
#[derive(Serialize, ToSchema)]
struct VerdictView {
    /// Is it authentic? It is when nothing that was looked at fails.
    is_authentic: bool,
    /// The same, in French.
    says: String,
    /// What was looked at, in that order; what follows a failure is not.
    checks: Vec<ReceiptCheck>,
}

/// Anyone may: it tells nothing of what was not presented whole, with its signature.
#[utoipa::path(
    tag = "receipts", operation_id = "verify_receipt", summary = "Vérifier un récépissé", request_body = Presented,
    responses((status = 200, description = "Ce qui tient, et ce qui ne tient pas", body = VerdictView))
)]
#[post("/api/v1/receipts:verify")]
async fn verify(
    service: web::Data<Service>,
    body: Json<Presented>,
) -> Result<HttpResponse, Problem> {
    service.verifications.take()?;
    let Json(presented) = body;
    let (mut checks, told) = receipt::read_alone(&known(&service).await?, &presented);
    if let Some(told) = told.clone() {
        let more = service
            .db
            .transact(Scope::Nobody, move |tx| receipt::is_of_the_instance(tx, &presented, &told));
        checks.extend(more.await?);
    }
    let verdict = VerdictView {
        is_authentic: told.is_some() && checks.iter().all(|it| it.holds != Some(false)),
        says: receipt::verdict(&checks, told.as_ref()),
        checks,
    };
    Ok(HttpResponse::Ok().json(verdict))
}
