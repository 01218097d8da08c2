//! API keys, the audit log, and what every answer carries.

use serde_json::{Value, json};
use souche::app::access;

use super::region::Region;
use crate::support::api::{Api, PASSWORD};

fn key_of_site(region: &Region, days: i32) -> (String, String) {
    let new =
        json!({ "name": "Caisse", "role": "site_manager", "organisation": "2", "days": days });
    let made = region.api.post(&region.people.admin, "/api/v1/api-keys", &new).ok();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["key"]["id"]), text(&made["secret"]))
}

#[test]
fn a_key_redeems_and_its_uses_bear_its_name() {
    let region = Region::start();
    let codes = region.booklets_in_stock(1);
    region.hand_over(1, "Fictive");
    let (id, secret) = key_of_site(&region, 30);
    let api = &region.api;
    let ask = json!({ "code": codes[0], "service": "everyday_tools", "site": "1" });
    api.post(&secret, "/api/v1/redemptions", &ask).ok();
    let recorded_by = crate::support::sql::Sql::open(&api.database.superuser_url())
        .column("SELECT recorded_by FROM entries WHERE kind = 'redemption'");
    assert_eq!(recorded_by.concat(), id);
    let listed = api.get(&region.people.admin, "/api/v1/api-keys").ok();
    assert_eq!(listed["items"][0]["id"], json!(id));
    assert!(listed["items"][0]["last_used_at"].is_string(), "{listed:#}");
    assert!(!listed.to_string().contains(&secret));
    // What takes a person is not done by a program, whatever its role.
    for path in ["/api/v1/api-keys", "/api/v1/bank-accounts"] {
        assert_eq!(api.post(&secret, path, &json!({})).problem(403), "not_allowed");
    }
    assert_eq!(api.get(&secret, "/api/v1/me").problem(403), "not_allowed");
}

#[test]
fn a_secret_is_shown_once_and_taken_over_by_another() {
    let region = Region::start();
    let (api, admin) = (&region.api, &region.people.admin);
    let new = json!({ "name": "Caisse", "role": "site_manager", "organisation": "2", "days": 30 });
    let first = api.post_as(admin, "/api/v1/api-keys", "k1", &new).ok();
    let again = api.post_as(admin, "/api/v1/api-keys", "k1", &new).ok();
    assert_eq!((&again["key"], &again["secret"]), (&first["key"], &Value::Null));
    let (id, old) = (first["key"]["id"].as_str().unwrap(), first["secret"].as_str().unwrap());

    let path = format!("/api/v1/api-keys/{id}/rotation");
    let rotated = api.post(admin, &path, &json!({ "overlap_hours": 2 })).ok();
    let new = rotated["secret"].as_str().unwrap();
    let is_good = |secret: &str| api.get(secret, "/api/v1/redemptions").status == 200;
    assert!(is_good(old) && is_good(new));
    api.clock.set(api.clock.now() + chrono::TimeDelta::hours(2));
    assert!(!is_good(old) && is_good(new));

    // Ended at once in this process, within a second elsewhere.
    let admin = api.sign_in("admin@it.example", Some("HDF"));
    api.post(&admin, &format!("/api/v1/api-keys/{id}/revocation"), &json!({})).ok();
    assert_eq!(api.get(new, "/api/v1/redemptions").problem(401), "not_signed_in");
    let path = format!("/api/v1/api-keys/{id}/rotation");
    assert_eq!(api.post(&admin, &path, &json!({ "overlap_hours": 0 })).problem(409), "wrong_state");
}

#[test]
fn a_key_ends_on_its_day_and_has_no_role_that_approves_or_pays() {
    let region = Region::start();
    let (_, secret) = key_of_site(&region, 1);
    let api = &region.api;
    api.get(&secret, "/api/v1/redemptions").ok();
    for role in ["operator_admin", "operator_accountant", "sponsor_approver", "public_accountant"] {
        let new = json!({ "name": "x", "role": role, "days": 1 });
        let refused = api.post(&region.people.admin, "/api/v1/api-keys", &new);
        assert_eq!(refused.problem(400), "invalid", "{role}");
        let mut service = crate::support::sql::Sql::open(&api.database.service_url());
        service.speak_for("1");
        let refused = service.refused(&format!(
            "INSERT INTO api_keys (user_id, name, role, secret_hash, created_by, created_at, expires_at)
             SELECT id, 'x', '{role}', sha256('x'), (SELECT id FROM users u WHERE u.id <> users.id LIMIT 1), now(), now() + interval '1 day'
             FROM users LIMIT 1"
        ));
        assert!(refused.contains("api_keys_role_check"), "{refused}");
    }
    // A manager gives what it has, and no more.
    let new = json!({ "name": "x", "role": "sponsor_manager", "days": 1 });
    let refused = api.post(&region.people.site_manager, "/api/v1/api-keys", &new);
    assert_eq!(refused.problem(403), "not_allowed");
    api.clock.set(api.clock.now() + chrono::TimeDelta::days(1));
    assert_eq!(api.get(&secret, "/api/v1/redemptions").problem(401), "not_signed_in");
}

