//! Sessions and their tokens: renewed, found in two hands, listed, ended.

use serde_json::{Value, json};

use super::region::Region;
use crate::support::api::{Answer, Api, PASSWORD};
use crate::support::at_once::{at_once, work};

const AUDITOR: &str = "auditor.hdf@it.example";

fn refresh(api: &Api, token: &Value) -> Answer {
    api.ask("auth/refresh", &json!({ "refresh_token": token }))
}

fn later(api: &Api, seconds: i64) {
    api.clock.set(api.clock.now() + chrono::TimeDelta::seconds(seconds));
}

#[test]
fn a_refresh_token_found_in_two_hands_ends_the_session() {
    let region = Region::start();
    let api = &region.api;
    let first = api.signs_in(AUDITOR, PASSWORD, None).ok();
    let second = refresh(api, &first["refresh_token"]).ok();
    later(api, 11);
    let reused = refresh(api, &first["refresh_token"]);
    assert_eq!(reused.problem(401), "bad_credentials");
    assert_eq!(refresh(api, &second["refresh_token"]).problem(401), "bad_credentials");
    let token = second["access_token"].as_str().unwrap();
    assert_eq!(api.get(token, "/api/v1/me").problem(401), "not_signed_in");
}

#[test]
fn an_answer_that_was_lost_is_told_again_for_ten_seconds_while_the_next_is_unused() {
    let region = Region::start();
    let api = &region.api;
    let first = api.signs_in(AUDITOR, PASSWORD, None).ok();
    let second = refresh(api, &first["refresh_token"]).ok();
    later(api, 10);
    let again = refresh(api, &first["refresh_token"]).ok();
    assert_eq!(again["refresh_token"], second["refresh_token"]);
    refresh(api, &second["refresh_token"]).ok();
    let old = refresh(api, &first["refresh_token"]);
    assert_eq!(old.problem(401), "bad_credentials", "its successor has served");
}

#[test]
fn two_uses_at_once_have_the_same_successor() {
    let region = Region::start();
    let api = &region.api;
    let first = api.signs_in(AUDITOR, PASSWORD, None).ok();
    let answers =
        at_once((0..4).map(|_| work(|| refresh(api, &first["refresh_token"]).ok())).collect());
    assert!(answers.iter().all(|told| told["refresh_token"] == answers[0]["refresh_token"]));
    refresh(api, &answers[0]["refresh_token"]).ok();
}

#[test]
fn a_session_ends_when_unused_for_half_a_day_and_after_a_week_anyway() {
    let region = Region::start();
    let api = &region.api;
    let unused = api.signs_in(AUDITOR, PASSWORD, None).ok();
    let mut used = api.signs_in(AUDITOR, PASSWORD, None).ok();
    for _ in 0..15 {
        later(api, 11 * 3600);
        used = refresh(api, &used["refresh_token"]).ok();
    }
    assert_eq!(refresh(api, &unused["refresh_token"]).problem(401), "bad_credentials");
    later(api, 11 * 3600);
    assert_eq!(refresh(api, &used["refresh_token"]).problem(401), "bad_credentials");
}

#[test]
fn a_person_sees_its_sessions_and_ends_one_or_all() {
    let region = Region::start();
    let api = &region.api;
    let [one, two] = [(); 2].map(|()| {
        let told = api.signs_in(AUDITOR, PASSWORD, None).ok();
        told["access_token"].as_str().unwrap().to_owned()
    });
    let listed = api.get(&one, "/api/v1/auth/sessions").ok();
    let own = |token: &str| {
        let listed = api.get(token, "/api/v1/auth/sessions").ok();
        let items = listed["items"].as_array().unwrap().clone();
        items.iter().find(|it| it["is_this_one"] == true).unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(listed["items"].as_array().unwrap().len(), 3, "{listed}");
    let path = format!("auth/sessions/{}/end", own(&two));
    let stranger = &region.people.manager;
    assert_eq!(api.ask_as(stranger, &path, &json!({})).problem(404), "not_found");
    assert_eq!(api.ask_as(&one, &path, &json!({})).status, 204);
    assert_eq!(api.get(&two, "/api/v1/me").problem(401), "not_signed_in");
    assert_eq!(api.ask_as(&one, "auth/sessions/end", &json!({})).status, 204);
    for token in [&one, &region.people.auditor] {
        assert_eq!(api.get(token, "/api/v1/me").problem(401), "not_signed_in");
    }
    api.get(stranger, "/api/v1/me").ok();
}

#[test]
fn anybody_can_read_the_keys_that_verify_tokens() {
    let region = Region::start();
    let keys = region.api.send("GET", "/api/v1/auth/keys", None, None, "", b"").ok();
    assert_eq!(keys["keys"][0]["crv"], "Ed25519");
    assert_eq!(keys["keys"][0]["kid"].as_str().unwrap().len(), 16);
}
