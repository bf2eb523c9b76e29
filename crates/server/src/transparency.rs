//! `/log/…`: the programme's logs as C2SP tlog-tiles serves them, so that anybody's tools can follow them.
//!
//! ```text
//! /log/<slug>/checkpoint              open: the latest cosigned one; `?latest` for the newest of all
//! /log/<slug>/key                     open: the log's public key
//! /log/<slug>/tile/<L>/<N>[.p/<W>]    hashes, to clients with the scope `log.read`
//! /log/<slug>/tile/entries/<N>[…]     the lines themselves, to the same
//! /log/<slug>/access/…                the same of the access log
//! ```
//!
//! A line names nobody, but it tells who was served when, so tiles and entries are for witnesses, mirrors
//! and inspectors that an officer registered. The slug is the last part of the log's origin. Tiles never
//! change and may be kept for ever; a checkpoint is new every moment.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use ledger::witnessed::LogName;
use tlog::paths::{Shelf, TilePath};

use crate::error::{Error, ErrorKind};
use crate::fhir::{Api, away, scope};
use crate::pages::smaller;
use crate::programme::Programme;
use crate::release;

/// What a client needs to read tiles and entries.
pub const SCOPE: &str = "log.read";

/// How long a tile may be kept by whoever fetched it: it is the same for ever.
const FOR_EVER: &str = "private, max-age=31536000, immutable";

/// Why tiles and lines are no disclosure.
const LINES: &str = "hashes and lines hold nothing of what the record says of anybody";
/// zstd's own default.
const ENTRIES_LEVEL: i32 = 3;

/// The address space of the logs.
pub fn routes(api: Api) -> Router {
    Router::new()
        .route("/log/{slug}/{*rest}", get(answer))
        .with_state(api)
}

/// The part of a log's address that names it: the last part of its origin.
pub fn slug(origin: &str) -> &str {
    origin
        .trim_end_matches("/access")
        .rsplit('/')
        .next()
        .unwrap_or(origin)
}

async fn answer(
    State(api): State<Api>,
    Path((asked, rest)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let programme = api.programme().clone();
    if asked != slug(programme.ledger().origin()) {
        return Err(nothing());
    }
    let (name, rest) = match rest.strip_prefix("access/") {
        Some(rest) => (LogName::Access, rest),
        None => (LogName::Record, rest.as_str()),
    };
    match rest {
        "checkpoint" => {
            let is_newest = query.as_deref() == Some("latest");
            away(move || checkpoint(&programme, name, is_newest)).await
        }
        "key" => {
            let log = programme.log(name).ok_or_else(nothing)?;
            Ok(text(format!("{}\n", log.verifier())))
        }
        _ => {
            let grant = api.enter(&headers)?;
            if !grant.scopes.allow_log() {
                return Err(scope::lacking(format!(
                    "This client may not read the log: its scope is `{}`, and this needs \
                     `{SCOPE}`. An officer can register a mirror or an inspector with \
                     `homecoming client add NAME --scope {SCOPE}`.",
                    grant.scopes
                )));
            }
            let path = TilePath::parse(rest).ok_or_else(nothing)?;
            let is_small = smaller::asks(&headers);
            away(move || tile(&programme, name, path, is_small)).await
        }
    }
}

fn checkpoint(programme: &Programme, name: LogName, is_newest: bool) -> Result<Response, Error> {
    let log = programme.log(name).ok_or_else(nothing)?;
    let cosigned = match is_newest {
        true => None,
        false => programme.cosigning().latest(name),
    };
    let note = match cosigned {
        Some(cosigned) => cosigned.note,
        None => log.checkpoint().map_err(Error::ledger)?,
    };
    Ok(text(note))
}

fn tile(
    programme: &Programme,
    name: LogName,
    path: TilePath,
    is_small: bool,
) -> Result<Response, Error> {
    let log = programme.log(name).ok_or_else(nothing)?;
    // What no checkpoint covers yet is not served.
    let size = log.newest().map_err(Error::ledger)?.size;
    if !path.is_within(size) {
        return Err(nothing());
    }
    let bytes = match path.shelf {
        Shelf::Hashes(level) => log
            .tile(level, path.index, path.width)
            .map_err(Error::ledger)?,
        Shelf::Entries => {
            let from = path.index * u64::from(tlog::TILE_WIDTH);
            let leaves = log
                .leaves(from, from + u64::from(path.width))
                .map_err(Error::ledger)?;
            tlog::entries::write_bundle(leaves.iter().map(Vec::as_slice))
                .map_err(Error::internal)?
        }
    };
    // Lines are text and shrink to a third; hashes do not shrink.
    let is_small = is_small && path.shelf == Shelf::Entries;
    let bytes = match is_small {
        true => zstd::bulk::compress(&bytes, ENTRIES_LEVEL).map_err(Error::internal)?,
        false => bytes,
    };
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    headers.insert(
        header::VARY,
        HeaderValue::from_static("authorization, accept-encoding"),
    );
    if is_small {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("zstd"));
    }
    // A mirror that follows the access log would otherwise make it grow by following it.
    Ok(release::nothing(response, LINES))
}

fn text(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    release::nothing(response, "checkpoints and keys are for everybody to keep")
}

fn nothing() -> Error {
    Error::new(ErrorKind::NotFound, "There is nothing at this address.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_addressed_by_the_last_part_of_its_origin() {
        for (origin, expected) in [
            ("homecoming/ward-7", "ward-7"),
            ("homecoming/ward-7/access", "ward-7"),
            ("example.org/a/b", "b"),
            ("ward", "ward"),
        ] {
            assert_eq!(slug(origin), expected, "{origin}");
        }
    }
}
