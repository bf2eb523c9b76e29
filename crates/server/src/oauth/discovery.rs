//! What there is to sign in with: SMART's configuration document, OpenID Connect's, and the keys of id_tokens.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value as Json, json};

use super::{answer, issuer, signing};
use crate::clients::Registered;
use crate::error::Error;
use crate::fhir::scope::Extra;
use crate::fhir::{Api, away};
use crate::programme::Programme;

/// SMART's names of what works here, and nothing that does not.
const CAPABILITIES: [&str; 15] = [
    "launch-ehr",
    "launch-standalone",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "context-ehr-patient",
    "context-standalone-patient",
    "context-banner",
    "sso-openid-connect",
    "permission-patient",
    "permission-user",
    "permission-offline",
    "permission-online",
    "permission-v1",
    "permission-v2",
];

/// `GET /.well-known/smart-configuration`
pub async fn smart(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Error> {
    let own = issuer(&api, &headers)?;
    let mut said = shared(&own);
    said["management_endpoint"] = json!(format!("{own}/apps/mine"));
    said["capabilities"] = json!(CAPABILITIES);
    Ok(answer(StatusCode::OK, &said))
}

/// `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0): where whoever has an id_token looks first.
pub async fn openid(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Error> {
    let own = issuer(&api, &headers)?;
    let mut said = shared(&own);
    said["claims_supported"] = json!([
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "fhirUser"
    ]);
    said["claim_types_supported"] = json!(["normal"]);
    // What is not said here is taken to be so, or not, by Discovery's own rules.
    for name in [
        "claims_parameter_supported",
        "request_parameter_supported",
        "request_uri_parameter_supported",
    ] {
        said[name] = json!(false);
    }
    Ok(answer(StatusCode::OK, &said))
}

/// What both documents say, in the same words.
fn shared(own: &str) -> Json {
    json!({
        "issuer": own,
        "jwks_uri": format!("{own}/oauth/jwks"),
        "authorization_endpoint": format!("{own}/oauth/authorize"),
        "token_endpoint": format!("{own}/oauth/token"),
        "revocation_endpoint": format!("{own}/oauth/revoke"),
        "introspection_endpoint": format!("{own}/oauth/introspect"),
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt", "none"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "id_token_signing_alg_values_supported": [signing::ALGORITHM],
        "subject_types_supported": ["public"],
        "authorization_response_iss_parameter_supported": true,
        "scopes_supported": [
            "openid", "fhirUser", "launch", "launch/patient", "offline_access", "online_access",
            "patient/*.cruds", "user/*.cruds", "system/*.cruds", "log.read", "token.introspect",
        ],
    })
}

/// `GET /oauth/jwks`. A key is there as soon as an app may get an id_token, and not before: whoever asks for the keys of a
/// programme that has no such app makes it no work.
pub async fn jwks(State(api): State<Api>) -> Result<Response, Error> {
    let keys = away(move || {
        let (programme, now) = (api.programme(), api.now());
        api.smart()
            .signing
            .public(programme, now, is_signed_in_to(programme)?)
    });
    Ok(answer(StatusCode::OK, &keys.await?))
}

/// Whether an app is registered that people sign in to.
fn is_signed_in_to(programme: &Programme) -> Result<bool, Error> {
    for client in programme.desk().clients().map_err(Error::desk)? {
        if !client.disabled && Registered::read(&client)?.scopes.has(Extra::OpenId) {
            return Ok(true);
        }
    }
    Ok(false)
}
