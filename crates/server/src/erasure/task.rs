//! The Task that tells an erasure, and the Communication that tells the person: written and read.
//!
//! `evidence::erasure` documents what an auditor relies on; here is all of it. Texts of officers are
//! in `statusReason`, so that FHIR's readers show them.

use casework::erasure::{Basis, Erasure, Request, Scope, Step, Told, Untold};
use evidence::erasure::{ERASURE, GOVERNANCE, Goes, KIND, PART, PERSON, STEP, code, key_name_text};
use record::json::{Doc, Value};
use record::time::RecordedAt;
use serde_json::{Value as Json, json};

const SECOND: i64 = 1_000_000;

/// The Task as of an erasure's last step, in the stored form.
pub fn write(id: &str, erasure: &Erasure, goes: Option<&Goes>) -> Vec<u8> {
    let request = &erasure.request;
    let mut input = vec![
        part("scope", "valueCode", json!(request.scope.code())),
        part(
            "basis",
            "valueCode",
            json!(request.basis.map(Basis::code).unwrap_or_default()),
        ),
        part("citation", "valueString", json!(request.citation)),
        part("examined", "valueBoolean", json!(request.examined)),
        part(
            "delay-seconds",
            "valueInteger",
            json!(request.delay / SECOND),
        ),
    ];
    let step = erasure.steps.last().map(|taken| &taken.step);
    let mut why = None;
    match step {
        Some(Step::Tell { how, happened }) => {
            input.push(part("told-how", "valueCode", json!(how.code())));
            input.push(part(
                "told-when",
                "valueInstant",
                json!(RecordedAt(*happened).to_string()),
            ));
        }
        Some(Step::LeaveUntold { ground, why: text }) => {
            input.push(part("not-told-ground", "valueCode", json!(ground.code())));
            why = Some(text);
        }
        Some(Step::Release { hold, why: text }) => {
            input.push(part("hold", "valuePositiveInt", json!(hold)));
            why = Some(text);
        }
        Some(
            Step::Hold { why: text } | Step::Refuse { why: text } | Step::Withdraw { why: text },
        ) => {
            why = Some(text);
        }
        Some(Step::Request(_) | Step::Approve | Step::CarryOut | Step::Done) | None => {}
    }
    let mut task = json!({
        "resourceType": "Task",
        "id": id,
        "identifier": [person(erasure)],
        "status": erasure.task_status(),
    });
    if let Some(why) = why {
        task["statusReason"] = json!({ "text": why });
    }
    task["businessStatus"] = coded(STEP, step.map(Step::code).unwrap_or_default());
    task["intent"] = json!("order");
    task["code"] = coded(GOVERNANCE, ERASURE);
    task["for"] = json!({ "identifier": person(erasure) });
    task["input"] = Json::Array(input);
    if let Some(goes) = goes {
        let number = |name: &str, value: u64| part(name, "valueInteger", json!(value));
        let mut output = vec![number("below", goes.below), number("entries", goes.entries)];
        output.extend(
            goes.kinds
                .iter()
                .map(|(kind, count)| json!({ "type": coded(KIND, kind), "valueInteger": count })),
        );
        output.extend(
            goes.slots
                .iter()
                .map(|slot| number("key", u64::from(*slot))),
        );
        output.extend(
            goes.names
                .iter()
                .map(|name| part("key-name", "valueString", json!(key_name_text(name)))),
        );
        task["output"] = Json::Array(output);
    }
    task.to_string().into_bytes()
}

/// The Communication that an erasure's last step is told by; nothing if it tells nobody anything.
pub fn telling(id: &str, task: &str, erasure: &Erasure) -> Option<Vec<u8>> {
    let mut telling = json!({
        "resourceType": "Communication",
        "id": id,
        "basedOn": [{ "reference": format!("Task/{task}") }],
        "status": "completed",
        "category": [coded(GOVERNANCE, ERASURE)],
        "subject": { "identifier": person(erasure) },
    });
    match &erasure.steps.last()?.step {
        Step::Tell { how, happened } => {
            telling["medium"] = json!([coded("urn:homecoming:told", how.code())]);
            telling["sent"] = json!(RecordedAt(*happened).to_string());
        }
        Step::LeaveUntold { ground, why } => {
            telling["status"] = json!("not-done");
            let mut reason = coded("urn:homecoming:not-told", ground.code());
            reason["text"] = json!(why);
            telling["statusReason"] = reason;
        }
        _ => return None,
    }
    Some(telling.to_string().into_bytes())
}

/// The step that a stored version of the Task is; nothing if it does not read.
pub fn step(stored: &[u8]) -> Option<Step> {
    let doc = Doc::parse(stored).ok()?;
    let root = doc.root();
    let why = || Some(root.str_at(&["statusReason", "text"])?.to_owned());
    let text = |name: &str, value: &str| input(root, name)?.str_at(&[value]);
    Some(match code(root.get("businessStatus"), STEP)? {
        "requested" => {
            let scope = text("scope", "valueCode")?;
            let basis = text("basis", "valueCode").unwrap_or_default();
            let seconds = input(root, "delay-seconds")?
                .get("valueInteger")?
                .as_i64()?;
            Step::Request(Request {
                person: evidence::erasure::Act::read(stored)?.person.to_string(),
                scope: Scope::ALL.into_iter().find(|one| one.code() == scope)?,
                basis: Basis::ALL.into_iter().find(|one| one.code() == basis),
                citation: text("citation", "valueString")
                    .unwrap_or_default()
                    .to_owned(),
                examined: input(root, "examined")
                    .and_then(|input| input.get("valueBoolean")?.as_bool())
                    .unwrap_or_default(),
                delay: seconds.checked_mul(SECOND)?,
            })
        }
        "approved" => Step::Approve,
        "told" => {
            let how = text("told-how", "valueCode")?;
            Step::Tell {
                how: Told::ALL.into_iter().find(|one| one.code() == how)?,
                happened: RecordedAt::parse(text("told-when", "valueInstant")?)?.0,
            }
        }
        "not-told" => {
            let ground = text("not-told-ground", "valueCode")?;
            Step::LeaveUntold {
                ground: Untold::ALL.into_iter().find(|one| one.code() == ground)?,
                why: why()?,
            }
        }
        "held" => Step::Hold { why: why()? },
        "released" => Step::Release {
            hold: u32::try_from(input(root, "hold")?.get("valuePositiveInt")?.as_i64()?).ok()?,
            why: why()?,
        },
        "refused" => Step::Refuse { why: why()? },
        "withdrawn" => Step::Withdraw { why: why()? },
        evidence::erasure::CARRYING_OUT => Step::CarryOut,
        evidence::erasure::DONE => Step::Done,
        _ => return None,
    })
}

fn person(erasure: &Erasure) -> Json {
    json!({ "system": PERSON, "value": erasure.request.person })
}

fn coded(system: &str, code: &str) -> Json {
    json!({ "coding": [{ "system": system, "code": code }] })
}

fn part(name: &str, kind: &str, value: Json) -> Json {
    let mut part = json!({ "type": coded(PART, name) });
    part[kind] = value;
    part
}

fn input<'d>(root: Value<'d>, name: &str) -> Option<Value<'d>> {
    root.get("input")?
        .items()
        .find(|input| code(input.get("type"), PART) == Some(name))
}

#[cfg(test)]
mod tests;
