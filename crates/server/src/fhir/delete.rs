//! delete: a version that says that the resource is no more. What it was stays on the record.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::negotiate::Return;
use super::scope::Verb;
use super::{
    Answer, Ask, Content, Gives, audit_event, conditional, known_id, known_kind, outcome, update,
};
use crate::error::{Error, ErrorKind, left};
use crate::programme::{Draft, Expect, View, Work};
use crate::release::ECHO;

/// `DELETE [base]/Kind/id`
pub async fn delete_one(
    ask: Ask,
    Path((kind, id)): Path<(String, String)>,
) -> Result<Response, Error> {
    Ok(ask.respond(delete(&ask, &kind, &id).await))
}

/// `DELETE [base]/Kind?search`: of the one resource that it finds.
pub async fn delete_where(ask: Ask, Path(kind): Path<String>) -> Result<Response, Error> {
    Ok(ask.respond(conditional::delete(&ask, &kind).await))
}

/// Deletes. What is not there counts as deleted: the answer is the same, and nothing is written.
pub async fn delete(ask: &Ask, kind: &str, id: &str) -> Result<Answer, Error> {
    known_kind(kind)?;
    ask.grant.check(kind, Verb::Delete)?;
    known_id(id)?;
    audit_event::refuse_write(kind, id)?;
    ask.refuse_as_of()?;
    ask.refuse_params()?;
    let expect = match update::expected(ask)? {
        Expect::Any => Expect::Present,
        expect => expect,
    };
    let missing_is_fine = ask.conditions.if_match.is_none();
    if missing_is_fine && !is_there(&ask.view(), kind, id)? {
        return Ok(done(ask, kind, id));
    }
    let work = Work::Ready(vec![Draft::delete(kind, id, expect)]);
    let committed = match ask.submit(work).await {
        Ok(committed) => committed,
        // Another client was faster.
        Err(error)
            if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Deleted)
                && missing_is_fine =>
        {
            return Ok(done(ask, kind, id));
        }
        Err(error) if error.kind == ErrorKind::NotFound => {
            return Err(Error::new(
                ErrorKind::Stale,
                format!("There is no {kind}/{id}, so `If-Match` cannot hold."),
            ));
        }
        Err(error) => return Err(update::telling(ask, kind, id, error)),
    };
    let version = committed
        .writes
        .first()
        .map(|written| (written.version, committed.recorded_at));
    Ok(Answer {
        version,
        ..done(ask, kind, id)
    })
}

/// Whether there is something to delete, for whoever may see it or may delete it unseen. What was erased is as little
/// there as what was deleted.
pub(super) fn is_there(view: &View, kind: &str, id: &str) -> Result<bool, Error> {
    for view in [view.clone(), view.clone().to(Verb::Delete)] {
        if left(view.read(kind, id))?.is_some_and(|version| !version.deleted) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether there ever was something, deleted or erased since or not, for whoever may know that.
pub(super) fn was_there(view: &View, kind: &str, id: &str) -> Result<bool, Error> {
    for view in [view.clone(), view.clone().to(Verb::Delete)] {
        match view.read(kind, id) {
            Ok(None) => {}
            Err(error) if error.kind != ErrorKind::Erased => return Err(error),
            Ok(Some(_)) | Err(_) => return Ok(true),
        }
    }
    Ok(false)
}

/// The answer to a deletion, whether or not there was something to delete.
pub(super) fn done(ask: &Ask, kind: &str, id: &str) -> Answer {
    let answer = match ask.prefer.answer {
        Some(Return::Outcome) => Answer {
            content: Content::Resource(outcome::all_is_well(&format!(
                "{kind}/{id} is deleted. Its history is kept."
            ))),
            ..Answer::empty(StatusCode::OK)
        },
        _ => Answer::empty(StatusCode::NO_CONTENT),
    };
    Answer {
        gives: Gives::Nothing(ECHO),
        ..answer
    }
}
