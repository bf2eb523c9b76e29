//! update: a new version of a resource, or its first under an id that the client chose.

use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;

use super::negotiate::Tags;
use super::scope::Verb;
use super::{Answer, Ask, body, conditional, known_id, known_kind, put};
use crate::error::{Error, ErrorKind};
use crate::programme::Expect;
use crate::release::Given;

/// `PUT [base]/Kind/id`
pub async fn put(
    ask: Ask,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    known_kind(&kind)?;
    ask.grant.check(&kind, Verb::Update)?;
    known_id(&id)?;
    let bytes = body::read_json(&headers, body, ask.api.settings().resource_bytes_max).await?;
    Ok(ask.respond(update(&ask, &kind, &id, bytes).await))
}

/// `PUT [base]/Kind?search`
pub async fn put_where(
    ask: Ask,
    Path(kind): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    known_kind(&kind)?;
    ask.grant.check(&kind, Verb::Update)?;
    let bytes = body::read_json(&headers, body, ask.api.settings().resource_bytes_max).await?;
    Ok(ask.respond(conditional::update(&ask, &kind, bytes).await))
}

/// Updates, or creates what does not exist yet. With `If-Match` only that version; with
/// `If-None-Match: *` only if there is none.
pub async fn update(ask: &Ask, kind: &str, id: &str, bytes: Bytes) -> Result<Answer, Error> {
    known_kind(kind)?;
    ask.grant.check(kind, Verb::Update)?;
    known_id(id)?;
    ask.refuse_as_of()?;
    ask.refuse_params()?;
    let expect = match (&ask.conditions.if_none_match, expected(ask)?) {
        (Some(Tags::Any), Expect::Any) => Expect::Absent,
        (_, expect) => expect,
    };
    let ready = put::ready(ask, Verb::Update, kind, Some(id), expect, bytes).await?;
    let outcome = put::submit(ask, ready).await;
    let outcome = outcome.map_err(|error| telling(ask, kind, id, error));
    outcome.map_err(|error| match expect {
        // The client named a version of something that is not there.
        Expect::Version(_) | Expect::Present if error.kind == ErrorKind::NotFound => Error::new(
            ErrorKind::Stale,
            format!(
                "There is no {kind}/{id}, so `If-Match` cannot hold. Leave it out to create it."
            ),
        ),
        Expect::Absent if error.kind == ErrorKind::Conflict => Error {
            gives: error.gives,
            ..Error::new(
                ErrorKind::Stale,
                format!("There is a {kind}/{id} already, so `If-None-Match: *` does not hold."),
            )
        },
        _ => error,
    })
}

/// A refused write, which tells how what it was to follow stands, as far as whoever asks may see that.
pub(super) fn telling(ask: &Ask, kind: &str, id: &str, error: Error) -> Error {
    if !error.status().is_client_error() {
        return error;
    }
    match ask.view().read(kind, id) {
        Ok(Some(version)) => error.giving(Given::that(&version)),
        Ok(None) | Err(_) => error,
    }
}

/// What `If-Match` expects of the present state.
pub(super) fn expected(ask: &Ask) -> Result<Expect, Error> {
    match &ask.conditions.if_match {
        None => Ok(Expect::Any),
        Some(Tags::Any) => Ok(Expect::Present),
        Some(Tags::Versions(versions)) => match versions.as_slice() {
            [version] => Ok(Expect::Version(*version)),
            _ => Err(Error::new(
                ErrorKind::Malformed,
                "`If-Match` names several versions; a write follows one. Send the version that you worked on.",
            )),
        },
    }
}
