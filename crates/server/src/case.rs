//! The case of one person: every entry about them, read from the person's own chain in the ledger.
//!
//! The chain holds every version of everything that is about the person, so one walk gives the
//! record as it is, as it was at any size, and what was changed when. Nothing here draws; the
//! pages turn a case into their contexts.

use std::collections::HashMap;

use ledger::Action;
use record::json::{Doc, Value};
use record::time::{Happened, RecordedAt};

use crate::error::Error;
use crate::programme::{View, says_governance};

pub mod attention;
pub mod events;
pub mod scores;
pub mod words;

/// One entry about the person.
pub struct Told {
    /// Its place in the ledger.
    pub position: u64,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// Who recorded it, by their opaque name.
    pub actor: String,
    /// What for.
    pub purpose: String,
    /// What it did.
    pub action: Action,
    /// FHIR resource type.
    pub kind: String,
    /// Resource id.
    pub id: String,
    /// Version, from 1.
    pub version: u32,
    /// The stored JSON.
    pub stored: Vec<u8>,
    /// Whether it is no entry about the person, but the resource became somebody else's with the version after it.
    pub is_away: bool,
}

/// Everything that a view knows of one person, oldest entry first.
pub struct Case {
    /// Id of the Patient.
    pub patient: String,
    told: Vec<Told>,
}

/// Bills of care repeat what the care itself says; the pages leave them out.
const NOT_ON_PAGES: [&str; 2] = ["Claim", "ExplanationOfBenefit"];

impl Case {
    /// Reads it; nothing if the view has no such Patient.
    pub fn read(view: &View, patient: &str) -> Result<Option<Case>, Error> {
        if view.read("Patient", patient)?.is_none() {
            return Ok(None);
        }
        let mut told: Vec<Told> = view
            .chain(patient, |kind| !NOT_ON_PAGES.contains(&kind))?
            .into_iter()
            .rev()
            // What the programme records about its record is no part of the care, but for what the
            // person says of it, to which an answer is owed.
            .filter(|(_, stored)| {
                !Doc::parse(stored).is_ok_and(|doc| {
                    says_governance(doc.root()) && !crate::dispute::is_dispute(doc.root())
                })
            })
            .map(|(entry, stored)| Told {
                id: ledger::content::name(&stored)
                    .map(|(_, id)| id.to_owned())
                    .unwrap_or_default(),
                position: entry.position,
                recorded_at: entry.recorded_at,
                actor: entry.actor,
                purpose: entry.purpose,
                action: entry.action,
                kind: entry.kind,
                version: entry.version,
                stored,
                is_away: false,
            })
            .collect();
        taken_away(view, patient, &mut told)?;
        Ok(Some(Case {
            patient: patient.to_owned(),
            told,
        }))
    }

    /// The positions of its entries.
    pub fn positions(&self) -> impl Iterator<Item = u64> {
        let about = self.told.iter().filter(|told| !told.is_away);
        about.map(|told| told.position)
    }

    /// The resource types of its entries.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.told.iter().map(|told| told.kind.as_str())
    }

    /// The same entries grouped by resource and parsed, in the order of first mention.
    pub fn things(&self) -> Vec<Thing<'_>> {
        let mut places: HashMap<(&str, &str), usize> = HashMap::new();
        let mut things: Vec<Thing<'_>> = Vec::new();
        for told in &self.told {
            let Ok(doc) = Doc::parse(&told.stored) else {
                continue;
            };
            let place = *places.entry((&told.kind, &told.id)).or_insert_with(|| {
                things.push(Thing {
                    kind: &told.kind,
                    id: &told.id,
                    tellings: Vec::new(),
                });
                things.len() - 1
            });
            things[place].tellings.push(Telling { told, doc });
        }
        things
    }
}

/// Adds what the chain of a person cannot say: that the next version of a resource is no longer
/// about them, as when something was recorded for the wrong person and then put right. For this
/// person that takes it back, whoever may see that version; what it says is somebody else's and is left out, and for
/// those who may not see it, so is who recorded it.
fn taken_away(view: &View, patient: &str, told: &mut Vec<Told>) -> Result<(), Error> {
    let mut last: HashMap<(&str, &str), &Told> = HashMap::with_capacity(told.len());
    // With whether the resource came back after it.
    let mut away: Vec<(&Told, bool)> = Vec::new();
    for one in told.iter() {
        if let Some(before) = last.insert((&one.kind, &one.id), one)
            && before.version + 1 < one.version
        {
            away.push((before, true));
        }
    }
    for ((kind, id), before) in last {
        if view
            .stands(kind, id)?
            .is_some_and(|stands| stands > before.version)
        {
            away.push((before, false));
        }
    }
    let (whole, person) = (view.clone().unbound(), view.alias(patient));
    let mut added = Vec::with_capacity(away.len());
    for (before, comes_back) in away {
        let (kind, id, version) = (&before.kind, &before.id, before.version + 1);
        let Some(entry) = whole.entry_of(kind, id, version)? else {
            continue;
        };
        // What is hidden or erased in the middle was theirs all along.
        if comes_back && entry.person == Some(person) {
            continue;
        }
        let seen = view.entry(entry.position)?;
        let (actor, purpose) =
            seen.map_or_else(Default::default, |seen| (seen.actor, seen.purpose));
        added.push(Told {
            id: id.clone(),
            position: entry.position,
            recorded_at: entry.recorded_at,
            actor,
            purpose,
            action: Action::Delete,
            stored: record::stored::deleted(kind, id),
            kind: kind.clone(),
            version,
            is_away: true,
        });
    }
    if !added.is_empty() {
        told.extend(added);
        told.sort_by_key(|one| one.position);
    }
    Ok(())
}

