//! Taking a token back (RFC 7009): an access token alone, or with a refresh token all that it led to.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::{Form, Refused, answer, client};
use crate::error::Error;
use crate::fhir::Api;

/// `POST /oauth/revoke`. A token that is not the client's is as good as none: the answer is the same.
pub async fn post(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let form = Form::read(&headers, body).await?;
    let client = client::of_request(&api, &headers, &form).await?;
    let token = form.need("token")?;
    let (desk, now) = (api.programme().desk(), api.now());
    let known = desk.app_token(token, now).map_err(Error::desk)?;
    if let Some(known) = known.filter(|known| known.grant.client.name == client.name) {
        match known.kind.as_str() {
            "refresh" => desk.end_grant(known.grant.id, None).map(|_| ()),
            _ => desk.revoke_app_token(token),
        }
        .map_err(Error::desk)?;
    }
    Ok(answer(StatusCode::OK, &json!({})))
}
