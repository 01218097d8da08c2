//! The contract, collected from the very routes that are served.

use actix_web::App;
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, License, OpenApi, OpenApiBuilder, Ref, RefOr,
    Required, ResponseBuilder,
};
use utoipa_actix_web::AppExt;

use super::{Problem, api};
use crate::domain::access::{Need, Operation};

/// The OpenAPI document of the service; `openapi.yaml` at the root is this.
pub fn openapi() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Souche")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Le registre du pass numérique : où est chaque pass, ce qui est dû à chaque lieu, et la preuve des deux. \
             Toute écriture demande un en-tête Idempotency-Key : la même clé et la même demande donnent la même réponse. \
             Les refus sont des problèmes RFC 9457, dont le code est stable ; docs/problems.md les explique un par un.",
        ))
        .license(Some(License::new("EUPL-1.2")))
        .build();
    let components = ComponentsBuilder::new().schema_from::<Problem>().build();
    let (_, mut document) = App::new()
        .into_utoipa_app()
        .openapi(OpenApiBuilder::new().info(info).components(Some(components)).build())
        .configure(api::routes)
        .split_for_parts();
    complete(&mut document);
    document
}

/// A body that may be left out, since nothing is asked in it.
fn asks_nothing(body: &RequestBody) -> bool {
    body.content.values().any(|content| {
        let RefOr::T(Content { schema: Some(RefOr::Ref(named)), .. }) = content else {
            return false;
        };
        named.ref_location.ends_with("/Nothing")
    })
}

/// Adds what is true of every operation: the token, and the problems.
fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_with(Default::default);
    components
        .add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    let problem = |description: &str| {
        let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
        RefOr::T(
            ResponseBuilder::new()
                .description(description)
                .content("application/problem+json", content)
                .build(),
        )
    };
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post, &mut item.put].into_iter().flatten() {
            let responses = &mut operation.responses.responses;
            responses.insert("4XX".into(), problem("Refus : rien n'a été écrit"));
            responses.insert(
                "503".into(),
                problem("Saturé : rien n'a été écrit, recommencez après Retry-After"),
            );
            responses.insert("504".into(), problem("Issue inconnue : redemandez avec la même clé"));
            if let Some(RefOr::T(body)) = &mut operation.request_body
                && asks_nothing(body)
            {
                body.required = Some(Required::False);
            }
            let known = operation.operation_id.as_deref().and_then(Operation::of);
            let is_open = known.is_some_and(|it| it.need == Need::Nothing);
            operation.security = Some(if is_open {
                Vec::new()
            } else {
                vec![SecurityRequirement::new::<_, [&str; 0], &str>("bearer", [])]
            });
        }
    }
}
