//! The record as of one size: the only way to read it.
//!
//! As it comes from [`Programme::view`](super::Programme::view) a view is whole: for the writer and for
//! what the programme itself does. Whatever is read for somebody is read from one that is bound to
//! them ([`View::seen_by`]): what they may not see is not there ([`mod@permitted`]).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use index::{Cursor, Found};
use ledger::witnessed::LogName;
use ledger::{Action, Alias, Entry};
use policy::Action as Does;
use record::search::Criteria;
use record::time::RecordedAt;

mod erased;
mod permitted;

use super::Inner;
use super::draft::says_governance;
use crate::cosigning::Cosigning;
use crate::error::{Error, ErrorKind};
use crate::fhir::scope::Verb;
use crate::permit::Reader;

/// Which state of the record is asked for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// Everything that is recorded.
    Now,
    /// The first so many entries.
    Size(u64),
    /// Everything recorded up to and including this instant.
    Instant(RecordedAt),
    /// The first so many entries, as judged at this instant: what somebody saw then.
    Seen(u64, RecordedAt),
}

/// One version of a resource, as read back from the ledger.
#[derive(Clone, Debug)]
pub struct Version {
    /// FHIR resource type.
    pub kind: String,
    /// Resource id.
    pub id: String,
    /// 1 for the first.
    pub version: u32,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// Its place in the ledger.
    pub position: u64,
    /// The resource's number: the position of its first version.
    pub number: u64,
    /// Whether this version is a deletion.
    pub deleted: bool,
    /// Who recorded it, by their opaque name.
    pub actor: String,
    /// Whom it is about, as the line names them.
    pub about: Option<Alias>,
    /// The stored JSON.
    pub stored: Vec<u8>,
}

impl Version {
    /// The JSON as served: with `meta.versionId` and `meta.lastUpdated`.
    pub fn served(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.stored.len() + 96);
        record::stored::served(&self.stored, self.version, self.recorded_at, &mut out);
        out
    }

    /// The id of the Patient whom this version is about.
    pub fn person(&self) -> Option<String> {
        if self.kind == "Patient" {
            return Some(self.id.clone());
        }
        let doc = record::json::Doc::parse(&self.stored).ok()?;
        record::person::person(doc.root()).map(|id| id.to_string())
    }
}

/// A search, but for the instant, which the view knows.
pub struct Search<'a> {
    /// What is looked for, and in which order.
    pub criteria: &'a Criteria,
    /// How many hits a page has at the most.
    pub count: usize,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Whether to count all hits.
    pub total: bool,
}

/// One page of hits.
pub struct Page {
    /// The versions found, in order.
    pub hits: Vec<Version>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
    /// How many there are in all, if asked for or known anyway.
    pub total: Option<u64>,
}

/// The record as of one size.
#[derive(Clone)]
pub struct View {
    inner: Arc<Inner>,
    size: u64,
    now: bool,
    instant: Option<RecordedAt>,
    /// The index could not say which size the instant is.
    unknown: bool,
    /// For whom it is read; nothing: for the programme itself.
    reader: Option<Reader>,
    /// As what a client's scopes must allow it to be looked up. A search is always a search.
    verb: Verb,
}

impl View {
    pub(super) fn new(inner: &Arc<Inner>, as_of: AsOf) -> View {
        let visible = inner.visible.load(Ordering::Acquire);
        let mut unknown = false;
        let (size, now, instant) = match as_of {
            AsOf::Now => (visible, true, None),
            AsOf::Size(size) => (size.min(visible), false, None),
            AsOf::Seen(size, at) => (size.min(visible), false, Some(at)),
            AsOf::Instant(at) => {
                // Of a day that has not come, nothing is known but what is known now: whoever could have the
                // present judged from the future would learn when it changes.
                let at = at.min(inner.clock.now());
                let size = inner.index.size_at(at).unwrap_or_else(|error| {
                    tracing::error!(%error, "the index cannot say how large the record was");
                    unknown = true;
                    0
                });
                (size.min(visible), false, Some(at))
            }
        };
        View {
            inner: inner.clone(),
            size,
            now,
            instant,
            unknown,
            reader: None,
            verb: Verb::Read,
        }
    }

    /// The same, of which somebody sees only what they may.
    pub fn seen_by(mut self, reader: &Reader) -> View {
        self.reader = Some(reader.clone());
        self
    }

    /// The same, of which a client sees what its scopes allow it to do this with.
    pub fn to(mut self, verb: Verb) -> View {
        self.verb = verb;
        self
    }

    /// The same, whole: for what decides by itself who may see what of it.
    pub(crate) fn unbound(mut self) -> View {
        self.reader = None;
        self
    }

