//! What create and update have in common: a body becomes the stored form, the stored form a
//! draft, and what was committed an answer.

use axum::body::Bytes;
use axum::http::StatusCode;
use record::json::Value;
use record::reference::{self, Reference};

use super::negotiate::Return;
use super::receipt::MEDIA as RECEIPT;
use super::scope::Verb;
use super::{Answer, Ask, Content, Gives, audit_event, body, outcome};
use crate::error::{Error, ErrorKind};
use crate::programme::{Committed, Draft, Expect, RecordedAt, Work, Written};
use crate::release::ECHO;

/// A body up to this size is worked on where it arrives; a larger one away from the threads that
/// serve connections.
const AT_ONCE_BYTES_MAX: usize = 32 << 10;

/// How many findings an answer tells.
const FINDINGS_MAX: usize = 100;

/// A resource that is ready to be written.
pub struct Ready {
    /// FHIR resource type.
    pub kind: String,
    /// The id that it will have.
    pub id: String,
    /// The stored form, kept to be answered with; nothing if the client does not want it.
    pub stored: Option<Vec<u8>>,
    /// What is submitted.
    pub draft: Draft,
}

/// Checks a body and makes it ready to be written, away from the connections if it is large.
///
/// `id` is the address's, which the body must repeat; without one the resource gets a new id and
/// that in the body is ignored, as FHIR says of a create. `verb`: as what it is asked for.
pub async fn ready(
    ask: &Ask,
    verb: Verb,
    kind: &str,
    id: Option<&str>,
    expect: Expect,
    bytes: Bytes,
) -> Result<Ready, Error> {
    if bytes.len() <= AT_ONCE_BYTES_MAX {
        return make(ask, verb, kind, id, expect, &bytes);
    }
    let (ask, kind, id) = (ask.clone(), kind.to_owned(), id.map(str::to_owned));
    super::away(move || make(&ask, verb, &kind, id.as_deref(), expect, &bytes)).await
}

fn make(
    ask: &Ask,
    verb: Verb,
    kind: &str,
    id: Option<&str>,
    expect: Expect,
    bytes: &[u8],
) -> Result<Ready, Error> {
    let (id, stored) = stored(ask, kind, id, bytes)?;
    let kept = (answer_with(ask) == Return::Representation).then(|| stored.clone());
    let draft = Draft::stored(kind, &id, expect, stored)?.asked_as(verb);
    Ok(Ready {
        kind: kind.to_owned(),
        id,
        stored: kept,
        draft,
    })
}

/// The stored form of a body that may be stored, and its id.
pub(super) fn stored(
    ask: &Ask,
    kind: &str,
    id: Option<&str>,
    bytes: &[u8],
) -> Result<(String, Vec<u8>), Error> {
    let doc = body::parse(bytes)?;
    let resource = doc.root();
    body::must_be(resource, kind)?;
    if let Some(id) = id {
        must_have_id(resource, kind, id)?;
    }
    validate(resource)?;
    let id = id.map_or_else(|| ask.api.programme().new_id(), str::to_owned);
    refuse_conditional_references(resource)?;
    let stored = record::stored::write(resource, &id, &mut |text| to_relative(&ask.base, text));
    Ok((id, stored))
}

/// What a single write answers with.
fn answer_with(ask: &Ask) -> Return {
    ask.prefer.answer.unwrap_or_default()
}

/// The id in a body must be the one in the address.
pub(super) fn must_have_id(resource: Value<'_>, kind: &str, id: &str) -> Result<(), Error> {
    audit_event::refuse_write(kind, id)?;
    match resource.get("id").and_then(Value::as_str) {
        Some(seen) if seen == id => Ok(()),
        Some(seen) => Err(Error::new(
            ErrorKind::Malformed,
            format!(
                "The body's id is `{}`, but the address says {kind}/{id}.",
                super::negotiate::printable(seen)
            ),
        )),
        None => Err(Error::new(
            ErrorKind::Malformed,
            format!("The body has no `id`; an update of {kind}/{id} must repeat it."),
        )),
    }
}

