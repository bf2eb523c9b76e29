//! What a view gives to whom it is bound to: what they may see, and nothing else.
//!
//! What is not for somebody is to them as if it were not there: the same answer, and about the same
//! work ([`View::as_if_there`]), so that neither tells the two apart. That a search looked through what
//! it may not give shows in nothing but its time; who may not even know a person gets the answer of
//! nobody before anything is looked through.
//!
//! A version is judged by what it says itself, and by what its resource says last: a label that is put
//! on today closes the versions of yesterday, too.

use std::collections::HashMap;
use std::sync::Arc;

use ledger::access::Disclosed;
use ledger::{Action, Alias, Class, Entry};
use policy::{Action as Does, Facts, Kind, Policy};
use record::json::Doc;
use record::search::{Criteria, Modifier, ReferenceTest, Test};
use record::sensitivity;

use super::{AsOf, Page, Search, Version, View};
use crate::accounting::HeldBack;
use crate::error::{Error, ErrorKind, left};
use crate::fhir::scope::Verb;
use crate::permit::related::{Record, Related};
use crate::permit::{self, Permits, Reader, Thing, Who};
use crate::programme::Whose;
use crate::programme::draft::GOVERNANCE_KINDS;
use crate::standing::Standing;

/// How many hits a search looks through for whoever may not see all of them.
const LOOKED_THROUGH_MAX: usize = 200_000;

/// How many hits are taken from the index at a time, at the most.
const PART_MAX: usize = 1_000;

/// How many hits of a search that is to be counted are looked through; if there are more, the count is
/// left out.
const COUNTED_MAX: usize = 20_000;

/// The record as it stands now, whole: what permissions are decided from.
pub(crate) struct Whole(View);

impl Record for Whole {
    fn alias(&self, patient: &str) -> Alias {
        self.0.inner.ledger.person(patient)
    }

    fn patient(&self, person: Alias) -> Result<Option<String>, Error> {
        let inner = &self.0.inner;
        Ok(match inner.known.whose(&inner.ledger, person)? {
            Whose::Patient(id) => Some(id),
            Whose::Erased | Whose::Nobody => None,
        })
    }

    fn current(&self, kind: &str, id: &str) -> Result<Option<Version>, Error> {
        let version = left(self.0.read(kind, id))?;
        Ok(version.filter(|version| !version.deleted))
    }

    fn page(&self, search: &Search<'_>) -> Result<Page, Error> {
        self.0.search_whole(search)
    }

    fn standing(&self) -> Result<Arc<Standing>, Error> {
        let inner = &self.0.inner;
        inner.standing.standing(|| View::new(inner, AsOf::Now))
    }
}

/// What a resource says last.
struct LastSaid {
    /// The last version that says something: that is no deletion, and not erased.
    version: Option<Version>,
    /// Whether one after that was a therapy note that was erased. What it said is gone; that it was one stays, and
    /// closes the versions before it as it did.
    was_note: bool,
}

impl View {
    /// The whole record as it stands now.
    pub(crate) fn whole(&self) -> Whole {
        Whole(View::new(&self.inner, AsOf::Now))
    }

    /// Whether a leaf of the access log is held back for a time from the person who looks.
    pub(crate) fn is_held_back(
        &self,
        reader: &Reader,
        own: &str,
        one: &Disclosed,
    ) -> Result<bool, Error> {
        let alias = self.alias(own);
        if !one.persons.contains(&alias) {
            return Ok(false);
        }
        let now = View::new(&self.inner, AsOf::Now);
        let held = HeldBack::at(&now, &self.inner.desk, alias, reader.now())?;
        Ok(held.holds(one))
    }

    /// For whom it is read.
    pub fn reader(&self) -> Option<&Reader> {
        self.reader.as_ref()
    }

    /// Whether somebody may do something with a thing, and why or why not.
    pub(crate) fn decide(
        &self,
        reader: &Reader,
        does: Does,
        thing: &Thing<'_>,
    ) -> Result<Arc<policy::Verdict>, Error> {
        reader.decide(&self.inner.permits, &self.whole(), does, thing)
    }

    /// What another policy would decide by, over the same record.
    pub(crate) fn permits_under(&self, policy: Policy) -> Result<Permits, Error> {
        Permits::new(policy, &self.inner.index)
    }

