//! What a resource says, in a few words: for timelines, lists and headings.
//!
//! One table by kind; whatever has no row of its own is told by its code or its kind's name, so
//! that nothing that is in the record is missing from a page because nobody thought of it.

use casework::codes;
use record::json::Value;

use crate::chart::event::Row;

/// The first code of a CodeableConcept, or of the first in a list of them.
pub fn code<'d>(concept: Option<Value<'d>>) -> Option<&'d str> {
    let concept = concept?.each().next()?;
    concept.get("coding")?.items().next()?.str_at(&["code"])
}

/// The code of a CodeableConcept (or a list of them) in one system.
pub fn code_in<'d>(concept: Option<Value<'d>>, system: &str) -> Option<&'d str> {
    concept?
        .each()
        .filter_map(|concept| concept.get("coding"))
        .flat_map(|codings| codings.items())
        .find(|coding| coding.str_at(&["system"]) == Some(system))
        .and_then(|coding| coding.str_at(&["code"]))
}

/// A CodeableConcept (or the first of a list, or a Coding, or a plain code) in words.
pub fn concept(value: Option<Value<'_>>) -> Option<String> {
    let value = value?.each().next()?;
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    if let Some(text) = value
        .str_at(&["text"])
        .or_else(|| value.str_at(&["display"]))
    {
        return Some(text.to_owned());
    }
    let coding = value
        .get("coding")
        .and_then(|codings| codings.items().next())?;
    let text = coding
        .str_at(&["display"])
        .or_else(|| coding.str_at(&["code"]))?;
    Some(text.to_owned())
}

