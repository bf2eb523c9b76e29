//! The as-of index and search execution; holds nothing that cannot be rebuilt.
//!
//! The ledger is the record; this crate answers what can be asked of it: a
//! resource by its id, its versions, and every search, as of any size of the
//! ledger. It never decides what is true: postings propose candidates, the
//! row of the version judges them with [`record::search::matches`].
//!
//! Resources are called as the ledger's lines call them: an id that could say something about somebody
//! stands there as an alias, and here too. A line stays when a content is erased, so a resource has one
//! name whatever of it is left. Callers translate before they ask.
//!
//! Three promises to callers:
//! * changes are applied in the ledger's order, and applying them again is
//!   harmless ([`Index::apply`], [`Index::bulk`], [`Index::applied`]);
//! * a read as of a size gives the same answer for ever;
//! * nobody waits for the disk. What was written live is on it some thousand
//!   changes later, or when the index is closed; after a crash it covers less
//!   than it did, and the caller applies the rest again. What does not open is
//!   thrown away and reported ([`Opened`]), to be made anew from position 0.

mod apply;
mod bulk;
mod compare;
mod forget;
mod interval;
mod key;
mod prepare;
mod read;
mod row;
mod run;
mod search;
mod store;

use std::borrow::Cow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};

use record::time::RecordedAt;

pub use bulk::{Bulk, Limits};
pub use compare::{Difference, Place, Stride, Told};
pub use forget::Forgotten;
pub use prepare::{Prepared, prepare};
pub use row::Head;
pub use search::{Cursor, Hit, Page, Search};
pub use store::{generation, snapshot};

use run::Run;
use store::{SPACES, Store};

/// The version of the encodings. An index of another format is made anew.
pub const FORMAT: u64 = 2;

/// The block cache, in bytes, unless told otherwise.
pub const CACHE_DEFAULT: u64 = 64 << 20;

/// One version of a resource, found.
pub type Found = Head;

/// What one entry of the ledger changes.
#[derive(Debug, Clone)]
pub struct Change<'a> {
    /// Its position in the ledger.
    pub position: u64,
    /// When its transaction was recorded.
    pub recorded_at: RecordedAt,
    /// The position of the resource's first entry (this one's, if it is it).
    pub number: u64,
    /// The resource's id, as the ledger's line has it.
    pub id: Cow<'a, str>,
    /// Its version, from 1.
    pub version: u32,
    /// Whether the entry deletes it.
    pub deleted: bool,
    /// What it can be found by; holds the kind.
    pub prepared: &'a Prepared,
    /// Whether a transaction ends with this entry.
    pub last_in_transaction: bool,
}

/// What the index could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has it open.
    #[error("the index is in use by another process")]
    Busy,
    /// The store failed: a full disk, no permission, a damaged file.
    #[error("the index could not read or write its store")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was read makes no sense: delete the index and rebuild.
    #[error("the index is damaged: a {0} cannot be read")]
    Corrupt(&'static str),
    /// Changes must come in order.
    #[error("the index covers {expected} entries and was given position {position}")]
    Gap {
        /// The position that comes next.
        expected: u64,
        /// The one that came.
        position: u64,
    },
    /// A change of a resource that the index has never seen.
    #[error("position {position} changes resource {number}, which is not in the index")]
    Unknown {
        /// The change's position.
        position: u64,
        /// The resource's number.
        number: u64,
    },
    /// Changes must end with a transaction's end.
    #[error("the changes end inside a transaction")]
    Unfinished,
    /// What was forgotten is still in files that a search has open.
    #[error("files with what was forgotten are still being read")]
    Held,
    /// A page of another search, or one that was altered.
    #[error("the page is not one of this search")]
    Cursor,
}

/// How an index was found when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// There was none.
    Empty,
    /// It covers what [`Index::applied`] says.
    Kept,
    /// It could not be used and was deleted; it starts again at 0.
    Replaced {
        /// Why, for the log.
        why: String,
    },
}

/// What a copy of an index's files holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Snapshot {
    /// There is no index.
    None,
    /// It was made with other definitions, and the next start makes it anew.
    Other,
    /// It holds the first so many entries, and perhaps some of those after them.
    Of(u64),
}

/// The index of one programme.
pub struct Index {
    store: Store,
    applied: AtomicU64,
    opened: Opened,
    writer: Mutex<()>,
    gathering: RwLock<Option<Run>>,
    race_max: usize,
}

impl Index {
    /// Opens the index in `dir`, or makes an empty one. `fingerprint` stands
    /// for all that decides what is extracted from a resource; an index made
    /// under another is deleted, as is one that does not open.
    pub fn open(dir: &Path, fingerprint: u64) -> Result<Index, Error> {
        Index::open_with(dir, fingerprint, CACHE_DEFAULT)
    }

