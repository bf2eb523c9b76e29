//! The Task of a dispute and the DocumentReferences of its texts: written and read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use casework::codes::DISPUTE;
use casework::dispute::{Dispute, Ground, Step};
use evidence::erasure::GOVERNANCE;
use record::json::{Doc, Value};
use record::time::RecordedAt;
use serde_json::{Value as Json, json};

use crate::governing;
use crate::programme::Version;

/// What the Task is, among what the programme says about its record.
pub const CODE: &str = "dispute";

/// Code system of the steps, in `businessStatus`.
const STEP: &str = "urn:homecoming:dispute-step";
/// Code system of what stands in `output`.
const PART: &str = "urn:homecoming:dispute-part";

/// Something that was written in a dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// `account`, `answer`, `statement`, `reason`.
    pub kind: String,
    /// The DocumentReference's id.
    pub id: String,
    /// Its place in the ledger.
    pub position: u64,
    /// When it was recorded.
    pub recorded_at: i64,
    /// Who wrote it, by name.
    pub author: String,
    /// The words.
    pub words: String,
}

impl Text {
    /// Reads it from its DocumentReference.
    pub fn read(kind: &str, version: &Version) -> Option<Text> {
        let doc = Doc::parse(&version.stored).ok()?;
        let root = doc.root();
        let first = |name: &str| root.get(name)?.items().next();
        let attachment = first("content")?.get("attachment")?;
        let words = STANDARD.decode(attachment.str_at(&["data"])?).ok()?;
        Some(Text {
            kind: kind.to_owned(),
            id: version.id.clone(),
            position: version.position,
            recorded_at: version.recorded_at.0,
            author: first("author")
                .and_then(|author| author.str_at(&["display"]))
                .unwrap_or_default()
                .to_owned(),
            words: String::from_utf8(words).ok()?,
        })
    }
}

/// Who writes a text.
pub struct Author {
    /// `Patient/…`, `Practitioner/…`.
    pub reference: String,
    /// As they are called.
    pub name: String,
}

/// A text, as a DocumentReference that points at what it is about.
#[expect(
    clippy::too_many_arguments,
    reason = "each is one element of the document"
)]
pub fn document(
    id: &str,
    kind: &str,
    patient: &str,
    author: &Author,
    (about, about_id, version): (&str, &str, u32),
    answers: Option<&str>,
    words: &str,
    now: i64,
) -> Vec<u8> {
    let shown = match kind {
        "account" => "The person\u{2019}s account of an entry",
        "statement" => "The person\u{2019}s statement of disagreement",
        "reason" => "Why an answer takes longer",
        _ => "Answer to a disputed entry",
    };
    // Only what FHIR lets stand as an author does; the name stands in any case.
    let mut by = json!({ "display": author.name });
    if author.reference.starts_with("Patient/") || author.reference.starts_with("Practitioner/") {
        by["reference"] = json!(author.reference);
    }
    let mut document = json!({
        "resourceType": "DocumentReference",
        "id": id,
        "status": "current",
        "type": { "coding": [{ "system": DISPUTE, "code": kind, "display": shown }] },
        "subject": { "reference": format!("Patient/{patient}") },
        "date": RecordedAt(now).to_string(),
        "author": [by],
        "description": shown,
        "content": [{ "attachment": {
            "contentType": "text/plain; charset=utf-8",
            "data": STANDARD.encode(words),
        } }],
        "context": { "related": [{ "reference": format!("{about}/{about_id}/_history/{version}") }] },
    });
    if let Some(account) = answers {
        document["relatesTo"] = json!([{
            "code": "appends",
            "target": { "reference": format!("DocumentReference/{account}") },
        }]);
    }
    document.to_string().into_bytes()
}

/// Who owes an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// As entries name them: `Practitioner/7k2m`, `user/2`.
    pub actor: String,
    /// As people call them.
    pub name: String,
}

/// Who owes the answer of a dispute, as its Task says.
pub fn owner(root: Value<'_>) -> Option<Owner> {
    let reference = root.str_at(&["owner", "reference"]);
    Some(Owner {
        actor: reference
            .or_else(|| governing::actor_at(root, "owner"))?
            .to_owned(),
        name: root
            .str_at(&["owner", "display"])
            .unwrap_or_default()
            .to_owned(),
    })
}

/// What a new dispute is made of.
pub struct Raised<'a> {
    /// The Task's id.
    pub id: &'a str,
    /// Whose record it is.
    pub patient: &'a str,
    /// Type, id and version of what is disputed.
    pub disputed: (&'a str, &'a str, u32),
    /// The DocumentReference with the person's account.
    pub account: &'a str,
    /// Who owes the answer.
    pub owner: Option<&'a Owner>,
}

