//! Hand-overs of booklets to people.

use actix_web::{HttpResponse, post, web};
use utoipa_actix_web::service_config::ServiceConfig;

use super::receipt::ReceiptView;
use crate::app::hand_over::{self, NewHandOver};
use crate::domain::Actor;
use crate::http::write::{KeyHeader, Write};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(post_hand_over);
}

/// To an eligible person, against a receipt that names nobody.
#[utoipa::path(
    tag = "hand-overs", operation_id = "hand_over", summary = "Remettre un carnet à une personne", request_body = NewHandOver,
    params(KeyHeader), responses((status = 201, description = "Remis", body = ReceiptView))
)]
#[post("/api/v1/hand-overs")]
async fn post_hand_over(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewHandOver>,
) -> Result<HttpResponse, Problem> {
    let keys = service.keys.clone();
    service
        .write(actor, write, move |tx, actor, new| {
            hand_over::hand_over(tx, actor, &keys, &new).map(ReceiptView::from)
        })
        .await
}
