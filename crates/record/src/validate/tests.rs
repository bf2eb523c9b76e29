//! Tables: one thing wrong, and what is found.

use super::*;
use crate::json::Doc;

/// Findings as `code place`, one per line.
fn check(src: &str, expect: &[&str]) {
    let doc = Doc::parse(src.as_bytes()).unwrap_or_else(|e| panic!("{src}: {e}"));
    let found: Vec<String> = validate(doc.root())
        .iter()
        .map(|f| format!("{} {}", f.code, f.expression))
        .collect();
    assert_eq!(found, expect, "{src}");
}

#[test]
fn a_resource_in_order_has_no_findings() {
    let rows = [
        r#"{"resourceType":"Patient"}"#,
        r#"{"id":"a","resourceType":"Patient","meta":{"versionId":"1","lastUpdated":"2026-03-01T00:00:00Z","tag":[{"code":"x"}]}}"#,
        r#"{"resourceType":"Patient","name":[{"given":["A",null],"_given":[null,{"id":"q"}]}]}"#,
        r#"{"resourceType":"Patient","_birthDate":{"extension":[{"url":"u","valueCode":"unknown"}]}}"#,
        r#"{"resourceType":"Patient","birthDate":"1990","_birthDate":{"id":"b"}}"#,
        r#"{"resourceType":"Patient","extension":[{"url":"u","extension":[{"url":"v","_valueString":{"id":"c"}}]}]}"#,
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o"}],"managingOrganization":{"reference":"#o"}}"##,
        r#"{"resourceType":"Patient","deceasedBoolean":false,"multipleBirthInteger":-3}"#,
        r#"{"resourceType":"Observation","_status":{"extension":[{"url":"u","valueCode":"x"}]},"code":{"text":"x"},"valueString":"x","_valueString":{"id":"i"}}"#,
        r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"component":[{"code":{"text":"y"},"referenceRange":[{"low":{"value":1.50}}]}]}"#,
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient"}}]}"#,
        r#"{"resourceType":"Parameters","parameter":[{"name":"a","part":[{"name":"b","valueCode":"c d"}]}]}"#,
        r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"focus":[{"reference":"Medication/1"}],"subject":{"reference":"urn:uuid:7"}}"#,
        r#"{"resourceType":"Patient","text":{"status":"empty","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"/>"}}"#,
    ];
    for src in rows {
        check(src, &[]);
    }
}

