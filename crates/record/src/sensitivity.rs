//! How sensitive a resource is: what decides who may read it, besides whom it is about.
//!
//! A resource tells who somebody is, when they are seen, or something of their care ([`Tells`]), by
//! its type. Beyond that it can be one or several of these, and is then read only by whoever may read
//! each of them:
//!
//! - a **therapy note**: the label `PSYTHPN` ("psychotherapy note information sensitivity", HL7's
//!   v3-ActCode) in `meta.security`, or a document whose LOINC type says that it records what was
//!   talked about in counselling: the notes that 45 CFR 164.501 sets apart from the rest of the
//!   record, and that have a key of their own. Consultations, discharge summaries and referrals are
//!   not among them: they are written to be read by others.
//! - of **substance use** (42 CFR Part 2): a label that says so, or a code of a substance use disorder
//!   or its treatment anywhere in it.
//! - **restricted**: a label that closes it (`R` and `V` of v3-Confidentiality), or the label of another
//!   sensitivity, such as HIV or violence.
//!
//! Codes say less than people know. The list here is short: ICD-10-CM's chapters F10 to F16, F18 and
//! F19 whole (F17 is tobacco, which 42 CFR 2.11 leaves out), and of SNOMED CT and RxNorm the general
//! disorders, treatments and ingredients. SAMHSA's value sets (C2S, used by IHE's Privacy Consent on
//! FHIR) have some thousand codes more. A free text that speaks of drinking is not recognised, nor is
//! a medicine by a product's code: whoever records such a thing labels it.

use std::borrow::Cow;

use crate::json::Value;
use crate::person;

/// The system of labels of sensitivity.
pub const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// The system of labels of confidentiality.
pub const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

/// The label of a therapy note.
pub const THERAPY_NOTE: &str = "PSYTHPN";

const LOINC: &str = "http://loinc.org";
const SNOMED: &str = "http://snomed.info/sct";
const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const ICD_10_CM: &str = "http://hl7.org/fhir/sid/icd-10-cm";
const ICD_10: &str = "http://hl7.org/fhir/sid/icd-10";

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

/// Labels of v3-ActCode that say substance use, sorted.
const USE_LABELS: [&str; 5] = ["42CFRPart2", "ETH", "ETHUD", "OPIOIDUD", "SUD"];

/// Labels of v3-ActCode that close a resource to all but a few, sorted: its codes of information
/// sensitivity that are about a matter rather than about the office that holds it. Substance use and
/// therapy notes have their own place.
const CLOSING: [&str; 17] = [
    "BH", "COGN", "DVD", "EMOTDIS", "GDIS", "HIV", "MH", "MST", "PSY", "SCA", "SDV", "SEX",
    "SICKLE", "SPI", "STD", "TBOO", "VIO",
];

/// SNOMED CT: disorders of substance use and their treatment, sorted.
const USE_SNOMED: [&str; 19] = [
    "15167005",  // Alcohol abuse
    "191816009", // Drug dependence
    "24165007",  // Alcoholism counseling
    "26416006",  // Drug abuse
    "266707007", // Drug addiction therapy
    "313071005", // Counseling for substance abuse
    "31956009",  // Cocaine dependence
    "37344009",  // Cannabis abuse
    "5602001",   // Opioid abuse
    "56876005",  // Drug rehabilitation and detoxification
    "60112009",  // Drug addiction counseling
    "61480009",  // Drug detoxification
    "6525002",   // Dependent drug abuse
    "66214007",  // Substance abuse
    "66590003",  // Alcohol dependence
    "7200002",   // Alcoholism
    "75544000",  // Opioid dependence
    "78267003",  // Cocaine abuse
    "85005007",  // Cannabis dependence
];

/// RxNorm: ingredients that treat substance use, sorted.
const USE_RXNORM: [&str; 5] = [
    "1819",  // Buprenorphine
    "3554",  // Disulfiram
    "6813",  // Methadone
    "7243",  // Naltrexone
    "82819", // Acamprosate
];

