//! Bulk writes: import, rebuild, and catching up after a long stop.
//!
//! Changes gather in memory until there are enough of them, are sorted, and go
//! into the store as one sorted run per map, which costs a tenth of what
//! batches do. What has gathered can be asked for its heads
//! ([`Index::head`]), since preconditions need them, but not searched.

use std::sync::PoisonError;

use crate::run::Run;
use crate::store::SPACES;
use crate::{Change, Error, Index};

/// When a bulk writes what it has gathered.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Changes in one sorted run.
    pub changes: usize,
    /// Bytes of memory for one sorted run.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            changes: 50_000,
            bytes: 96 << 20,
        }
    }
}

/// A bulk write in progress; one at a time. Dropping it without
/// [`Bulk::finish`] loses what has gathered since the last run, which the
/// caller finds out from [`Index::applied`].
pub struct Bulk<'i> {
    index: &'i Index,
    limits: Limits,
}

impl Index {
    /// Starts a bulk write.
    pub fn bulk(&self) -> Bulk<'_> {
        self.bulk_within(Limits::default())
    }

    /// Starts a bulk write with limits of one's own.
    pub fn bulk_within(&self, limits: Limits) -> Bulk<'_> {
        *self.gathering_mut() = Some(Run::default());
        Bulk {
            index: self,
            limits,
        }
    }
}

impl Index {
    /// What a bulk of these changes would write, map by map, in
    /// order, given to `put` instead of the store. For comparing stores.
    #[doc(hidden)]
    pub fn dry_run(
        &self,
        changes: &[Change],
        mut put: impl FnMut(&'static str, &[u8], &[u8]),
    ) -> Result<(), Error> {
        let mut run = Run::default();
        for change in changes {
            run.push(self.store(), change)?;
        }
        for space in SPACES {
            run.emit(self.store(), space, &mut |key, value| {
                put(space.name(), key, value);
                Ok(())
            })?;
        }
        Ok(())
    }
}

impl Bulk<'_> {
    /// Adds a change, as [`Index::apply`] would; writes a run when enough has
    /// gathered and a transaction ends.
    pub fn push(&mut self, change: &Change) -> Result<(), Error> {
        let mut gathering = self.index.gathering_mut();
        let run = gathering.get_or_insert_default();
        if !self.index.due(run, change)? {
            return Ok(());
        }
        run.push(self.index.store(), change)?;
        let full = run.len() >= self.limits.changes || run.bytes() >= self.limits.bytes;
        drop(gathering);
        if full && change.last_in_transaction {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what has gathered, so that it can be searched.
    pub fn flush(&mut self) -> Result<(), Error> {
        let _writing = self.index.writing();
        let mut gathering = self.index.gathering_mut();
        let Some(run) = gathering.as_mut() else {
            return Ok(());
        };
        if run.len() == 0 {
            return Ok(());
        }
        let Some(size) = run
            .size()
            .filter(|s| *s == self.index.applied() + run.len() as u64)
        else {
            return Err(Error::Unfinished);
        };
        run.write_sorted(self.index.store(), size)?;
        *run = Run::default();
        self.index.set_applied(size);
        Ok(())
    }

    /// Writes what is left and ends the bulk.
    pub fn finish(mut self) -> Result<(), Error> {
        self.flush()?;
        self.index.store().bulk_ended();
        Ok(())
    }
}

impl Drop for Bulk<'_> {
    fn drop(&mut self) {
        *self
            .index
            .gathering
            .write()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }
}