    /// The same as [`View::decide`] under another policy.
    pub(crate) fn decide_under(
        &self,
        permits: &Permits,
        reader: &Reader,
        does: Does,
        thing: &Thing<'_>,
    ) -> Result<Arc<policy::Verdict>, Error> {
        reader.decide(permits, &self.whole(), does, thing)
    }

    /// How often another policy was put in force since the start.
    pub(crate) fn policy_generation(&self) -> u64 {
        self.inner.permits.generation()
    }

    /// What is so of a person for somebody, as of now.
    pub(crate) fn facts(&self, reader: &Reader, about: Alias) -> Result<Facts, Error> {
        reader.facts(&self.inner.permits, &self.whole(), Some(about))
    }

    /// The same for anybody, at a moment.
    pub(crate) fn facts_for(&self, who: &Who, about: Alias, now: i64) -> Result<Facts, Error> {
        let permits = &self.inner.permits;
        permits.facts(&self.whole(), who, Some(about), now)
    }

    /// How people stand to a person, as of now; for whoever may know the person.
    pub(crate) fn related(&self, about: Alias) -> Result<Arc<Related>, Error> {
        self.inner.permits.related(&self.whole(), about)
    }

    /// The alias of a Patient.
    pub(crate) fn alias(&self, patient: &str) -> Alias {
        self.inner.ledger.person(patient)
    }

    /// Whether the reader may know that somebody is here, whoever that is.
    pub(crate) fn knows(&self, about: Alias) -> Result<bool, Error> {
        let Some(reader) = &self.reader else {
            return Ok(true);
        };
        let thing = Thing::about(about, Kind::Identity);
        Ok(self.decide(reader, Does::Know, &thing)?.allowed)
    }

    /// Whether somebody may do something with every version of a kind, whoever it is about: what a program
    /// may that is registered for all of it, as long as nobody has consented or refused and nothing is
    /// labelled. This is decided without looking at anything.
    pub(crate) fn is_open(&self, reader: &Reader, kind: &str, does: Does) -> bool {
        let permits = &self.inner.permits;
        if !reader.is_program() || reader.is_narrow() || permits.is_particular(kind) {
            return false;
        }
        let plain = permit::plain(sensitivity::tells(kind));
        let governs =
            (GOVERNANCE_KINDS.contains(&kind) || kind == "Consent").then_some(Kind::Governance);
        let sensitive = [Kind::Notes, Kind::Sud, Kind::Restricted];
        let kinds = std::iter::once(plain).chain(governs).chain(sensitive);
        kinds.into_iter().all(|kind| {
            let facts = Facts {
                same_programme: true,
                registered: reader.who().registered.contains(&kind),
                of_programme: reader.who().of_programme,
                ..Facts::default()
            };
            // What obliges to something is looked at each time.
            let verdict = reader.verdict(permits, does, kind, &[], facts);
            verdict.allowed && verdict.obligations.is_empty()
        })
    }