/// The Task of a new dispute, in the stored form.
pub fn raised(raised: &Raised<'_>, dispute: &Dispute, now: i64) -> Vec<u8> {
    let (kind, id, version) = raised.disputed;
    let patient = json!({ "reference": format!("Patient/{}", raised.patient) });
    let mut task = json!({
        "resourceType": "Task",
        "id": raised.id,
        "status": dispute.task_status(),
        "businessStatus": coded(STEP, Step::Raise.code()),
        "intent": "order",
        "code": coded(GOVERNANCE, CODE),
        "description": "Answer what the person says about an entry",
        "focus": { "reference": format!("{kind}/{id}/_history/{version}") },
        "for": patient,
        "authoredOn": RecordedAt(now).to_string(),
        "lastModified": RecordedAt(now).to_string(),
        "requester": patient,
    });
    if let Some(Owner { actor, name }) = raised.owner {
        // Who is no Practitioner is no resource of the record.
        task["owner"] = match actor.starts_with("Practitioner/") {
            true => json!({ "reference": actor, "display": name }),
            false => {
                let mut owner = governing::actor(actor);
                owner["display"] = json!(name);
                owner
            }
        };
    }
    task["restriction"] = due(dispute);
    task["output"] = json!([text("account", raised.account)]);
    task.to_string().into_bytes()
}

/// The Task after a step; nothing if what is stored is no JSON.
pub fn stepped(
    stored: &[u8],
    step: &Step,
    dispute: &Dispute,
    written: Option<&str>,
    now: i64,
) -> Option<Vec<u8>> {
    let mut task: Json = serde_json::from_slice(stored).ok()?;
    task["status"] = json!(dispute.task_status());
    task["businessStatus"] = coded(STEP, step.code());
    task["lastModified"] = json!(RecordedAt(now).to_string());
    task["restriction"] = due(dispute);
    let output = task["output"].as_array_mut()?;
    match step {
        Step::Disagree { ground } => {
            output.push(json!({ "type": coded(PART, "ground"), "valueCode": ground.code() }));
        }
        Step::Agree {
            amended: Some(version),
        } => output.push(json!({ "type": coded(PART, "amended"), "valuePositiveInt": version })),
        _ => {}
    }
    if let Some(id) = written {
        output.push(text(kind_of(step), id));
    }
    Some(task.to_string().into_bytes())
}

/// What the text of a step is.
pub fn kind_of(step: &Step) -> &'static str {
    match step {
        Step::Raise | Step::Withdraw => "account",
        Step::Extend => "reason",
        Step::Agree { .. } | Step::Disagree { .. } => "answer",
        Step::State => "statement",
    }
}

/// Whether a resource is the Task of a dispute.
pub fn is_dispute(root: Value<'_>) -> bool {
    root.str_at(&["resourceType"]) == Some("Task")
        && code(root.get("code"), GOVERNANCE) == Some(CODE)
}

/// The step that a stored version of the Task is.
pub fn step(stored: &[u8]) -> Option<Step> {
    let doc = Doc::parse(stored).ok()?;
    let root = doc.root();
    Some(match code(root.get("businessStatus"), STEP)? {
        "raised" => Step::Raise,
        "extended" => Step::Extend,
        "agreed" => Step::Agree { amended: None },
        "disagreed" => Step::Disagree {
            ground: output(root, "ground")
                .and_then(|one| {
                    let code = one.str_at(&["valueCode"])?;
                    Ground::ALL.into_iter().find(|ground| ground.code() == code)
                })
                .unwrap_or(Ground::Accurate),
        },
        "stated" => Step::State,
        "withdrawn" => Step::Withdraw,
        _ => return None,
    })
}

/// The texts that a Task names: what each is, and its id.
pub fn texts<'d>(root: Value<'d>) -> impl Iterator<Item = (&'d str, &'d str)> {
    let outputs = root.get("output").into_iter().flat_map(Value::items);
    outputs.filter_map(|one| {
        let id = one
            .str_at(&["valueReference", "reference"])?
            .strip_prefix("DocumentReference/")?;
        Some((code(one.get("type"), DISPUTE)?, id))
    })
}

/// What stands in `output` under a name.
pub fn output<'d>(root: Value<'d>, name: &str) -> Option<Value<'d>> {
    let mut outputs = root.get("output")?.items();
    outputs.find(|one| code(one.get("type"), PART) == Some(name))
}

fn due(dispute: &Dispute) -> Json {
    json!({ "period": { "end": RecordedAt(dispute.due).to_string() } })
}

fn text(kind: &str, id: &str) -> Json {
    let reference = format!("DocumentReference/{id}");
    json!({ "type": coded(DISPUTE, kind), "valueReference": { "reference": reference } })
}

fn coded(system: &str, code: &str) -> Json {
    json!({ "coding": [{ "system": system, "code": code }] })
}

fn code<'d>(concept: Option<Value<'d>>, system: &str) -> Option<&'d str> {
    let mut codings = concept?.get("coding")?.items();
    let coding = codings.find(|coding| coding.str_at(&["system"]) == Some(system))?;
    coding.str_at(&["code"])
}
