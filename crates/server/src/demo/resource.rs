//! FHIR R4 resources, one function each: what a programme writes down, as FHIR people expect it.
//!
//! Everything here is a plain value; who writes it when is decided in `course`.

mod military;

pub use military::{BRANCHES, deployment, service};

use super::calendar::{date, instant};
use super::person::{Person, Pronoun};
use super::staff::Staff;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use casework::codes;
use instruments::{Code, Instrument, LOINC};
use serde_json::{Value, json};

pub const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const SNOMED: &str = "http://snomed.info/sct";

/// The programme and the agencies it works with: name and kind.
pub const PROGRAMME: &str = "Lakeland Return Program";

/// A reference.
pub fn to(kind: &str, id: &str) -> Value {
    json!({ "reference": format!("{kind}/{id}") })
}

/// A reference to a member of staff, with the name.
pub fn by(staff: &Staff) -> Value {
    json!({ "reference": format!("Practitioner/{}", staff.id), "display": staff.name() })
}

fn coded(system: &str, code: &str, display: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code, "display": display }] })
}

fn word(system: &str, words: &[codes::Word], code: &str) -> Value {
    coded(system, code, codes::shown(words, code).unwrap_or(code))
}

fn concept(code: Code) -> Value {
    coded(code.system, code.code, code.display)
}

/// An Organization. `kind`: code and display of organization-type.
pub fn organization(id: &str, name: &str, kind: (&str, &str)) -> Value {
    json!({
        "resourceType": "Organization",
        "id": id,
        "active": true,
        "type": [coded("http://terminology.hl7.org/CodeSystem/organization-type", kind.0, kind.1)],
        "name": name,
    })
}

/// A Practitioner and the PractitionerRole in the programme.
pub fn staff(staff: &Staff, role_id: &str, programme: &str, phone: &str) -> [Value; 2] {
    let mut name = json!({ "use": "official", "family": staff.family, "given": [staff.given] });
    if !staff.prefix.is_empty() {
        name["prefix"] = json!([staff.prefix]);
    }
    [
        json!({
            "resourceType": "Practitioner",
            "id": staff.id,
            "identifier": [{ "system": codes::STAFF_NUMBER, "value": staff.number }],
            "active": true,
            "name": [name],
            "telecom": [{ "system": "phone", "value": phone, "use": "work" }],
        }),
        json!({
            "resourceType": "PractitionerRole",
            "id": role_id,
            "active": true,
            "practitioner": by(staff),
            "organization": to("Organization", programme),
            "code": [coded(codes::ROLE, staff.role, staff.title)],
        }),
    ]
}

/// The Questionnaire of an instrument.
pub fn questionnaire(id: &str, instrument: &Instrument, made: i64) -> Value {
    let items: Vec<Value> = instrument
        .items
        .iter()
        .map(|item| {
            let options: Vec<Value> = item
                .answers
                .iter()
                .map(|answer| json!({ "valueCoding": answer_coding(answer) }))
                .collect();
            json!({
                "linkId": item.link,
                "code": [{ "system": item.code.system, "code": item.code.code }],
                "text": item.text,
                "type": "choice",
                "required": false,
                "answerOption": options,
            })
        })
        .collect();
    json!({
        "resourceType": "Questionnaire",
        "id": id,
        "url": instrument.url,
        "version": instrument.version,
        "name": instrument.key.to_uppercase().replace('-', ""),
        "title": instrument.title,
        "status": "active",
        "subjectType": ["Patient"],
        "date": instant(made),
        "description": instrument.stem,
        "copyright": instrument.notice,
        "code": [{
            "system": instrument.panel.system,
            "code": instrument.panel.code,
            "display": instrument.panel.display,
        }],
        "item": items,
    })
}

fn answer_coding(answer: &instruments::Answer) -> Value {
    json!({
        "extension": [{
            "url": "http://hl7.org/fhir/StructureDefinition/ordinalValue",
            "valueDecimal": answer.value,
        }],
        "system": answer.code.system,
        "code": answer.code.code,
        "display": answer.code.display,
    })
}

