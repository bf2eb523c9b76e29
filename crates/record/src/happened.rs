//! When a resource says that something happened: one table, kind to elements.
//!
//! This is the world's time, as told by whoever wrote the resource. When the ledger took it in is another type
//! ([`crate::time::RecordedAt`]) and is not looked at here.

use crate::json::{Kind, Value};
use crate::time::{Happened, parse_interval};

/// When it happened, from the first of the kind's elements that says so. `None`: the kind has no such time (a Patient,
/// a Location), the resource does not give it, or gives it in words.
///
/// A period that was begun and has no end lasts to [`Happened::MAX`]. A Timing reaches from its first event to its
/// last. A Condition or allergy lasts from its onset to its abatement, or as long as the onset is known precisely.
pub fn happened(resource: Value<'_>) -> Option<Happened> {
    let kind = resource.str_at(&["resourceType"])?;
    let at = TABLE.binary_search_by(|row| row.0.cmp(kind)).ok()?;
    let found = TABLE[at].1.iter().find_map(|path| match *path {
        // Kinds with `start` and `end` of their own are read as a period.
        "." => period(resource),
        path => element(resource, path).and_then(interval),
    })?;
    if kind == "Condition" {
        let end = ["abatementDateTime", "abatementPeriod"]
            .iter()
            .find_map(|name| interval(resource.get(name)?));
        if let Some(end) = end.filter(|end| end.end > found.end) {
            return Some(Happened {
                start: found.start,
                end: end.end,
            });
        }
    }
    Some(found)
}

/// The kinds that have a time of their own, in the order of their names.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.0)
}

fn element<'d>(resource: Value<'d>, path: &str) -> Option<Value<'d>> {
    path.split('.').try_fold(resource, |value, step| {
        let value = if value.is_array() {
            value.items().next()?
        } else {
            value
        };
        value.get(step)
    })
}

fn interval(value: Value<'_>) -> Option<Happened> {
    match value.kind() {
        Kind::String => parse_interval(value.as_str()?),
        Kind::Object if value.get("event").is_some() || value.get("repeat").is_some() => {
            timing(value)
        }
        Kind::Object => period(value),
        _ => None,
    }
}

fn period(value: Value<'_>) -> Option<Happened> {
    let start = value.str_at(&["start"]).and_then(parse_interval);
    let end = value.str_at(&["end"]).and_then(parse_interval);
    match (start, end) {
        (None, None) => None,
        (Some(start), None) => Some(Happened {
            start: start.start,
            end: Happened::MAX,
        }),
        (None, Some(end)) => Some(Happened {
            start: Happened::MIN,
            end: end.end,
        }),
        // A period that ends before it starts: its start is what can be shown.
        (Some(start), Some(end)) if end.end <= start.start => Some(start),
        (Some(start), Some(end)) => Some(Happened {
            start: start.start,
            end: end.end,
        }),
    }
}

fn timing(value: Value<'_>) -> Option<Happened> {
    let events = value.get("event").into_iter().flat_map(Value::each);
    let all = events
        .filter_map(|event| parse_interval(event.as_str()?))
        .reduce(|a, b| Happened {
            start: a.start.min(b.start),
            end: a.end.max(b.end),
        });
    all.or_else(|| period(value.at(&["repeat", "boundsPeriod"])?))
}

