//! The page that verifies receipts, run as it was served: its script, in node, on what the service signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::receipts::redeemed;
use crate::support::api::Answer;
use crate::support::tools::{run, scan};

/// Reads the page and inputs on its own input; says what the page makes of each.
const HARNESS: &str = r#"
const { page, inputs, blind } = JSON.parse(require("fs").readFileSync(0, "utf8"));
globalThis.crypto ??= require("crypto").webcrypto;
const inside = (begin) => page.slice(page.indexOf(begin) + begin.length).split("</script>")[0];
const known = JSON.parse(inside('<script type="application/json" id="known">'));
const check = new Function(inside("<script>") + "\nreturn check;")();
const old = { importKey: async () => { throw new Error("NotSupportedError"); } };
Promise.all(inputs.map((input) => (blind ? check(input, known, old) : check(input, known))))
  .then((verdicts) => console.log(JSON.stringify(verdicts)));
"#;

/// What the page says of each input, or `None` where node is not installed (and not CI).
fn says(page: &Answer, inputs: &[String], blind: bool) -> Option<Vec<Value>> {
    let input = json!({ "page": page.text, "inputs": inputs, "blind": blind }).to_string();
    let said = run("node", &["-e", HARNESS], input.as_bytes(), "nodejs")?;
    Some(serde_json::from_slice(&said).unwrap())
}

fn page_of(api: &crate::support::api::Api) -> Answer {
    let page = api.send("GET", "/verifier", None, None, "", b"");
    assert_eq!((page.status, page.content_type.as_str()), (200, "text/html; charset=utf-8"));
    page
}

#[test]
fn the_page_verifies_what_was_printed_pasted_or_saved() {
    let (region, _signing, answer) = redeemed();
    let (api, people) = (&region.api, &region.people);
    let page = page_of(api);
    let path = "/api/v1/redemptions/0000001-1/receipt";
    let signed = api.get(&people.mediator, path);
    let address = signed.json()["verify_at"].as_str().unwrap().to_owned();
    let printed = scan(&api.get(&people.mediator, &format!("{path}?format=pdf")).bytes);
    let fragment = address.split('#').nth(1).unwrap().to_owned();
    let inputs = [
        printed.unwrap_or_else(|| address.clone()),
        address,
        fragment,
        signed.text,
        answer.to_string(),
    ];
    let Some(said) = says(&page, &inputs, false) else { return };
    for (of, input) in said.iter().zip(&inputs) {
        assert_eq!(of["authentic"], true, "{of}: {input}");
        assert_eq!(of, &said[0], "{input}");
    }
    let facts: Vec<(String, String)> = serde_json::from_value(said[0]["facts"].clone()).unwrap();
    let told: Value = serde_json::from_str(answer["receipt"].as_str().unwrap()).unwrap();
    for (label, value) in [
        ("Nature", "Utilisation"),
        ("Utilisation", "0000001-1"),
        ("Montant", "10,00 €"),
        ("Service", "Maîtrise des outils numériques du quotidien"),
        ("Atelier", "aucun"),
        ("Fait le", "10 mars 2026 à 10:00:00 (heure de Paris)"),
        ("Clé de signature", answer["kid"].as_str().unwrap()),
        (
            "Journal public",
            &format!(
                "taille {}, racine {}",
                told["head"]["size"],
                told["head"]["root"].as_str().unwrap()
            ),
        ),
    ] {
        let found = facts
            .iter()
            .find(|fact| fact.0 == label)
            .map(|fact| fact.1.replace(['\u{a0}', '\u{202f}'], " "));
        assert_eq!(found.as_deref(), Some(value), "{label}");
    }
}

#[test]
fn the_page_refuses_what_was_tampered_with() {
    let (region, _signing, answer) = redeemed();
    let page = page_of(&region.api);
    let (text, kid) = (answer["receipt"].as_str().unwrap(), answer["kid"].as_str().unwrap());
    let with = |receipt: String| {
        json!({ "receipt": receipt, "signature": answer["signature"] }).to_string()
    };
    let inputs = [
        with(text.replace("1000", "9000")),
        with(text.replace("0000001-1", "0000001-2")),
        json!({ "receipt": text, "signature": STANDARD.encode([7; 64]) }).to_string(),
        json!({ "receipt": text, "signature": "AAAA" }).to_string(),
        with(text.replace(kid, "0123456789abcdef")),
        with(text.replacen(',', ", ", 1)),
        with(format!("{text} ")),
        json!({ "receipt": text }).to_string(),
        "n'importe quoi".to_owned(),
        String::new(),
    ];
    let Some(said) = says(&page, &inputs, false) else { return };
    let expected = [
        "signature",
        "signature",
        "signature",
        "signature",
        "clé",
        "exact",
        "exact",
        "exact",
        "exact",
        "exact",
    ];
    for ((said, input), expected) in said.iter().zip(&inputs).zip(expected) {
        assert_eq!((&said["authentic"], &said["facts"]), (&false.into(), &json!([])), "{input}");
        assert!(said["says"].as_str().unwrap().contains(expected), "{said}: {input}");
    }
    let genuine = [answer.to_string()];
    let Some(said) = says(&page, &genuine, true) else { return };
    assert!(said[0]["says"].as_str().unwrap().contains("Ce navigateur ne sait pas"), "{said:?}");
    assert_eq!(said[0]["authentic"], false);
}

#[test]
fn the_page_runs_its_own_script_and_nothing_else() {
    let (region, ..) = redeemed();
    let page = page_of(&region.api);
    let inside =
        |begin: &str, end: &str| page.text.split_once(begin).unwrap().1.split_once(end).unwrap().0;
    for (directive, begin, end) in
        [("script-src", "<script>", "</script>"), ("style-src", "<style>", "</style>")]
    {
        let hash = STANDARD.encode(Sha256::digest(inside(begin, end)));
        assert!(
            page.header("content-security-policy")
                .contains(&format!("{directive} 'sha256-{hash}';")),
            "{}",
            page.header("content-security-policy")
        );
    }
    assert!(
        page.header("content-security-policy").starts_with("default-src 'none';"),
        "{}",
        page.header("content-security-policy")
    );
    assert!(
        !page.header("content-security-policy").contains("unsafe"),
        "{}",
        page.header("content-security-policy")
    );
    assert!(!page.text.contains("http"), "it names no address, so it loads and sends nothing");
    let others = region.api.send("GET", "/live", None, None, "", b"");
    assert_eq!(
        others.header("content-security-policy"),
        "default-src 'none'; frame-ancestors 'none'"
    );
}
