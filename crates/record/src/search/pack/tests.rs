//! What is packed comes back, digits and all; what was altered does no harm.

use super::super::{extract, parameters};
use super::*;
use crate::json::Doc;

fn values(source: &str) -> Vec<(ParamId, Indexed<'static>)> {
    let doc = Doc::parse(source.as_bytes()).unwrap();
    extract(doc.root())
        .into_iter()
        .map(|(param, value)| (param, value.into_owned()))
        .collect()
}

const OBSERVATION: &str = r#"{"resourceType":"Observation","id":"38ba423e-d924-4d09-9f7d-4110d8427660","status":"final",
    "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
    "code":{"coding":[{"system":"http://loinc.org","code":"8302-2","display":"Body Height"}],"text":"Body Height"},
    "subject":{"reference":"Patient/802e150c-c3f3-4a2d-954f-9b7a92be59bc"},
    "encounter":{"reference":"Encounter/c47bc47f-94e3-47c9-8da0-baec797d14e6"},
    "effectiveDateTime":"2011-06-03T18:52:40+00:00","issued":"2011-06-03T18:52:40.765+00:00",
    "valueQuantity":{"value":159.49942214087477,"unit":"cm","system":"http://unitsofmeasure.org","code":"cm"},
    "meta":{"tag":[{"system":"https://smarthealthit.org/tags","code":"synthea-5-2019"}]}}"#;

#[test]
fn a_synthea_observation_takes_98_bytes() {
    assert_eq!(pack(&values(OBSERVATION)).len(), 98);
}

fn text(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_owned())
}

/// One of each, with the forms that are packed differently.
fn one_of_each() -> Vec<Indexed<'static>> {
    let mut all = Vec::new();
    for system in [
        None,
        Some(""),
        Some("http://loinc.org"),
        Some("http://example.org"),
    ] {
        for code in [None, Some(""), Some("final"), Some("ünüsual")] {
            all.push(Indexed::Token {
                system: system.map(text),
                code: code.map(text),
            });
        }
    }
    for string in ["", "Muñoz", &"long ".repeat(100)] {
        all.push(Indexed::String(text(string)));
    }
    const DAY: i64 = 86_400_000_000;
    for (start, end) in [
        (0, DAY),
        (i64::MIN, i64::MAX),
        (i64::MIN, 15_000 * DAY),
        (15_000 * DAY, i64::MAX),
        (1_307_127_160_000_000, 1_307_127_161_000_000),
        (1_307_127_160_123_000, 1_307_127_160_124_000),
        (1_307_127_160_123_456, 1_307_127_160_123_457),
        (-62_135_596_800_000_000, 253_402_300_800_000_000),
        (-1, 1),
    ] {
        all.push(Indexed::Date { start, end });
    }
    for number in [
        "0",
        "-0.0",
        "1.50",
        "1.5",
        "-1e400",
        "123456789012345678901234567890123456",
    ] {
        let value = Decimal::parse(number).unwrap();
        all.push(Indexed::Number(value));
        let (system, code) = (text("http://unitsofmeasure.org"), text("mg"));
        let quantity = |unit| Indexed::Quantity {
            value,
            system: system.clone(),
            code: code.clone(),
            unit,
        };
        all.push(quantity(text("mg")));
        all.push(quantity(text("milligrams")));
        for (low, high) in [
            (None, None),
            (Some(value), None),
            (None, Some(value)),
            (Some(value), Some(value)),
        ] {
            let (system, code, unit) = (text(""), text(""), text("h"));
            all.push(Indexed::Range {
                low,
                high,
                system,
                code,
                unit,
            });
        }
    }
    for (kind, id) in [
        (Some("Patient"), "0123456789abcdef"),
        (Some("Patient"), "zzzzzzzzzzzzzzzz"),
        (Some("Patient"), "0123456789ABCDEF"),
        (Some("Patient"), "0123456789abcdel"),
        (
            Some("VisionPrescription"),
            "c47bc47f-94e3-47c9-8da0-baec797d14e6",
        ),
        (Some("Patient"), "C47BC47F-94e3-47c9-8da0-baec797d14e6"),
        (Some("Patient"), "1"),
        (None, "urn:uuid:c47bc47f-94e3-47c9-8da0-baec797d14e6"),
        (None, "http://loinc.org"),
        (None, "http://example.org/fhir/Patient/1"),
        (None, "#p1"),
    ] {
        all.push(Indexed::Reference { kind, id: text(id) });
    }
    all.push(Indexed::Uri(text("http://example.org/a")));
    all.push(Indexed::Uri(text(
        "urn:uuid:c47bc47f-94e3-47c9-8da0-baec797d14e6",
    )));
    all
}

