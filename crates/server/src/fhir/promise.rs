//! `$promise`: a signed word for whoever hands something in, that it will be on the record by a time.
//!
//! It is the answer to a programme that never enters what it was given: see [`evidence::promise`]. What is
//! handed in is judged as a create would judge it, and nothing is stored; whoever received it records it.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use record::json::Doc;
use record::time::RecordedAt;

use super::scope::Verb;
use super::{Answer, Ask, Content, Gives, body, known_kind, negotiate, put};
use crate::error::{Error, ErrorKind};
use crate::permit::write;
use crate::programme::{AsOf, Draft, Expect, Whose, Work, says_governance};

/// Hours until it is due, unless told otherwise; and at most: a year.
const HOURS: i64 = 24;
const HOURS_MAX: i64 = 366 * 24;
const HOUR_US: i64 = 3_600_000_000;

/// `POST [base]/Kind/$promise` with the resource; `hours` says by when it is on the record.
pub async fn post(
    ask: Ask,
    Path(kind): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    known_kind(&kind)?;
    ask.grant.check(&kind, Verb::Create)?;
    ask.refuse_as_of()?;
    let hours = hours(&ask)?;
    let bytes = body::read_json(&headers, body, ask.api.settings().resource_bytes_max).await?;
    super::away(move || Ok(promise(&ask, &kind, hours, &bytes)?.respond(&ask))).await
}

fn promise(ask: &Ask, kind: &str, hours: i64, bytes: &[u8]) -> Result<Answer, Error> {
    let id = {
        let doc = body::parse(bytes)?;
        doc.root().str_at(&["id"]).map(str::to_owned)
    };
    if kind == "Patient" && id.is_none() {
        return Err(refused(
            "A promise names the person. Give the Patient the id under which it will be recorded.",
        ));
    }
    let (id, stored) = put::stored(ask, kind, id.as_deref(), bytes)?;
    let doc = Doc::parse(&stored).map_err(Error::internal)?;
    if says_governance(doc.root()) {
        return Err(refused(
            "What reads as the programme's own word about its record is not handed in.",
        ));
    }
    let Some(person) = record::person::person(doc.root()) else {
        return Err(refused(
            "This is about no patient of this server, and a promise is given to a person. Name the patient in it.",
        ));
    };
    let programme = ask.api.programme();
    let ledger = programme.ledger();
    // Whoever may not record it gets no promise, and does not learn what became of the person.
    let draft = Draft::stored(kind, &id, Expect::Any, stored.clone())?.asked_as(Verb::Create);
    write::checked(
        &programme.view(AsOf::Now),
        &ask.reader,
        Work::Ready(vec![draft]),
    )?;
    if programme.whose(ledger.person(person))? == Whose::Erased {
        return Err(Error::new(
            ErrorKind::Erased,
            "The record of this person was erased, so nothing can be added to it. If they came back, register \
             them anew, under another id.",
        ));
    }
    let content = evidence::promise::fingerprint(&stored)
        .ok_or_else(|| Error::internal("a resource without members"))?;
    let received = programme.clock().now();
    let due = RecordedAt(received.0 + hours * HOUR_US);
    let text = ledger::promise(programme.data(), ledger, person, content, received, due)
        .map_err(Error::open)?;
    Ok(Answer {
        content: Content::Text("text/plain; charset=utf-8", text),
        gives: Gives::Nothing("a promise tells its sender what its sender handed in"),
        ..Answer::empty(StatusCode::OK)
    })
}

/// What the parameter `hours` says.
fn hours(ask: &Ask) -> Result<i64, Error> {
    match &ask.params[..] {
        [] => Ok(HOURS),
        [(name, value)] if name == "hours" => value
            .parse()
            .ok()
            .filter(|hours| (1..=HOURS_MAX).contains(hours))
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Malformed,
                    format!(
                        "`hours={}` is not a whole number from 1 to {HOURS_MAX}.",
                        negotiate::printable(value)
                    ),
                )
            }),
        [(name, _), ..] if name != "hours" => Err(Error::new(
            ErrorKind::Unsupported,
            format!("`{}` has no meaning here.", negotiate::printable(name)),
        )),
        _ => Err(Error::new(
            ErrorKind::Malformed,
            "Say `hours` once: by when it is on the record.",
        )),
    }
}

fn refused(why: &str) -> Error {
    Error::new(ErrorKind::Refused, why)
}
