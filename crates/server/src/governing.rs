//! What the warrants, break-glasses and delegations on the record have in common: each is one Task of
//! the programme's own (`urn:homecoming:governance`), and each version of it is one step.
//!
//! Who took a step and when is what the version's line says, and is nowhere in the content. The
//! contents are sealed under the programme's key, so that they outlive the keys of the persons whom
//! they are about, and name persons by alias alone. `crate::erasure` is made the same way.

use evidence::erasure::{GOVERNANCE, PERSON};
use ledger::Alias;
use record::json::{Doc, Value};
use record::search::parse_criteria;
use record::time::RecordedAt;
use serde_json::{Value as Json, json};

use crate::error::Error;
use crate::programme::{Search, Version, View};

/// System of the names of actors, as an identifier: `user/7`, `Practitioner/7k2m`.
pub const ACTOR: &str = "urn:homecoming:actor";

/// How many are read at a time.
const PAGE: usize = 500;

/// Every Task of one code, each with its versions from the first; about one person, if given.
pub fn tasks(view: &View, code: &str, person: Option<Alias>) -> Result<Vec<Vec<Version>>, Error> {
    let mut params = vec![("code".to_owned(), format!("{GOVERNANCE}|{code}"))];
    if let Some(alias) = person {
        params.push(("identifier".to_owned(), format!("{PERSON}|{alias}")));
    }
    let (criteria, _) = parse_criteria("Task", &params, "");
    let mut tasks = Vec::new();
    let mut after = None;
    loop {
        let page = view.search(&Search {
            criteria: &criteria,
            count: PAGE,
            after,
            total: false,
        })?;
        for hit in page.hits {
            tasks.extend(task(view, &hit.id, code)?);
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(tasks),
        }
    }
}

/// The versions of one such Task, from the first; nothing if it is something else.
pub fn task(view: &View, id: &str, code: &str) -> Result<Option<Vec<Version>>, Error> {
    let mut versions = view.history("Task", id)?;
    versions.reverse();
    let ours = versions
        .first()
        .is_some_and(|first| is_of(&first.stored, code));
    Ok(ours.then_some(versions))
}

/// Whether a stored Task has a code of the programme's own.
fn is_of(stored: &[u8], wanted: &str) -> bool {
    Doc::parse(stored).is_ok_and(|doc| {
        evidence::erasure::code(doc.root().get("code"), GOVERNANCE) == Some(wanted)
    })
}

/// The beginning of every such Task.
pub fn begin(id: &str, code: &str, step_system: &str, step: &str, status: &str) -> Json {
    json!({
        "resourceType": "Task",
        "id": id,
        "status": status,
        "businessStatus": coded(step_system, step),
        "intent": "order",
        "code": coded(GOVERNANCE, code),
    })
}

/// A concept with one code.
pub fn coded(system: &str, code: &str) -> Json {
    json!({ "coding": [{ "system": system, "code": code }] })
}

/// A person, by alias.
pub fn person(alias: &str) -> Json {
    json!({ "system": PERSON, "value": alias })
}

/// An actor, as a Reference.
pub fn actor(name: &str) -> Json {
    json!({ "identifier": { "system": ACTOR, "value": name } })
}

/// An input of a Task.
pub fn part(system: &str, name: &str, kind: &str, value: Json) -> Json {
    let mut part = json!({ "type": coded(system, name) });
    part[kind] = value;
    part
}

/// A period of two instants.
pub fn period(from: i64, until: i64) -> Json {
    json!({ "start": RecordedAt(from).to_string(), "end": RecordedAt(until).to_string() })
}

/// The values of all inputs with a name.
pub fn parts<'d>(
    task: Value<'d>,
    system: &'static str,
    name: &'static str,
    kind: &'static str,
) -> impl Iterator<Item = Value<'d>> {
    let inputs = task.get("input").into_iter().flat_map(Value::items);
    inputs
        .filter(move |input| evidence::erasure::code(input.get("type"), system) == Some(name))
        .filter_map(move |input| input.get(kind))
}

/// The text of the first input with a name.
pub fn text<'d>(
    task: Value<'d>,
    system: &'static str,
    name: &'static str,
    kind: &'static str,
) -> Option<&'d str> {
    parts(task, system, name, kind).next()?.as_str()
}

/// The actor whom a Reference at a key names.
pub fn actor_at<'d>(task: Value<'d>, key: &str) -> Option<&'d str> {
    task.str_at(&[key, "identifier", "value"])
}

/// The two instants of a period as [`period`] writes it.
pub fn period_at(value: Value<'_>) -> Option<(i64, i64)> {
    let instant = |name: &str| Some(RecordedAt::parse(value.str_at(&[name])?)?.0);
    Some((instant("start")?, instant("end")?))
}
