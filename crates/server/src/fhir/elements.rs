//! `_elements`: only some of a resource's elements, and the tag that says that it is not all.

use std::borrow::Cow;

use record::definitions::definitions;
use record::json::{Doc, write_compact, write_string};

use super::Ask;
use super::negotiate::printable;
use crate::error::{Error, ErrorKind};

/// Which elements are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elements(Vec<String>);

/// The mark of a resource that was not given whole.
const SUBSETTED: &str =
    r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}"#;

/// The elements that a read asks for; any other parameter has no meaning on a read.
pub fn of(ask: &Ask) -> Result<Option<Elements>, Error> {
    match ask.params.as_slice() {
        [] => Ok(None),
        [(name, value)] if name == "_elements" => Elements::parse(value).map(Some),
        _ => {
            let mut rest = ask.clone();
            rest.params.retain(|(name, _)| name != "_elements");
            rest.refuse_params()?;
            let value = ask.params.iter().find(|(name, _)| name == "_elements");
            value.map(|(_, value)| Elements::parse(value)).transpose()
        }
    }
}

impl Elements {
    /// Reads names separated by commas. `Kind.name` counts for every kind that has it.
    pub fn parse(text: &str) -> Result<Elements, Error> {
        let mut names = Vec::new();
        for name in text.split(',').map(str::trim) {
            let name = name.split_once('.').map_or(name, |(_, name)| name);
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(Error::new(
                    ErrorKind::Malformed,
                    format!(
                        "`_elements={}` is not a list of top-level elements.",
                        printable(text)
                    ),
                ));
            }
            names.push(name.to_owned());
        }
        Ok(Elements(names))
    }

    /// The resource with these elements alone (a choice by its name without the type), and with
    /// what may never be missing: type, id, meta, and the mandatory elements of its kind.
    pub fn pick(&self, kind: &str, served: &[u8]) -> Result<Vec<u8>, Error> {
        let doc = Doc::parse(served).map_err(Error::internal)?;
        let mut out = Vec::with_capacity(served.len());
        out.push(b'{');
        for (key, value) in doc.root().entries() {
            if !self.keeps(kind, key) {
                continue;
            }
            if out.len() > 1 {
                out.push(b',');
            }
            write_string(key, &mut out);
            out.push(b':');
            if key == "meta" {
                tagged(value, &mut out);
            } else {
                write_compact(value, &mut out);
            }
        }
        out.push(b'}');
        Ok(out)
    }

    fn keeps(&self, kind: &str, key: &str) -> bool {
        let plain = key.trim_start_matches('_');
        if matches!(plain, "resourceType" | "id" | "meta") {
            return true;
        }
        let Some(of_kind) = definitions().kind(kind) else {
            return true;
        };
        of_kind.element(plain).is_some_and(|element| {
            of_kind.requires(element) || self.0.iter().any(|name| name == element.path_name)
        })
    }
}

/// `meta` with the mark among its tags.
fn tagged(meta: record::json::Value<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut separator: Cow<'static, str> = "".into();
    let mut done = false;
    for (key, value) in meta.entries() {
        out.extend_from_slice(separator.as_bytes());
        separator = ",".into();
        write_string(key, out);
        out.push(b':');
        if key == "tag" {
            done = true;
            out.push(b'[');
            for tag in value.items() {
                write_compact(tag, out);
                out.push(b',');
            }
            out.extend_from_slice(SUBSETTED.as_bytes());
            out.push(b']');
        } else {
            write_compact(value, out);
        }
    }
    if !done {
        out.extend_from_slice(separator.as_bytes());
        out.extend_from_slice(b"\"tag\":[");
        out.extend_from_slice(SUBSETTED.as_bytes());
        out.push(b']');
    }
    out.push(b'}');
}
