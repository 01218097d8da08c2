//! What was odd or wrong, over HTTP: flagged, decided, paid, given back, deducted.

use serde_json::{Value, json};

use super::region::Region;

/// Redeems these passes with the code on their paper.
fn redeem(region: &Region, codes: &[String]) {
    for code in codes {
        let ask = json!({ "code": code, "service": "employment" });
        region.api.post(&region.people.mediator, "/api/v1/redemptions", &ask).ok();
    }
}

/// Prepares and approves what is due, and returns the only payout.
fn settle(region: &Region, cut_off_on: &str, execution_on: &str) -> Value {
    let (api, people) = (&region.api, &region.people);
    let new = json!({ "cut_off_on": cut_off_on, "execution_on": execution_on });
    let prepared = api.post(&people.accountant, "/api/v1/settlements", &new).ok();
    let path = format!("/api/v1/settlements/{}", prepared["settlement"]["id"].as_str().unwrap());
    api.post(&people.public_accountant, &format!("{path}/approval"), &json!({})).ok();
    prepared["payouts"][0].clone()
}

/// A site that takes two passes a day has three, handed over and used; its structure has an account.
fn a_day_beyond_capacity() -> (Region, Vec<String>) {
    let mut region = Region::start();
    let codes = region.booklets_in_stock(1);
    region.hand_over(1, "Fictive");
    let iban = json!({ "holder_name": "Structure fictive", "iban": "FR1420041010050500013M02606" });
    let account = region.api.post(&region.people.site_manager, "/api/v1/bank-accounts", &iban).ok();
    let path = format!("/api/v1/bank-accounts/{}/approval", account["id"].as_str().unwrap());
    region.api.post(&region.people.accountant, &path, &json!({})).ok();

    region.on("2026-03-10T09:00:00Z");
    let (api, people) = (&region.api, &region.people);
    let site = api.get(&people.admin, "/api/v1/sites").ok()["items"][0]["id"].clone();
    let path = format!("/api/v1/sites/{}/capacity", site.as_str().unwrap());
    let put = |token, body: &str| {
        api.send("PUT", &path, Some(token), Some(body), "application/json", body.as_bytes())
    };
    let capacity = r#"{"daily_capacity":2}"#;
    assert_eq!(put(&people.site_manager, capacity).problem(403), "not_allowed");
    assert_eq!(put(&people.admin, r#"{"daily_capacity":0}"#).problem(400), "invalid");
    assert_eq!(put(&people.admin, capacity).ok()["daily_capacity"], 2);
    redeem(&region, &codes[..3]);
    (region, codes)
}

#[test]
fn a_flag_is_shown_to_its_site_and_decided_by_the_operator() {
    let (mut region, _) = a_day_beyond_capacity();
    let (api, people) = (&region.api, &region.people);
    let raised = api.post(&people.admin, "/api/v1/flags:scan", &json!({})).ok();
    assert_eq!(raised, json!({ "raised": ["1"] }));
    let flag = &api.get(&people.mediator, "/api/v1/flags").ok()["items"][0];
    assert_eq!(
        (&flag["kind"], &flag["redemptions"], &flag["decision"]),
        (&json!("beyond_capacity"), &json!(["0000003-1"]), &Value::Null)
    );
    let totals = api.get(&people.mediator, "/api/v1/redemptions/totals").ok();
    assert_eq!((&totals[0]["held_passes"], &totals[0]["waiting_passes"]), (&json!(1), &json!(2)));
    assert_eq!(api.get(&people.prescriber, "/api/v1/flags").problem(403), "not_allowed");
    let decision = json!({ "outcome": "released", "reason": "atelier exceptionnel" });
    let path = "/api/v1/flags/1/decision";
    assert_eq!(api.post(&people.site_manager, path, &decision).problem(403), "not_allowed");

    // The others are paid; what is released, with the next settlement.
    region.on("2026-03-11T09:00:00Z");
    assert_eq!(settle(&region, "2026-03-10", "2026-03-20")["payable"]["amount_cents"], 2_000);
    let (api, people) = (&region.api, &region.people);
    let decided = api.post(&people.admin, path, &decision).ok();
    assert_eq!(decided["decision"]["outcome"], "released");
    assert_eq!(api.post(&people.admin, path, &decision).problem(409), "wrong_state");
    assert_eq!(settle(&region, "2026-03-10", "2026-03-20")["payable"]["amount_cents"], 1_000);
    region.assert_books_balance();
}

#[test]
fn an_incident_is_recorded_shown_and_deducted() {
    let (mut region, codes) = a_day_beyond_capacity();
    region.on("2026-03-11T09:00:00Z");
    settle(&region, "2026-03-10", "2026-03-20");
    let (api, people) = (&region.api, &region.people);
    let incidents = "/api/v1/incidents";
    let of = |redemption| json!({ "redemption": redemption, "reason": "titre contrefait" });
    assert_eq!(
        api.post(&people.site_manager, incidents, &of("0000001-1")).problem(403),
        "not_allowed"
    );
    assert_eq!(api.post(&people.admin, incidents, &of("0000003-1")).problem(409), "not_settled");
    let receipt = api.post(&people.admin, incidents, &of("0000001-1")).ok();
    assert_eq!((&receipt["kind"], &receipt["number"]), (&json!("incident"), &json!(1)));
    assert_eq!(api.post(&people.admin, incidents, &of("0000001-1")).problem(409), "already_voided");
    redeem(&region, &codes[3..5]);
    region.assert_books_balance();

    region.on("2026-03-12T09:00:00Z");
    let (api, people) = (&region.api, &region.people);
    let run = api.get(&people.accountant, "/api/v1/settlements:dry-run?cut_off_on=2026-03-11").ok();
    let preview = &run["payouts"][0];
    assert_eq!((&preview["items"], &preview["deductions"]), (&json!(2), &json!(1)));
    let payout = settle(&region, "2026-03-11", "2026-03-20");
    assert_eq!(payout["payable"]["amount_cents"], 1_000);
    let path = format!("/api/v1/payouts/{}/items", payout["id"].as_str().unwrap());
    let items = api.get(&people.site_manager, &path).ok();
    assert_eq!(items["items"][2]["payable"]["amount_cents"], -1_000);
    assert_eq!(items["items"][2]["incident"], "1");
    let own = api.get(&people.mediator, incidents).ok();
    assert_eq!(own["items"][0]["deducted_from"], payout["id"]);
    region.assert_books_balance();
}
