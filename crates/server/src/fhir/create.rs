//! create: a new resource under an id that the server gives.

use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;

use super::scope::Verb;
use super::{Answer, Ask, body, conditional, known_kind, put};
use crate::error::Error;
use crate::programme::Expect;

/// `POST [base]/Kind`
pub async fn post(
    ask: Ask,
    Path(kind): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    known_kind(&kind)?;
    ask.grant.check(&kind, Verb::Create)?;
    let bytes = body::read_json(&headers, body, ask.api.settings().resource_bytes_max).await?;
    Ok(ask.respond(create(&ask, &kind, bytes).await))
}

/// Creates; with `If-None-Exist` only if the search finds nothing.
pub async fn create(ask: &Ask, kind: &str, bytes: Bytes) -> Result<Answer, Error> {
    known_kind(kind)?;
    ask.grant.check(kind, Verb::Create)?;
    ask.refuse_as_of()?;
    ask.refuse_params()?;
    if let Some(query) = &ask.conditions.if_none_exist {
        return conditional::create(ask, kind, query, bytes).await;
    }
    let ready = put::ready(ask, Verb::Create, kind, None, Expect::Absent, bytes).await?;
    put::submit(ask, ready).await
}
