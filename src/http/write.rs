//! The door of every write: its idempotency key, and its body made of domain types.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::rt::time::timeout;
use actix_web::{FromRequest, HttpRequest, dev, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::{IntoParams, ToSchema};

use super::problem::{Problem, in_french, missing_field};
use crate::app::RequestKey;
use crate::domain::Refusal;

/// Largest JSON body: the largest honest one, a delivery with every booklet missing, is a tenth of it.
const MAX_JSON_BYTES: usize = 256 * 1024;
/// Largest file of places: the national one, of all of France, is 25 MB.
const MAX_FILE_BYTES: usize = 32 * 1024 * 1024;

/// How long a body may take to arrive, the largest too.
const BODY_TIMEOUT: Duration = Duration::from_mins(1);

/// A write: under which key, and what it asks.
pub(super) struct Write<T> {
    pub key: RequestKey,
    pub body: T,
}

/// The header of every write.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the extractor; this is what the contract says of it")]
pub(super) struct KeyHeader {
    /// A key of 1 to 100 printable signs, new for each operation, the same for each new try of it: the
    /// answer is the same, and nothing is done twice.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 100,
        pattern = "^[!-~]{1,100}$"
    )]
    idempotency_key: String,
}

/// The body of a write that needs none: nothing, or `{}`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// A body that is a file: JSON or CSV, as bytes.
pub(super) struct File(pub web::Bytes);

/// What can be the body of a write.
pub(super) trait Body: Sized {
    const MAX_BYTES: usize;
    const CONTENT_TYPES: &'static [&'static str];
    fn parse(bytes: &web::Bytes) -> Result<Self, Problem>;
}

impl<T: DeserializeOwned> Body for T {
    const MAX_BYTES: usize = MAX_JSON_BYTES;
    const CONTENT_TYPES: &'static [&'static str] = &["application/json"];

    fn parse(bytes: &web::Bytes) -> Result<Self, Problem> {
        // A write without a body is one with nothing in it.
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { bytes };
        // Serde would take a list for an object, field by field.
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Err(Problem::invalid(
                None,
                "Le corps doit être un objet JSON, entre accolades.",
            ));
        }
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let read =
            serde_path_to_error::deserialize(&mut reader).map_err(|error| unreadable(&error))?;
        reader.end().map_err(|_| {
            Problem::invalid(
                None,
                "Le corps contient autre chose après l'objet JSON : envoyez un seul objet.",
            )
        })?;
        Ok(read)
    }
}

impl Body for File {
    const MAX_BYTES: usize = MAX_FILE_BYTES;
    const CONTENT_TYPES: &'static [&'static str] = &["application/json", "text/csv"];

    fn parse(bytes: &web::Bytes) -> Result<Self, Problem> {
        Ok(Self(bytes.clone()))
    }
}

/// Reads a JSON body that is no write: no key.
pub(super) struct Json<T>(pub T);

impl<T: Body + 'static> FromRequest for Write<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let given = request
                .headers()
                .get("Idempotency-Key")
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default();
            let bytes = read::<T>(&request, payload).await?;
            let operation = format!("{} {}", request.method(), request.uri());
            let key = RequestKey::new(given, &operation, &bytes)?;
            Ok(Self { key, body: T::parse(&bytes)? })
        })
    }
}

impl<T: Body + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { Ok(Self(T::parse(&read::<T>(&request, payload).await?)?)) })
    }
}

async fn read<T: Body>(
    request: &HttpRequest,
    mut payload: dev::Payload,
) -> Result<web::Bytes, Problem> {
    let payload = web::Payload::from_request(request, &mut payload)
        .await
        .map_err(|error| Problem::invalid(None, error.to_string()))?;
    let arrived = timeout(BODY_TIMEOUT, payload.to_bytes_limited(T::MAX_BYTES)).await;
    let bytes = match arrived.map_err(|_| Problem::too_slow())? {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => {
            return Err(Problem::invalid(
                None,
                "Le corps de la demande n'est pas arrivé en entier : renvoyez-la.",
            ));
        }
        Err(_) => return Err(Problem::payload_too_large(T::MAX_BYTES)),
    };
    let content_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !bytes.is_empty() && !T::CONTENT_TYPES.contains(&essence.as_str()) {
        return Err(Problem::unsupported_media_type(&T::CONTENT_TYPES.join(", ")));
    }
    Ok(bytes)
}

/// Reads one object of a list, so that what is wrong in it is its own problem.
pub(super) fn read_item<T: DeserializeOwned>(item: &serde_json::Value) -> Result<T, Problem> {
    if !item.is_object() {
        return Err(Problem::invalid(None, "Un objet JSON est attendu, entre accolades."));
    }
    serde_path_to_error::deserialize(item).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.inner();
    if !inner.is_data() {
        let place = format!("ligne {}, colonne {}", inner.line(), inner.column());
        return Problem::invalid(
            None,
            format!("Le corps n'est pas du JSON lisible ({place}). Corrigez-le."),
        );
    }
    let (path, message) = (error.path().to_string(), inner.to_string());
    let parent = if path == "." { String::new() } else { path };
    let field = match missing_field(&message) {
        Some(name) if parent.is_empty() => name.to_owned(),
        Some(name) => format!("{parent}.{name}"),
        None if parent.is_empty() => "corps".to_owned(),
        None => parent,
    };
    Refusal::invalid(&field, in_french(&message)).into()
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError;
    use actix_web::http::StatusCode;
    use actix_web::test::TestRequest;
    use futures_util::stream;
    use tokio::time::Instant;

    use super::*;

    /// What becomes of a write whose body sends its first bytes and nothing more, and when.
    async fn stalled<T: Body>() -> (Result<web::Bytes, Problem>, Duration) {
        let request = TestRequest::post().insert_header((CONTENT_TYPE, "application/json"));
        let pieces = stream::iter([Ok(web::Bytes::from_static(b"{\"code\":"))]);
        let payload = Box::pin(stream::StreamExt::chain(pieces, stream::pending()));
        let begun = Instant::now();
        let read = read::<T>(&request.to_http_request(), dev::Payload::Stream { payload }).await;
        (read, begun.elapsed())
    }

    #[test]
    fn a_body_that_never_ends_is_waited_for_a_minute() {
        let clock = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        for (read, after) in
            [clock.block_on(stalled::<serde_json::Value>()), clock.block_on(stalled::<File>())]
        {
            assert_eq!(read.unwrap_err().status_code(), StatusCode::REQUEST_TIMEOUT);
            assert!((60..61).contains(&after.as_secs()), "{after:?}");
        }
    }
}
