//! `$validate`: what the structural validation says about a resource, without storing it.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use record::json::{Doc, Value};

use super::negotiate::printable;
use super::scope::Verb;
use super::{Answer, Ask, Content, Gives, body, known_kind, outcome, put};
use crate::error::{Error, ErrorKind};

/// `POST [base]/Kind/$validate` with the resource, or a Parameters with it as `resource`.
pub async fn of_kind(
    ask: Ask,
    Path(kind): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    validate(ask, kind, None, headers, body).await
}

/// `POST [base]/Kind/id/$validate`: the same of a new version of that resource.
pub async fn of_one(
    ask: Ask,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    validate(ask, kind, Some(id), headers, body).await
}

async fn validate(
    ask: Ask,
    kind: String,
    id: Option<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    known_kind(&kind)?;
    ask.grant.check(&kind, Verb::Read)?;
    for (name, value) in &ask.params {
        asked_for(&kind, name, value)?;
    }
    let bytes = body::read_json(&headers, body, ask.api.settings().resource_bytes_max).await?;
    super::away(move || {
        let doc: Doc<'_> = body::parse(&bytes)?;
        let resource = inside(&kind, doc.root())?;
        body::must_be(resource, &kind)?;
        if let Some(id) = &id {
            put::must_have_id(resource, &kind, id)?;
        }
        let findings = record::validate::validate(resource);
        let content = Content::Resource(outcome::of_findings(&findings));
        Ok(Answer {
            content,
            gives: Gives::Nothing("a validation looks at what its sender sent alone"),
            ..Answer::empty(StatusCode::OK)
        }
        .respond(&ask))
    })
    .await
}

/// Refuses what is asked for and not done: a resource that passes would else be taken to fit a profile.
fn asked_for(kind: &str, name: &str, value: &str) -> Result<(), Error> {
    let base = "http://hl7.org/fhir/StructureDefinition/";
    let sentence = match (name, value) {
        ("mode", "create" | "update" | "profile") => return Ok(()),
        ("profile", profile) if profile.strip_prefix(base) == Some(kind) => return Ok(()),
        ("profile", _) => format!(
            "`profile`: this server validates against R4's own definitions alone ({base}{kind}), so it cannot say \
             whether the resource fits another profile."
        ),
        ("mode", _) => "`mode` is `create`, `update` or `profile` here; whether something can be deleted is not \
                        asked in advance."
            .to_owned(),
        _ => format!(
            "`{}` has no meaning for a validation; there are `resource`, `mode` and `profile`.",
            printable(name)
        ),
    };
    Err(Error::new(ErrorKind::Unsupported, sentence))
}

/// The resource inside of a Parameters resource, or the value itself.
fn inside<'d>(kind: &str, value: Value<'d>) -> Result<Value<'d>, Error> {
    if value.get("resourceType").and_then(Value::as_str) != Some("Parameters") {
        return Ok(value);
    }
    let mut resource = None;
    for part in value.get("parameter").into_iter().flat_map(Value::items) {
        let name = part.get("name").and_then(Value::as_str).unwrap_or_default();
        if name == "resource" {
            resource = part.get("resource");
            continue;
        }
        let mut words = ["valueCode", "valueUri", "valueCanonical", "valueString"].into_iter();
        let word = words.find_map(|form| part.get(form).and_then(Value::as_str));
        asked_for(kind, name, word.unwrap_or_default())?;
    }
    Ok(resource.unwrap_or(value))
}
