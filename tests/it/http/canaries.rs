//! What one programme wrote is read nowhere in another; what is secret is at rest nowhere.

use std::process::Command;

use serde_json::{Value, json};
use souche::domain::Role;
use strum::VariantArray;

use super::authorization::served;
use super::region::Region as HttpRegion;
use crate::support::World;
use crate::support::api::Api;
use crate::support::cluster::server;
use crate::support::logs;
use crate::support::region::Region;

const CANARY: &str = "canari";

/// Writes canaries wherever a text can be written.
fn plant(api: &Api, region: &Region) {
    let (admin, manager) = (api.token(&region.admin), api.token(&region.manager));
    let fourmies = api.token(&region.fourmies.manager);
    let post = |token: &str, path: &str, body: Value| api.post(token, path, &body).ok();
    let of = |made: &Value| made["id"].as_str().unwrap().to_owned();
    let organisation = post(
        &admin,
        "/api/v1/organisations",
        json!({ "name": "canari structure", "is_prescriber": true }),
    );
    let site = json!({ "organisation": of(&organisation), "name": "canari lieu", "address": "canari rue", "insee_code": "59249" });
    post(&admin, "/api/v1/sites", site);
    let place = json!({ "organisation": of(&organisation) });
    api.opens_account(&admin, "canari@exemple.fr", "prescriber_agent", &place);
    let invited = json!({ "email": "canari2@exemple.fr", "role": "prescriber_agent", "organisation": of(&organisation) });
    post(&admin, "/api/v1/invitations", invited);
    post(&admin, "/api/v1/api-keys", json!({ "name": "canari clé", "role": "auditor", "days": 1 }));
    let workshop = json!({ "site": region.fourmies.site, "held_on": "2026-03-13", "place": "canari salle", "people": 5 });
    post(&fourmies, "/api/v1/workshops", workshop);
    let account = json!({ "holder_name": "canari titulaire", "iban": "BE68539007547034" });
    post(&fourmies, "/api/v1/bank-accounts", account);
    post(&fourmies, "/api/v1/redemptions/0000006-1/void", json!({ "reason": "canari motif" }));
    let order = json!({
        "quantity": { "booklets_of_10": 1 },
        "dates": { "last_hand_over_on": "2026-09-30", "last_use_on": "2026-12-31", "last_presentation_on": "2027-01-31" },
    });
    let order = of(&post(&manager, "/api/v1/orders", order));
    let path = |step: &str| format!("/api/v1/orders/{order}/{step}");
    post(&api.token(&region.approver), &path("approval"), json!({}));
    post(&admin, &path("mint"), json!({}));
    post(&admin, &path("print-confirmation"), json!({ "booklets": 1 }));
    let funding = json!({ "mandate_reference": "canari mandat", "amount_cents": 10_000, "received_on": "2026-03-13" });
    post(&api.token(&region.accountant), &path("funding"), funding);
}

#[test]
fn what_one_programme_wrote_is_read_nowhere_in_another() {
    let World { region, neighbour, database } = World::lived();
    let api = Api::serving(region.db.clone(), region.keys.clone(), database);
    plant(&api, &region);
    let seen = api.get(&api.token(&region.admin), "/api/v1/organisations").text;
    assert!(seen.contains(CANARY), "nothing was planted");

    let tokens: Vec<String> = [
        neighbour.admin,
        neighbour.accountant,
        neighbour.manager,
        neighbour.approver,
        neighbour.paymaster,
        neighbour.prescriber.manager,
        neighbour.fourmies.manager,
        neighbour.mediator,
        neighbour.auditor,
    ]
    .iter()
    .map(|actor| api.token(actor))
    .collect();
    assert!(tokens.len() + 1 >= Role::VARIANTS.len());
    let mut answered = 0;
    for (method, template, _) in served() {
        if method != "GET" || template.starts_with("/api/v1/log/") {
            continue;
        }
        // Numbers that both have, that only the other has, and a word.
        for id in ["1", "2", "4", "5", "6", "0000006-1", "0000006-2", "canard"] {
            let parts =
                template.split('/').map(|part| if part.starts_with('{') { id } else { part });
            let path = parts.collect::<Vec<_>>().join("/");
            for token in &tokens {
                for query in [
                    "",
                    "?limit=200",
                    "?from=2026-03-01&until=2026-03-20",
                    "?format=csv",
                    "?cut_off_on=2026-03-12",
                ] {
                    let answer = api.get(token, &format!("{path}{query}"));
                    let headers = format!("{:?}", answer.headers).to_lowercase();
                    let told = answer.text.to_lowercase() + &headers;
                    assert!(!told.contains(CANARY), "{path}{query}: {}", answer.text);
                    answered += u32::from(answer.status == 200);
                }
            }
            if !template.contains('{') {
                break;
            }
        }
    }
    assert!(answered > 100, "{answered} answers were read");
    // Nor in what is told of another's pass at a counter.
    let mediator = api.token(&neighbour.mediator);
    for code in region.codes.values().take(12) {
        let told = api.post(&mediator, "/api/v1/redemptions:check", &json!({ "code": code }));
        assert!(!told.text.to_lowercase().contains(CANARY), "{}", told.text);
        assert!(told.status >= 400);
    }
}

