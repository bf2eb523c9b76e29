//! Every sample passes, comes back byte for byte, and is found out wherever it is spoilt.

use record::finding::Finding;
use record::json::{Doc, Kind, Value, write_compact};
use record::time::RecordedAt;
use record::{definitions, happened, person, stored, validate};

fn samples() -> impl Iterator<Item = &'static str> {
    include_str!("../data/synthea.ndjson")
        .lines()
        .chain(include_str!("../data/hl7.ndjson").lines())
}

fn findings(src: &str) -> Vec<Finding> {
    let doc = Doc::parse(src.as_bytes()).unwrap_or_else(|e| panic!("{src}: {e}"));
    validate::validate(doc.root())
}

#[test]
fn every_sample_is_in_order() {
    let mut count = 0;
    for src in samples() {
        assert_eq!(findings(src), [], "{src}");
        count += 1;
    }
    assert_eq!(count, 165);
}

#[test]
fn every_sample_comes_back_as_it_was() {
    for src in samples() {
        let doc = Doc::parse(src.as_bytes()).unwrap();
        let pretty: serde_json::Value = serde_json::from_str(src).unwrap();
        let pretty = serde_json::to_string_pretty(&pretty).unwrap();
        let pretty = Doc::parse(pretty.as_bytes()).unwrap();
        for doc in [&doc, &pretty] {
            let mut out = Vec::new();
            write_compact(doc.root(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), src);
        }
        let stored = stored::write(doc.root(), "7", &mut |_| None);
        assert_eq!(stored, stored::write(pretty.root(), "7", &mut |_| None));
        let mut served = Vec::new();
        stored::served(&stored, 3, RecordedAt(1_772_352_930_250_001), &mut served);
        assert_eq!(stored::unserved(&served).as_deref(), Some(&*stored));
        let again = Doc::parse(&served).unwrap();
        assert_eq!(again.root().str_at(&["meta", "versionId"]), Some("3"));
        assert_eq!(stored::write(again.root(), "7", &mut |_| None), stored);
        let findings = validate::validate(again.root());
        assert_eq!(findings, [], "{src}");
    }
}

/// Calls `each` with every member of every object in the document.
fn members<'d>(value: Value<'d>, each: &mut dyn FnMut(&'d str, Value<'d>)) {
    for (key, member) in value.entries() {
        each(key, member);
        members(member, each);
    }
    for item in value.items() {
        members(item, each);
    }
}

#[test]
fn a_member_of_another_name_is_found_wherever_it_stands() {
    for src in samples() {
        let doc = Doc::parse(src.as_bytes()).unwrap();
        members(doc.root(), &mut |key, value| {
            // The key stands before the value: `"key":`.
            let at = value.offset() - key.len() - 2;
            assert_eq!(&src[at..at + key.len()], key);
            let spoilt = format!("{}zzz{}", &src[..at], &src[at + key.len()..]);
            let found = findings(&spoilt);
            if key == "resourceType" {
                assert!(found.iter().any(Finding::is_error), "{spoilt}");
            } else {
                assert!(
                    found
                        .iter()
                        .any(|f| f.is_error() && f.expression.ends_with(".zzz")),
                    "{key}: {spoilt}"
                );
            }
        });
    }
}

#[test]
fn a_value_of_another_shape_is_found_wherever_it_stands() {
    for src in samples() {
        let doc = Doc::parse(src.as_bytes()).unwrap();
        members(doc.root(), &mut |key, value| {
            if key == "resourceType" {
                return;
            }
            let others: &[&str] = match value.kind() {
                Kind::Object => &["\"x\"", "7", "[{\"id\":\"x\"}]", "{}", "null"],
                Kind::Array => &[
                    "\"x\"",
                    "7",
                    "{\"id\":\"x\"}",
                    "[]",
                    "null",
                    "[[]]",
                    "[null]",
                ],
                Kind::String => &["7", "{\"id\":\"x\"}", "[\"x\"]", "\"\"", "null", "true"],
                _ => &["\"x\"", "{\"id\":\"x\"}", "[7]", "\"\"", "null"],
            };
            for other in others {
                let spoilt = format!(
                    "{}{other}{}",
                    &src[..value.offset()],
                    &src[value.offset() + value.raw().len()..]
                );
                let is_found = findings(&spoilt).iter().any(|f| {
                    let last = f.expression.rsplit('.').next().unwrap_or_default();
                    let name = last.split('[').next().unwrap_or_default();
                    f.is_error() && key.trim_start_matches('_').starts_with(name)
                });
                assert!(is_found, "{key} = {other}: {spoilt}");
            }
        });
    }
}

#[test]
fn a_document_cut_anywhere_is_refused() {
    for src in include_str!("../data/synthea.ndjson").lines() {
        for at in (0..src.len()).filter(|at| src.is_char_boundary(*at)) {
            let error = Doc::parse(&src.as_bytes()[..at]).unwrap_err();
            // A cut number or escape is told from where it begins.
            assert!(
                error.line == 1 && error.offset <= at && error.offset + 24 > at,
                "{error}: {src}"
            );
        }
    }
}

#[test]
fn the_clinical_samples_have_a_time_and_a_kind() {
    let mut with_time = 0;
    for src in samples() {
        let doc = Doc::parse(src.as_bytes()).unwrap();
        let kind = doc.root().str_at(&["resourceType"]).unwrap();
        assert!(definitions::kind_number(kind).is_some());
        if let Some(happened) = happened::happened(doc.root()) {
            assert!(happened.start < happened.end, "{src}");
            with_time += 1;
        }
        if kind == "Patient" {
            assert_eq!(person::person(doc.root()), doc.root().str_at(&["id"]));
        }
    }
    assert!(with_time > 60, "{with_time}");
}
