//! The demo programme is valid, ordered, varied, and wrong where it means to be.

use super::*;
use casework::discrepancy::{Act, Fact, Reason, Version, discrepancies};
use record::json::Doc;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Sunday 22 November 2026, noon.
const END: i64 = 1_795_348_800_000_000;

fn everything() -> Vec<DemoTransaction> {
    generate(SEED, END).collect()
}

fn parse(write: &DemoWrite) -> Value {
    serde_json::from_str(&write.json).unwrap()
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// "Kind/id".
fn name(resource: &Value) -> String {
    format!(
        "{}/{}",
        text(resource, "/resourceType"),
        text(resource, "/id")
    )
}

/// What stands at the end, by "Kind/id".
fn standing() -> BTreeMap<String, Value> {
    let mut out = BTreeMap::new();
    for transaction in everything() {
        for write in &transaction.writes {
            let resource = parse(write);
            match write.method {
                Method::Put => out.insert(name(&resource), resource),
                Method::Delete => out.remove(&name(&resource)),
            };
        }
    }
    out
}

fn digest(transactions: &[DemoTransaction]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for transaction in transactions {
        hash.update(transaction.recorded_at.to_le_bytes());
        hash.update(transaction.actor.as_bytes());
        for write in &transaction.writes {
            hash.update(write.json.as_bytes());
        }
    }
    hash.finalize().to_vec()
}

#[test]
fn a_seed_and_an_end_make_the_same_programme_again() {
    let once = everything();
    assert_eq!(digest(&once), digest(&everything()));
    let other: Vec<_> = generate(SEED + 1, END).collect();
    assert_ne!(digest(&once), digest(&other));
}

#[test]
fn there_is_about_as_much_of_everything_as_in_a_real_programme() {
    let mut seen = HashSet::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut entries = 0;
    for transaction in everything() {
        for write in &transaction.writes {
            entries += 1;
            let resource = parse(write);
            if seen.insert(name(&resource)) {
                *counts
                    .entry(text(&resource, "/resourceType").to_owned())
                    .or_default() += 1;
            }
        }
    }
    let total: usize = counts.values().sum();
    assert!((10_000..14_000).contains(&total), "{total}");
    assert!((12_000..18_000).contains(&entries), "{entries}");
    let exact = [
        ("Patient", 60),
        ("Practitioner", 9),
        ("PractitionerRole", 9),
        ("EpisodeOfCare", 60),
        ("CareTeam", 60),
        ("Organization", 6),
        ("Questionnaire", 3),
    ];
    for (kind, count) in exact {
        assert_eq!(counts[kind], count, "{kind}");
    }
    let at_least = [
        ("Encounter", 2_000),
        ("DocumentReference", 1_800),
        ("Observation", 2_000),
        ("QuestionnaireResponse", 1_200),
        ("Appointment", 1_200),
        ("MedicationRequest", 150),
        ("MedicationStatement", 150),
        ("MedicationAdministration", 100),
        ("Consent", 180),
        ("Goal", 150),
        ("Task", 200),
        ("Flag", 8),
        ("Media", 150),
        ("AdverseEvent", 4),
        ("Condition", 80),
        ("Communication", 100),
    ];
    for (kind, count) in at_least {
        assert!(counts[kind] >= count, "{kind}: {}", counts[kind]);
    }
}

#[test]
fn what_is_recorded_is_recorded_in_order_and_before_the_end() {
    for end in [
        END,
        END - 5 * 86_400_000_000,
        END + 77 * 86_400_000_000 + 12_345_678,
    ] {
        let mut last = i64::MIN;
        for transaction in generate(SEED, end) {
            assert!(transaction.recorded_at > last);
            last = transaction.recorded_at;
            assert!(!transaction.writes.is_empty());
            assert!(!transaction.actor.contains(' '));
        }
        assert!(last < end && end - last < 4 * 86_400_000_000);
    }
}

#[test]
fn every_resource_is_as_fhir_wants_it() {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for transaction in everything() {
        for write in &transaction.writes {
            let doc = Doc::parse(write.json.as_bytes()).unwrap();
            for finding in record::validate::validate(doc.root()) {
                let said = format!("{}: {}", finding.expression, finding.message);
                *found.entry(said).or_default() += 1;
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn nothing_refers_to_what_is_not_there_yet() {
    fn references(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    match value.as_str() {
                        Some(to) if key == "reference" => out.push(to.to_owned()),
                        _ => references(value, out),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, out)),
            _ => {}
        }
    }
    let mut there = HashSet::new();
    for transaction in everything() {
        let resources: Vec<Value> = transaction.writes.iter().map(parse).collect();
        there.extend(resources.iter().map(name));
        for resource in &resources {
            let mut to = Vec::new();
            references(resource, &mut to);
            for to in to {
                let whole = to.split("/_history/").next().unwrap_or(&to);
                assert!(there.contains(whole), "{} refers to {to}", name(resource));
            }
        }
    }
}

#[test]
fn ids_are_sixteen_characters_of_crockford() {
    for name in standing().keys() {
        let id = name.split('/').nth(1).unwrap();
        assert!(
            id.len() == 16
                && id
                    .bytes()
                    .all(|b| b"0123456789abcdefghjkmnpqrstvwxyz".contains(&b))
        );
    }
}

#[test]
fn no_two_notes_read_alike() {
    use base64::Engine as _;
    let mut seen = HashSet::new();
    for resource in standing().values() {
        if text(resource, "/resourceType") == "DocumentReference" {
            let data = text(resource, "/content/0/attachment/data");
            let note = base64::engine::general_purpose::STANDARD
                .decode(data)
                .unwrap();
            let note = String::from_utf8(note).unwrap();
            assert!(seen.insert(note.clone()), "twice: {note}");
            assert!(note.len() > 40 && note.len() < 1_500, "{note}");
        }
    }
    assert!(seen.len() > 1_800);
}

#[test]
fn scores_are_what_the_answers_add_up_to() {
    let all = standing();
    let mut checked = 0;
    for observation in all.values() {
        let code = (
            text(observation, "/code/coding/0/system"),
            text(observation, "/code/coding/0/code"),
        );
        let Some((instrument, scale)) = instruments::by_score(code.0, code.1) else {
            continue;
        };
        let response = &all[text(observation, "/derivedFrom/0/reference")];
        assert_eq!(
            instruments::by_url(text(response, "/questionnaire"))
                .unwrap()
                .key,
            instrument.key
        );
        let items = response["item"].as_array().unwrap();
        let answers: Vec<Option<u8>> = instrument
            .scored_items()
            .map(|item| {
                let given = items.iter().find(|i| text(i, "/linkId") == item.link)?;
                let coding = given.pointer("/answer/0/valueCoding")?;
                item.value_of(text(coding, "/system"), text(coding, "/code"))
            })
            .collect();
        let scores = instruments::score(instrument, &answers).unwrap();
        let value = observation.pointer("/valueQuantity/value").unwrap();
        assert_eq!(
            scores.value(scale.key).map(|v| v.to_string()),
            Some(value.to_string()),
            "{}",
            name(observation)
        );
        checked += 1;
    }
    assert!(checked > 1_500);
}

/// Latest minus first score of one code, by person.
fn changes(all: &BTreeMap<String, Value>, code: &str) -> HashMap<String, i64> {
    let mut scores: HashMap<String, Vec<(String, i64)>> = HashMap::new();
    for observation in all.values() {
        if text(observation, "/code/coding/0/code") == code {
            let value = observation.pointer("/valueQuantity/value").unwrap();
            scores
                .entry(text(observation, "/subject/reference").to_owned())
                .or_default()
                .push((
                    text(observation, "/effectiveDateTime").to_owned(),
                    value.to_string().parse().unwrap(),
                ));
        }
    }
    scores
        .into_iter()
        .map(|(person, mut list)| {
            list.sort();
            (person, list[list.len() - 1].1 - list[0].1)
        })
        .collect()
}

#[test]
fn who_takes_the_study_medicine_is_less_distressed_and_forgets() {
    let all = standing();
    let takes: HashSet<&str> = all
        .values()
        .filter(|r| text(r, "/resourceType") == "MedicationAdministration")
        .map(|r| text(r, "/subject/reference"))
        .collect();
    assert!((9..=12).contains(&takes.len()), "{}", takes.len());
    let memory = changes(&all, "nsi-cognitive");
    let distress = changes(&all, "101698-9");
    let mean = |of: &HashMap<String, i64>, taking: bool| {
        let list: Vec<i64> = of
            .iter()
            .filter(|(person, _)| takes.contains(person.as_str()) == taking)
            .map(|(_, change)| *change)
            .collect();
        list.iter().sum::<i64>() as f64 / list.len() as f64
    };
    assert!(mean(&memory, true) >= 5.0, "{}", mean(&memory, true));
    assert!(mean(&memory, false).abs() < 1.0, "{}", mean(&memory, false));
    assert!(mean(&distress, true) < -15.0, "{}", mean(&distress, true));
}

#[test]
fn the_last_day_leaves_open_what_a_last_day_leaves_open() {
    let all = standing();
    let of = |kind: &'static str| {
        all.values()
            .filter(move |r| text(r, "/resourceType") == kind)
    };
    let active: HashSet<&str> = of("EpisodeOfCare")
        .filter(|r| text(r, "/status") == "active")
        .map(|r| text(r, "/patient/reference"))
        .collect();
    assert!((40..=52).contains(&active.len()), "{}", active.len());
    let now = calendar::instant(END);
    let booked: Vec<(&str, &str)> = of("Appointment")
        .filter(|r| text(r, "/status") == "booked")
        .map(|r| (text(r, "/participant/0/actor/reference"), text(r, "/start")))
        .collect();
    let with_next: HashSet<&str> = booked.iter().map(|(person, _)| *person).collect();
    let nowhere = active.iter().filter(|p| !with_next.contains(*p)).count();
    assert!((3..=6).contains(&nowhere), "{nowhere}");
    let overdue = booked
        .iter()
        .filter(|(_, start)| *start < now.as_str())
        .count();
    assert!((3..=6).contains(&overdue), "{overdue}");
    let drafts = of("DocumentReference").filter(|r| text(r, "/docStatus") == "preliminary");
    assert!((1..=6).contains(&drafts.count()));
    let owed: Vec<&str> = of("Task")
        .filter(|r| text(r, "/status") != "completed")
        .map(|r| text(r, "/restriction/period/end"))
        .collect();
    assert!(
        owed.iter().any(|due| *due < now.as_str()) && owed.iter().any(|due| *due > now.as_str())
    );
    let noted: HashSet<&str> = of("DocumentReference")
        .map(|r| text(r, "/context/encounter/0/reference"))
        .collect();
    let unnoted = of("Encounter")
        .filter(|r| text(r, "/status") == "finished")
        .filter(|r| text(r, "/type/0/coding/0/code") == "session")
        .filter(|r| !noted.contains(name(r).as_str()))
        .count();
    assert!((3..=14).contains(&unnoted), "{unnoted}");
}

#[test]
fn the_featured_person_has_every_kind_of_discrepancy() {
    let person = format!("Patient/{}", featured(SEED, END).unwrap());
    let transactions = everything();
    let mut order: Vec<String> = Vec::new();
    let mut versions: HashMap<String, Vec<(i64, Method, Value)>> = HashMap::new();
    for transaction in &transactions {
        for write in &transaction.writes {
            let resource = parse(write);
            let about = ["subject", "patient"]
                .iter()
                .any(|key| text(&resource[*key], "/reference") == person);
            if about {
                let of = versions.entry(name(&resource)).or_default();
                if of.is_empty() {
                    order.push(name(&resource));
                }
                of.push((transaction.recorded_at, write.method, resource));
            }
        }
    }
    let facts: Vec<Fact> = order
        .iter()
        .map(|name| {
            let of = &versions[name];
            Fact {
                kind: name.split('/').next().unwrap(),
                what: name.clone(),
                versions: of
                    .iter()
                    .enumerate()
                    .map(|(place, (at, method, resource))| {
                        let before = place.checked_sub(1).map(|p| &of[p].2);
                        version(*at, *method, resource, before)
                    })
                    .collect(),
            }
        })
        .collect();
    let reading = discrepancies(&facts);
    let all: Vec<&Reason> = reading.conflicts.iter().flat_map(|c| &c.reasons).collect();
    let some = |test: fn(&Reason) -> bool| all.iter().filter(|r| test(r)).count();
    assert!(some(|r| matches!(r, Reason::Late { .. })) >= 3);
    assert!(some(|r| matches!(r, Reason::Backdated { .. })) >= 1);
    assert!(
        some(
            |r| matches!(r, Reason::Corrected { elements, .. } if elements.iter().any(|e| e == "dosage"))
        ) >= 1
    );
    assert!(
        some(
            |r| matches!(r, Reason::Corrected { elements, .. } if elements.iter().any(|e| e == "valueQuantity"))
        ) >= 1
    );
    assert!(
        some(|r| matches!(
            r,
            Reason::Reversed {
                now_attended: false,
                ..
            }
        )) >= 1
    );
    assert!(some(|r| matches!(r, Reason::AtOnce { .. })) >= 1);
    assert!(some(|r| matches!(r, Reason::WithoutConsent { .. })) >= 1);
    assert!(some(|r| matches!(r, Reason::GivenAfterStop { known: false, .. })) >= 1);
    assert!(
        (8..=30).contains(&reading.conflicts.len()),
        "{:#?}",
        reading.conflicts
    );
}

fn version<'v>(
    recorded_at: i64,
    method: Method,
    resource: &'v Value,
    before: Option<&Value>,
) -> Version<'v> {
    let json = resource.to_string();
    let doc = Doc::parse(json.as_bytes()).unwrap();
    let happened = record::happened::happened(doc.root());
    let medicine = text(resource, "/medicationCodeableConcept/coding/0/code");
    let act = match (text(resource, "/resourceType"), text(resource, "/status")) {
        ("Encounter", "finished") => Act::Attended,
        ("Encounter", "cancelled") => Act::Missed,
        ("MedicationAdministration", _) => Act::Given(medicine),
        ("MedicationStatement", _) => Act::Taken {
            medicine,
            until: happened.map(|h| h.end).filter(|end| *end != i64::MAX),
        },
        ("Consent", _) if text(resource, "/provision/type") == "deny" => {
            Act::Withdrew(text(resource, "/provision/code/0/coding/0/code"))
        }
        ("Consent", _) => Act::Consented(text(resource, "/provision/code/0/coding/0/code")),
        ("Media", _) => Act::NeedsConsent("recording"),
        ("Observation", _) if text(resource, "/category/0/coding/0/code") == "social-history" => {
            Act::History
        }
        _ => Act::Other,
    };
    Version {
        recorded_at,
        happened: happened.map(|h| casework::Span {
            start: h.start,
            end: h.end,
        }),
        act,
        changed: before.map_or(Vec::new(), |before| {
            let keys = resource.as_object().unwrap();
            keys.iter()
                .filter(|(k, v)| before.get(*k) != Some(v))
                .map(|(k, _)| k.as_str())
                .collect()
        }),
        withdrawn: method == Method::Delete || text(resource, "/status") == "entered-in-error",
    }
}

#[test]
fn everybody_can_sign_in_as_somebody_who_is_in_the_record() {
    assert_eq!(staff(SEED).len(), 8);
    let users = users(SEED, END);
    assert_eq!(users[0].sign_in_code, "demo-caseworker-1");
    let all = standing();
    let codes: HashSet<&str> = users.iter().map(|u| u.sign_in_code).collect();
    let names: HashSet<&str> = users.iter().map(|u| u.name.as_str()).collect();
    assert_eq!((codes.len(), names.len()), (users.len(), users.len()));
    let roles: HashSet<&str> = users.iter().map(|u| u.role).collect();
    assert_eq!(roles, HashSet::from(crate::sign_in::ROLES));
    for user in &users {
        if let Some(id) = &user.practitioner_id {
            assert!(all.contains_key(&format!("Practitioner/{id}")));
        }
        assert_eq!(user.role == "participant", user.patient_id.is_some());
        if let Some(id) = &user.patient_id {
            assert!(all.contains_key(&format!("Patient/{id}")));
        }
    }
}
