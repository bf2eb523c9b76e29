//! Consents as they are written: FHIR R4, in the shape that `document` reads.
//!
//! The root says to whom, what for and until when, and has no type of its own; what is permitted or
//! refused are the provisions within it (R4: a root "is not permitted" a type). Consents to something
//! that is done, not told, keep the older shape of this programme: a root with type and code.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use casework::codes;
use casework::consent::TREATING;
use casework::consent::offer::{self, KEEP_FROM, Offer, Part, RELEASE, RELEASE_FORM, SUD};
use record::time::RecordedAt;
use serde_json::{Value as Json, json};

use super::document::ROLE;

/// Says how a version was signed.
pub const SIGNED: &str = "urn:homecoming:signed";
/// The recipient's address, on a provision's actor.
pub const ADDRESS: &str = "urn:homecoming:address";

const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const LOINC: &str = "http://loinc.org";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";

/// How a version was signed, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The name that was written.
    pub name: String,
    /// When: now, or the day on the paper.
    pub at: i64,
    /// On paper: who saw it, and where the paper is.
    pub paper: Option<Paper>,
}

/// A paper that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    /// Who saw it signed.
    pub witness: String,
    /// Where it is kept.
    pub kept: String,
    /// The DocumentReference with its scan, if there is one.
    pub scan: Option<String>,
}

/// To whom, what for and what, of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The Organization's id.
    pub organisation: String,
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: String,
    /// What for: a code of v3-ActReason or of the programme's own.
    pub purpose: (&'static str, &'static str),
    /// What.
    pub parts: Vec<&'static Part>,
    /// First day of what may be told, if older things stay out.
    pub from: Option<i64>,
    /// The first microsecond at which it no longer holds.
    pub until: i64,
}

/// What is said yes or no to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// An offer.
    Offer {
        /// Which.
        offer: &'static Offer,
        /// Yes or no.
        yes: bool,
        /// Until when, if not for good.
        until: Option<i64>,
        /// From whom the record is kept: reference and name.
        from: Option<(String, String)>,
    },
    /// A release.
    Release(Release),
}

impl Said {
    /// Its code among [`codes::CONSENTS`].
    pub fn code(&self) -> &'static str {
        match self {
            Said::Offer { offer, .. } => offer.code,
            Said::Release(_) => RELEASE,
        }
    }
}

/// The Consent, in the stored form.
pub fn consent(id: &str, patient: &str, programme: &str, said: &Said, signed: &Signed) -> Vec<u8> {
    let (scope, form) = match said {
        Said::Offer { offer, .. } => (offer.scope, offer.form),
        Said::Release(_) => ("patient-privacy", RELEASE_FORM),
    };
    let is_no = matches!(said, Said::Offer { yes: false, .. });
    // A no to something that is done is remembered as a refusal; a no to telling is no consent.
    let is_refusal = is_no && matches!(said.code(), "programme" | "recording");
    let document = match said {
        Said::Release(_) => coded(LOINC, "64292-6", "Release of information consent"),
        Said::Offer { .. } => coded(LOINC, "59284-0", "Consent Document"),
    };
    let mut consent = json!({
        "resourceType": "Consent",
        "id": id,
        "extension": [signature(signed)],
        "status": if is_no && !is_refusal { "rejected" } else { "active" },
        "scope": coded("http://terminology.hl7.org/CodeSystem/consentscope", scope, match scope {
            "treatment" => "Treatment",
            "research" => "Research",
            _ => "Privacy Consent",
        }),
        "category": [document, word(said.code())],
        "patient": { "reference": format!("Patient/{patient}") },
        "dateTime": RecordedAt(signed.at).to_string(),
        "performer": [{ "reference": format!("Patient/{patient}") }],
        "organization": [{ "display": programme }],
    });
    source(&mut consent, &words(programme, said), signed);
    consent["policy"] = json!([{ "uri": form }]);
    if matches!(said.code(), "programme" | "recording") {
        let (rule, shown) = match is_refusal {
            true => ("OPTOUT", "opt-out"),
            false => ("OPTIN", "opt-in"),
        };
        consent["policyRule"] = coded(ACT, rule, shown);
    }
    consent["provision"] = provision(said, signed.at, is_refusal);
    consent.to_string().into_bytes()
}

