//! Addresses that no handler has: unknown ones, and known ones asked with another method.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::http::header::ALLOW;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::PathItem;

use super::Problem;

type Answer = Pin<Box<dyn Future<Output = HttpResponse>>>;

/// The handler of what no other handles.
pub(super) fn answer(document: Arc<OpenApi>) -> impl Fn(HttpRequest) -> Answer + Clone {
    move |request| {
        let allowed = methods(&document, request.path());
        Box::pin(async move {
            if allowed.is_empty() {
                return Problem::not_found().error_response();
            }
            let mut response = Problem::method_not_allowed(&allowed).error_response();
            if let Ok(value) = allowed.parse() {
                response.headers_mut().insert(ALLOW, value);
            }
            response
        })
    }
}

/// The methods that an address takes, as `GET, POST`; empty for one that the contract does not have.
fn methods(document: &OpenApi, path: &str) -> String {
    let matching = document.paths.paths.iter().filter(|(template, _)| matches(template, path));
    let allowed: Vec<&str> = matching.flat_map(|(_, item)| of_item(item)).collect();
    allowed.join(", ")
}

fn matches(template: &str, path: &str) -> bool {
    let (mut theirs, mut ours) = (path.split('/'), template.split('/'));
    loop {
        match (theirs.next(), ours.next()) {
            (None, None) => return true,
            (Some(part), Some(pattern))
                if part == pattern || (pattern.starts_with('{') && !part.is_empty()) => {}
            _ => return false,
        }
    }
}

fn of_item(item: &PathItem) -> Vec<&'static str> {
    let all = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    all.into_iter().filter(|(_, operation)| operation.is_some()).map(|(name, _)| name).collect()
}