    /// [`Index::open`], with a block cache of `cache_bytes`.
    pub fn open_with(dir: &Path, fingerprint: u64, cache_bytes: u64) -> Result<Index, Error> {
        let fingerprint = with_format(fingerprint);
        let why = match Index::try_open(dir, fingerprint, cache_bytes) {
            Ok(Ok((store, applied))) => {
                let opened = match store.is_new() {
                    true => Opened::Empty,
                    false => Opened::Kept,
                };
                return Ok(Index::new(store, applied, opened));
            }
            Ok(Err(why)) => why.to_owned(),
            Err(Error::Busy) => return Err(Error::Busy),
            Err(error) => match std::error::Error::source(&error) {
                Some(source) => source.to_string(),
                None => error.to_string(),
            },
        };
        std::fs::remove_dir_all(dir).map_err(|e| Error::Store(Box::new(e)))?;
        match Index::try_open(dir, fingerprint, cache_bytes)? {
            Ok((store, applied)) => Ok(Index::new(store, applied, Opened::Replaced { why })),
            Err(_) => Err(Error::Corrupt("new index")),
        }
    }

    /// The store and the size it covers, or why it cannot be used. The engine
    /// panics on some damage; that too is only a reason to make it anew.
    fn try_open(
        dir: &Path,
        fingerprint: u64,
        cache_bytes: u64,
    ) -> Result<Result<(Store, u64), &'static str>, Error> {
        let opened = std::panic::catch_unwind(|| -> Result<_, Error> {
            let store = Store::open(dir, cache_bytes, fingerprint)?;
            let cover = store.cover();
            match cover.fingerprint == fingerprint {
                true => Ok(Ok((store, cover.size))),
                false => Ok(Err("it was made with other definitions")),
            }
        });
        opened.unwrap_or(Ok(Err("its files are damaged")))
    }

    fn new(store: Store, applied: u64, opened: Opened) -> Index {
        Index {
            store,
            applied: AtomicU64::new(applied),
            opened,
            writer: Mutex::new(()),
            gathering: RwLock::new(None),
            race_max: search::RACE_START,
        }
    }

    /// How it was found when it was opened.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The size that it covers: the first so many entries can be searched.
    pub fn applied(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// Bytes on disk, what is still in memory not counted.
    pub fn disk_bytes(&self) -> u64 {
        self.store.disk_bytes()
    }

    /// Writes out what is still in memory and waits until it is on disk.
    /// Closing does so by itself.
    pub fn checkpoint(&self) -> Result<(), Error> {
        let _writing = self.writing();
        self.store.checkpoint()
    }

    /// Bytes on disk map by map, for measuring.
    pub fn disk_bytes_by_map(&self) -> Vec<(&'static str, u64)> {
        SPACES
            .map(|space| (space.name(), self.store.space_bytes(space)))
            .to_vec()
    }

    /// Merges what sorted runs and batches left behind. Not needed: it happens
    /// in the background as the index grows. Useful after an import.
    pub fn compact(&self) -> Result<(), Error> {
        let _writing = self.writing();
        self.store.compact()
    }

    /// How many postings of each clause a search looks at before it tries
    /// anything else. Changes what a search costs, never what it answers; tests
    /// make it small so that few resources take every way.
    #[doc(hidden)]
    pub fn set_race_max(&mut self, postings: usize) {
        self.race_max = postings.max(1);
    }

    /// How many live changes a crash may cost to apply again; tests make it
    /// small.
    #[doc(hidden)]
    pub fn set_checkpoint_changes(&mut self, changes: u64) {
        self.store.set_checkpoint_changes(changes);
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn set_applied(&self, size: u64) {
        self.applied.store(size, Ordering::Release);
    }

    pub(crate) fn writing(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn gathering_mut(&self) -> RwLockWriteGuard<'_, Option<Run>> {
        self.gathering
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The head of a resource that an unfinished bulk has gathered.
    pub(crate) fn gathered(&self, key: &[u8]) -> Option<Head> {
        self.gathering
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .and_then(|run| run.head(key))
    }
}

/// What a store is marked with: the caller's fingerprint and the version of the encodings.
pub(crate) fn with_format(fingerprint: u64) -> u64 {
    fingerprint ^ FORMAT.rotate_left(32)
}

pub(crate) fn kind_number(kind: &str) -> Option<u8> {
    record::definitions::kind_number(kind)
}

pub(crate) fn kind_name(kind: u8) -> Option<&'static str> {
    record::definitions::kind_name(kind)
}