/// Kind, and its elements in the order in which they are asked; sorted by kind. A test holds it against the
/// definitions.
const TABLE: &[(&str, &[&str])] = &[
    ("Account", &["servicePeriod"]),
    ("AdverseEvent", &["date", "detected", "recordedDate"]),
    (
        "AllergyIntolerance",
        &["onsetDateTime", "onsetPeriod", "recordedDate"],
    ),
    ("Appointment", &[".", "requestedPeriod", "created"]),
    ("AppointmentResponse", &["."]),
    ("AuditEvent", &["period", "recorded"]),
    ("Basic", &["created"]),
    (
        "BiologicallyDerivedProduct",
        &["collection.collectedDateTime", "collection.collectedPeriod"],
    ),
    ("CarePlan", &["period", "created"]),
    ("CareTeam", &["period"]),
    (
        "ChargeItem",
        &[
            "occurrenceDateTime",
            "occurrencePeriod",
            "occurrenceTiming",
            "enteredDate",
        ],
    ),
    ("Claim", &["billablePeriod", "created"]),
    ("ClaimResponse", &["created"]),
    (
        "ClinicalImpression",
        &["effectiveDateTime", "effectivePeriod", "date"],
    ),
    ("Communication", &["sent", "received"]),
    (
        "CommunicationRequest",
        &["occurrenceDateTime", "occurrencePeriod", "authoredOn"],
    ),
    ("Composition", &["event.period", "date"]),
    (
        "Condition",
        &["onsetDateTime", "onsetPeriod", "recordedDate"],
    ),
    ("Consent", &["dateTime", "provision.period"]),
    ("Contract", &["applies", "issued"]),
    ("Coverage", &["period"]),
    (
        "CoverageEligibilityRequest",
        &["servicedDate", "servicedPeriod", "created"],
    ),
    (
        "CoverageEligibilityResponse",
        &["servicedDate", "servicedPeriod", "created"],
    ),
    ("DetectedIssue", &["identifiedDateTime", "identifiedPeriod"]),
    (
        "DeviceRequest",
        &[
            "occurrenceDateTime",
            "occurrencePeriod",
            "occurrenceTiming",
            "authoredOn",
        ],
    ),
    (
        "DeviceUseStatement",
        &[
            "timingDateTime",
            "timingPeriod",
            "timingTiming",
            "recordedOn",
        ],
    ),
    (
        "DiagnosticReport",
        &["effectiveDateTime", "effectivePeriod", "issued"],
    ),
    ("DocumentManifest", &["created"]),
    ("DocumentReference", &["context.period", "date"]),
    ("Encounter", &["period"]),
    ("EnrollmentRequest", &["created"]),
    ("EnrollmentResponse", &["created"]),
    ("EpisodeOfCare", &["period"]),
    ("ExplanationOfBenefit", &["billablePeriod", "created"]),
    ("FamilyMemberHistory", &["date"]),
    ("Flag", &["period"]),
    ("Goal", &["startDate", "statusDate"]),
    ("GuidanceResponse", &["occurrenceDateTime"]),
    ("ImagingStudy", &["started"]),
    ("Immunization", &["occurrenceDateTime", "recorded"]),
    ("ImmunizationEvaluation", &["date"]),
    ("ImmunizationRecommendation", &["date"]),
    ("Invoice", &["date"]),
    ("List", &["date"]),
    ("MeasureReport", &["period", "date"]),
    ("Media", &["createdDateTime", "createdPeriod", "issued"]),
    (
        "MedicationAdministration",
        &["effectiveDateTime", "effectivePeriod"],
    ),
    ("MedicationDispense", &["whenHandedOver", "whenPrepared"]),
    ("MedicationRequest", &["authoredOn"]),
    (
        "MedicationStatement",
        &["effectiveDateTime", "effectivePeriod", "dateAsserted"],
    ),
    ("NutritionOrder", &["dateTime"]),
    (
        "Observation",
        &[
            "effectiveDateTime",
            "effectivePeriod",
            "effectiveInstant",
            "effectiveTiming",
            "issued",
        ],
    ),
    ("PaymentNotice", &["paymentDate", "created"]),
    (
        "PaymentReconciliation",
        &["period", "paymentDate", "created"],
    ),
    ("Procedure", &["performedDateTime", "performedPeriod"]),
    (
        "Provenance",
        &["occurredDateTime", "occurredPeriod", "recorded"],
    ),
    ("QuestionnaireResponse", &["authored"]),
    ("RequestGroup", &["authoredOn"]),
    ("ResearchStudy", &["period"]),
    ("ResearchSubject", &["period"]),
    (
        "RiskAssessment",
        &["occurrenceDateTime", "occurrencePeriod"],
    ),
    ("Schedule", &["planningHorizon"]),
    (
        "ServiceRequest",
        &[
            "occurrenceDateTime",
            "occurrencePeriod",
            "occurrenceTiming",
            "authoredOn",
        ],
    ),
    ("Slot", &["."]),
    (
        "Specimen",
        &[
            "collection.collectedDateTime",
            "collection.collectedPeriod",
            "receivedTime",
        ],
    ),
    (
        "SupplyDelivery",
        &["occurrenceDateTime", "occurrencePeriod", "occurrenceTiming"],
    ),
    (
        "SupplyRequest",
        &[
            "occurrenceDateTime",
            "occurrencePeriod",
            "occurrenceTiming",
            "authoredOn",
        ],
    ),
    ("Task", &["executionPeriod", "authoredOn", "lastModified"]),
    ("VerificationResult", &["statusDate"]),
    ("VisionPrescription", &["dateWritten", "created"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::{Primitive, Shape, definitions};
    use crate::json::Doc;
    use crate::time::RecordedAt;

    #[test]
    fn the_table_names_times_that_the_kinds_have() {
        assert!(TABLE.is_sorted_by(|a, b| a.0 < b.0));
        for (kind, paths) in TABLE {
            for path in *paths {
                let mut at = definitions().kind(kind).unwrap();
                if *path == "." {
                    assert!(
                        at.element("start").is_some() && at.element("end").is_some(),
                        "{kind}"
                    );
                    continue;
                }
                let mut is_time = false;
                for step in path.split('.') {
                    let element = at.element(step).unwrap_or_else(|| panic!("{kind}.{path}"));
                    is_time = match element.shape {
                        Shape::Primitive(p) => matches!(
                            p,
                            Primitive::Date | Primitive::DateTime | Primitive::Instant
                        ),
                        Shape::Object(id) => {
                            at = definitions().type_of(id);
                            matches!(at.name, "Period" | "Timing")
                        }
                        Shape::Resource => false,
                    };
                }
                assert!(is_time, "{kind}.{path}");
            }
        }
    }

    #[test]
    fn what_happened_has_the_interval_that_the_resource_gives() {
        let at = |text: &str| match text {
            "-" => Happened::MIN,
            "+" => Happened::MAX,
            text => RecordedAt::parse(&format!("{text}Z")).unwrap().0,
        };
        let rows = [
            (
                r#""Observation","effectiveDateTime":"2026-03-01","issued":"2026-03-02T00:00:00Z""#,
                "2026-03-01T00:00:00",
                "2026-03-02T00:00:00",
            ),
            (
                r#""Observation","issued":"2026-03-02T08:00:00Z""#,
                "2026-03-02T08:00:00",
                "2026-03-02T08:00:01",
            ),
            (
                r#""Observation","effectivePeriod":{"start":"2001","end":"2003-06"}"#,
                "2001-01-01T00:00:00",
                "2003-07-01T00:00:00",
            ),
            (
                r#""Observation","effectivePeriod":{"start":"2001"}"#,
                "2001-01-01T00:00:00",
                "+",
            ),
            (
                r#""Observation","effectivePeriod":{"end":"2001"}"#,
                "-",
                "2002-01-01T00:00:00",
            ),
            (
                r#""Observation","effectivePeriod":{"start":"2003","end":"2001"}"#,
                "2003-01-01T00:00:00",
                "2004-01-01T00:00:00",
            ),
            (
                r#""Observation","effectiveTiming":{"event":["2026-03-05","2026-03-01"]}"#,
                "2026-03-01T00:00:00",
                "2026-03-06T00:00:00",
            ),
            (
                r#""Observation","effectiveTiming":{"repeat":{"boundsPeriod":{"start":"2026"}}}"#,
                "2026-01-01T00:00:00",
                "+",
            ),
            (
                r#""Condition","onsetDateTime":"2020","recordedDate":"2026""#,
                "2020-01-01T00:00:00",
                "2021-01-01T00:00:00",
            ),
            (
                r#""Condition","onsetDateTime":"2020","abatementDateTime":"2022-05-01""#,
                "2020-01-01T00:00:00",
                "2022-05-02T00:00:00",
            ),
            (
                r#""Condition","onsetString":"after the second tour","recordedDate":"2026""#,
                "2026-01-01T00:00:00",
                "2027-01-01T00:00:00",
            ),
            (
                r#""Appointment","start":"2026-03-01T08:00:00Z","end":"2026-03-01T08:50:00Z""#,
                "2026-03-01T08:00:00",
                "2026-03-01T08:50:01",
            ),
            (
                r#""DocumentReference","context":{"period":{"start":"2026-03-01","end":"2026-03-01"}}"#,
                "2026-03-01T00:00:00",
                "2026-03-02T00:00:00",
            ),
            (
                r#""Composition","event":[{"period":{"start":"2026-03-01"}}],"date":"2027""#,
                "2026-03-01T00:00:00",
                "+",
            ),
            (
                r#""MedicationAdministration","effectivePeriod":{},"effectiveDateTime":"2026-03""#,
                "2026-03-01T00:00:00",
                "2026-04-01T00:00:00",
            ),
        ];
        for (src, start, end) in rows {
            let src = format!("{{\"resourceType\":{src}}}");
            let doc = Doc::parse(src.as_bytes()).unwrap();
            let expect = Happened {
                start: at(start),
                end: at(end),
            };
            assert_eq!(happened(doc.root()), Some(expect), "{src}");
        }
        for src in [
            r#"{"resourceType":"Patient","birthDate":"1990"}"#,
            r#"{"resourceType":"Observation"}"#,
            r#"{"resourceType":"Observation","effectiveDateTime":"yesterday"}"#,
            r#"{"resourceType":"Observation","effectiveDateTime":17}"#,
            "{}",
        ] {
            let doc = Doc::parse(src.as_bytes()).unwrap();
            assert_eq!(happened(doc.root()), None, "{src}");
        }
    }
}
