//! Many redemptions in one request, over HTTP.

use serde_json::{Value, json};

use super::region::Region;

const BATCH: &str = "/api/v1/redemptions:batch";
const ALONE: &str = "/api/v1/redemptions";

/// Key, status, and code of the problem or number of the redemption, of each item.
fn told(answer: &Value) -> Vec<(String, u64, String)> {
    let items = answer["items"].as_array().unwrap();
    let of = |item: &Value| {
        let status = item["status"].as_u64().unwrap();
        let told = if status == 201 { &item["redemption"]["id"] } else { &item["problem"]["code"] };
        (item["key"].as_str().unwrap().into(), status, told.as_str().unwrap().into())
    };
    items.iter().map(of).collect()
}

/// A region with a booklet in somebody's hands, and another still in stock.
fn start() -> (Region, Vec<String>) {
    let region = Region::start();
    let codes = region.booklets_in_stock(2);
    region.hand_over(1, "Fictive");
    (region, codes)
}

fn item(code: &str, key: &str) -> Value {
    json!({ "key": key, "code": code, "service": "everyday_tools" })
}

#[test]
fn each_item_is_answered_in_its_place_and_harms_no_other() {
    let (region, codes) = start();
    let batch = json!({ "items": [
        item(&codes[0], "a"),
        item("0000001-oops", "b"),
        { "key": "c", "code": codes[1] },
        { "key": "d", "code": codes[1], "service": "everyday_tools", "more": 1 },
        "e",
        [codes[1], "everyday_tools"],
        { "code": codes[1], "service": "everyday_tools", "workshop": "7" },
        { "code": codes[1], "service": "everyday_tools" },
        item(&codes[0], "i"),
        item(&codes[10], "j"),
        item(&codes[2], ""),
        item(&codes[2], &"k".repeat(101)),
        item(&codes[2], "m"),
    ]});
    let answer = region.api.post_as(&region.people.mediator, BATCH, "k", &batch);
    assert_eq!(answer.status, 200);
    let shown = told(&answer.json());
    let shown: Vec<_> =
        shown.iter().map(|(key, status, told)| (key.as_str(), *status, told.as_str())).collect();
    let long = "k".repeat(101);
    assert_eq!(
        shown,
        [
            ("a", 201, "0000001-1"),
            ("b", 400, "invalid"),
            ("c", 400, "invalid"),
            ("d", 400, "invalid"),
            ("k/4", 400, "invalid"),
            ("k/5", 400, "invalid"),
            ("k/6", 404, "not_found"),
            ("k/7", 201, "0000002-1"),
            ("i", 409, "already_redeemed"),
            ("j", 404, "unknown_pass"),
            ("", 400, "idempotency_key_missing"),
            (&long, 400, "idempotency_key_missing"),
            ("m", 201, "0000003-1"),
        ]
    );
    let fields: Vec<_> =
        (1..4).map(|n| answer.json()["items"][n]["problem"]["field"].clone()).collect();
    assert_eq!(fields, ["code", "service", "more"]);
    region.assert_books_balance();

    // Sent again, all is told as it was, and nothing is done twice.
    assert_eq!(region.api.post_as(&region.people.mediator, BATCH, "k", &batch), answer);
    region.assert_books_balance();
}

#[test]
fn an_item_is_told_alike_alone_and_in_a_batch() {
    let (region, codes) = start();
    let (api, mediator) = (&region.api, &region.people.mediator);
    let alone = |n: usize| json!({ "service": "everyday_tools", "code": codes[n] });

    let first = api.post_as(mediator, ALONE, "a", &alone(0));
    let batch =
        json!({ "items": [item(&codes[0], "a"), item(&codes[1], "b"), item(&codes[15], "c")] });
    let answer = api.post_as(mediator, BATCH, "k", &batch).ok();

    assert_eq!(answer["items"][0]["redemption"], first.ok());
    assert_eq!(api.post_as(mediator, ALONE, "b", &alone(1)).ok(), answer["items"][1]["redemption"]);
    let refused = api.post_as(mediator, ALONE, "c", &alone(15));
    assert_eq!(refused.problem(404), "unknown_pass");
    assert_eq!(refused.json(), answer["items"][2]["problem"]);
    // The same key for another pass is that item's fault.
    let misused = json!({ "items": [item(&codes[2], "a"), item(&codes[2], "d")] });
    let told = told(&api.post_as(mediator, BATCH, "k", &misused).ok());
    assert_eq!(told[0].2, "idempotency_key_reused");
    assert_eq!(told[1].2, "0000003-1");
    region.assert_books_balance();
}

#[test]
fn a_full_batch_is_taken_whole_and_a_larger_one_refused_whole() {
    let region = Region::start();
    let codes = region.booklets_in_stock(14);
    for booklet in 1..=13 {
        region.hand_over(booklet, &format!("Fictive {booklet}"));
    }
    let (api, people) = (&region.api, &region.people);
    let batch = |n: usize| {
        let items: Vec<_> = codes[..n]
            .iter()
            .map(|code| json!({ "code": code, "service": "everyday_tools" }))
            .collect();
        json!({ "items": items })
    };
    for n in [0, 129] {
        let answer = api.post(&people.mediator, BATCH, &batch(n));
        assert_eq!(answer.problem(400), "invalid");
        assert_eq!(answer.json()["field"], "items");
    }
    assert_eq!(api.post(&people.auditor, BATCH, &batch(1)).problem(403), "not_allowed");
    let body = batch(1).to_string();
    let keyless =
        api.send("POST", BATCH, Some(&people.mediator), None, "application/json", body.as_bytes());
    assert_eq!(keyless.problem(400), "idempotency_key_missing");

    let answer = api.post(&people.mediator, BATCH, &batch(128)).ok();
    assert!(told(&answer).iter().all(|(_, status, _)| *status == 201));
    assert_eq!(answer["items"].as_array().unwrap().len(), 128);
    region.assert_books_balance();
}
