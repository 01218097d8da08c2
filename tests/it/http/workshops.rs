//! Workshops, limits per service and the digest, over HTTP.

use serde_json::json;
use souche::db::Clock;
use souche::domain::date::parse_instant;

use super::region::{Region, programme};
use crate::support::api::Api;

#[test]
fn a_workshop_is_declared_named_and_listed() {
    let region = Region::start();
    let codes = region.booklets_in_stock(1);
    region.hand_over(1, "Fictive");
    let (api, people) = (&region.api, &region.people);
    let new = json!({ "held_on": "2026-03-02", "place": "Salle des fêtes", "people": 6 });
    let workshop = api.post(&people.mediator, "/api/v1/workshops", &new).ok();
    assert_eq!((&workshop["id"], &workshop["people"]), (&json!("1"), &json!(6)));
    for held_on in ["2026-03-03", "2026-03-04"] {
        let new =
            json!({ "site": workshop["site"], "held_on": held_on, "place": "Ici", "people": 1 });
        api.post(&people.site_manager, "/api/v1/workshops", &new).ok();
    }
    assert_eq!(api.post(&people.auditor, "/api/v1/workshops", &new).problem(403), "not_allowed");

    let mut seen = Vec::new();
    let mut path = "/api/v1/workshops?limit=2".to_owned();
    loop {
        let page = api.get(&people.site_manager, &path).ok();
        seen.extend(page["items"].as_array().unwrap().iter().map(|it| it["held_on"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/workshops?limit=2&after={next}");
    }
    assert_eq!(seen, ["2026-03-02", "2026-03-03", "2026-03-04"]);

    let ask = |n: usize, workshop: &str| {
        let ask = json!({ "code": codes[n], "service": "everyday_tools", "workshop": workshop });
        api.post(&people.mediator, "/api/v1/redemptions", &ask)
    };
    assert_eq!(ask(0, "1").ok()["workshop"], "1");
    assert_eq!(ask(1, "2").problem(422), "workshop_on_another_day");
    assert_eq!(ask(1, "9").problem(404), "not_found");
    let listed = api.get(&people.mediator, "/api/v1/redemptions").ok();
    assert_eq!(listed["items"][0]["workshop"], "1");
    region.assert_books_balance();
}

#[test]
fn a_programme_says_how_many_passes_a_person_spends_on_a_service() {
    let api = Api::start(Clock::test(parse_instant("2026-03-02T08:00:00Z").unwrap()));
    let instance = api.sign_in("admin@it.example", None);
    let mut new = programme("LIM");
    for (limits, field) in [
        (json!({ "employment": 0 }), "passes_per_service"),
        (json!({ "coffee": 1 }), "passes_per_service"),
    ] {
        new["passes_per_service"] = limits;
        let answer = api.post(&instance, "/api/v1/programmes", &new);
        assert_eq!(answer.problem(400), "invalid");
        let told = answer.json();
        assert!(told["field"].as_str().unwrap().starts_with(field), "{told}");
    }
    new["passes_per_service"] = json!({ "employment": 3, "online_safety": 1 });
    let made = api.post(&instance, "/api/v1/programmes", &new).ok();
    assert_eq!(made["passes_per_service"], new["passes_per_service"]);
    let admin = api.sign_in("admin@it.example", Some("LIM"));
    let listed = api.get(&admin, "/api/v1/programmes").ok();
    assert_eq!(listed[0]["passes_per_service"], new["passes_per_service"]);
}

#[test]
fn the_digest_is_read_as_json_and_opens_as_a_sheet() {
    let region = Region::start();
    let codes = region.booklets_in_stock(1);
    region.hand_over(1, "Fictive");
    let (api, people) = (&region.api, &region.people);
    for code in &codes[..2] {
        let ask = json!({ "code": code, "service": "everyday_tools" });
        api.post(&people.mediator, "/api/v1/redemptions", &ask).ok();
    }
    let path = "/api/v1/redemptions/digest?from=2026-03-01&until=2026-03-02";
    let days = api.get(&people.mediator, path).ok();
    assert_eq!(days.as_array().unwrap().len(), 2);
    assert_eq!(
        (&days[1]["redeemed_passes"], &days[1]["due"]["amount_cents"]),
        (&json!(2), &json!(2000))
    );
    let sheet = api.get(&people.mediator, &format!("{path}&format=csv"));
    assert_eq!(sheet.content_type, "text/csv; charset=utf-8");
    let last = sheet.text.lines().last().unwrap();
    assert_eq!(last, "1;Lieu fictif;2026-03-02;2;0;20,00;0,00;0,00;20,00");
    for odd in
        ["", "?from=2026-03-01", "?from=2026-03-01&until=x", "?from=2026-03-02&until=2026-03-01"]
    {
        let answer = api.get(&people.mediator, &format!("/api/v1/redemptions/digest{odd}"));
        assert_eq!(answer.problem(400), "invalid", "{odd}");
    }
    let of = days[0]["site"].as_str().map(|_| "2").unwrap();
    let audited = api.get(&people.auditor, &format!("{path}&organisation={of}"));
    assert_eq!(audited.ok(), days);
}
