//! What is believed of an assertion: a table of all that can be wrong with one.

use p384::ecdsa::signature::Signer as _;
use p384::ecdsa::{Signature, SigningKey};
use serde_json::json;

use super::super::jwks;
use super::*;

const NOW: i64 = 1_790_000_000;
const AUDIENCE: &str = "https://record.example/oauth/token";

fn signing(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 48]).expect("a key")
}

fn keys(seed: u8) -> Vec<Key> {
    let point = signing(seed).verifying_key().to_encoded_point(false);
    let part = |part: Option<&[u8]>| URL_SAFE_NO_PAD.encode(part.expect("a coordinate"));
    let (x, y) = (
        part(point.x().map(|x| x.as_slice())),
        part(point.y().map(|y| y.as_slice())),
    );
    jwks::read(&json!({ "keys": [{ "kty": "EC", "crv": "P-384", "kid": "k", "x": x, "y": y }] }))
        .expect("a set")
}

fn signed(head: &Json, claims: &Json, seed: u8) -> String {
    let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(head), part(claims));
    let signature: Signature = signing(seed).sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn head() -> Json {
    json!({ "alg": "ES384", "kid": "k", "typ": "JWT" })
}

fn claims() -> Json {
    json!({ "iss": "app", "sub": "app", "aud": AUDIENCE, "exp": NOW + 120, "jti": "1" })
}

fn outcome(text: &str) -> Result<Proven, &'static str> {
    Assertion::read(text)?.check("app", &keys(7), AUDIENCE, NOW * 1_000_000)
}

#[test]
fn a_good_one_is_believed() {
    let proven = outcome(&signed(&head(), &claims(), 7)).expect("it is good");
    assert_eq!(proven.jti, "1");
    assert_eq!(proven.until, (NOW + 130) * 1_000_000);
}

#[test]
fn each_claim_that_is_wrong_is_refused() {
    let without = |name: &str| {
        let mut claims = claims();
        claims.as_object_mut().expect("an object").remove(name);
        claims
    };
    let with = |name: &str, value: Json| {
        let mut claims = claims();
        claims[name] = value;
        claims
    };
    for (what, claims, part) in [
        ("another issuer", with("iss", json!("other")), "iss"),
        ("another subject", with("sub", json!("other")), "sub"),
        ("no subject", without("sub"), "sub"),
        (
            "another audience",
            with("aud", json!("https://evil.example/token")),
            "aud",
        ),
        (
            "a longer audience",
            with("aud", json!(format!("{AUDIENCE}/"))),
            "aud",
        ),
        (
            "two audiences",
            with("aud", json!([AUDIENCE, "https://evil.example"])),
            "aud",
        ),
        ("no audience", without("aud"), "aud"),
        ("ended", with("exp", json!(NOW)), "exp"),
        ("too long", with("exp", json!(NOW + 311)), "exp"),
        ("for ever", without("exp"), "exp"),
        ("as text", with("exp", json!("2030")), "time"),
        ("as nothing", with("exp", json!(null)), "time"),
        ("very large", with("exp", json!(1e300)), "time"),
        ("from the future", with("iat", json!(NOW + 11)), "future"),
        ("not yet", with("nbf", json!(NOW + 11)), "future"),
        ("no number", without("jti"), "jti"),
        ("an empty number", with("jti", json!("")), "jti"),
        ("a long number", with("jti", json!("x".repeat(257))), "jti"),
    ] {
        let refused = outcome(&signed(&head(), &claims, 7)).expect_err(what);
        assert!(refused.contains(part), "{what}: {refused}");
    }
    for (what, claims) in [
        ("a list of one", with("aud", json!([AUDIENCE]))),
        ("at the limit", with("exp", json!(NOW + 300))),
        ("a fraction", with("exp", json!(NOW as f64 + 60.5))),
        ("a clock ahead", with("iat", json!(NOW + 9))),
    ] {
        assert!(outcome(&signed(&head(), &claims, 7)).is_ok(), "{what}");
    }
}

#[test]
fn each_header_that_is_wrong_is_refused() {
    for (what, head) in [
        ("none", json!({ "alg": "none", "kid": "k" })),
        ("shared", json!({ "alg": "HS256", "kid": "k" })),
        ("shared, 384", json!({ "alg": "HS384", "kid": "k" })),
        ("another curve", json!({ "alg": "ES256", "kid": "k" })),
        ("another kind", json!({ "alg": "RS384", "kid": "k" })),
        ("another case", json!({ "alg": "es384", "kid": "k" })),
        ("no algorithm", json!({ "kid": "k" })),
        ("a list", json!({ "alg": ["ES384"], "kid": "k" })),
        ("another key", json!({ "alg": "ES384", "kid": "other" })),
        ("no key", json!({ "alg": "ES384" })),
        ("a path", json!({ "alg": "ES384", "kid": "../k" })),
        (
            "critical",
            json!({ "alg": "ES384", "kid": "k", "crit": ["exp"] }),
        ),
    ] {
        assert!(outcome(&signed(&head, &claims(), 7)).is_err(), "{what}");
    }
    // A key that comes along is not looked at.
    let own = json!({ "alg": "ES384", "kid": "k", "jwk": { "kty": "EC" } });
    assert!(outcome(&signed(&own, &claims(), 8)).is_err());
}

#[test]
fn a_signature_of_anything_else_does_not_fit() {
    let good = signed(&head(), &claims(), 7);
    let (message, signature) = good.rsplit_once('.').expect("three parts");
    let (first, second) = message.split_once('.').expect("three parts");
    let other = signed(&head(), &json!({ "iss": "app" }), 7);
    let (_, others) = other.rsplit_once('.').expect("three parts");
    // HMAC under the public key, as libraries that let the token choose would check.
    for text in [
        signed(&head(), &claims(), 8),
        format!("{message}."),
        format!("{message}.{others}"),
        format!("{message}.{}", URL_SAFE_NO_PAD.encode([0u8; 96])),
        format!("{message}.{}", URL_SAFE_NO_PAD.encode([0xffu8; 96])),
        message.to_owned(),
        format!("{good}.x"),
        format!("{first}.{second}.{signature}="),
        format!("{first}..{signature}"),
        String::new(),
        "..".to_owned(),
        "x".repeat(BYTES_MAX + 1),
    ] {
        assert!(outcome(&text).is_err(), "{text}");
    }
}
