//! Queries as a person writes them, and the clauses or the findings that come of them.

use super::*;

const BASE: &str = "https://example.org/fhir";

fn parse(kind: &str, name: &str, value: &str) -> (Criteria, Vec<Finding>) {
    parse_criteria(kind, &[(name.to_owned(), value.to_owned())], BASE)
}

/// The tests of the one clause, as text.
fn shown(kind: &str, name: &str, value: &str) -> String {
    let (criteria, findings) = parse(kind, name, value);
    assert_eq!(findings, vec![], "{kind}?{name}={value}");
    let mut out = Vec::new();
    for clause in &criteria.clauses {
        if clause.modifier != Modifier::Plain {
            out.push(format!("{:?}", clause.modifier));
        }
        out.extend(clause.tests.iter().map(show_test));
    }
    out.join(" ; ")
}

fn show_test(test: &Test) -> String {
    match test {
        Test::Token { system, code } => {
            let system = match system {
                SystemTest::Any => "*",
                SystemTest::Absent => "",
                SystemTest::Is(system) => system,
            };
            format!("{system}|{}", code.as_deref().unwrap_or("*"))
        }
        Test::String(text) | Test::Uri(text) => format!("{text:?}"),
        Test::Date { prefix, start, end } => format!("{prefix:?} {start} {end}"),
        Test::Number { prefix, value } => format!("{prefix:?} {value}"),
        Test::Quantity {
            prefix,
            value,
            system,
            code,
        } => {
            let [system, code] = [system, code].map(|text| text.as_deref().unwrap_or("*"));
            format!("{prefix:?} {value} {system}|{code}")
        }
        Test::Reference(ReferenceTest::Local { kind, id }) => {
            format!("{}/{id}", kind.unwrap_or("*"))
        }
        Test::Reference(ReferenceTest::Url(url)) => url.clone(),
    }
}

#[test]
fn values_are_read_as_their_type_says() {
    const UUID: &str = "urn:uuid:c47bc47f-94e3-47c9-8da0-baec797d14e6";
    for (query, expect) in [
        ("Observation?code=8302-2", "*|8302-2"),
        (
            "Observation?code=http://loinc.org|8302-2",
            "http://loinc.org|8302-2",
        ),
        ("Observation?code=http://loinc.org|", "http://loinc.org|*"),
        ("Observation?code=|8302-2", "|8302-2"),
        ("Observation?code=A,b", "*|a ; *|b"),
        ("Observation?code=a\\,b\\|c", "*|a,b|c"),
        ("Observation?status:not=final", "Not ; *|final"),
        ("Observation?_tag=x|y", "x|y"),
        ("Patient?name=Muñoz", "\"munoz\""),
        ("Patient?name=a\\\\b,c", "\"ab\" ; \"c\""),
        ("Patient?name:exact=Muñoz", "Exact ; \"Muñoz\""),
        ("Patient?name:contains=UÑ", "Contains ; \"un\""),
        ("Patient?name:missing=true", "Missing(true)"),
        ("Patient?birthdate=1970", "Eq 0 31536000000000"),
        ("Patient?birthdate=ge1970-01-01", "Ge 0 86400000000"),
        (
            "Observation?date=sa1970-01-01T00:00:01Z",
            "Sa 1000000 2000000",
        ),
        // A plus that was not escaped in the URL.
        (
            "Observation?date=1970-01-01T01:00:01 01:00",
            "Eq 1000000 2000000",
        ),
        ("RiskAssessment?probability=gt0.80", "Gt 0.80"),
        ("RiskAssessment?probability=-1e-3", "Eq -0.001"),
        ("Observation?value-quantity=5.40", "Eq 5.40 *|*"),
        (
            "Observation?value-quantity=ap5.4|http://unitsofmeasure.org|mg",
            "Ap 5.4 http://unitsofmeasure.org|mg",
        ),
        ("Observation?value-quantity=5.4||mg", "Eq 5.4 *|mg"),
        (
            "Observation?value-quantity=5.4|http://unitsofmeasure.org|",
            "Eq 5.4 http://unitsofmeasure.org|*",
        ),
        ("Observation?subject=Patient/1", "Patient/1"),
        ("Observation?subject=1", "*/1"),
        // The parameter has one target only.
        ("Observation?patient=1", "Patient/1"),
        ("Observation?subject:Patient=1", "Patient/1"),
        ("Observation?subject:Patient=Patient/1", "Patient/1"),
        (
            "Observation?subject=https://example.org/fhir/Patient/1",
            "Patient/1",
        ),
        (
            "Observation?subject=https://other.org/fhir/Patient/1",
            "https://other.org/fhir/Patient/1",
        ),
        (&format!("Observation?subject={UUID}"), UUID),
        ("Observation?subject:identifier=http://x|1", "http://x|1"),
        (
            "QuestionnaireResponse?questionnaire=http://x.org/q|1",
            "http://x.org/q|1",
        ),
        (
            "ValueSet?url:below=http://x.org/",
            "Below ; \"http://x.org/\"",
        ),
        ("Observation?_source=http://x.org", "\"http://x.org\""),
    ] {
        let (kind, pair) = query.split_once('?').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        assert_eq!(shown(kind, name, value), expect, "{query}");
    }
}

