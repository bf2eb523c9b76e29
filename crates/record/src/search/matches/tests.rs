//! Resources in little, queries, and whether the one answers to the other.

use super::super::{extract, pack, parse_criteria};
use super::*;
use crate::json::Doc;

/// Whether a resource answers to `name=value&name=value`, through its packed row.
fn check(resource: &str, query: &str, expect: bool) {
    let doc = Doc::parse(resource.as_bytes()).unwrap();
    let kind = doc.root().str_at(&["resourceType"]).unwrap();
    let pairs: Vec<_> = query
        .split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect();
    let (criteria, findings) = parse_criteria(kind, &pairs, "https://example.org/fhir");
    assert_eq!(findings, vec![], "{query}");
    let row = pack(&extract(doc.root()));
    let values = Values::new(&row);
    let found = criteria
        .clauses
        .iter()
        .all(|clause| matches(&values, clause));
    assert_eq!(found, expect, "{query} on {resource}");
}

fn table(resource: &str, rows: &[(&str, bool)]) {
    for (query, expect) in rows {
        check(resource, query, *expect);
    }
}

#[test]
fn tokens() {
    table(
        r#"{"resourceType":"Observation","status":"final","code":{"coding":[
            {"system":"http://loinc.org","code":"8302-2"},{"code":"Höhe"},{"code":"ΣΟΦΟΣ"}]},
            "category":[{"text":"only text"}]}"#,
        &[
            ("code=8302-2", true),
            ("code=http://loinc.org|8302-2", true),
            ("code=http://snomed.info/sct|8302-2", false),
            ("code=HTTP://loinc.org|8302-2", false),
            ("code=|8302-2", false),
            ("code=|höhe", true),
            ("code=HÖHE", true),
            ("code=ΣΟΦΟΣ", true),
            ("code=σοφος", false),
            ("code=http://loinc.org|", true),
            ("code=http://snomed.info/sct|", false),
            ("code=1,8302-2", true),
            ("code=8302", false),
            ("code=8302-2&code=1", false),
            ("code:not=8302-2", false),
            ("code:not=1,2", true),
            ("status=FINAL", true),
            // A code's system is implied, so whichever is given does not stand in the way.
            ("status=http://hl7.org/fhir/observation-status|final", true),
            ("status=|final", true),
            ("status:not=final", false),
            ("category:missing=false", true),
            ("category=only text", false),
            ("category:not=vital-signs", true),
            ("method:missing=true", true),
            ("method:missing=false", false),
            ("method:not=x", true),
            ("_tag:missing=true", true),
        ],
    );
    table(
        r#"{"resourceType":"Patient","active":true,"deceasedDateTime":"2020-01-01","identifier":[
            {"system":"urn:x","value":"A1"},{"value":"B2"}],
            "telecom":[{"system":"phone","value":"+1 555"},{"system":"email","value":"a@b.org"}]}"#,
        &[
            ("active=true", true),
            ("active=false", false),
            ("deceased=true", true),
            ("deceased=false", false),
            ("identifier=urn:x|a1", true),
            ("identifier=urn:x|B2", false),
            ("identifier=|B2", true),
            ("telecom=+1 555", true),
            ("phone=+1 555", true),
            ("email=+1 555", false),
            ("email=a@b.org", true),
        ],
    );
    table(
        r#"{"resourceType":"Patient","deceasedBoolean":false}"#,
        &[("deceased=true", false), ("deceased=false", true)],
    );
    table(
        r#"{"resourceType":"Patient"}"#,
        &[("deceased=true", false), ("deceased=false", true)],
    );
}

#[test]
fn strings() {
    table(
        r#"{"resourceType":"Patient","name":[{"family":"van der Müller","given":["Anne-Marie","O'Neil"]}],
            "address":[{"line":["1 Main St."],"city":"São Paulo","postalCode":"01000-000"}]}"#,
        &[
            ("family=van", true),
            ("family=VAN DER MULLER", true),
            ("family=mull", false),
            ("family:contains=mull", true),
            ("family:exact=van der Müller", true),
            ("family:exact=Van der Müller", false),
            ("family:exact=van der", false),
            ("given=annem", true),
            ("given=oneil", true),
            ("name=anne-marie o'neil van der", true),
            ("name=van", true),
            ("address-city=sao", true),
            ("address=1 main", true),
            ("address=01000", true),
            ("address=-", false),
            ("name=x,anne", true),
            ("name=anne&name=x", false),
        ],
    );
}

#[test]
fn dates() {
    table(
        r#"{"resourceType":"Observation","effectiveDateTime":"2013-01-14T10:00:00Z"}"#,
        &[
            ("date=2013", true),
            ("date=2013-01-14", true),
            ("date=2013-01-14T10:00:00Z", true),
            ("date=2013-01-14T11:00:00+01:00", true),
            ("date=2013-01-14T10:00:00.5Z", false),
            ("date=2012", false),
            ("date=ne2013", false),
            ("date=ne2012", true),
            ("date=gt2013-01-14", false),
            ("date=gt2013-01-13", true),
            ("date=ge2013-01-14", true),
            ("date=lt2013-01-14", false),
            ("date=le2013-01-14", true),
            ("date=lt2013-01-14T10:00:01Z", true),
            ("date=sa2013-01-13", true),
            ("date=sa2013-01-14", false),
            ("date=eb2013-01-15", true),
            ("date=eb2013-01-14", false),
            ("date=ap2013-01-15", true),
            ("date=ap2013-01-16", false),
            ("date=ap2012", true),
            ("date=ge2013-01-01&date=lt2013-02-01", true),
        ],
    );
    table(
        r#"{"resourceType":"Encounter","period":{"start":"2013-01-10"}}"#,
        &[
            // It goes on: no interval contains it, and it is after everything.
            ("date=2013", false),
            ("date=ne2013", true),
            ("date=gt2050", true),
            ("date=ge2013", true),
            ("date=lt2013-01-11", true),
            ("date=lt2013-01-10", false),
            ("date=sa2013-01-09", true),
            ("date=sa2013-01-10", false),
            ("date=eb2050", false),
            ("date=ap2020", true),
        ],
    );
    table(
        r#"{"resourceType":"ServiceRequest","occurrenceTiming":{"event":["2013-03-02","2013-03-05"]}}"#,
        &[
            ("occurrence=2013-03", true),
            ("occurrence=2013-03-03", false),
            ("occurrence=gt2013-03-04", true),
            ("occurrence=lt2013-03-03", true),
        ],
    );
}

