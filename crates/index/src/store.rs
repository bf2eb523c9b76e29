//! The key-value store beneath the index: five ordered maps with point reads,
//! scans, batches and sorted runs. The only place that names the engine
//! (lsm-tree, the tree inside fjall), so that another can take its place.
//!
//! **There is no journal.** The ledger is one. What is written live stays in
//! memory until a *checkpoint* writes it out in the background, map by map in
//! the order of [`SPACES`], and then says in the file `cover` how many entries
//! the files hold. A sorted run goes the same way. After a crash the maps may
//! be ahead of `cover`, each by itself, and the caller applies again from
//! there: a checkpoint is some thousands of changes, so that takes a fraction
//! of a second. Closing is a checkpoint.
//!
//! Writers must take turns ([`crate::Index`] sees to it); readers need not.

use std::fs::File;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use lsm_tree::compaction::Leveled;
use lsm_tree::config::{
    BlockSizePolicy, BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry,
    PartitioningPolicy, PinningPolicy, RestartIntervalPolicy,
};
use lsm_tree::{
    AbstractTree, AnyTree, Cache, CompressionType, Config, DescriptorTable, Guard, SeqNo,
    SequenceNumberCounter,
};

use crate::key;
use crate::{Error, Snapshot};

/// Bytes read from the store: cheap to clone, derefs to `[u8]`.
pub(crate) type Bytes = lsm_tree::Slice;

/// Takes one key and its value.
pub(crate) type Put<'p> = &'p mut dyn FnMut(&[u8], &[u8]) -> Result<(), Error>;

/// Changes after which a checkpoint starts: what a crash may cost to apply
/// again.
const CHECKPOINT_CHANGES: u64 = 8_000;
/// Bytes in memory after which a checkpoint starts.
const CHECKPOINT_BYTES: u64 = 24 << 20;
/// Bytes in memory at which writers wait for the checkpoint under way.
const STALL_BYTES: u64 = 4 * CHECKPOINT_BYTES;
/// Tables that may overlap before they are merged: live, and during a bulk,
/// when merging often would cost more than all else.
const OVERLAP_LIVE: u8 = 8;
const OVERLAP_BULK: u8 = 16;
/// Bytes of a table after merging.
const TABLE_BYTES: u64 = 4 << 20;
/// How often, and how long apart, it is looked whether readers have let the old files go.
const LET_GO_TRIES: u32 = 600;
const LET_GO_PAUSE: Duration = Duration::from_millis(50);
/// Open files.
const FILES_MAX: usize = 512;

/// One of the store's ordered maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// Number and position to a superseded row.
    Past,
    /// Kind, field, value and number to when it held.
    Posting,
    /// Recorded-at to size.
    Time,
    /// Kind and id to the resource's head.
    Head,
    /// Number to the current row.
    Row,
}

/// In the order in which they reach the disk: rows after all that they vouch
/// for, so that a crash between two leaves nothing that cannot be applied
/// again.
pub(crate) const SPACES: [Space; 5] = [
    Space::Past,
    Space::Posting,
    Space::Time,
    Space::Head,
    Space::Row,
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
        }
    }
}

/// What the files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cover {
    /// What the index was made with.
    pub fingerprint: u64,
    /// How many entries.
    pub size: u64,
}

/// The open store.
pub(crate) struct Store {
    shared: Arc<Shared>,
    jobs: Sender<Job>,
    worker: Option<JoinHandle<()>>,
    is_new: bool,
    checkpoint_changes: u64,
    /// Held while it is open.
    _lock: File,
}

struct Shared {
    dir: PathBuf,
    trees: [AnyTree; 5],
    seqno: SequenceNumberCounter,
    state: Mutex<State>,
    /// A checkpoint or a merge has ended.
    ended: Condvar,
}

struct State {
    /// What the files hold.
    cover: Cover,
    /// What the maps hold, memory included.
    size: u64,
    /// Bytes in memory since the last checkpoint began.
    bytes: u64,
    checkpointing: bool,
    /// A merge is waiting or under way.
    merging: bool,
    /// The background failed: nothing more can be written.
    failed: Option<String>,
}