    /// The version that the index found, if the reader may see it; what was erased is an error only for
    /// who may know that.
    pub(super) fn permitted(
        &self,
        kind: &str,
        id: &str,
        found: Option<index::Found>,
    ) -> Result<Option<Version>, Error> {
        let Some(reader) = &self.reader else {
            return found.map(|found| self.fetch(kind, id, found)).transpose();
        };
        let Some(found) = found else {
            self.as_if_there(kind, id);
            return Ok(None);
        };
        let position = found.position;
        match self.fetch(kind, id, found) {
            Ok(version) if self.is_open(reader, kind, Does::Read) => Ok(Some(version)),
            Ok(version) => Ok(self.shows(reader, &version, self.verb)?.then_some(version)),
            Err(error) if error.kind == ErrorKind::Erased => {
                match self.shows_erased(reader, position)? {
                    true => Err(error),
                    false => Ok(None),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// The version at a position, if the reader may see it.
    pub(super) fn permitted_at(&self, position: u64) -> Result<Option<Version>, Error> {
        let Some(reader) = &self.reader else {
            return self.whole_at(position).map(Some);
        };
        match self.whole_at(position) {
            Ok(version) => Ok(self.shows(reader, &version, self.verb)?.then_some(version)),
            Err(error) if error.kind == ErrorKind::Erased => {
                match self.shows_erased(reader, position)? {
                    true => Err(error),
                    false => Ok(None),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the reader may see the entry at a position.
    pub(super) fn shows_entry(&self, position: u64) -> Result<bool, Error> {
        match (&self.reader, self.permitted_at(position)) {
            (None, _) => Ok(true),
            (Some(_), Ok(version)) => Ok(version.is_some()),
            // Who may know that it was erased may see its line.
            (Some(_), Err(error)) if error.kind == ErrorKind::Erased => Ok(true),
            (Some(_), Err(error)) => Err(error),
        }
    }

    /// Whether somebody may know that something was erased: who may see what governs that person's
    /// record.
    fn shows_erased(&self, reader: &Reader, position: u64) -> Result<bool, Error> {
        let entry = self.inner.ledger.entry(position).map_err(Error::ledger)?;
        let Some(entry) = entry else {
            return Ok(false);
        };
        let thing = Thing {
            about: entry.person,
            author: &entry.actor,
            ..Thing::of(Kind::Governance)
        };
        Ok(self.decide(reader, Does::Read, &thing)?.allowed)
    }

    /// Whether somebody may see a version, and a client do this with it.
    fn shows(&self, reader: &Reader, version: &Version, verb: Verb) -> Result<bool, Error> {
        if !version.deleted && !self.allows(reader, version, &version.stored, verb)? {
            return Ok(false);
        }
        let head = self.inner.named().latest(&version.kind, &version.id)?;
        if !version.deleted && head.is_some_and(|head| head.position == version.position) {
            return Ok(true);
        }
        let last = self.last_said(&version.kind, &version.id)?;
        let of_kind = |kind: Kind| {
            let thing = Thing {
                author: &version.actor,
                about: version.about,
                ..Thing::of(kind)
            };
            Ok::<bool, Error>(self.decide(reader, Does::Read, &thing)?.allowed)
        };
        if last.was_note && !of_kind(Kind::Notes)? {
            return Ok(false);
        }
        match last.version {
            Some(last) if last.position != version.position => {
                self.allows(reader, version, &last.stored, verb)
            }
            Some(_) => Ok(true),
            // Nothing is left that says what it was: its kind must do.
            None if version.deleted => of_kind(permit::plain(sensitivity::tells(&version.kind))),
            None => Ok(true),
        }
    }

    /// Of which of the entries at these positions the content was a therapy note that was erased; in the order asked
    /// for.
    fn are_erased_notes(&self, positions: &[u64]) -> Result<Vec<bool>, Error> {
        let sealed = self.inner.ledger.sealed_as(positions);
        let sealed = sealed.map_err(Error::ledger)?.into_iter();
        let is_one = |(class, slot)| class == Class::Notes && self.is_destroyed(slot);
        Ok(sealed.map(is_one).collect())
    }

    /// Whether somebody may see a version, if it is as sensitive as `stored`.
    fn allows(
        &self,
        reader: &Reader,
        version: &Version,
        stored: &[u8],
        verb: Verb,
    ) -> Result<bool, Error> {
        let doc = Doc::parse(stored).map_err(Error::internal)?;
        let thing = Thing {
            about: version.about,
            author: &version.actor,
            verb: Some(verb),
            ..Thing::from(doc.root())
        };
        let decided = reader.decided(&self.inner.permits, &self.whole(), Does::Read, &thing)?;
        let allowed = decided.verdict.allowed;
        reader.owes(version.position, decided);
        Ok(allowed)
    }

    /// The last version of a resource that says something: that is no deletion, and not erased.
    pub(crate) fn says_last(&self, kind: &str, id: &str) -> Result<Option<Version>, Error> {
        Ok(self.last_said(kind, id)?.version)
    }

    fn last_said(&self, kind: &str, id: &str) -> Result<LastSaid, Error> {
        let mut later = Vec::new();
        let mut version = None;
        for found in self.inner.named().history(kind, id, u64::MAX)? {
            let position = found.position;
            if !found.deleted {
                version = left(self.fetch(kind, id, found).map(Some))?;
            }
            if version.is_some() {
                break;
            }
            later.push(position);
        }
        Ok(LastSaid {
            version,
            was_note: self.are_erased_notes(&later)?.contains(&true),
        })
    }

    /// Does for something that is not there what is done for something that is and may not be seen: reads
    /// a version and decides. Which one depends on what was asked for, so that the second time is as
    /// quick as the second time of something that is there.
    pub(super) fn as_if_there(&self, kind: &str, id: &str) {
        let Some(reader) = &self.reader else {
            return;
        };
        if self.size == 0 || self.is_open(reader, kind, Does::Read) {
            return;
        }
        let lot = self.inner.ledger.person(&format!("{kind}/{id}"));
        let lot = lot
            .0
            .iter()
            .take(8)
            .fold(0u64, |lot, byte| lot << 8 | u64::from(*byte));
        let decided = self
            .whole_at(lot % self.size)
            .and_then(|version| self.shows(reader, &version, self.verb));
        std::hint::black_box(decided.is_ok());
    }

    /// Leaves of a person's entries, newest first, those that somebody may see; `erased` are those that say nothing any
    /// more.
    pub(super) fn leave_permitted(
        &self,
        reader: &Reader,
        told: &mut Vec<(Entry, Vec<u8>)>,
        erased: &[Entry],
    ) -> Result<(), Error> {
        let whole = self.whole();
        let may = |entry: &Entry, thing: Thing<'_>| {
            let thing = Thing {
                about: entry.person,
                author: &entry.actor,
                ..thing
            };
            let decided = reader.decided(&self.inner.permits, &whole, Does::Read, &thing)?;
            let allowed = decided.verdict.allowed;
            reader.owes(entry.position, decided);
            Ok::<bool, Error>(allowed)
        };
        // Whether what a resource says last is for them; a deletion says nothing.
        let mut last: HashMap<(String, String), bool> = HashMap::new();
        let mut own = Vec::with_capacity(told.len());
        // Where a resource was last a therapy note that was erased, by the id in its lines.
        let mut notes: HashMap<(&str, &str), u64> = HashMap::new();
        let positions: Vec<u64> = erased.iter().map(|entry| entry.position).collect();
        for (entry, is_note) in erased.iter().zip(self.are_erased_notes(&positions)?) {
            if is_note {
                let last = notes.entry((&entry.kind, &entry.id)).or_default();
                *last = entry.position.max(*last);
            }
        }
        for (entry, stored) in told.iter() {
            let doc = Doc::parse(stored).map_err(Error::internal)?;
            let id = doc.root().str_at(&["id"]).unwrap_or_default();
            let resource = (entry.kind.clone(), id.to_owned());
            let allowed = match entry.action {
                Action::Delete => None,
                _ => Some(may(entry, Thing::from(doc.root()))?),
            };
            if let Some(allowed) = allowed
                && !last.contains_key(&resource)
            {
                let note = notes.get(&(entry.kind.as_str(), entry.id.as_str()));
                let was_note = note.is_some_and(|note| *note > entry.position);
                let says = allowed && (!was_note || may(entry, Thing::of(Kind::Notes))?);
                last.insert(resource.clone(), says);
            }
            own.push((allowed, resource));
        }
        let mut shown = Vec::with_capacity(told.len());
        for ((entry, _), (allowed, resource)) in told.iter().zip(&own) {
            let kind = permit::plain(sensitivity::tells(&entry.kind));
            shown.push(match last.get(resource) {
                Some(last) => *last && allowed.unwrap_or(true),
                None if notes.contains_key(&(entry.kind.as_str(), entry.id.as_str())) => {
                    may(entry, Thing::of(Kind::Notes))?
                }
                None => may(entry, Thing::of(kind))?,
            });
        }
        let mut shown = shown.into_iter();
        told.retain(|_| shown.next() == Some(true));
        Ok(())
    }

    /// A page of what somebody may see: filled up by going on behind it, and followed by another only if
    /// there is something on it.
    pub(super) fn search_permitted(
        &self,
        reader: &Reader,
        search: &Search<'_>,
    ) -> Result<Page, Error> {
        let nothing = Page {
            hits: Vec::new(),
            next: None,
            total: Some(0),
        };
        if !self.knows_any(search.criteria)? {
            self.as_if_there(search.criteria.kind, "");
            return Ok(nothing);
        }
        if let Some(cursor) = search.after
            && !self.shows_last(reader, search.criteria.kind, cursor)?
        {
            return Err(Error::index(index::Error::Cursor));
        }
        let mut hits: Vec<Version> = Vec::new();
        let mut more = false;
        let mut count = 0;
        let mut looked = 0;
        let mut after = search.after;
        let mut part = (search.count + 1).clamp(16, PART_MAX);
        let counted = loop {
            let found = self.found(&Search {
                criteria: search.criteria,
                count: part,
                after,
                total: false,
            })?;
            for hit in &found.hits {
                looked += 1;
                // A full page ends the search, unless all are counted.
                if more && !search.total {
                    break;
                }
                let version = self.whole_hit(search.criteria.kind, hit)?;
                let Some(version) = version else { continue };
                if !self.shows(reader, &version, Verb::Search)? {
                    continue;
                }
                count += 1;
                match hits.len() < search.count {
                    true => hits.push(version),
                    false => more = true,
                }
            }
            after = found.next;
            if after.is_none() {
                break true;
            }
            if more && (!search.total || looked >= COUNTED_MAX) {
                break false;
            }
            if looked >= LOOKED_THROUGH_MAX {
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    "This search would look through too much of what is not for you. Name whom it is \
                     about (`patient=`), or more of what you look for.",
                ));
            }
            part = (part * 2).min(PART_MAX);
        };
        let next = match hits.last() {
            Some(last) if more => format!("{:x}-{:x}", self.searched_at(search), last.number)
                .parse()
                .ok(),
            _ => None,
        };
        let from_the_start = search.after.is_none();
        Ok(Page {
            hits,
            next,
            total: (counted && from_the_start).then_some(count),
        })
    }

    /// Whether a page can end where a cursor says: with something of the kind that is searched, which the
    /// reader may see. What comes behind it would tell where what is hidden stands in the order.
    fn shows_last(
        &self,
        reader: &Reader,
        kind: &str,
        cursor: index::Cursor,
    ) -> Result<bool, Error> {
        let number = cursor.number();
        if cursor.as_of() > self.size || number >= self.size {
            self.as_if_there(kind, "");
            return Ok(false);
        }
        // The resource is found by its name in the line: what its first version said may be erased.
        let first = self.inner.ledger.entry(number).map_err(Error::ledger)?;
        let found = match first.filter(|first| first.kind == kind) {
            Some(first) => {
                let index = &self.inner.index;
                let found = index.version_at(kind, &first.id, cursor.as_of());
                found.map_err(Error::index)?
            }
            None => None,
        };
        let Some(found) = found.filter(|found| found.number == number && !found.deleted) else {
            self.as_if_there(kind, "");
            return Ok(false);
        };
        match self.whole_at(found.position) {
            Ok(version) => self.shows(reader, &version, Verb::Search),
            Err(error) if error.kind == ErrorKind::Erased => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The size that the pages of a search are of.
    fn searched_at(&self, search: &Search<'_>) -> u64 {
        search.after.map_or(self.size, |cursor| cursor.as_of())
    }

    /// A hit with what it says; nothing if it was erased meanwhile.
    fn whole_hit(&self, kind: &str, hit: &index::Hit) -> Result<Option<Version>, Error> {
        match self.version_at(hit.position) {
            Ok((entry, content)) => Ok(Some(Version {
                kind: kind.to_owned(),
                id: super::id_of(&content.stored),
                version: hit.version,
                recorded_at: entry.recorded_at,
                position: hit.position,
                number: hit.number,
                deleted: false,
                actor: entry.actor,
                about: entry.person,
                stored: content.stored,
            })),
            Err(error) if error.kind == ErrorKind::Erased => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the reader may know any of the persons whom a search names; one that names none is of
    /// everybody.
    fn knows_any(&self, criteria: &Criteria) -> Result<bool, Error> {
        for clause in &criteria.clauses {
            let plain = clause.modifier == Modifier::Plain;
            if !plain || !matches!(clause.parameter.code, "patient" | "subject") {
                continue;
            }
            let mut named = Vec::new();
            for test in &clause.tests {
                match patient(test) {
                    Some(id) => named.push(id),
                    // A group, a device: nobody's person.
                    None => return Ok(true),
                }
            }
            let mut any = false;
            for id in named {
                any |= self.knows(self.inner.ledger.person(id))?;
            }
            if !any {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The Patient whom a test of a reference names.
fn patient(test: &Test) -> Option<&str> {
    match test {
        Test::Reference(ReferenceTest::Local {
            kind: None | Some("Patient"),
            id,
        }) => Some(id),
        _ => None,
    }
}