/// A participant: US Core's Patient with the veteran status of the military service guide.
pub fn patient(
    person: &Person,
    programme: &str,
    phone: &str,
    address: (String, &str, &str),
) -> Value {
    let (pronouns, shown) = match person.pronoun {
        Pronoun::He => ("LA29518-0", "he/him/his/his/himself"),
        Pronoun::She => ("LA29519-8", "she/her/her/hers/herself"),
        Pronoun::They => ("LA29520-6", "they/them/their/theirs/themselves"),
    };
    json!({
        "resourceType": "Patient",
        "id": person.id,
        "meta": { "profile": [
            "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient",
            "http://hl7.org/fhir/us/military-service/StructureDefinition/usveteran",
        ] },
        "extension": [
            {
                "url": "http://hl7.org/fhir/us/military-service/StructureDefinition/military-service-veteran-status",
                "valueBoolean": true,
            },
            {
                "url": "http://hl7.org/fhir/StructureDefinition/individual-pronouns",
                "extension": [{ "url": "value", "valueCodeableConcept": coded(LOINC, pronouns, shown) }],
            },
        ],
        "identifier": [{
            "use": "usual",
            "type": coded("http://terminology.hl7.org/CodeSystem/v2-0203", "MR", "Medical record number"),
            "system": codes::PARTICIPANT_NUMBER,
            "value": person.number,
        }],
        "active": true,
        "name": [{ "use": "official", "family": person.family, "given": [person.given, person.middle] }],
        "telecom": [{ "system": "phone", "value": phone, "use": "mobile" }],
        "gender": if person.female { "female" } else { "male" },
        "birthDate": date(person.born),
        "address": [{
            "use": "home",
            "line": [address.0],
            "city": address.1,
            "state": address.2,
            "country": "US",
        }],
        "managingOrganization": to("Organization", programme),
    })
}

/// Who looks after a person.
pub fn care_team(
    id: &str,
    person: &Person,
    members: &[&Staff],
    start: i64,
    programme: &str,
) -> Value {
    let participants: Vec<Value> = members
        .iter()
        .map(|m| json!({ "role": [coded(codes::ROLE, m.role, m.title)], "member": by(m) }))
        .collect();
    json!({
        "resourceType": "CareTeam",
        "id": id,
        "status": "active",
        "subject": to("Patient", &person.id),
        "period": { "start": date(start) },
        "participant": participants,
        "managingOrganization": [to("Organization", programme)],
    })
}

/// The time in the programme. `stage`: place in [`codes::STAGES`].
pub fn episode(
    id: &str,
    person: &Person,
    stage: usize,
    manager: &Staff,
    team: &str,
    programme: &str,
) -> Value {
    json!({
        "resourceType": "EpisodeOfCare",
        "id": id,
        "status": "active",
        "type": [word(codes::STAGE, &codes::STAGES, codes::STAGES[stage].0)],
        "patient": to("Patient", &person.id),
        "managingOrganization": to("Organization", programme),
        "period": { "start": date(person.enrolled) },
        "careManager": by(manager),
        "team": [to("CareTeam", team)],
    })
}

/// A contact: what it is for, how it is held, and with whom.
pub struct Contact<'a> {
    /// Id of the Encounter.
    pub id: &'a str,
    /// Code from [`codes::CONTACTS`].
    pub kind: &'a str,
    /// Code from [`codes::MODES`].
    pub mode: &'a str,
    /// "Session 4".
    pub title: &'a str,
    /// Begins.
    pub start: i64,
    /// Ends.
    pub end: i64,
    /// Took place.
    pub attended: bool,
    /// With whom.
    pub with: &'a Staff,
    /// Id of the Appointment, if there was one.
    pub appointment: Option<&'a str>,
}