fn provision(said: &Said, at: i64, is_refusal: bool) -> Json {
    let period = |until: Option<i64>| {
        let mut period = json!({ "start": RecordedAt(at).to_string() });
        if let Some(until) = until {
            // A Period includes its end.
            period["end"] = json!(RecordedAt(until - 1).to_string());
        }
        period
    };
    match said {
        Said::Release(release) => {
            let (system, purpose) = release.purpose;
            let mut root = json!({
                "period": period(Some(release.until)),
                "actor": [{
                    "extension": [{ "url": ADDRESS, "valueString": release.address }],
                    "role": coded(PARTICIPATION, "IRCP", "information recipient"),
                    "reference": {
                        "reference": format!("Organization/{}", release.organisation),
                        "display": release.name,
                    },
                }],
                "action": [coded("http://terminology.hl7.org/CodeSystem/consentaction", "disclose", "Disclose")],
                "purpose": [{ "system": system, "code": purpose }],
            });
            if let Some(from) = release.from {
                root["dataPeriod"] = json!({ "start": RecordedAt(from).to_string() });
            }
            root["provision"] = release.parts.iter().map(|part| permit(part)).collect();
            root
        }
        Said::Offer {
            offer, until, from, ..
        } => match offer.code {
            SUD => json!({
                "period": period(*until),
                "actor": RECIPIENTS.map(class).to_vec(),
                "purpose": TPO.map(purpose).to_vec(),
                "provision": [{
                    "id": offer::SUBSTANCE,
                    "type": "permit",
                    "securityLabel": [{ "system": ACT, "code": "ETH" }],
                }],
            }),
            "research" => json!({
                "period": period(*until),
                "purpose": [purpose("HRESCH")],
                "provision": [{ "id": "all", "type": "permit" }],
            }),
            KEEP_FROM => {
                let (reference, name) = from.clone().unwrap_or_default();
                json!({
                    "period": period(*until),
                    "provision": [{
                        "id": "all",
                        "type": "deny",
                        "actor": [{
                            "role": coded(PARTICIPATION, "IRCP", "information recipient"),
                            "reference": { "reference": reference, "display": name },
                        }],
                    }],
                })
            }
            _ => json!({
                "type": if is_refusal { "deny" } else { "permit" },
                "period": period(*until),
                "code": [word(offer.code)],
            }),
        },
    }
}

/// "My treating providers, health plans, third-party payers, and people helping to operate this
/// program": 42 CFR 2.31(a)(4)(i), in the classes that are known here.
const RECIPIENTS: [&str; 6] = [
    TREATING,
    "caseworker",
    "prescriber",
    "supervisor",
    "officer",
    "client",
];

/// Treatment, payment and operations.
const TPO: [&str; 3] = ["TREAT", "HPAYMT", "HOPERAT"];

fn purpose(code: &str) -> Json {
    json!({ "system": ACT_REASON, "code": code })
}

/// One part of a release; its key is the provision's id, so that it can be taken out again.
fn permit(part: &Part) -> Json {
    let mut permit = json!({ "id": part.key, "type": "permit" });
    if let Some(label) = part.label {
        permit["securityLabel"] = json!([{ "system": ACT, "code": label }]);
    }
    if !part.classes.is_empty() {
        let class =
            |class: &&str| json!({ "system": "http://hl7.org/fhir/resource-types", "code": class });
        permit["class"] = part.classes.iter().map(class).collect();
    }
    permit
}

/// A class of recipients.
fn class(class: &str) -> Json {
    json!({
        "role": { "coding": [{ "system": ROLE, "code": class }] },
        "reference": { "display": match class {
            TREATING => "those who treat the person, payers, and people who help to run the programme",
            other => other,
        } },
    })
}

/// Takes parts and purposes out of a stored Consent, and ends it sooner. Nothing if nothing would be
/// left, or if it is not one that can be narrowed.
pub fn narrowed(
    stored: &[u8],
    keep: &[String],
    until: Option<i64>,
    signed: &Signed,
) -> Option<Vec<u8>> {
    let mut consent: Json = serde_json::from_slice(stored).ok()?;
    let within = consent
        .get_mut("provision")?
        .get_mut("provision")
        .and_then(Json::as_array_mut);
    if let Some(within) = within {
        within.retain(|one| {
            let id = one["id"].as_str().unwrap_or_default();
            one["type"] != "permit" || keep.iter().any(|key| key == id)
        });
        if within.is_empty() {
            return None;
        }
    }
    if let Some(until) = until {
        consent["provision"]["period"]["end"] = json!(RecordedAt(until - 1).to_string());
    }
    sign(&mut consent, signed);
    Some(consent.to_string().into_bytes())
}

/// Takes a stored Consent back.
pub fn withdrawn(stored: &[u8], signed: &Signed) -> Option<Vec<u8>> {
    let mut consent: Json = serde_json::from_slice(stored).ok()?;
    consent["status"] = json!("inactive");
    sign(&mut consent, signed);
    Some(consent.to_string().into_bytes())
}

/// Puts another signature in the place of the one before, which its own version keeps.
fn sign(consent: &mut Json, signed: &Signed) {
    let mut extensions: Vec<Json> = consent["extension"].as_array().cloned().unwrap_or_default();
    extensions.retain(|one| one["url"] != SIGNED);
    extensions.push(signature(signed));
    consent["extension"] = Json::Array(extensions);
    consent["dateTime"] = json!(RecordedAt(signed.at).to_string());
}

