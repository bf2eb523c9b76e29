//! SMART on FHIR against the real binary: programs that sign, apps that people start, and what is done to get past
//! both.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p384::ecdsa::signature::Signer as _;
use p384::ecdsa::{Signature, SigningKey};
use serde_json::{Value as Json, json};

use crate::served::{Served, homecoming_done};

pub mod apps;
mod backend;
mod bounds;
mod ends;
mod registering;

/// A client's private key; the same for the same seed.
pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 48]).expect("a key")
}

/// Its public part as a JWK.
pub fn jwk(seed: u8, kid: &str) -> Json {
    let point = key(seed).verifying_key().to_encoded_point(false);
    let part = |part: Option<&[u8]>| URL_SAFE_NO_PAD.encode(part.expect("a coordinate"));
    let x = part(point.x().map(|x| x.as_slice()));
    let y = part(point.y().map(|y| y.as_slice()));
    json!({ "kty": "EC", "crv": "P-384", "kid": kid, "alg": "ES384", "use": "sig", "x": x, "y": y })
}

/// A JWT signed with ES384, whatever its head says.
pub fn jwt(head: &Json, claims: &Json, seed: u8) -> String {
    let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(head), part(claims));
    let signature: Signature = key(seed).sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// The seconds since 1970.
pub fn now() -> i64 {
    server::clock::Clock::System.now().0 / 1_000_000
}

/// A number that no other assertion of this run has.
pub fn fresh() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("j{}-{}", now(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// What a good assertion claims.
pub fn claims(client: &str, served: &Served) -> Json {
    json!({ "iss": client, "sub": client, "aud": served.url("/oauth/token"), "exp": now() + 200, "jti": fresh() })
}

/// A good assertion.
pub fn assertion(client: &str, served: &Served, seed: u8) -> String {
    jwt(
        &json!({ "alg": "ES384", "kid": "k", "typ": "JWT" }),
        &claims(client, served),
        seed,
    )
}

/// An agent that follows nothing and takes every status.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into()
}

/// Sends a form; status and JSON.
pub fn form(url: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> (u16, Json) {
    let mut request = agent().post(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut answer = request
        .send_form(fields.iter().copied())
        .expect("the server answers");
    let text = answer.body_mut().read_to_string().expect("text");
    let said = serde_json::from_str(&text).unwrap_or(Json::String(text));
    (answer.status().as_u16(), said)
}

/// Asks for a token with an assertion.
pub fn token_by(served: &Served, assertion: &str, scope: &str) -> (u16, Json) {
    form(
        &served.url("/oauth/token"),
        &[
            ("grant_type", "client_credentials"),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", assertion),
            ("scope", scope),
        ],
        &[],
    )
}

/// Registers a client that signs with the key of a seed.
pub fn register_key(data: &str, name: &str, scope: &str, seed: u8) {
    let file = format!("{data}/{name}.jwks");
    let set = json!({ "keys": [jwk(seed, "k")] });
    std::fs::write(&file, set.to_string()).expect("the keys are written");
    homecoming_done(&[
        "client", "add", name, "--data", data, "--scope", scope, "--proof", "key", "--keys", &file,
    ]);
}

/// A part of a JSON answer as text.
pub fn text<'j>(said: &'j Json, name: &str) -> &'j str {
    said[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {said}"))
}
