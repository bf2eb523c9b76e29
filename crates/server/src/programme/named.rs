//! The index, asked by the ids that resources have.
//!
//! The index calls resources as the ledger's lines do: an id that could say something about somebody is an alias there.
//! So what was erased is found, and so is what is left of it. References to a resource are values, and keep its id.
//! Everything that has an id asks here, and nothing asks the index itself by one.

use index::{Found, Head, Index};
use ledger::{Heads, Ledger};

use crate::error::Error;

/// An index with the ledger that it is of.
#[derive(Clone, Copy)]
pub(super) struct Named<'i> {
    pub index: &'i Index,
    pub ledger: &'i Ledger,
}

impl Named<'_> {
    /// Where a resource is now: its latest version, deleted, erased or neither.
    pub fn latest(&self, kind: &str, id: &str) -> Result<Option<Head>, Error> {
        let id = self.ledger.id_in_line(kind, id);
        self.index.head(kind, &id).map_err(Error::index)
    }

    /// The version that a resource had as of the first `size` entries.
    pub fn version_at(&self, kind: &str, id: &str, size: u64) -> Result<Option<Found>, Error> {
        let id = self.ledger.id_in_line(kind, id);
        let found = self.index.version_at(kind, &id, size);
        found.map_err(Error::index)
    }

    /// One version by its number, from 1.
    pub fn version(&self, kind: &str, id: &str, version: u32) -> Result<Option<Found>, Error> {
        let id = self.ledger.id_in_line(kind, id);
        let found = self.index.version(kind, &id, version);
        found.map_err(Error::index)
    }

    /// The versions of a resource as of the first `size` entries, newest first.
    pub fn history(&self, kind: &str, id: &str, size: u64) -> Result<Vec<Found>, Error> {
        let id = self.ledger.id_in_line(kind, id);
        let found = self.index.history(kind, &id, size);
        found.map_err(Error::index)
    }

    /// One page of a search.
    pub fn search(&self, search: &index::Search<'_>) -> Result<index::Page, Error> {
        let mut criteria = None;
        if !search.criteria.ids.is_empty() {
            let mut named = search.criteria.clone();
            for id in named.ids.iter_mut().flatten() {
                *id = self.ledger.id_in_line(named.kind, id).into_owned();
            }
            criteria = Some(named);
        }
        let search = index::Search {
            criteria: criteria.as_ref().unwrap_or(search.criteria),
            ..*search
        };
        self.index.search(&search).map_err(Error::index)
    }
}

impl Heads for Named<'_> {
    /// An index that cannot be read cannot say that something is absent; nothing may be decided
    /// then, so this panics, and the writer's thread stops the server.
    fn head(&self, kind: &str, id: &str) -> Option<ledger::Head> {
        let head = self.latest(kind, id).expect("the index can be read");
        head.map(|head| ledger::Head {
            number: head.number,
            version: head.version,
            position: head.position,
            deleted: head.deleted,
        })
    }
}
