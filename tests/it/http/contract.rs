//! `openapi.yaml` is what the service serves, and says all that a client needs.

use serde_json::Value;
use souche::db::Clock;
use souche::http::openapi;

use crate::support::api::Api;

fn document() -> Value {
    serde_json::to_value(openapi()).unwrap()
}

/// Method, path template and operation of each.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| {
            (method.to_uppercase(), path.clone(), operation.clone())
        })
    });
    all.collect()
}

#[test]
fn the_committed_document_is_the_served_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.yaml");
    let served = openapi().to_yaml().unwrap();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &served).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        committed.trim_end(),
        served.trim_end(),
        "run this test with UPDATE_OPENAPI=1, and commit openapi.yaml"
    );
}

#[test]
fn every_declared_operation_is_served_and_wants_a_token() {
    let api = Api::start(Clock::System);
    for (method, template, operation) in operations(&document()) {
        let path: String = template
            .split('/')
            .map(|part| if part.starts_with('{') { "1" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        let answer = api.send(&method, &path, None, None, "", b"");
        let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
        if is_open {
            assert_ne!(answer.status, 401, "{method} {template}");
            assert_ne!(answer.status, 404, "{method} {template}");
        } else {
            assert_eq!(answer.problem(401), "not_signed_in", "{method} {template}");
        }
    }
}

#[test]
fn what_is_not_declared_is_not_served() {
    let api = Api::start(Clock::System);
    let declared = operations(&document());
    for template in declared.iter().map(|(_, template, _)| template) {
        let path = template.replace(['{', '}'], "");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if !declared.iter().any(|(m, t, _)| m == method && t == template) {
                assert_eq!(
                    api.send(method, &path, None, None, "", b"").problem(405),
                    "method_not_allowed",
                    "{method} {template}"
                );
            }
        }
    }
    assert_eq!(
        api.send("GET", "/api/v1/nothing", None, None, "", b"").problem(404),
        "no_such_address"
    );
}

#[test]
fn every_operation_declares_what_a_client_must_know() {
    for (method, template, operation) in operations(&document()) {
        let at = format!("{method} {template}");
        assert!(operation["operationId"].is_string(), "{at} has no id");
        assert!(
            operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()),
            "{at} has no summary"
        );
        assert!(operation["responses"]["4XX"].is_object(), "{at} declares no refusal");
        let parameters: Vec<&Value> =
            operation["parameters"].as_array().into_iter().flatten().collect();
        let mut declared: Vec<&str> = parameters
            .iter()
            .filter(|it| it["in"] == "path")
            .map(|it| it["name"].as_str().unwrap())
            .collect();
        declared.sort_unstable();
        let mut in_template: Vec<&str> =
            template.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        in_template.sort_unstable();
        assert_eq!(declared, in_template, "{at}");
        let has_key =
            parameters.iter().any(|it| it["name"] == "Idempotency-Key" && it["required"] == true);
        let is_write = method != "GET"
            && !template.starts_with("/api/v1/auth/")
            && !["check_pass", "verify_receipt"]
                .contains(&operation["operationId"].as_str().unwrap());
        assert_eq!(has_key, is_write, "{at}");
    }
}

#[test]
fn operation_ids_are_unique() {
    let mut ids: Vec<String> = operations(&document())
        .into_iter()
        .map(|(.., operation)| operation["operationId"].as_str().unwrap().to_owned())
        .collect();
    let n = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), n);
}

#[test]
fn every_refusal_is_explained() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/problems.md")).unwrap();
    for source in ["src/domain/refusal.rs", "src/http/problem.rs"] {
        let code =
            std::fs::read_to_string(format!("{}/{source}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        for name in codes_in(&code) {
            assert!(
                page.contains(&format!("## {name}\n")),
                "docs/problems.md does not explain {name}"
            );
        }
    }
}

/// The variants of the enum of refusals, and the codes given to `Problem::new`.
fn codes_in(source: &str) -> Vec<String> {
    let variants = source.lines().filter(|line| line.starts_with("    #[error(")).count();
    let of_enum = source
        .split("pub enum Refusal")
        .nth(1)
        .unwrap_or_default()
        .split("\n}\n")
        .next()
        .unwrap_or_default();
    let names = of_enum.lines().filter(|line| {
        line.starts_with("    ") && line.trim_start().starts_with(|c: char| c.is_ascii_uppercase())
    });
    let mut codes: Vec<String> =
        names.map(|line| snake(line.trim().split([' ', ',', '{']).next().unwrap())).collect();
    assert!(codes.len() >= variants, "{} variants found of {variants}", codes.len());
    let given = source.split("Self::new(\"").skip(1).filter_map(|rest| rest.split('"').next());
    codes.extend(given.map(str::to_owned));
    codes
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}
