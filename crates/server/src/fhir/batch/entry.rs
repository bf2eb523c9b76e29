//! One entry of a batch or transaction: its request, read and judged before anything is done.

use record::json::Value;

use crate::error::{Error, ErrorKind};
use crate::fhir::negotiate::{Tags, printable};
use crate::fhir::{Conditions, body, known_id, known_kind, query};

/// The methods that an entry may have, in the order in which a transaction does them.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// First.
    Delete,
    /// Second.
    Post,
    /// Third.
    Put,
    /// Last.
    Get,
}

/// What an entry's `request.url` leads to, below the base.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the fields are the parts of the pattern above them"
)]
pub enum Address {
    /// `metadata`
    Capabilities,
    /// `kind` or `kind?query`
    Kind { kind: String, query: String },
    /// `kind/id`
    One {
        kind: String,
        id: String,
        query: String,
    },
    /// `kind/id/_history`
    History {
        kind: String,
        id: String,
        query: String,
    },
    /// `kind/id/_history/version`
    Version {
        kind: String,
        id: String,
        version: String,
        query: String,
    },
}

impl Address {
    /// Reads an address: relative, or absolute below `base`.
    pub fn parse(base: &str, url: &str) -> Result<Address, Error> {
        let rest = match url.strip_prefix(base) {
            Some(rest) if rest.starts_with('/') => rest,
            _ => url,
        };
        let rest = rest.trim_start_matches('/');
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let query = query.to_owned();
        let segments = path
            .split('/')
            .map(query::decode_segment)
            .collect::<Result<Vec<_>, Error>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let address = match segments.as_slice() {
            ["metadata"] => return Ok(Address::Capabilities),
            [kind] => Address::Kind {
                kind: (*kind).to_owned(),
                query,
            },
            [kind, id] => Address::One {
                kind: (*kind).to_owned(),
                id: (*id).to_owned(),
                query,
            },
            [kind, id, "_history"] => Address::History {
                kind: (*kind).to_owned(),
                id: (*id).to_owned(),
                query,
            },
            [kind, id, "_history", version] => Address::Version {
                kind: (*kind).to_owned(),
                id: (*id).to_owned(),
                version: (*version).to_owned(),
                query,
            },
            _ => return Err(not_here(url)),
        };
        match &address {
            Address::Capabilities => {}
            Address::Kind { kind, .. } if kind.starts_with(['_', '$']) || kind.contains(':') => {
                return Err(not_here(url));
            }
            Address::Kind { kind, .. } => known_kind(kind)?,
            Address::One { kind, id, .. }
            | Address::History { kind, id, .. }
            | Address::Version { kind, id, .. } => {
                known_kind(kind)?;
                if id.starts_with(['_', '$']) {
                    return Err(not_here(url));
                }
                known_id(id)?;
            }
        }
        Ok(address)
    }
}

fn not_here(url: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "`{}` cannot be the address of a bundle's entry; write `Kind`, `Kind/id`, `Kind?search` or a history.",
            printable(url)
        ),
    )
}

/// One entry.
pub struct Entry<'d> {
    /// Its place in the bundle.
    pub number: usize,
    /// What the other entries call its resource.
    pub full_url: Option<&'d str>,
    /// What is to be done.
    pub method: Method,
    /// To what.
    pub address: Address,
    /// With what.
    pub resource: Option<Value<'d>>,
    /// Under which conditions.
    pub conditions: Conditions,
}

