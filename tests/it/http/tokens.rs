//! Tokens that are nobody's: altered, forged, of another kind or another time.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::EncodePublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::World;
use crate::support::api::Api;

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn signed(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let said = format!("{}.{}", encoded(header), encoded(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(said.as_bytes()).to_bytes());
    format!("{said}.{signature}")
}

fn hashed(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let said = format!("{}.{}", encoded(header), encoded(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(said.as_bytes());
    format!("{said}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn with(of: &Value, name: &str, value: Value) -> Value {
    let mut other = of.clone();
    other[name] = value;
    other
}

fn without(of: &Value, name: &str) -> Value {
    let mut other = of.clone();
    other.as_object_mut().unwrap().remove(name);
    other
}

#[test]
#[expect(clippy::too_many_lines, reason = "one list of forgeries")]
fn a_token_with_anything_wrong_about_it_is_nobodys() {
    let World { region, neighbour: _, database } = World::lived();
    let api = Api::serving(region.db.clone(), region.keys.clone(), database);
    let good = api.token(&region.admin);
    let parts: Vec<Value> = good
        .split('.')
        .take(2)
        .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
        .collect();
    let (header, claims) = (&parts[0], &parts[1]);
    let key = &region.keys.token;
    let exp = claims["exp"].as_i64().unwrap();
    let (said, signature) = good.rsplit_once('.').unwrap();
    let pem = key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap();
    let stranger = SigningKey::from_bytes(&[7; 32]);
    let hs256 = with(header, "alg", "HS256".into());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(stranger.verifying_key().as_bytes()) });

    let forged = [
        ("nothing", String::new()),
        ("no token at all", "x".into()),
        (
            "alg none",
            format!("{}.{}.", encoded(&with(header, "alg", "none".into())), encoded(claims)),
        ),
        (
            "alg none, with the signature",
            format!(
                "{}.{}.{signature}",
                encoded(&with(header, "alg", "none".into())),
                encoded(claims)
            ),
        ),
        ("alg of another case", signed(&with(header, "alg", "eddsa".into()), claims, key)),
        ("HS256 with the public key in PEM", hashed(&hs256, claims, pem.as_bytes())),
        (
            "HS256 with the public key in bytes",
            hashed(&hs256, claims, key.verifying_key().as_bytes()),
        ),
        ("HS256 with an empty key", hashed(&hs256, claims, b"")),
        ("another key", signed(header, claims, &stranger)),
        ("another key, in the header", signed(&with(header, "jwk", jwk), claims, &stranger)),
        (
            "a key elsewhere",
            signed(&with(header, "jku", "https://it.example/jwks".into()), claims, &stranger),
        ),
        ("no signature", format!("{said}.")),
        ("a signature cut short", format!("{said}.{}", &signature[..40])),
        (
            "other claims under the signature",
            format!(
                "{}.{}.{signature}",
                encoded(header),
                encoded(&with(claims, "role", "auditor".into()))
            ),
        ),
        ("another audience", signed(header, &with(claims, "aud", "souche-log".into()), key)),
        ("no audience", signed(header, &without(claims, "aud"), key)),
        ("another issuer", signed(header, &with(claims, "iss", "other".into()), key)),
        ("no issuer", signed(header, &without(claims, "iss"), key)),
        ("another type", signed(&with(header, "typ", "JWT".into()), claims, key)),
        ("no type", signed(&without(header, "typ"), claims, key)),
        ("an unknown key id", signed(&with(header, "kid", "2".into()), claims, key)),
        ("a path for a key id", signed(&with(header, "kid", "../../dev/null".into()), claims, key)),
        ("SQL for a key id", signed(&with(header, "kid", "1' OR '1'='1".into()), claims, key)),
        ("no key id", signed(&without(header, "kid"), claims, key)),
        ("expired", signed(header, &with(claims, "exp", json!(exp - 601)), key)),
        ("no end", signed(header, &without(claims, "exp"), key)),
        ("not yet", signed(header, &with(claims, "nbf", json!(exp)), key)),
        ("no beginning", signed(header, &without(claims, "nbf"), key)),
        ("nobody's", signed(header, &without(claims, "sub"), key)),
        ("a role that is none", signed(header, &with(claims, "role", "root".into()), key)),
        ("two tokens", format!("{good}, {good}")),
        (
            "a key of nobody",
            "souche_0000000000000000000000000000000000000000000000000000000000000000".into(),
        ),
    ];
    let ask = |token: &str| api.get(token, "/api/v1/orders");
    ask(&good).ok();
    ask(&signed(header, claims, key)).ok();
    for (what, token) in forged {
        let answer = ask(&token);
        assert_eq!(answer.problem(401), "not_signed_in", "{what}");
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{what}");
    }
    // Ten minutes later the good one is none.
    api.clock.set(api.clock.now() + chrono::TimeDelta::minutes(10));
    assert_eq!(ask(&good).problem(401), "not_signed_in");
}
