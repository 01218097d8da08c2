//! Accounts: invited, signed in to, their passwords changed and reset, their roles changed and taken away.

use serde_json::{Value, json};

use super::region::Region;
use crate::support::api::{Api, PASSWORD};
use crate::support::sql::Sql;

fn signed_in(api: &Api, email: &str) -> Value {
    api.signs_in(email, PASSWORD, None).ok()
}

#[test]
fn whoever_is_invited_chooses_a_password_and_comes_in() {
    let region = Region::start();
    let (api, admin) = (&region.api, &region.people.admin);
    let new = json!({ "email": "ana@it.example", "role": "auditor" });
    api.post(admin, "/api/v1/invitations", &new).ok();
    let listed = api.get(admin, "/api/v1/invitations").ok();
    assert_eq!(listed["items"][0]["email"], "ana@it.example");
    let token = api.link();
    let accept = |password: &str| {
        let answer = json!({ "token": token, "name": "Ana", "password": password });
        api.ask("auth/invitations", &answer)
    };
    assert_eq!(accept("trop court").problem(422), "password_too_short");
    assert_eq!(accept("motdepasse-2026-souche").problem(422), "password_too_common");
    assert_eq!(accept(PASSWORD).ok()["role"], "auditor");
    assert_eq!(accept(PASSWORD).problem(410), "bad_link");
    let token = signed_in(api, "ana@it.example")["access_token"].as_str().unwrap().to_owned();
    assert_eq!(api.get(&token, "/api/v1/me").ok()["role"], "auditor");
    let listed = api.get(admin, "/api/v1/invitations").ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 0);
}

#[test]
fn an_invitation_ends_after_three_days_is_replaced_and_can_be_taken_back() {
    let mut region = Region::start();
    let new = json!({ "email": "ana@it.example", "role": "auditor" });
    let invite = |region: &Region| {
        let made = region.api.post(&region.people.admin, "/api/v1/invitations", &new).ok();
        (made["id"].as_str().unwrap().to_owned(), region.api.link())
    };
    let accept = |region: &Region, token: &str| {
        let answer = json!({ "token": token, "name": "Ana", "password": PASSWORD });
        region.api.ask("auth/invitations", &answer)
    };
    let (_, replaced) = invite(&region);
    let (id, withdrawn) = invite(&region);
    assert_eq!(accept(&region, &replaced).problem(410), "bad_link");
    let path = format!("/api/v1/invitations/{id}/withdrawal");
    assert_eq!(region.api.post(&region.people.admin, &path, &json!({})).status, 201);
    assert_eq!(accept(&region, &withdrawn).problem(410), "bad_link");
    let (_, late) = invite(&region);
    region.on("2026-03-05T08:00:00Z");
    assert_eq!(accept(&region, &late).problem(410), "bad_link");
    assert_eq!(accept(&region, "99.nothing").problem(410), "bad_link");
    assert_eq!(accept(&region, "nothing").problem(410), "bad_link");
}

#[test]
fn a_manager_invites_people_of_its_own_organisation_only() {
    let region = Region::start();
    let (api, manager) = (&region.api, &region.people.prescriber);
    let invite = |role: &str, organisation: &Value| {
        let email = format!("{role}.invited@it.example");
        let new = json!({ "email": email, "role": role, "organisation": organisation });
        api.post(manager, "/api/v1/invitations", &new)
    };
    let own = json!(region.prescriber);
    assert_eq!(invite("prescriber_agent", &own).status, 201);
    assert_eq!(invite("site_manager", &json!("2")).problem(403), "not_allowed");
    assert_eq!(invite("operator_admin", &Value::Null).problem(403), "not_allowed");
    let seen = api.get(manager, "/api/v1/users").ok();
    assert_eq!(seen["items"].as_array().unwrap().len(), 1, "{seen}");
    let auditor = api.get(&region.people.auditor, "/api/v1/users");
    assert_eq!(auditor.problem(403), "not_allowed");
}

#[test]
fn one_person_does_not_hold_two_roles_that_check_each_other() {
    let region = Region::start();
    let (api, admin) = (&region.api, &region.people.admin);
    let invite = |email: &str, role: &str| {
        api.post(admin, "/api/v1/invitations", &json!({ "email": email, "role": role }))
    };
    let manager = "sponsor_manager.hdf";
    let twice = invite(&format!("{manager}@it.example"), "sponsor_approver");
    assert_eq!(twice.problem(409), "incompatible_roles");
    let alias = invite(&format!("{manager}+bis@it.example"), "sponsor_approver");
    assert_eq!(alias.problem(409), "incompatible_roles");
    let other = invite("someone.else@it.example", "sponsor_approver");
    assert_eq!(other.status, 201);
}