    /// Refuses to read a state whose size is not known: neither the present nor nothing may pass
    /// for it.
    fn known(&self) -> Result<(), Error> {
        if !self.unknown {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            "How large the record was at that instant cannot be read. Tell whoever runs this \
             server to stop it, delete the index and start it again.",
        ))
    }

    /// How many entries this view holds.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether this is the record as it stands, not as it was known at some instant.
    pub fn is_now(&self) -> bool {
        self.now
    }

    /// The instant that was asked for; for a view of a size, when its last entry was recorded, and
    /// for one without entries the last instant before there were any. Nothing for now.
    pub fn instant(&self) -> Option<RecordedAt> {
        if self.now {
            return None;
        }
        self.instant.or_else(|| self.recorded_at()).or_else(|| {
            let first = self.inner.ledger.entry(0).ok().flatten();
            Some(RecordedAt(first.map_or(0, |entry| entry.recorded_at.0 - 1)))
        })
    }

    /// When the last entry of this view was recorded; nothing for an empty one.
    pub fn recorded_at(&self) -> Option<RecordedAt> {
        let last = self.size.checked_sub(1)?;
        self.inner
            .ledger
            .entry(last)
            .ok()
            .flatten()
            .map(|entry| entry.recorded_at)
    }

    /// The current version, a deletion included; `None` if it never existed.
    pub fn read(&self, kind: &str, id: &str) -> Result<Option<Version>, Error> {
        self.known()?;
        let found = self.inner.named().version_at(kind, id, self.size)?;
        self.permitted(kind, id, found)
    }

    /// One version by its number, if it was recorded in this view.
    pub fn vread(&self, kind: &str, id: &str, version: u32) -> Result<Option<Version>, Error> {
        self.known()?;
        let found = self.inner.named().version(kind, id, version)?;
        let found = found.filter(|found| found.position < self.size);
        self.permitted(kind, id, found)
    }

    /// The number of the version that stands, a deletion included, without reading its content;
    /// `None` if it never existed.
    pub fn stands(&self, kind: &str, id: &str) -> Result<Option<u32>, Error> {
        let found = self.inner.named().version_at(kind, id, self.size)?;
        Ok(found.map(|found| found.version))
    }

    /// The ledger's entry of one version, if it was recorded in this view.
    pub fn entry_of(&self, kind: &str, id: &str, version: u32) -> Result<Option<Entry>, Error> {
        match self.inner.named().version(kind, id, version)? {
            Some(found) => self.entry(found.position),
            None => Ok(None),
        }
    }

    /// All versions recorded in this view, newest first; empty if it never existed. Those that were
    /// erased are left out; that nothing is left is an error.
    pub fn history(&self, kind: &str, id: &str) -> Result<Vec<Version>, Error> {
        self.known()?;
        let found = self.inner.named().history(kind, id, self.size)?;
        if found.is_empty() {
            self.as_if_there(kind, id);
        }
        let mut erased = None;
        let mut versions = Vec::with_capacity(found.len());
        for found in found {
            match self.permitted(kind, id, Some(found)) {
                Ok(version) => versions.extend(version),
                Err(error) if error.kind == ErrorKind::Erased => erased = Some(error),
                Err(error) => return Err(error),
            }
        }
        match erased {
            Some(error) if versions.iter().all(|version| version.deleted) => Err(error),
            _ => Ok(versions),
        }
    }

    /// The ledger's lines of all versions recorded in this view, newest first, whoever may see them: to decide when
    /// each of those that somebody sees began and ended, not to be told.
    pub(crate) fn lines(&self, kind: &str, id: &str) -> Result<Vec<Entry>, Error> {
        let found = self.inner.named().history(kind, id, self.size)?;
        let mut lines = Vec::with_capacity(found.len());
        for found in found {
            let line = self.inner.ledger.entry(found.position);
            lines.extend(line.map_err(Error::ledger)?);
        }
        Ok(lines)
    }

    /// Whether a resource is what the programme itself recorded about its record. What an erasure took says nothing
    /// any more; what is left does.
    pub(super) fn is_governance(&self, kind: &str, id: &str) -> Result<bool, Error> {
        let version = match self.read(kind, id) {
            Err(error) if error.kind == ErrorKind::Erased => self.says_last(kind, id)?,
            read => read?,
        };
        let Some(version) = version else {
            return Ok(false);
        };
        let doc = record::json::Doc::parse(&version.stored).map_err(Error::internal)?;
        Ok(says_governance(doc.root()))
    }

    fn fetch(&self, kind: &str, id: &str, found: Found) -> Result<Version, Error> {
        let (entry, content) = self.version_at(found.position)?;
        Ok(Version {
            kind: kind.to_owned(),
            id: id.to_owned(),
            version: found.version,
            recorded_at: entry.recorded_at,
            position: found.position,
            number: found.number,
            deleted: found.deleted,
            actor: entry.actor,
            about: entry.person,
            stored: content.stored,
        })
    }

    fn version_at(&self, position: u64) -> Result<(Entry, ledger::Content), Error> {
        self.inner
            .ledger
            .version(position)
            .map_err(|error| match error {
                ledger::ReadError::Erased { position } => self.erased(position),
                error => Error::ledger(error),
            })
    }

    /// One page of a search.
    pub fn search(&self, search: &Search<'_>) -> Result<Page, Error> {
        self.known()?;
        match &self.reader {
            Some(reader) if !self.is_open(reader, search.criteria.kind, Does::Read) => {
                self.search_permitted(reader, search)
            }
            _ => self.search_whole(search),
        }
    }

    fn search_whole(&self, search: &Search<'_>) -> Result<Page, Error> {
        let page = self.found(search)?;
        let positions: Vec<u64> = page.hits.iter().map(|hit| hit.position).collect();
        let read = self
            .inner
            .ledger
            .versions(&positions)
            .map_err(Error::ledger)?;
        let hits = page
            .hits
            .iter()
            .zip(read)
            .map(|(hit, (entry, content))| Version {
                kind: search.criteria.kind.to_owned(),
                id: id_of(&content.stored),
                version: hit.version,
                recorded_at: entry.recorded_at,
                position: hit.position,
                number: hit.number,
                deleted: false,
                actor: entry.actor,
                about: entry.person,
                stored: content.stored,
            })
            .collect();
        Ok(Page {
            hits,
            next: page.next,
            total: page.total,
        })
    }

    /// What the index finds.
    fn found(&self, search: &Search<'_>) -> Result<index::Page, Error> {
        let search = index::Search {
            criteria: search.criteria,
            as_of: self.size,
            count: search.count,
            after: search.after,
            total: search.total,
        };
        self.inner.named().search(&search)
    }

    /// The version that stands at a place in the ledger, if it is in this view.
    pub fn at(&self, position: u64) -> Result<Option<Version>, Error> {
        self.known()?;
        if position >= self.size {
            self.as_if_there("entry", &position.to_string());
            return Ok(None);
        }
        self.permitted_at(position)
    }

    fn whole_at(&self, position: u64) -> Result<Version, Error> {
        let (entry, content) = self.version_at(position)?;
        let id = id_of(&content.stored);
        let head = self.inner.index.head(&entry.kind, &entry.id);
        let head = head.map_err(Error::index)?;
        Ok(Version {
            number: head.map_or(position, |head| head.number),
            kind: entry.kind,
            id,
            version: entry.version,
            recorded_at: entry.recorded_at,
            position,
            deleted: entry.action == Action::Delete,
            actor: entry.actor,
            about: entry.person,
            stored: content.stored,
        })
    }

    /// Every entry about a person in this view, newest first, with its content; kinds that
    /// `wanted` refuses are left out, and so is what was erased.
    pub fn chain(
        &self,
        patient: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<(Entry, Vec<u8>)>, Error> {
        self.known()?;
        let mut entries = self
            .inner
            .ledger
            .chain(patient, usize::MAX)
            .map_err(Error::ledger)?;
        // What the reader may see can depend on later versions of what is wanted, also on those that
        // came after this view, so that is chosen last.
        let wanted = |entry: &Entry| entry.position < self.size && wanted(&entry.kind);
        if self.reader.is_none() {
            entries.retain(wanted);
        }
        let positions: Vec<u64> = entries.iter().map(|entry| entry.position).collect();
        let contents = self
            .inner
            .ledger
            .contents_left(&positions)
            .map_err(Error::ledger)?;
        let (mut told, mut erased) = (Vec::with_capacity(entries.len()), Vec::new());
        for (entry, content) in entries.into_iter().zip(contents) {
            match content {
                Some(content) => told.push((entry, content.stored)),
                None => erased.push(entry),
            }
        }
        if let Some(reader) = &self.reader {
            self.leave_permitted(reader, &mut told, &erased)?;
            told.retain(|(entry, _)| wanted(entry));
        }
        Ok(told)
    }

    /// The ledger's entry at a position, if it is in this view.
    pub fn entry(&self, position: u64) -> Result<Option<Entry>, Error> {
        self.known()?;
        if position >= self.size || !self.shows_entry(position)? {
            return Ok(None);
        }
        self.inner.ledger.entry(position).map_err(Error::ledger)
    }

    /// The receipt (C2SP tlog-proof) of the entry at a position: under the latest cosigned checkpoint if
    /// that covers it, else under the newest one.
    pub fn receipt(&self, position: u64) -> Result<String, Error> {
        let cosigned = self.inner.cosigning.latest(LogName::Record);
        let note = cosigned.as_ref().map(|one| one.note.as_str());
        self.inner
            .ledger
            .receipt_under(position, note)
            .map_err(Error::ledger)
    }

    /// What outside witnesses have signed.
    pub fn cosigning(&self) -> &Cosigning {
        &self.inner.cosigning
    }
}

/// The id in a stored form.
fn id_of(stored: &[u8]) -> String {
    ledger::content::name(stored)
        .map(|(_, id)| id.to_owned())
        .unwrap_or_default()
}
