//! Bringing in files: FHIR transaction bundles, collections, single resources, and NDJSON.
//!
//! Every bundle is one transaction; an NDJSON file is taken in parts of [`PART_LINES`] lines, each
//! part one transaction. What a file has already brought in is noted in the same commit as the
//! entries, by the hash of its bytes, and the ids of new resources are derived from that hash, so
//! an import that is killed at any point and run again ends with the same record.
//!
//! Files are read, parsed, checked and compressed on all cores; one writer orders them. Nothing
//! else may write meanwhile: the import holds the programme's lock.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

use ledger::ImportMark;

use crate::error::{Error, ErrorKind};
use crate::programme::{Actor, Batch, Draft, Offline, Writing};

mod read;

/// How many lines of an NDJSON file are one transaction.
pub const PART_LINES: usize = 500;

/// Writes are committed when this many have gathered.
const GROUP_WRITES: usize = 2_000;

/// What an import has done so far; shared with whoever draws the progress bar.
#[derive(Default)]
pub struct Progress {
    /// Bytes of input that are done with.
    pub bytes: AtomicU64,
    /// Resources written in this run.
    pub resources: AtomicU64,
    /// Resources that an earlier run had already brought in.
    pub already: AtomicU64,
    /// Files done with.
    pub files: AtomicUsize,
}

/// One thing that could not be brought in: the file, the place in it, and why.
#[derive(Debug)]
pub struct Trouble {
    /// The file as it was named.
    pub file: PathBuf,
    /// What was wrong, with line and column where there are any.
    pub error: Error,
}

/// The files behind the given paths, folders read recursively, in a stable order.
pub fn files(paths: &[PathBuf]) -> Result<Vec<(PathBuf, u64)>, Error> {
    let mut found = Vec::new();
    let mut todo: VecDeque<PathBuf> = paths.iter().cloned().collect();
    while let Some(path) = todo.pop_front() {
        let about = std::fs::metadata(&path).map_err(|error| unreadable(&path, &error))?;
        if about.is_dir() {
            let mut inside = Vec::new();
            for entry in std::fs::read_dir(&path).map_err(|error| unreadable(&path, &error))? {
                let inner = entry.map_err(|error| unreadable(&path, &error))?.path();
                if inner.is_dir() || is_input(&inner) {
                    inside.push(inner);
                }
            }
            inside.sort();
            for inner in inside.into_iter().rev() {
                todo.push_front(inner);
            }
        } else {
            found.push((path, about.len()));
        }
    }
    Ok(found)
}

fn is_input(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending == "json" || ending == "ndjson")
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::Invalid,
        format!("{} cannot be read: {error}.", path.display()),
    )
}

/// One transaction on its way from a worker to the writer.
struct Part {
    drafts: Vec<Draft>,
    mark: ImportMark,
}

impl Part {
    fn into_batch(self) -> Batch {
        let actor = Actor {
            name: "import".to_owned(),
            purpose: "HOPERAT".to_owned(),
        };
        Batch {
            actor,
            at: None,
            drafts: self.drafts,
            mark: Some(self.mark),
        }
    }
}

/// What a worker hands over for one file, in the files' order.
enum Handed {
    /// A transaction; more of the same file may follow.
    Transaction(Part),
    /// The file is done with.
    EndOfFile { bytes: u64 },
    /// The file is refused from here on.
    Trouble { error: Error, bytes: u64 },
}

/// A queue from the workers to the writer that keeps the files' order and bounds memory: a worker
/// waits when the writer has enough to do.
struct Handover {
    state: Mutex<HandoverState>,
    changed: Condvar,
}

#[derive(Default)]
struct HandoverState {
    /// By file, what waits for the writer.
    waiting: BTreeMap<usize, VecDeque<Handed>>,
    /// The file that the writer takes from.
    taking: usize,
    /// Writes that wait in all.
    writes: usize,
}

/// Workers wait when this many writes wait for the writer.
const WAITING_WRITES_MAX: usize = 6_000;