/// An Encounter: `finished` if it took place, `cancelled` if the person did not come.
pub fn encounter(contact: &Contact, person: &Person, episode: &str, programme: &str) -> Value {
    let (class, shown) = match contact.mode {
        "in-person" => ("AMB", "ambulatory"),
        "home" => ("HH", "home health"),
        _ => ("VR", "virtual"),
    };
    let mut kind = word(codes::CONTACT, &codes::CONTACTS, contact.kind);
    kind["text"] = json!(contact.title);
    let mut out = json!({
        "resourceType": "Encounter",
        "id": contact.id,
        "status": if contact.attended { "finished" } else { "cancelled" },
        "class": { "system": ACT, "code": class, "display": shown },
        "type": [kind, word(codes::MODE, &codes::MODES, contact.mode)],
        "subject": to("Patient", &person.id),
        "episodeOfCare": [to("EpisodeOfCare", episode)],
        "participant": [{
            "type": [coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "PPRF", "primary performer")],
            "individual": by(contact.with),
        }],
        "period": { "start": instant(contact.start), "end": instant(contact.end) },
        "serviceProvider": to("Organization", programme),
    });
    if let Some(appointment) = contact.appointment {
        out["appointment"] = json!([to("Appointment", appointment)]);
    }
    out
}

/// A booked Appointment.
pub fn appointment(contact: &Contact, person: &Person, booked: i64) -> Value {
    let mut kind = word(codes::CONTACT, &codes::CONTACTS, contact.kind);
    kind["text"] = json!(contact.title);
    json!({
        "resourceType": "Appointment",
        "id": contact.appointment,
        "status": "booked",
        "serviceType": [kind, word(codes::MODE, &codes::MODES, contact.mode)],
        "description": contact.title,
        "start": instant(contact.start),
        "end": instant(contact.end),
        "created": instant(booked),
        "participant": [
            { "actor": to("Patient", &person.id), "status": "accepted" },
            { "actor": by(contact.with), "status": "accepted" },
        ],
    })
}

/// A note about a contact. `signed`: by whom, or nobody while it is a draft.
pub struct Note<'a> {
    /// Id of the DocumentReference.
    pub id: &'a str,
    /// One line.
    pub title: &'a str,
    /// The text.
    pub body: &'a str,
    /// Id of the Encounter.
    pub encounter: &'a str,
    /// When the contact began and ended.
    pub period: (i64, i64),
    /// When it was written.
    pub written: i64,
    /// Who wrote it.
    pub author: &'a Staff,
    /// Whether it is signed.
    pub signed: bool,
    /// Whether it says what was talked about in a session.
    pub therapy: bool,
}

/// A DocumentReference with the text inside.
pub fn note(note: &Note, person: &Person, programme: &str) -> Value {
    let mut out = json!({
        "resourceType": "DocumentReference",
        "id": note.id,
        "status": "current",
        "docStatus": if note.signed { "final" } else { "preliminary" },
        "type": coded(LOINC, "11506-3", "Progress note"),
        "category": [coded(
            "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
            "clinical-note",
            "Clinical Note",
        )],
        "subject": to("Patient", &person.id),
        "date": instant(note.written),
        "author": [by(note.author)],
    });
    if note.therapy {
        out["meta"] = json!({ "security": [{
            "system": record::sensitivity::ACT_CODE,
            "code": record::sensitivity::THERAPY_NOTE,
            "display": "psychotherapy note information sensitivity",
        }] });
    }
    if note.signed {
        out["authenticator"] = by(note.author);
    }
    out["custodian"] = to("Organization", programme);
    out["description"] = json!(note.title);
    out["content"] = json!([{ "attachment": {
        "contentType": "text/plain; charset=utf-8",
        "language": "en",
        "data": STANDARD.encode(note.body),
        "title": note.title,
        "creation": instant(note.written),
    } }]);
    out["context"] = json!({
        "encounter": [to("Encounter", note.encounter)],
        "period": { "start": instant(note.period.0), "end": instant(note.period.1) },
    });
    out
}

/// A filled-in form.
pub struct Form<'a> {
    /// Which instrument.
    pub instrument: &'static Instrument,
    /// Id of the QuestionnaireResponse.
    pub id: &'a str,
    /// Answers to the scored items.
    pub answers: &'a [u8],
    /// Answer to PHQ-9's unscored item.
    pub difficulty: Option<u8>,
    /// When.
    pub at: i64,
    /// Id of the Encounter; none when filled in at home.
    pub encounter: Option<&'a str>,
    /// Who read the questions out or handed the form over; none at home.
    pub asked_by: Option<&'a Staff>,
}

