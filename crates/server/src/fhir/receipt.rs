//! `$receipt`: the proof that a version is in the ledger (C2SP tlog-proof), as a text that
//! `homecoming verify` checks without us. A deletion has one, too. Whoever writes can have it in the answer to the
//! write (`Prefer: return=receipt`): it gives out nothing but what they sent and where it stands.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::instant::Memento;
use super::scope::Verb;
use super::{Answer, Ask, Content, Gives, known_id, known_kind, read, vread};
use crate::error::Error;
use crate::programme::{Version, View};
use crate::release::{Given, What};

/// The media type of a receipt.
pub(super) const MEDIA: &str = "text/plain; charset=utf-8";

/// `GET [base]/Kind/id/$receipt`: of the current version.
pub async fn of_current(
    ask: Ask,
    Path((kind, id)): Path<(String, String)>,
) -> Result<Response, Error> {
    Ok(receipt(&ask, &kind, &id, None)?.respond(&ask))
}

/// `GET [base]/Kind/id/_history/version/$receipt`
pub async fn of_version(
    ask: Ask,
    Path((kind, id, version)): Path<(String, String, String)>,
) -> Result<Response, Error> {
    Ok(receipt(&ask, &kind, &id, Some(&version))?.respond(&ask))
}

/// The receipt of the current version or of a given one. As of an instant it is that of the
/// version then; the checkpoint in it is always the newest.
pub fn receipt(ask: &Ask, kind: &str, id: &str, version: Option<&str>) -> Result<Answer, Error> {
    known_kind(kind)?;
    ask.grant.check(kind, Verb::Read)?;
    known_id(id)?;
    ask.refuse_params()?;
    ask.reader.not_taken_away()?;
    let view = ask.view();
    let version = match version {
        Some(version) => vread::find(ask, &view, kind, id, version)?,
        None => view
            .read(kind, id)?
            .ok_or_else(|| read::nothing(kind, id, ask))?,
    };
    answer(ask, &view, &version)
}

fn answer(ask: &Ask, view: &View, version: &Version) -> Result<Answer, Error> {
    let text = view.receipt(version.position)?;
    Ok(Answer {
        version: Some((version.version, version.recorded_at)),
        varies: true,
        memento: Memento::of(ask, view),
        gives: Gives::Of(What::Receipt, Given::of(version), view.size()),
        content: Content::Text(MEDIA, text),
        ..Answer::empty(StatusCode::OK)
    })
}