impl Handover {
    fn new() -> Handover {
        Handover {
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HandoverState> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Hands over something of file number `file`.
    fn put(&self, file: usize, handed: Handed, stop: &AtomicBool) {
        let mut state = self.lock();
        while state.writes > WAITING_WRITES_MAX
            && state.taking != file
            && !stop.load(Ordering::Relaxed)
        {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        // The file being taken goes first, but it may not fill the memory either. What waits of
        // other files is no reason to wait: the writer takes none of it before this file ends.
        while state.writes > WAITING_WRITES_MAX
            && state
                .waiting
                .get(&file)
                .is_some_and(|waiting| !waiting.is_empty())
            && !stop.load(Ordering::Relaxed)
        {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        if let Handed::Transaction(part) = &handed {
            state.writes += part.drafts.len();
        }
        state.waiting.entry(file).or_default().push_back(handed);
        self.changed.notify_all();
    }

    /// Lets every worker go on, to see that it is to stop.
    fn stop(&self, stop: &AtomicBool) {
        // Under the lock: a worker that has just looked must not begin to wait after this.
        let _state = self.lock();
        stop.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }

    /// The next thing in order; waits for it.
    fn take(&self) -> Handed {
        let mut state = self.lock();
        loop {
            let taking = state.taking;
            if let Some(handed) = state.waiting.get_mut(&taking).and_then(VecDeque::pop_front) {
                match &handed {
                    Handed::Transaction(part) => state.writes -= part.drafts.len(),
                    Handed::EndOfFile { .. } | Handed::Trouble { .. } => {
                        state.waiting.remove(&taking);
                        state.taking += 1;
                    }
                }
                self.changed.notify_all();
                return handed;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }
}

/// Brings in `files`. Files that are refused are told of and left out; the others go in.
pub fn import(
    programme: &mut Offline,
    files: &[(PathBuf, u64)],
    cores: usize,
    progress: &Progress,
) -> Result<Vec<Trouble>, Error> {
    let handover = Handover::new();
    let next_file = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let ledger = programme.ledger().clone();
    let writing = programme.writing();
    std::thread::scope(|scope| {
        for _ in 0..cores.max(1) {
            scope.spawn(|| {
                loop {
                    let file = next_file.fetch_add(1, Ordering::Relaxed);
                    let Some((path, bytes)) = files.get(file) else {
                        return;
                    };
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let mut hand = |part: Part| {
                        handover.put(file, Handed::Transaction(part), &stop);
                    };
                    // The writer waits for this file: whatever becomes of it must be handed over.
                    let read = catch_unwind(AssertUnwindSafe(|| {
                        read::file(path, &ledger, progress, &mut hand)
                    }));
                    let end = match read {
                        Ok(Ok(())) => Handed::EndOfFile { bytes: *bytes },
                        Ok(Err(error)) => Handed::Trouble {
                            error,
                            bytes: *bytes,
                        },
                        Err(_) => Handed::Trouble {
                            error: Error::internal("reading the file panicked"),
                            bytes: *bytes,
                        },
                    };
                    handover.put(file, end, &stop);
                }
            });
        }
        let outcome = write_all(writing, files, &handover, progress);
        handover.stop(&stop);
        outcome
    })
}

fn write_all(
    mut writing: Writing<'_>,
    files: &[(PathBuf, u64)],
    handover: &Handover,
    progress: &Progress,
) -> Result<Vec<Trouble>, Error> {
    let mut troubles = Vec::new();
    let mut group: Vec<(usize, Part)> = Vec::new();
    let mut writes = 0;
    let mut ended = 0;
    while ended < files.len() {
        match handover.take() {
            Handed::Transaction(part) => {
                writes += part.drafts.len();
                group.push((ended, part));
            }
            Handed::EndOfFile { bytes } => {
                progress.bytes.fetch_add(bytes, Ordering::Relaxed);
                ended += 1;
            }
            Handed::Trouble { error, bytes } => {
                progress.bytes.fetch_add(bytes, Ordering::Relaxed);
                troubles.push(Trouble {
                    file: files[ended].0.clone(),
                    error,
                });
                ended += 1;
            }
        }
        if writes >= GROUP_WRITES || (ended == files.len() && !group.is_empty()) {
            let (from, batches): (Vec<usize>, Vec<Batch>) = group
                .drain(..)
                .map(|(file, part)| (file, part.into_batch()))
                .unzip();
            for (file, outcome) in from.into_iter().zip(writing.write(batches)?) {
                match outcome {
                    Ok(written) => {
                        progress
                            .resources
                            .fetch_add(written as u64, Ordering::Relaxed);
                    }
                    Err(error) => troubles.push(Trouble {
                        file: files[file].0.clone(),
                        error,
                    }),
                }
            }
            writes = 0;
        }
        progress.files.store(ended, Ordering::Relaxed);
    }
    writing.finish()?;
    Ok(troubles)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(writes: usize) -> Handed {
        let draft = |_| Draft::delete("Patient", "a", crate::programme::Expect::Any);
        let mark = ImportMark {
            source: Vec::new(),
            part: 0,
        };
        Handed::Transaction(Part {
            drafts: (0..writes).map(draft).collect(),
            mark,
        })
    }

    /// A large file that is ready before its turn holds up only what comes after it.
    #[test]
    fn the_file_being_taken_never_waits_for_those_after_it() {
        let handover = std::sync::Arc::new(Handover::new());
        let stop = std::sync::Arc::new(AtomicBool::new(false));
        handover.put(1, part(5 * WAITING_WRITES_MAX), &stop);
        handover.put(1, Handed::EndOfFile { bytes: 1 }, &AtomicBool::new(true));
        let (told, done) = std::sync::mpsc::channel();
        let (shared, stopped) = (handover.clone(), stop.clone());
        std::thread::spawn(move || {
            shared.put(0, part(1), &stopped);
            shared.put(0, Handed::EndOfFile { bytes: 1 }, &stopped);
            let _ = told.send(());
        });
        let mut ended = 0;
        let soon = std::time::Duration::from_secs(20);
        let first = handover.clone();
        let (took, taken) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            while ended < 2 {
                ended += usize::from(!matches!(first.take(), Handed::Transaction(_)));
            }
            let _ = took.send(());
        });
        let both = (
            done.recv_timeout(soon).is_ok(),
            taken.recv_timeout(soon).is_ok(),
        );
        handover.stop(&stop);
        assert_eq!(both, (true, true));
    }
}
