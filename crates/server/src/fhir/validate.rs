//! `$validate`: what the structural validation says about a resource, without storing it.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use record::json::{Doc, Value};

use super::scope::Verb;
use super::{Answer, Ask, Content, Gives, body, known_kind, outcome};
use crate::error::Error;

/// `POST [base]/Kind/$validate` with the resource, or a Parameters with it as `resource`.
pub async fn post(
    ask: Ask,
    Path(kind): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    known_kind(&kind)?;
    ask.grant.check(&kind, Verb::Read)?;
    let bytes = body::read_json(&headers, body, ask.api.settings().resource_bytes_max).await?;
    super::away(move || {
        let doc: Doc<'_> = body::parse(&bytes)?;
        let resource = inside(doc.root());
        body::must_be(resource, &kind)?;
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

/// The resource inside of a Parameters resource, or the value itself.
fn inside(value: Value<'_>) -> Value<'_> {
    if value.get("resourceType").and_then(Value::as_str) != Some("Parameters") {
        return value;
    }
    value
        .get("parameter")
        .into_iter()
        .flat_map(Value::items)
        .find(|part| part.get("name").and_then(Value::as_str) == Some("resource"))
        .and_then(|part| part.get("resource"))
        .unwrap_or(value)
}