impl<'d> Entry<'d> {
    /// Reads an entry. The resource's content is not judged here.
    pub fn read(base: &str, number: usize, entry: Value<'d>) -> Result<Entry<'d>, Error> {
        let malformed = |message: String| Err(Error::new(ErrorKind::Malformed, message));
        unknown_key(entry, "It", &ENTRY_KEYS)?;
        let Some(request) = entry.get("request").filter(|request| request.is_object()) else {
            return malformed("It has no `request`, so it is not clear what to do with it.".into());
        };
        unknown_key(request, "`request`", &REQUEST_KEYS)?;
        let text = |name: &str| match request.get(name) {
            None => Ok(None),
            Some(value) => match value.as_str() {
                Some(text) => Ok(Some(text)),
                None => Err(Error::new(
                    ErrorKind::Malformed,
                    format!("`request.{name}` is not a string."),
                )),
            },
        };
        let method = match text("method")? {
            Some("DELETE") => Method::Delete,
            Some("POST") => Method::Post,
            Some("PUT") => Method::Put,
            Some("GET") => Method::Get,
            Some(other) => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "The method `{}` is not done in bundles; there are GET, POST, PUT and DELETE.",
                        printable(other)
                    ),
                ));
            }
            None => return malformed("It has no `request.method`.".into()),
        };
        let Some(url) = text("url")? else {
            return malformed("It has no `request.url`.".into());
        };
        let address = Address::parse(base, url)?;
        let resource = entry.get("resource");
        match (method, &address, resource) {
            (Method::Post, Address::Kind { kind, query }, Some(resource)) if query.is_empty() => {
                body::must_be(resource, kind)?;
            }
            (Method::Put, Address::Kind { kind, query }, Some(resource)) if !query.is_empty() => {
                body::must_be(resource, kind)?;
            }
            (Method::Put, Address::One { kind, query, .. }, Some(resource)) if query.is_empty() => {
                body::must_be(resource, kind)?;
            }
            (Method::Post | Method::Put, Address::Kind { .. } | Address::One { .. }, None) => {
                return malformed("It has no `resource` to store.".into());
            }
            (Method::Delete, Address::One { query, .. }, None) if query.is_empty() => {}
            (Method::Delete, Address::Kind { query, .. }, None) if !query.is_empty() => {}
            (Method::Get | Method::Delete, _, Some(_)) => {
                return malformed("It has a `resource`, but its method takes none.".into());
            }
            (Method::Get, _, None) => {}
            _ => {
                return malformed(format!(
                    "`{}` is not an address for its method.",
                    printable(url)
                ));
            }
        }
        let tags = |name: &str| match text(name)? {
            None => Ok(None),
            Some(value) => Tags::parse(name, value).map(Some),
        };
        let conditions = Conditions {
            if_match: tags("ifMatch")?,
            if_none_match: tags("ifNoneMatch")?,
            if_modified_since: match text("ifModifiedSince")? {
                None => None,
                Some(value) => match record::time::RecordedAt::parse(value) {
                    Some(at) => Some(at.0.div_euclid(1_000_000)),
                    None => {
                        return malformed(format!(
                            "`request.ifModifiedSince` `{}` is not an instant.",
                            printable(value)
                        ));
                    }
                },
            },
            if_none_exist: text("ifNoneExist")?
                .map(|value| value.trim_start_matches('?').to_owned()),
        };
        let full_url = match entry.get("fullUrl") {
            None => None,
            Some(value) => match value.as_str() {
                Some(text) => Some(text),
                None => return malformed("`fullUrl` is not a string.".into()),
            },
        };
        Ok(Entry {
            number,
            full_url,
            method,
            address,
            resource,
            conditions,
        })
    }

    /// `Bundle.entry[3]`
    pub fn place(&self) -> String {
        place(self.number)
    }
}

const ENTRY_KEYS: [&str; 9] = [
    "id",
    "extension",
    "modifierExtension",
    "link",
    "fullUrl",
    "resource",
    "search",
    "request",
    "response",
];
const REQUEST_KEYS: [&str; 9] = [
    "id",
    "extension",
    "modifierExtension",
    "method",
    "url",
    "ifNoneMatch",
    "ifModifiedSince",
    "ifMatch",
    "ifNoneExist",
];

/// A misspelt condition would be no condition at all.
fn unknown_key(value: Value<'_>, what: &str, known: &[&str]) -> Result<(), Error> {
    match value
        .entries()
        .find(|(key, _)| !known.contains(&key.trim_start_matches('_')))
    {
        None => Ok(()),
        Some((key, _)) => Err(Error::new(
            ErrorKind::Malformed,
            format!(
                "{what} has an element `{}` that FHIR R4 does not know.",
                printable(key)
            ),
        )),
    }
}

