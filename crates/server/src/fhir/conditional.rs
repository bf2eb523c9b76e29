//! Conditions that are searches: conditional create, update and delete.
//!
//! The search is made twice. First here, so that what can be answered without a write is, and so
//! that the work of a write is done before the writer is asked; then by the writer, when
//! everything before this transaction is recorded and nothing after it is. Two clients that
//! create "unless there is one" at the same moment get one resource.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::http::StatusCode;
use record::json::Value;

use super::negotiate::{Return, printable};
use super::put::{self, Ready};
use super::scope::Verb;
use super::search;
use super::{
    Answer, Ask, Content, Gives, audit_event, body, delete, known_id, known_kind, query, update,
};
use crate::error::{Error, ErrorKind};
use crate::programme::{Draft, Expect, Programme, Version, View, Work};
use crate::release::{ECHO, Given, What};

/// What a condition found.
#[derive(Debug)]
pub enum Found {
    /// Nothing matches.
    Nothing,
    /// One resource matches.
    One(Box<Version>),
}

impl Found {
    /// The id of what was found.
    pub fn id(&self) -> Option<&str> {
        match self {
            Found::Nothing => None,
            Found::One(version) => Some(&version.id),
        }
    }
}

/// Searches for the one resource that a condition means. A parameter that cannot be used is
/// always an error: a condition that ignored one could hit the wrong resource. So is more than
/// one match, and a condition that asks for nothing.
pub fn find(view: &View, base: &str, kind: &str, text: &str) -> Result<Found, Error> {
    known_kind(kind)?;
    let params = query::decode(text)?;
    find_by(view, base, kind, &params)
}

fn find_by(view: &View, base: &str, kind: &str, params: &query::Pairs) -> Result<Found, Error> {
    let mut hits = search::condition(view, base, kind, params)?;
    match hits.len() {
        0 => Ok(Found::Nothing),
        1 => Ok(Found::One(Box::new(hits.remove(0)))),
        _ => {
            let text = query::encode(
                params
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str())),
            );
            let mut given = Given::new();
            for version in &hits {
                given.add(Given::that(version));
            }
            Err(Error::new(
                ErrorKind::Ambiguous,
                format!(
                    "More than one {kind} matches `{}`, so it is not clear which one is meant. Nothing was written.",
                    printable(&text)
                ),
            )
            .giving(given))
        }
    }
}

/// What the outcome of a condition tells: of whom it asks, and whether there is what it means.
pub(super) fn told(
    programme: &Programme,
    base: &str,
    kind: &str,
    params: &query::Pairs,
    found: &Found,
) -> Given {
    let (criteria, _) = record::search::parse_criteria(kind, params, base);
    let mut given = search::asked_about(programme, &criteria);
    if let Found::One(version) = found {
        given.add(Given::that(version));
    }
    given
}

/// What the writer found when it looked again, if that decided the matter.
type Decided = Arc<Mutex<Option<Found>>>;

/// Conditional create: the resource that matches, or a new one.
pub async fn create(ask: &Ask, kind: &str, text: &str, bytes: Bytes) -> Result<Answer, Error> {
    ask.grant.check(kind, Verb::Search)?;
    let params = query::decode(text)?;
    if let Found::One(version) = find_by(&ask.view(), &ask.base, kind, &params)? {
        return Ok(existing(ask, *version));
    }
    let given = told(
        ask.api.programme(),
        &ask.base,
        kind,
        &params,
        &Found::Nothing,
    );
    let made = create_new(ask, kind, &params, bytes).await;
    made.map_err(|error| error.giving(given))
}

async fn create_new(
    ask: &Ask,
    kind: &str,
    params: &query::Pairs,
    bytes: Bytes,
) -> Result<Answer, Error> {
    let Ready { stored, draft, .. } =
        put::ready(ask, Verb::Create, kind, None, Expect::Absent, bytes).await?;
    let (work, decided) = unless_changed(ask, kind, params, None, draft);
    let outcome = ask.submit(work).await;
    if let Some(Found::One(version)) = lock(&decided).take() {
        return Ok(existing(ask, *version));
    }
    put::answer(ask, &outcome?, stored)
}

