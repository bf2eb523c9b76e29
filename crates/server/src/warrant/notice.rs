//! How the persons whom a warrant names are told: a Communication in the chain of each.
//!
//! | recorded | line | when |
//! |---|---|---|
//! | at once | with the warrant's own entry, in the same transaction | the warrant says so, and names them |
//! | with its revocation | in the same transaction | it says "at the end", and names them |
//! | later | by the programme itself | the instant has come, or the warrant has ended |
//! | at once or later | by the programme itself, some persons at a time | it is over everybody |
//!
//! A warrant over everybody is over whoever comes into the programme while it lasts, too: they are told as they
//! come, and nobody once it has ended.
//!
//! The id of a notice follows from the warrant and the person, and a notice that is there is not
//! written again, whoever asks, however often, and wherever it was interrupted.

use casework::warrant::{Persons, Warrant};
use evidence::erasure::GOVERNANCE;
use index::Cursor;
use ledger::Alias;
use record::json::Doc;
use record::search::Criteria;
use record::time::RecordedAt;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{PURPOSE, WARRANT};
use crate::chance::crockford;
use crate::erasure::person;
use crate::error::Error;
use crate::governing::{self, coded};
use crate::programme::{Actor, Draft, Expect, Search, Version, View};

/// How many persons of a warrant over everybody are told in one transaction.
const TOLD_AT_ONCE: usize = 100;

/// How many persons are looked at at a time to find those who were not told.
const LOOKED_AT_ONCE: usize = 500;

/// Who writes what is due.
pub fn actor() -> Actor {
    Actor {
        name: casework::erasure::PROGRAMME.to_owned(),
        purpose: PURPOSE.to_owned(),
    }
}

/// The id of a person's notice of a warrant.
pub fn id(warrant: &str, person: &str) -> String {
    let text = format!("notice of warrant {warrant} {person}");
    let hash = Sha256::digest(text.as_bytes());
    let mut bits = [0; 10];
    bits.copy_from_slice(&hash[..10]);
    crockford(&bits)
}

/// The notices of a warrant to those whom it names that are not on the record; `programme` is its name. Whoever
/// was erased meanwhile is not told.
pub fn drafts(
    programme: &str,
    view: &View,
    warrant_id: &str,
    warrant: &Warrant,
    now: i64,
) -> Result<Vec<Draft>, Error> {
    let mut drafts = Vec::new();
    for alias in named(warrant) {
        if is_told(view, warrant_id, alias)? {
            continue;
        }
        if person::id(view, &format!("~{alias}"))?.is_none() {
            continue;
        }
        drafts.push(draft(programme, warrant_id, warrant, alias, now)?);
    }
    Ok(drafts)
}

/// The notices of a warrant to those whom it names, of which none is on the record.
pub fn all(
    programme: &str,
    warrant_id: &str,
    warrant: &Warrant,
    now: i64,
) -> Result<Vec<Draft>, Error> {
    let drafts = named(warrant)
        .iter()
        .map(|alias| draft(programme, warrant_id, warrant, alias, now));
    drafts.collect()
}

/// What a person was told of warrants, in this view, newest first: each notice with its words.
pub fn told(view: &View, person: Alias) -> Result<Vec<(Version, String)>, Error> {
    let alias = person.to_string();
    let mut told = Vec::new();
    for found in super::all(view)? {
        if !found.warrant.names(&alias) {
            continue;
        }
        let Some(version) = view.vread("Communication", &id(&found.id, &alias), 1)? else {
            continue;
        };
        let words = Doc::parse(&version.stored).ok().and_then(|doc| {
            let payload = doc.root().get("payload")?.items().next()?;
            Some(payload.str_at(&["contentString"])?.to_owned())
        });
        told.push((version, words.unwrap_or_default()));
    }
    told.sort_by_key(|(version, _)| std::cmp::Reverse(version.position));
    Ok(told)
}

/// Whom a warrant names; nobody in particular if it is over everybody.
fn named(warrant: &Warrant) -> &[String] {
    match &warrant.order.persons {
        Persons::All => &[],
        Persons::Named(named) => named,
    }
}

fn is_told(view: &View, warrant: &str, alias: &str) -> Result<bool, Error> {
    let stands = view.stands("Communication", &id(warrant, alias))?;
    Ok(stands.is_some())
}

/// When a person came into the programme.
fn came(view: &View, patient: &Version) -> Result<i64, Error> {
    let first = view.entry_of("Patient", &patient.id, 1)?;
    Ok(first
        .map_or(patient.recorded_at, |entry| entry.recorded_at)
        .0)
}

/// How many persons there are.
fn persons(view: &View) -> Result<u64, Error> {
    let page = view.search(&Search {
        criteria: &Criteria::all("Patient"),
        count: 0,
        after: None,
        total: true,
    })?;
    Ok(page.total.unwrap_or_default())
}