/// `Bundle.entry[3]`
pub fn place(number: usize) -> String {
    format!("Bundle.entry[{number}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        for (url, expected) in [
            ("Patient", r#"Kind { kind: "Patient", query: "" }"#),
            (
                "Patient?a=b%7C",
                r#"Kind { kind: "Patient", query: "a=b%7C" }"#,
            ),
            (
                "/Patient/1",
                r#"One { kind: "Patient", id: "1", query: "" }"#,
            ),
            (
                "http://h/fhir/Patient/1",
                r#"One { kind: "Patient", id: "1", query: "" }"#,
            ),
            (
                "Patient/1/_history",
                r#"History { kind: "Patient", id: "1", query: "" }"#,
            ),
            (
                "Patient/1/_history/2",
                r#"Version { kind: "Patient", id: "1", version: "2", query: "" }"#,
            ),
            ("metadata", "Capabilities"),
            (
                "Soldier/1",
                "There is no resource type `Soldier` in FHIR R4.",
            ),
            (
                "Patient/a b",
                "`a b` is not an id: ids are 1 to 64 letters, digits, `-` and `.`.",
            ),
            (
                "http://elsewhere/fhir/Patient/1",
                "`http://elsewhere/fhir/Patient/1` cannot be the address of a bundle's entry; write `Kind`, `Kind/id`, `Kind?search` or a history.",
            ),
            (
                "Patient/_search",
                "`Patient/_search` cannot be the address of a bundle's entry; write `Kind`, `Kind/id`, `Kind?search` or a history.",
            ),
        ] {
            let seen = match Address::parse("http://h/fhir", url) {
                Ok(address) => format!("{address:?}"),
                Err(error) => error.message,
            };
            assert_eq!(seen, expected, "{url}");
        }
    }

    #[test]
    fn an_entry_that_makes_no_sense_says_why() {
        for (json, expected) in [
            (
                "{}",
                "It has no `request`, so it is not clear what to do with it.",
            ),
            (
                r#"{"request":{"url":"Patient"}}"#,
                "It has no `request.method`.",
            ),
            (
                r#"{"request":{"method":"POST"}}"#,
                "It has no `request.url`.",
            ),
            (
                r#"{"request":{"method":"POST","url":"Patient"}}"#,
                "It has no `resource` to store.",
            ),
            (
                r#"{"request":{"method":"PATCH","url":"Patient/1"}}"#,
                "The method `PATCH` is not done in bundles; there are GET, POST, PUT and DELETE.",
            ),
            (
                r#"{"request":{"method":"POST","url":"Patient/1"},"resource":{"resourceType":"Patient"}}"#,
                "`Patient/1` is not an address for its method.",
            ),
            (
                r#"{"request":{"method":"PUT","url":"Patient"},"resource":{"resourceType":"Patient"}}"#,
                "`Patient` is not an address for its method.",
            ),
            (
                r#"{"request":{"method":"POST","url":"Observation"},"resource":{"resourceType":"Patient"}}"#,
                "The body is of type Patient, but the address says Observation.",
            ),
            (
                r#"{"request":{"method":"DELETE","url":"Patient"}}"#,
                "`Patient` is not an address for its method.",
            ),
            (
                r#"{"request":{"method":"GET","url":"Patient/1"},"resource":{"resourceType":"Patient"}}"#,
                "It has a `resource`, but its method takes none.",
            ),
            (
                r#"{"request":{"method":"DELETE","url":"Patient/1","ifmatch":"W/\"1\""}}"#,
                "`request` has an element `ifmatch` that FHIR R4 does not know.",
            ),
            (
                r#"{"request":{"method":"PUT","url":"Patient/1","ifMatch":"x"},"resource":{"resourceType":"Patient"}}"#,
                "`ifMatch: x` is not an entity tag; write `ifMatch: W/\"3\"` for version 3.",
            ),
        ] {
            let doc = body::parse(json.as_bytes()).expect("it is JSON");
            let seen = Entry::read("http://h/fhir", 0, doc.root())
                .err()
                .map(|error| error.message);
            assert_eq!(seen.as_deref(), Some(expected), "{json}");
        }
    }
}
