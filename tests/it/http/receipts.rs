//! Receipts as their holders have them: signed, printed, and verified by anyone.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::{Value, json};
use souche::domain::ProgrammeId;
use souche::keys::{Keys, hex, random};
use souche::ledger::sealer;

use super::region::Region;
use crate::support::api::{Answer, Api};
use crate::support::signing::Signing;
use crate::support::tools::{scan, text_of};

/// A region whose mediator has redeemed a pass after the log's first head, and the answer.
pub fn redeemed() -> (Region, Signing, Value) {
    let (region, signing, _, answer) = redeemed_of_ten();
    (region, signing, answer)
}

/// The same, with the codes of the booklet.
fn redeemed_of_ten() -> (Region, Signing, Vec<String>, Value) {
    let mut region = Region::start();
    let codes = region.booklets_in_stock(1);
    region.hand_over(1, "Fictive");
    region.on("2026-03-10T09:00:00Z");
    let signing = Signing::new();
    seal(&region, &signing);
    let ask = json!({ "code": codes[0], "service": "everyday_tools" });
    let answer = region.api.post_as(&region.people.mediator, "/api/v1/redemptions", "k-1", &ask);
    assert_eq!(
        region.api.post_as(&region.people.mediator, "/api/v1/redemptions", "k-1", &ask),
        answer,
        "told again, it is the same to the byte, signature included"
    );
    let answer = answer.ok();
    (region, signing, codes, answer)
}

fn seal(region: &Region, signing: &Signing) -> u64 {
    sealer::seal_and_sign(&region.api.db, ProgrammeId::new(1), &signing.signer).unwrap()
}

fn verify(api: &Api, presented: &Value) -> Answer {
    let body = presented.to_string();
    api.send("POST", "/api/v1/receipts:verify", None, None, "application/json", body.as_bytes())
}

/// The checks that were made and whether they hold.
fn checks(api: &Api, presented: &Value) -> (bool, Vec<(String, Value)>) {
    let verdict = verify(api, presented).ok();
    let checks = verdict["checks"].as_array().unwrap().iter();
    let checks = checks.map(|it| (it["check"].as_str().unwrap().to_owned(), it["holds"].clone()));
    (verdict["is_authentic"].as_bool().unwrap(), checks.collect())
}

fn is_signed(answer: &Value, keys: &Value) -> bool {
    let key = keys.as_array().unwrap().iter().find(|key| key["kid"] == answer["kid"]).unwrap();
    let bytes = |text: &Value| STANDARD.decode(text.as_str().unwrap()).unwrap();
    let key = VerifyingKey::from_bytes(&bytes(&key["public_key"]).try_into().unwrap()).unwrap();
    let signature = Signature::from_slice(&bytes(&answer["signature"])).unwrap();
    key.verify_strict(answer["receipt"].as_str().unwrap().as_bytes(), &signature).is_ok()
}

/// The published keys, as anyone reads them.
fn keys(api: &Api) -> Value {
    api.send("GET", "/api/v1/receipt-keys", None, None, "", b"").ok()
}

#[test]
fn a_receipt_is_signed_by_a_published_key_and_names_the_head_of_the_log() {
    let (region, _signing, answer) = redeemed();
    let (api, people) = (&region.api, &region.people);
    let keys = keys(api);
    assert_eq!(keys.as_array().unwrap().len(), 1);
    assert_eq!((&keys[0]["kid"], &keys[0]["is_current"]), (&answer["kid"], &true.into()));
    assert_eq!(keys[0]["jwk"]["crv"], "Ed25519");
    assert!(is_signed(&answer, &keys));

    let text = answer["receipt"].as_str().unwrap();
    assert!(text.len() < 900, "{} bytes, made at every counter", text.len());
    let told: Value = serde_json::from_str(text).unwrap();
    let head = &api.get(&people.auditor, "/api/v1/checkpoints").ok()["items"][0];
    assert_eq!(told["kid"], answer["kid"]);
    assert_eq!(told["head"], json!({ "size": head["size"], "root": head["root"] }));

    let by_name = api.get(&people.mediator, "/api/v1/redemptions/0000001-1/receipt").ok();
    let by_entry = format!("/api/v1/receipts/{}", told["entry"].as_str().unwrap());
    assert_eq!(api.get(&people.auditor, &by_entry).ok(), by_name);
    for field in ["receipt", "kid", "signature"] {
        assert_eq!(by_name[field], answer[field], "{field}");
    }
    // A decision names the head too.
    let void = api.post(
        &people.mediator,
        "/api/v1/redemptions/0000001-1/void",
        &json!({ "reason": "erreur" }),
    );
    let void: Value = serde_json::from_str(void.ok()["receipt"].as_str().unwrap()).unwrap();
    assert_eq!(void["head"], told["head"]);
}