/// A QuestionnaireResponse.
pub fn response(form: &Form, person: &Person) -> Value {
    let instrument = form.instrument;
    let answers = form.answers.iter().copied().chain(form.difficulty);
    let items: Vec<Value> = instrument
        .items
        .iter()
        .zip(answers)
        .filter_map(|(item, value)| {
            let answer = item.answers.iter().find(|a| a.value == value)?;
            Some(json!({
                "linkId": item.link,
                "text": item.text,
                "answer": [{ "valueCoding": answer_coding(answer) }],
            }))
        })
        .collect();
    let (mode, shown) = match form.asked_by {
        Some(_) => ("WRITTEN", "written"),
        None => ("ELECTRONIC", "electronic data"),
    };
    let mut out = json!({
        "resourceType": "QuestionnaireResponse",
        "id": form.id,
        "language": "en",
        "extension": [{
            "url": "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-completionMode",
            "valueCodeableConcept": coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationMode", mode, shown),
        }],
        "questionnaire": format!("{}|{}", instrument.url, instrument.version),
        "status": "completed",
        "subject": to("Patient", &person.id),
    });
    if let Some(encounter) = form.encounter {
        out["encounter"] = to("Encounter", encounter);
    }
    out["authored"] = json!(instant(form.at));
    out["author"] = match form.asked_by {
        Some(staff) => by(staff),
        None => to("Patient", &person.id),
    };
    out["source"] = to("Patient", &person.id);
    out["item"] = json!(items);
    out
}

/// A score as an Observation; `parts` are other scales of the same form.
pub fn score(
    id: &str,
    form: &Form,
    code: Code,
    value: u16,
    parts: &[(Code, u16)],
    issued: i64,
    person: &Person,
) -> Value {
    let points = |value: u16| {
        json!({
            "value": value,
            "unit": "{score}",
            "system": "http://unitsofmeasure.org",
            "code": "{score}",
        })
    };
    let mut out = survey(id, form, code, issued, person);
    out["valueQuantity"] = points(value);
    out["derivedFrom"] = json!([to("QuestionnaireResponse", form.id)]);
    if !parts.is_empty() {
        out["component"] = parts
            .iter()
            .map(|(code, value)| json!({ "code": concept(*code), "valueQuantity": points(*value) }))
            .collect();
    }
    out
}

/// One answer as an Observation of its own, with the answer's code.
pub fn answer(id: &str, form: &Form, item: usize, issued: i64, person: &Person) -> Value {
    let asked = &form.instrument.items[item];
    let given = asked.answers.iter().find(|a| a.value == form.answers[item]);
    let mut out = survey(id, form, asked.code, issued, person);
    if let Some(given) = given {
        out["valueCodeableConcept"] =
            json!({ "coding": [answer_coding(given)], "text": given.text });
    }
    out["derivedFrom"] = json!([to("QuestionnaireResponse", form.id)]);
    out
}

fn survey(id: &str, form: &Form, code: Code, issued: i64, person: &Person) -> Value {
    let mut out = json!({
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", "survey", "Survey")],
        "code": concept(code),
        "subject": to("Patient", &person.id),
    });
    if let Some(encounter) = form.encounter {
        out["encounter"] = to("Encounter", encounter);
    }
    out["effectiveDateTime"] = json!(instant(form.at));
    out["issued"] = json!(instant(issued));
    out["performer"] = json!([match form.asked_by {
        Some(staff) => by(staff),
        None => to("Patient", &person.id),
    }]);
    out
}

/// A medicine and one dose of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Medicine {
    /// RxNorm ingredient, or our own code where there is none.
    pub code: &'static str,
    /// Name.
    pub name: &'static str,
    /// What it is given for.
    pub reason: &'static str,
    /// "capsule".
    pub form: &'static str,
    /// When it is taken.
    pub when: &'static str,
}

impl Medicine {
    fn concept(&self, dose: &str) -> Value {
        let system = if self.code.bytes().all(|b| b.is_ascii_digit()) {
            RXNORM
        } else {
            codes::MEDICINE
        };
        json!({
            "coding": [{ "system": system, "code": self.code, "display": self.name }],
            "text": format!("{} {dose} mg", self.name),
        })
    }

    fn dosage(&self, dose: &str) -> Value {
        json!({
            "text": format!("{dose} mg {}, {}", self.form, self.when),
            "route": coded(SNOMED, "26643006", "Oral route"),
            "doseAndRate": [{ "doseQuantity": milligrams(dose) }],
        })
    }
}

