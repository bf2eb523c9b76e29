//! An open file of the simulated disk: bytes, locks, and the memory that SQLite's connections share.

use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, Failed, Fate, Op, Portion, SECTOR_BYTES, State};

/// How large a region of shared memory is. SQLite asks for 32 KB and for nothing else.
pub(crate) const REGION_BYTES: usize = 32 << 10;

/// How many locks the shared memory has.
const SHARED_LOCKS: usize = 8;

/// A file: what is seen of it and what could still be lost.
#[derive(Debug)]
pub(super) struct File {
    pub(super) cache: Vec<u8>,
    pub(super) log: Vec<Change>,
    /// What the changes replaced, one after the other.
    pub(super) replaced: Vec<u8>,
    /// Sectors that a failed sync dropped: by number, what the platter has of them.
    pub(super) dropped: BTreeMap<u64, Vec<u8>>,
    pub(super) locks: Locks,
    pub(super) shared: Option<Arc<Shared>>,
}

/// A change that was not synced yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) truncates: bool,
    pub(super) at: u64,
    pub(super) length: u64,
    /// How many bytes of `replaced` are its own; the rest of its range lay behind the end.
    pub(super) replaced: u64,
    /// How long the file was before.
    pub(super) size_before: u64,
}

/// Who holds SQLite's locks on a file, by handle.
#[derive(Debug, Default)]
pub(super) struct Locks {
    readers: Vec<u64>,
    reserved: Option<u64>,
    pending: Option<u64>,
    exclusive: Option<u64>,
}

/// How strongly a file is locked, in SQLite's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lock {
    None,
    Shared,
    Reserved,
    Pending,
    Exclusive,
}

/// The memory that connections to one file share, and its locks.
#[derive(Debug, Default)]
pub(super) struct Shared {
    inside: Mutex<Regions>,
}

#[derive(Debug, Default)]
struct Regions {
    /// Never shrinks and never moves while anybody has it; atomics, because SQLite writes through plain pointers.
    regions: Vec<Box<[AtomicU64]>>,
    readers: [Vec<u64>; SHARED_LOCKS],
    writer: [Option<u64>; SHARED_LOCKS],
}

/// An open file.
#[derive(Debug)]
pub struct Handle {
    disk: Arc<Disk>,
    name: String,
    file: usize,
    number: u64,
    generation: u64,
    /// Whether it was opened to be read only.
    pub(crate) only_read: bool,
    /// Whether a sync was asked to make the name durable too, which is done once.
    name_synced: bool,
    lock: Lock,
    shared: Option<Arc<Shared>>,
}

impl File {
    pub(super) fn new(bytes: Vec<u8>) -> File {
        File {
            cache: bytes,
            log: Vec::new(),
            replaced: Vec::new(),
            dropped: BTreeMap::new(),
            locks: Locks::default(),
            shared: None,
        }
    }

    fn write(&mut self, at: u64, bytes: &[u8]) {
        let size = self.cache.len();
        let (from, to) = (at as usize, at as usize + bytes.len());
        let replaced = &self.cache[from.min(size)..to.min(size)];
        self.log.push(Change {
            truncates: false,
            at,
            length: bytes.len() as u64,
            replaced: replaced.len() as u64,
            size_before: size as u64,
        });
        self.replaced.extend_from_slice(replaced);
        if size < to {
            self.cache.resize(to, 0);
        }
        self.cache[from..to].copy_from_slice(bytes);
    }

    /// Writes so many of the first bytes over themselves.
    fn rewrite(&mut self, length: usize) {
        self.log.push(Change {
            truncates: false,
            at: 0,
            length: length as u64,
            replaced: length as u64,
            size_before: self.cache.len() as u64,
        });
        self.replaced.extend_from_slice(&self.cache[..length]);
    }

    fn truncate(&mut self, to: u64) {
        let size = self.cache.len() as u64;
        if to >= size {
            return;
        }
        let replaced = &self.cache[to as usize..];
        self.log.push(Change {
            truncates: true,
            at: to,
            length: replaced.len() as u64,
            replaced: replaced.len() as u64,
            size_before: size,
        });
        self.replaced.extend_from_slice(replaced);
        self.cache.truncate(to as usize);
    }
}

impl Handle {
    pub(super) fn new(
        disk: Arc<Disk>,
        name: &str,
        file: usize,
        number: u64,
        generation: u64,
    ) -> Handle {
        Handle {
            disk,
            name: name.to_owned(),
            file,
            number,
            generation,
            only_read: false,
            name_synced: false,
            lock: Lock::None,
            shared: None,
        }
    }

