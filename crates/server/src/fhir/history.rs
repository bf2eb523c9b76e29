//! history: all versions of one resource, newest first.
//!
//! `_count` pages it, `_since` and `_at` choose by when a version was recorded or current. The
//! next page is named by the version that it begins below and by the size of the ledger, so a
//! page never shifts under the reader.

use axum::extract::Path;
use axum::response::Response;
use ledger::Action;
use record::time;

use super::bundle::Bundle;
use super::negotiate::{Handling, printable};
use super::scope::Verb;
use super::{Answer, Ask, known_id, known_kind, query, read};
use crate::error::{Error, ErrorKind};
use crate::release::{Given, What};

/// The most versions on a page.
pub const COUNT_MAX: usize = 1000;

/// `GET [base]/Kind/id/_history`
pub async fn get(ask: Ask, Path((kind, id)): Path<(String, String)>) -> Result<Response, Error> {
    super::away(move || Ok(history(&ask, &kind, &id)?.respond(&ask))).await
}

/// What of the history is wanted.
struct Wanted {
    count: usize,
    /// Versions below this one.
    before: u32,
    /// Recorded at or after this instant.
    since: Option<i64>,
    /// Current at some time within.
    at: Option<time::Happened>,
}

fn wanted(ask: &Ask) -> Result<Wanted, Error> {
    let mut wanted = Wanted {
        count: 100,
        before: u32::MAX,
        since: None,
        at: None,
    };
    let wrong = |name: &str, value: &str, is: &str| {
        Error::new(
            ErrorKind::Malformed,
            format!("`{name}={}` is not {is}.", printable(value)),
        )
    };
    for (name, value) in &ask.params {
        match name.as_str() {
            "_count" => {
                let count: usize = value
                    .parse()
                    .map_err(|_| wrong(name, value, "a number of versions"))?;
                wanted.count = count.clamp(1, COUNT_MAX);
            }
            "_cursor" => {
                wanted.before = value
                    .parse()
                    .map_err(|_| wrong(name, value, "a page of this history"))?;
            }
            "_since" | "_at" => {
                let happened = time::parse_interval(&value.replace(' ', "+"))
                    .ok_or_else(|| wrong(name, value, "an instant or a date"))?;
                if name == "_since" {
                    wanted.since = Some(happened.start);
                } else {
                    wanted.at = Some(happened);
                }
            }
            _ if ask.prefer.handling == Some(Handling::Lenient) => {}
            _ => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "`{}` has no meaning for a history; there are `_count`, `_since` and `_at`.",
                        printable(name)
                    ),
                ));
            }
        }
    }
    Ok(wanted)
}

/// The history as a bundle; 404 if there never was such a resource (in the view).
pub fn history(ask: &Ask, kind: &str, id: &str) -> Result<Answer, Error> {
    known_kind(kind)?;
    ask.grant.check(kind, Verb::Read)?;
    known_id(id)?;
    let wanted = wanted(ask)?;
    let view = ask.view();
    let versions = view.history(kind, id)?;
    if versions.is_empty() {
        return Err(read::nothing(kind, id, ask));
    }
    // A version is current from when it was recorded until the next newer one was, also if that one was erased or is
    // not for whoever asks: a read as of a later instant does not give them the older one either.
    let mut until = i64::MAX;
    let mut chosen = Vec::new();
    let mut left = versions.iter().peekable();
    for line in view.lines(kind, id)? {
        let from = line.recorded_at.0;
        if let Some(version) = left.next_if(|version| version.version == line.version) {
            let recorded_since = wanted.since.is_none_or(|since| from >= since);
            let current_then = wanted.at.is_none_or(|at| from < at.end && until > at.start);
            if recorded_since && current_then {
                chosen.push((version, line.action == Action::Create));
            }
        }
        until = from;
    }
    let total = chosen.len() as u64;
    let begin = chosen
        .iter()
        .position(|(version, _)| version.version < wanted.before);
    let page = begin.map_or(&[][..], |begin| &chosen[begin..]);
    let more = page.len() > wanted.count;
    let page = &page[..page.len().min(wanted.count)];

    let size = format!("size:{}", view.size());
    let link = |cursor: Option<u32>| {
        let cursor = cursor.map(|cursor| cursor.to_string());
        let pairs = ask
            .params
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| *name != "_cursor")
            .chain(cursor.as_deref().map(|cursor| ("_cursor", cursor)))
            .chain((cursor.is_some() || ask.as_of.is_some()).then_some(("_asof", size.as_str())));
        let text = query::encode(pairs);
        let question = if text.is_empty() { "" } else { "?" };
        format!("{}/{kind}/{id}/_history{question}{text}", ask.base)
    };
    let here = (wanted.before != u32::MAX).then_some(wanted.before);
    let mut links = vec![("self", link(here))];
    if let (true, Some((last, _))) = (more, page.last()) {
        links.push(("next", link(Some(last.version))));
    }
    let mut bundle = Bundle::new("history", Some(total), &links);
    let mut given = Given::new();
    for (version, created) in page {
        given.version(version);
        bundle.recorded(&ask.base, version, *created);
    }
    Ok(Answer::read(
        ask,
        &view,
        bundle.finish(),
        What::History,
        given,
    ))
}
