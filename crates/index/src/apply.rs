//! Live writes: what a group commit brought.

use crate::run::Run;
use crate::{Change, Error, Index};

impl Index {
    /// Puts changes into the index and makes them readable. They come in the
    /// order of the ledger and end with a transaction's end; those that the
    /// index already covers are passed over, so a caller may start again
    /// anywhere at or before [`Index::applied`].
    ///
    /// Returns when they are readable. They reach the disk later, in the
    /// background: after a crash [`Index::applied`] says how far.
    pub fn apply(&self, changes: &[Change]) -> Result<(), Error> {
        let _writing = self.writing();
        let mut run = Run::default();
        for change in changes {
            if self.due(&run, change)? {
                run.push(self.store(), change)?;
            }
        }
        let Some(size) = run.size() else {
            return match run.len() {
                0 => Ok(()),
                _ => Err(Error::Unfinished),
            };
        };
        if changes.last().is_some_and(|c| !c.last_in_transaction) {
            return Err(Error::Unfinished);
        }
        run.write_live(self.store(), size)?;
        self.set_applied(size);
        Ok(())
    }

    /// Whether a change is the next one (`true`) or already covered (`false`).
    pub(crate) fn due(&self, run: &Run, change: &Change) -> Result<bool, Error> {
        let next = self.applied() + run.len() as u64;
        if change.position < self.applied() {
            return Ok(false);
        }
        if change.position != next {
            return Err(Error::Gap {
                expected: next,
                position: change.position,
            });
        }
        Ok(true)
    }
}