#[test]
fn no_secret_is_at_rest_in_the_database_or_the_log() {
    let region = HttpRegion::start();
    let codes = region.booklets_in_stock(2);
    region.hand_over(1, "Zyxwvutsrq");
    let (api, people) = (&region.api, &region.people);
    let mut secrets = vec![
        ("a password", crate::support::api::PASSWORD.to_owned()),
        ("a beneficiary", "Zyxwvutsrq".to_owned()),
    ];
    secrets.extend(codes.iter().take(5).map(|code| ("a code", code.clone())));
    let bare = |code: &String| code.replace('-', "").split_off(7)[..16].to_owned();
    secrets.extend(codes.iter().take(5).map(|code| ("a code's secret", bare(code))));

    // Used, refused and misused, each where it could be written down.
    let ask = json!({ "code": codes[0], "service": "everyday_tools" });
    api.post(&people.mediator, "/api/v1/redemptions", &ask).ok();
    assert_eq!(api.post(&people.mediator, "/api/v1/redemptions", &ask).status, 409);
    let odd = json!({ "code": codes[1], "service": "no such service" });
    assert_eq!(api.post(&people.mediator, "/api/v1/redemptions", &odd).status, 400);
    api.post(&people.mediator, "/api/v1/redemptions:check", &json!({ "code": codes[2] })).ok();
    let batch = json!({ "items": [{ "code": codes[3], "service": "everyday_tools" }, { "code": codes[4] }] });
    api.post(&people.mediator, "/api/v1/redemptions:batch", &batch).ok();
    let new = json!({ "name": "Caisse", "role": "site_manager", "organisation": "2", "days": 1 });
    let key = api.post(&people.admin, "/api/v1/api-keys", &new).ok();
    let key = key["secret"].as_str().unwrap();
    api.get(key, "/api/v1/redemptions").ok();
    secrets.push(("an API key", key.to_owned()));
    let who =
        json!({ "email": "auditor.hdf@it.example", "password": crate::support::api::PASSWORD });
    let session = |path: &str, body: &Value| {
        let json = "application/json";
        api.send("POST", path, None, None, json, body.to_string().as_bytes()).ok()
    };
    let first = session("/api/v1/auth/token", &who);
    let second =
        session("/api/v1/auth/refresh", &json!({ "refresh_token": first["refresh_token"] }));
    for name in ["access_token", "refresh_token"] {
        for of in [&first, &second] {
            secrets.push(("a token", of[name].as_str().unwrap().to_owned()));
        }
    }
    secrets.extend([&people.admin, &people.mediator].map(|token| ("a token", token.clone())));

    let dump = Command::new(server().bin_dir().join("pg_dump"))
        .arg("--dbname")
        .arg(api.database.superuser_url())
        .output()
        .unwrap();
    let dump = String::from_utf8(dump.stdout).unwrap();
    let log = logs::so_far();
    assert!(dump.contains("Caisse") && log.contains("/api/v1/redemptions"), "nothing to look into");
    for (what, secret) in secrets {
        assert!(secret.len() >= 10, "{what} is too short to be looked for");
        for (place, text) in [("database", &dump), ("log", &log)] {
            let found = text.to_lowercase().contains(&secret.to_lowercase());
            assert!(!found, "{what} is in the {place}");
        }
    }
}