#[test]
fn a_role_taken_away_dies_at_once_with_every_token() {
    let region = Region::start();
    let (api, admin) = (&region.api, &region.people.admin);
    let session = signed_in(api, "auditor.hdf@it.example");
    let auditor = session["access_token"].as_str().unwrap();
    let id = api.get(auditor, "/api/v1/me").ok()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{id}/revocation");
    assert_eq!(api.post(auditor, &path, &json!({})).problem(403), "not_allowed");
    assert_eq!(api.post(admin, &path, &json!({})).status, 201);
    assert_eq!(api.get(auditor, "/api/v1/me").problem(401), "not_signed_in");
    let refresh = json!({ "refresh_token": session["refresh_token"] });
    assert_eq!(api.ask("auth/refresh", &refresh).problem(401), "bad_credentials");
    let again = api.signs_in("auditor.hdf@it.example", PASSWORD, None);
    assert_eq!(again.problem(401), "bad_credentials");
    assert_eq!(api.post(admin, &path, &json!({})).problem(404), "not_found");
    // Invited again, the account comes back with the password it has; what was issued before stays dead.
    let new = json!({ "email": "auditor.hdf@it.example", "role": "auditor" });
    api.post(admin, "/api/v1/invitations", &new).ok();
    let answer = json!({ "token": api.link(), "password": PASSWORD });
    api.ask("auth/invitations", &answer).ok();
    signed_in(api, "auditor.hdf@it.example");
    assert_eq!(api.get(auditor, "/api/v1/me").problem(401), "not_signed_in");
}

#[test]
fn a_changed_role_asks_to_sign_in_again() {
    let region = Region::start();
    let (api, people) = (&region.api, &region.people);
    let id = api.get(&people.manager, "/api/v1/me").ok()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{id}/role");
    let changed = api.post(&people.admin, &path, &json!({ "role": "auditor" }));
    assert_eq!(changed.status, 201, "{}", changed.text);
    assert_eq!(api.get(&people.manager, "/api/v1/me").problem(401), "not_signed_in");
    let token = api.sign_in("sponsor_manager.hdf@it.example", None);
    assert_eq!(api.get(&token, "/api/v1/me").ok()["role"], "auditor");
    let acts = api.get(&token, "/api/v1/audit-log?operation=change_role").ok();
    assert_eq!(acts["items"][0]["about"], json!({ "user": id }));
    let result = json!({ "previous_role": "sponsor_manager", "role": "auditor" });
    assert_eq!(acts["items"][0]["result"], result);
    let own = api.get(&people.admin, "/api/v1/me").ok()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{own}/revocation");
    assert_eq!(api.post(&people.admin, &path, &json!({})).problem(403), "maker_is_checker");
}

#[test]
fn a_lost_password_is_reset_by_a_link_that_serves_once() {
    let region = Region::start();
    let api = &region.api;
    let session = signed_in(api, "auditor.hdf@it.example");
    let ask = |email: &str| api.ask("auth/password-resets", &json!({ "email": email }));
    assert_eq!(ask("nobody@it.example"), ask("auditor.hdf@it.example"));
    let token = api.link();
    ask("auditor.hdf@it.example");
    assert_eq!(api.letters(), Vec::<String>::new(), "a letter box was filled");
    let reset = |password: &str| {
        api.ask("auth/password-resets/use", &json!({ "token": token, "password": password }))
    };
    assert_eq!(reset("auditor.hdf 2026!").problem(422), "password_too_common");
    assert_eq!(reset("la vache tricote un sous-marin").status, 204);
    assert_eq!(reset("la vache tricote deux sous-marins").problem(410), "bad_link");
    let token = session["access_token"].as_str().unwrap();
    assert_eq!(api.get(token, "/api/v1/me").problem(401), "not_signed_in");
    let old = api.signs_in("auditor.hdf@it.example", PASSWORD, None);
    assert_eq!(old.problem(401), "bad_credentials");
    api.signs_in("auditor.hdf@it.example", "la vache tricote un sous-marin", None).ok();
    assert!(api.letters()[0].contains("mot de passe"));
}