#[test]
fn a_receipt_is_read_by_those_whom_it_concerns() {
    let (region, _signing, answer) = redeemed();
    let (api, people) = (&region.api, &region.people);
    let told: Value = serde_json::from_str(answer["receipt"].as_str().unwrap()).unwrap();
    let redemption = format!("/api/v1/receipts/{}", told["entry"].as_str().unwrap());
    let trace = api.get(&people.auditor, "/api/v1/passes/0000001/trace").ok();
    let of = |kind: &str| {
        let mut steps = trace["steps"].as_array().unwrap().iter();
        let step = steps.find(|step| step["kind"] == kind).unwrap();
        format!("/api/v1/receipts/{}", step["entry"].as_str().unwrap())
    };
    let (delivery, hand_over, mint) = (of("delivery"), of("hand_over"), of("mint"));
    // Another site and its people, of another organisation.
    let id = |answer: Answer| answer.ok()["id"].as_str().unwrap().to_owned();
    let bearer =
        json!({ "name": "Autre structure", "is_prescriber": false, "siret": "35600000000055" });
    let bearer = id(api.post(&people.admin, "/api/v1/organisations", &bearer));
    let site = json!({ "organisation": bearer, "name": "Autre lieu", "address": "2 rue Fictive", "insee_code": "59249" });
    let site = id(api.post(&people.admin, "/api/v1/sites", &site));
    let other = |email: &str, role: &str, site: Option<&str>| {
        let place = json!({ "organisation": bearer, "site": site });
        api.opens_account(&people.admin, email, role, &place);
        api.sign_in(email, None)
    };
    let other_manager = other("autre.responsable@it.example", "site_manager", None);
    let other_mediator = other("autre.mediateur@it.example", "site_mediator", Some(&site));

    let may = |token: &str, path: &str| match api.get(token, path) {
        answer if answer.status == 200 => true,
        answer => {
            assert_eq!(answer.problem(404), "not_found");
            false
        }
    };
    let all = [true; 4];
    for (who, token, expected) in [
        ("admin", &people.admin, all),
        ("accountant", &people.accountant, all),
        ("sponsor's manager", &people.manager, all),
        ("sponsor's approver", &people.approver, all),
        ("public accountant", &people.public_accountant, all),
        ("auditor", &people.auditor, all),
        ("site's manager", &people.site_manager, [true, false, false, false]),
        ("mediator", &people.mediator, [true, false, false, false]),
        ("prescriber", &people.prescriber, [false, true, true, false]),
        ("another site's manager", &other_manager, [false; 4]),
        ("another site's mediator", &other_mediator, [false; 4]),
    ] {
        let found = [&redemption, &delivery, &hand_over, &mint].map(|path| may(token, path));
        assert_eq!(found, expected, "{who}: redemption, delivery, hand-over, mint");
        let printed = may(token, "/api/v1/redemptions/0000001-1/receipt?format=pdf");
        assert_eq!(printed, expected[0], "{who}, on paper");
    }
    assert_eq!(
        api.get(&people.auditor, "/api/v1/redemptions/0000001-2/receipt").problem(404),
        "not_found"
    );
}

#[test]
fn the_paper_says_what_the_json_says_and_its_code_is_the_signed_receipt() {
    let (region, _signing, answer) = redeemed();
    let (api, people) = (&region.api, &region.people);
    let path = "/api/v1/redemptions/0000001-1/receipt";
    let pdf = api.get(&people.mediator, &format!("{path}?format=pdf"));
    assert_eq!((pdf.status, pdf.content_type.as_str()), (200, "application/pdf"));
    let Some(text) = text_of(&pdf.bytes) else { return };
    let told: Value = serde_json::from_str(answer["receipt"].as_str().unwrap()).unwrap();
    let said = |pointer: &str| told.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    for expected in [
        "Reçu d'utilisation d'un pass",
        "N° HDF-0000001-1",
        "HDF-0000001",
        "10,00 €",
        "Maîtrise des outils numériques du quotidien",
        "n° 1, Lieu fictif, 1 rue Fictive, 59610 Fourmies",
        "n° 2, Structure fictive, SIRET 35600000000048",
        "10/03/2026 à 10:00:00",
        "Pass numérique HDF (HDF)",
        "Atelier",
        &said("/entry"),
        &said("/kid"),
        &said("/head/root"),
        &format!("taille {}", told["head"]["size"]),
        &said("/facts/hand_over"),
        &said("/written")[..32],
    ] {
        assert!(text.contains(expected), "{expected} is missing from {text}");
    }
    assert_eq!(text.matches('\u{c}').count(), 1, "one page: {text}");
    let signed = api.get(&people.mediator, path).ok();
    let Some(scanned) = scan(&pdf.bytes) else { return };
    assert_eq!(scanned, signed["verify_at"].as_str().unwrap());
    assert!(scanned.starts_with("https://it.example/verifier#"), "{scanned}");
}

