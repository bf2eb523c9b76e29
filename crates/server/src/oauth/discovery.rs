//! What there is to sign in with: SMART's configuration document, and the keys of id_tokens.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::{answer, issuer};
use crate::error::Error;
use crate::fhir::Api;

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
    let said = json!({
        "issuer": own,
        "jwks_uri": format!("{own}/oauth/jwks"),
        "authorization_endpoint": format!("{own}/oauth/authorize"),
        "token_endpoint": format!("{own}/oauth/token"),
        "revocation_endpoint": format!("{own}/oauth/revoke"),
        "introspection_endpoint": format!("{own}/oauth/introspect"),
        "management_endpoint": format!("{own}/apps/mine"),
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt", "none"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "id_token_signing_alg_values_supported": ["ES384"],
        "subject_types_supported": ["public"],
        "authorization_response_iss_parameter_supported": true,
        "scopes_supported": [
            "openid", "fhirUser", "launch", "launch/patient", "offline_access", "online_access",
            "patient/*.cruds", "user/*.cruds", "system/*.cruds", "log.read", "token.introspect",
        ],
        "capabilities": CAPABILITIES,
    });
    Ok(answer(StatusCode::OK, &said))
}

/// `GET /oauth/jwks`
pub async fn jwks(State(api): State<Api>) -> Result<Response, Error> {
    let keys = api.smart().signing.public(api.programme(), api.now())?;
    Ok(answer(StatusCode::OK, &keys))
}