#[test]
fn numbers_and_amounts() {
    table(
        r#"{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":0.805}]}"#,
        &[
            ("probability=0.805", true),
            ("probability=0.81", true),
            ("probability=0.80", false),
            ("probability=0.8", true),
            ("probability=0.8050", true),
            ("probability=0.8051", false),
            ("probability=ne0.8", false),
            ("probability=gt0.8", true),
            ("probability=gt0.805", false),
            ("probability=ge0.805", true),
            ("probability=lt0.8050001", true),
            ("probability=le0.8049999", false),
            ("probability=ap0.75", true),
            ("probability=ap0.7", false),
            ("probability=sa0.8", true),
            ("probability=eb0.9", true),
        ],
    );
    table(
        r#"{"resourceType":"RiskAssessment","prediction":[{"probabilityRange":{"low":{"value":0.2},"high":{"value":0.4}}}]}"#,
        &[
            ("probability=gt0.3", true),
            ("probability=lt0.3", true),
            ("probability=gt0.4", false),
            ("probability=sa0.2", false),
            ("probability=sa0.1", true),
            ("probability=eb0.4", false),
            ("probability=0.3", false),
            ("probability=3e-1", false),
            ("probability=ap0.42", true),
            ("probability=ap0.5", false),
        ],
    );
    table(
        r#"{"resourceType":"Observation","valueQuantity":{"value":1.50,"unit":"milligrams","system":"http://unitsofmeasure.org","code":"mg"}}"#,
        &[
            ("value-quantity=1.5", true),
            ("value-quantity=1.50|http://unitsofmeasure.org|mg", true),
            ("value-quantity=1.5|http://unitsofmeasure.org|g", false),
            ("value-quantity=1.5|http://other.org|mg", false),
            ("value-quantity=1.5||mg", true),
            ("value-quantity=1.5||milligrams", true),
            (
                "value-quantity=1.5|http://unitsofmeasure.org|milligrams",
                false,
            ),
            ("value-quantity=1.5|http://unitsofmeasure.org|", true),
            ("value-quantity=gt1.49||mg", true),
            ("value-quantity=gt1.5", false),
            ("combo-value-quantity=le1.5", true),
            ("component-value-quantity:missing=true", true),
        ],
    );
    table(
        r#"{"resourceType":"Observation","valueQuantity":{"value":5,"comparator":"<","unit":"mg"}}"#,
        &[
            ("value-quantity=lt3", true),
            ("value-quantity=gt4", true),
            ("value-quantity=gt5", false),
            ("value-quantity=5", false),
            ("value-quantity=eb6", true),
        ],
    );
    table(
        r#"{"resourceType":"Invoice","totalNet":{"value":40.22,"currency":"EUR"}}"#,
        &[
            ("totalnet=40.22|urn:iso:std:iso:4217|EUR", true),
            ("totalnet=40.22||USD", false),
        ],
    );
}

#[test]
fn references_and_addresses() {
    table(
        r#"{"resourceType":"Observation","subject":{"reference":"Patient/1/_history/4"},
            "performer":[{"reference":"https://other.org/fhir/Practitioner/7"},
                {"type":"Organization","identifier":{"system":"urn:x","value":"ORG"}}],
            "device":{"reference":"urn:uuid:c47bc47f-94e3-47c9-8da0-baec797d14e6"}}"#,
        &[
            ("subject=Patient/1", true),
            ("subject=1", true),
            ("subject:Patient=1", true),
            ("subject:Group=1", false),
            ("subject=Group/1", false),
            ("subject=Patient/2,Patient/1", true),
            ("subject=https://example.org/fhir/Patient/1", true),
            ("subject=https://other.org/fhir/Patient/1", false),
            ("patient=1", true),
            ("performer=https://other.org/fhir/Practitioner/7", true),
            ("performer=Practitioner/7", false),
            ("performer:identifier=urn:x|org", true),
            ("performer:identifier=urn:y|org", false),
            ("device=urn:uuid:c47bc47f-94e3-47c9-8da0-baec797d14e6", true),
            ("encounter:missing=true", true),
            ("device:missing=false", true),
        ],
    );
    table(
        r#"{"resourceType":"QuestionnaireResponse","questionnaire":"http://x.org/q|1.2",
            "meta":{"profile":["http://x.org/p"],"source":"http://x.org/a/b"}}"#,
        &[
            ("questionnaire=http://x.org/q", true),
            ("questionnaire=http://x.org/q|1.2", true),
            ("questionnaire=http://x.org/q|1", false),
            ("_profile=http://x.org/p", true),
            ("_source=http://x.org/a/b", true),
            ("_source=http://x.org/A/b", false),
            ("_source:below=http://x.org/a", true),
            ("_source:below=http://x.org/a/", true),
            ("_source:below=http://x.org/a/b/c", false),
            ("_source:below=http://x.or", false),
            ("_source:above=http://x.org/a/b/c", true),
            ("_source:above=http://x.org/a", false),
        ],
    );
}
