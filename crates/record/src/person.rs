//! Whom a resource is about: the patient to whose chain in the ledger it belongs.
//!
//! FHIR's Patient compartment lists every role that a patient may have, performer and payer too. A chain needs one
//! person, so this table names, for each kind, the elements that say whom the resource is about, the first that leads
//! to a Patient deciding.

use crate::json::Value;
use crate::reference::Reference;

/// The id of the patient whom a resource is about: a Patient's own, or that of the first relative reference to a
/// Patient in the elements that the table names. `None`: it is about nobody, or about more than the record can say.
///
/// References under `urn:uuid:`, conditional ones and those to other servers lead to no patient here, so ask the
/// resource as it is stored.
pub fn person(resource: Value<'_>) -> Option<&str> {
    let kind = resource.str_at(&["resourceType"])?;
    if kind == "Patient" {
        return resource.str_at(&["id"]);
    }
    let at = TABLE.binary_search_by(|row| row.0.cmp(kind)).ok()?;
    TABLE[at]
        .1
        .iter()
        .find_map(|path| patient_at(resource, path))
}

/// The kinds that can be about a person, in the order of their names; Patient itself is not among them.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.0)
}

/// Whether resources of a kind can be about a person.
pub fn can_be_about_one(kind: &str) -> bool {
    kind == "Patient" || TABLE.binary_search_by(|row| row.0.cmp(kind)).is_ok()
}

fn patient_at<'d>(value: Value<'d>, path: &str) -> Option<&'d str> {
    let (step, rest) = match path.split_once('.') {
        Some((step, rest)) => (step, rest),
        None => (path, ""),
    };
    let mut found = value.get(step)?.each();
    found.find_map(|v| {
        if !rest.is_empty() {
            return patient_at(v, rest);
        }
        match Reference::parse(v.get("reference")?.as_str()?) {
            Reference::Relative(target) if target.kind == "Patient" => Some(target.id),
            _ => None,
        }
    })
}

