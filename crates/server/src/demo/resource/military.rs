//! Military service and deployments, as HL7's Military Service History and Status guide has them.
//! Why somebody was separated is never written here: it is need-to-know and the demo has no need.

use super::super::calendar::date;
use super::super::person::Person;
use super::{coded, to};
use instruments::LOINC;
use serde_json::{Value, json};

const MILITARY: &str =
    "http://hl7.org/fhir/us/military-service/CodeSystem/military-service-code-system";
const OCCUPATION: &str = "http://terminology.hl7.org/CodeSystem/PHOccupationalDataForHealthODH";

/// A branch of service and how the guide codes it.
pub struct Branch {
    /// Code system.
    system: &'static str,
    /// Code.
    code: &'static str,
    /// Display of the code.
    display: &'static str,
    /// What people say.
    pub name: &'static str,
}

const fn branch(
    system: &'static str,
    code: &'static str,
    display: &'static str,
    name: &'static str,
) -> Branch {
    Branch {
        system,
        code,
        display,
        name,
    }
}

/// The branches of service that have a code in the guide or its source.
pub const BRANCHES: [Branch; 5] = [
    branch(
        OCCUPATION,
        "928110.000817",
        "Army [National Security ]",
        "Army",
    ),
    branch(
        MILITARY,
        "928110.010506",
        "Marine Corps [National Security ]",
        "Marine Corps",
    ),
    branch(
        OCCUPATION,
        "928110.011438",
        "Navy [National Security ]",
        "Navy",
    ),
    branch(
        OCCUPATION,
        "928110.000255",
        "Air Force [National Security ]",
        "Air Force",
    ),
    branch(
        OCCUPATION,
        "928110.011393",
        "National Guard [National Security ]",
        "National Guard",
    ),
];

/// A time of military service, as the guide has it. Dates are days.
pub fn service(
    id: &str,
    branch: &Branch,
    period: (i64, i64),
    deployment: Option<&str>,
    person: &Person,
) -> Value {
    let mut value = coded(branch.system, branch.code, branch.display);
    value["text"] = json!(branch.name);
    let mut out = json!({
        "resourceType": "Observation",
        "id": id,
        "meta": { "profile": ["http://hl7.org/fhir/us/military-service/StructureDefinition/military-service-episode"] },
        "status": "final",
        "category": [{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "social-history",
        }] }],
        "code": { "coding": [{ "system": LOINC, "code": "87511-2" }], "text": "Military service" },
        "subject": to("Patient", &person.id),
        "effectivePeriod": { "start": date(period.0), "end": date(period.1) },
    });
    if let Some(deployment) = deployment {
        out["hasMember"] = json!([to("Observation", deployment)]);
    }
    out["component"] = json!([
        {
            "code": { "coding": [{ "system": LOINC, "code": "85104-8" }], "text": "Branch of service" },
            "valueCodeableConcept": value,
        },
        {
            "code": coded(MILITARY, "9B7095A70B024CD789A36E48A3936592", "Discharge Status"),
            "valueCodeableConcept": coded(MILITARY, "79A512F77CFC4E63B9969930FC8787DB", "Honorable"),
        },
    ]);
    out
}

/// A deployment. `country`: ISO 3166-1 alpha-3 and name.
pub fn deployment(
    id: &str,
    country: (&str, &str),
    period: (i64, i64),
    branch: &Branch,
    person: &Person,
) -> Value {
    json!({
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "category": [{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "social-history",
        }] }],
        "code": coded(MILITARY, "f6bb8fdc-89b0-4c0b-8d81-d3916f182c2f", "Deployment Episode"),
        "subject": to("Patient", &person.id),
        "effectivePeriod": { "start": date(period.0), "end": date(period.1) },
        "component": [
            {
                "code": { "coding": [{ "system": LOINC, "code": "86188-0" }], "text": "Branch of service" },
                "valueCodeableConcept": coded(branch.system, branch.code, branch.display),
            },
            {
                "code": coded(MILITARY, "7E33243654BB42F5BF3F3A59E0E6E6BD", "Deployment Episode Country Code"),
                "valueCodeableConcept": coded("urn:iso:std:iso:3166", country.0, country.1),
            },
        ],
    })
}
