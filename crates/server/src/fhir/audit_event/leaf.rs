//! A leaf of the access log as a FHIR AuditEvent, in the code systems that HL7 names for it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ledger::access::Disclosed;
use ledger::disclosure::{Told, What};
use record::json::write_string;

use super::{KIND, PREFIX};
use crate::error::Error;
use crate::programme::{Programme, Whose};

const EVENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
const PURPOSE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const ENTITY_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";

/// Names that are not resources: programs and users without one.
const ACTOR: &str = "urn:homecoming:actor";
/// Persons whom nothing but the lines knows any more.
const ALIAS: &str = "urn:homecoming:person";

/// The event's type, and its subtype with the action, for one way of giving out.
fn type_of(
    what: What,
) -> (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
) {
    let rest = (EVENT_TYPE, "rest", "RESTful Operation");
    let of = |(system, code, display), interaction| (system, code, display, interaction);
    match what {
        What::Read | What::Found => of(rest, Some("read")),
        What::Version => of(rest, Some("vread")),
        What::History => of(rest, Some("history-instance")),
        What::Search => of(rest, Some("search-type")),
        What::Bundle => of(rest, Some("batch")),
        What::Receipt => of(rest, Some("operation")),
        What::Page | What::Seen => of((DICOM, "110110", "Patient Record"), None),
        What::Export => of((DICOM, "110106", "Export"), None),
    }
}

/// The AuditEvent of a leaf, as compact JSON.
pub(super) fn resource(programme: &Programme, one: &Disclosed) -> Result<Vec<u8>, Error> {
    let leaf = &one.leaf;
    let mut out = Vec::with_capacity(1024);
    let (system, code, display, interaction) = type_of(leaf.what);
    let at = leaf.recorded_at;
    raw(&mut out, "{\"resourceType\":\"");
    raw(&mut out, KIND);
    raw(
        &mut out,
        &format!("\",\"id\":\"{PREFIX}{}\"", leaf.position),
    );
    raw(
        &mut out,
        &format!(",\"meta\":{{\"versionId\":\"1\",\"lastUpdated\":\"{at}\"}}"),
    );
    raw(&mut out, ",\"type\":");
    coding(&mut out, system, code, display);
    if let Some(interaction) = interaction {
        raw(&mut out, ",\"subtype\":[");
        coding(&mut out, INTERACTION, interaction, interaction);
        raw(&mut out, "]");
    }
    let action = match leaf.what {
        What::Search | What::Bundle => "E",
        _ => "R",
    };
    raw(
        &mut out,
        &format!(",\"action\":\"{action}\",\"recorded\":\"{at}\",\"outcome\":\"0\""),
    );
    raw(&mut out, ",\"purposeOfEvent\":[{\"coding\":[{\"system\":");
    string(&mut out, PURPOSE);
    raw(&mut out, ",\"code\":");
    string(&mut out, &leaf.purpose);
    raw(&mut out, "}]}],\"agent\":[{\"who\":");
    who(&mut out, &leaf.actor);
    raw(&mut out, ",\"requestor\":true}],\"source\":{\"site\":");
    string(&mut out, programme.access().origin());
    raw(&mut out, ",\"observer\":{\"display\":");
    string(&mut out, programme.name());
    raw(&mut out, "},\"type\":[");
    coding(&mut out, SOURCE_TYPE, "4", "Application Server");
    raw(&mut out, "]},\"entity\":[");
    for person in &one.persons {
        match programme.whose(*person)? {
            Whose::Patient(id) => {
                raw(&mut out, "{\"what\":{\"reference\":");
                string(&mut out, &format!("Patient/{id}"));
                raw(&mut out, "}");
            }
            Whose::Erased | Whose::Nobody => {
                raw(&mut out, "{\"what\":{\"identifier\":{\"system\":");
                string(&mut out, ALIAS);
                raw(&mut out, ",\"value\":");
                string(&mut out, &format!("p{person}"));
                raw(&mut out, "}}");
            }
        }
        raw(&mut out, ",\"type\":");
        coding(&mut out, ENTITY_TYPE, "1", "Person");
        raw(&mut out, ",\"role\":");
        coding(&mut out, ENTITY_ROLE, "1", "Patient");
        raw(&mut out, "},");
    }
    if let Some(reference) = one.told.as_ref().and_then(resource_asked) {
        raw(&mut out, "{\"what\":{\"reference\":");
        string(&mut out, &reference);
        raw(&mut out, "},\"type\":");
        coding(&mut out, ENTITY_TYPE, "2", "System Object");
        raw(&mut out, ",\"role\":");
        coding(&mut out, ENTITY_ROLE, "4", "Domain Resource");
        raw(&mut out, "},");
    }
    asked(&mut out, one);
    raw(&mut out, "]}");
    Ok(out)
}

/// What was asked for, from how large a record, and how much was given out.
fn asked(out: &mut Vec<u8>, one: &Disclosed) {
    raw(out, "{\"type\":");
    coding(out, ENTITY_TYPE, "2", "System Object");
    raw(out, ",\"role\":");
    coding(out, ENTITY_ROLE, "24", "Query");
    if let Some(told) = &one.told {
        raw(out, ",\"query\":");
        string(out, &STANDARD.encode(&told.address));
    }
    let details = [
        ("record size", one.leaf.size),
        ("versions given out", one.leaf.versions),
    ];
    raw(out, ",\"detail\":[");
    for (place, (name, number)) in details.into_iter().enumerate() {
        raw(
            out,
            if place == 0 {
                "{\"type\":"
            } else {
                ",{\"type\":"
            },
        );
        string(out, name);
        raw(out, &format!(",\"valueString\":\"{number}\"}}"));
    }
    raw(out, "]}");
}

fn who(out: &mut Vec<u8>, actor: &str) {
    if actor.starts_with("Practitioner/") {
        raw(out, "{\"reference\":");
        string(out, actor);
        raw(out, "}");
        return;
    }
    raw(out, "{\"identifier\":{\"system\":");
    string(out, ACTOR);
    raw(out, ",\"value\":");
    string(out, actor);
    raw(out, "},\"display\":");
    string(out, actor);
    raw(out, "}");
}

/// The resource or version that a FHIR address names; a Patient is told as the person already.
fn resource_asked(told: &Told) -> Option<String> {
    let path = told.address.split('?').next()?.strip_prefix("/fhir/")?;
    let mut parts = path.split('/');
    let (kind, id) = (parts.next()?, parts.next()?);
    let usable = record::definitions::kind_number(kind).is_some()
        && kind != "Patient"
        && super::super::known_id(id).is_ok();
    let version = match (parts.next(), parts.next()) {
        (Some("_history"), Some(version)) if version.bytes().all(|b| b.is_ascii_digit()) => {
            format!("/_history/{version}")
        }
        _ => String::new(),
    };
    usable.then(|| format!("{kind}/{id}{version}"))
}

fn coding(out: &mut Vec<u8>, system: &str, code: &str, display: &str) {
    raw(out, "{\"system\":");
    string(out, system);
    raw(out, ",\"code\":");
    string(out, code);
    raw(out, ",\"display\":");
    string(out, display);
    raw(out, "}");
}

fn raw(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn string(out: &mut Vec<u8>, text: &str) {
    write_string(text, out);
}
