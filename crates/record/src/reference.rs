//! References between resources: what one says, where they stand, and replacing them.
//!
//! No reference is followed here; this is text and structure only.

use crate::definitions;
use crate::json::{Kind, Value};

/// What the text of a reference says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'a> {
    /// `Patient/17`, `Patient/17/_history/2`: on this server.
    Relative(Target<'a>),
    /// `https://example.org/fhir/Patient/17`: the base without its last slash, and the rest.
    Absolute(&'a str, Target<'a>),
    /// `Patient?identifier=...`: to be searched for while a transaction is processed.
    Conditional {
        /// The kind to search.
        kind: &'static str,
        /// The search, after the question mark.
        query: &'a str,
    },
    /// `#med`: a contained resource, the id without `#`; empty for the resource that contains.
    Contained(&'a str),
    /// `urn:uuid:...`, `urn:oid:...`, whole.
    Urn(&'a str),
    /// Anything else, such as a canonical URL: whole.
    Other(&'a str),
}

/// The resource that a literal reference leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// The resource type.
    pub kind: &'static str,
    /// Its logical id.
    pub id: &'a str,
    /// The version, if one was named.
    pub version: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Reads the text of a reference.
    ///
    /// ```
    /// use record::reference::Reference;
    /// let reference = Reference::parse("Patient/17/_history/2");
    /// let target = reference.target().unwrap();
    /// assert_eq!((target.kind, target.id, target.version), ("Patient", "17", Some("2")));
    /// ```
    pub fn parse(text: &'a str) -> Reference<'a> {
        if let Some(id) = text.strip_prefix('#') {
            return Reference::Contained(id);
        }
        if text.starts_with("urn:") {
            return Reference::Urn(text);
        }
        if let Some((kind, query)) = text.split_once('?')
            && let Some(kind) = known_kind(kind)
        {
            return Reference::Conditional { kind, query };
        }
        // From the end: [version, "_history",] id, kind.
        let (whole, version) = match text.rsplit_once("/_history/") {
            Some((whole, version)) if is_id(version) => (whole, Some(version)),
            Some(_) => return Reference::Other(text),
            None => (text, None),
        };
        let Some((before, id)) = whole.rsplit_once('/') else {
            return Reference::Other(text);
        };
        let (base, kind) = match before.rsplit_once('/') {
            Some((base, kind)) => (Some(base), kind),
            None => (None, before),
        };
        let Some(kind) = known_kind(kind).filter(|_| is_id(id)) else {
            return Reference::Other(text);
        };
        let target = Target { kind, id, version };
        match base {
            None => Reference::Relative(target),
            Some(base) if base.starts_with("http://") || base.starts_with("https://") => {
                Reference::Absolute(base, target)
            }
            Some(_) => Reference::Other(text),
        }
    }

    /// Where a relative or absolute reference leads.
    pub fn target(self) -> Option<Target<'a>> {
        match self {
            Reference::Relative(target) | Reference::Absolute(_, target) => Some(target),
            _ => None,
        }
    }

    /// Where it leads on the server with this base (`https://example.org/fhir`): relative references, and absolute
    /// ones under that base.
    pub fn local_target(self, base_url: &str) -> Option<Target<'a>> {
        match self {
            Reference::Relative(target) => Some(target),
            Reference::Absolute(base, target) if base == base_url.trim_end_matches('/') => {
                Some(target)
            }
            _ => None,
        }
    }
}

fn known_kind(name: &str) -> Option<&'static str> {
    definitions::kind_number(name).and_then(definitions::kind_name)
}

/// Is it a FHIR `id`: 1 to 64 of `A-Z a-z 0-9 - .`?
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

/// Calls `found` with the text of every reference in a resource: every string `reference` of an object, contained
/// resources included. The entries of a Bundle are left alone: what stands in them is theirs.
pub fn visit<'d>(resource: Value<'d>, found: &mut dyn FnMut(&'d str)) {
    for (key, value) in resource.entries() {
        if key == "entry" && resource.str_at(&["resourceType"]) == Some("Bundle") {
            continue;
        }
        if let Some(text) = reference_text(key, value) {
            found(text);
        } else {
            visit_inside(value, found);
        }
    }
}

fn visit_inside<'d>(value: Value<'d>, found: &mut dyn FnMut(&'d str)) {
    match value.kind() {
        Kind::Object => visit(value, found),
        Kind::Array => value.items().for_each(|item| visit_inside(item, found)),
        _ => {}
    }
}

