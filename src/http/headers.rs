//! What every answer carries. No answer carries a header of CORS: pages of other sites may not ask.

use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};

use super::limits::Left;

const HEADERS: [(&str, &str); 5] = [
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-resource-policy", "same-origin"),
];
/// Only where there is a certificate: elsewhere a browser ignores it, and should.
const HSTS: (&str, &str) = ("strict-transport-security", "max-age=31536000; includeSubDomains");

/// Puts them on an answer: the id of its request, and what is left of the limits too.
pub(super) fn put(headers: &mut HeaderMap, request_id: &str, left: Left, is_behind_proxy: bool) {
    if !headers.contains_key(CACHE_CONTROL) {
        // Only what never changes says so itself.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    for (name, value) in HEADERS.into_iter().chain(is_behind_proxy.then_some(HSTS)) {
        // The one page says itself what it may run.
        if !headers.contains_key(name) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }
    let of_request = [("x-request-id", request_id.to_owned())];
    for (name, value) in of_request.into_iter().chain(left.headers()) {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
