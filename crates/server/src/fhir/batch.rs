//! batch and transaction: many interactions in one request.
//!
//! A transaction is one entry group in the ledger: all of it or nothing ([`plan`]). A batch is
//! its entries, each on its own ([`alone`]). Both are answered with a bundle whose entries stand
//! in the order of the request, whatever order they were worked on in.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use record::json::Value;

use super::bundle::{self, Bundle};
use super::negotiate::{Return, printable};
use super::{Answer, Ask, Content, Gives, body, outcome};
use crate::error::{Error, ErrorKind};
use crate::programme::{AsOf, Committed, Version, View, Work};
use crate::release::{ECHO, Given, What};
use plan::{Plan, Slot};

pub mod alone;
pub mod entry;
pub mod plan;

/// `POST [base]`
pub async fn post(ask: Ask, headers: HeaderMap, body: Body) -> Result<Response, Error> {
    let bytes = body::read_json(&headers, body, ask.api.settings().bundle_bytes_max).await?;
    Ok(ask.respond(run(&ask, bytes).await))
}

/// What a body at the base turned out to be.
enum Begun {
    Transaction(Box<Plan>),
    Batch,
}

/// Runs a bundle of type `transaction` or `batch`.
pub async fn run(ask: &Ask, bytes: Bytes) -> Result<Answer, Error> {
    ask.refuse_as_of()?;
    ask.refuse_params()?;
    let (asked, body) = (ask.clone(), bytes.clone());
    let begun = super::away(move || {
        let doc = body::parse(&body)?;
        match bundle_type(doc.root())? {
            "transaction" => {
                let plan = plan::plan(&asked, &asked.view(), doc.root())?;
                Ok(Begun::Transaction(Box::new(plan)))
            }
            _ => Ok(Begun::Batch),
        }
    })
    .await?;
    match begun {
        Begun::Transaction(plan) => transaction(ask, bytes, *plan).await,
        Begun::Batch => alone::run(ask, bytes).await,
    }
}

fn bundle_type(root: Value<'_>) -> Result<&str, Error> {
    let kind = body::kind_of(root)?;
    if kind != "Bundle" {
        return Err(Error::new(
            ErrorKind::Malformed,
            format!("Only a Bundle is taken here; send a {kind} to `/fhir/{kind}`."),
        ));
    }
    match root.get("type").and_then(Value::as_str) {
        Some(kind @ ("batch" | "transaction")) => Ok(kind),
        seen => Err(Error::new(
            ErrorKind::Malformed,
            format!(
                "A Bundle of type `{}` is not worked on; send `batch` or `transaction` here, and a Bundle that is to be stored to `/fhir/Bundle`.",
                printable(seen.unwrap_or(""))
            ),
        )),
    }
}

