//! The form in which a resource is kept, and the form in which it is served.
//!
//! Kept: compact JSON; `resourceType`, `id`, `meta`, then the rest in the order in which it was sent; numbers and
//! strings as they were written. `meta` without `versionId` and `lastUpdated`, which are the ledger's to say, and left
//! out if nothing else is in it. Served: the same bytes with those two written in at the front of `meta`, so that
//! either form follows from the other without parsing, and a reader can check what the ledger committed to.

use crate::json::{Kind, Value, write_compact, write_string};
use crate::reference::is_replaceable;
use crate::time::RecordedAt;
use std::io::Write as _;

/// The stored form of a resource under the given id. The resource has a `resourceType` of R4 and the id is a FHIR id:
/// neither is escaped.
///
/// `rewrite` is asked about every reference and about every `urn:uuid:` and `urn:oid:` in an element that may identify
/// a resource; what it returns takes the place. What stands in the entries of a Bundle is not asked about.
pub fn write(
    resource: Value<'_>,
    id: &str,
    rewrite: &mut dyn FnMut(&str) -> Option<String>,
) -> Vec<u8> {
    let kind = resource.str_at(&["resourceType"]).unwrap_or_default();
    let mut out = deleted(kind, id);
    out.reserve(resource.raw().len());
    out.pop();
    let mut copy = Copy { out, rewrite };
    if let Some(meta) = resource.get("meta") {
        copy.meta(meta);
    }
    for (key, value) in resource.entries() {
        if matches!(key, "resourceType" | "id" | "meta") {
            continue;
        }
        copy.out.push(b',');
        write_string(key, &mut copy.out);
        copy.out.push(b':');
        if key == "entry" && kind == "Bundle" {
            write_compact(value, &mut copy.out);
        } else {
            copy.value(key, value);
        }
    }
    copy.out.push(b'}');
    copy.out
}

/// What is stored for a deletion: the resource's type and id alone.
pub fn deleted(kind: &str, id: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.extend_from_slice(KIND);
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(ID);
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b"\"}");
    out
}

const KIND: &[u8] = b"{\"resourceType\":\"";
const ID: &[u8] = b"\",\"id\":\"";
const META: &[u8] = b",\"meta\":{";
const VERSION: &[u8] = b"\"versionId\":\"";
const UPDATED: &[u8] = b"\",\"lastUpdated\":\"";

/// Appends the form in which a version is served: the stored bytes with `meta.versionId` and `meta.lastUpdated`. Bytes
/// that are not of the stored form are appended as they are.
pub fn served(stored: &[u8], version: u32, recorded_at: RecordedAt, out: &mut Vec<u8>) {
    let Some(head) = head_len(stored) else {
        out.extend_from_slice(stored);
        return;
    };
    let (head, rest) = stored.split_at(head);
    out.reserve(stored.len() + 90);
    out.extend_from_slice(head);
    out.extend_from_slice(META);
    out.extend_from_slice(VERSION);
    // Writing to a vector cannot fail.
    let _ = write!(out, "{version}");
    out.extend_from_slice(UPDATED);
    let _ = write!(out, "{recorded_at}");
    match rest.strip_prefix(META) {
        Some(rest) => {
            out.extend_from_slice(b"\",");
            out.extend_from_slice(rest);
        }
        None => {
            out.extend_from_slice(b"\"}");
            out.extend_from_slice(rest);
        }
    }
}

/// The stored bytes of what [`served`] made; `None` for anything that it could not have made.
pub fn unserved(served: &[u8]) -> Option<Vec<u8>> {
    let (head, rest) = served.split_at(head_len(served)?);
    let rest = rest.strip_prefix(META)?.strip_prefix(VERSION)?;
    let (version, rest) = until_quote(rest)?;
    let version: u32 = std::str::from_utf8(version).ok()?.parse().ok()?;
    let (recorded_at, rest) = until_quote(rest.strip_prefix(&UPDATED[1..])?)?;
    let recorded_at = RecordedAt::parse(std::str::from_utf8(recorded_at).ok()?)?;
    let mut stored = Vec::with_capacity(served.len());
    stored.extend_from_slice(head);
    match rest {
        [b'}', rest @ ..] => stored.extend_from_slice(rest),
        [b',', rest @ ..] => {
            stored.extend_from_slice(META);
            stored.extend_from_slice(rest);
        }
        _ => return None,
    }
    // One spelling only: what would be served otherwise was not served by us.
    let mut again = Vec::with_capacity(served.len());
    self::served(&stored, version, recorded_at, &mut again);
    (again == served).then_some(stored)
}

