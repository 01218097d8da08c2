//! Whatever is sent, the answer is a problem that says what to do, never a fault.

use serde_json::{Value, json};
use souche::http::openapi;

use super::region::Region;

/// Bodies that no operation can take.
fn nasties() -> Vec<(&'static str, Vec<u8>)> {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    vec![
        ("application/json", b"{".to_vec()),
        ("application/json", b"null".to_vec()),
        ("application/json", b"[]".to_vec()),
        ("application/json", b"{} {}".to_vec()),
        ("application/json", b"{\"\\u0000\":\"\\u0000\"}".to_vec()),
        ("application/json", b"\xff\xfe{}".to_vec()),
        ("application/json", b"{\"a\":1e999}".to_vec()),
        ("application/json", deep.into_bytes()),
        ("text/plain", b"{\"a\":1}".to_vec()),
        ("application/x-www-form-urlencoded", b"a=1".to_vec()),
        ("", b"{\"a\":1}".to_vec()),
    ]
}

#[test]
fn no_body_makes_any_operation_fail() {
    let region = Region::start();
    let document = serde_json::to_value(openapi()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["post", "put"].into_iter().filter(|method| item.get(method).is_some()) {
            let path = path
                .split('/')
                .map(|part| if part.starts_with('{') { "1" } else { part })
                .collect::<Vec<_>>()
                .join("/");
            let path = if path.ends_with(":import") { format!("{path}?source=it") } else { path };
            for (n, (content_type, body)) in nasties().into_iter().enumerate() {
                let key = format!("nasty-{n}");
                let answer = region.api.send(
                    &method.to_uppercase(),
                    &path,
                    Some(&region.people.admin),
                    Some(&key),
                    content_type,
                    &body,
                );
                assert!(
                    (400..500).contains(&answer.status),
                    "{method} {path} {n}: {} {}",
                    answer.status,
                    answer.text
                );
                answer.problem(answer.status);
            }
        }
    }
}

#[test]
fn a_body_of_ten_megabytes_is_too_large() {
    let region = Region::start();
    let body = vec![b' '; 10 * 1024 * 1024];
    let answer = region.api.send(
        "POST",
        "/api/v1/orders",
        Some(&region.people.manager),
        Some("large"),
        "application/json",
        &body,
    );
    assert_eq!(answer.problem(413), "payload_too_large");
}

#[test]
fn odd_values_are_refused_by_field() {
    let region = Region::start();
    let (api, people) = (&region.api, &region.people);
    let dates = json!({ "last_hand_over_on": "2026-09-30", "last_use_on": "2026-12-31", "last_presentation_on": "2027-01-31" });
    let order = |quantity: Value, dates: Value| json!({ "quantity": quantity, "dates": dates });
    let with = |name: &str, value: &str| {
        let mut dates = dates.clone();
        dates[name] = value.into();
        order(json!({ "booklets_of_10": 1 }), dates)
    };
    let cases = [
        (
            order(json!({ "booklets_of_10": 2_147_483_648_i64 }), dates.clone()),
            "quantity.booklets_of_10",
        ),
        (order(json!({ "booklets_of_10": -1 }), dates.clone()), "booklets_of_10"),
        (order(json!({ "booklets_of_10": 0 }), dates.clone()), "booklets_of_10"),
        (order(json!({ "booklets_of_10": 1.5 }), dates.clone()), "quantity.booklets_of_10"),
        (order(json!({ "booklets_of_10": "1" }), dates.clone()), "quantity.booklets_of_10"),
        (order(json!({ "booklets_of_10": 1, "more": 1 }), dates.clone()), "quantity.more"),
        (order(json!({}), dates.clone()), "quantity.booklets_of_10"),
        (with("last_use_on", "9999-12-31"), "dates.last_use_on"),
        (with("last_use_on", "0001-01-01"), "dates.last_use_on"),
        (with("last_use_on", "2026-02-30"), "dates.last_use_on"),
        (with("last_use_on", "2026-09-29"), "last_use_on"),
        (with("last_hand_over_on", "2020-01-01"), "last_hand_over_on"),
    ];
    for (body, field) in cases {
        let answer = api.post(&people.manager, "/api/v1/orders", &body);
        assert_eq!(answer.problem(400), "invalid", "{body}");
        assert_eq!(answer.json()["field"], field, "{body}: {}", answer.text);
    }
    let nul = json!({ "name": "a\u{0}b", "is_prescriber": true });
    let answer = api.post(&people.admin, "/api/v1/organisations", &nul);
    assert_eq!(
        (answer.problem(400).as_str(), answer.json()["field"].as_str()),
        ("invalid", Some("name"))
    );
}

#[test]
fn odd_paths_and_queries_are_refused() {
    let region = Region::start();
    let (api, auditor) = (&region.api, &region.people.auditor);
    for path in [
        "/api/v1/orders/0",
        "/api/v1/orders/-1",
        "/api/v1/orders/99999999999999999999",
        "/api/v1/orders/%00",
        "/api/v1/passes/abc/trace",
        "/api/v1/orders?limit=-1",
        "/api/v1/orders?limit=99999999999999999999",
        "/api/v1/orders?after=%00",
        "/api/v1/orders?unknown=1",
        "/api/v1/reports/custody?as_of=0001-01-01T00:00:00Z",
        "/api/v1/reports/custody?as_of=%F0%9F%92%A9",
    ] {
        let answer = api.get(auditor, path);
        assert_eq!(answer.problem(400), "invalid", "{path}");
    }
    assert_eq!(api.get(auditor, "/api/v1/orders/999999999").problem(404), "not_found");
}

#[test]
fn a_code_that_is_none_is_refused_before_anything_is_counted() {
    let region = Region::start();
    for code in
        ["", "abc", "0000001-0000-0000-0000-0000-0", "\u{0}", &"9".repeat(400), "０００００００"]
    {
        let answer = region.api.post(
            &region.people.mediator,
            "/api/v1/redemptions",
            &json!({ "code": code, "service": "employment" }),
        );
        assert_eq!(answer.problem(400), "invalid", "{code:?}");
        assert_eq!(answer.json()["field"], "code");
    }
}

#[test]
fn a_wrong_password_and_an_unknown_address_are_told_alike() {
    let region = Region::start();
    let ask = |email: &str, password: &str| {
        let body = json!({ "email": email, "password": password }).to_string();
        region.api.send(
            "POST",
            "/api/v1/auth/token",
            None,
            None,
            "application/json",
            body.as_bytes(),
        )
    };
    let wrong = ask("auditor.hdf@it.example", "un autre mot de passe");
    assert_eq!(wrong.problem(401), "bad_credentials");
    assert_eq!(ask("nobody@it.example", "un autre mot de passe"), wrong);
}
