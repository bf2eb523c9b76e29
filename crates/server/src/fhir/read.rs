//! read: one resource, as it is or as it was known.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::instant::Memento;
use super::scope::Verb;
use super::{Answer, Ask, Gives, audit_event, etag, known_id, known_kind};
use crate::error::{Error, ErrorKind};
use crate::programme::Version;
use crate::release::{Given, What};

/// `GET [base]/Kind/id`
pub async fn get(ask: Ask, Path((kind, id)): Path<(String, String)>) -> Result<Response, Error> {
    Ok(ask.respond(read(&ask, &kind, &id)))
}

/// The resource; 304 if the client has it; 404 if there never was one (in the view); 410 if it
/// is deleted (in the view).
pub fn read(ask: &Ask, kind: &str, id: &str) -> Result<Answer, Error> {
    known_kind(kind)?;
    ask.grant.check(kind, Verb::Read)?;
    known_id(id)?;
    let elements = super::elements::of(ask)?;
    if let Some(position) = audit_event::position(kind, id) {
        return audit_event::read(ask, position, None, What::Read);
    }
    let view = ask.view();
    let Some(version) = view.read(kind, id)? else {
        return Err(nothing(kind, id, ask));
    };
    if version.deleted {
        return Err(deleted(kind, id, &version));
    }
    if has_it(ask, &version) {
        return Ok(Answer {
            version: Some((version.version, version.recorded_at)),
            varies: true,
            memento: Memento::of(ask, &view),
            gives: Gives::Of(What::Read, Given::that(&version), view.size()),
            ..Answer::empty(StatusCode::NOT_MODIFIED)
        });
    }
    let mut answer = Answer::version(ask, &view, &version, What::Read);
    if let Some(elements) = elements {
        answer.content = super::Content::Resource(elements.pick(kind, &version.served())?);
    }
    Ok(answer)
}

/// Whether `If-None-Match` or (only where that is missing) `If-Modified-Since` says that the
/// client has this version.
pub(super) fn has_it(ask: &Ask, version: &Version) -> bool {
    match (
        &ask.conditions.if_none_match,
        ask.conditions.if_modified_since,
    ) {
        (Some(tags), _) => tags.holds(version.version),
        (None, Some(since)) => version.recorded_at.0.div_euclid(1_000_000) <= since,
        (None, None) => false,
    }
}

/// The error for what never existed, or not yet.
pub(super) fn nothing(kind: &str, id: &str, ask: &Ask) -> Error {
    let then = if ask.as_of.is_some() {
        " as of that instant"
    } else {
        ""
    };
    Error::new(
        ErrorKind::NotFound,
        format!("There is no {kind}/{id}{then}."),
    )
}

/// The error for what is deleted; it carries the deletion's own entity tag.
pub(super) fn deleted(kind: &str, id: &str, version: &Version) -> Error {
    Error::new(
        ErrorKind::Deleted,
        format!(
            "{kind}/{id} was deleted; its history is at {kind}/{id}/_history. Version {} is the deletion.",
            version.version
        ),
    )
    .header(axum::http::header::ETAG, &etag(version.version))
    .giving(Given::that(version))
}
