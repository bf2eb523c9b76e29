//! The key-value store beneath the index: six keyspaces, point reads, ordered
//! scans, atomic batches, sorted runs. The only place that names the engine
//! (fjall), so that another can take its place.
//!
//! Nothing here is ever fsynced on the write path. A batch is in the operating
//! system's hands when it returns, so a killed process loses nothing; after a
//! power cut the store opens at some earlier batch, or does not open, and then
//! [`crate::Index::open`] throws it away.

use std::ops::Bound;
use std::path::Path;

use fjall::compaction::Leveled;
use fjall::config::{
    BlockSizePolicy, BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry,
    PartitioningPolicy, PinningPolicy, RestartIntervalPolicy,
};
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions};

use crate::Error;

/// Bytes read from the store: cheap to clone, derefs to `[u8]`.
pub(crate) type Bytes = fjall::Slice;

/// Takes one key and its value.
pub(crate) type Put<'p> = &'p mut dyn FnMut(&[u8], &[u8]) -> Result<(), Error>;

/// One of the store's ordered maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// Kind and id to the resource's head.
    Head,
    /// Number to the current row.
    Row,
    /// Number and position to a superseded row.
    Past,
    /// Kind, field, value and number to when it held.
    Posting,
    /// Recorded-at to size.
    Time,
    /// What the index knows about itself.
    Meta,
}

/// In the order in which a sorted run writes them: rows after all that they
/// vouch for, so that a crash between two leaves nothing that cannot be
/// applied again.
pub(crate) const SPACES: [Space; 6] = [
    Space::Past,
    Space::Posting,
    Space::Time,
    Space::Head,
    Space::Row,
    Space::Meta,
];

impl Space {
    /// Its name on disk.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Space::Past => "past",
            Space::Posting => "posting",
            Space::Time => "time",
            Space::Head => "head",
            Space::Row => "row",
            Space::Meta => "meta",
        }
    }
}

/// The open store.
pub(crate) struct Store {
    db: Database,
    spaces: [Keyspace; 6],
}

impl Store {
    /// Opens or creates the store in `dir`, with a block cache of
    /// `cache_bytes`.
    pub(crate) fn open(dir: &Path, cache_bytes: u64) -> Result<Store, Error> {
        let db = Database::builder(dir)
            .cache_size(cache_bytes)
            .max_journaling_size(128 << 20)
            .worker_threads(2)
            .open()?;
        let open = |space: Space| db.keyspace(space.name(), || options(space));
        let spaces = [
            open(Space::Past)?,
            open(Space::Posting)?,
            open(Space::Time)?,
            open(Space::Head)?,
            open(Space::Row)?,
            open(Space::Meta)?,
        ];
        Ok(Store { db, spaces })
    }

    fn space(&self, space: Space) -> &Keyspace {
        let i = match space {
            Space::Past => 0,
            Space::Posting => 1,
            Space::Time => 2,
            Space::Head => 3,
            Space::Row => 4,
            Space::Meta => 5,
        };
        &self.spaces[i]
    }

    /// The value of a key.
    pub(crate) fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, Error> {
        Ok(self.space(space).get(key)?)
    }

    /// The keys between two bounds, ordered, from either end.
    pub(crate) fn scan(&self, space: Space, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Scan {
        Scan(self.space(space).range::<&[u8], _>((from, to)))
    }

    /// Starts a batch: everything in it appears at once.
    pub(crate) fn batch(&self) -> Batch<'_> {
        Batch {
            store: self,
            batch: self.db.batch(),
        }
    }

    /// Writes a sorted run into one keyspace, past the journal. `fill` gives
    /// the keys in ascending order, each once; they appear together at the end.
    pub(crate) fn ingest(
        &self,
        space: Space,
        fill: impl FnOnce(Put<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut ingestion = self.space(space).start_ingestion()?;
        fill(&mut |key, value| Ok(ingestion.write(key, value)?))?;
        Ok(ingestion.finish()?)
    }

    /// Bytes of all keyspaces' tables on disk (the journal not counted).
    pub(crate) fn disk_bytes(&self) -> u64 {
        self.spaces.iter().map(Keyspace::disk_space).sum()
    }

    /// Bytes of one keyspace's tables on disk.
    pub(crate) fn space_bytes(&self, space: Space) -> u64 {
        self.space(space).disk_space()
    }

    /// Merges all tables into as few as possible; for measuring.
    pub(crate) fn compact(&self) -> Result<(), Error> {
        for space in &self.spaces {
            space.rotate_memtable_and_wait()?;
            space.major_compact()?;
        }
        Ok(())
    }
}

fn options(space: Space) -> KeyspaceCreateOptions {
    let bloom = FilterPolicy::all(FilterPolicyEntry::Bloom(
        BloomConstructionPolicy::BitsPerKey(10.0),
    ));
    // Point reads want small blocks, scans and compression larger ones.
    let (memtable, block, filter) = match space {
        Space::Head => (4 << 20, 4 << 10, bloom),
        Space::Row => (16 << 20, 8 << 10, bloom),
        Space::Past => (8 << 20, 16 << 10, bloom),
        Space::Posting => (16 << 20, 8 << 10, FilterPolicy::disabled()),
        Space::Time | Space::Meta => (1 << 20, 4 << 10, FilterPolicy::disabled()),
    };
    KeyspaceCreateOptions::default()
        .max_memtable_size(memtable)
        .data_block_size_policy(BlockSizePolicy::all(block))
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
        .data_block_restart_interval_policy(RestartIntervalPolicy::all(16))
        .index_block_partitioning_policy(PartitioningPolicy::all(false))
        .filter_block_partitioning_policy(PartitioningPolicy::all(false))
        .index_block_pinning_policy(PinningPolicy::all(true))
        .filter_block_pinning_policy(PinningPolicy::all(true))
        .filter_policy(filter)
        .compaction_strategy(std::sync::Arc::new(Leveled::default()))
}

/// Keys and values in order.
pub(crate) struct Scan(fjall::Iter);

impl Iterator for Scan {
    type Item = Result<(Bytes, Bytes), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.next()?.into_inner().map_err(Error::from))
    }
}

impl DoubleEndedIterator for Scan {
    fn next_back(&mut self) -> Option<Self::Item> {
        Some(self.0.next_back()?.into_inner().map_err(Error::from))
    }
}

/// Writes that appear together.
pub(crate) struct Batch<'s> {
    store: &'s Store,
    batch: fjall::OwnedWriteBatch,
}

impl Batch<'_> {
    /// Sets a key. Keys become readable in the order of these calls.
    pub(crate) fn put(&mut self, space: Space, key: &[u8], value: &[u8]) {
        self.batch.insert(self.store.space(space), key, value);
    }

    /// Writes the batch.
    pub(crate) fn commit(self) -> Result<(), Error> {
        Ok(self.batch.commit()?)
    }
}

impl From<fjall::Error> for Error {
    fn from(error: fjall::Error) -> Error {
        match error {
            fjall::Error::Locked => Error::Busy,
            other => Error::Store(Box::new(other)),
        }
    }
}
