//! The index as the ledger sees it: where each resource stands before a commit.

use index::Index;
use ledger::{Head, Heads};

/// Answers the appender from the index, which holds every earlier commit.
pub(super) struct IndexHeads<'i>(pub &'i Index);

impl Heads for IndexHeads<'_> {
    /// An index that cannot be read cannot say that something is absent; nothing may be decided
    /// then, so this panics, and the writer's thread stops the server.
    fn head(&self, kind: &str, id: &str) -> Option<Head> {
        let head = self.0.head(kind, id).expect("the index can be read");
        head.map(|head| Head {
            number: head.number,
            version: head.version,
            position: head.position,
            deleted: head.deleted,
        })
    }
}
