//! The index as the ledger sees it: where each resource stands before a commit.

use std::borrow::Cow;

use index::Index;
use ledger::{Head, Heads, Ledger};

/// Answers the appender from the index, which holds every earlier commit.
pub(super) struct IndexHeads<'i> {
    pub index: &'i Index,
    pub ledger: &'i Ledger,
}

impl Heads for IndexHeads<'_> {
    /// An index that cannot be read cannot say that something is absent; nothing may be decided
    /// then, so this panics, and the writer's thread stops the server.
    fn head(&self, kind: &str, id: &str) -> Option<Head> {
        let head = |id: &str| {
            let head = self.index.head(kind, id).expect("the index can be read");
            head.map(|head| Head {
                number: head.number,
                version: head.version,
                position: head.position,
                deleted: head.deleted,
            })
        };
        // What was erased is in the index under the id that its lines have; an earlier version that was not may still
        // be there under the id itself.
        match self.ledger.id_in_line(kind, id) {
            Cow::Owned(alias) => Head::of_both([head(id), head(&alias)]),
            Cow::Borrowed(id) => head(id),
        }
    }
}
