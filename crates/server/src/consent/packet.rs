//! What a release covers, as the record stands: the versions, and the FHIR document that is sent.
//!
//! All Consents of the person are weighed, not the release alone: who has refused something to somebody
//! refuses it to a release as well. What is labelled is covered only where it is named.

use casework::Span;
use casework::consent::offer::RELEASE;
use casework::consent::{Action, Asked, Consent, Data, Recipient, consented, label};
use record::json::{Doc, Value};
use record::time::RecordedAt;
use serde_json::{Value as Json, json};

use crate::case::{Case, words};
use crate::error::{Error, ErrorKind};
use crate::programme::{Programme, Version, View};
use crate::signature;

/// What a release gives out.
#[derive(Debug)]
pub struct Packet {
    /// The release, as it is relied on.
    pub release: Version,
    /// To whom: reference, name and address.
    pub recipient: (String, String, String),
    /// What for.
    pub purpose: String,
    /// What it covers.
    pub versions: Vec<Version>,
    /// Whether something of it is under 42 CFR Part 2.
    pub part2: bool,
}

impl Packet {
    /// The version of the release that is relied on.
    pub fn basis(&self) -> String {
        format!(
            "Consent/{}/_history/{}",
            self.release.id, self.release.version
        )
    }
}

/// The notice that goes with what is under Part 2, and where the law has it.
pub const NOTICE: (&str, &str) = (policy::REDISCLOSURE, "42 CFR 2.32(a)(2)");

/// What a release covers now, for whoever makes it: of a whole record, all of which they must be able
/// to read, or what is missing would be missed by nobody.
pub fn of(
    programme: &Programme,
    view: &View,
    patient: &str,
    consent: &str,
    now: i64,
) -> Result<Packet, Error> {
    let whole = view.clone().unbound();
    let mut packet = covered(&whole, patient, consent, now)?;
    add_signatures(programme, &whole, &mut packet.versions)?;
    for version in std::iter::once(&packet.release).chain(&packet.versions) {
        if view.at(version.position)?.is_none() {
            return Err(Error::new(
                ErrorKind::Forbidden,
                "Part of what this release covers is not for you to read. Somebody who treats the person \
                 must make it.",
            ));
        }
    }
    Ok(packet)
}

fn covered(view: &View, patient: &str, consent: &str, now: i64) -> Result<Packet, Error> {
    let missing = || {
        Error::new(
            ErrorKind::NotFound,
            "There is no such release of this person.",
        )
    };
    let release = view
        .read("Consent", consent)?
        .filter(|found| !found.deleted);
    let release = release
        .filter(|found| found.person().as_deref() == Some(patient))
        .ok_or_else(missing)?;
    let doc = Doc::parse(&release.stored).map_err(Error::internal)?;
    let root = doc.root();
    if words::consent_about(root) != Some(RELEASE) {
        return Err(missing());
    }
    let read = super::read(&release).ok_or_else(missing)?;
    if !read.in_force(now) {
        return Err(Error::new(
            ErrorKind::Refused,
            "This release is not in force: it has ended or was taken back, so nothing may be given out \
             because of it. Ask the person for a new one.",
        ));
    }
    let provision = root.get("provision");
    let first = |name: &str| provision?.get(name)?.items().next();
    let actor = first("actor").ok_or_else(missing)?;
    let text = |path: &[&str]| actor.str_at(path).unwrap_or_default().to_owned();
    let recipient = (
        text(&["reference", "reference"]),
        text(&["reference", "display"]),
        address(actor).unwrap_or_default(),
    );
    let purpose = first("purpose")
        .and_then(|one| one.str_at(&["code"]))
        .unwrap_or_default()
        .to_owned();
    let consents = super::of_person(view, patient)?;
    let mut versions = Vec::new();
    let mut part2 = false;
    let case = Case::read(view, patient)?.ok_or_else(super::act::nobody)?;
    for thing in case.things() {
        let Some(telling) = thing.current() else {
            continue;
        };
        let resource = telling.resource();
        // What governs the record is not given out, and neither are the papers that were signed.
        let is_consent = words::code(resource.get("type")) == Some("59284-0");
        if crate::programme::says_governance(resource) || is_consent {
            continue;
        }
        let labels = labels(resource);
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let reference = format!("{}/{}", thing.kind, thing.id);
        let mut codes = Vec::new();
        super::codings(resource, &mut codes);
        let asked = Asked {
            at: now,
            action: Action::Disclose,
            purpose: &purpose,
            recipient: Recipient {
                references: &[recipient.0.as_str()],
                classes: &[],
            },
            data: Data {
                class: thing.kind,
                reference: &reference,
                labels: &labels,
                codes: &codes,
                happened: record::happened::happened(resource).map(|happened| Span {
                    start: happened.start,
                    end: happened.end,
                }),
            },
        };
        if covers(&consents, &release.id, &asked) {
            part2 |= labels.iter().any(|label| label::is_part2(label));
            versions.extend(view.at(telling.told.position)?);
        }
    }
    drop(doc);
    add_disputes(view, patient, &mut versions)?;
    Ok(Packet {
        recipient,
        purpose,
        versions,
        part2,
        release,
    })
}

