//! Bodies of requests: read up to a limit, told apart by their type, parsed with the place of a fault.

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, header};
use record::json::{Doc, Value};

use super::negotiate::{self, Media, printable};
use crate::error::{Error, ErrorKind};
use crate::serving::body::was_too_slow;

/// How much of a body that is too large is read and thrown away, as a multiple of the limit, so
/// that the client gets to see the answer instead of a broken connection.
const DRAINED: usize = 4;

/// Reads a JSON body of at most `bytes_max` bytes.
pub async fn read_json(headers: &HeaderMap, body: Body, bytes_max: usize) -> Result<Bytes, Error> {
    if negotiate::media(headers)? != Media::Json {
        return Err(Error::new(
            ErrorKind::WrongMedia,
            "The body is a form; send `Content-Type: application/fhir+json`.",
        ));
    }
    read(headers, body, bytes_max).await
}

/// Reads a body of at most `bytes_max` bytes.
pub async fn read(headers: &HeaderMap, mut body: Body, bytes_max: usize) -> Result<Bytes, Error> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    let mut too_large = announced.is_some_and(|length| length > bytes_max);
    let mut first: Option<Bytes> = None;
    let mut whole: Vec<u8> = Vec::new();
    let mut seen = 0usize;
    loop {
        let frame = std::future::poll_fn(|context| {
            HttpBody::poll_frame(std::pin::Pin::new(&mut body), context)
        })
        .await;
        let data = match frame {
            None => break,
            Some(Err(problem)) if was_too_slow(&problem) => {
                return Err(Error::new(
                    ErrorKind::TooSlow,
                    "The body did not come within the time that there is for it. Nothing was stored.",
                )
                .because(problem));
            }
            Some(Err(problem)) => {
                return Err(Error::new(
                    ErrorKind::Malformed,
                    "The body ended before it was complete.",
                )
                .because(problem));
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => data,
                Err(_) => continue,
            },
        };
        seen += data.len();
        too_large |= seen > bytes_max;
        if too_large {
            (first, whole) = (None, Vec::new());
            if seen > bytes_max.saturating_mul(DRAINED) {
                break;
            }
        } else if whole.is_empty() && first.is_none() {
            first = Some(data);
        } else {
            if let Some(first) = first.take() {
                whole.reserve(announced.unwrap_or(first.len() * 2));
                whole.extend_from_slice(&first);
            }
            whole.extend_from_slice(&data);
        }
    }
    if too_large {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "The body is larger than the {} that are taken here. Nothing was stored.",
                size(bytes_max)
            ),
        ));
    }
    Ok(first.unwrap_or_else(|| whole.into()))
}

fn size(bytes: usize) -> String {
    if bytes >= 1 << 20 && bytes.is_multiple_of(1 << 20) {
        format!("{} MB", bytes >> 20)
    } else {
        format!("{bytes} bytes")
    }
}

/// Parses JSON; the error names line and column.
pub fn parse(bytes: &[u8]) -> Result<Doc<'_>, Error> {
    Doc::parse(bytes).map_err(|problem| {
        Error::new(
            ErrorKind::Malformed,
            format!("The body cannot be read as JSON. {problem}."),
        )
    })
}

/// The resource type that a parsed value says it is.
pub fn kind_of(value: Value<'_>) -> Result<&str, Error> {
    if !value.is_object() {
        return Err(Error::new(
            ErrorKind::Malformed,
            "The body is not a resource: it is no JSON object.",
        ));
    }
    let Some(kind) = value.get("resourceType").and_then(Value::as_str) else {
        return Err(Error::new(
            ErrorKind::Malformed,
            "The body is not a resource: it has no `resourceType`.",
        ));
    };
    if record::definitions::kind_number(kind).is_none() {
        return Err(Error::new(
            ErrorKind::Malformed,
            format!(
                "There is no resource type `{}` in FHIR R4.",
                printable(kind)
            ),
        ));
    }
    Ok(kind)
}

/// Refuses a resource of another type than the address says.
pub fn must_be(value: Value<'_>, kind: &str) -> Result<(), Error> {
    let seen = kind_of(value)?;
    if seen == kind {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Malformed,
        format!("The body is of type {seen}, but the address says {kind}."),
    ))
}