/// A quantity in milligrams with the digits as written.
fn milligrams(dose: &str) -> Value {
    json!({
        "value": number(dose),
        "unit": "mg",
        "system": "http://unitsofmeasure.org",
        "code": "mg",
    })
}

fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

/// A MedicationRequest.
pub fn prescription(
    id: &str,
    medicine: &Medicine,
    dose: &str,
    at: i64,
    prescriber: &Staff,
    person: &Person,
) -> Value {
    json!({
        "resourceType": "MedicationRequest",
        "id": id,
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": medicine.concept(dose),
        "subject": to("Patient", &person.id),
        "authoredOn": instant(at),
        "requester": by(prescriber),
        "reasonCode": [{ "text": medicine.reason }],
        "dosageInstruction": [medicine.dosage(dose)],
    })
}

/// A MedicationStatement: what is taken, from when. It ends with `effectivePeriod.end`.
pub fn course(
    id: &str,
    request: &str,
    medicine: &Medicine,
    dose: &str,
    start: i64,
    asserted: i64,
    person: &Person,
) -> Value {
    json!({
        "resourceType": "MedicationStatement",
        "id": id,
        "basedOn": [to("MedicationRequest", request)],
        "status": "active",
        "medicationCodeableConcept": medicine.concept(dose),
        "subject": to("Patient", &person.id),
        "effectivePeriod": { "start": date(start) },
        "dateAsserted": instant(asserted),
        "informationSource": to("Patient", &person.id),
        "reasonCode": [{ "text": medicine.reason }],
        "dosage": [medicine.dosage(dose)],
    })
}

/// A dose given by staff.
pub fn dose(
    id: &str,
    request: &str,
    medicine: &Medicine,
    dose: &str,
    at: i64,
    staff: &Staff,
    person: &Person,
) -> Value {
    json!({
        "resourceType": "MedicationAdministration",
        "id": id,
        "status": "completed",
        "medicationCodeableConcept": medicine.concept(dose),
        "subject": to("Patient", &person.id),
        "effectiveDateTime": instant(at),
        "performer": [{ "actor": by(staff) }],
        "request": to("MedicationRequest", request),
        "dosage": { "text": format!("{dose} mg {}", medicine.form), "dose": milligrams(dose) },
    })
}

/// A Consent. `about`: code from [`codes::CONSENTS`]; `permit`: given, or refused and withdrawn.
pub fn consent(
    id: &str,
    about: &str,
    permit: bool,
    day: i64,
    person: &Person,
    programme: &str,
) -> Value {
    let scope = match about {
        "programme" | "study-medicine" => ("treatment", "Treatment"),
        _ => ("patient-privacy", "Privacy Consent"),
    };
    json!({
        "resourceType": "Consent",
        "id": id,
        "status": "active",
        "scope": coded("http://terminology.hl7.org/CodeSystem/consentscope", scope.0, scope.1),
        "category": [
            coded(LOINC, "59284-0", "Consent Document"),
            word(codes::CONSENT, &codes::CONSENTS, about),
        ],
        "patient": to("Patient", &person.id),
        "dateTime": date(day),
        "performer": [to("Patient", &person.id)],
        "organization": [to("Organization", programme)],
        "policyRule": coded(ACT, if permit { "OPTIN" } else { "OPTOUT" }, if permit { "opt-in" } else { "opt-out" }),
        "provision": {
            "type": if permit { "permit" } else { "deny" },
            "period": { "start": date(day) },
            "code": [word(codes::CONSENT, &codes::CONSENTS, about)],
        },
    })
}

/// A Goal.
pub fn goal(id: &str, text: &str, start: i64, due: i64, person: &Person) -> Value {
    json!({
        "resourceType": "Goal",
        "id": id,
        "lifecycleStatus": "active",
        "achievementStatus": achievement("in-progress", "In Progress"),
        "description": { "text": text },
        "subject": to("Patient", &person.id),
        "startDate": date(start),
        "target": [{ "dueDate": date(due) }],
        "expressedBy": to("Patient", &person.id),
    })
}