/// What is said of an entry goes with it, whatever the release names: 45 CFR 164.526(d)(5).
fn add_disputes(view: &View, patient: &str, versions: &mut Vec<Version>) -> Result<(), Error> {
    for found in crate::dispute::of_person(view, patient)? {
        let (kind, id, _) = &found.disputed;
        let goes = versions
            .iter()
            .any(|one| (&one.kind, &one.id) == (kind, id));
        for text in found.texts.iter().filter(|_| goes) {
            let there = versions.iter().any(|one| one.position == text.position);
            if !there {
                versions.extend(view.at(text.position)?);
            }
        }
    }
    Ok(())
}

/// Who signed a version as what, and when, goes with it: a signature is of that version and no other.
fn add_signatures(
    programme: &Programme,
    view: &View,
    versions: &mut Vec<Version>,
) -> Result<(), Error> {
    let mut signatures: Vec<Version> = Vec::new();
    for version in versions.iter() {
        let found = signature::of(programme, view, &version.kind, &version.id)?;
        let found = found
            .into_iter()
            .filter(|one| one.fits.is_ok() && one.signed.statement.position == version.position);
        signatures.extend(found.map(|one| one.version));
    }
    versions.extend(signatures);
    Ok(())
}

/// Whether a release covers something, and nothing that the person said stands against it.
fn covers(consents: &[Consent], release: &str, asked: &Asked<'_>) -> bool {
    let alone = consents.iter().filter(|consent| consent.id == release);
    consented(alone, asked).is_permitted() && consented(consents, asked).is_permitted()
}

/// The labels that consent is weighed by: those that are written, and those that follow from what it is.
pub fn labels(resource: Value<'_>) -> Vec<String> {
    let found = record::sensitivity::sensitivity(resource);
    let mut labels: Vec<String> = found.labels.iter().map(|label| label.to_string()).collect();
    if found.therapy_note {
        labels.push(record::sensitivity::THERAPY_NOTE.to_owned());
    }
    if found.substance_use {
        labels.push("SUD".to_owned());
    }
    labels
}

/// The FHIR document: a Composition that says to whom, what for and on which release, with the notice
/// and the release itself, and then everything that it covers, each as it is served.
pub fn document(
    packet: &Packet,
    id: &str,
    base: &str,
    programme: &str,
    patient: &str,
    now: i64,
) -> Vec<u8> {
    let at = RecordedAt(now).to_string();
    let mut sections = Vec::new();
    if packet.part2 {
        sections.push(json!({
            "title": "Notice that goes with these records",
            "text": narrative(&format!("{} ({})", NOTICE.0, NOTICE.1)),
        }));
    }
    sections.push(json!({
        "title": "The consent that this rests on",
        "entry": [{ "reference": format!("Consent/{}", packet.release.id) }],
    }));
    let entries: Vec<Json> = packet
        .versions
        .iter()
        .map(|version| json!({ "reference": format!("{}/{}", version.kind, version.id) }))
        .collect();
    if !entries.is_empty() {
        sections.push(json!({ "title": "What is released", "entry": entries }));
    }
    let composition = json!({
        "resourceType": "Composition",
        "id": id,
        "status": "final",
        "type": { "coding": [{ "system": "http://loinc.org", "code": "64292-6", "display": "Release of information consent" }] },
        "subject": { "reference": format!("Patient/{patient}") },
        "date": at,
        "author": [{ "display": programme }],
        "title": format!("Released to {}, {}, for {}", packet.recipient.1, packet.recipient.2, super::purpose_words(&packet.purpose)),
        "confidentiality": if packet.part2 { "R" } else { "N" },
        "section": sections,
    });
    let mut security = vec![json!({
        "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
        "code": if packet.part2 { "R" } else { "N" },
    })];
    if packet.part2 {
        for code in ["42CFRPart2", "NORDSCLCD"] {
            security.push(json!({ "system": record::sensitivity::ACT_CODE, "code": code }));
        }
    }
    let head = json!({
        "resourceType": "Bundle",
        "meta": { "security": security },
        "identifier": { "system": "urn:homecoming:packet", "value": id },
        "type": "document",
        "timestamp": at,
    })
    .to_string();
    // The entries are written as they are served, so that every number keeps its digits.
    let mut out = head.into_bytes();
    out.pop();
    out.extend_from_slice(b",\"entry\":[");
    entry(
        &mut out,
        base,
        "Composition",
        id,
        composition.to_string().as_bytes(),
    );
    for version in std::iter::once(&packet.release).chain(&packet.versions) {
        out.push(b',');
        entry(
            &mut out,
            base,
            &version.kind,
            &version.id,
            &version.served(),
        );
    }
    out.extend_from_slice(b"]}");
    out
}

fn entry(out: &mut Vec<u8>, base: &str, kind: &str, id: &str, resource: &[u8]) {
    out.extend_from_slice(b"{\"fullUrl\":");
    record::json::write_string(&format!("{base}/{kind}/{id}"), out);
    out.extend_from_slice(b",\"resource\":");
    out.extend_from_slice(resource);
    out.push(b'}');
}

fn narrative(words: &str) -> Json {
    json!({
        "status": "generated",
        "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>{words}</p></div>"),
    })
}

fn address(actor: Value<'_>) -> Option<String> {
    let mut extensions = actor.get("extension")?.items();
    let found = extensions.find(|one| one.str_at(&["url"]) == Some(super::write::ADDRESS))?;
    Some(found.str_at(&["valueString"])?.to_owned())
}
