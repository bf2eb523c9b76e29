//! Whose records are somebody's business: those whom their caseload lists.
//!
//! Who stands to whom is looked up from the other side here than in [`super::related`]; what it finds is
//! decided over again, one person at a time, so the two cannot drift apart.

use std::collections::HashSet;

use ledger::Alias;
use policy::{Action, Kind, Role};
use record::search::parse_criteria;

use super::related::Record;
use super::{Reader, Thing, Who};
use crate::error::Error;
use crate::programme::{Search, Version, View};

/// How many hits are taken at a time.
const PART: usize = 1_000;

/// Where a practitioner stands in the record of a person: kind and search parameter.
const TIES: [(&str, &str); 3] = [
    ("EpisodeOfCare", "care-manager"),
    ("CareTeam", "participant"),
    ("Patient", "general-practitioner"),
];

/// Where an evaluator does.
const REFERRALS: [(&str, &str); 2] = [("ServiceRequest", "performer"), ("Task", "owner")];

/// Those whose case is somebody's, or that of one whom they supervise, by id of the Patient.
pub(crate) fn own(view: &View, who: &Who, now: i64) -> Result<Vec<String>, Error> {
    if let Some(patient) = &who.patient {
        return Ok(vec![patient.clone()]);
    }
    let whole = view.whole();
    let standing = whole.standing()?;
    // Those for whom they cover: whose people these are is decided below, one by one.
    let away: Vec<String> = standing
        .covered_by(&who.names, now)
        .map(|(_, delegation)| delegation.cover.owner.clone())
        .collect();
    let names = who.names.iter().chain(&who.staff).chain(&away);
    let practitioners: Vec<&str> = names
        .filter(|name| name.starts_with("Practitioner/"))
        .map(String::as_str)
        .collect();
    if practitioners.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids = Vec::new();
    let mut seen = HashSet::new();
    let ties = match who.role {
        Role::Evaluator => &REFERRALS[..],
        _ => &TIES[..],
    };
    for (kind, parameter) in ties.iter().copied() {
        let params = [(parameter.to_owned(), practitioners.join(","))];
        let (criteria, _) = parse_criteria(kind, &params, "");
        for version in all(&whole, &criteria)? {
            ids.extend(version.person().filter(|id| seen.insert(id.clone())));
        }
    }
    let mut theirs = Vec::with_capacity(ids.len());
    for id in ids {
        let facts = view.facts_for(who, view.alias(&id), now)?;
        if facts.treats() || facts.supervises || facts.referred {
            theirs.push(id);
        }
    }
    Ok(theirs)
}

/// The practitioners whose case a person is, for whoever may know the person.
pub(crate) fn whose_case(
    view: &View,
    reader: &Reader,
    person: Alias,
) -> Result<Vec<String>, Error> {
    let may = view.decide(reader, Action::Know, &Thing::about(person, Kind::Identity))?;
    match may.allowed {
        true => Ok(view.related(person)?.caseworkers(reader.now())),
        false => Ok(Vec::new()),
    }
}

fn all(record: &dyn Record, criteria: &record::search::Criteria) -> Result<Vec<Version>, Error> {
    let mut versions = Vec::new();
    let mut after = None;
    loop {
        let page = record.page(&Search {
            criteria,
            count: PART,
            after,
            total: false,
        })?;
        versions.extend(page.hits);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(versions),
        }
    }
}
