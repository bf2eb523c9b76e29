//! What a token stands for (RFC 7662): a client may ask about its own; one registered for it about any.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::token::fhir_user;
use super::{Form, Refused, answer, client, issuer};
use crate::clients::{Proof, Registered};
use crate::error::Error;
use crate::fhir::Api;
use crate::fhir::scope::Extra;

const SECOND: i64 = 1_000_000;

/// `POST /oauth/introspect`. Of what one may not ask about one learns what one learns of nothing.
pub async fn post(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let form = Form::read(&headers, body).await?;
    let client = client::of_request(&api, &headers, &form).await?;
    if client.registration.proof == Proof::Public {
        return Err(Refused::new(
            "unauthorized_client",
            "Only a client that proves who it is may ask what a token stands for.",
        ));
    }
    let token = form.need("token")?;
    let (desk, now) = (api.programme().desk(), api.now());
    let own = issuer(&api, &headers)?;
    let may = |name: &str| name == client.name || client.scopes.has(Extra::Introspect);
    if let Some(known) = desk.app_token(token, now).map_err(Error::desk)?
        && may(&known.grant.client.name)
    {
        let grant = known.grant;
        let mut said = json!({
            "active": true,
            "iss": own,
            "client_id": grant.client.name,
            "scope": known.scope,
            "token_type": if known.kind == "access" { "Bearer" } else { "refresh_token" },
            "iat": known.created_us / SECOND,
            "exp": known.expires_us / SECOND,
        });
        if let Some(patient) = grant.patient {
            said["patient"] = json!(patient);
        }
        if let Some(user) = grant.user
            && let Some(user) = desk.user(user).map_err(Error::desk)?
        {
            said["sub"] = json!(format!("user/{}", user.id));
            if let Some(is) = fhir_user(&user) {
                said["fhirUser"] = json!(format!("{own}/fhir/{is}"));
            }
        }
        return Ok(answer(StatusCode::OK, &said));
    }
    if let Some(known) = desk.token(token, now).map_err(Error::desk)?
        && may(&known.client)
        && let Some(owner) = desk.client(&known.client).map_err(Error::desk)?
        && Registered::read(&owner)?.registration.proof == Proof::Token
    {
        let said = json!({
            "active": true,
            "iss": own,
            "client_id": known.client,
            "scope": known.scope,
            "token_type": "Bearer",
            "iat": known.created_us / SECOND,
            "exp": known.expires_us / SECOND,
        });
        return Ok(answer(StatusCode::OK, &said));
    }
    Ok(answer(StatusCode::OK, &json!({ "active": false })))
}