fn signature(signed: &Signed) -> Json {
    let mut parts = vec![
        json!({ "url": "how", "valueCode": if signed.paper.is_some() { "paper" } else { "page" } }),
        json!({ "url": "name", "valueString": signed.name }),
        json!({ "url": "when", "valueInstant": RecordedAt(signed.at).to_string() }),
    ];
    if let Some(paper) = &signed.paper {
        parts.push(json!({ "url": "witness", "valueString": paper.witness }));
        if !paper.kept.is_empty() {
            parts.push(json!({ "url": "kept", "valueString": paper.kept }));
        }
        if let Some(scan) = &paper.scan {
            let reference = format!("DocumentReference/{scan}");
            parts.push(json!({ "url": "scan", "valueReference": { "reference": reference } }));
        }
    }
    json!({ "url": SIGNED, "extension": parts })
}

/// The words that were signed, or the scan of them.
fn source(consent: &mut Json, words: &str, signed: &Signed) {
    match signed.paper.as_ref().and_then(|paper| paper.scan.as_ref()) {
        Some(scan) => {
            consent["sourceReference"] =
                json!({ "reference": format!("DocumentReference/{scan}") });
        }
        None => {
            consent["sourceAttachment"] = json!({
                "contentType": "text/plain; charset=utf-8",
                "data": STANDARD.encode(words),
                "title": "The words that were signed",
                "creation": RecordedAt(signed.at).to_string(),
            });
        }
    }
}

/// The scan of a paper.
pub fn scan(id: &str, patient: &str, media: &str, bytes: &[u8], at: i64, now: i64) -> Vec<u8> {
    json!({
        "resourceType": "DocumentReference",
        "id": id,
        "status": "current",
        "type": coded(LOINC, "59284-0", "Consent Document"),
        "subject": { "reference": format!("Patient/{patient}") },
        "date": RecordedAt(now).to_string(),
        "description": "Scan of a signed consent",
        "content": [{ "attachment": {
            "contentType": media,
            "data": STANDARD.encode(bytes),
            "size": bytes.len(),
            "creation": RecordedAt(at).to_string(),
        } }],
    })
    .to_string()
    .into_bytes()
}

/// An organisation that something is released to.
pub fn organisation(id: &str, name: &str, address: &str) -> Vec<u8> {
    json!({
        "resourceType": "Organization",
        "id": id,
        "active": true,
        "name": name,
        "address": [{ "text": address }],
    })
    .to_string()
    .into_bytes()
}

/// What somebody puts their name under.
pub fn words(programme: &str, said: &Said) -> String {
    let until = |until: Option<i64>| match until {
        Some(until) => format!("It ends on {}.", super::day(until - 1)),
        None => "It has no end of its own.".to_owned(),
    };
    match said {
        Said::Offer {
            offer,
            yes,
            until: end,
            from,
        } => {
            let answer = match (yes, from) {
                (true, Some((_, name))) => format!("Yes: {name} is not to read it"),
                (true, None) => "Yes".to_owned(),
                (false, _) => "No".to_owned(),
            };
            format!(
                "{}\n\n{}\n\nIf you say no, or take it back: {}\n\n{}\n\n{}\n\nAnswer: {answer}.\nAsked by: {programme}.",
                offer.title,
                offer.means,
                offer.otherwise,
                offer::REVOCATION,
                until(*end),
            )
        }
        Said::Release(release) => {
            let parts: Vec<String> = release
                .parts
                .iter()
                .map(|part| format!("- {}", part.words))
                .collect();
            let from = match release.from {
                Some(from) => format!("Only what happened from {} on.", super::day(from)),
                None => "Whatever day it is of.".to_owned(),
            };
            format!(
                "Release of information\n\n{programme} may give what is listed here about me to:\n{}, {}\n\n\
                 What for: {}.\n\nWhat:\n{}\n{from}\n\nIt ends on {}.\n\n{}\n\nIf I do not sign, nothing is \
                 given out and I am treated all the same. Who receives it may have to follow other rules \
                 than this programme and could pass it on; what is about alcohol and drugs stays protected \
                 by 42 CFR Part 2, and a notice that says so goes with it.",
                release.name,
                release.address,
                super::purpose_words(release.purpose.1),
                parts.join("\n"),
                super::day(release.until - 1),
                offer::REVOCATION,
            )
        }
    }
}

fn word(code: &str) -> Json {
    let shown = codes::shown(&codes::CONSENTS, code).unwrap_or(code);
    coded(codes::CONSENT, code, shown)
}

fn coded(system: &str, code: &str, display: &str) -> Json {
    json!({ "coding": [{ "system": system, "code": code, "display": display }] })
}

#[cfg(test)]
mod tests;
