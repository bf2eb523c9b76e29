//! What a token stands for (RFC 7662): a client may ask about its own; one with `token.introspect` about any.
//!
//! A client shows who it is as at the token endpoint, or by an access token with that scope (SMART App Launch 2.2, "Token
//! Introspection"). What is said is what the token's own answer said: its scope, the launch context, and who the person
//! is only if an id_token told the app.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::token::{fhir_user, launch_context};
use super::{Form, Refused, answer, client, issuer};
use crate::clients::{Proof, Registered};
use crate::error::Error;
use crate::fhir::Api;
use crate::fhir::scope::{self, Extra, Scopes};

const SECOND: i64 = 1_000_000;

/// Whoever asks says nothing of who they are.
fn nobody() -> Response {
    let refused = Refused::client(
        "Say who asks: as at the token endpoint, or by an access token with the scope `token.introspect` \
         (`Authorization: Bearer ...`).",
    );
    let mut response = refused.into_response();
    response.headers_mut().append(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static(scope::CHALLENGE),
    );
    response
}

/// The client whose tokens alone may be asked about; none for any.
async fn asks(api: &Api, headers: &HeaderMap, form: &Form) -> Result<Option<String>, Refused> {
    if client::brings_token(headers) {
        if ["client_assertion", "client_secret"]
            .iter()
            .any(|name| form.get(name).is_some())
        {
            return Err(Refused::request(
                "Whoever asks shows who it is in one way: by an access token, or as at the token endpoint.",
            ));
        }
        let grant = api.enter(headers)?;
        return match grant.scopes.has(Extra::Introspect) {
            true => Ok(None),
            false => Err(Refused::Other(scope::lacking(format!(
                "This access token may not ask what others stand for: its scope is `{}`, and this needs `{}`.",
                grant.scopes,
                Extra::Introspect.word()
            )))),
        };
    }
    let client = client::of_request(api, headers, form).await?;
    if client.registration.proof == Proof::Public {
        return Err(Refused::new(
            "unauthorized_client",
            "Only a client that proves who it is may ask what a token stands for.",
        ));
    }
    Ok(Some(client.name).filter(|_| !client.scopes.has(Extra::Introspect)))
}

/// `POST /oauth/introspect`. Of what one may not ask about one learns what one learns of nothing.
pub async fn post(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let form = Form::read(&headers, body).await?;
    if !client::says_who(&headers, &form) {
        return Ok(nobody());
    }
    let asks = asks(&api, &headers, &form).await?;
    let token = form.need("token")?;
    let (desk, now) = (api.programme().desk(), api.now());
    let own = issuer(&api, &headers)?;
    let may = |name: &str| asks.as_ref().is_none_or(|own| own == name);
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
        launch_context(&grant, &mut said);
        let scopes = Scopes::parse(&known.scope).map_err(Error::internal)?;
        if scopes.has(Extra::OpenId)
            && let Some(user) = grant.user
            && let Some(user) = desk.user(user).map_err(Error::desk)?
        {
            said["sub"] = json!(format!("user/{}", user.id));
            if scopes.has(Extra::FhirUser)
                && let Some(is) = fhir_user(&user)
            {
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