#[test]
fn what_is_wrong_is_found_at_its_place() {
    let rows: &[(&str, &[&str])] = &[
        ("[]", &["structure Resource"]),
        ("{}", &["required Resource"]),
        (r#"{"resourceType":"Soldier"}"#, &["structure Resource"]),
        (
            r#"{"resourceType":"DomainResource"}"#,
            &["structure Resource"],
        ),
        (r#"{"resourceType":7}"#, &["structure Resource"]),
        // Elements that do not exist, or not there.
        (
            r#"{"resourceType":"Patient","rank":"x"}"#,
            &["structure Patient.rank"],
        ),
        (
            r#"{"resourceType":"Patient","_rank":{"id":"x"}}"#,
            &["structure Patient._rank"],
        ),
        (
            r#"{"resourceType":"Patient","_name":[{"id":"x"}]}"#,
            &["structure Patient._name"],
        ),
        (
            r#"{"resourceType":"Patient","deceased":true}"#,
            &["structure Patient.deceased"],
        ),
        (
            r#"{"resourceType":"Patient","deceasedString":"x"}"#,
            &["structure Patient.deceasedString"],
        ),
        (
            r#"{"resourceType":"Patient","name":[{"family":"x"},{"rank":"x"}]}"#,
            &["structure Patient.name[1].rank"],
        ),
        (
            r#"{"resourceType":"Patient","name":[{"resourceType":"HumanName"}]}"#,
            &["structure Patient.name[0].resourceType"],
        ),
        // Cardinality.
        (
            r#"{"resourceType":"Observation"}"#,
            &["required Observation.status", "required Observation.code"],
        ),
        (
            r#"{"resourceType":"Patient","link":[{"type":"refer"}]}"#,
            &["required Patient.link[0].other"],
        ),
        (
            r#"{"resourceType":"Patient","name":{"family":"x"}}"#,
            &["structure Patient.name"],
        ),
        (
            r#"{"resourceType":"Patient","name":"x"}"#,
            &["structure Patient.name"],
        ),
        (
            r#"{"resourceType":"Patient","birthDate":["1990"]}"#,
            &["structure Patient.birthDate"],
        ),
        (
            r#"{"resourceType":"Patient","name":[]}"#,
            &["structure Patient.name"],
        ),
        (
            r#"{"resourceType":"Patient","name":[{}]}"#,
            &["structure Patient.name[0]"],
        ),
        (
            r#"{"resourceType":"Patient","name":["x"]}"#,
            &["structure Patient.name[0]"],
        ),
        (
            r#"{"resourceType":"Patient","name":[[{"family":"x"}]]}"#,
            &["structure Patient.name[0]"],
        ),
        (
            r#"{"resourceType":"Patient","maritalStatus":"M"}"#,
            &["structure Patient.maritalStatus"],
        ),
        (
            r#"{"resourceType":"Patient","birthDate":{"value":"1990"}}"#,
            &["value Patient.birthDate"],
        ),
        (
            r#"{"resourceType":"Patient","birthDate":null}"#,
            &["structure Patient.birthDate"],
        ),
        (
            r#"{"resourceType":"Patient","maritalStatus":null}"#,
            &["structure Patient.maritalStatus"],
        ),
        // Choices.
        (
            r#"{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2020"}"#,
            &["structure Patient.deceased"],
        ),
        (
            r#"{"resourceType":"Patient","deceasedBoolean":true,"_deceasedDateTime":{"id":"x"}}"#,
            &["structure Patient.deceased"],
        ),
        (
            r#"{"resourceType":"Patient","_deceasedBoolean":{"id":"y"},"_deceasedDateTime":{"id":"x"}}"#,
            &["structure Patient.deceased"],
        ),
        // Companions.
        (
            r#"{"resourceType":"Patient","_birthDate":"x"}"#,
            &["structure Patient.birthDate"],
        ),
        (
            r#"{"resourceType":"Patient","_birthDate":[{"id":"x"}]}"#,
            &["structure Patient.birthDate"],
        ),
        (
            r#"{"resourceType":"Patient","_birthDate":{}}"#,
            &["structure Patient.birthDate"],
        ),
        (
            r#"{"resourceType":"Patient","_birthDate":{"value":"x"}}"#,
            &["structure Patient.birthDate.value"],
        ),
        (
            r#"{"resourceType":"Patient","name":[{"given":["A",null]}]}"#,
            &["structure Patient.name[0].given[1]"],
        ),
        (
            r#"{"resourceType":"Patient","name":[{"given":["A",null],"_given":[{"id":"a"},null]}]}"#,
            &["structure Patient.name[0].given[1]"],
        ),
        (
            r#"{"resourceType":"Patient","name":[{"given":["A","B"],"_given":[{"id":"a"}]}]}"#,
            &["structure Patient.name[0].given"],
        ),
        (
            r#"{"resourceType":"Patient","name":[{"_given":[null]}]}"#,
            &["structure Patient.name[0].given[0]"],
        ),
        (
            r#"{"resourceType":"Patient","name":[{"_given":["x"]}]}"#,
            &["structure Patient.name[0].given[0]"],
        ),
        // Extensions.
        (
            r#"{"resourceType":"Patient","extension":[{"valueCode":"x"}]}"#,
            &["required Patient.extension[0].url"],
        ),
        (
            r#"{"resourceType":"Patient","extension":[{"url":"u"}]}"#,
            &["structure Patient.extension[0]"],
        ),
        (
            r#"{"resourceType":"Patient","extension":[{"url":"u","valueCode":"x","extension":[{"url":"v","valueCode":"y"}]}]}"#,
            &["structure Patient.extension[0]"],
        ),
        (
            r#"{"resourceType":"Patient","birthDate":"1990","_birthDate":{"extension":[{"url":"u","valueDate":"x"}]}}"#,
            &["value Patient.birthDate.extension[0].value"],
        ),
        // Resources in resources.
        (
            r#"{"resourceType":"Patient","contained":[{"id":"x"}]}"#,
            &["required Patient.contained[0]"],
        ),
        (
            r#"{"resourceType":"Patient","contained":[{"resourceType":"Patient","gender":"x"}]}"#,
            &["code-invalid Patient.contained[0].gender"],
        ),
        (
            r#"{"resourceType":"Patient","contained":[{"resourceType":"Patient","contained":[{"resourceType":"Patient"}]}]}"#,
            &["structure Patient.contained[0]"],
        ),
        (
            r#"{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","birthDate":1990}}]}"#,
            &["value Bundle.entry[0].resource.birthDate"],
        ),
        (
            r#"{"resourceType":"Parameters","parameter":[{"part":[{"name":"b","rank":1}]}]}"#,
            &[
                "structure Parameters.parameter[0].part[0].rank",
                "required Parameters.parameter[0].name",
            ],
        ),
        // Codes and targets.
        (
            r#"{"resourceType":"Patient","gender":"m"}"#,
            &["code-invalid Patient.gender"],
        ),
        (
            r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"encounter":{"reference":"Patient/1"}}"#,
            &["value Observation.encounter"],
        ),
    ];
    for (src, expect) in rows {
        check(src, expect);
    }
}

#[test]
fn each_primitive_has_its_format() {
    // The form of an extension's value; what it takes; what it does not.
    let rows: &[(&str, &[&str], &[&str])] = &[
        ("Boolean", &["true", "false"], &["\"true\"", "1", "null"]),
        (
            "Integer",
            &["0", "-1", "2147483647", "-2147483648"],
            &["2147483648", "1.0", "1e2", "\"1\""],
        ),
        ("UnsignedInt", &["0", "2147483647"], &["-1", "2147483648"]),
        ("PositiveInt", &["1"], &["0", "-1", "1.5"]),
        (
            "Decimal",
            &["0", "-1.50", "1e3", "0.000000000000000001"],
            &["\"1.5\"", "true"],
        ),
        (
            "String",
            &["\"x\"", "\" x \"", "\"a\\nb\"", "\"\\u00e9\""],
            &["\"\"", "\" \"", "\"\\u0001\"", "1"],
        ),
        ("Markdown", &["\"# x\\n\\ny\""], &["\"\"", "\"\\n\""]),
        (
            "Code",
            &["\"a\"", "\"a b\"", "\"é\""],
            &["\"\"", "\" a\"", "\"a \"", "\"a  b\"", "\"a\\tb\"", "1"],
        ),
        (
            "Id",
            &["\"a-B.9\""],
            &["\"a_b\"", "\"\"", "\"a b\"", "\"é\""],
        ),
        (
            "Uri",
            &["\"http://x/y\"", "\"urn:oid:1\"", "\"a\""],
            &["\"a b\"", "\"\"", "1"],
        ),
        ("Url", &["\"http://x/y\""], &["\"a b\""]),
        ("Canonical", &["\"http://x/y|1.0\""], &["\"a\\nb\""]),
        (
            "Oid",
            &["\"urn:oid:1.2.840\"", "\"urn:oid:2.0\""],
            &[
                "\"1.2\"",
                "\"urn:oid:3.1\"",
                "\"urn:oid:1\"",
                "\"urn:oid:1.02\"",
                "\"urn:oid:1.\"",
            ],
        ),
        (
            "Uuid",
            &["\"urn:uuid:c757873d-ec9a-4326-a141-556f43239520\""],
            &[
                "\"c757873d-ec9a-4326-a141-556f43239520\"",
                "\"urn:uuid:c757873d\"",
                "\"urn:uuid:c757873d-ec9a-4326-a141-556f4323952g\"",
            ],
        ),
        (
            "Date",
            &["\"2026\"", "\"2026-03-01\""],
            &["\"2026-02-30\"", "\"2026-03-01T00:00:00Z\"", "2026"],
        ),
        (
            "DateTime",
            &["\"2026\"", "\"2026-03-01T00:00:00+01:00\""],
            &["\"2026-03-01T00:00:00\"", "\"yesterday\""],
        ),
        (
            "Instant",
            &["\"2026-03-01T00:00:00.123Z\""],
            &["\"2026-03-01\""],
        ),
        ("Time", &["\"08:15:00\""], &["\"08:15\"", "\"25:00:00\""]),
        (
            "Base64Binary",
            &["\"AAAA\"", "\"AA==\"", "\"AAA=\"", "\"AA AA\\n\""],
            &["\"AAA\"", "\"A===\"", "\"AA=A\"", "\"AA-_\"", "\"\""],
        ),
    ];
    for (form, right, wrong) in rows {
        let src = |value: &str| {
            format!(
                r#"{{"resourceType":"Basic","code":{{"text":"x"}},"extension":[{{"url":"u","value{form}":{value}}}]}}"#
            )
        };
        for value in *right {
            check(&src(value), &[]);
        }
        for value in *wrong {
            let src = src(value);
            let doc = Doc::parse(src.as_bytes()).unwrap();
            let found = validate(doc.root());
            assert_eq!(found.len(), 1, "{src}");
            assert_eq!(found[0].expression, "Basic.extension[0].value", "{src}");
            assert!(found[0].is_error());
        }
    }
}

#[test]
fn a_finding_is_a_sentence_that_repeats_nothing_private() {
    let src = r#"{"resourceType":"Patient","birthDate":"Torre","gender":"Torre","name":[{"family":""}],"generalPractitioner":[{"reference":"Patient/Torre"}]}"#;
    let doc = Doc::parse(src.as_bytes()).unwrap();
    let found = validate(doc.root());
    assert_eq!(found.len(), 4);
    let messages: Vec<&str> = found.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "A date is YYYY, YYYY-MM or YYYY-MM-DD, and must exist.",
            "The code is none of those allowed here: male, female, other, unknown.",
            "A string must not be empty; leave the element out instead.",
            "This reference leads to Patient; R4 lets it lead to Organization, Practitioner, PractitionerRole.",
        ]
    );
    assert_eq!(found.iter().filter(|f| f.is_error()).count(), 3);
}

#[test]
fn a_hopeless_resource_gives_no_more_findings_than_the_limit() {
    let items = vec!["7"; 5000].join(",");
    let src = format!(r#"{{"resourceType":"Patient","name":[{items}]}}"#);
    let doc = Doc::parse(src.as_bytes()).unwrap();
    assert_eq!(validate(doc.root()).len(), FINDINGS_MAX);
}
