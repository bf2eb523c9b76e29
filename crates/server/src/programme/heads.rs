//! The index as the ledger sees it: where each resource stands before a commit.

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
        let head = |id: &str| self.index.head(kind, id).expect("the index can be read");
        // What was erased is in the index under the id that its lines have; an earlier version that was not may still
        // be there under the id itself.
        let in_line = match self.ledger.id_in_line(kind, id) {
            std::borrow::Cow::Owned(alias) => head(&alias),
            std::borrow::Cow::Borrowed(_) => None,
        };
        let known = [head(id), in_line];
        let number = known.iter().flatten().map(|head| head.number).min();
        let last = known.iter().flatten().max_by_key(|head| head.position)?;
        Some(Head {
            number: number.unwrap_or(last.number),
            version: last.version,
            position: last.position,
            deleted: last.deleted,
        })
    }
}
