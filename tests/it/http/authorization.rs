//! Who may call what: every operation of the contract, as nobody, as each role, as a program, as a sibling
//! and as another tenant. The table is `src/domain/access.rs`; a cell that it lacks fails here.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use souche::domain::access::{Need, OPERATIONS, Operation, Reach};
use souche::domain::territory::Territory;
use souche::domain::{Actor, Role};
use strum::VariantArray;

use crate::support::World;
use crate::support::api::{Answer, Api};
use crate::support::region::Region;

/// Method, address and id of every operation that is served.
pub fn served() -> Vec<(String, String, String)> {
    let document = serde_json::to_value(souche::http::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            (method.to_uppercase(), path.clone(), id)
        })
    });
    all.collect()
}

/// A lived region, and another programme of the instance that has nothing yet.
fn two_regions() -> (Api, Region, Region) {
    let World { region, neighbour: _, database } = World::lived();
    let founder = region.admin.user;
    let territory = Territory::hauts_de_france();
    let other = Region::set_up(&region.db, &region.keys, founder, "VIDE", territory);
    let api = Api::serving(region.db.clone(), region.keys.clone(), database);
    (api, region, other)
}

fn actor(region: &Region, role: Role) -> Actor {
    match role {
        Role::OperatorAdmin => region.admin,
        Role::OperatorAccountant => region.accountant,
        Role::SponsorManager => region.manager,
        Role::SponsorApprover => region.approver,
        Role::PublicAccountant => region.paymaster,
        Role::PrescriberManager => region.prescriber.manager,
        Role::PrescriberAgent => Actor { role, ..region.prescriber.manager },
        Role::SiteManager => region.fourmies.manager,
        Role::SiteMediator => region.mediator,
        Role::Auditor => region.auditor,
    }
}