/// Those whom a warrant is over that have no notice of it on the record, so many at the most.
pub fn untold(
    view: &View,
    warrant_id: &str,
    warrant: &Warrant,
    count_max: usize,
) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for alias in named(warrant) {
        if found.len() < count_max && !is_told(view, warrant_id, alias)? {
            found.push(alias.clone());
        }
    }
    let mut more = warrant.order.persons == Persons::All;
    let mut after: Option<Cursor> = None;
    while more && found.len() < count_max {
        let page = view.search(&Search {
            criteria: &Criteria::all("Patient"),
            count: LOOKED_AT_ONCE,
            after,
            total: false,
        })?;
        for patient in &page.hits {
            let Some(alias) = patient.about.map(|alias| alias.to_string()) else {
                continue;
            };
            if found.len() < count_max
                && !is_told(view, warrant_id, &alias)?
                && came(view, patient)? < warrant.end()
            {
                found.push(alias);
            }
        }
        after = page.next;
        more = after.is_some();
    }
    Ok(found)
}

fn draft(
    programme: &str,
    warrant_id: &str,
    warrant: &Warrant,
    alias: &str,
    now: i64,
) -> Result<Draft, Error> {
    let id = id(warrant_id, alias);
    let stored = write(&id, warrant_id, alias, &text(programme, warrant), now);
    let about = format!("~{alias}");
    Draft::governance("Communication", &id, Expect::Absent, stored, Some(&about))
}

/// The notices of all warrants that are due and not on the record; of a warrant over everybody those of some
/// persons at a time.
pub fn due(programme: &str, view: &View, now: i64) -> Result<Vec<Draft>, Error> {
    due_beside(programme, view, now, &mut Told::default())
}

/// Which warrants over everybody need not be looked at: everybody was told of them.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// How many persons there were when everybody was.
    persons: u64,
    /// By their Tasks, those that last: whoever comes is to be told.
    so_far: Vec<String>,
    /// Those that are over.
    for_good: Vec<String>,
}

/// The same, but for what was found to be told.
pub(crate) fn due_beside(
    programme: &str,
    view: &View,
    now: i64,
    told: &mut Told,
) -> Result<Vec<Draft>, Error> {
    let mut due = Vec::new();
    let mut here = None;
    for found in super::all(view)? {
        let (id, warrant) = (&found.id, &found.warrant);
        if warrant.notice_due() > now {
            continue;
        }
        due.extend(drafts(programme, view, id, warrant, now)?);
        if warrant.order.persons != Persons::All {
            continue;
        }
        if told.for_good.contains(id) {
            continue;
        }
        let here = match here {
            Some(here) => here,
            None => *here.insert(persons(view)?),
        };
        if told.persons != here {
            told.persons = here;
            told.so_far.clear();
        }
        if told.so_far.contains(id) {
            continue;
        }
        let room = TOLD_AT_ONCE.saturating_sub(due.len());
        let untold = untold(view, id, warrant, room)?;
        if untold.is_empty() && room > 0 {
            match warrant.end() <= now {
                true => told.for_good.push(id.clone()),
                false => told.so_far.push(id.clone()),
            }
        }
        for alias in untold {
            due.push(draft(programme, id, warrant, &alias, now)?);
        }
    }
    Ok(due)
}

/// Those of some notices that are still not on the record.
pub(crate) fn still(view: &View, drafts: Vec<Draft>) -> Result<Vec<Draft>, Error> {
    let mut left = Vec::with_capacity(drafts.len());
    for draft in drafts {
        if view.stands(&draft.kind, &draft.id)?.is_none() {
            left.push(draft);
        }
    }
    Ok(left)
}

/// What the person is told, in plain words.
fn text(programme: &str, warrant: &Warrant) -> String {
    let order = &warrant.order;
    let kinds: Vec<&str> = order.kinds.iter().map(|kind| kind.words()).collect();
    let minute = crate::web::when::minute;
    let mut text = format!(
        "An inspector may read, or could read, parts of {} under a warrant issued by {} (number {}), from \
         {} to {} UTC: {}.",
        match &order.persons {
            Persons::All => "the records of everybody in this programme",
            Persons::Named(_) => "your record",
        },
        order.issuer.trim(),
        order.number.trim(),
        minute(order.from.max(warrant.entered_at)),
        minute(warrant.end()),
        kinds.join("; "),
    );
    if let Some(happened) = &order.happened {
        let (start, end) = (happened.start, happened.end - 1);
        let day = crate::web::when::day;
        text += &format!(" Only what happened from {} to {}.", day(start), day(end));
    }
    if warrant.revoked.is_some() {
        text += " It was revoked.";
    }
    text += &format!(
        " What was read under it, and when, is listed with who looked at your record. You can ask {} \
         for a copy of the warrant.",
        programme
    );
    text
}

fn write(id: &str, warrant: &str, alias: &str, text: &str, now: i64) -> Vec<u8> {
    json!({
        "resourceType": "Communication",
        "id": id,
        "basedOn": [{ "reference": format!("Task/{warrant}") }],
        "status": "completed",
        "category": [coded(GOVERNANCE, WARRANT)],
        "subject": { "identifier": governing::person(alias) },
        "sent": RecordedAt(now).to_string(),
        "payload": [{ "contentString": text }],
    })
    .to_string()
    .into_bytes()
}
