//! How the persons whom a warrant names are told: a Communication in the chain of each, or one of the
//! programme's for a warrant about everybody.
//!
//! | recorded | line | when |
//! |---|---|---|
//! | at once | with the warrant's own entry, in the same transaction | the warrant says so |
//! | with its revocation | in the same transaction | it says "at the end" |
//! | later | by the programme itself | the instant has come, or the warrant has ended |
//!
//! The id of a notice follows from the warrant and the person, and a notice that is there is not
//! written again, whoever asks, however often, and wherever it was interrupted.

use casework::warrant::{Persons, Warrant};
use evidence::erasure::GOVERNANCE;
use ledger::Alias;
use record::json::Doc;
use record::time::RecordedAt;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{PURPOSE, WARRANT};
use crate::chance::crockford;
use crate::erasure::person;
use crate::error::Error;
use crate::governing::{self, coded};
use crate::programme::{Actor, Draft, Expect, Version, View};

/// Who writes what is due.
pub fn actor() -> Actor {
    Actor {
        name: casework::erasure::PROGRAMME.to_owned(),
        purpose: PURPOSE.to_owned(),
    }
}

/// The id of a person's notice of a warrant; of everybody's without a person.
pub fn id(warrant: &str, person: Option<&str>) -> String {
    let text = format!(
        "notice of warrant {warrant} {}",
        person.unwrap_or("everybody")
    );
    let hash = Sha256::digest(text.as_bytes());
    let mut bits = [0; 10];
    bits.copy_from_slice(&hash[..10]);
    crockford(&bits)
}

/// The notices of a warrant that are not on the record; `programme` is its name. Whoever was erased meanwhile is not told.
pub fn drafts(
    programme: &str,
    view: &View,
    warrant_id: &str,
    warrant: &Warrant,
    now: i64,
) -> Result<Vec<Draft>, Error> {
    let mut drafts = Vec::new();
    for alias in persons(warrant) {
        if view
            .stands("Communication", &id(warrant_id, alias))?
            .is_some()
        {
            continue;
        }
        if let Some(alias) = alias
            && person::id(view, &format!("~{alias}"))?.is_none()
        {
            continue;
        }
        drafts.push(draft(programme, warrant_id, warrant, alias, now)?);
    }
    Ok(drafts)
}

/// The notices of a warrant, of which none is on the record.
pub fn all(
    programme: &str,
    warrant_id: &str,
    warrant: &Warrant,
    now: i64,
) -> Result<Vec<Draft>, Error> {
    let persons = persons(warrant).into_iter();
    let drafts = persons.map(|alias| draft(programme, warrant_id, warrant, alias, now));
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
        let named = matches!(found.warrant.order.persons, Persons::Named(_));
        let id = id(&found.id, named.then_some(alias.as_str()));
        let Some(version) = view.vread("Communication", &id, 1)? else {
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

/// Whom a warrant's notices are for: each person whom it names, or everybody.
fn persons(warrant: &Warrant) -> Vec<Option<&str>> {
    match &warrant.order.persons {
        Persons::All => vec![None],
        Persons::Named(named) => named.iter().map(|one| Some(one.as_str())).collect(),
    }
}

fn draft(
    programme: &str,
    warrant_id: &str,
    warrant: &Warrant,
    alias: Option<&str>,
    now: i64,
) -> Result<Draft, Error> {
    let id = id(warrant_id, alias);
    let stored = write(&id, warrant_id, alias, &text(programme, warrant), now);
    let about = alias.map(|alias| format!("~{alias}"));
    Draft::governance(
        "Communication",
        &id,
        Expect::Absent,
        stored,
        about.as_deref(),
    )
}

/// The notices of all warrants that are due and not on the record.
pub fn due(programme: &str, view: &View, now: i64) -> Result<Vec<Draft>, Error> {
    let mut due = Vec::new();
    for found in super::all(view)? {
        if found.warrant.notice_due() <= now {
            due.extend(drafts(programme, view, &found.id, &found.warrant, now)?);
        }
    }
    Ok(due)
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

fn write(id: &str, warrant: &str, alias: Option<&str>, text: &str, now: i64) -> Vec<u8> {
    let mut notice = json!({
        "resourceType": "Communication",
        "id": id,
        "basedOn": [{ "reference": format!("Task/{warrant}") }],
        "status": "completed",
        "category": [coded(GOVERNANCE, WARRANT)],
        "sent": RecordedAt(now).to_string(),
        "payload": [{ "contentString": text }],
    });
    if let Some(alias) = alias {
        notice["subject"] = json!({ "identifier": governing::person(alias) });
    }
    notice.to_string().into_bytes()
}