/// What a resource tells by its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tells {
    /// Who somebody is.
    Identity,
    /// That and when somebody is seen, and by whom.
    Schedule,
    /// Everything else about a person.
    Care,
    /// Nothing of a person: staff, places, questionnaires.
    Nobody,
    /// Who looked at what.
    Access,
}

/// What a resource is besides, and its labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sensitivity<'d> {
    /// By its type.
    pub tells: Tells,
    /// It is a therapy note.
    pub therapy_note: bool,
    /// It is of substance use.
    pub substance_use: bool,
    /// A label closes it.
    pub restricted: bool,
    /// Its labels, in their order: the code alone for HL7's v3-Confidentiality and v3-ActCode,
    /// `system|code` for any other.
    pub labels: Vec<Cow<'d, str>>,
}

impl Sensitivity<'_> {
    /// Whether its type alone decides.
    pub fn is_plain(&self) -> bool {
        !(self.therapy_note || self.substance_use || self.restricted)
    }
}

/// How sensitive a resource is.
pub fn sensitivity(resource: Value<'_>) -> Sensitivity<'_> {
    let kind = resource.str_at(&["resourceType"]).unwrap_or_default();
    let mut found = Sensitivity {
        tells: tells(kind),
        therapy_note: is_document(resource) && is_typed(resource),
        substance_use: false,
        restricted: false,
        labels: Vec::new(),
    };
    let labels = resource.at(&["meta", "security"]);
    for label in labels.into_iter().flat_map(Value::items) {
        let (Some(system), Some(code)) = (label.str_at(&["system"]), label.str_at(&["code"]))
        else {
            continue;
        };
        match system {
            ACT_CODE => {
                found.therapy_note |= code == THERAPY_NOTE;
                found.substance_use |= USE_LABELS.binary_search(&code).is_ok();
                found.restricted |= CLOSING.binary_search(&code).is_ok();
            }
            CONFIDENTIALITY => found.restricted |= matches!(code, "R" | "V"),
            _ => {
                found.labels.push(format!("{system}|{code}").into());
                continue;
            }
        }
        found.labels.push(code.into());
    }
    // What is about nobody, such as a questionnaire that asks about drinking, gives nobody away.
    found.substance_use |= found.tells != Tells::Nobody && says_use(resource);
    found
}

/// What the resources of a type tell.
pub fn tells(kind: &str) -> Tells {
    match kind {
        "Patient" | "Person" | "RelatedPerson" => Tells::Identity,
        "Appointment"
        | "AppointmentResponse"
        | "CareTeam"
        | "Encounter"
        | "EpisodeOfCare"
        | "Schedule" => Tells::Schedule,
        "AuditEvent" => Tells::Access,
        // They hold what others say, of whomever.
        "Binary" | "Bundle" | "Group" | "Linkage" | "MessageHeader" | "Parameters" => Tells::Care,
        _ if person::can_be_about_one(kind) => Tells::Care,
        _ => Tells::Nobody,
    }
}

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

/// Whether a coding anywhere in a value says substance use.
fn says_use(value: Value<'_>) -> bool {
    if value.is_object() {
        if let (Some(system), Some(code)) = (value.str_at(&["system"]), value.str_at(&["code"]))
            && is_use(system, code)
        {
            return true;
        }
        value.entries().any(|(_, inner)| says_use(inner))
    } else {
        value.is_array() && value.items().any(says_use)
    }
}

fn is_use(system: &str, code: &str) -> bool {
    match system {
        ICD_10_CM | ICD_10 => {
            let chapter = code.as_bytes();
            chapter.len() >= 3
                && matches!(chapter[0], b'F' | b'f')
                && chapter[1] == b'1'
                && matches!(chapter[2], b'0'..=b'6' | b'8' | b'9')
        }
        SNOMED => USE_SNOMED.binary_search(&code).is_ok(),
        RXNORM => USE_RXNORM.binary_search(&code).is_ok(),
        _ => false,
    }
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
    fn the_lists_are_sorted() {
        assert!(TYPES.is_sorted());
        assert!(USE_LABELS.is_sorted());
        assert!(CLOSING.is_sorted());
        assert!(USE_SNOMED.is_sorted());
        assert!(USE_RXNORM.is_sorted());
    }

    #[test]
    fn a_resource_is_as_sensitive_as_its_type_its_labels_and_its_codes_say() {
        let label = |system: &str, code: &str| {
            format!(
                r#"{{"resourceType":"Observation","meta":{{"security":[{{"system":"{system}","code":"{code}"}}]}}}}"#
            )
        };
        let coded = |kind: &str, system: &str, code: &str| {
            format!(
                r#"{{"resourceType":"{kind}","reasonCode":[{{"coding":[{{"system":"{system}","code":"{code}"}}]}}]}}"#
            )
        };
        let typed = |kind: &str| format!(r#"{{"resourceType":"{kind}"}}"#);
        let note = r#"{"resourceType":"DocumentReference","type":{"coding":[{"system":"http://loinc.org","code":"74282-5"}]},"context":{"event":[{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"F10.20"}]}]}}"#;
        for (text, expected) in [
            (typed("Patient"), "Identity"),
            (typed("RelatedPerson"), "Identity"),
            (typed("Appointment"), "Schedule"),
            (typed("CareTeam"), "Schedule"),
            (typed("Encounter"), "Schedule"),
            (typed("Observation"), "Care"),
            (typed("Basic"), "Care"),
            (typed("Binary"), "Care"),
            (typed("Bundle"), "Care"),
            (typed("Practitioner"), "Nobody"),
            (typed("Questionnaire"), "Nobody"),
            (typed("Location"), "Nobody"),
            (typed("AuditEvent"), "Access"),
            (label(ACT_CODE, "PSYTHPN"), "Care note PSYTHPN"),
            (label(ACT_CODE, "ETH"), "Care use ETH"),
            (label(ACT_CODE, "42CFRPart2"), "Care use 42CFRPart2"),
            (label(ACT_CODE, "HIV"), "Care closed HIV"),
            (label(CONFIDENTIALITY, "V"), "Care closed V"),
            (label(CONFIDENTIALITY, "R"), "Care closed R"),
            (label(CONFIDENTIALITY, "N"), "Care N"),
            (label("urn:x", "R"), "Care urn:x|R"),
            (coded("Encounter", ICD_10_CM, "F10.20"), "Schedule use"),
            (coded("Condition", ICD_10_CM, "F11"), "Care use"),
            (coded("Condition", ICD_10, "F19.2"), "Care use"),
            (coded("Condition", ICD_10_CM, "F17.210"), "Care"),
            (coded("Condition", ICD_10_CM, "F20.0"), "Care"),
            (coded("Condition", ICD_10_CM, "F1"), "Care"),
            (coded("Condition", SNOMED, "7200002"), "Care use"),
            (coded("Condition", SNOMED, "72000021"), "Care"),
            (coded("MedicationRequest", RXNORM, "6813"), "Care use"),
            (coded("MedicationRequest", SNOMED, "6813"), "Care"),
            (coded("Questionnaire", ICD_10_CM, "F10.20"), "Nobody"),
            (note.to_owned(), "Care note use"),
        ] {
            let doc = Doc::parse(text.as_bytes()).expect("JSON");
            let found = sensitivity(doc.root());
            let mut seen = format!("{:?}", found.tells);
            for (is, word) in [
                (found.therapy_note, " note"),
                (found.substance_use, " use"),
                (found.restricted, " closed"),
            ] {
                seen += if is { word } else { "" };
            }
            for label in &found.labels {
                seen += &format!(" {label}");
            }
            assert_eq!(seen, expected, "{text}");
            assert_eq!(found.therapy_note, is_therapy_note(doc.root()), "{text}");
        }
    }
}