#[test]
fn anyone_verifies_a_receipt_and_learns_nothing_of_others() {
    let (region, signing, answer) = redeemed();
    let (api, people) = (&region.api, &region.people);
    let genuine = json!({ "receipt": answer["receipt"], "signature": answer["signature"] });
    let held = |names: [&str; 3]| names.map(|name| (name.to_owned(), true.into())).to_vec();
    let alone = held(["canonical", "key", "signature"]);
    let known =
        [alone.clone(), vec![("known".into(), true.into()), ("inclusion".into(), Value::Null)]];
    assert_eq!(checks(api, &genuine), (true, known.concat()));
    let verdict = verify(api, &genuine).ok();
    assert!(verdict["says"].as_str().unwrap().contains("authentique"), "{verdict}");

    // With the proof that it is in the log, once it is.
    seal(&region, &signing);
    let told: Value = serde_json::from_str(answer["receipt"].as_str().unwrap()).unwrap();
    let proof = api
        .get(
            &people.mediator,
            &format!("/api/v1/receipts/{}/proof", told["entry"].as_str().unwrap()),
        )
        .text;
    let with = |field: &str, value: Value| {
        let mut presented = genuine.clone();
        presented[field] = value;
        presented
    };
    let (is_authentic, found) = checks(api, &with("proof", proof.clone().into()));
    assert_eq!((is_authentic, &found[4]), (true, &("inclusion".to_owned(), true.into())));
    for bad in [proof.replace("index 1", "index 2"), "rien".to_owned(), String::new()] {
        let (is_authentic, found) = checks(api, &with("proof", bad.into()));
        assert_eq!((is_authentic, &found[4]), (false, &("inclusion".to_owned(), false.into())));
    }

    // Another text, another form, another key.
    let text = answer["receipt"].as_str().unwrap();
    let fails = |presented: &Value, at: &str| {
        let (is_authentic, found) = checks(api, presented);
        assert!(!is_authentic, "{presented}");
        let failed: Vec<&str> =
            found.iter().filter(|it| it.1 == false).map(|it| it.0.as_str()).collect();
        assert_eq!(failed, [at], "{presented}");
        assert_eq!(found.last().unwrap().0, at, "nothing is looked at behind a failure");
    };
    fails(&with("receipt", text.replace("1000", "9000").into()), "signature");
    fails(&with("receipt", text.replace("everyday_tools", "employment").into()), "signature");
    fails(&with("signature", STANDARD.encode([7; 64]).into()), "signature");
    fails(&with("signature", "pas du base64".into()), "signature");
    fails(&with("receipt", text.replacen(',', ", ", 1).into()), "canonical");
    fails(&with("receipt", format!("{text}\n").into()), "canonical");
    fails(&with("receipt", text.replace("\"version\":2", "\"version\":3").into()), "canonical");
    fails(&with("receipt", "{}".into()), "canonical");
    fails(&with("kid", "0123456789abcdef".into()), "key");
    let kid = answer["kid"].as_str().unwrap();
    fails(&with("receipt", text.replace(kid, "0123456789abcdef").into()), "key");
    assert!(checks(api, &with("kid", kid.into())).0);

    // Signed by the service's key, and not in its ledger: made by somebody who has the key.
    let forged = text.replace("1000", "9000");
    let signature = api.keys.sign_receipt(kid, &forged).unwrap();
    fails(&json!({ "receipt": forged, "signature": signature }), "known");
}

#[test]
fn a_verification_is_of_a_body_that_can_be_read() {
    let (region, ..) = redeemed();
    for odd in [
        json!({}),
        json!({ "receipt": "{}" }),
        json!({ "receipt": "{}", "signature": "", "more": 1 }),
    ] {
        assert_eq!(verify(&region.api, &odd).problem(400), "invalid");
    }
    let large = json!({ "receipt": "x".repeat(300_000), "signature": "" });
    assert_eq!(verify(&region.api, &large).problem(413), "payload_too_large");
}

