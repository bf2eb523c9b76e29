//! The simulated disk: what a program sees, what would survive a power cut, and every way in which an operation fails.
//!
//! A file has its **cache** (what reads see, as in the system's page cache) and a **log of unsynced changes** (what
//! can still be lost). A sync empties the log. A power cut goes back through the log and decides, sector by sector of
//! 512 bytes, how much of it had reached the platter: nothing, all, a prefix of the writes, or any mixture, so writes
//! are lost, torn and reordered between syncs. Names are kept the same way: a file that was made, renamed or removed
//! may be so or not until its folder is synced.
//!
//! | an operation that fails | does |
//! |---|---|
//! | not done | nothing, and says so |
//! | done but reported failed | everything, and says that it failed |
//! | partly | a write's beginning, and says that it failed |
//! | full | a write's beginning, and says that there is no room |
//! | a sync that fails | some sectors reach the platter; some are dropped although the cache still shows them, and no later sync brings them there; some stay unsynced |
//! | the power cut | nothing, a part or all; after that nothing works until the machine starts again |
//!
//! What a truncation took away comes back whole or not at all, because file systems journal it. A sector is never
//! torn itself. Nothing here asks a clock, and all chance comes from the seed.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::chance::Chance;

mod file;
mod power;

pub use file::Handle;
use file::{File, Locks, Shared};
pub(crate) use file::{Lock, REGION_BYTES};
pub use power::Survives;

/// The unit that a disk writes whole or not at all.
pub const SECTOR_BYTES: u64 = 512;

/// Why an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// It failed; what is on the disk now is not known to whoever asked.
    Io,
    /// There is no room.
    Full,
    /// The power is off, or the process that had the file is gone.
    Off,
    /// There is no such file.
    Missing,
    /// Somebody else holds a lock.
    Busy,
}

/// What can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Reading bytes.
    Read,
    /// Writing bytes.
    Write,
    /// Cutting a file off.
    Truncate,
    /// Making a file's bytes durable.
    Sync,
    /// Making a new name.
    Create,
    /// Removing a name.
    Delete,
    /// Giving a file another name.
    Rename,
    /// Making names durable.
    SyncFolder,
}

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing is done, and that is said.
    NotDone,
    /// Everything is done, and it is said that it was not.
    DoneButFailed,
    /// The beginning of a write is done; for anything else like `NotDone`.
    Partly,
    /// No write finds room for so many operations, this one the first.
    Full(u32),
    /// The power goes off during this operation.
    PowerCut,
}

/// A trouble that waits for its operation.
#[derive(Clone, Copy, Debug)]
pub struct Armed {
    /// How many operations that could be hit go by before.
    pub after: u32,
    /// Only an operation of this kind; of any that changes something if `None`.
    pub only: Option<Op>,
    /// Only one on a file whose name holds this; on any if `None`.
    pub of: Option<&'static str>,
    /// What happens then.
    pub trouble: Trouble,
}

/// A disk that lies, for the bugs that are planted ([`crate::Plant`]). An honest disk does none of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lies {
    /// Syncing a file whose name ends so does nothing.
    pub sync_ignored: Option<&'static str>,
    /// Syncing a folder does nothing.
    pub folder_sync_ignored: bool,
    /// A sync that failed is said to have succeeded.
    pub sync_failure_hidden: bool,
    /// A power cut takes the first sector of a file whose name ends so, synced or not.
    pub first_sector_lost: Option<&'static str>,
}

/// What became of the trouble that was armed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// No operation was hit yet.
    Nothing,
    /// This one was.
    Hit(Op, Trouble),
}

/// A disk, shared by everybody who has a file of it open.
#[derive(Debug)]
pub struct Disk(Mutex<State>);

/// What was on a disk when nothing was unsynced: to begin a seed with.
#[derive(Clone, Debug, Default)]
pub struct Image(BTreeMap<String, Arc<Vec<u8>>>);

impl Image {
    /// Adds a file.
    pub fn add(&mut self, name: &str, bytes: Vec<u8>) {
        self.0.insert(name.to_owned(), Arc::new(bytes));
    }
}

#[derive(Debug)]
struct State {
    files: Vec<File>,
    names: HashMap<String, usize>,
    /// Changes of names that no sync of the folder has made durable, with what the name led to before.
    names_log: Vec<(String, Option<usize>)>,
    chance: Chance,
    armed: Option<Armed>,
    full_for: u32,
    met: Met,
    lies: Lies,
    powered: bool,
    /// Grows with each crash; what was opened before it is dead.
    generation: u64,
    ops: u64,
    /// A hash of all operations with their places and lengths, to tell whether a replay is exact.
    digest: u64,
    next_handle: u64,
    trace: Option<Vec<String>>,
}