/// Refuses a resource with findings that are errors.
pub(super) fn validate(resource: Value<'_>) -> Result<(), Error> {
    let mut findings = record::validate::validate(resource);
    findings.retain(|finding| finding.is_error());
    if findings.is_empty() {
        return Ok(());
    }
    let kind = resource
        .get("resourceType")
        .and_then(Value::as_str)
        .unwrap_or("resource");
    let count = findings.len();
    findings.truncate(FINDINGS_MAX);
    let things = if count == 1 {
        "1 thing in it is"
    } else {
        &format!("{count} things in it are")
    };
    Err(Error::new(
        ErrorKind::Invalid,
        format!("The {kind} was not stored: {things} not valid FHIR R4."),
    )
    .with(findings))
}

/// Outside of a transaction nothing says which resource `Patient?identifier=...` is.
fn refuse_conditional_references(resource: Value<'_>) -> Result<(), Error> {
    let mut found = None;
    reference::visit(resource, &mut |text| {
        if matches!(Reference::parse(text), Reference::Conditional { .. }) {
            found.get_or_insert(text);
        }
    });
    match found {
        None => Ok(()),
        Some(text) => Err(Error::new(
            ErrorKind::Refused,
            format!(
                "The reference `{}` is a search; that works inside of a transaction only. Name the resource itself.",
                super::negotiate::printable(text)
            ),
        )),
    }
}

/// An absolute reference to this server, as a relative one.
pub(super) fn to_relative(base: &str, text: &str) -> Option<String> {
    let rest = text.strip_prefix(base)?.strip_prefix('/')?;
    match Reference::parse(rest) {
        Reference::Relative(_) => Some(rest.to_owned()),
        _ => None,
    }
}

/// Submits what is ready and answers.
pub async fn submit(ask: &Ask, ready: Ready) -> Result<Answer, Error> {
    let Ready { stored, draft, .. } = ready;
    let committed = ask.submit(Work::Ready(vec![draft])).await?;
    answer(ask, &committed, stored)
}

/// The answer to a single write that was committed.
pub fn answer(ask: &Ask, committed: &Committed, stored: Option<Vec<u8>>) -> Result<Answer, Error> {
    let Some(written) = committed.writes.first() else {
        return Err(Error::internal(
            "a write was committed that nobody knows of",
        ));
    };
    let content = content(ask, written, committed.recorded_at, stored);
    Ok(Answer {
        content,
        version: Some((written.version, committed.recorded_at)),
        location: Some(location(written)),
        gives: Gives::Nothing(ECHO),
        ..Answer::empty(if written.created {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        })
    })
}

fn content(
    ask: &Ask,
    written: &Written,
    recorded_at: RecordedAt,
    stored: Option<Vec<u8>>,
) -> Content {
    match (answer_with(ask), stored) {
        (Return::Representation, Some(stored)) => {
            let mut served = Vec::with_capacity(stored.len() + 96);
            record::stored::served(&stored, written.version, recorded_at, &mut served);
            Content::Resource(served)
        }
        (Return::Outcome, _) => Content::Resource(outcome::all_is_well(&format!(
            "{}/{} was stored as version {}.",
            written.kind, written.id, written.version
        ))),
        (Return::Receipt, _) => receipt(ask, written),
        _ => Content::None,
    }
}

/// The receipt of what was just written. Its line says how many entries there were about the person before, which
/// is for those to know who may read it.
fn receipt(ask: &Ask, written: &Written) -> Content {
    if ask.grant.check(&written.kind, Verb::Read).is_err() {
        return Content::None;
    }
    let view = ask.view();
    let text = view
        .vread(&written.kind, &written.id, written.version)
        .and_then(|readable| {
            readable
                .map(|version| view.receipt(version.position))
                .transpose()
        });
    match text {
        Ok(Some(text)) => Content::Text(RECEIPT, text),
        Ok(None) => Content::None,
        // It is recorded, whatever hindered this: an error would say that it is not. `$receipt` will tell.
        Err(error) => {
            tracing::error!(%error, "no receipt of what was just written");
            Content::None
        }
    }
}

/// `Kind/id/_history/version`
pub fn location(written: &Written) -> String {
    format!(
        "{}/{}/_history/{}",
        written.kind, written.id, written.version
    )
}