/// The name of a person or an organisation: "Haddad, Samir".
pub fn name(resource: Value<'_>) -> Option<String> {
    let name = resource.get("name")?;
    if let Some(text) = name.as_str() {
        return Some(text.to_owned());
    }
    let name = name
        .items()
        .find(|name| name.str_at(&["use"]) == Some("official"))
        .or_else(|| name.items().next())?;
    let given = name.get("given").and_then(|given| given.items().next());
    let given = given.and_then(|given| given.as_str());
    match (name.str_at(&["family"]), given) {
        (Some(family), Some(given)) => Some(format!("{family}, {given}")),
        (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => name.str_at(&["text"]).map(str::to_owned),
    }
}

/// "ExplanationOfBenefit" as "Explanation of benefit".
pub fn kind(kind: &str) -> String {
    let mut out = String::with_capacity(kind.len() + 4);
    for (place, letter) in kind.chars().enumerate() {
        if letter.is_ascii_uppercase() && place > 0 {
            out.push(' ');
            out.push(letter.to_ascii_lowercase());
        } else {
            out.push(letter);
        }
    }
    out
}

/// A Quantity as written: "2 mg"; scores without their unit.
fn quantity(value: Value<'_>) -> Option<String> {
    let number = value.get("value")?.number_text()?;
    let comparator = value.str_at(&["comparator"]).unwrap_or_default();
    match value.str_at(&["unit"]).or_else(|| value.str_at(&["code"])) {
        Some("{score}") | None => Some(format!("{comparator}{number}")),
        Some(unit) => Some(format!("{comparator}{number} {unit}")),
    }
}

/// What an Observation found, as written.
pub fn value(resource: Value<'_>) -> Option<String> {
    let find = |key: &str| resource.get(key);
    find("valueQuantity")
        .and_then(quantity)
        .or_else(|| {
            find("valueInteger")
                .and_then(|value| value.number_text())
                .map(str::to_owned)
        })
        .or_else(|| concept(find("valueCodeableConcept")))
        .or_else(|| {
            find("valueString")
                .and_then(|value| value.as_str())
                .map(str::to_owned)
        })
        .or_else(|| {
            let value = find("valueBoolean")?.as_bool()?;
            Some(if value { "yes" } else { "no" }.to_owned())
        })
}

/// The medicine that a resource is about: "Prazosin 2 mg".
pub fn medicine(resource: Value<'_>) -> Option<String> {
    concept(resource.get("medicationCodeableConcept")).or_else(|| {
        resource
            .str_at(&["medicationReference", "display"])
            .map(str::to_owned)
    })
}

/// What a resource tells, in a few words, and the row of the timeline that it belongs to.
pub struct Words {
    /// In a few words: "Session 4", "PCL-5 = 38", "Prazosin 2 mg".
    pub what: String,
    /// Row of the wide timeline; nothing for what is no event.
    pub row: Option<Row>,
}

/// The words for a resource.
pub fn words(kind_of: &str, resource: Value<'_>) -> Words {
    let status = resource.str_at(&["status"]).unwrap_or_default();
    let get = |key: &str| resource.get(key);
    let coded = |key: &str| concept(get(key));
    let or_kind = |found: Option<String>| found.unwrap_or_else(|| kind(kind_of));
    let (row, what) = match kind_of {
        "Encounter" => {
            let what = or_kind(coded("type").or_else(|| coded("reasonCode")));
            let missed = matches!(status, "cancelled");
            (
                Some(Row::Contact),
                if missed {
                    format!("{what}: missed")
                } else {
                    what
                },
            )
        }
        "Appointment" => {
            let what = resource
                .str_at(&["description"])
                .map(str::to_owned)
                .or_else(|| coded("serviceType"));
            let how = match status {
                "booked" | "pending" | "proposed" => "planned",
                "fulfilled" | "arrived" | "checked-in" => "kept",
                "noshow" => "missed",
                other => other,
            };
            (None, format!("{}: {how}", or_kind(what)))
        }
        "Observation" => {
            let score = super::scores::score_of(resource);
            match (score, value(resource)) {
                (Some(score), _) => (
                    Some(Row::Score),
                    format!("{} = {}", score.scale_name(), score.value),
                ),
                (None, found) => {
                    let what = match super::scores::item_of(resource) {
                        Some(item) => item,
                        None => or_kind(coded("code")),
                    };
                    let history = code(get("category")) == Some("social-history");
                    let row = if history { Row::Service } else { Row::Score };
                    (
                        Some(row),
                        match found {
                            Some(found) => format!("{what}: {found}"),
                            None => what,
                        },
                    )
                }
            }
        }
        "QuestionnaireResponse" => {
            let canonical = resource.str_at(&["questionnaire"]).unwrap_or_default();
            let named = instruments::by_url(canonical).map(|found| found.name.to_owned());
            (
                None,
                format!(
                    "{} filled in",
                    named.unwrap_or_else(|| "Questionnaire".to_owned())
                ),
            )
        }
        "MedicationStatement" => {
            let state = match status {
                "active" | "intended" => "",
                "stopped" | "completed" => ": stopped",
                "on-hold" => ": on hold",
                "not-taken" => ": not taken",
                _ => "",
            };
            (
                Some(Row::Medicine),
                format!("{}{state}", or_kind(medicine(resource))),
            )
        }
        "MedicationRequest" => (
            Some(Row::Medicine),
            format!("{} prescribed", or_kind(medicine(resource))),
        ),
        "MedicationAdministration" => (
            Some(Row::Medicine),
            format!("{} given", or_kind(medicine(resource))),
        ),
        "Immunization" => (
            Some(Row::Care),
            format!("{} given", or_kind(coded("vaccineCode"))),
        ),
        "DocumentReference" => {
            let what = resource
                .str_at(&["description"])
                .map(str::to_owned)
                .or_else(|| coded("type"));
            let draft = resource.str_at(&["docStatus"]) == Some("preliminary");
            (
                Some(Row::Note),
                format!("{}{}", or_kind(what), if draft { " (draft)" } else { "" }),
            )
        }
        "Media" => (
            Some(Row::Note),
            or_kind(resource.str_at(&["content", "title"]).map(str::to_owned)),
        ),
        "Consent" => (Some(Row::Programme), consent(resource)),
        "EpisodeOfCare" => (
            Some(Row::Programme),
            format!("Stage: {}", or_kind(coded("type"))),
        ),
        "Flag" => (
            Some(Row::Programme),
            format!("Flag: {}", or_kind(coded("code"))),
        ),
        "AdverseEvent" => (Some(Row::Care), or_kind(coded("event"))),
        "Task" => {
            let what = resource
                .str_at(&["description"])
                .map(str::to_owned)
                .or_else(|| coded("code"));
            let state = match status {
                "completed" => ": done",
                "cancelled" | "rejected" | "failed" => ": not done",
                _ => ": owed",
            };
            (Some(Row::Programme), format!("{}{state}", or_kind(what)))
        }
        "Goal" => (
            Some(Row::Care),
            format!("Goal: {}", or_kind(coded("description"))),
        ),
        "Communication" => (Some(Row::Programme), or_kind(coded("topic"))),
        "CarePlan" => (
            Some(Row::Care),
            format!(
                "Plan: {}",
                or_kind(resource.str_at(&["title"]).map(str::to_owned).or_else(|| {
                    get("category")?
                        .items()
                        .filter_map(|one| concept(Some(one)))
                        .last()
                }))
            ),
        ),
        "Condition" | "Procedure" | "DiagnosticReport" | "ServiceRequest"
        | "AllergyIntolerance" => (Some(Row::Care), or_kind(coded("code"))),
        "Patient" => (None, or_kind(name(resource))),
        _ => (None, or_kind(coded("code").or_else(|| coded("type")))),
    };
    Words { what, row }
}

/// What a consent of this programme is about: a code of [`codes::CONSENT`].
pub fn consent_about<'d>(resource: Value<'d>) -> Option<&'d str> {
    let provision = resource.get("provision");
    code_in(resource.get("category"), codes::CONSENT)
        .or_else(|| code_in(provision?.get("code"), codes::CONSENT))
}

/// What a consent is about, in words.
pub fn consent_matter(resource: Value<'_>) -> Option<String> {
    let shown = consent_about(resource).and_then(|code| codes::shown(&codes::CONSENTS, code));
    let provision = resource.get("provision");
    shown
        .map(str::to_owned)
        .or_else(|| concept(provision?.get("code")))
        .or_else(|| concept(resource.get("scope")))
}

fn consent(resource: Value<'_>) -> String {
    let about = consent_matter(resource).unwrap_or_else(|| "unnamed".to_owned());
    let status = resource.str_at(&["status"]);
    if status == Some("rejected") {
        return format!("Consent refused: {about}");
    }
    let inactive = !matches!(status, Some("active" | "proposed" | "draft"));
    let permit = resource.str_at(&["provision", "type"]) != Some("deny");
    match (permit, inactive) {
        (true, false) => format!("Consent: {about}"),
        (true, true) => format!("Consent ended: {about}"),
        (false, _) => format!("Consent withdrawn: {about}"),
    }
}

/// A status code as a person would say it: "entered-in-error" as "entered in error".
pub fn plain(code: &str) -> String {
    code.replace(['-', '_'], " ")
}