#[test]
fn a_changed_password_ends_the_other_sessions() {
    let region = Region::start();
    let api = &region.api;
    let [mine, other] = [(); 2].map(|()| {
        signed_in(api, "auditor.hdf@it.example")["access_token"].as_str().unwrap().to_owned()
    });
    let change = |current: &str| {
        let body = json!({ "current": current, "new": "la vache tricote un sous-marin" });
        api.ask_as(&mine, "auth/password", &body)
    };
    assert_eq!(change("un autre mot de passe").problem(401), "bad_credentials");
    assert_eq!(change(PASSWORD).status, 204);
    assert_eq!(api.get(&other, "/api/v1/me").problem(401), "not_signed_in");
    api.get(&mine, "/api/v1/me").ok();
    api.signs_in("auditor.hdf@it.example", "la vache tricote un sous-marin", None).ok();
}

#[test]
fn a_hash_of_another_strength_is_made_anew_at_the_next_sign_in() {
    let region = Region::start();
    let api = &region.api;
    let mut superuser = Sql::open(&api.database.superuser_url());
    let hash_of = "SELECT password_hash FROM users WHERE email = 'auditor.hdf@it.example'";
    // A hash of that password with 8 MiB and two passes, as an older release could have made it.
    let params = argon2::Params::new(8_192, 2, 1, None).unwrap();
    let weak = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let weak =
        argon2::PasswordHasher::hash_password(&weak, PASSWORD.as_bytes()).unwrap().to_string();
    superuser.run(&format!(
        "UPDATE users SET password_hash = '{weak}' WHERE email = 'auditor.hdf@it.example'"
    ));
    signed_in(api, "auditor.hdf@it.example");
    assert!(superuser.value(hash_of).starts_with("$argon2id$v=19$m=47104,t=1,p=1$"));
    signed_in(api, "auditor.hdf@it.example");
}

#[test]
fn a_guesser_waits_longer_each_time_and_nobody_is_locked_out() {
    let region = Region::start();
    let api = &region.api;
    let later = |seconds| api.clock.set(api.clock.now() + chrono::TimeDelta::seconds(seconds));
    for email in ["auditor.hdf@it.example", "nobody@it.example"] {
        for _ in 0..5 {
            let wrong = api.signs_in(email, "un autre mot de passe", None);
            assert_eq!(wrong.problem(401), "bad_credentials", "{email}");
        }
        let sixth = api.signs_in(email, PASSWORD, None);
        assert_eq!(sixth.problem(429), "too_many_sign_ins", "{email}");
        assert_eq!(sixth.retry_after.as_deref(), Some("3"));
    }
    // Who is in stays in, and who waits comes in.
    api.get(&region.people.auditor, "/api/v1/me").ok();
    later(3);
    api.signs_in("auditor.hdf@it.example", PASSWORD, None).ok();
    for _ in 0..12 {
        later(60);
        let wrong = api.signs_in("nobody@it.example", PASSWORD, None);
        assert_eq!(wrong.problem(401), "bad_credentials");
    }
    let told = api.signs_in("nobody@it.example", PASSWORD, None);
    assert_eq!(told.problem(429), "too_many_sign_ins");
    assert!(told.retry_after.unwrap().parse::<u32>().unwrap() <= 61);
}

#[test]
fn a_flood_of_sign_ins_is_told_to_come_back_and_redemptions_go_on() {
    let region = Region::start();
    let codes = region.booklets_in_stock(1);
    region.hand_over(1, "Fictive");
    let api = &region.api;
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let flood: Vec<_> = (0..60)
            .map(|n| {
                let email = format!("nobody{n}@it.example");
                scope.spawn(move || api.signs_in(&email, PASSWORD, None))
            })
            .collect();
        let begun = std::time::Instant::now();
        for code in &codes[..5] {
            let ask = json!({ "code": code, "service": "everyday_tools" });
            api.post(&region.people.mediator, "/api/v1/redemptions", &ask).ok();
        }
        assert!(begun.elapsed().as_secs() < 5, "redemptions waited for passwords");
        flood.into_iter().map(|told| told.join().unwrap().status).collect()
    });
    assert!(statuses.iter().all(|status| [401, 503].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&503), "the queue has no end");
}