/// The length of `{"resourceType":"...","id":"..."`.
fn head_len(bytes: &[u8]) -> Option<usize> {
    let (_, rest) = until_quote(bytes.strip_prefix(KIND)?)?;
    let (_, rest) = until_quote(rest.strip_prefix(&ID[1..])?)?;
    Some(bytes.len() - rest.len())
}

/// Splits at the next quote, which goes to neither side. Types, ids, numbers and instants need no escapes.
fn until_quote(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|b| *b == b'"')?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

struct Copy<'r> {
    out: Vec<u8>,
    rewrite: &'r mut dyn FnMut(&str) -> Option<String>,
}

impl Copy<'_> {
    fn meta(&mut self, meta: Value<'_>) {
        let before = self.out.len();
        self.out.extend_from_slice(META);
        let empty = self.out.len();
        for (key, value) in meta.entries() {
            if matches!(
                key.strip_prefix('_').unwrap_or(key),
                "versionId" | "lastUpdated"
            ) {
                continue;
            }
            if self.out.len() > empty {
                self.out.push(b',');
            }
            write_string(key, &mut self.out);
            self.out.push(b':');
            self.value(key, value);
        }
        if self.out.len() == empty {
            self.out.truncate(before);
        } else {
            self.out.push(b'}');
        }
    }

    /// Writes a value that stands, itself or as an item, under `key`.
    fn value(&mut self, key: &str, value: Value<'_>) {
        match value.kind() {
            Kind::Object => {
                self.out.push(b'{');
                for (number, (key, value)) in value.entries().enumerate() {
                    if number > 0 {
                        self.out.push(b',');
                    }
                    write_string(key, &mut self.out);
                    self.out.push(b':');
                    self.value(key, value);
                }
                self.out.push(b'}');
            }
            Kind::Array => {
                self.out.push(b'[');
                for (number, value) in value.items().enumerate() {
                    if number > 0 {
                        self.out.push(b',');
                    }
                    self.value(key, value);
                }
                self.out.push(b']');
            }
            Kind::String => {
                let new = value
                    .as_str()
                    .filter(|text| is_replaceable(key, text))
                    .and_then(|text| (self.rewrite)(text));
                match new {
                    Some(new) => write_string(&new, &mut self.out),
                    None => self.out.extend_from_slice(value.raw()),
                }
            }
            Kind::Null | Kind::Bool | Kind::Number => self.out.extend_from_slice(value.raw()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Doc;

    fn stored(src: &str, id: &str) -> String {
        let doc = Doc::parse(src.as_bytes()).unwrap();
        let new = |text: &str| {
            text.strip_prefix("urn:uuid:")
                .map(|n| format!("Patient/{n}"))
        };
        String::from_utf8(write(doc.root(), id, &mut { new })).unwrap()
    }

    #[test]
    fn the_stored_form_is_compact_ordered_and_rewritten() {
        let rows = [
            (
                r#"{ "id": "old", "active": true, "resourceType": "Patient", "x": 1.50 }"#,
                r#"{"resourceType":"Patient","id":"7","active":true,"x":1.50}"#,
            ),
            (
                r#"{"resourceType":"Patient","a":"\u00e9","meta":{"versionId":"1","lastUpdated":"2026","_versionId":{"id":"q"}}}"#,
                r#"{"resourceType":"Patient","id":"7","a":"\u00e9"}"#,
            ),
            (
                r#"{"resourceType":"Patient","a":[],"meta":{"versionId":"1","profile":["p"],"lastUpdated":"2026","tag":[{"code":"t"}]}}"#,
                r#"{"resourceType":"Patient","id":"7","meta":{"profile":["p"],"tag":[{"code":"t"}]},"a":[]}"#,
            ),
            (
                r#"{"resourceType":"Observation","subject":{"reference":"urn:uuid:9","display":"urn:uuid:9"},"identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:9"}],"instantiatesUri":["urn:uuid:9","http://x"],"extension":[{"url":"x","valueUri":"urn:uuid:9"},{"url":"x","valueString":"urn:uuid:9"}]}"#,
                r#"{"resourceType":"Observation","id":"7","subject":{"reference":"Patient/9","display":"urn:uuid:9"},"identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:9"}],"instantiatesUri":["Patient/9","http://x"],"extension":[{"url":"x","valueUri":"Patient/9"},{"url":"x","valueString":"urn:uuid:9"}]}"#,
            ),
            (
                r#"{"resourceType":"Bundle","entry":[{"fullUrl":"urn:uuid:9","resource":{"a":{"reference":"urn:uuid:9"}}}],"type":"document"}"#,
                r#"{"resourceType":"Bundle","id":"7","entry":[{"fullUrl":"urn:uuid:9","resource":{"a":{"reference":"urn:uuid:9"}}}],"type":"document"}"#,
            ),
        ];
        for (src, expect) in rows {
            assert_eq!(stored(src, "7"), expect);
            assert_eq!(stored(expect, "7"), expect, "storing again changes nothing");
        }
    }

    #[test]
    fn what_is_served_gives_back_what_was_stored() {
        let recorded_at = RecordedAt(1_772_352_930_250_001);
        let rows = [
            (
                r#"{"resourceType":"Patient","id":"7","active":true}"#,
                r#"{"resourceType":"Patient","id":"7","meta":{"versionId":"3","lastUpdated":"2026-03-01T08:15:30.250001Z"},"active":true}"#,
            ),
            (
                r#"{"resourceType":"Patient","id":"7","meta":{"profile":["p"]},"active":true}"#,
                r#"{"resourceType":"Patient","id":"7","meta":{"versionId":"3","lastUpdated":"2026-03-01T08:15:30.250001Z","profile":["p"]},"active":true}"#,
            ),
            (
                r#"{"resourceType":"Patient","id":"7"}"#,
                r#"{"resourceType":"Patient","id":"7","meta":{"versionId":"3","lastUpdated":"2026-03-01T08:15:30.250001Z"}}"#,
            ),
        ];
        for (stored, expect) in rows {
            let mut out = Vec::new();
            served(stored.as_bytes(), 3, recorded_at, &mut out);
            assert_eq!(std::str::from_utf8(&out).unwrap(), expect);
            assert_eq!(unserved(&out).as_deref(), Some(stored.as_bytes()));
            let doc = Doc::parse(&out).unwrap();
            assert_eq!(
                write(doc.root(), "7", &mut |_| None),
                stored.as_bytes(),
                "sending it back stores the same"
            );
            // Nothing but what was served is taken for it.
            for at in 0..out.len() {
                let mut cut = out.clone();
                cut.remove(at);
                let other = unserved(&cut);
                assert!(
                    other.is_none_or(|s| s != stored.as_bytes() || at > 60 && at < 120),
                    "{at}"
                );
            }
        }
        for refused in [
            "",
            "{}",
            r#"{"resourceType":"Patient","id":"7"}"#,
            r#"{"resourceType":"Patient","id":"7","meta":{"versionId":"03","lastUpdated":"2026-03-01T08:15:30.250001Z"}}"#,
            r#"{"resourceType":"Patient","id":"7","meta":{"versionId":"3","lastUpdated":"2026-03-01T08:15:30.25Z"}}"#,
            r#"{"resourceType":"Patient","id":"7","meta":{"versionId":"3","lastUpdated":"2026-03-01T08:15:30.250001Z"},"meta":{"profile":["p"]}}"#,
        ] {
            assert_eq!(unserved(refused.as_bytes()), None, "{refused}");
        }
        assert_eq!(
            deleted("Patient", "7"),
            br#"{"resourceType":"Patient","id":"7"}"#
        );
    }
}