fn shown(value: &Indexed) -> String {
    // Equality is by value; the digits must come back too.
    format!("{value:?}")
}

#[test]
fn everything_comes_back_as_it_was() {
    let all = one_of_each();
    // Alone, in one parameter, in many far apart, and each in two.
    let mut rows: Vec<Vec<(ParamId, Indexed)>> = all
        .iter()
        .map(|v| vec![(ParamId(700), v.clone())])
        .collect();
    rows.push(all.iter().map(|v| (ParamId(7), v.clone())).collect());
    rows.push(
        (0..)
            .step_by(20)
            .zip(&all)
            .map(|(param, v)| (ParamId(param), v.clone()))
            .collect(),
    );
    rows.push(
        (0..2)
            .flat_map(|half| all.iter().map(move |v| (ParamId(half * 9), v.clone())))
            .collect(),
    );
    rows.push(
        all.iter()
            .zip(0..)
            .flat_map(|(v, p)| [(ParamId(2 * p), v.clone()), (ParamId(2 * p + 1), v.clone())])
            .collect(),
    );
    rows.push(vec![]);
    for row in rows {
        let packed = pack(&row);
        let values = Values::new(&packed);
        let back: Vec<_> = values.iter().collect();
        assert_eq!(back.len(), row.len());
        for ((param, value), (back_param, back)) in row.iter().zip(&back) {
            assert_eq!((param, shown(value)), (back_param, shown(back)));
        }
        for param in (0..800).map(ParamId) {
            let expect: Vec<_> = row
                .iter()
                .filter(|(p, _)| *p == param)
                .map(|(_, v)| shown(v))
                .collect();
            let found: Vec<_> = values.of(param).map(|v| shown(&v)).collect();
            assert_eq!(found, expect);
            assert_eq!(values.has(param), !expect.is_empty());
        }
    }
}

#[test]
fn a_value_under_two_parameters_is_written_once() {
    let id = text("c47bc47f-94e3-47c9-8da0-baec797d14e6");
    let reference = Indexed::Reference {
        kind: Some("Patient"),
        id,
    };
    let once = pack(&[(ParamId(1), reference.clone())]);
    let thrice = pack(&[
        (ParamId(1), reference.clone()),
        (ParamId(2), reference.clone()),
        (ParamId(3), reference),
    ]);
    assert_eq!(thrice.len(), once.len() + 4);
}

#[test]
fn an_altered_row_gives_other_values_or_fewer_but_never_panics() {
    let packed = pack(&values(OBSERVATION));
    let whole = Values::new(&packed).iter().count();
    for length in 0..packed.len() {
        assert!(Values::new(&packed[..length]).iter().count() < whole);
    }
    for at in 0..packed.len() {
        for bit in 0..8 {
            let mut altered = packed.clone();
            altered[at] ^= 1 << bit;
            let values = Values::new(&altered);
            for (param, _) in values.iter().take(100) {
                values.of(param).count();
                values.has(param);
            }
        }
    }
}

#[test]
fn every_official_example_comes_back_from_its_row() {
    let lines =
        zstd::decode_all(&include_bytes!("../../../tests/data/fhirpath-expected.ndjson.zst")[..])
            .unwrap();
    for line in String::from_utf8(lines).unwrap().lines() {
        let doc = Doc::parse(line.as_bytes()).unwrap();
        let values = extract(doc.root().get("resource").unwrap());
        let packed = pack(&values);
        let back: Vec<_> = Values::new(&packed).iter().collect();
        assert_eq!(back, values);
        assert!(values.is_sorted_by_key(|(param, _)| *param));
        assert!(
            values
                .iter()
                .all(|(param, _)| parameters().get(*param).is_some())
        );
    }
}
