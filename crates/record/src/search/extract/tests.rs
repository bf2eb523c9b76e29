//! Resources in little, and the values that they can be found by; and that every official example has some.

use std::collections::BTreeMap;

use super::super::ParameterType as T;
use super::*;
use crate::json::Doc;

/// What R4 gives no search value for: parameter type, datatype, why.
const WITHOUT_VALUES: &[(T, Datatype, &str)] = &[
    (
        T::Date,
        Datatype::Age,
        "an age is no date (Procedure.performed)",
    ),
    (
        T::Date,
        Datatype::Range,
        "nor is a range of ages (Procedure.performed)",
    ),
    (
        T::Date,
        Datatype::String,
        "nor is a text (Immunization.occurrence, Procedure.performed, scheduled)",
    ),
    (
        T::Quantity,
        Datatype::SampledData,
        "a series has no one value",
    ),
    (
        T::Reference,
        Datatype::Other,
        "an attachment leads nowhere (Consent.source)",
    ),
];

#[test]
fn every_selected_node_has_a_value_or_a_reason_to_have_none() {
    let lines =
        zstd::decode_all(&include_bytes!("../../../tests/data/fhirpath-expected.ndjson.zst")[..])
            .unwrap();
    let mut without: BTreeMap<String, String> = BTreeMap::new();
    let mut count = 0;
    for line in String::from_utf8(lines).unwrap().lines() {
        let doc = Doc::parse(line.as_bytes()).unwrap();
        let resource = doc.root().get("resource").unwrap();
        let kind = resource.str_at(&["resourceType"]).unwrap();
        parameters()
            .program(kind)
            .unwrap()
            .run(resource, &mut |param, selected| {
                let Selected::Node(value, datatype) = selected else {
                    return;
                };
                let parameter = parameters().get(param).unwrap();
                let of_type = parameter.of_type;
                let mut values = 0;
                convert(of_type, datatype, value, &mut |_| values += 1);
                count += 1;
                // A timing may say how often, and not when.
                let is_vague = datatype == Datatype::Timing
                    && value.get("event").is_none()
                    && value.at(&["repeat", "boundsPeriod"]).is_none();
                if values == 0
                    && !is_vague
                    && !WITHOUT_VALUES
                        .iter()
                        .any(|(t, d, _)| (*t, *d) == (of_type, datatype))
                {
                    let at = format!("{kind}.{} {of_type:?} {datatype:?}", parameter.code);
                    without.insert(at, value.raw_str().to_owned());
                }
            });
    }
    assert_eq!(without, BTreeMap::new());
    assert!(count > 7_000);
}

/// The values of one parameter, in words.
fn check(source: &str, code: &str, expect: &[&str]) {
    let doc = Doc::parse(source.as_bytes()).unwrap();
    let kind = doc.root().str_at(&["resourceType"]).unwrap();
    let param = parameters().lookup(kind, code).unwrap().id;
    let found: Vec<_> = extract(doc.root())
        .iter()
        .filter(|(at, _)| *at == param)
        .map(|(_, value)| match value {
            Indexed::Token { system, code } => {
                format!(
                    "{}|{}",
                    system.as_deref().unwrap_or("*"),
                    code.as_deref().unwrap_or("-")
                )
            }
            Indexed::String(text) | Indexed::Uri(text) => text.to_string(),
            Indexed::Date { start, end } => format!("{start} {end}"),
            Indexed::Number(value) => value.to_string(),
            Indexed::Quantity {
                value,
                system,
                code,
                unit,
            } => format!("{value} {system}|{code} {unit}"),
            Indexed::Range {
                low,
                high,
                system,
                code,
                unit,
            } => {
                let [low, high] =
                    [low, high].map(|end| end.map_or("*".to_owned(), |end| end.to_string()));
                format!("{low}..{high} {system}|{code} {unit}")
            }
            Indexed::Reference { kind, id } => format!("{}/{id}", kind.unwrap_or("*")),
        })
        .collect();
    assert_eq!(found, expect, "{code} of {source}");
}

