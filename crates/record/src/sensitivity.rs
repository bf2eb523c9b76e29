//! Which resources are therapy notes, and so have a key of their own.
//!
//! Two things make one: the label `PSYTHPN` ("psychotherapy note information sensitivity", HL7's
//! v3-ActCode) in `meta.security` of any resource, or a document whose LOINC type says that it
//! records what was talked about in counselling: the notes that 45 CFR 164.501 sets apart from the
//! rest of the record. Consultations, discharge summaries and referrals are not among them: they
//! are written to be read by others.

use crate::json::Value;

/// The system of security labels.
pub const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// The label of a therapy note.
pub const THERAPY_NOTE: &str = "PSYTHPN";

const LOINC: &str = "http://loinc.org";

/// Document types of therapy notes, sorted: those of FHIR R4's value set `c80-doc-typecodes`
/// (4.0.1) that are counselling notes, or notes and progress notes of mental health, psychiatry
/// and psychology.
const TYPES: [&str; 17] = [
    "11510-5", // Psychology Progress note
    "28627-8", // Psychiatry Progress note
    "28628-6", // Psychiatry Note
    "34786-4", // Mental health Note
    "34787-2", // Mental health Group counseling note
    "34790-6", // Psychiatry Group counseling note
    "34792-2", // Psychology Note
    "34793-0", // Psychology Group counseling note
    "34843-3", // Social work Group counseling note
    "34864-9", // Mental health Counseling note
    "34865-6", // Psychiatry Counseling note
    "34866-4", // Psychology Counseling note
    "34872-2", // Social work Counseling note
    "34904-3", // Mental health Progress note
    "47042-7", // Counseling note
    "47043-5", // Group counseling note
    "74282-5", // Individual counseling note
];

/// Whether a resource is a therapy note, by its label or by its type.
pub fn is_therapy_note(resource: Value<'_>) -> bool {
    let labelled = resource
        .at(&["meta", "security"])
        .is_some_and(|labels| has(labels, ACT_CODE, |code| code == THERAPY_NOTE));
    labelled || is_document(resource) && is_typed(resource)
}

fn is_document(resource: Value<'_>) -> bool {
    matches!(
        resource.str_at(&["resourceType"]),
        Some("DocumentReference" | "Composition")
    )
}

fn is_typed(resource: Value<'_>) -> bool {
    resource
        .at(&["type", "coding"])
        .is_some_and(|codings| has(codings, LOINC, |code| TYPES.binary_search(&code).is_ok()))
}

/// Whether one of the codings is of the system and its code passes.
fn has(codings: Value<'_>, system: &str, passes: impl Fn(&str) -> bool) -> bool {
    codings.items().any(|coding| {
        coding.str_at(&["system"]) == Some(system) && coding.str_at(&["code"]).is_some_and(&passes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Doc;

    #[test]
    fn labels_and_types_make_a_therapy_note() {
        let check = |rest: &str, expect| {
            let text = format!(r#"{{"resourceType":{rest}}}"#);
            let doc = Doc::parse(text.as_bytes()).expect("JSON");
            assert_eq!(is_therapy_note(doc.root()), expect, "{text}");
        };
        let label = |system: &str, code: &str| {
            format!(
                r#""Observation","meta":{{"security":[{{"code":"R"}},{{"system":"{system}","code":"{code}"}}]}}"#
            )
        };
        check(&label(ACT_CODE, "PSYTHPN"), true);
        check(&label(ACT_CODE, "PSY"), false);
        check(&label(ACT_CODE, "psythpn"), false);
        check(&label("http://example.org/labels", "PSYTHPN"), false);
        let typed = |kind: &str, system: &str, code: &str| {
            format!(
                r#""{kind}","type":{{"coding":[{{"code":"x"}},{{"system":"{system}","code":"{code}"}}]}}"#
            )
        };
        for code in TYPES {
            check(&typed("DocumentReference", LOINC, code), true);
            check(&typed("Composition", LOINC, code), true);
        }
        // A progress note as such, a consultation of psychiatry, another system, another kind.
        check(&typed("DocumentReference", LOINC, "11506-3"), false);
        check(&typed("DocumentReference", LOINC, "34788-0"), false);
        check(&typed("DocumentReference", "urn:x", "34866-4"), false);
        check(&typed("Encounter", LOINC, "34866-4"), false);
        check(r#""DocumentReference""#, false);
        check(r#""DocumentReference","type":{"text":"Note"}"#, false);
    }

    #[test]
    fn the_types_are_sorted() {
        assert!(TYPES.is_sorted());
    }
}
