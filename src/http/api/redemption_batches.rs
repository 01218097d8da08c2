//! Many redemptions in one request: a whole workshop, or what a device kept while it was offline.
//!
//! The items go into the queue at the counter one behind the other, as if each had come alone: the writer makes
//! a transaction of what waits there, and each item has its own outcome and its own key. So the batch itself is
//! nothing that could half happen, and nothing is kept of it but its items.

use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::oneshot;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::redemptions::told;
use crate::app::redemption::{Ask, NewRedemption, Redeemed, Reply};
use crate::domain::code::PassCode;
use crate::domain::service::Service as Offered;
use crate::domain::{Action, Actor, Refusal, SiteId, WorkshopId};
use crate::http::write::{KeyHeader, Write, read_item};
use crate::http::{Problem, Service};

/// Most items of a batch: those of one transaction of the writer.
const MAX_ITEMS: usize = 128;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(redeem_many);
}

/// Passes presented together.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBatch {
    /// In the order in which they are judged: 1 to 128. What can't be read in one is its own problem.
    #[schema(value_type = Vec<NewBatchItem>, min_items = 1, max_items = 128)]
    items: Vec<Value>,
}

/// One of them: a redemption, and its key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBatchItem {
    /// Its own idempotency key, as if it were sent alone; when left out, that of the header, a slash, and its place
    /// from 0 on.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100, pattern = "^[!-~]{1,100}$")]
    #[expect(dead_code, reason = "looked up before the rest of the item, which may be unreadable")]
    key: Option<String>,
    /// The code, scanned or typed.
    #[schema(value_type = String, max_length = 300, example = "HDF-0000042-7K3M9QXW2T5V8Y1A-Z")]
    code: PassCode,
    /// What the person came for.
    service: Offered,
    /// Where; a mediator's own site when left out.
    #[serde(default)]
    site: Option<SiteId>,
    /// At which workshop of that site and of the day, if at one.
    #[serde(default)]
    workshop: Option<WorkshopId>,
}

/// What became of each, in the same order.
#[derive(Serialize, ToSchema)]
struct BatchView {
    /// As many as were sent.
    items: Vec<BatchedView>,
}

/// What became of one: what it would have been answered alone.
#[derive(Serialize, ToSchema)]
struct BatchedView {
    /// Its key: what asks again for it, in a batch or alone.
    key: String,
    /// The HTTP status of its answer: 201, or that of its problem.
    status: u16,
    /// Redeemed: the receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    redemption: Option<Redeemed>,
    /// Or why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
    /// After how many seconds the same item may be sent again, when it may.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u32>,
}

impl BatchedView {
    fn new(key: String, told: Result<Redeemed, Problem>) -> Self {
        match told {
            Ok(redemption) => Self {
                key,
                status: 201,
                redemption: Some(redemption),
                problem: None,
                retry_after_seconds: None,
            },
            Err(problem) => Self {
                key,
                status: problem.status(),
                retry_after_seconds: problem.retry_after_seconds(),
                redemption: None,
                problem: Some(problem),
            },
        }
    }
}

/// Each is judged as if it had come alone, and harms no other. Sent again, whole or in part, under the same keys,
/// each is told as it was first.
#[utoipa::path(
    tag = "redemptions", operation_id = "redeem_passes", summary = "Utiliser plusieurs pass", request_body = NewBatch, params(KeyHeader),
    responses((status = 200, description = "Une issue par pass, dans l'ordre", body = BatchView))
)]
#[post("/api/v1/redemptions:batch")]
async fn redeem_many(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewBatch>,
) -> Result<HttpResponse, Problem> {
    actor.require(Action::Redeem)?;
    let Write { key: of_batch, body: NewBatch { items } } = write;
    if !(1..=MAX_ITEMS).contains(&items.len()) {
        return Err(Refusal::invalid("items", "de 1 à 128 pass sont attendus").into());
    }
    let mut asks: Vec<(Ask, Reply)> = Vec::with_capacity(items.len());
    let waiting: Vec<_> = items
        .iter()
        .enumerate()
        .map(|(place, item)| {
            let key = item
                .get("key")
                .and_then(Value::as_str)
                .map_or_else(|| format!("{}/{place}", of_batch.as_str()), str::to_owned);
            let waiting = ask(actor, &key, item).map(|ask| {
                let (reply, outcome) = oneshot::channel();
                asks.push((ask, Box::new(move |outcome| drop(reply.send(outcome)))));
                outcome
            });
            (key, waiting)
        })
        .collect();
    // When the queue is full, nothing of it is written.
    let is_queued = asks.is_empty() || service.redemptions.submit_all(asks).is_ok();
    let mut items = Vec::with_capacity(waiting.len());
    for (key, waiting) in waiting {
        let told = match waiting {
            Ok(outcome) if is_queued => told(&service, outcome).await,
            Ok(_) => Err(Problem::busy("the queue of redemptions is full")),
            Err(problem) => Err(problem),
        };
        items.push(BatchedView::new(key, told));
    }
    Ok(HttpResponse::Ok().json(BatchView { items }))
}

/// What an item asks, under its key.
fn ask(actor: Actor, key: &str, item: &Value) -> Result<Ask, Problem> {
    let NewBatchItem { code, service, site, workshop, .. } = read_item(item)?;
    let what = NewRedemption { code, service, site, workshop };
    Ok(Ask { actor, request: what.request(key)?, what })
}