/// One resource with all its versions, oldest first; there is at least one.
pub struct Thing<'c> {
    /// FHIR resource type.
    pub kind: &'c str,
    /// Resource id.
    pub id: &'c str,
    /// Its versions.
    pub tellings: Vec<Telling<'c>>,
}

/// One version of a resource.
pub struct Telling<'c> {
    /// Its entry.
    pub told: &'c Told,
    doc: Doc<'c>,
}

impl Telling<'_> {
    /// The resource.
    pub fn resource(&self) -> Value<'_> {
        self.doc.root()
    }

    /// When it says that it happened.
    pub fn happened(&self) -> Option<Happened> {
        record::happened::happened(self.resource())
    }

    /// Whether it takes the thing back: a deletion, or entered in error.
    pub fn withdrawn(&self) -> bool {
        self.told.action == Action::Delete
            || self.text(&["status"]) == Some("entered-in-error")
            || words::code(self.resource().get("verificationStatus")) == Some("entered-in-error")
    }

    /// Text at a path of keys.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.resource().str_at(path)
    }

    /// Start and end of a Period at a key, in microseconds; an open end is far in the future.
    pub fn period(&self, key: &str) -> Option<(i64, i64)> {
        let period = self.resource().get(key)?;
        let start = period
            .str_at(&["start"])
            .and_then(record::time::parse_interval);
        let end = period
            .str_at(&["end"])
            .and_then(record::time::parse_interval);
        Some((
            start.map_or(i64::MIN, |time| time.start),
            end.map_or(i64::MAX, |time| time.end),
        ))
    }

    /// An instant at a key, in microseconds.
    pub fn instant(&self, key: &str) -> Option<i64> {
        self.text(&[key])
            .and_then(record::time::parse_interval)
            .map(|time| time.start)
    }
}

impl<'c> Thing<'c> {
    /// The newest version.
    pub fn last(&self) -> &Telling<'c> {
        &self.tellings[self.tellings.len() - 1]
    }

    /// The newest version, unless the thing was taken back.
    pub fn current(&self) -> Option<&Telling<'c>> {
        Some(self.last()).filter(|telling| !telling.withdrawn())
    }
}

/// What is current of one kind.
pub fn of_kind<'t, 'c>(
    things: &'t [Thing<'c>],
    kind: &'t str,
) -> impl Iterator<Item = &'t Telling<'c>> {
    things
        .iter()
        .filter(move |thing| thing.kind == kind)
        .filter_map(Thing::current)
}

/// The first version of the resource that a telling belongs to.
pub fn first_of<'t, 'c>(things: &'t [Thing<'c>], telling: &Telling<'c>) -> &'t Telling<'c> {
    let thing = things
        .iter()
        .find(|thing| thing.kind == telling.told.kind && thing.id == telling.told.id);
    &thing.unwrap_or(&things[0]).tellings[0]
}

/// Names of people and organisations, as the view knows them; each is looked up once.
pub struct Names<'v> {
    view: &'v View,
    known: std::cell::RefCell<HashMap<String, Option<String>>>,
}

impl<'v> Names<'v> {
    /// Looks up in `view`.
    pub fn new(view: &'v View) -> Names<'v> {
        Names {
            view,
            known: Default::default(),
        }
    }

    /// The name behind a Reference: its display, or that of the resource itself.
    pub fn of(&self, reference: Option<Value<'_>>) -> Option<String> {
        let reference = reference?;
        if let Some(display) = reference.str_at(&["display"]) {
            return Some(display.to_owned());
        }
        self.at(reference.str_at(&["reference"])?)
    }

    /// What a Reference itself says that it names.
    pub fn display(reference: Option<Value<'_>>) -> Option<String> {
        Some(reference?.str_at(&["display"])?.to_owned())
    }

    /// The name of what a relative reference (`Practitioner/ID`) names.
    pub fn at(&self, reference: &str) -> Option<String> {
        if let Some(known) = self.known.borrow().get(reference) {
            return known.clone();
        }
        let found = reference.split_once('/').and_then(|(kind, id)| {
            let version = self.view.read(kind, id).ok()??;
            let doc = Doc::parse(&version.stored).ok()?;
            words::name(doc.root())
        });
        self.known
            .borrow_mut()
            .insert(reference.to_owned(), found.clone());
        found
    }
}