    /// The disk, if the power is on and the process that opened this still lives.
    fn state(&self) -> Result<MutexGuard<'_, State>, Failed> {
        let state = self.disk.state();
        match state.powered && state.generation == self.generation {
            true => Ok(state),
            false => Err(Failed::Off),
        }
    }

    /// Fills `into` from a place on; the number of bytes that there were.
    pub fn read(&self, at: u64, into: &mut [u8]) -> Result<usize, Failed> {
        let (state, there) = self.reading(at, into.len())?;
        let bytes = &state.files[self.file].cache[there];
        into[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }

    /// The same for what holds nothing yet; behind the bytes that there were it holds zeros.
    pub(crate) fn read_into(&self, at: u64, into: &mut [MaybeUninit<u8>]) -> Result<usize, Failed> {
        let (state, there) = self.reading(at, into.len())?;
        let bytes = &state.files[self.file].cache[there];
        into[..bytes.len()].write_copy_of_slice(bytes);
        into[bytes.len()..].fill(MaybeUninit::new(0));
        Ok(bytes.len())
    }

    /// Where the bytes are that a read of so many gets.
    fn reading(
        &self,
        at: u64,
        length: usize,
    ) -> Result<(MutexGuard<'_, State>, Range<usize>), Failed> {
        let mut state = self.state()?;
        // Reads are many and change nothing, so they are met only when one is to fail.
        if state
            .armed
            .is_some_and(|armed| armed.only == Some(Op::Read))
            && let Fate::Fails { how, .. } = state.meet(Op::Read, &self.name, at, length as u64)
        {
            return Err(how);
        }
        let size = state.files[self.file].cache.len();
        let from = size.min(at as usize);
        Ok((state, from..size.min(from + length)))
    }

    /// Reads all bytes and writes them over themselves.
    pub fn rewrite(&self) -> Result<(), Failed> {
        let length = self.size()? as usize;
        let (mut state, there) = self.reading(0, length)?;
        if there.is_empty() {
            return Ok(());
        }
        let (length, outcome) = state.writing(&self.name, 0, there.len());
        if length > 0 {
            state.files[self.file].rewrite(length);
        }
        outcome
    }

    /// Writes bytes at a place.
    pub fn write(&self, at: u64, bytes: &[u8]) -> Result<(), Failed> {
        let mut state = self.state()?;
        let (written, outcome) = state.writing(&self.name, at, bytes.len());
        if written > 0 {
            state.files[self.file].write(at, &bytes[..written]);
        }
        outcome
    }

    /// Cuts the file off.
    pub fn truncate(&self, to: u64) -> Result<(), Failed> {
        let mut state = self.state()?;
        let fate = state.meet(Op::Truncate, &self.name, to, 0);
        let file = self.file;
        state.happen(fate, |state| state.files[file].truncate(to))
    }

    /// Makes the bytes durable, and the first time the name too if `with_name` asks for it.
    ///
    /// If that fails nobody is told, because SQLite does not tell on Unix either.
    pub fn sync(&mut self, with_name: bool) -> Result<(), Failed> {
        self.sync_bytes()?;
        if with_name && !self.name_synced {
            self.name_synced = true;
            self.disk.sync_folder().unwrap_or_default();
        }
        Ok(())
    }

    fn sync_bytes(&self) -> Result<(), Failed> {
        let mut state = self.state()?;
        let fate = state.meet(Op::Sync, &self.name, 0, 0);
        let ends = |end: &str| self.name.ends_with(end);
        if fate == Fate::Done && state.lies.sync_ignored.is_some_and(ends) {
            return Ok(());
        }
        match fate {
            Fate::Done => state.files[self.file].settle(),
            Fate::Fails {
                done: Portion::All, ..
            } => state.files[self.file].settle(),
            Fate::Fails {
                how: Failed::Io, ..
            } => state.drop_some(self.file),
            // The power went off meanwhile: what had reached the platter is decided with the rest.
            Fate::Fails { .. } => {}
        }
        match fate {
            Fate::Done => Ok(()),
            Fate::Fails {
                how: Failed::Io, ..
            } if state.lies.sync_failure_hidden => Ok(()),
            Fate::Fails { how, .. } => Err(how),
        }
    }

    /// How long the file is.
    pub fn size(&self) -> Result<u64, Failed> {
        let state = self.state()?;
        Ok(state.files[self.file].cache.len() as u64)
    }

    /// Takes a stronger lock. As on Unix, whoever only reads the file may not lock others out.
    pub(crate) fn lock(&mut self, want: Lock) -> Result<(), Failed> {
        if self.lock >= want {
            return Ok(());
        }
        if self.only_read && want > Lock::Shared {
            return Err(Failed::Io);
        }
        let mut state = self.state()?;
        let locks = &mut state.files[self.file].locks;
        let me = self.number;
        let other = |holder: Option<u64>| holder.is_some_and(|holder| holder != me);
        let mut got = self.lock;
        let outcome = match want {
            _ if other(locks.exclusive) || other(locks.pending) => Err(Failed::Busy),
            Lock::None | Lock::Pending => Ok(()),
            Lock::Shared => {
                locks.readers.push(me);
                got = Lock::Shared;
                Ok(())
            }
            Lock::Reserved | Lock::Exclusive if other(locks.reserved) => Err(Failed::Busy),
            Lock::Reserved => {
                locks.reserved = Some(me);
                got = Lock::Reserved;
                Ok(())
            }
            Lock::Exclusive => {
                locks.pending = Some(me);
                got = Lock::Pending;
                match locks.readers.iter().any(|reader| *reader != me) {
                    true => Err(Failed::Busy),
                    false => {
                        locks.exclusive = Some(me);
                        got = Lock::Exclusive;
                        Ok(())
                    }
                }
            }
        };
        drop(state);
        self.lock = got;
        outcome
    }

    /// Goes back to a weaker lock.
    pub(crate) fn unlock(&mut self, to: Lock) -> Result<(), Failed> {
        let mut state = self.state()?;
        let locks = &mut state.files[self.file].locks;
        locks.release(self.number, to);
        drop(state);
        self.lock = to;
        Ok(())
    }

    /// Whether anybody is about to write.
    pub(crate) fn is_reserved(&self) -> Result<bool, Failed> {
        let state = self.state()?;
        let locks = &state.files[self.file].locks;
        Ok(locks.reserved.is_some() || locks.pending.is_some() || locks.exclusive.is_some())
    }

    /// A region of the shared memory; `None` if it was never made and is not to be.
    pub(crate) fn region(
        &mut self,
        number: usize,
        make: bool,
    ) -> Result<Option<*const AtomicU64>, Failed> {
        let mut state = self.state()?;
        let shared = state.files[self.file]
            .shared
            .get_or_insert_default()
            .clone();
        drop(state);
        let mut inside = shared.inside();
        while make && inside.regions.len() <= number {
            let words = REGION_BYTES / size_of::<u64>();
            inside
                .regions
                .push((0..words).map(|_| AtomicU64::new(0)).collect());
        }
        let region = inside.regions.get(number).map(|region| region.as_ptr());
        drop(inside);
        self.shared = Some(shared);
        Ok(region)
    }

    /// Takes or gives back locks of the shared memory.
    pub(crate) fn shared_lock(
        &self,
        from: usize,
        count: usize,
        take: bool,
        exclusive: bool,
    ) -> Result<(), Failed> {
        let _on = self.state()?;
        let Some(shared) = &self.shared else {
            return Err(Failed::Io);
        };
        let mut inside = shared.inside();
        let me = self.number;
        let range = from..(from + count).min(SHARED_LOCKS);
        if take {
            let hindered = range.clone().any(|at| {
                inside.writer[at].is_some_and(|writer| writer != me)
                    || exclusive && inside.readers[at].iter().any(|reader| *reader != me)
            });
            if hindered {
                return Err(Failed::Busy);
            }
        }
        for at in range {
            inside.readers[at].retain(|reader| *reader != me);
            if inside.writer[at] == Some(me) {
                inside.writer[at] = None;
            }
            match (take, exclusive) {
                (true, true) => inside.writer[at] = Some(me),
                (true, false) => inside.readers[at].push(me),
                (false, _) => {}
            }
        }
        Ok(())
    }

    /// Lets go of the shared memory.
    pub(crate) fn leave_shared(&mut self) {
        let Some(shared) = self.shared.take() else {
            return;
        };
        shared.inside().release(self.number);
        let mut state = self.disk.state();
        if state.generation == self.generation {
            let file = &mut state.files[self.file];
            drop(shared);
            // The last one to leave takes it away, as SQLite does with the file in its place.
            if file
                .shared
                .as_ref()
                .is_some_and(|shared| Arc::strong_count(shared) == 1)
            {
                file.shared = None;
            }
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.leave_shared();
        let mut state = self.disk.state();
        if state.generation == self.generation {
            state.files[self.file]
                .locks
                .release(self.number, Lock::None);
        }
    }
}

impl Locks {
    fn release(&mut self, me: u64, to: Lock) {
        for (holder, lock) in [
            (&mut self.exclusive, Lock::Exclusive),
            (&mut self.pending, Lock::Pending),
            (&mut self.reserved, Lock::Reserved),
        ] {
            if to < lock && *holder == Some(me) {
                *holder = None;
            }
        }
        if to == Lock::None {
            self.readers.retain(|reader| *reader != me);
        }
    }
}

impl Shared {
    fn inside(&self) -> MutexGuard<'_, Regions> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Regions {
    fn release(&mut self, me: u64) {
        for at in 0..SHARED_LOCKS {
            self.readers[at].retain(|reader| *reader != me);
            if self.writer[at] == Some(me) {
                self.writer[at] = None;
            }
        }
    }
}

/// The sectors that a range of bytes touches.
pub(super) fn sectors(at: u64, length: u64) -> std::ops::Range<u64> {
    match length {
        0 => 0..0,
        _ => at / SECTOR_BYTES..(at + length - 1) / SECTOR_BYTES + 1,
    }
}