#[test]
fn what_cannot_be_asked_is_a_finding_and_not_a_clause() {
    const DATE: &str = "is a date: `2026`, `2026-03`, `2026-03-01`, `2026-03-01T08:15:00Z`, with a prefix such as `ge` if wanted.";
    const AMOUNT: &str =
        "is written `5.4`, `5.4|system|code` or `5.4||unit`, with a prefix such as `gt` if wanted.";
    for (query, code, message) in [
        (
            "Patient?nmae=x",
            "not-supported",
            "Patient has no search parameter `nmae`.",
        ),
        (
            "Patient?code=x",
            "not-supported",
            "Patient has no search parameter `code`.",
        ),
        (
            "Patient?name:text=x",
            "not-supported",
            "The modifier `:text` is not supported for `name`, a string parameter.",
        ),
        (
            "Observation?code:in=x",
            "not-supported",
            "The modifier `:in` is not supported for `code`, a token parameter.",
        ),
        (
            "Observation?code:exact=x",
            "not-supported",
            "The modifier `:exact` is not supported for `code`, a token parameter.",
        ),
        (
            "Patient?identifier:of-type=a|b|c",
            "not-supported",
            "The modifier `:of-type` is not supported for `identifier`, a token parameter.",
        ),
        (
            "Observation?code-value-quantity=a$1",
            "not-supported",
            "`code-value-quantity` is a composite parameter; these are not supported yet.",
        ),
        (
            "Location?near=1|2",
            "not-supported",
            "`near` is not supported yet.",
        ),
        (
            "Patient?_text=x",
            "not-supported",
            "`_text` is not supported yet.",
        ),
        (
            "Patient?_has:Observation:patient:code=x",
            "not-supported",
            "Reverse chained searches (`_has`) are not supported yet.",
        ),
        (
            "Observation?subject.name=x",
            "not-supported",
            "`subject.name` is a chained search; these are not supported yet.",
        ),
        (
            "Observation?subject:Patient.name=x",
            "not-supported",
            "`subject:Patient.name` is a chained search; these are not supported yet.",
        ),
        (
            "Observation?subject:Medication=1",
            "invalid",
            "`subject` never refers to a Medication.",
        ),
        (
            "Observation?subject:Nothing=1",
            "invalid",
            "`Nothing` is not a resource type of FHIR R4.",
        ),
        (
            "Observation?subject:Patient=Group/1",
            "invalid",
            "`subject:Patient` says one resource type and its value another.",
        ),
        (
            "Observation?subject=a b",
            "invalid",
            "`subject` is written `id`, `Kind/id` or as a URL.",
        ),
        (
            "Observation?subject=Patient/1/_history/2",
            "not-supported",
            "`subject` cannot search for references to one version; leave out `/_history`.",
        ),
        (
            "Observation?code=a|b|c",
            "invalid",
            "`code` is written `code`, `system|code`, `system|` or `|code`.",
        ),
        (
            "Observation?code=|",
            "invalid",
            "`code` has neither a system nor a code.",
        ),
        (
            "Observation?code=a,,b",
            "invalid",
            "`code` has an empty value among others.",
        ),
        ("Observation?code=", "invalid", "`code` has no value."),
        (
            "Observation?code=a\\b",
            "invalid",
            "A backslash in a value must stand before `,`, `$`, `|` or `\\`.",
        ),
        (
            "Patient?name:missing=yes",
            "invalid",
            "`name:missing` is `true` or `false`.",
        ),
        (
            "Patient?birthdate=1970-13",
            "invalid",
            &format!("`birthdate` {DATE}"),
        ),
        (
            "Patient?_lastUpdated=now",
            "invalid",
            &format!("`_lastUpdated` {DATE}"),
        ),
        (
            "RiskAssessment?probability=high",
            "invalid",
            "`probability` is a number, with a prefix such as `gt` if wanted.",
        ),
        (
            "Observation?value-quantity=5|mg",
            "invalid",
            &format!("`value-quantity` {AMOUNT}"),
        ),
        (
            "Patient?_id:exact=1",
            "not-supported",
            "The modifier `:exact` is not supported for `_id`.",
        ),
        (
            "Patient?_sort=nothing",
            "not-supported",
            "Patient has no search parameter `nothing`.",
        ),
    ] {
        let (kind, pair) = query.split_once('?').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let (criteria, findings) = parse(kind, name, value);
        assert!(criteria.clauses.is_empty() && criteria.ids.is_empty() && criteria.sort.is_empty());
        let expect = Finding::error(code, format!("http.{name}"), message);
        assert_eq!(findings, vec![expect], "{query}");
    }
}

