//! The events of a person with every telling of them, and where the two times disagree.

use casework::Span;
use casework::codes;
use casework::discrepancy::{Act, Fact, Reading, Reason, Version, discrepancies};
use record::json::Value;

use super::{Telling, Thing, words};
use crate::chart::event::{Conflict, Disagreement, Event, Telling as Told};
use crate::web::when;

/// All events of a person and all conflicts among them.
pub struct Events {
    /// In the order of first recording.
    pub events: Vec<Event>,
    /// In the order of their tags.
    pub conflicts: Vec<Conflict>,
}

/// Reads them.
pub fn events(things: &[Thing<'_>]) -> Events {
    let shown: Vec<(&Thing<'_>, Event)> = things
        .iter()
        .filter_map(|thing| Some((thing, event(thing)?)))
        .collect();
    let facts: Vec<Fact<'_>> = shown.iter().map(|(thing, _)| fact(thing)).collect();
    let reading = discrepancies(&facts);
    Events {
        conflicts: conflicts(&reading),
        events: shown.into_iter().map(|(_, event)| event).collect(),
    }
}

fn event(thing: &Thing<'_>) -> Option<Event> {
    let mut last_words = None;
    let mut row = None;
    let mut tellings: Vec<Told> = thing
        .tellings
        .iter()
        .map(|telling| {
            let said = words::words(thing.kind, telling.resource());
            let withdrawn = telling.withdrawn();
            row = row.or(said.row);
            // A deletion says nothing itself: what it takes back is what was said before.
            let what = match (withdrawn, &last_words) {
                (true, Some(before)) => format!("{before}: taken back"),
                _ => said.what,
            };
            if !withdrawn {
                last_words = Some(what.clone());
            }
            Told {
                recorded_at: when::RecordedAt(telling.told.recorded_at.0),
                happened: telling.happened().map(shown_time),
                what,
                withdrawn,
                position: telling.told.position,
            }
        })
        .collect();
    let row = row?;
    let first = tellings.remove(0);
    Some(Event {
        row,
        first,
        later: tellings,
    })
}

fn shown_time(happened: record::time::Happened) -> when::Happened {
    when::Happened {
        start: happened.start,
        end: happened.end,
    }
}

fn fact<'c>(thing: &'c Thing<'_>) -> Fact<'c> {
    let mut before: Option<Value<'_>> = None;
    let versions = thing
        .tellings
        .iter()
        .map(|telling| {
            let resource = telling.resource();
            let changed = before.map_or_else(Vec::new, |before| changed(before, resource));
            before = Some(resource);
            Version {
                recorded_at: telling.told.recorded_at.0,
                happened: telling.happened().map(|happened| Span {
                    start: happened.start,
                    end: happened.end,
                }),
                act: act(thing.kind, telling),
                changed,
                withdrawn: telling.withdrawn(),
            }
        })
        .collect();
    Fact {
        kind: thing.kind,
        what: words::words(thing.kind, thing.tellings[0].resource()).what,
        versions,
    }
}

/// Top-level elements in which two versions differ.
fn changed<'d>(before: Value<'d>, after: Value<'d>) -> Vec<&'d str> {
    let differs = |one: Value<'d>, key: &str, value: Value<'d>| {
        one.get(key).is_none_or(|other| other.raw() != value.raw())
    };
    let mut keys: Vec<&'d str> = after
        .entries()
        .filter(|(key, value)| differs(before, key, *value))
        .map(|(key, _)| key)
        .collect();
    let gone = before
        .entries()
        .filter(|(key, _)| after.get(key).is_none())
        .map(|(key, _)| key);
    keys.extend(gone);
    keys.retain(|key| *key != "meta");
    keys
}

/// What a version says that happened, as far as it can contradict something.
fn act<'c>(kind: &str, telling: &'c Telling<'_>) -> Act<'c> {
    let resource = telling.resource();
    let status = telling.text(&["status"]);
    let medicine = || words::code(resource.get("medicationCodeableConcept")).unwrap_or_default();
    match kind {
        "Encounter" => match status {
            Some("finished") => Act::Attended,
            Some("cancelled") => Act::Missed,
            _ => Act::Other,
        },
        "MedicationAdministration" if status == Some("completed") => Act::Given(medicine()),
        "MedicationStatement" => Act::Taken {
            medicine: medicine(),
            until: telling
                .period("effectivePeriod")
                .map(|(_, end)| end)
                .filter(|end| *end < i64::MAX),
        },
        "Consent" => {
            let about = resource
                .get("provision")
                .and_then(|provision| provision.get("code"));
            let about = words::code_in(about, codes::CONSENT).unwrap_or_default();
            // A consent that is no longer active was given on its day all the same; when it was
            // withdrawn is said by the refusal that took its place, or by a signature of its own.
            let signed = resource.get("extension").into_iter().flat_map(Value::items);
            let signed = signed.filter_map(|one| one.str_at(&["url"]));
            let taken_back = status == Some("inactive")
                && signed
                    .into_iter()
                    .any(|url| url == crate::consent::write::SIGNED);
            match telling.text(&["provision", "type"]) {
                _ if taken_back => Act::Withdrew(about),
                Some("deny") => Act::Withdrew(about),
                _ => Act::Consented(about),
            }
        }
        "DocumentReference" if telling.text(&["docStatus"]) == Some("preliminary") => Act::Draft,
        "QuestionnaireResponse" if status == Some("in-progress") => Act::Draft,
        "Observation" if matches!(status, Some("registered" | "preliminary")) => Act::Draft,
        "Media" => Act::NeedsConsent("recording"),
        // What somebody did before the programme is told, not late.
        "Observation" if words::code(resource.get("category")) == Some("social-history") => {
            Act::History
        }
        "Condition" | "AllergyIntolerance" | "Immunization" => Act::History,
        _ => Act::Other,
    }
}

fn conflicts(reading: &Reading) -> Vec<Conflict> {
    reading
        .conflicts
        .iter()
        .map(|conflict| Conflict {
            kind: disagreement(&conflict.reasons),
            words: conflict.sentence.clone(),
            events: conflict.facts().collect(),
        })
        .collect()
}

/// The gravest of the reasons names the conflict.
fn disagreement(reasons: &[Reason]) -> Disagreement {
    let any = |test: fn(&Reason) -> bool| reasons.iter().any(test);
    if any(|reason| {
        matches!(
            reason,
            Reason::Reversed { .. }
                | Reason::AtOnce { .. }
                | Reason::GivenAfterStop { .. }
                | Reason::WithoutConsent { .. }
        )
    }) {
        Disagreement::Conflicting
    } else if any(|reason| matches!(reason, Reason::TakenBack { .. })) {
        Disagreement::Withdrawn
    } else if any(|reason| matches!(reason, Reason::Backdated { .. })) {
        Disagreement::Backdated
    } else if any(|reason| matches!(reason, Reason::Corrected { .. })) {
        Disagreement::Corrected
    } else {
        Disagreement::Late
    }
}
