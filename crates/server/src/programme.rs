//! A programme: its ledger, its index and its one writer, behind one handle.
//!
//! Everything that reads goes through a [`View`], the record as of one size, so that "now" and
//! "as known then" are the same code with another number. Everything that writes goes through
//! [`Programme::submit`]: one thread orders the transactions, commits many of them with one
//! fsync, brings them into the index, and only then answers.

use std::sync::Arc;

use crate::error::{Error, ErrorKind};

/// When the ledger recorded something: microseconds since the Unix epoch, UTC.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordedAt(pub i64);

/// Who acts and what for, as the entry will name them.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Opaque name of the actor, without personal data: `client/NAME`, `user/ID`, `import`.
    pub name: String,
    /// A code of HL7's PurposeOfUse, such as `TREAT` or `HOPERAT`.
    pub purpose: String,
}

/// What a write expects of the resource's present state.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Whatever there is.
    Any,
    /// Nothing has ever been stored under this id, or what was there is deleted.
    Absent,
    /// The resource exists and is not deleted.
    Present,
    /// The resource exists and its current version is this one.
    Version(u32),
}

/// One write of a transaction, wholly prepared on the caller's thread.
pub struct Draft {
    kind: String,
    id: String,
    expect: Expect,
}

impl Draft {
    /// A create or update: `resource` (already validated) is stored under `id`; every reference
    /// goes through `rewrite`.
    pub fn put(
        id: &str,
        expect: Expect,
        kind: &str,
        resource: record::json::Value<'_>,
        rewrite: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Draft {
        let _ = (resource, rewrite);
        Draft { kind: kind.to_owned(), id: id.to_owned(), expect }
    }

    /// A deletion.
    pub fn delete(kind: &str, id: &str, expect: Expect) -> Draft {
        Draft { kind: kind.to_owned(), id: id.to_owned(), expect }
    }
}

/// Computes the drafts of a transaction from the newest state.
pub type Decide = Box<dyn FnOnce(&View) -> Result<Vec<Draft>, Error> + Send>;

/// One transaction to be written.
pub enum Work {
    /// Needs nothing but the expectations in its drafts.
    Ready(Vec<Draft>),
    /// Depends on a search (conditional create, update, delete, references): run by the writer
    /// when everything before it is committed and nothing after it is.
    Deferred(Decide),
}

/// What became of a transaction.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The instant that all its entries share.
    pub recorded_at: RecordedAt,
    /// One for each draft, in order.
    pub writes: Vec<Written>,
}

/// What became of one draft.
#[derive(Clone, Debug)]
pub struct Written {
    /// FHIR resource type.
    pub kind: String,
    /// Resource id.
    pub id: String,
    /// The version that this write made.
    pub version: u32,
    /// Its place in the ledger.
    pub position: u64,
    /// Whether the resource did not exist before (or was deleted).
    pub created: bool,
}

/// Which state of the record is asked for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// Everything that is recorded.
    Now,
    /// The first so many entries.
    Size(u64),
    /// Everything recorded up to and including this instant.
    Instant(RecordedAt),
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
    /// The stored JSON.
    pub stored: Vec<u8>,
}

impl Version {
    /// The JSON as served: with `meta.versionId` and `meta.lastUpdated`.
    pub fn served(&self) -> Vec<u8> {
        self.stored.clone()
    }
}

/// A search, but for the instant, which the view knows.
pub struct Search<'a> {
    /// What is looked for.
    pub criteria: &'a record::search::Criteria,
    /// Most significant first.
    pub sort: Vec<index::Sort>,
    /// How many hits a page has at the most.
    pub count: usize,
    /// Where the page before ended.
    pub after: Option<index::Cursor>,
    /// Whether to count all hits.
    pub total: bool,
}

/// One page of hits.
pub struct Page {
    /// The versions found, in order.
    pub hits: Vec<Version>,
    /// Where the next page begins.
    pub next: Option<index::Cursor>,
    /// How many there are in all, if asked for or known anyway.
    pub total: Option<u64>,
}

struct Inner {
    name: String,
}

/// A handle on an open programme. Cheap to clone.
#[derive(Clone)]
pub struct Programme(Arc<Inner>);

impl Programme {
    /// The programme's name, as given to `homecoming init`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// A new resource id: 16 characters of Crockford base32.
    pub fn new_id(&self) -> String {
        String::new()
    }

    /// Writes one transaction: all of it or nothing. Answers when it is durable and can be found.
    pub async fn submit(&self, actor: Actor, work: Work) -> Result<Committed, Error> {
        let _ = (actor, work);
        Err(Error::new(ErrorKind::Unavailable, "The writer has stopped."))
    }

    /// The record as of some instant or size. A size beyond the end is the end.
    pub fn view(&self, as_of: AsOf) -> View {
        let _ = as_of;
        View { programme: self.clone(), size: 0, now: true }
    }
}

/// The record as of one size.
#[derive(Clone)]
pub struct View {
    programme: Programme,
    size: u64,
    now: bool,
}

impl View {
    /// How many entries this view holds.
    pub fn size(&self) -> u64 {
        self.size
    }
    /// Whether nothing newer was recorded when the view was made and none was asked to be hidden.
    pub fn is_now(&self) -> bool {
        self.now
    }
    /// When the last entry of this view was recorded; nothing for an empty one.
    pub fn recorded_at(&self) -> Option<RecordedAt> {
        let _ = &self.programme;
        None
    }
    /// The current version, a deletion included; `None` if it never existed.
    pub fn read(&self, kind: &str, id: &str) -> Result<Option<Version>, Error> {
        let _ = (kind, id);
        Ok(None)
    }
    /// One version by its number, if it was recorded in this view.
    pub fn vread(&self, kind: &str, id: &str, version: u32) -> Result<Option<Version>, Error> {
        let _ = (kind, id, version);
        Ok(None)
    }
    /// All versions recorded in this view, newest first; empty if it never existed.
    pub fn history(&self, kind: &str, id: &str) -> Result<Vec<Version>, Error> {
        let _ = (kind, id);
        Ok(Vec::new())
    }
    /// One page of a search.
    pub fn search(&self, search: &Search<'_>) -> Result<Page, Error> {
        let _ = search;
        Ok(Page { hits: Vec::new(), next: None, total: None })
    }
    /// The receipt (C2SP tlog-proof) of the version at a position.
    pub fn receipt(&self, version: &Version) -> Result<String, Error> {
        let _ = version;
        Ok(String::new())
    }
}
