//! The page that verifies a receipt in the browser. It asks the service nothing, so it works as well when it
//! was saved to a disk and the service is gone: the public keys are in it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::{HttpResponse, get, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey;
use serde_json::json;
use sha2::{Digest, Sha256};
use strum::VariantArray;
use utoipa_actix_web::service_config::ServiceConfig;

use super::receipts::known;
use crate::domain::entry::EntryKind;
use crate::domain::fact;
use crate::http::{Problem, Service};

/// The page, but for what it knows.
const PAGE: &str = include_str!("verifier.html");
/// What stands for it: data, which no browser runs.
const KNOWN: &str = "{\"known\":\"nothing\"}";

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(read);
}

/// Nothing may run in the page but its own script, and nothing is loaded, whoever serves what else.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |begin, end| STANDARD.encode(Sha256::digest(between(PAGE, begin, end)));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash("<script>", "</script>"),
        hash("<style>", "</style>")
    )
});

fn between<'a>(page: &'a str, begin: &str, end: &str) -> &'a str {
    let rest = page.split_once(begin).map_or("", |(_, rest)| rest);
    rest.split_once(end).map_or("", |(inside, _)| inside)
}

/// The page with what it has to know: keys, and the words of receipts.
fn page(keys: &[(String, VerifyingKey)]) -> String {
    let kinds: BTreeMap<&str, &str> =
        EntryKind::VARIANTS.iter().map(|kind| (kind.into(), kind.label())).collect();
    let known = json!({
        "keys": keys.iter().map(|(kid, key)| (kid, STANDARD.encode(key.as_bytes()))).collect::<BTreeMap<_, _>>(),
        "kinds": kinds, "facts": fact::LABELS, "words": fact::words().collect::<BTreeMap<_, _>>(),
    });
    PAGE.replace(KNOWN, &known.to_string())
}

/// For people: a receipt is pasted, or stands behind the `#` of the address, which no browser sends.
#[utoipa::path(
    tag = "receipts", operation_id = "read_verifier", summary = "Ouvrir la page qui vérifie un récépissé",
    responses((status = 200, description = "Une page, à enregistrer au besoin", content_type = "text/html", body = String))
)]
#[get("/verifier")]
async fn read(service: web::Data<Service>) -> Result<HttpResponse, Problem> {
    let keys = known(&service).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("Content-Security-Policy", POLICY.as_str()))
        .body(page(&keys)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keys;

    #[test]
    fn the_page_is_one_file_and_what_it_runs_is_what_the_policy_names() {
        let keys = Keys::generate().unwrap();
        let known = keys.receipt_keys().map(|key| (key.kid.to_string(), key.verifying_key()));
        let page = page(&known.collect::<Vec<_>>());
        assert_eq!(PAGE.matches(KNOWN).count(), 1);
        for (tag, n) in [
            ("<script>", 1),
            ("<script", 2),
            ("<style", 1),
            ("src=", 0),
            ("href=", 0),
            ("style=", 0),
            (" on", 0),
        ] {
            let n_found = page
                .match_indices(tag)
                .filter(|(at, _)| tag != " on" || page[*at..].starts_with(" onclick"))
                .count();
            assert_eq!(n_found, n, "{tag}");
        }
        for (begin, end) in [("<script>", "</script>"), ("<style>", "</style>")] {
            let hash = STANDARD.encode(Sha256::digest(between(&page, begin, end)));
            assert!(POLICY.contains(&format!("'sha256-{hash}'")), "{begin}");
        }
        assert!(!POLICY.contains("unsafe"));
    }
}
