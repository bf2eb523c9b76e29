//! Parsing is not correctness: what the programs select is compared with what fhirpath.js selects, for
//! every parameter of 700 resources (tools/fhirpath-expected.mjs made the file).

use std::collections::{BTreeMap, BTreeSet};

use super::super::parameters;
use super::*;
use crate::json::Doc;

const EXPECTED: &[u8] = include_bytes!("../../../tests/data/fhirpath-expected.ndjson.zst");

/// Where we do not do as fhirpath.js does: parameter, why.
const DIFFERENCES: &[(&str, &str)] = &[
    ("Observation.combo-value-quantity", EIGHT_DECIMALS),
    ("Observation.component-value-quantity", EIGHT_DECIMALS),
];

const EIGHT_DECIMALS: &str = "Observation/decimal has 1e-22 and 1e-245; fhirpath.js compares numbers by their first \
    eight decimals, so its union takes the second for a repetition of the first. Here they are two values.";

/// JSON texts of what each parameter selects. A union drops what it has already: a set.
type Selection = BTreeMap<String, BTreeSet<String>>;

fn ours(resource: Value) -> Selection {
    let mut out = Selection::new();
    let kind = resource.str_at(&["resourceType"]).unwrap();
    let program = parameters().program(kind).unwrap();
    program.run(resource, &mut |param, selected| {
        let text = match selected {
            Selected::Node(value, _) => normal(serde_json::from_slice(value.raw()).unwrap()),
            Selected::Boolean(value) => value.to_string(),
        };
        let code = parameters().get(param).unwrap().code;
        out.entry(code.to_owned()).or_default().insert(text);
    });
    out
}

/// Members sorted, numbers as JavaScript has them.
fn normal(value: serde_json::Value) -> String {
    use serde_json::Value as V;
    match value {
        V::Number(number) => format!("{:?}", number.as_f64().unwrap()),
        V::Array(items) => {
            let items: Vec<_> = items.into_iter().map(normal).collect();
            format!("[{}]", items.join(","))
        }
        V::Object(members) => {
            let members: BTreeMap<_, _> = members
                .into_iter()
                .map(|(key, value)| (key, normal(value)))
                .collect();
            format!("{members:?}")
        }
        other => other.to_string(),
    }
}

#[test]
fn every_parameter_selects_what_fhirpath_js_selects() {
    let lines = zstd::decode_all(EXPECTED).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    let (mut compared, mut selecting) = (0, BTreeSet::new());
    let mut different = BTreeMap::new();
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let kind = line["resource"]["resourceType"].as_str().unwrap();
        let source = line["resource"].to_string();
        let doc = Doc::parse(source.as_bytes()).unwrap();
        let mut ours = ours(doc.root());
        for parameter in parameters().of_kind(kind) {
            if !parameter.of_type.is_supported() || line["failed"].get(parameter.code).is_some() {
                continue;
            }
            let theirs = line["selected"]
                .get(parameter.code)
                .and_then(|nodes| nodes.as_array());
            let theirs: BTreeSet<_> = theirs.into_iter().flatten().cloned().map(normal).collect();
            let ours = ours.remove(parameter.code).unwrap_or_default();
            compared += 1;
            if !theirs.is_empty() {
                selecting.insert((kind.to_owned(), parameter.code));
            }
            if ours != theirs {
                let id = line["resource"]["id"].as_str().unwrap_or_default();
                let text = format!("{kind}/{id}: ours {ours:?}, theirs {theirs:?}");
                different
                    .entry(format!("{kind}.{}", parameter.code))
                    .or_insert(text);
            }
        }
    }
    let explained: BTreeSet<_> = DIFFERENCES
        .iter()
        .map(|(parameter, _)| parameter.to_string())
        .collect();
    println!(
        "{compared} comparisons; {} parameters select something",
        selecting.len()
    );
    let unexplained: Vec<_> = different
        .iter()
        .filter(|(at, _)| !explained.contains(*at))
        .collect();
    assert!(
        unexplained.is_empty(),
        "{} differ: {unexplained:#?}",
        unexplained.len()
    );
    let vanished: Vec<_> = explained
        .iter()
        .filter(|at| !different.contains_key(*at))
        .collect();
    assert!(vanished.is_empty(), "no longer different: {vanished:?}");
    assert!(compared > 14_000 && selecting.len() >= 1_370);
}
