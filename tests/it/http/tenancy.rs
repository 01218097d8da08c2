//! Two programmes on one instance: each finds nothing of the other's.

use serde_json::json;

use super::region::Region;

#[test]
fn another_programme_s_things_are_not_found() {
    let ours = Region::start();
    let codes = ours.booklets_in_stock(1);
    ours.hand_over(1, "Fictive");
    let Region { api, people, .. } = ours;
    let ours = people;
    let theirs = Region::found(api, "SAT");

    let (api, people) = (&theirs.api, &theirs.people);
    assert_eq!(api.get(&people.auditor, "/api/v1/orders/1").problem(404), "not_found");
    assert_eq!(api.get(&people.auditor, "/api/v1/passes/0000001/trace").problem(404), "not_found");
    assert_eq!(api.get(&people.auditor, "/api/v1/orders").ok()["items"], json!([]));
    let held = api.get(&people.auditor, "/api/v1/reports/custody").ok();
    assert_eq!((&held["ranges"], &held["passes"]), (&json!([]), &json!(0)));
    let ask = json!({ "code": codes[0], "service": "employment" });
    assert_eq!(
        api.post(&people.mediator, "/api/v1/redemptions", &ask).problem(404),
        "unknown_pass"
    );
    let order_path = "/api/v1/orders/1/mint";
    assert_eq!(api.post(&people.admin, order_path, &json!({})).problem(404), "not_found");

    // And ours is untouched.
    let trace = api.get(&ours.auditor, "/api/v1/passes/0000001/trace").ok();
    assert_eq!(trace["state"], "distributed");
}

#[test]
fn a_key_of_one_programme_says_nothing_in_another() {
    let ours = Region::start();
    let order = json!({
        "quantity": { "booklets_of_10": 1 },
        "dates": { "last_hand_over_on": "2026-09-30", "last_use_on": "2026-12-31", "last_presentation_on": "2027-01-31" },
    });
    let placed = ours.api.post_as(&ours.people.manager, "/api/v1/orders", "same-key", &order);
    let theirs = Region::found(ours.api, "SAT");

    let also = theirs.api.post_as(&theirs.people.manager, "/api/v1/orders", "same-key", &order);

    assert_eq!((placed.status, also.status), (201, 201));
    assert_ne!(placed.json()["placed_by"], also.json()["placed_by"]);
}
