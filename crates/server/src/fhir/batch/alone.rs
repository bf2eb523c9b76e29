//! A batch: every entry on its own, as if it had come in a request of its own.
//!
//! Entries are worked on method by method, in a transaction's order; those of one method at the
//! same time, so that their writes share fsyncs. One that fails says so in its own place.

use axum::body::Bytes;
use axum::http::StatusCode;
use tokio::task::JoinSet;

use super::entry::{self, Address, Entry, Method};
use crate::error::{Error, ErrorKind};
use crate::fhir::bundle::Bundle;
use crate::fhir::negotiate::Return;
use crate::fhir::{
    Answer, Ask, Conditions, Content, body, capabilities, conditional, create, delete, history,
    query, read, search, update, vread,
};

/// How many writes are worked on at the same time, so that they share fsyncs.
const WRITES_AT_ONCE_MAX: usize = 128;

/// How many reads are worked on at the same time; each may hold a large answer.
const READS_AT_ONCE_MAX: usize = 8;

/// One entry, cut loose from the bundle's text.
struct Task {
    number: usize,
    method: Method,
    address: Address,
    conditions: Conditions,
    /// The resource's text, a part of the body.
    resource: Bytes,
}

/// Runs a batch.
pub async fn run(ask: &Ask, bytes: Bytes) -> Result<Answer, Error> {
    let (asked, body) = (ask.clone(), bytes.clone());
    let (mut tasks, mut answers) = crate::fhir::away(move || read_tasks(&asked, &body)).await?;
    tasks.sort_by_key(|task| (task.method, task.number));
    let mut running = JoinSet::new();
    let mut method = None;
    let mut bytes = 0;
    for task in tasks {
        // The entries of one method are done before the next one's begin.
        let full = method != Some(task.method);
        method = Some(task.method);
        let at_once = match task.method {
            Method::Get => READS_AT_ONCE_MAX,
            Method::Delete | Method::Post | Method::Put => WRITES_AT_ONCE_MAX,
        };
        while !running.is_empty() && (full || running.len() >= at_once) {
            bytes += take(&mut running, &mut answers).await;
        }
        if task.method == Method::Get && bytes > ask.api.settings().bundle_bytes_max {
            if let Some(place) = answers.get_mut(task.number) {
                *place = Some(Err(super::too_much(ask).within(&entry::place(task.number))));
            }
            continue;
        }
        let ask = of_task(ask, &task);
        running.spawn(async move { (task.number, one(ask, task).await) });
    }
    while !running.is_empty() {
        take(&mut running, &mut answers).await;
    }
    let mut bundle = Bundle::new("batch-response", None, &[]);
    let mut given = None;
    for answer in answers {
        let answer = answer.unwrap_or_else(|| Err(Error::internal("an entry got no answer")));
        super::add(&mut bundle, answer, &mut given);
    }
    Ok(Answer {
        gives: super::gives(given, ask.view().size()),
        content: Content::Resource(bundle.finish()),
        ..Answer::empty(StatusCode::OK)
    })
}

type Answers = Vec<Option<Result<Answer, Error>>>;

/// Waits for an answer and puts it in its place; gives its size in bytes.
async fn take(
    running: &mut JoinSet<(usize, Result<Answer, Error>)>,
    answers: &mut Answers,
) -> usize {
    if let Some(Ok((number, answer))) = running.join_next().await
        && let Some(place) = answers.get_mut(number)
    {
        let bytes = match answer.as_ref().map(|answer| &answer.content) {
            Ok(Content::Resource(json)) => json.len(),
            Ok(Content::None | Content::Shared(_) | Content::Text(..)) | Err(_) => 0,
        };
        *place = Some(answer);
        return bytes;
    }
    0
}

/// Reads the entries; those that make no sense are answered already.
fn read_tasks(ask: &Ask, bytes: &Bytes) -> Result<(Vec<Task>, Answers), Error> {
    let doc = body::parse(bytes)?;
    let mut tasks = Vec::new();
    let mut answers = Vec::new();
    for (number, value) in super::entries(doc.root())?.into_iter().enumerate() {
        match Entry::read(&ask.base, number, value) {
            Ok(entry) => {
                let resource = entry.resource.map_or_else(Bytes::new, |resource| {
                    let start = resource.offset();
                    bytes.slice(start..start + resource.raw().len())
                });
                tasks.push(Task {
                    number,
                    method: entry.method,
                    address: entry.address,
                    conditions: entry.conditions,
                    resource,
                });
                answers.push(None);
            }
            Err(error) => answers.push(Some(Err(error.within(&entry::place(number))))),
        }
    }
    Ok((tasks, answers))
}

/// The request that an entry would have been.
fn of_task(ask: &Ask, task: &Task) -> Ask {
    let mut own = ask.clone();
    own.conditions = task.conditions.clone();
    // In a bundle there is no place for the text that a receipt is.
    let answer = ask
        .prefer
        .answer
        .filter(|answer| *answer != Return::Receipt);
    own.prefer.answer = Some(answer.unwrap_or(Return::Minimal));
    own
}

async fn one(mut ask: Ask, task: Task) -> Result<Answer, Error> {
    let place = entry::place(task.number);
    let within = |error: Error| error.within(&place);
    let answer = match (task.method, task.address) {
        (Method::Get, address) => crate::fhir::away(move || read(&mut ask, address)).await,
        (Method::Post, Address::Kind { kind, .. }) => {
            create::create(&ask, &kind, task.resource).await
        }
        (Method::Put, Address::One { kind, id, .. }) => {
            update::update(&ask, &kind, &id, task.resource).await
        }
        (Method::Put, Address::Kind { kind, query }) => {
            ask.params = query::decode(&query).map_err(within)?;
            conditional::update(&ask, &kind, task.resource).await
        }
        (Method::Delete, Address::One { kind, id, .. }) => delete::delete(&ask, &kind, &id).await,
        (Method::Delete, Address::Kind { kind, query }) => {
            ask.params = query::decode(&query).map_err(within)?;
            conditional::delete(&ask, &kind).await
        }
        _ => Err(Error::new(
            ErrorKind::Malformed,
            "Its address does not fit its method.",
        )),
    };
    answer.map_err(within)
}

/// Does the read of an entry.
pub(in crate::fhir) fn read(ask: &mut Ask, address: Address) -> Result<Answer, Error> {
    let mut with = |query: &str| {
        ask.params.clear();
        query::decode(query).and_then(|params| ask.take(params, None))
    };
    match &address {
        Address::Capabilities => with("")?,
        Address::Kind { query, .. }
        | Address::One { query, .. }
        | Address::History { query, .. }
        | Address::Version { query, .. } => with(query)?,
    }
    match address {
        Address::Capabilities => capabilities::capabilities(ask),
        Address::Kind { kind, .. } => search::search(ask, &kind),
        Address::One { kind, id, .. } => read::read(ask, &kind, &id),
        Address::History { kind, id, .. } => history::history(ask, &kind, &id),
        Address::Version {
            kind, id, version, ..
        } => vread::vread(ask, &kind, &id, &version),
    }
}