#[test]
fn receipts_of_a_retired_key_are_signed_and_verified_as_before() {
    let (region, _signing, before) = redeemed();
    let path =
        std::env::temp_dir().join(format!("souche-it-keys-{}", hex(&random::<8>().unwrap())));
    region.api.keys.save(&path).unwrap();
    let keys_after = Keys::rotate_receipt(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    let Region { api, people, prescriber } = region;
    let region = Region { api: api.restarted(keys_after), people, prescriber };
    let (api, people) = (&region.api, &region.people);

    let keys = keys(api);
    assert_eq!(keys.as_array().unwrap().len(), 2);
    assert_eq!((&keys[0]["is_current"], &keys[1]["is_current"]), (&true.into(), &false.into()));
    assert_eq!(keys[1]["kid"], before["kid"]);
    let again = api.get(&people.mediator, "/api/v1/redemptions/0000001-1/receipt").ok();
    assert_eq!((&again["signature"], &again["kid"]), (&before["signature"], &before["kid"]));
    let void = api
        .post(
            &people.mediator,
            "/api/v1/redemptions/0000001-1/void",
            &json!({ "reason": "erreur" }),
        )
        .ok();
    let after = api
        .get(&people.mediator, &format!("/api/v1/receipts/{}", void["entry"].as_str().unwrap()))
        .ok();
    assert_eq!(after["kid"], keys[0]["kid"]);
    for signed in [&before, &after] {
        assert!(is_signed(signed, &keys));
        let presented = json!({ "receipt": signed["receipt"], "signature": signed["signature"] });
        assert!(checks(api, &presented).0);
    }
    region.assert_books_balance();
}

#[test]
fn a_receipt_whose_key_is_not_here_is_told_without_signature() {
    let (region, ..) = redeemed();
    let Region { api, people, prescriber } = region;
    let mut others = Keys::generate().unwrap();
    others.token = api.keys.token.clone();
    let region = Region { api: api.restarted(others), people, prescriber };
    let path = "/api/v1/redemptions/0000001-1/receipt";
    let told = region.api.get(&region.people.mediator, path).ok();
    assert_eq!(
        (&told["kid"], &told["signature"], &told["verify_at"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let pdf = region.api.get(&region.people.mediator, &format!("{path}?format=pdf"));
    assert_eq!(
        scan(&pdf.bytes).unwrap_or("https://it.example/verifier".into()),
        "https://it.example/verifier"
    );
}

#[test]
fn a_statement_bears_the_head_of_the_log() {
    let (mut region, ..) = redeemed();
    region.on("2026-03-11T09:00:00Z");
    let (api, people) = (&region.api, &region.people);
    let account =
        json!({ "holder_name": "Structure fictive", "iban": "FR1420041010050500013M02606" });
    let account = api.post(&people.site_manager, "/api/v1/bank-accounts", &account).ok();
    let path = format!("/api/v1/bank-accounts/{}/approval", account["id"].as_str().unwrap());
    api.post(&people.accountant, &path, &json!({})).ok();
    let settlement = json!({ "cut_off_on": "2026-03-10", "execution_on": "2026-03-16" });
    api.post(&people.accountant, "/api/v1/settlements", &settlement).ok();
    let statement = api.get(&people.site_manager, "/api/v1/payouts/1/items").ok();
    let head = &api.get(&people.auditor, "/api/v1/checkpoints").ok()["items"][0];
    assert_eq!(statement["head"], json!({ "size": head["size"], "root": head["root"] }));
    assert_eq!(statement["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_receipt_made_at_the_counter_names_a_new_head_within_seconds() {
    let (region, signing, codes, before) = redeemed_of_ten();
    let (api, people) = (&region.api, &region.people);
    let head = |answer: &Value| {
        let told: Value = serde_json::from_str(answer["receipt"].as_str().unwrap()).unwrap();
        told["head"]["size"].clone()
    };
    let size = seal(&region, &signing);
    assert_ne!(head(&before), size);
    let began = std::time::Instant::now();
    // The counter reads it when what it knows is a second old, whenever that is.
    loop {
        let ask = json!({ "code": codes[1], "service": "everyday_tools" });
        let redeemed = api.post(&people.mediator, "/api/v1/redemptions", &ask).ok();
        if head(&redeemed) == size {
            break;
        }
        assert!(began.elapsed().as_secs() < 30, "still {}", head(&redeemed));
        let void = format!("/api/v1/redemptions/{}/void", redeemed["id"].as_str().unwrap());
        api.post(&people.mediator, &void, &json!({ "reason": "encore" })).ok();
    }
}