/// The write of `draft`, if the condition still finds the resource with the id `before` (or still
/// nothing) when everything before it is recorded; if not, what it finds instead is told.
fn unless_changed(
    ask: &Ask,
    kind: &str,
    params: &query::Pairs,
    before: Option<String>,
    draft: Draft,
) -> (Work, Decided) {
    let decided = Decided::default();
    let (tell, base) = (decided.clone(), ask.base.clone());
    let (kind, params) = (kind.to_owned(), params.clone());
    let work = Work::Deferred(Box::new(move |view: &View| {
        let found = find_by(view, &base, &kind, &params)?;
        if found.id() == before.as_deref() {
            return Ok(vec![draft]);
        }
        *lock(&tell) = Some(found);
        Err(Error::new(
            ErrorKind::Conflict,
            "What matches has changed meanwhile.",
        ))
    }));
    (work, decided)
}

fn lock(decided: &Decided) -> std::sync::MutexGuard<'_, Option<Found>> {
    decided
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The answer of a conditional create that found its resource.
fn existing(ask: &Ask, version: Version) -> Answer {
    let given = found(ask.prefer.answer.unwrap_or_default(), &version);
    let content = match ask.prefer.answer.unwrap_or_default() {
        Return::Representation => Content::Resource(version.served()),
        Return::Outcome => Content::Resource(super::outcome::all_is_well(&format!(
            "{}/{} matches already; nothing was created.",
            version.kind, version.id
        ))),
        Return::Minimal | Return::Receipt => Content::None,
    };
    Answer {
        content,
        gives: Gives::Of(What::Found, given, ask.view().size()),
        version: Some((version.version, version.recorded_at)),
        location: Some(format!(
            "{}/{}/_history/{}",
            version.kind, version.id, version.version
        )),
        ..Answer::empty(StatusCode::OK)
    }
}

/// What is given out of a version that a conditional create found.
pub(super) fn found(answer: Return, version: &Version) -> Given {
    match answer {
        Return::Representation => Given::of(version),
        Return::Outcome | Return::Minimal | Return::Receipt => Given::that(version),
    }
}

/// Conditional update, by the search in the address: of the one resource that matches, or a
/// create (under the body's id, if it has one) if none does.
pub async fn update(ask: &Ask, kind: &str, bytes: Bytes) -> Result<Answer, Error> {
    known_kind(kind)?;
    ask.grant.check(kind, Verb::Update)?;
    ask.grant.check(kind, Verb::Search)?;
    ask.refuse_as_of()?;
    let expected = update::expected(ask)?;
    let params = ask.params.clone();
    let mut given = Given::new();
    for _ in 0..ATTEMPTS {
        let found = find_by(&ask.view(), &ask.base, kind, &params)?;
        given = told(ask.api.programme(), &ask.base, kind, &params, &found);
        match update_found(ask, kind, &params, &found, expected, &bytes).await {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => {}
            Err(error) => return Err(error.giving(given)),
        }
    }
    Err(Error::new(
        ErrorKind::Conflict,
        format!("What matches among {kind} keeps changing. Nothing was written: try again."),
    )
    .giving(given))
}

/// The update of what was found; nothing if it has changed under it.
async fn update_found(
    ask: &Ask,
    kind: &str,
    params: &query::Pairs,
    found: &Found,
    expected: Expect,
    bytes: &Bytes,
) -> Result<Option<Answer>, Error> {
    let (id, expect) = {
        let doc = body::parse(bytes)?;
        body::must_be(doc.root(), kind)?;
        let own = doc.root().get("id").and_then(Value::as_str);
        target(kind, found, own, expected)?
    };
    let bytes = with_id(bytes, id.as_deref())?;
    let Ready { stored, draft, .. } =
        put::ready(ask, Verb::Update, kind, id.as_deref(), expect, bytes).await?;
    let before = found.id().map(str::to_owned);
    let (work, decided) = unless_changed(ask, kind, params, before, draft);
    let outcome = ask.submit(work).await;
    match lock(&decided).take() {
        None => put::answer(ask, &outcome?, stored).map(Some),
        Some(_) => Ok(None),
    }
}