/// The text, if this member is the `reference` of a Reference. Three elements of R4 (in Expression, DetectedIssue and
/// Immunization.education) are a uri of that name: those count as references too, mostly to a [`Reference::Other`].
#[inline]
pub(crate) fn reference_text<'d>(key: &str, value: Value<'d>) -> Option<&'d str> {
    if key == "reference" {
        value.as_str()
    } else {
        None
    }
}

/// May a transaction replace this string by the identity of another of its entries? FHIR names references and all
/// elements of the types uri, url, oid and uuid; of the latter only whole `urn:uuid:` and `urn:oid:` values can be
/// meant. Business identifiers, code systems and prose that happen to hold one stay.
#[inline]
pub(crate) fn is_replaceable(key: &str, text: &str) -> bool {
    key == "reference"
        || ((text.starts_with("urn:uuid:") || text.starts_with("urn:oid:"))
            && !matches!(
                key,
                "value" | "system" | "display" | "text" | "fullUrl" | "div"
            )
            && (!key.starts_with("value")
                || matches!(key, "valueUri" | "valueUrl" | "valueOid" | "valueUuid")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Doc;

    #[test]
    fn a_reference_says_where_it_leads() {
        let target = |kind, id, version| Target { kind, id, version };
        let rows = [
            (
                "Patient/17",
                Reference::Relative(target("Patient", "17", None)),
            ),
            (
                "Patient/17/_history/2",
                Reference::Relative(target("Patient", "17", Some("2"))),
            ),
            (
                "https://example.org/fhir/Patient/a-B.9",
                Reference::Absolute("https://example.org/fhir", target("Patient", "a-B.9", None)),
            ),
            (
                "http://h/Observation/1/_history/3",
                Reference::Absolute("http://h", target("Observation", "1", Some("3"))),
            ),
            (
                "Patient?identifier=x|1&a=b",
                Reference::Conditional {
                    kind: "Patient",
                    query: "identifier=x|1&a=b",
                },
            ),
            ("#med", Reference::Contained("med")),
            ("#", Reference::Contained("")),
            ("urn:uuid:0f", Reference::Urn("urn:uuid:0f")),
            ("urn:oid:1.2", Reference::Urn("urn:oid:1.2")),
            ("Soldier/17", Reference::Other("Soldier/17")),
            ("Patient/", Reference::Other("Patient/")),
            ("Patient/a b", Reference::Other("Patient/a b")),
            ("patient/17", Reference::Other("patient/17")),
            ("x/Patient/17", Reference::Other("x/Patient/17")),
            ("/Patient/17", Reference::Other("/Patient/17")),
            ("Patient", Reference::Other("Patient")),
            (
                "Patient/17/_history/",
                Reference::Other("Patient/17/_history/"),
            ),
            ("http://loinc.org", Reference::Other("http://loinc.org")),
            ("Resource/1", Reference::Other("Resource/1")),
            ("", Reference::Other("")),
        ];
        for (text, expect) in rows {
            assert_eq!(Reference::parse(text), expect, "{text}");
        }
        let local = Reference::parse("http://h/fhir/Patient/1")
            .local_target("http://h/fhir/")
            .map(|t| t.id);
        assert_eq!(local, Some("1"));
        assert_eq!(
            Reference::parse("http://other/Patient/1").local_target("http://h/fhir"),
            None
        );
    }

    #[test]
    fn every_reference_is_visited() {
        let src = br##"{"resourceType":"Observation","subject":{"reference":"Patient/1"},
            "performer":[{"reference":"Practitioner/2"},{"display":"reference"}],
            "contained":[{"resourceType":"Patient","managingOrganization":{"reference":"#o"}}],
            "extension":[{"url":"u","valueReference":{"reference":"Group/3"}}],"reference":{"reference":"x"}}"##;
        let doc = Doc::parse(src).unwrap();
        let mut found = Vec::new();
        visit(doc.root(), &mut |text| found.push(text));
        assert_eq!(found, ["Patient/1", "Practitioner/2", "#o", "Group/3", "x"]);
        let doc = Doc::parse(
            br#"{"resourceType":"Bundle","entry":[{"resource":{"a":{"reference":"b"}}}]}"#,
        )
        .unwrap();
        visit(doc.root(), &mut |text| panic!("{text}"));
    }
}