enum Job {
    /// Memory was set aside: write it out, and say that it covers this.
    Checkpoint(Cover),
    /// The same, and then write all files anew.
    Purge(Cover),
    /// Merge where more than so many tables overlap.
    Merge(u8),
}

impl Store {
    /// Opens or creates the store in `dir`, with a block cache of
    /// `cache_bytes`. `fingerprint` is that of a new one.
    pub(crate) fn open(dir: &Path, cache_bytes: u64, fingerprint: u64) -> Result<Store, Error> {
        std::fs::create_dir_all(dir)?;
        let lock = File::create(dir.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(Error::Busy),
            Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
        }
        let found = read_cover(dir)?;
        let cover = match found {
            Some(cover) => cover,
            None if dir.join(Space::Row.name()).try_exists()? => {
                return Err(Error::Corrupt("cover"));
            }
            None => {
                let cover = Cover {
                    fingerprint,
                    size: 0,
                };
                write_cover(dir, cover)?;
                cover
            }
        };
        let seqno = SequenceNumberCounter::default();
        let visible = SequenceNumberCounter::default();
        let cache = Arc::new(Cache::with_capacity_bytes(cache_bytes));
        let files = Arc::new(DescriptorTable::new(FILES_MAX));
        let open = |space: Space| {
            let config = Config::new(dir.join(space.name()), seqno.clone(), visible.clone())
                .use_cache(cache.clone())
                .use_descriptor_table(Some(files.clone()));
            configured(config, space).open()
        };
        let trees = [
            open(Space::Past)?,
            open(Space::Posting)?,
            open(Space::Time)?,
            open(Space::Head)?,
            open(Space::Row)?,
        ];
        let last = trees
            .iter()
            .filter_map(AbstractTree::get_highest_seqno)
            .max();
        seqno.fetch_max(last.map_or(1, |last| last + 1));
        visible.fetch_max(seqno.get());
        let shared = Arc::new(Shared {
            dir: dir.to_owned(),
            trees,
            seqno,
            state: Mutex::new(State {
                cover,
                size: cover.size,
                bytes: 0,
                checkpointing: false,
                merging: false,
                failed: None,
            }),
            ended: Condvar::new(),
        });
        let (jobs, waiting) = mpsc::channel();
        let worker = std::thread::Builder::new()
            .name("index".to_owned())
            .spawn({
                let shared = shared.clone();
                move || shared.work(&waiting)
            })?;
        let is_new = found.is_none();
        Ok(Store {
            checkpoint_changes: CHECKPOINT_CHANGES,
            shared,
            jobs,
            worker: Some(worker),
            is_new,
            _lock: lock,
        })
    }

    /// What the files held when the store was opened or last wrote them.
    pub(crate) fn cover(&self) -> Cover {
        self.shared.state().cover
    }

    /// Checkpoints after so many changes.
    pub(crate) fn set_checkpoint_changes(&mut self, changes: u64) {
        self.checkpoint_changes = changes.max(1);
    }

    /// Whether there was none before.
    pub(crate) fn is_new(&self) -> bool {
        self.is_new
    }

    fn tree(&self, space: Space) -> &AnyTree {
        self.shared.tree(space)
    }

    /// The value of a key.
    pub(crate) fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, Error> {
        Ok(self.tree(space).get(key, SeqNo::MAX)?)
    }

    /// The keys between two bounds, ordered, from either end.
    pub(crate) fn scan(&self, space: Space, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Scan {
        Scan(
            self.tree(space)
                .range::<&[u8], _>((from, to), SeqNo::MAX, None),
        )
    }

    /// Starts live writes. They become readable one by one, in the order in
    /// which they are made.
    pub(crate) fn batch(&self) -> Result<Batch<'_>, Error> {
        let mut state = self.shared.state();
        while state.checkpointing && state.bytes >= STALL_BYTES && state.failed.is_none() {
            state = self.shared.wait(state);
        }
        state.check()?;
        Ok(Batch {
            store: self,
            seqno: self.shared.seqno.next(),
            bytes: 0,
        })
    }

