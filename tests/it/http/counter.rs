//! The counter under concurrency and repetition, over HTTP.

use std::thread;

use serde_json::json;

use super::region::Region;

#[test]
fn of_fifty_redemptions_of_one_pass_one_is_granted() {
    let region = Region::start();
    let codes = region.booklets_in_stock(1);
    region.hand_over(1, "Fictive");
    let ask = json!({ "code": codes[0], "service": "everyday_tools" });

    let answers: Vec<_> = thread::scope(|scope| {
        let sent: Vec<_> = (0..50)
            .map(|_| {
                scope
                    .spawn(|| region.api.post(&region.people.mediator, "/api/v1/redemptions", &ask))
            })
            .collect();
        sent.into_iter().map(|thread| thread.join().unwrap()).collect()
    });

    let granted = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers
        .iter()
        .filter(|answer| answer.status == 409 && answer.json()["code"] == "already_redeemed")
        .count();
    assert_eq!((granted, refused), (1, 49));
    let listed = region.api.get(&region.people.mediator, "/api/v1/redemptions").ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    region.assert_books_balance();
}

#[test]
fn the_same_key_tells_the_same_answer_for_ever() {
    let mut region = Region::start();
    let codes = region.booklets_in_stock(1);
    let ask = |n: usize| json!({ "code": codes[n], "service": "everyday_tools" });
    let redeem = |region: &Region, key: &str, n: usize| {
        region.api.post_as(&region.people.mediator, "/api/v1/redemptions", key, &ask(n))
    };

    // A refusal is an answer too: handed over afterwards, the pass is still told unknown under that key.
    let refused = redeem(&region, "too-early", 0);
    assert_eq!(refused.problem(404), "unknown_pass");
    region.hand_over(1, "Fictive");
    assert_eq!(redeem(&region, "too-early", 0), refused);

    let granted = redeem(&region, "in-time", 0);
    assert_eq!(granted.status, 201);
    region.on("2026-06-01T08:00:00Z");
    assert_eq!(redeem(&region, "in-time", 0), granted);
    assert_eq!(redeem(&region, "in-time", 1).problem(422), "idempotency_key_reused");
    region.assert_books_balance();
}

#[test]
fn every_write_wants_a_key_and_keeps_its_answer() {
    let region = Region::start();
    let order = json!({
        "quantity": { "booklets_of_10": 1 },
        "dates": { "last_hand_over_on": "2026-09-30", "last_use_on": "2026-12-31", "last_presentation_on": "2027-01-31" },
    });
    let place =
        |key: &str| region.api.post_as(&region.people.manager, "/api/v1/orders", key, &order);

    let (first, again) = (place("order-1"), place("order-1"));

    assert_eq!(first.status, 201);
    assert_eq!(first, again);
    assert_eq!(
        region.api.get(&region.people.manager, "/api/v1/orders").ok()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let body = order.to_string();
    let keyless = region.api.send(
        "POST",
        "/api/v1/orders",
        Some(&region.people.manager),
        None,
        "application/json",
        body.as_bytes(),
    );
    assert_eq!(keyless.problem(400), "idempotency_key_missing");
}

#[test]
fn a_voided_pass_is_good_again_and_its_story_is_kept() {
    let region = Region::start();
    let codes = region.booklets_in_stock(1);
    region.hand_over(1, "Fictive");
    let ask = json!({ "code": codes[0], "service": "everyday_tools" });
    let (api, people) = (&region.api, &region.people);

    let first = api.post(&people.mediator, "/api/v1/redemptions", &ask).ok();
    let path = format!("/api/v1/redemptions/{}/void", first["id"].as_str().unwrap());
    api.post(&people.mediator, &path, &json!({ "reason": "scanné deux fois" })).ok();
    assert_eq!(
        api.post(&people.mediator, &path, &json!({ "reason": "encore" })).problem(409),
        "already_voided"
    );
    let second = api.post(&people.mediator, "/api/v1/redemptions", &ask).ok();

    assert_eq!(
        (first["id"].as_str(), second["id"].as_str()),
        (Some("0000001-1"), Some("0000001-2"))
    );
    region.assert_books_balance();
}
