//! vread: one version of a resource, whatever came after it.

use axum::extract::Path;
use axum::response::Response;

use super::negotiate::printable;
use super::scope::Verb;
use super::{Answer, Ask, audit_event, known_id, known_kind, read};
use crate::error::{Error, ErrorKind};
use crate::programme::{Version, View};
use crate::release::What;

/// `GET [base]/Kind/id/_history/version`
pub async fn get(
    ask: Ask,
    Path((kind, id, version)): Path<(String, String, String)>,
) -> Result<Response, Error> {
    Ok(ask.respond(vread(&ask, &kind, &id, &version)))
}

/// The version; 404 if it was not recorded (in the view); 410 if it is a deletion.
pub fn vread(ask: &Ask, kind: &str, id: &str, version: &str) -> Result<Answer, Error> {
    known_kind(kind)?;
    ask.grant.check(kind, Verb::Read)?;
    known_id(id)?;
    ask.refuse_params()?;
    if let Some(position) = audit_event::position(kind, id) {
        return audit_event::read(ask, position, Some(version), What::Version);
    }
    let view = ask.view();
    let version = find(ask, &view, kind, id, version)?;
    if version.deleted {
        return Err(read::deleted(kind, id, &version));
    }
    Ok(Answer::version(ask, &view, &version, What::Version))
}

/// The version of that number, a deletion included.
pub(super) fn find(
    ask: &Ask,
    view: &View,
    kind: &str,
    id: &str,
    version: &str,
) -> Result<Version, Error> {
    let number = Some(version)
        .filter(|text| !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse::<u32>().ok());
    let found = match number {
        Some(number) => view.vread(kind, id, number)?,
        None => None,
    };
    found.ok_or_else(|| {
        let then = if ask.as_of.is_some() {
            " as of that instant"
        } else {
            ""
        };
        Error::new(
            ErrorKind::NotFound,
            format!(
                "There is no version {} of {kind}/{id}{then}.",
                printable(version)
            ),
        )
    })
}
