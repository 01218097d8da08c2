//! Second factors: enrolled by who needs one, shown at sign-in and before money goes, each code once.

use serde_json::{Value, json};
use souche::app::access::code_at;

use super::region::Region;
use crate::support::api::{Api, PASSWORD};
use crate::support::at_once::{at_once, work};

const ACCOUNTANT: &str = "operator_accountant.hdf@it.example";

fn later(api: &Api, seconds: i64) {
    api.clock.set(api.clock.now() + chrono::TimeDelta::seconds(seconds));
}

/// Signs in for the first time and enrols; returns secret, recovery codes and token.
fn enrolled(api: &Api, email: &str) -> (String, Vec<String>, String) {
    let limited = api.signs_in(email, PASSWORD, None).ok();
    let token = limited["access_token"].as_str().unwrap();
    let enrolled = api.ask_as(token, "auth/second-factor", &json!({ "password": PASSWORD })).ok();
    let secret = enrolled["secret"].as_str().unwrap().to_owned();
    let code = json!({ "code": code_at(&secret, api.clock.now()).unwrap() });
    let confirmed = api.ask_as(token, "auth/second-factor/confirmation", &code).ok();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let recovery = confirmed["recovery_codes"].as_array().unwrap().iter().map(text).collect();
    (secret, recovery, text(&confirmed["session"]["access_token"]))
}

#[test]
fn a_role_that_lets_money_go_can_only_enrol_until_it_has_a_second_factor() {
    let region = Region::start();
    let api = &region.api;
    let limited = api.signs_in(ACCOUNTANT, PASSWORD, None).ok();
    assert_eq!(limited["enrolment_needed"], true);
    let token = limited["access_token"].as_str().unwrap();
    for path in ["/api/v1/me", "/api/v1/orders", "/api/v1/settlements"] {
        assert_eq!(api.get(token, path).problem(403), "second_factor_needed", "{path}");
    }
    let wrong = json!({ "password": "un autre mot de passe" });
    let refused = api.ask_as(token, "auth/second-factor", &wrong);
    assert_eq!(refused.problem(401), "bad_credentials");
    let unasked =
        api.ask_as(token, "auth/second-factor/confirmation", &json!({ "code": "123456" }));
    assert_eq!(unasked.problem(409), "wrong_state");
    let (_, recovery, token) = enrolled(api, ACCOUNTANT);
    assert_eq!(recovery.len(), 10);
    api.get(&token, "/api/v1/orders").ok();
    // The limited session was another: a factor in force ends those.
    let limited = limited["access_token"].as_str().unwrap();
    assert_eq!(api.get(limited, "/api/v1/orders").problem(401), "not_signed_in");
}

#[test]
fn a_code_works_once() {
    let region = Region::start();
    let api = &region.api;
    let (secret, recovery, _) = enrolled(api, ACCOUNTANT);
    let code = |api: &Api| code_at(&secret, api.clock.now()).unwrap();
    assert_eq!(api.signs_in(ACCOUNTANT, PASSWORD, None).problem(401), "code_needed");
    let replayed = api.signs_in(ACCOUNTANT, PASSWORD, Some(&code(api)));
    assert_eq!(replayed.problem(401), "bad_code", "it has confirmed the factor");
    later(api, 30);
    let told = api.signs_in(ACCOUNTANT, PASSWORD, Some(&code(api))).ok();
    assert_eq!(told["enrolment_needed"], false);
    later(api, 30);
    let now = code(api);
    let answers = at_once(
        (0..4).map(|_| work(|| api.signs_in(ACCOUNTANT, PASSWORD, Some(&now)).status)).collect(),
    );
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    later(api, 60);
    let on_paper = recovery[0].to_lowercase();
    api.signs_in(ACCOUNTANT, PASSWORD, Some(&on_paper)).ok();
    let again = api.signs_in(ACCOUNTANT, PASSWORD, Some(&on_paper));
    assert_eq!(again.problem(401), "bad_code");
}

#[test]
fn codes_are_not_guessed_by_who_has_the_password() {
    let region = Region::start();
    let api = &region.api;
    enrolled(api, ACCOUNTANT);
    for _ in 0..5 {
        assert_eq!(api.signs_in(ACCOUNTANT, PASSWORD, Some("000000")).problem(401), "bad_code");
    }
    let sixth = api.signs_in(ACCOUNTANT, PASSWORD, Some("000000"));
    assert_eq!(sixth.problem(429), "too_many_sign_ins");
}

#[test]
fn what_lets_money_go_or_people_in_takes_a_recent_code() {
    let region = Region::start();
    let api = &region.api;
    let (secret, _, token) = enrolled(api, ACCOUNTANT);
    let session = api.signs_in(ACCOUNTANT, PASSWORD, None);
    assert_eq!(session.problem(401), "code_needed");
    later(api, 595);
    // Renewed by somebody who holds the token: who signed in is known, the code is old.
    let code = json!({ "code": code_at(&secret, api.clock.now()).unwrap() });
    let fresh = api.ask_as(&token, "auth/step-up", &code).ok();
    assert_eq!(api.ask_as(&token, "auth/step-up", &code).problem(401), "bad_code");
    later(api, 20);
    let fresh = fresh["access_token"].as_str().unwrap();
    let approve = "/api/v1/bank-accounts/1/approval";
    assert_eq!(api.post(fresh, approve, &json!({})).problem(404), "not_found");
    // A site's manager has no factor: it has to enrol one before it invites.
    let site = api.signs_in("site_manager.hdf@it.example", PASSWORD, None).ok();
    let site = site["access_token"].as_str().unwrap();
    let new = json!({ "email": "a@it.example", "role": "site_manager", "organisation": "2" });
    let refused = api.post(site, "/api/v1/invitations", &new);
    assert_eq!(refused.problem(403), "step_up_required");
}

#[test]
fn every_operation_that_takes_a_recent_code_refuses_an_old_one() {
    let region = Region::start();
    let api = &region.api;
    let told = |email: &str, operation: &str| {
        let (secret, _, _) = enrolled(api, email);
        later(api, 30);
        let code = code_at(&secret, api.clock.now()).unwrap();
        let session = api.signs_in(email, PASSWORD, Some(&code)).ok();
        later(api, 601);
        let refresh = json!({ "refresh_token": session["refresh_token"] });
        let renewed = api.ask("auth/refresh", &refresh).ok();
        let token = renewed["access_token"].as_str().unwrap();
        api.get(token, "/api/v1/me").ok();
        api.post(token, operation, &json!({})).problem(403)
    };
    for (email, operation) in [
        (ACCOUNTANT, "/api/v1/bank-accounts/1/approval"),
        ("public_accountant.hdf@it.example", "/api/v1/settlements/1/approval"),
    ] {
        assert_eq!(told(email, operation), "step_up_required", "{operation}");
    }
}

#[test]
fn a_factor_is_replaced_by_who_shows_the_one_there_is() {
    let region = Region::start();
    let api = &region.api;
    let (_, recovery, token) = enrolled(api, ACCOUNTANT);
    let ask = |code: Option<&str>| {
        let body = json!({ "password": PASSWORD, "code": code });
        api.ask_as(&token, "auth/second-factor", &body)
    };
    assert_eq!(ask(None).problem(401), "code_needed");
    assert_eq!(ask(Some("000000")).problem(401), "bad_code");
    ask(Some(&recovery[3])).ok();
}
