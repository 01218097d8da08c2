//! What the audit log says of an act that changes something: who, for whom, what was before, what is after.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use souche::db::audit_states::Subject;
use souche::domain::access::{Need, Operation};

use super::authorization::served;
use super::region::Region;
use crate::support::World;
use crate::support::api::{Api, PASSWORD};

/// The last act by that operation.
fn last(api: &Api, auditor: &str, operation: &str) -> Value {
    let path = format!("/api/v1/audit-log?limit=1&operation={operation}");
    api.get(auditor, &path).ok()["items"][0].clone()
}

/// What differs between before and after.
fn changed(act: &Value) -> Value {
    let (before, after) = (act["before"].as_object().unwrap(), act["after"].as_object().unwrap());
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    let differs = before.iter().filter(|(name, was)| after[*name] != **was);
    let told = differs.map(|(name, was)| (name.clone(), json!([was, after[name]])));
    Value::Object(told.collect())
}

#[test]
fn every_act_that_changes_something_named_says_what_was_before() {
    // Their address names what they change, in a word that the log can look up; a new operation with another fails here.
    let unknown: BTreeSet<String> = served()
        .into_iter()
        .filter(|(method, ..)| method != "GET")
        .filter_map(|(_, template, id)| {
            let operation = Operation::of(&id)?;
            let name = template.split(['{', '}']).nth(1)?.to_owned();
            let is_known =
                [Subject::of(&name, "1"), Subject::of(&name, &uuid::Uuid::nil().to_string())];
            let is_own = operation.need == Need::Person;
            (operation.is_audited && !is_own && is_known == [None, None]).then_some(id)
        })
        .collect();
    assert_eq!(unknown, BTreeSet::new());
}

#[test]
#[expect(clippy::too_many_lines, reason = "each act once, and what the log says of it")]
fn each_change_is_told_with_what_was_before() {
    let World { region, neighbour: _, database } = World::lived();
    let api = Api::serving(region.db.clone(), region.keys.clone(), database);
    let auditor = api.token(&region.auditor);
    let (admin, accountant) = (api.token(&region.admin), api.token(&region.accountant));
    let paymaster = api.token(&region.paymaster);
    let post = |token: &str, path: &str, body: Value| {
        api.post(token, &format!("/api/v1/{path}"), &body).ok()
    };
    let change = |operation: &str| changed(&last(&api, &auditor, operation));
    let [approver, paid_by, checked_by] =
        [region.approver.user, region.paymaster.user, region.accountant.user]
            .map(|user| json!(user));

    post(&api.token(&region.approver), "orders/3/approval", json!({}));
    assert_eq!(change("approve_order"), json!({ "approved_by": [null, approver] }));
    post(&admin, "orders/3/mint", json!({}));
    let minted =
        json!({ "codes_can_be_made": [false, true], "minted_by": [null, region.admin.user] });
    assert_eq!(change("mint_order"), minted);
    post(&admin, "orders/3/print-confirmation", json!({ "booklets": 1 }));
    let printed =
        json!({ "codes_can_be_made": [true, false], "print_is_confirmed": [false, true] });
    assert_eq!(change("confirm_print"), printed);
    let funding =
        json!({ "mandate_reference": "M-9", "amount_cents": 10_000, "received_on": "2026-03-13" });
    post(&accountant, "orders/3/funding", funding);
    assert_eq!(change("fund_order"), json!({ "funding": [null, 2] }));

    post(&admin, "sites/1/qualification", json!({ "from": "2026-02-01", "until": "2027-01-31" }));
    let dates = json!({ "qualified_from": ["2026-01-01", "2026-02-01"], "qualified_until": [null, "2027-01-31"] });
    assert_eq!(change("qualify_site"), dates);

    post(&accountant, "bank-accounts/3/approval", json!({}));
    let told = last(&api, &auditor, "approve_bank_account");
    assert_eq!(changed(&told)["approved_accounts"], json!([[1], [1, 3]]));
    assert_eq!(changed(&told)["approved_by"], json!([null, checked_by]));

    post(&paymaster, "settlements/2/approval", json!({}));
    assert_eq!(change("approve_settlement"), json!({ "approved_by": [null, paid_by] }));
    post(&paymaster, "settlements/3/execution/confirmation", json!({}));
    assert_eq!(change("confirm_execution"), json!({ "execution_confirmed_by": [null, paid_by] }));

    let invited =
        api.get(&admin, "/api/v1/invitations").ok()["items"][0]["id"].as_str().unwrap().to_owned();
    api.post(&admin, &format!("/api/v1/invitations/{invited}/withdrawal"), &json!({}));
    assert_eq!(change("withdraw_invitation")["withdrawn_at"][0], Value::Null);

    let key =
        api.get(&admin, "/api/v1/api-keys").ok()["items"][0]["id"].as_str().unwrap().to_owned();
    post(&admin, &format!("api-keys/{key}/rotation"), json!({ "overlap_hours": 1 }));
    let names = |change: Value| change.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(change("rotate_api_key")), ["previous_ends_at"]);
    post(&admin, &format!("api-keys/{key}/revocation"), json!({}));
    assert_eq!(names(change("revoke_api_key")), ["revoked_at"]);

    let user = region.manager.user;
    post(&admin, &format!("users/{user}/role"), json!({ "role": "auditor" }));
    let role = json!({ "role": ["sponsor_manager", "auditor"], "version": [1, 2] });
    assert_eq!(change("change_role"), role);
    post(&admin, &format!("users/{user}/revocation"), json!({}));
    assert_eq!(names(change("revoke_role")), ["ended_at", "version"]);

    // A refusal changed nothing; what is new had no before.
    let refused = api.post(
        &admin,
        "/api/v1/flags/1/decision",
        &json!({ "outcome": "upheld", "reason": "vu" }),
    );
    assert_eq!(refused.problem(409), "wrong_state");
    let told = last(&api, &auditor, "decide_flag");
    assert_eq!((&told["before"], &told["after"]), (&Value::Null, &Value::Null));
    let account = json!({ "holder_name": "Nouveau", "iban": "BE68539007547034" });
    post(&api.token(&region.fourmies.manager), "bank-accounts", account);
    let told = last(&api, &auditor, "declare_bank_account");
    assert_eq!(told["organisation"], json!(region.fourmies.organisation));
    assert_eq!((&told["before"], &told["result"]["id"]), (&Value::Null, &json!("4")));
    assert!(!told.to_string().contains("Nouveau") && !told.to_string().contains("BE68"), "{told}");
}