/// How often a conditional update starts over because what matches has changed under it.
const ATTEMPTS: usize = 4;

/// Which id a conditional update writes to, and what it expects there.
pub(super) fn target(
    kind: &str,
    found: &Found,
    own: Option<&str>,
    expected: Expect,
) -> Result<(Option<String>, Expect), Error> {
    match (found, own) {
        (Found::One(version), Some(own)) if own != version.id => Err(Error::new(
            ErrorKind::Malformed,
            format!(
                "The condition finds {kind}/{}, but the body's id is `{}`. Leave the id out, or make them agree.",
                version.id,
                printable(own)
            ),
        )),
        (Found::One(version), _) => {
            let expect = if expected == Expect::Any {
                Expect::Present
            } else {
                expected
            };
            Ok((Some(version.id.clone()), expect))
        }
        (Found::Nothing, _) if expected != Expect::Any => Err(Error::new(
            ErrorKind::Stale,
            format!("No {kind} matches, so `If-Match` cannot hold."),
        )),
        (Found::Nothing, Some(own)) => {
            known_id(own)?;
            audit_event::refuse_write(kind, own)?;
            Ok((Some(own.to_owned()), Expect::Absent))
        }
        (Found::Nothing, None) => Ok((None, Expect::Absent)),
    }
}

/// The body with the id that it is to be stored under, if it has none itself.
fn with_id(bytes: &Bytes, id: Option<&str>) -> Result<Bytes, Error> {
    let Some(id) = id else {
        return Ok(bytes.clone());
    };
    let doc = body::parse(bytes)?;
    if doc.root().get("id").is_some() {
        return Ok(bytes.clone());
    }
    let open = doc.root().offset() + 1;
    let mut out = Vec::with_capacity(bytes.len() + id.len() + 8);
    out.extend_from_slice(&bytes[..open]);
    out.extend_from_slice(format!("\"id\":\"{id}\",").as_bytes());
    out.extend_from_slice(&bytes[open..]);
    Ok(out.into())
}

/// Conditional delete of the one resource that matches; if none does, that is fine, too.
pub async fn delete(ask: &Ask, kind: &str) -> Result<Answer, Error> {
    known_kind(kind)?;
    ask.grant.check(kind, Verb::Delete)?;
    ask.grant.check(kind, Verb::Search)?;
    ask.refuse_as_of()?;
    let params = ask.params.clone();
    let found = find_by(&ask.view(), &ask.base, kind, &params)?;
    let given = told(ask.api.programme(), &ask.base, kind, &params, &found);
    let Found::One(version) = found else {
        let gives = match given.is_nothing() {
            true => Gives::Nothing(ECHO),
            false => Gives::Of(What::Search, given, ask.view().size()),
        };
        return Ok(Answer {
            gives,
            ..delete::done(ask, kind, "?")
        });
    };
    let decided = Decided::default();
    let (tell, base, of, again) = (
        decided.clone(),
        ask.base.clone(),
        kind.to_owned(),
        params.clone(),
    );
    let work = Work::Deferred(Box::new(move |view: &View| {
        match find_by(view, &base, &of, &again)? {
            Found::One(version) => Ok(vec![Draft::delete(&of, &version.id, Expect::Present)]),
            nothing => {
                *lock(&tell) = Some(nothing);
                Err(Error::new(
                    ErrorKind::Conflict,
                    "Another client deleted it first.",
                ))
            }
        }
    }));
    let outcome = ask.submit(work).await;
    if lock(&decided).take().is_some() {
        return Ok(delete::done(ask, kind, &version.id));
    }
    let committed = outcome.map_err(|error| error.giving(given))?;
    let made = committed
        .writes
        .first()
        .map(|written| (written.version, committed.recorded_at));
    Ok(Answer {
        version: made,
        ..delete::done(ask, kind, &version.id)
    })
}