/// An address with something in its braces.
fn address(template: &str, id: &str) -> String {
    let parts = template.split('/').map(|part| if part.starts_with('{') { id } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn every_operation_has_its_row_and_every_row_its_operation() {
    let rows: Vec<&str> = OPERATIONS.iter().map(|operation| operation.id).collect();
    let set: BTreeSet<&str> = rows.iter().copied().collect();
    assert_eq!(rows.len(), set.len(), "an operation has two rows");
    let served = served();
    let served: BTreeSet<&str> = served.iter().map(|(.., id)| id.as_str()).collect();
    assert_eq!(set, served, "src/domain/access.rs has a row for each operation of the contract");
}

#[test]
fn nobody_and_each_role_get_in_where_the_table_says_and_nowhere_else() {
    let (api, region, _) = two_regions();
    let tokens: Vec<(Role, String)> =
        Role::VARIANTS.iter().map(|role| (*role, api.token(&actor(&region, *role)))).collect();
    for (method, template, id) in served() {
        let operation = Operation::of(&id).unwrap();
        let path = address(&template, "1");
        // No key and no body that can be read: whoever is let in is told so, and nothing is written.
        let ask = |token: Option<&str>| api.send(&method, &path, token, None, "text/plain", b"\0");
        let nobody = ask(None);
        if operation.need == Need::Nothing {
            assert_ne!(nobody.status, 403, "{id}");
            continue;
        }
        assert_eq!(nobody.problem(401), "not_signed_in", "{id}");
        assert_eq!(nobody.header("www-authenticate"), "Bearer");
        for (role, token) in &tokens {
            let answer = ask(Some(token));
            if operation.allows(*role) {
                assert_ne!(answer.status, 401, "{id} as {role:?}: {}", answer.text);
                assert!(!is_not_allowed(&answer), "{id} as {role:?}: {}", answer.text);
                assert!(method == "GET" || answer.status >= 400, "{id}: {}", answer.text);
            } else {
                assert_eq!(answer.problem(403), "not_allowed", "{id} as {role:?}");
            }
        }
    }
}

fn is_not_allowed(answer: &Answer) -> bool {
    answer.status == 403 && answer.problem(403) == "not_allowed"
}

/// What each write asks for, so that nothing but the thing it names can be wrong.
fn body(id: &str) -> Value {
    match id {
        "confirm_print" => json!({ "booklets": 1 }),
        "fund_order" => {
            json!({ "mandate_reference": "M-1", "amount_cents": 1000, "received_on": "2026-03-02" })
        }
        "void_redemption" => json!({ "reason": "erreur" }),
        "qualify_site" => json!({ "from": "2026-01-01" }),
        "declare_capacity" => json!({ "daily_capacity": 5 }),
        "declare_execution" => {
            json!({ "executed_on": "2026-03-13", "document_name": "Relevé", "document_sha256": "ab".repeat(32) })
        }
        "decide_flag" => json!({ "outcome": "released", "reason": "vu" }),
        "rotate_api_key" => json!({ "overlap_hours": 1 }),
        "change_role" => json!({ "role": "auditor" }),
        "draw_audit_sample" => json!({ "seed": "5e".repeat(32) }),
        "record_finding" => json!({ "conclusion": "conform" }),
        _ => json!({}),
    }
}

/// The id of nothing.
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// Something of the lived region's own, that no other programme has under that number; and one that nobody has.
fn own_and_unknown(api: &Api, region: &Region, template: &str) -> (String, String) {
    let text = |own: &str, unknown: &str| (own.to_owned(), unknown.to_owned());
    match template.split(['{', '}']).nth(1).unwrap() {
        "redemption" => text("0000001-1", "0000999-1"),
        "account" => text("3", "999"),
        "site" => {
            let admin = api.token(&region.admin);
            let new = json!({ "organisation": "3", "name": "Cinquième", "address": "1 rue", "insee_code": "59249" });
            let new = api.post(&admin, "/api/v1/sites", &new).ok();
            (new["id"].as_str().unwrap().to_owned(), "999".to_owned())
        }
        "key" => {
            let keys = api.get(&api.token(&region.admin), "/api/v1/api-keys").ok();
            let own = keys["items"][0]["id"].as_str().unwrap().to_owned();
            (own, NOBODY.to_owned())
        }
        "user" => text(&region.manager.user.to_string(), NOBODY),
        "session" => {
            let auditor = api.sign_in("auditor.sat@exemple.fr", None);
            let open = api.get(&auditor, "/api/v1/auth/sessions");
            text(open.ok()["items"][0]["id"].as_str().unwrap(), NOBODY)
        }
        "invitation" => {
            let waiting = api.get(&api.token(&region.admin), "/api/v1/invitations").ok();
            text(waiting["items"][0]["id"].as_str().unwrap(), NOBODY)
        }
        "entry" => {
            let acts = api.get(&api.token(&region.auditor), "/api/v1/incidents").ok();
            let own = acts["items"][0]["entry"].as_str().unwrap().to_owned();
            (own, NOBODY.to_owned())
        }
        _ => text("1", "999"),
    }
}

#[test]
fn another_tenant_s_things_are_not_found_in_the_shape_of_what_is_nowhere() {
    let (api, region, other) = two_regions();
    let mut n = 0;
    for (method, template, id) in served() {
        let operation = Operation::of(&id).unwrap();
        if operation.need == Need::Nothing || !template.contains('{') {
            continue;
        }
        let role = Role::VARIANTS.iter().find(|role| operation.allows(**role)).unwrap();
        let stranger = api.token(&actor(&other, *role));
        let (own, unknown) = own_and_unknown(&api, &region, &template);
        let mut ask = |thing: &str| {
            n += 1;
            let query = match id.as_str() {
                "read_print_file" => "?format=csv",
                "read_identity" => "?reason=dispute",
                _ => "",
            };
            let path = address(&template, thing) + query;
            let (key, body) = (format!("walk-{n}"), body(&id).to_string());
            if method == "GET" {
                api.get(&stranger, &path)
            } else {
                let json = "application/json";
                api.send(&method, &path, Some(&stranger), Some(&key), json, body.as_bytes())
            }
        };
        let (theirs, nowhere) = (ask(&own), ask(&unknown));
        assert_eq!(theirs.problem(404), "not_found", "{id} as {role:?}");
        assert_eq!(
            theirs.text, nowhere.text,
            "{id}: what is elsewhere is told from what is nowhere"
        );
    }
    assert!(n > 30, "{n} requests were made");
}

/// For each operation that is narrowed to one's own: somebody of another organisation of the same programme,
/// what it asks, and what it is told. Lists are told apart below.
fn siblings(region: &Region) -> Vec<(&'static str, Actor, &'static str, Value, u16)> {
    let (stranger, prescriber) = (region.hirson.manager, region.other_prescriber.manager);
    let code = json!(region.codes[&7]);
    let site = json!(region.fourmies.site);
    let hand_over = json!({
        "booklet": "3", "person": { "last_name": "Nom", "first_name": "Ana", "born_on": "1950-01-01" },
        "insee_code": "59249", "eligibility": "senior", "proof": "identity_document", "proof_dated_on": "2026-01-01",
    });
    vec![
        (
            "acknowledge_delivery",
            prescriber,
            "/api/v1/deliveries/1/acknowledgement",
            json!({}),
            404,
        ),
        ("hand_over", prescriber, "/api/v1/hand-overs", hand_over, 409),
        (
            "redeem_pass",
            stranger,
            "/api/v1/redemptions",
            json!({ "code": code, "service": "employment", "site": site }),
            404,
        ),
        (
            "check_pass",
            stranger,
            "/api/v1/redemptions:check",
            json!({ "code": code, "site": site }),
            404,
        ),
        (
            "void_redemption",
            stranger,
            "/api/v1/redemptions/0000003-1/void",
            json!({ "reason": "x" }),
            404,
        ),
        (
            "declare_workshop",
            stranger,
            "/api/v1/workshops",
            json!({ "site": site, "held_on": "2026-03-13", "place": "Ici", "people": 5 }),
            404,
        ),
    ]
}

#[test]
#[expect(clippy::too_many_lines, reason = "one walk past every door")]
fn a_sibling_s_things_are_not_found() {
    let (api, region, _) = two_regions();
    let mut walked: BTreeSet<&str> = BTreeSet::new();
    for (id, actor, path, body, status) in siblings(&region) {
        let answer = api.post(&api.token(&actor), path, &body);
        assert_eq!(answer.status, status, "{id}: {}", answer.text);
        walked.insert(id);
    }
    // One by one in a batch.
    let item =
        json!({ "code": region.codes[&7], "service": "employment", "site": region.fourmies.site });
    let batch = api.post(
        &api.token(&region.hirson.manager),
        "/api/v1/redemptions:batch",
        &json!({ "items": [item] }),
    );
    assert_eq!(batch.ok()["items"][0]["status"], 404, "{}", batch.text);
    // A sibling's account is no matter of who declares: it is declared for one's own.
    walked.extend(["redeem_passes", "declare_bank_account"]);

    // Keys: a manager neither sees nor ends those of another organisation.
    let keys = api.get(&api.token(&region.fourmies.manager), "/api/v1/api-keys").ok();
    let key = keys["items"][0]["id"].as_str().unwrap();
    let stranger = api.token(&region.hirson.manager);
    for (id, verb) in [("rotate_api_key", "rotation"), ("revoke_api_key", "revocation")] {
        let path = format!("/api/v1/api-keys/{key}/{verb}");
        assert_eq!(api.post(&stranger, &path, &body(id)).problem(404), "not_found", "{id}");
        walked.insert(id);
    }
    let to_another = json!({ "name": "x", "role": "site_manager", "organisation": region.fourmies.organisation, "days": 1 });
    assert_eq!(api.post(&stranger, "/api/v1/api-keys", &to_another).problem(403), "not_allowed");
    walked.insert("create_api_key");
    assert_eq!(api.get(&stranger, "/api/v1/payouts/1/items").problem(404), "not_found");
    walked.insert("list_payout_items");
    // Who received a booklet is known to the prescriber that handed it over.
    let path = "/api/v1/hand-overs/1/identity?reason=dispute";
    let other = api.token(&region.other_prescriber.manager);
    assert_eq!(api.get(&other, path).problem(404), "not_found");
    walked.insert("read_identity");
    let site = region.fourmies.site;
    assert_eq!(
        api.get(&stranger, &format!("/api/v1/sites/{site}/claim-file")).problem(404),
        "not_found"
    );
    let own = api.token(&region.fourmies.manager);
    let receipt = api.get(&own, "/api/v1/redemptions/0000006-1/receipt").ok();
    let entry: Value = serde_json::from_str(receipt["receipt"].as_str().unwrap()).unwrap();
    let by_entry = format!("/api/v1/receipts/{}", entry["entry"].as_str().unwrap());
    assert_eq!(api.get(&own, &by_entry).ok()["receipt"], receipt["receipt"]);
    for path in ["/api/v1/redemptions/0000006-1/receipt", &by_entry] {
        assert_eq!(api.get(&stranger, path).problem(404), "not_found", "{path}");
    }
    walked.extend(["export_claim_file", "read_receipt", "read_receipt_of_redemption"]);

    // Evidence: of one's own site.
    let site = region.fourmies.site;
    let (mine, claim) =
        ("/api/v1/redemptions/0000003-1/receipt", format!("/api/v1/sites/{site}/claim-file"));
    let entry = api.get(&api.token(&region.fourmies.manager), mine).ok();
    let receipt = format!("/api/v1/receipts/{}", entry["entry"].as_str().unwrap());
    for path in [mine, &claim, &receipt] {
        assert_eq!(api.get(&stranger, path).problem(404), "not_found", "{path}");
    }
    walked.extend(["read_receipt", "read_receipt_of_redemption", "export_claim_file"]);

    // People: a manager has the charge of its own organisation's, and of no others.
    let prescriber = api.token(&region.prescriber.manager);
    let other = api.token(&region.other_prescriber.manager);
    let agent = json!({ "email": "agent@exemple.fr", "role": "prescriber_agent", "organisation": region.prescriber.organisation });
    assert_eq!(api.post(&other, "/api/v1/invitations", &agent).problem(403), "not_allowed");
    let invited = api.post(&prescriber, "/api/v1/invitations", &agent).ok();
    let path = format!("/api/v1/invitations/{}/withdrawal", invited["id"].as_str().unwrap());
    assert_eq!(api.post(&other, &path, &json!({})).problem(404), "not_found");
    let user = region.prescriber.manager.user;
    let role =
        json!({ "role": "prescriber_agent", "organisation": region.prescriber.organisation });
    for (verb, body) in [("role", role), ("revocation", json!({}))] {
        let path = format!("/api/v1/users/{user}/{verb}");
        assert_eq!(api.post(&other, &path, &body).status, 404, "{verb}");
    }
    walked.extend(["invite", "withdraw_invitation", "change_role", "revoke_role"]);

    // Lists: what the one whose things they are finds there, a sibling does not.
    for (id, path) in [
        ("list_api_keys", "/api/v1/api-keys"),
        ("list_users", "/api/v1/users"),
        ("list_invitations", "/api/v1/invitations"),
        ("list_deliveries", "/api/v1/deliveries"),
        ("read_stock", "/api/v1/stock"),
        ("list_redemptions", "/api/v1/redemptions"),
        ("read_totals", "/api/v1/redemptions/totals"),
        ("read_digest", "/api/v1/redemptions/digest?from=2026-03-01&until=2026-03-13"),
        ("list_workshops", "/api/v1/workshops"),
        ("list_bank_accounts", "/api/v1/bank-accounts"),
        ("list_payouts", "/api/v1/payouts"),
        ("list_incidents", "/api/v1/incidents"),
        ("list_flags", "/api/v1/flags"),
    ] {
        let (own, other) = if Operation::of(id).unwrap().allows(Role::PrescriberManager)
            && id != "list_api_keys"
        {
            (region.prescriber.manager, region.other_prescriber.manager)
        } else if id == "list_incidents" {
            (region.avesnes.manager, region.fourmies.manager)
        } else if id == "list_flags" {
            (region.hirson.manager, region.fourmies.manager)
        } else {
            (region.fourmies.manager, region.hirson.manager)
        };
        let [own, other] = [own, other].map(|actor| named(&api.get(&api.token(&actor), path).ok()));
        assert!(!own.is_empty(), "{id}: nothing to be seen");
        assert!(own.is_disjoint(&other), "{id}: {:?}", own.intersection(&other));
        walked.insert(id);
    }
    let narrowed: BTreeSet<&str> =
        OPERATIONS.iter().filter(|it| it.reach == Reach::Own).map(|it| it.id).collect();
    assert_eq!(walked, narrowed, "an operation narrowed to one's own is not walked as a sibling");
}

/// What the rows of a list name: their ids, or what they are.
fn named(list: &Value) -> BTreeSet<String> {
    let rows = list.get("items").or(list.get("days")).unwrap_or(list);
    let name = |row: &Value| {
        let id = row.get("id").or(row.get("redemption")).or(row.get("site")).unwrap_or(row);
        id.to_string()
    };
    rows.as_array().unwrap().iter().map(name).collect()
}

#[test]
fn a_role_without_the_right_is_told_so_whatever_it_sends() {
    let (api, region, _) = two_regions();
    let auditor = api.token(&region.auditor);
    // Neither the number, the body nor the missing key is looked at.
    for path in ["/api/v1/orders/1/mint", "/api/v1/orders/999/mint", "/api/v1/orders/x/mint"] {
        for body in [&b"{"[..], b"{}", b""] {
            let answer = api.send("POST", path, Some(&auditor), None, "", body);
            assert_eq!(answer.problem(403), "not_allowed", "{path}");
        }
    }
}