#[test]
fn what_people_do_with_their_own_account_is_told_with_what_was_open() {
    let region = Region::start();
    let (api, auditor) = (&region.api, &region.people.auditor);
    let sign_in = || api.signs_in("site_manager.hdf@it.example", PASSWORD, None).ok();
    let token = sign_in()["access_token"].as_str().unwrap().to_owned();
    sign_in();
    let change = json!({ "current": PASSWORD, "new": "la vache tricote un sous-marin" });
    assert_eq!(api.ask_as(&token, "auth/password", &change).status, 204);
    let told = last(api, auditor, "change_password");
    assert_eq!(changed(&told), json!({ "sessions_not_ended": [3, 1] }));
    assert_eq!(told["organisation"], "2");
    assert_eq!(api.ask_as(&token, "auth/sessions/end", &json!({})).status, 204);
    assert_eq!(
        changed(&last(api, auditor, "end_sessions")),
        json!({ "sessions_not_ended": [1, 0] })
    );
    // The request's id is the one that was answered.
    let refused = api.signs_in("site_manager.hdf@it.example", PASSWORD, None);
    assert_eq!(refused.problem(401), "bad_credentials");
    let instance = api.sign_in("admin@it.example", None);
    assert_eq!(last(api, &instance, "issue_token")["request_id"], refused.header("x-request-id"));
}

#[test]
fn two_changes_at_once_each_tell_what_they_found() {
    let region = Region::start();
    let (api, admin) = (&region.api, &region.people.admin);
    let days = ["2026-02-01", "2026-02-02", "2026-02-03", "2026-02-04"];
    let asks = days.map(|from| {
        crate::support::at_once::work(move || {
            api.post(admin, "/api/v1/sites/1/qualification", &json!({ "from": from })).ok()
        })
    });
    crate::support::at_once::at_once(asks.into());
    let acts = api.get(&region.people.auditor, "/api/v1/audit-log?operation=qualify_site").ok();
    let acts: Vec<Value> = acts["items"].as_array().unwrap()[..4].to_vec();
    let told = |which: &str| -> BTreeSet<String> {
        acts.iter().map(|act| act[which]["qualified_from"].to_string()).collect()
    };
    // A chain: each found what another had left, and none the same as another.
    assert_eq!((told("before").len(), told("after").len()), (4, 4), "{acts:#?}");
    assert!(told("before").contains("\"2026-01-01\""));
}

#[test]
fn an_identity_is_read_for_a_reason_with_a_recent_code_and_leaves_its_trace() {
    let region = Region::start();
    region.booklets_in_stock(1);
    region.hand_over(1, "Zyxwvutsrq");
    let (api, people) = (&region.api, &region.people);
    let path = "/api/v1/hand-overs/1/identity";
    assert_eq!(api.get(&people.admin, path).problem(400), "invalid");
    assert_eq!(api.get(&people.admin, &format!("{path}?reason=curiosity")).problem(400), "invalid");
    let ask = format!("{path}?reason=rights_of_the_person");
    for token in [&people.admin, &people.prescriber] {
        let read = api.get(token, &ask).ok();
        let person =
            json!({ "last_name": "Zyxwvutsrq", "first_name": "Personne", "born_on": "1950-01-01" });
        assert_eq!(read, json!({ "hand_over": "1", "person": person }));
    }
    let told = last(api, &people.auditor, "read_identity");
    let about = json!({ "hand_over": "1", "reason": "rights_of_the_person" });
    assert_eq!((&told["about"], &told["role"]), (&about, &json!("prescriber_manager")));
    assert!(!told.to_string().contains("Zyxwvutsrq"), "{told}");
    for token in [&people.auditor, &people.mediator, &people.manager, &people.public_accountant] {
        assert_eq!(api.get(token, &ask).problem(403), "not_allowed");
    }
    // With a password alone: who is signed in is known, and no code was shown.
    let signed_in = api.signs_in("prescriber_manager.hdf@it.example", PASSWORD, None).ok();
    let unproven = signed_in["access_token"].as_str().unwrap();
    assert_eq!(api.get(unproven, &ask).problem(403), "step_up_required");
    // A read that can't leave its trace reads nothing.
    let mut superuser = crate::support::sql::Sql::open(&api.database.superuser_url());
    superuser.run("ALTER TABLE audit_log ADD CONSTRAINT no_more_room CHECK (false) NOT VALID");
    let mut unread = ureq::get(format!("http://{}{path}?reason=dispute", api.address))
        .header("Authorization", format!("Bearer {}", people.admin))
        .config()
        .http_status_as_error(false)
        .build()
        .call()
        .unwrap();
    assert_eq!(unread.status(), 500);
    assert!(!unread.body_mut().read_to_string().unwrap().contains("Zyxwvutsrq"));
}