/// Kind, and where it names the person; sorted by kind.
const TABLE: &[(&str, &[&str])] = &[
    ("Account", &["subject"]),
    ("AdverseEvent", &["subject"]),
    ("AllergyIntolerance", &["patient"]),
    ("Appointment", &["participant.actor"]),
    ("AppointmentResponse", &["actor"]),
    ("AuditEvent", &["entity.what", "agent.who"]),
    ("Basic", &["subject"]),
    ("Binary", &["securityContext"]),
    ("BodyStructure", &["patient"]),
    ("CarePlan", &["subject"]),
    ("CareTeam", &["subject"]),
    ("ChargeItem", &["subject"]),
    ("Claim", &["patient"]),
    ("ClaimResponse", &["patient"]),
    ("ClinicalImpression", &["subject"]),
    ("Communication", &["subject", "recipient", "sender"]),
    ("CommunicationRequest", &["subject", "recipient"]),
    ("Composition", &["subject"]),
    ("Condition", &["subject"]),
    ("Consent", &["patient"]),
    ("Contract", &["subject"]),
    ("Coverage", &["beneficiary"]),
    ("CoverageEligibilityRequest", &["patient"]),
    ("CoverageEligibilityResponse", &["patient"]),
    ("DetectedIssue", &["patient"]),
    ("Device", &["patient"]),
    ("DeviceRequest", &["subject"]),
    ("DeviceUseStatement", &["subject"]),
    ("DiagnosticReport", &["subject"]),
    ("DocumentManifest", &["subject"]),
    ("DocumentReference", &["subject"]),
    ("Encounter", &["subject"]),
    ("EnrollmentRequest", &["candidate"]),
    ("EpisodeOfCare", &["patient"]),
    ("ExplanationOfBenefit", &["patient"]),
    ("FamilyMemberHistory", &["patient"]),
    ("Flag", &["subject"]),
    ("Goal", &["subject"]),
    ("GuidanceResponse", &["subject"]),
    ("ImagingStudy", &["subject"]),
    ("Immunization", &["patient"]),
    ("ImmunizationEvaluation", &["patient"]),
    ("ImmunizationRecommendation", &["patient"]),
    ("Invoice", &["subject", "recipient"]),
    ("List", &["subject"]),
    ("MeasureReport", &["subject"]),
    ("Media", &["subject"]),
    ("MedicationAdministration", &["subject"]),
    ("MedicationDispense", &["subject"]),
    ("MedicationRequest", &["subject"]),
    ("MedicationStatement", &["subject"]),
    ("MolecularSequence", &["patient"]),
    ("NutritionOrder", &["patient"]),
    ("Observation", &["subject"]),
    ("Person", &["link.target"]),
    ("Procedure", &["subject"]),
    ("Provenance", &["target"]),
    ("QuestionnaireResponse", &["subject"]),
    ("RelatedPerson", &["patient"]),
    ("RequestGroup", &["subject"]),
    ("ResearchSubject", &["individual"]),
    ("RiskAssessment", &["subject"]),
    ("Schedule", &["actor"]),
    ("ServiceRequest", &["subject"]),
    ("Specimen", &["subject"]),
    ("SupplyDelivery", &["patient"]),
    ("SupplyRequest", &["deliverTo"]),
    ("Task", &["for"]),
    ("VerificationResult", &["target"]),
    ("VisionPrescription", &["patient"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::{Shape, definitions};
    use crate::json::Doc;

    #[test]
    fn the_table_names_references_that_may_lead_to_a_patient() {
        assert!(TABLE.is_sorted_by(|a, b| a.0 < b.0));
        let patient = crate::definitions::kind_number("Patient").unwrap();
        for (kind, paths) in TABLE {
            for path in *paths {
                let mut at = definitions().kind(kind).unwrap();
                let mut steps = path.split('.').peekable();
                while let Some(step) = steps.next() {
                    let element = at.element(step).unwrap_or_else(|| panic!("{kind}.{path}"));
                    let Shape::Object(id) = element.shape else {
                        panic!("{kind}.{path}")
                    };
                    at = definitions().type_of(id);
                    if steps.peek().is_none() {
                        assert_eq!(at.name, "Reference", "{kind}.{path}");
                        let targets = definitions().targets(element);
                        assert!(targets.is_none_or(|t| t.contains(patient)), "{kind}.{path}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_resource_belongs_to_whom_it_is_about() {
        let rows = [
            (r#"{"resourceType":"Patient","id":"1"}"#, Some("1")),
            (
                r#"{"resourceType":"Observation","subject":{"reference":"Patient/2"}}"#,
                Some("2"),
            ),
            (
                r#"{"resourceType":"Observation","subject":{"reference":"Patient/2/_history/3"}}"#,
                Some("2"),
            ),
            (
                r#"{"resourceType":"Observation","subject":{"reference":"Group/2"}}"#,
                None,
            ),
            (
                r#"{"resourceType":"Observation","subject":{"reference":"urn:uuid:2"}}"#,
                None,
            ),
            (
                r#"{"resourceType":"Observation","subject":{"reference":"http://elsewhere/Patient/2"}}"#,
                None,
            ),
            (
                r#"{"resourceType":"Observation","subject":{"display":"A soldier"}}"#,
                None,
            ),
            (
                r#"{"resourceType":"Observation","performer":[{"reference":"Patient/2"}]}"#,
                None,
            ),
            (
                r#"{"resourceType":"Appointment","participant":[{"actor":{"reference":"Practitioner/1"}},{"status":"accepted"},{"actor":{"reference":"Patient/2"}}]}"#,
                Some("2"),
            ),
            (
                r#"{"resourceType":"Task","for":{"reference":"Patient/2"}}"#,
                Some("2"),
            ),
            (r#"{"resourceType":"Location","id":"1"}"#, None),
            (r#"{"subject":{"reference":"Patient/2"}}"#, None),
            ("[]", None),
        ];
        for (src, expect) in rows {
            let doc = Doc::parse(src.as_bytes()).unwrap();
            assert_eq!(person(doc.root()), expect, "{src}");
        }
    }
}