/// How far a goal is.
pub fn achievement(code: &str, display: &str) -> Value {
    coded(
        "http://terminology.hl7.org/CodeSystem/goal-achievement",
        code,
        display,
    )
}

/// Something owed by us until a moment.
pub fn task(
    id: &str,
    owed: (&str, &str),
    owner: &Staff,
    written: i64,
    due: i64,
    person: &Person,
) -> Value {
    json!({
        "resourceType": "Task",
        "id": id,
        "status": "accepted",
        "intent": "order",
        "code": coded(codes::OWED, owed.0, owed.1),
        "description": owed.1,
        "for": to("Patient", &person.id),
        "authoredOn": instant(written),
        "lastModified": instant(written),
        "requester": by(owner),
        "owner": by(owner),
        "restriction": { "period": { "end": instant(due) } },
    })
}

/// An order from one of the staff to somebody else about a person.
pub fn referral(
    id: &str,
    what: &str,
    (from, to_whom): (&Staff, &Staff),
    written: i64,
    person: &Person,
) -> Value {
    json!({
        "resourceType": "ServiceRequest",
        "id": id,
        "status": "active",
        "intent": "order",
        "code": { "text": what },
        "subject": to("Patient", &person.id),
        "authoredOn": instant(written),
        "requester": by(from),
        "performer": [by(to_whom)],
    })
}

/// Something everybody who meets the person must know.
pub fn flag(
    id: &str,
    category: (&str, &str),
    text: &str,
    start: i64,
    author: &Staff,
    person: &Person,
) -> Value {
    json!({
        "resourceType": "Flag",
        "id": id,
        "status": "active",
        "category": [coded("http://terminology.hl7.org/CodeSystem/flag-category", category.0, category.1)],
        "code": { "text": text },
        "subject": to("Patient", &person.id),
        "period": { "start": date(start) },
        "author": by(author),
    })
}

/// A letter or a message that was sent.
pub fn communication(
    id: &str,
    text: &str,
    to_whom: &str,
    sent: i64,
    sender: &Staff,
    person: &Person,
) -> Value {
    json!({
        "resourceType": "Communication",
        "id": id,
        "status": "completed",
        "subject": to("Patient", &person.id),
        "topic": { "text": text },
        "recipient": [to("Organization", to_whom)],
        "sender": by(sender),
        "sent": instant(sent),
        "payload": [{ "contentString": text }],
    })
}

/// A diagnosis on the problem list.
pub fn condition(
    id: &str,
    code: (&str, &str),
    recorded: i64,
    recorder: &Staff,
    person: &Person,
) -> Value {
    json!({
        "resourceType": "Condition",
        "id": id,
        "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active", "Active"),
        "verificationStatus": coded("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed", "Confirmed"),
        "category": [coded("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item", "Problem List Item")],
        "code": coded(SNOMED, code.0, code.1),
        "subject": to("Patient", &person.id),
        "recordedDate": date(super::calendar::day_of(recorded)),
        "recorder": by(recorder),
    })
}

/// Something untoward that happened to the person.
pub fn adverse_event(
    id: &str,
    text: &str,
    day: i64,
    recorded: i64,
    recorder: &Staff,
    person: &Person,
) -> Value {
    json!({
        "resourceType": "AdverseEvent",
        "id": id,
        "actuality": "actual",
        "event": { "text": text },
        "subject": to("Patient", &person.id),
        "date": date(day),
        "recordedDate": instant(recorded),
        "recorder": by(recorder),
    })
}

/// An audio recording of a session; the sound itself is kept elsewhere.
pub fn recording(id: &str, contact: &Contact, person: &Person) -> Value {
    json!({
        "resourceType": "Media",
        "id": id,
        "status": "completed",
        "type": coded("http://terminology.hl7.org/CodeSystem/media-type", "audio", "Audio"),
        "subject": to("Patient", &person.id),
        "encounter": to("Encounter", contact.id),
        "createdDateTime": instant(contact.start),
        "issued": instant(contact.end),
        "operator": by(contact.with),
        "duration": (contact.end - contact.start) / 1_000_000,
        "content": { "contentType": "audio/webm", "title": format!("{}, audio recording", contact.title) },
    })
}