#[test]
fn a_revocation_by_another_process_is_known_within_a_second() {
    let region = Region::start();
    let (id, secret) = key_of_site(&region, 1);
    let api = &region.api;
    api.get(&secret, "/api/v1/redemptions").ok();
    let mut elsewhere = crate::support::sql::Sql::open(&api.database.service_url());
    elsewhere.speak_for("1");
    elsewhere.run(&format!(
        "UPDATE api_keys SET revoked_at = now(), revoked_by = created_by WHERE user_id = '{id}'"
    ));
    let revoked = std::time::Instant::now();
    while api.get(&secret, "/api/v1/redemptions").status == 200 {
        assert!(
            revoked.elapsed() < std::time::Duration::from_millis(1_500),
            "a revoked key is good"
        );
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one afternoon, and all it left")]
fn privileged_acts_leave_their_trace_in_the_transaction_of_the_act() {
    let region = Region::start();
    region.booklets_in_stock(1);
    let (api, people) = (&region.api, &region.people);
    let refused = api.post(&people.approver, "/api/v1/orders/1/approval", &json!({}));
    assert_eq!(refused.problem(409), "wrong_state");
    let invited = json!({ "email": "nouvelle@it.example", "role": "auditor" });
    api.post(&people.admin, "/api/v1/invitations", &invited).ok();
    api.signs_in("auditor.hdf@it.example", PASSWORD, None).ok();
    let acts = api.get(&people.auditor, "/api/v1/audit-log?limit=200").ok();
    let acts = acts["items"].as_array().unwrap();
    let of = |operation: &str| -> Vec<&Value> {
        acts.iter().filter(|act| act["operation"] == operation).collect()
    };
    assert_eq!(of("approve_order").len(), 2);
    let [refusal, approval] = of("approve_order")[..] else { panic!() };
    assert_eq!(
        (&refusal["outcome"], &approval["outcome"]),
        (&json!("wrong_state"), &json!("done"))
    );
    assert_eq!(refusal["request_id"], refused.header("x-request-id"));
    assert_eq!(approval["about"], json!({ "order": "1" }));
    assert_eq!(
        (&approval["role"], &approval["result"]["state"]),
        (&json!("sponsor_approver"), &json!("approved"))
    );
    assert_eq!(approval["network"], "127.0.0.0/24");
    for operation in [
        "invite",
        "qualify_site",
        "mint_order",
        "read_print_file",
        "confirm_print",
        "fund_order",
        "issue_token",
    ] {
        assert!(!of(operation).is_empty(), "{operation} left no trace");
    }
    // Told again, not done again.
    api.post_as(&people.manager, "/api/v1/orders", "same", &order()).ok();
    api.post_as(&people.manager, "/api/v1/orders", "same", &order()).ok();
    let placed = api.get(&people.auditor, "/api/v1/audit-log?operation=place_order").ok();
    assert_eq!(placed["items"].as_array().unwrap().len(), 2, "{placed:#}");

    let manager = placed["items"][0]["actor"].as_str().unwrap();
    let path =
        format!("/api/v1/audit-log?actor={manager}&from=2026-03-02&until=2026-03-02&limit=1");
    let page = api.get(&people.auditor, &path).ok();
    assert_eq!(page["items"][0]["id"], placed["items"][0]["id"]);
    let next = page["next"].as_str().unwrap();
    let page = api.get(&people.auditor, &format!("{path}&after={next}")).ok();
    assert_eq!(page["items"][0]["id"], placed["items"][1]["id"]);
    let nothing = api.get(&people.auditor, "/api/v1/audit-log?until=2026-03-01").ok();
    assert_eq!(nothing["items"], json!([]));

    let file =
        api.get(&people.auditor, "/api/v1/audit-log/export?from=2026-03-01&until=2026-03-03");
    assert!(
        file.text.contains("export_audit_log") && file.text.contains("mint_order"),
        "{}",
        file.text
    );

    let mut service = crate::support::sql::Sql::open(&api.database.service_url());
    service.speak_for("1");
    for attack in
        ["UPDATE audit_log SET outcome = 'done'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
    {
        let refused = service.refused(attack);
        assert!(refused.contains("permission denied"), "{refused}");
    }
}

fn order() -> Value {
    json!({
        "quantity": { "booklets_of_10": 1 },
        "dates": { "last_hand_over_on": "2026-09-30", "last_use_on": "2026-12-31", "last_presentation_on": "2027-01-31" },
    })
}

#[test]
fn a_refused_sign_in_leaves_a_trace_that_names_nobody() {
    let region = Region::start();
    let api = &region.api;
    let wrong = |email: &str| {
        let who = json!({ "email": email, "password": "not the right one at all" }).to_string();
        let path = "/api/v1/auth/token";
        let answer = api.send("POST", path, None, None, "application/json", who.as_bytes());
        assert_eq!(answer.problem(401), "bad_credentials");
    };
    wrong("nobody@it.example");
    wrong("nobody@it.example");
    wrong("auditor.hdf@it.example");
    let instance = api.sign_in("admin@it.example", None);
    let acts = api.get(&instance, "/api/v1/audit-log?operation=issue_token").ok();
    let refused: Vec<&Value> =
        acts["items"].as_array().unwrap().iter().filter(|act| act["actor"].is_null()).collect();
    let [other, second, first] = refused[..] else { panic!("{acts:#}") };
    assert_eq!(first["about"], second["about"]);
    assert_ne!(first["about"], other["about"]);
    assert_eq!(first["outcome"], "bad_credentials");
    assert!(!acts.to_string().contains("nobody@"));
}

#[test]
fn each_step_of_coming_in_leaves_its_trace() {
    let region = Region::start();
    let api = &region.api;
    let email = "operator_accountant.hdf@it.example";
    let tokens = api.signs_in(email, PASSWORD, None).ok();
    let token = tokens["access_token"].as_str().unwrap();
    let secret = api.ask_as(token, "auth/second-factor", &json!({ "password": PASSWORD })).ok();
    let code = access::code_at(secret["secret"].as_str().unwrap(), api.clock.now()).unwrap();
    let code = json!({ "code": code });
    api.ask_as(token, "auth/second-factor/confirmation", &code).ok();
    assert_eq!(api.ask_as(token, "auth/step-up", &code).problem(401), "bad_code");
    assert_eq!(api.letters().len(), 1);
    assert_eq!(api.ask("auth/password-resets", &json!({ "email": email })).status, 202);
    let link = json!({ "token": api.link(), "password": "quinze signes bien à moi" });
    assert_eq!(api.ask("auth/password-resets/use", &link).status, 204);

    let traces = |token: &str| -> Vec<(String, String)> {
        let acts = api.get(token, "/api/v1/audit-log?limit=200").ok();
        assert!(!acts.to_string().contains(email));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let items = acts["items"].as_array().unwrap().iter().rev();
        items.map(|act| (text(&act["operation"]), text(&act["outcome"]))).collect()
    };
    let is_of = |operation: &str, outcome: &str| (operation.to_owned(), outcome.to_owned());
    let here = traces(&region.people.auditor);
    let steps = [
        is_of("issue_token", "done"),
        is_of("enrol_second_factor", "done"),
        is_of("confirm_second_factor", "done"),
        is_of("step_up", "bad_code"),
    ];
    assert!(here.ends_with(&steps), "{here:?}");
    // Nobody was let in: in the instance, without its name.
    let there = traces(&api.sign_in("admin@it.example", None));
    let reset = [is_of("ask_password_reset", "done"), is_of("use_password_reset", "done")];
    assert!(there.ends_with(&reset), "{there:?}");
}

#[test]
fn every_answer_bears_its_request_and_what_is_left_and_lets_no_other_site_in() {
    let region = Region::start();
    let (api, people) = (&region.api, &region.people);
    let answers = [
        api.get(&people.auditor, "/api/v1/orders"),
        api.get(&people.auditor, "/api/v1/orders/9"),
        api.get("x", "/api/v1/orders"),
        api.get(&people.auditor, "/nowhere"),
        api.send("GET", "/live", None, None, "", b""),
        api.send("OPTIONS", "/api/v1/orders", None, None, "", b""),
    ];
    let mut ids = std::collections::BTreeSet::new();
    for answer in &answers {
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'"
        );
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        let odd = |name: &str| answer.headers.0.iter().any(|(known, _)| known.starts_with(name));
        assert!(!odd("access-control"), "{:?}", answer.headers);
        // No certificate here.
        assert!(!odd("strict-transport-security"), "{:?}", answer.headers);
        assert!(answer.header("ratelimit-policy").contains(";q="));
        assert!(answer.header("ratelimit").contains(";r="));
        ids.insert(answer.header("x-request-id").to_owned());
    }
    assert_eq!(ids.len(), answers.len());
    // Who is known is counted by its account, nobody by its address.
    let policies = [0, 4].map(|at: usize| answers[at].header("ratelimit-policy"));
    assert_eq!(policies, ["\"account\";q=1000;w=2", "\"address\";q=2000;w=10"]);
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back() {
    let api: Api = Region::start().api;
    let who = json!({ "email": "x@it.example", "password": "x" }).to_string();
    let mut last = None;
    for _ in 0..400 {
        // Not JSON: told before any password is hashed.
        let answer =
            api.send("POST", "/api/v1/auth/token", None, None, "text/plain", who.as_bytes());
        let is_braked = answer.status == 429;
        last = Some(answer);
        if is_braked {
            break;
        }
    }
    let braked = last.unwrap();
    assert_eq!(braked.problem(429), "too_many_requests");
    assert_eq!(braked.retry_after.as_deref(), Some("1"));
    assert!(braked.header("ratelimit").starts_with("\"sign-in\";r=0;t=1"), "{:?}", braked.headers);
    assert_eq!(braked.header("ratelimit-policy"), "\"sign-in\";q=240;w=120");
    // Others of that address go on.
    assert_eq!(api.send("GET", "/live", None, None, "", b"").status, 204);
}