    /// Writes sorted runs, one per map, straight to disk; `fill` gives each
    /// map's keys in ascending order, each once. Afterwards the files cover
    /// `size`.
    pub(crate) fn ingest(
        &self,
        size: u64,
        mut fill: impl FnMut(Space, Put<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.checkpoint()?;
        let mut state = self.shared.state();
        while state.merging && self.shared.overlaps(4 * OVERLAP_BULK) && state.failed.is_none() {
            state = self.shared.wait(state);
        }
        drop(state);
        for space in SPACES {
            self.ingest_one(space, |put| fill(space, put))?;
        }
        let mut state = self.shared.state();
        state.size = size;
        let cover = Cover {
            size,
            ..state.cover
        };
        write_cover(&self.shared.dir, cover)?;
        state.cover = cover;
        drop(state);
        self.merge(OVERLAP_BULK);
        Ok(())
    }

    /// Writes one map's sorted run. Nothing may be in memory.
    pub(crate) fn ingest_one(
        &self,
        space: Space,
        fill: impl FnOnce(Put<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        // The engine makes its file at once, and leaves it if nothing comes.
        let mut ingestion = None;
        fill(&mut |key, value| {
            if ingestion.is_none() {
                ingestion = Some(self.tree(space).ingestion()?);
            }
            match &mut ingestion {
                Some(ingestion) => Ok(ingestion.write(key, value)?),
                None => Ok(()),
            }
        })?;
        match ingestion {
            Some(ingestion) => Ok(ingestion.finish()?),
            None => Ok(()),
        }
    }

    /// Writes out all that is in memory, and returns when it is on disk.
    pub(crate) fn checkpoint(&self) -> Result<(), Error> {
        let mut state = self.shared.state();
        while state.checkpointing && state.failed.is_none() {
            state = self.shared.wait(state);
        }
        state.check()?;
        if state.size == state.cover.size {
            return Ok(());
        }
        self.begin_checkpoint(&mut state);
        while state.checkpointing && state.failed.is_none() {
            state = self.shared.wait(state);
        }
        state.check()
    }

    /// Sets memory aside in all maps at one point, for the background.
    fn begin_checkpoint(&self, state: &mut State) {
        for tree in &self.shared.trees {
            tree.rotate_memtable();
        }
        state.bytes = 0;
        state.checkpointing = true;
        let cover = Cover {
            size: state.size,
            ..state.cover
        };
        // The worker is there as long as the store is.
        let _ = self.jobs.send(Job::Checkpoint(cover));
    }

    /// Merges in the background where many tables overlap.
    fn merge(&self, overlap: u8) {
        let mut state = self.shared.state();
        if !state.merging && self.shared.overlaps(overlap) {
            state.merging = true;
            let _ = self.jobs.send(Job::Merge(overlap));
        }
    }

    /// A bulk has ended: merge as if its runs had been live.
    pub(crate) fn bulk_ended(&self) {
        self.merge(OVERLAP_LIVE);
    }

    /// Bytes of all maps on disk.
    pub(crate) fn disk_bytes(&self) -> u64 {
        SPACES.iter().map(|space| self.space_bytes(*space)).sum()
    }

    /// Bytes of one map on disk.
    pub(crate) fn space_bytes(&self, space: Space) -> u64 {
        self.tree(space).disk_space()
    }

    /// Writes everything anew, from memory and from the files, and leaves no older file behind. In
    /// the background's thread, where nothing else can be merging meanwhile.
    pub(crate) fn purge(&self) -> Result<(), Error> {
        self.checkpoint()?;
        let mut state = self.shared.state();
        for tree in &self.shared.trees {
            tree.rotate_memtable();
        }
        state.bytes = 0;
        state.checkpointing = true;
        let cover = Cover {
            size: state.size,
            ..state.cover
        };
        let _ = self.jobs.send(Job::Purge(cover));
        while state.checkpointing && state.failed.is_none() {
            state = self.shared.wait(state);
        }
        state.check()?;
        drop(state);
        // A file goes when the last search that reads it ends.
        for _ in 0..LET_GO_TRIES {
            let held = |space: Space| -> Result<bool, Error> {
                let files =
                    std::fs::read_dir(self.shared.dir.join(space.name()).join("tables"))?.count();
                Ok(files > self.tree(space).table_count())
            };
            let mut any = false;
            for space in SPACES {
                any |= held(space)?;
            }
            if !any {
                return Ok(());
            }
            std::thread::sleep(LET_GO_PAUSE);
        }
        Err(Error::Held)
    }

    /// Merges all tables into as few as possible.
    pub(crate) fn compact(&self) -> Result<(), Error> {
        self.checkpoint()?;
        for tree in &self.shared.trees {
            tree.major_compact(TABLE_BYTES, self.shared.seqno.get())?;
        }
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // A checkpoint that fails leaves the last one, and that is enough.
        let _ = self.checkpoint();
        let (closed, _) = mpsc::channel();
        self.jobs = closed;
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

impl Shared {
    fn tree(&self, space: Space) -> &AnyTree {
        let [past, posting, time, head, row] = &self.trees;
        match space {
            Space::Past => past,
            Space::Posting => posting,
            Space::Time => time,
            Space::Head => head,
            Space::Row => row,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.ended
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn overlaps(&self, overlap: u8) -> bool {
        self.trees
            .iter()
            .any(|tree| tree.l0_run_count() >= usize::from(overlap))
    }

    /// The background: until the store is dropped.
    fn work(&self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            let result = caught(|| match &job {
                Job::Checkpoint(cover) => self.write_out(*cover),
                Job::Purge(cover) => self.write_out(*cover).and_then(|()| self.anew()),
                Job::Merge(overlap) => self.merge(*overlap),
            });
            let mut state = self.state();
            match (&job, &result) {
                (_, Err(error)) => {
                    let cause = std::error::Error::source(error).map(ToString::to_string);
                    state.failed = Some(cause.unwrap_or_else(|| error.to_string()));
                }
                (Job::Checkpoint(cover) | Job::Purge(cover), Ok(())) => state.cover = *cover,
                (Job::Merge(_), Ok(())) => {}
            }
            match job {
                Job::Checkpoint(_) | Job::Purge(_) => state.checkpointing = false,
                Job::Merge(_) => state.merging = false,
            }
            drop(state);
            self.ended.notify_all();
            if let (Job::Checkpoint(_), Ok(())) = (&job, &result)
                && let Err(error) = caught(|| self.merge(OVERLAP_LIVE))
            {
                self.state().failed = Some(error.to_string());
            }
        }
    }

    /// Writes out what was set aside, in the order of [`SPACES`].
    fn write_out(&self, cover: Cover) -> Result<(), Error> {
        for tree in &self.trees {
            let lock = tree.get_flush_lock();
            tree.flush(&lock, self.seqno.get())?;
        }
        write_cover(&self.dir, cover)?;
        Ok(())
    }

    /// Writes every table anew. What was taken away or replaced is in none of them.
    fn anew(&self) -> Result<(), Error> {
        for tree in &self.trees {
            // Nobody reads below the newest: no older version of the map is kept for anyone.
            tree.major_compact(TABLE_BYTES, SeqNo::MAX)?;
        }
        Ok(())
    }

    /// Merges until nothing overlaps too much.
    fn merge(&self, overlap: u8) -> Result<(), Error> {
        let strategy = Arc::new(
            Leveled::default()
                .with_l0_threshold(overlap)
                .with_table_target_size(TABLE_BYTES),
        );
        for tree in &self.trees {
            let levels = || {
                (0..7)
                    .map(|at| tree.level_table_count(at))
                    .collect::<Vec<_>>()
            };
            for _ in 0..64 {
                let before = levels();
                tree.compact(strategy.clone(), self.seqno.get())?;
                if levels() == before {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// The engine panics on some damage; nobody may wait for a thread that is gone.
fn caught(work: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .unwrap_or(Err(Error::Corrupt("table")))
}

impl State {
    fn check(&self) -> Result<(), Error> {
        match &self.failed {
            None => Ok(()),
            Some(cause) => Err(Error::Store(cause.clone().into())),
        }
    }
}

fn configured(config: Config, space: Space) -> Config {
    let bloom = FilterPolicy::all(FilterPolicyEntry::Bloom(
        BloomConstructionPolicy::BitsPerKey(10.0),
    ));
    // Point reads want small blocks, scans and compression larger ones.
    let (block, restart, filter) = match space {
        Space::Head => (4 << 10, 4, bloom),
        Space::Row => (8 << 10, 4, bloom),
        Space::Past => (16 << 10, 8, bloom),
        Space::Posting => (8 << 10, 16, FilterPolicy::disabled()),
        Space::Time => (4 << 10, 16, FilterPolicy::disabled()),
    };
    config
        .data_block_size_policy(BlockSizePolicy::all(block))
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
        .data_block_restart_interval_policy(RestartIntervalPolicy::all(restart))
        .data_block_hash_ratio_policy(lsm_tree::config::HashRatioPolicy::all(match space {
            Space::Head | Space::Row => 1.0,
            _ => 0.0,
        }))
        .index_block_compression_policy(CompressionPolicy::disabled())
        .index_block_partitioning_policy(PartitioningPolicy::all(false))
        .filter_block_partitioning_policy(PartitioningPolicy::all(false))
        .index_block_pinning_policy(PinningPolicy::all(true))
        .filter_block_pinning_policy(PinningPolicy::all(true))
        .filter_policy(filter)
}

/// Keys and values in order.
pub(crate) struct Scan(Box<dyn DoubleEndedIterator<Item = lsm_tree::IterGuardImpl> + Send>);

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

/// Live writes under way.
pub(crate) struct Batch<'s> {
    store: &'s Store,
    seqno: SeqNo,
    bytes: u64,
}

impl Batch<'_> {
    /// Sets a key.
    pub(crate) fn put(&mut self, space: Space, key: &[u8], value: &[u8]) {
        let (bytes, _) = self.store.tree(space).insert(key, value, self.seqno);
        self.bytes += bytes;
    }

    /// Takes a key away.
    pub(crate) fn remove(&mut self, space: Space, key: &[u8]) {
        let (bytes, _) = self.store.tree(space).remove(key, self.seqno);
        self.bytes += bytes;
    }

    /// Ends the batch: the maps hold the first `size` entries.
    pub(crate) fn finish(self, size: u64) {
        let mut state = self.store.shared.state();
        state.size = size;
        state.bytes += self.bytes;
        let due = state.bytes >= CHECKPOINT_BYTES
            || size.saturating_sub(state.cover.size) >= self.store.checkpoint_changes;
        if due && !state.checkpointing && state.failed.is_none() {
            self.store.begin_checkpoint(&mut state);
        }
    }
}

/// Copies the files of the index in `from` into the folder `to`, which must not be there, beside whoever
/// has it open. What is in that one's memory is not in the files, and so not in the copy.
///
/// A table never changes once it is there, so a link to it will do; what the newest version of a map is
/// made of may be taken away while it is copied, and then it is copied again. `cover` is read first: the
/// maps hold at least what it says.
pub fn snapshot(from: &Path, to: &Path, fingerprint: u64) -> Result<Snapshot, Error> {
    let Some(cover) = read_cover(from)? else {
        return Ok(Snapshot::None);
    };
    if cover.fingerprint != crate::with_format(fingerprint) {
        return Ok(Snapshot::Other);
    }
    std::fs::create_dir(to)?;
    for space in SPACES {
        let (from, to) = (from.join(space.name()), to.join(space.name()));
        let mut tries = 0;
        while !copy_map(&from, &to)? {
            tries += 1;
            if tries == SNAPSHOT_TRIES {
                return Err(Error::Held);
            }
        }
    }
    write_cover(to, cover)?;
    Ok(Snapshot::Of(cover.size))
}

/// A number for what the files of an index are made of, which another one has if anything was written, merged or made
/// anew: the names and contents of what says which tables there are, and of the tables the names, the lengths, which files
/// of the disk they are, and when they were written. A link to a table is the same table.
pub fn generation(dir: &Path) -> Result<u64, Error> {
    let mut said = std::fs::read(dir.join(COVER))?;
    for space in SPACES {
        for (folder, is_table) in [(Path::new(""), false), (Path::new(TABLES), true)] {
            let folder = dir.join(space.name()).join(folder);
            let mut files = Vec::new();
            for entry in std::fs::read_dir(&folder)? {
                let entry = entry?;
                if !entry.file_type()?.is_dir() {
                    files.push(entry.path());
                }
            }
            files.sort();
            for file in files {
                said.extend_from_slice(file.as_os_str().as_encoded_bytes());
                said.push(0);
                match is_table {
                    true => {
                        let about = file.metadata()?;
                        said.extend_from_slice(&about.len().to_be_bytes());
                        said.extend_from_slice(&written(&about)?);
                    }
                    false => said.extend_from_slice(&std::fs::read(&file)?),
                }
            }
        }
    }
    Ok(key::hash(&said))
}

/// When a file was written and, where that can be known, which one of the disk it is.
fn written(about: &std::fs::Metadata) -> Result<Vec<u8>, std::io::Error> {
    let since = about.modified()?.duration_since(std::time::UNIX_EPOCH);
    let nanoseconds = since.map_or(0, |since| since.as_nanos());
    let mut said = nanoseconds.to_be_bytes().to_vec();
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        said.extend_from_slice(&about.ino().to_be_bytes());
    }
    Ok(said)
}

/// How often a map is copied that is being merged.
const SNAPSHOT_TRIES: u32 = 50;
/// The file that names the newest version of a map, the folder of its tables.
const NEWEST: &str = "current";
const TABLES: &str = "tables";

/// Copies a map; `false` if it changed meanwhile.
fn copy_map(from: &Path, to: &Path) -> Result<bool, Error> {
    if to.try_exists()? {
        std::fs::remove_dir_all(to)?;
    }
    std::fs::create_dir_all(to.join(TABLES))?;
    let newest = std::fs::read(from.join(NEWEST))?;
    for (folder, is_linked) in [(Path::new(""), false), (Path::new(TABLES), true)] {
        for entry in std::fs::read_dir(from.join(folder))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                continue;
            }
            let at = to.join(folder).join(entry.file_name());
            let copied = match is_linked {
                true => std::fs::hard_link(entry.path(), at),
                false => std::fs::copy(entry.path(), at).map(|_| ()),
            };
            match copied {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
                copied => copied?,
            }
        }
    }
    Ok(std::fs::read(from.join(NEWEST))? == newest && std::fs::read(to.join(NEWEST))? == newest)
}

const COVER: &str = "cover";
const COVER_LEN: usize = 24;

/// What the files hold; `None` in a new folder.
fn read_cover(dir: &Path) -> Result<Option<Cover>, Error> {
    let bytes = match std::fs::read(dir.join(COVER)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let word = |at: usize| -> Option<u64> {
        Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
    };
    match (word(0), word(8), word(16)) {
        (Some(fingerprint), Some(size), Some(check))
            if bytes.len() == COVER_LEN && check == key::hash(&bytes[..16]) =>
        {
            Ok(Some(Cover { fingerprint, size }))
        }
        _ => Err(Error::Corrupt("cover")),
    }
}

/// Replaces the cover as a whole.
fn write_cover(dir: &Path, cover: Cover) -> Result<(), std::io::Error> {
    use std::io::Write;
    let mut bytes = Vec::with_capacity(COVER_LEN);
    bytes.extend_from_slice(&cover.fingerprint.to_be_bytes());
    bytes.extend_from_slice(&cover.size.to_be_bytes());
    bytes.extend_from_slice(&key::hash(&bytes).to_be_bytes());
    let new = dir.join("cover.new");
    let mut file = File::create(&new)?;
    file.write_all(&bytes)?;
    file.sync_data()?;
    std::fs::rename(new, dir.join(COVER))
}

impl From<lsm_tree::Error> for Error {
    fn from(error: lsm_tree::Error) -> Error {
        Error::Store(Box::new(error))
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        Error::Store(Box::new(error))
    }
}