/// The entries of a bundle as they stand in the body. What else stands beside them must be known:
/// a misspelt `entry` would do nothing at all.
pub(super) fn entries(root: Value<'_>) -> Result<Vec<Value<'_>>, Error> {
    const KNOWN: [&str; 11] = [
        "resourceType",
        "id",
        "meta",
        "implicitRules",
        "language",
        "identifier",
        "type",
        "timestamp",
        "total",
        "link",
        "signature",
    ];
    let known = |key: &str| key == "entry" || KNOWN.contains(&key.trim_start_matches('_'));
    if let Some((key, _)) = root.entries().find(|(key, _)| !known(key)) {
        return Err(Error::new(
            ErrorKind::Malformed,
            format!("A Bundle has no element `{}` in FHIR R4.", printable(key)),
        ));
    }
    match root.get("entry") {
        None => Ok(Vec::new()),
        Some(list) if list.is_array() => Ok(list.items().collect()),
        Some(_) => Err(Error::new(
            ErrorKind::Malformed,
            "`Bundle.entry` is not a list.",
        )),
    }
}

/// Writes a planned transaction and answers it.
///
/// What the plan found by searching is looked at again by the writer, when nothing can come in
/// between any more. Nearly always it is still so, and the writer only takes the drafts that
/// were made beforehand; otherwise it plans anew.
async fn transaction(ask: &Ask, bytes: Bytes, plan: Plan) -> Result<Answer, Error> {
    let Plan {
        drafts,
        slots,
        checks,
        given,
    } = plan;
    // What it gives out is what was found in the end.
    let slots = Arc::new(Mutex::new((slots, given.clone())));
    let committed = if drafts.is_empty() {
        None
    } else {
        let work = if checks.is_empty() {
            Work::Ready(drafts)
        } else {
            let (asked, shared) = (ask.clone(), slots.clone());
            Work::Deferred(Box::new(move |view: &View| {
                if checks.hold(&asked, view)? {
                    return Ok(drafts);
                }
                let doc = body::parse(&bytes)?;
                let plan = plan::plan(&asked, view, doc.root())?;
                *lock(&shared) = (plan.slots, plan.given);
                Ok(plan.drafts)
            }))
        };
        let committed = ask.submit(work).await;
        Some(committed.map_err(|error| error.giving(given))?)
    };
    let (slots, given) = std::mem::take(&mut *lock(&slots));
    let ask = ask.clone();
    super::away(move || answer(&ask, committed.as_ref(), slots, given)).await
}

type Outcome = (Vec<Slot>, Given);

fn lock(slots: &Mutex<Outcome>) -> std::sync::MutexGuard<'_, Outcome> {
    slots
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The answer to a transaction. Reads see the record right after it.
fn answer(
    ask: &Ask,
    committed: Option<&Committed>,
    slots: Vec<Slot>,
    told: Given,
) -> Result<Answer, Error> {
    let after = committed
        .and_then(|committed| {
            committed
                .writes
                .iter()
                .map(|written| written.position)
                .max()
        })
        .map_or(AsOf::Now, |last| AsOf::Size(last + 1));
    let mut bundle = Bundle::new("transaction-response", None, &[]);
    let mut given = Some(told).filter(|told| !told.is_nothing());
    for slot in slots {
        match slot {
            Slot::Written {
                draft,
                stored,
                deleted,
            } => {
                let (Some(committed), Some(written)) = (
                    committed,
                    committed.and_then(|committed| committed.writes.get(draft)),
                ) else {
                    return Err(Error::internal("a transaction left a write out"));
                };
                let made = (written.version, committed.recorded_at);
                let location = super::put::location(written);
                let status = match (deleted, written.created) {
                    (true, _) => "204 No Content",
                    (false, true) => "201 Created",
                    (false, false) => "200 OK",
                };
                let resource = stored.map(|stored| {
                    let mut served = Vec::with_capacity(stored.len() + 96);
                    record::stored::served(&stored, made.0, made.1, &mut served);
                    served
                });
                let told = (ask.prefer.answer == Some(Return::Outcome))
                    .then(|| outcome::all_is_well(&format!("{location} was recorded.")));
                let full = (
                    ask.base.as_str(),
                    written.kind.as_str(),
                    written.id.as_str(),
                );
                bundle.answered(
                    resource.is_some().then_some(full),
                    resource.as_deref(),
                    &bundle::Response {
                        status,
                        location: (!deleted).then_some(&location),
                        version: Some(made),
                        outcome: told.as_deref(),
                    },
                );
            }
            Slot::Found(version) => {
                let answer = ask.prefer.answer.unwrap_or(Return::Minimal);
                let told = super::conditional::found(answer, &version);
                given.get_or_insert_with(Given::new).add(told);
                found(ask, &mut bundle, &version);
            }
            Slot::Nothing => bundle.answered(
                None,
                None,
                &bundle::Response {
                    status: "204 No Content",
                    location: None,
                    version: None,
                    outcome: None,
                },
            ),
            Slot::Read {
                address,
                conditions,
            } => {
                let mut read = ask.clone();
                read.conditions = conditions;
                read.as_of = Some(after);
                let answer = if bundle.bytes() > ask.api.settings().bundle_bytes_max {
                    Err(too_much(ask))
                } else {
                    alone::read(&mut read, address)
                };
                add(&mut bundle, answer, &mut given);
            }
        }
    }
    Ok(Answer {
        gives: gives(given, ask.view().size()),
        content: Content::Resource(bundle.finish()),
        ..Answer::empty(StatusCode::OK)
    })
}

/// The answer to a read for which the answer's bundle has no room: what was asked for in a few
/// bytes may not take all memory.
fn too_much(ask: &Ask) -> Error {
    Error::new(
        ErrorKind::TooLarge,
        format!(
            "It was not read: the answer is larger than {} MB already. Ask for less, or in several requests.",
            ask.api.settings().bundle_bytes_max >> 20
        ),
    )
}

/// A conditional create that found its resource.
fn found(ask: &Ask, bundle: &mut Bundle, version: &Version) {
    let whole = ask.prefer.answer == Some(Return::Representation);
    let served = whole.then(|| version.served());
    let location = format!(
        "{}/{}/_history/{}",
        version.kind, version.id, version.version
    );
    bundle.answered(
        whole.then_some((
            ask.base.as_str(),
            version.kind.as_str(),
            version.id.as_str(),
        )),
        served.as_deref(),
        &bundle::Response {
            status: "200 OK",
            location: Some(&location),
            version: Some((version.version, version.recorded_at)),
            outcome: None,
        },
    );
}

/// What a bundle's answer gives out: what its entries do, under one leaf.
pub(super) fn gives(given: Option<Given>, size: u64) -> Gives {
    match given {
        Some(given) => Gives::Of(What::Bundle, given, size),
        None => Gives::Nothing(ECHO),
    }
}

/// Adds what one interaction answered, an error included; `given` takes what it gives out.
pub(super) fn add(bundle: &mut Bundle, answer: Result<Answer, Error>, given: &mut Option<Given>) {
    let answer = answer.and_then(|mut answer| {
        match std::mem::replace(&mut answer.gives, Gives::Unsaid) {
            Gives::Nothing(_) => {}
            Gives::Of(_, more, _) => given.get_or_insert_with(Given::new).add(more),
            Gives::Unsaid => {
                return Err(Error::internal(
                    "an entry's answer that does not say what it gives out was not given",
                ));
            }
        }
        Ok(answer)
    });
    match answer {
        Ok(answer) => {
            let status = answer.status.to_string();
            let resource = match &answer.content {
                Content::Resource(json) => Some(json.as_slice()),
                Content::Shared(json) => Some(json.as_ref()),
                Content::None | Content::Text(..) => None,
            };
            bundle.answered(
                None,
                resource,
                &bundle::Response {
                    status: &status,
                    location: answer.location.as_deref(),
                    version: answer.version,
                    outcome: None,
                },
            );
        }
        Err(mut error) => {
            if let Some(more) = error.gives.take() {
                given.get_or_insert_with(Given::new).add(*more);
            }
            super::log(&error, "an entry of a bundle");
            let outcome = outcome::of_error(&error);
            bundle.answered(
                None,
                None,
                &bundle::Response {
                    status: &error.status().to_string(),
                    location: None,
                    version: None,
                    outcome: Some(&outcome),
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_batches_and_transactions_are_worked_on() {
        for (json, expected) in [
            (r#"{"resourceType":"Bundle","type":"batch"}"#, "batch"),
            (
                r#"{"resourceType":"Bundle","type":"transaction"}"#,
                "transaction",
            ),
            (
                r#"{"resourceType":"Patient"}"#,
                "Only a Bundle is taken here; send a Patient to `/fhir/Patient`.",
            ),
            (r#"[]"#, "The body is not a resource: it is no JSON object."),
        ] {
            let doc = body::parse(json.as_bytes()).expect("it is JSON");
            let seen = match bundle_type(doc.root()) {
                Ok(kind) => kind.to_owned(),
                Err(error) => error.message,
            };
            assert_eq!(seen, expected, "{json}");
        }
    }
}