#[test]
fn each_datatype_becomes_what_r4_says() {
    for (source, code, expect) in [
        // Tokens.
        (
            r#"{"resourceType":"Patient","gender":"male"}"#,
            "gender",
            &["*|male"][..],
        ),
        (
            r#"{"resourceType":"Patient","active":true}"#,
            "active",
            &["*|true"],
        ),
        (
            r#"{"resourceType":"Patient","deceasedBoolean":true}"#,
            "deceased",
            &["*|true"],
        ),
        (
            r#"{"resourceType":"Patient","identifier":[{"system":"s","value":"v"},{"value":"w"},{"system":"t"}]}"#,
            "identifier",
            &["s|v", "|w", "t|-"],
        ),
        (
            r#"{"resourceType":"Patient","telecom":[{"system":"phone","value":"1"},{"system":"email","value":"2"}]}"#,
            "telecom",
            &["*|1", "*|2"],
        ),
        (
            r#"{"resourceType":"Patient","telecom":[{"system":"phone","value":"1"},{"system":"email","value":"2"}]}"#,
            "email",
            &["*|2"],
        ),
        (
            r#"{"resourceType":"Observation","code":{"coding":[{"system":"a","code":"b"},{"code":"c"}],"text":"t"}}"#,
            "code",
            &["a|b", "|c"],
        ),
        (
            r#"{"resourceType":"Observation","code":{"text":"t"}}"#,
            "code",
            &["*|-"],
        ),
        (
            r#"{"resourceType":"Observation","code":{"coding":[{"code":"c"}]},"component":[{"code":{"coding":[{"code":"c"},{"code":"d"}]}}]}"#,
            "combo-code",
            &["|c", "|d"],
        ),
        (
            r#"{"resourceType":"Encounter","class":{"system":"a","code":"AMB"}}"#,
            "class",
            &["a|AMB"],
        ),
        (
            r#"{"resourceType":"Patient","meta":{"tag":[{"system":"a","code":"b"}]}}"#,
            "_tag",
            &["a|b"],
        ),
        (
            r#"{"resourceType":"Device","extension":[{"url":"http://hl7.org/fhir/SearchParameter/device-extensions-Device-din","valueIdentifier":{"system":"a","value":"b"}},{"url":"other","valueString":"x"}]}"#,
            "din",
            &["a|b"],
        ),
        // Strings.
        (
            r#"{"resourceType":"Patient","name":[{"family":"Ney","given":["Al","Bo"],"prefix":["Dr"]}]}"#,
            "name",
            &["Ney", "Al", "Bo", "Dr", "Al Bo Ney"],
        ),
        (
            r#"{"resourceType":"Patient","name":[{"text":"Al Ney","family":"Ney"}]}"#,
            "name",
            &["Al Ney", "Ney"],
        ),
        (
            r#"{"resourceType":"Patient","address":[{"line":["1 A","2 B"],"city":"C","country":"D"}]}"#,
            "address",
            &["1 A", "2 B", "C", "D"],
        ),
        (
            r#"{"resourceType":"Condition","onsetString":"long ago"}"#,
            "onset-info",
            &["long ago"],
        ),
        (
            r#"{"resourceType":"Observation","valueCodeableConcept":{"text":"t"}}"#,
            "value-string",
            &["t"],
        ),
        // Dates.
        (
            r#"{"resourceType":"Patient","birthDate":"1970-01-01"}"#,
            "birthdate",
            &["0 86400000000"],
        ),
        (
            r#"{"resourceType":"Observation","effectivePeriod":{"start":"1970-01-01"}}"#,
            "date",
            &["0 9223372036854775807"],
        ),
        (
            r#"{"resourceType":"Observation","effectivePeriod":{"end":"1970-01-01"}}"#,
            "date",
            &["-9223372036854775808 86400000000"],
        ),
        (
            r#"{"resourceType":"Observation","effectivePeriod":{}}"#,
            "date",
            &[],
        ),
        (
            r#"{"resourceType":"Observation","effectiveInstant":"1970-01-01T00:00:01.5Z"}"#,
            "date",
            &["1500000 1600000"],
        ),
        (
            r#"{"resourceType":"Observation","effectiveTiming":{"event":["1970-01-03","1970-01-01"]}}"#,
            "date",
            &["0 259200000000"],
        ),
        (
            r#"{"resourceType":"Observation","effectiveTiming":{"repeat":{"boundsPeriod":{"start":"1970-01-01","end":"1970-01-02"}}}}"#,
            "date",
            &["0 172800000000"],
        ),
        (
            r#"{"resourceType":"Procedure","performedAge":{"value":3}}"#,
            "date",
            &[],
        ),
        (
            r#"{"resourceType":"Patient","birthDate":"about 1970"}"#,
            "birthdate",
            &[],
        ),
        // Numbers and amounts.
        (
            r#"{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":0.50}]}"#,
            "probability",
            &["0.50"],
        ),
        (
            r#"{"resourceType":"RiskAssessment","prediction":[{"probabilityRange":{"low":{"value":1}}}]}"#,
            "probability",
            &["1..* | "],
        ),
        (
            r#"{"resourceType":"Observation","valueQuantity":{"value":1.50,"unit":"u","system":"s","code":"c"}}"#,
            "value-quantity",
            &["1.50 s|c u"],
        ),
        (
            r#"{"resourceType":"Observation","valueQuantity":{"value":1,"comparator":">="}}"#,
            "value-quantity",
            &["1..* | "],
        ),
        (
            r#"{"resourceType":"Observation","valueQuantity":{"unit":"u"}}"#,
            "value-quantity",
            &[],
        ),
        (
            r#"{"resourceType":"Condition","onsetAge":{"value":30,"code":"a"}}"#,
            "onset-age",
            &["30 |a "],
        ),
        (
            r#"{"resourceType":"Condition","onsetRange":{"low":{"value":1,"unit":"y"},"high":{"value":2,"unit":"y"}}}"#,
            "onset-age",
            &["1..2 | y"],
        ),
        (
            r#"{"resourceType":"Invoice","totalNet":{"value":1,"currency":"EUR"}}"#,
            "totalnet",
            &["1 urn:iso:std:iso:4217|EUR EUR"],
        ),
        // References.
        (
            r#"{"resourceType":"Observation","subject":{"reference":"Patient/1"}}"#,
            "patient",
            &["Patient/1"],
        ),
        (
            r#"{"resourceType":"Observation","subject":{"reference":"Group/1"}}"#,
            "patient",
            &[],
        ),
        (
            r#"{"resourceType":"Observation","subject":{"reference":"https://a.org/fhir/Patient/1"}}"#,
            "patient",
            &["*/https://a.org/fhir/Patient/1"],
        ),
        (
            r##"{"resourceType":"Observation","subject":{"reference":"#p"},"contained":[{"resourceType":"Patient","id":"p"}]}"##,
            "patient",
            &["*/#p"],
        ),
        (
            r#"{"resourceType":"Observation","subject":{"reference":"urn:uuid:1","type":"Patient"}}"#,
            "patient",
            &["*/urn:uuid:1"],
        ),
        (
            r#"{"resourceType":"Observation","subject":{"type":"Patient","identifier":{"system":"s","value":"v"}}}"#,
            "patient",
            &["s|v"],
        ),
        (
            r#"{"resourceType":"Observation","subject":{"display":"someone"}}"#,
            "subject",
            &["*/"],
        ),
        (
            r#"{"resourceType":"Measure","relatedArtifact":[{"type":"depends-on","resource":"http://a"},{"type":"citation","resource":"http://b"}],"library":["http://c|1"]}"#,
            "depends-on",
            &["*/http://a", "*/http://c|1"],
        ),
        (
            r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Composition","id":"1"}},{"resource":{"resourceType":"Patient","id":"2"}}]}"#,
            "composition",
            &["Composition/1"],
        ),
        (
            r#"{"resourceType":"QuestionnaireResponse","item":[{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/questionnaireresponse-isSubject","valueBoolean":true}],"answer":[{"valueReference":{"reference":"Patient/1"}}]},{"answer":[{"valueReference":{"reference":"Patient/2"}}]}]}"#,
            "item-subject",
            &["Patient/1"],
        ),
        // Addresses.
        (
            r#"{"resourceType":"ValueSet","url":"http://a"}"#,
            "url",
            &["http://a"],
        ),
        (
            r#"{"resourceType":"Patient","meta":{"profile":["http://a","http://b|1"]}}"#,
            "_profile",
            &["http://a", "http://b|1"],
        ),
        // What no definition foresees.
        (
            r#"{"resourceType":"Patient","gender":{"odd":1},"birthDate":7,"name":"x","active":null}"#,
            "name",
            &[],
        ),
        (
            r#"{"resourceType":"Patient","gender":{"odd":1}}"#,
            "gender",
            &[],
        ),
        (
            r#"{"resourceType":"Patient","birthDate":[["1970"]]}"#,
            "birthdate",
            &[],
        ),
    ] {
        check(source, code, expect);
    }
}

#[test]
fn what_is_no_resource_has_no_values() {
    for source in [
        "{}",
        "[]",
        "1",
        r#"{"resourceType":"Nothing"}"#,
        r#"{"resourceType":1}"#,
    ] {
        let doc = Doc::parse(source.as_bytes()).unwrap();
        assert_eq!(extract(doc.root()), vec![]);
    }
}