/// What is to happen to an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    Fails { done: Portion, how: Failed },
}

/// How much of an operation happens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Portion {
    None,
    Some,
    All,
}

impl Disk {
    /// A disk with the files of an image, all of them durable.
    pub fn new(image: &Image, chance: Chance, lies: Lies) -> Disk {
        let mut state = State {
            files: Vec::new(),
            names: HashMap::new(),
            names_log: Vec::new(),
            chance,
            armed: None,
            full_for: 0,
            met: Met::Nothing,
            lies,
            powered: true,
            generation: 0,
            ops: 0,
            digest: 0xcbf2_9ce4_8422_2325,
            next_handle: 0,
            trace: None,
        };
        for (name, bytes) in &image.0 {
            state.names.insert(name.clone(), state.files.len());
            state.files.push(File::new(bytes.as_ref().clone()));
        }
        Disk(Mutex::new(state))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files as they are seen now.
    pub fn image(&self) -> Image {
        let state = self.state();
        let bytes = |file: &usize| Arc::new(state.files[*file].cache.clone());
        Image(
            state
                .names
                .iter()
                .map(|(name, file)| (name.clone(), bytes(file)))
                .collect(),
        )
    }

    /// Begins to note every operation.
    pub fn trace(&self) {
        self.state().trace = Some(Vec::new());
    }

    /// What was noted since the last time.
    pub fn take_trace(&self) -> Vec<String> {
        self.state()
            .trace
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// How many operations there were.
    pub fn ops(&self) -> u64 {
        self.state().ops
    }

    /// A hash of all operations so far: the same for two runs of a seed.
    pub fn digest(&self) -> u64 {
        self.state().digest
    }

    /// Makes a later operation fail, in place of whatever was armed before.
    pub fn arm(&self, armed: Armed) {
        let mut state = self.state();
        state.armed = Some(armed);
        state.met = Met::Nothing;
    }

    /// Takes the armed trouble away, and makes room.
    pub fn disarm(&self) {
        let mut state = self.state();
        state.armed = None;
        state.full_for = 0;
    }

    /// What became of what was armed last, since the last start.
    pub fn met(&self) -> Met {
        self.state().met
    }

    /// Whether the power is on.
    pub fn is_powered(&self) -> bool {
        self.state().powered
    }

    /// The process dies, the machine does not: open files are gone, the cache stays.
    pub fn kill(&self) {
        let mut state = self.state();
        state.note(|| "the process is killed".to_owned());
        state.new_generation();
    }

    /// The power goes off and comes back: what was not synced survives as `survives` says.
    pub fn power_cut(&self, survives: Survives) {
        let mut state = self.state();
        state.note(|| format!("the power goes off and comes back ({survives:?})"));
        state.lose(survives);
        state.powered = true;
        state.new_generation();
    }

    /// Opens a file, making it if told to.
    pub fn open(self: &Arc<Disk>, name: &str, create: bool) -> Result<Handle, Failed> {
        let mut state = self.state();
        if !state.powered {
            return Err(Failed::Off);
        }
        let found = state.names.get(name).copied();
        let file = match (found, create) {
            (Some(file), _) => file,
            (None, false) => return Err(Failed::Missing),
            (None, true) => {
                let fate = state.meet(Op::Create, name, 0, 0);
                let file = state.files.len();
                state.happen(fate, |state| {
                    state.files.push(File::new(Vec::new()));
                    state.set_name(name, Some(file));
                })?;
                file
            }
        };
        state.next_handle += 1;
        Ok(Handle::new(
            self.clone(),
            name,
            file,
            state.next_handle,
            state.generation,
        ))
    }

    /// Whether there is a file of this name.
    pub fn exists(&self, name: &str) -> Result<bool, Failed> {
        let state = self.state();
        match state.powered {
            true => Ok(state.names.contains_key(name)),
            false => Err(Failed::Off),
        }
    }

    /// Removes a name.
    pub fn delete(&self, name: &str) -> Result<(), Failed> {
        let mut state = self.state();
        if !state.powered {
            return Err(Failed::Off);
        }
        if !state.names.contains_key(name) {
            return Err(Failed::Missing);
        }
        let fate = state.meet(Op::Delete, name, 0, 0);
        state.happen(fate, |state| state.set_name(name, None))
    }

    /// Gives a file another name, in place of the file that had it.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), Failed> {
        let mut state = self.state();
        if !state.powered {
            return Err(Failed::Off);
        }
        let file = *state.names.get(from).ok_or(Failed::Missing)?;
        let fate = state.meet(Op::Rename, to, 0, 0);
        state.happen(fate, |state| {
            state.set_name(to, Some(file));
            state.set_name(from, None);
        })
    }

    /// Makes all names durable.
    pub fn sync_folder(&self) -> Result<(), Failed> {
        let mut state = self.state();
        if !state.powered {
            return Err(Failed::Off);
        }
        let fate = state.meet(Op::SyncFolder, ".", 0, 0);
        state.happen(fate, |state| {
            if !state.lies.folder_sync_ignored {
                state.names_log.clear();
            }
        })
    }
}

impl State {
    fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(what());
        }
    }

    fn new_generation(&mut self) {
        self.generation += 1;
        self.met = Met::Nothing;
        self.armed = None;
        self.full_for = 0;
        for file in &mut self.files {
            file.locks = Locks::default();
            file.shared = None::<Arc<Shared>>;
        }
    }

    fn set_name(&mut self, name: &str, file: Option<usize>) {
        let before = match file {
            Some(file) => self.names.insert(name.to_owned(), file),
            None => self.names.remove(name),
        };
        self.names_log.push((name.to_owned(), before));
    }

    /// Counts an operation and decides what becomes of it.
    fn meet(&mut self, op: Op, name: &str, at: u64, length: u64) -> Fate {
        self.ops += 1;
        for word in [op as u64, at, length] {
            self.digest = (self.digest ^ word).wrapping_mul(0x0000_0100_0000_01b3);
        }
        let fate = self.decide(op, name);
        if self.trace.is_some() {
            let ops = self.ops;
            let end = name.rsplit('/').next().unwrap_or(name).to_owned();
            let fate = match fate {
                Fate::Done => String::new(),
                Fate::Fails { done, how } => format!(" FAILS ({how:?}; done: {done})"),
            };
            self.note(|| format!("  {ops} {op:?} {end} {at}+{length}{fate}"));
        }
        fate
    }

    fn decide(&mut self, op: Op, name: &str) -> Fate {
        if self.full_for > 0 {
            self.full_for -= 1;
            if op == Op::Write {
                self.met = Met::Hit(op, Trouble::Full(self.full_for));
                return self.full();
            }
        }
        let Some(armed) = &mut self.armed else {
            return Fate::Done;
        };
        if armed.only.map_or(op == Op::Read, |only| only != op)
            || armed.of.is_some_and(|part| !name.contains(part))
        {
            return Fate::Done;
        }
        if armed.after > 0 {
            armed.after -= 1;
            return Fate::Done;
        }
        let trouble = armed.trouble;
        self.armed = None;
        self.met = Met::Hit(op, trouble);
        match trouble {
            Trouble::NotDone => Fate::Fails {
                done: Portion::None,
                how: Failed::Io,
            },
            Trouble::DoneButFailed => Fate::Fails {
                done: Portion::All,
                how: Failed::Io,
            },
            Trouble::Partly => Fate::Fails {
                done: Portion::Some,
                how: Failed::Io,
            },
            Trouble::Full(ops) if op == Op::Write => {
                self.full_for = ops.saturating_sub(1);
                self.full()
            }
            Trouble::Full(_) => Fate::Done,
            Trouble::PowerCut => {
                self.powered = false;
                let done = *self
                    .chance
                    .pick(&[Portion::None, Portion::Some, Portion::All]);
                Fate::Fails {
                    done,
                    how: Failed::Off,
                }
            }
        }
    }

    /// How much of a write happens, and what whoever asked is told.
    fn writing(&mut self, name: &str, at: u64, length: usize) -> (usize, Result<(), Failed>) {
        let (portion, outcome) = match self.meet(Op::Write, name, at, length as u64) {
            Fate::Done => (Portion::All, Ok(())),
            Fate::Fails { done, how } => (done, Err(how)),
        };
        let done = match portion {
            Portion::None => 0,
            Portion::Some => self.chance.below(length as u64) as usize,
            Portion::All => length,
        };
        (done, outcome)
    }

    fn full(&mut self) -> Fate {
        let done = *self.chance.pick(&[Portion::None, Portion::Some]);
        Fate::Fails {
            done,
            how: Failed::Full,
        }
    }

    /// Carries out, or not, an operation that has no parts.
    fn happen(&mut self, fate: Fate, act: impl FnOnce(&mut State)) -> Result<(), Failed> {
        match fate {
            Fate::Done => {
                act(self);
                Ok(())
            }
            Fate::Fails { done, how } => {
                if done == Portion::All {
                    act(self);
                }
                Err(how)
            }
        }
    }
}

impl fmt::Display for Portion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Portion::None => "nothing",
            Portion::Some => "a part",
            Portion::All => "all",
        })
    }
}