#[test]
fn a_kind_that_does_not_exist_has_no_answers() {
    let (criteria, findings) = parse("Person2", "name", "x");
    assert_eq!(findings.len(), 1);
    assert!(!criteria.id_matches("1"));
}

fn pairs<const N: usize>(pairs: [&str; N]) -> [(String, String); N] {
    pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    })
}

#[test]
fn the_entry_is_asked_for_by_id_and_by_when_it_was_recorded() {
    let asked = pairs([
        "_id=a,b",
        "_id=b,c",
        "_lastUpdated=ge1970-01-02",
        "_lastUpdated=lt1970-01-04",
    ]);
    let (criteria, findings) = parse_criteria("Patient", &asked, BASE);
    assert_eq!(findings, vec![]);
    let ids: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .filter(|id| criteria.id_matches(id))
        .collect();
    assert_eq!(ids, ["b"]);
    let days = [0, 1, 2, 3, 4].map(|day| criteria.last_updated_matches(day * 86_400_000_000));
    assert_eq!(days, [false, true, true, false, false]);
}

#[test]
fn the_order_is_read_and_the_other_words_of_the_result_are_left_to_the_caller() {
    let asked = pairs([
        "_count=3",
        "_include=Patient:organization",
        "_summary=count",
        "_sort=-birthdate,_lastUpdated",
    ]);
    let (criteria, findings) = parse_criteria("Patient", &asked, BASE);
    assert_eq!(findings, vec![]);
    assert!(criteria.clauses.is_empty());
    let sort: Vec<_> = criteria
        .sort
        .iter()
        .map(|sort| match sort.by {
            SortBy::Parameter(parameter) => (parameter.code, sort.descending),
            SortBy::LastUpdated => ("_lastUpdated", sort.descending),
        })
        .collect();
    assert_eq!(sort, [("birthdate", true), ("_lastUpdated", false)]);
    let (_, findings) = parse_criteria("Patient", &pairs(["_sort=-birthdate,_id"]), BASE);
    assert_eq!(findings.len(), 1);
    assert!(findings[0].message.contains("`_id` is not supported"));
}
