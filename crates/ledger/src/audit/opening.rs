//! Opening what lies beside the lines, on many threads, and how far that has come without a gap: for both logs.
//!
//! One thread reads windows and hands them over; the others open them, in whatever order they come to.
//! What is written down is only ever "everything before this position was opened".

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tlog::Hash;

use super::How;
use super::derived::WINDOW;
use super::faults::{Fault, Faults};
use super::resume::{self, Reached};
use crate::read::{KnownEdge, StoredTiles};
use crate::witnessed::LogName;

/// How often the progress is written down.
const SAVED_EVERY: u64 = 32 * WINDOW;

/// What a window's contents came to.
pub(crate) struct Opened {
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// How many bytes they have, unpacked.
    pub(crate) bytes: u64,
    pub(crate) faults: Faults,
}

impl Opened {
    /// Nothing yet, of a window from this position on.
    pub(crate) fn from(from: u64, log: LogName) -> Opened {
        Opened {
            from,
            to: from,
            bytes: 0,
            faults: Faults::of(log),
        }
    }
}

/// How far contents were opened.
pub(crate) struct Opening {
    log: LogName,
    file: PathBuf,
    reached: Reached,
    resumed_at: u64,
    /// What is being opened, or was opened beyond a gap, by position; each with the root at its end.
    waiting: BTreeMap<u64, (Option<Opened>, Hash)>,
}

impl Opening {
    /// Takes up what an interrupted run left, if it is of this log, of this history and of this file, and did with
    /// the contents what this run does: open them, or only hold them against their lines.
    pub(crate) fn begin(
        dir: &Path,
        how: &How,
        log: LogName,
        origin: &str,
        opens: bool,
        db: &Connection,
    ) -> Opening {
        let file = resume::file(dir, how, log);
        let place = resume::place(dir, log);
        let left = match how.fresh {
            true => None,
            false => Reached::load(&file, log),
        };
        let left = left.filter(|left| {
            let tiles = KnownEdge::default();
            let root = tlog::root_at(left.done, &StoredTiles::new(db, &tiles)).ok();
            left.origin == origin
                && left.place == place
                && (left.opened || !opens)
                && root == Some(left.root)
        });
        let resumed_at = left.as_ref().map_or(0, |left| left.done);
        Opening {
            log,
            file,
            reached: match left {
                // From here on no more is opened than this run opens.
                Some(left) => Reached {
                    opened: opens,
                    ..left
                },
                None => Reached {
                    origin: origin.to_owned(),
                    place,
                    opened: opens,
                    done: 0,
                    root: tlog::root_of_empty(),
                    bytes: 0,
                    faults: Faults::of(log),
                },
            },
            resumed_at,
            waiting: BTreeMap::new(),
        }
    }

    /// Before this everything was opened by an earlier run; 0 if there was none.
    pub(crate) fn resumed_at(&self) -> u64 {
        self.resumed_at
    }

    /// The root that the entries before [`resumed_at`](Opening::resumed_at) must give in this run, too.
    pub(crate) fn root(&self) -> Hash {
        self.reached.root
    }

    /// Whether an earlier run has found this, and what it found is taken up.
    fn has_said(&self, fault: &Fault) -> bool {
        self.reached.faults.iter().any(|said| said == fault)
    }

    /// Takes in what was opened, and writes down how far that is without a gap.
    fn gather(&mut self, opened: Opened) {
        let before = self.reached.done / SAVED_EVERY;
        if let Some((waiting, _)) = self.waiting.get_mut(&opened.from) {
            *waiting = Some(opened);
        }
        while let Some(entry) = self.waiting.first_entry() {
            if entry.get().0.is_none() {
                break;
            }
            if let (Some(opened), root) = entry.remove() {
                self.reached.done = opened.to;
                self.reached.root = root;
                self.reached.bytes += opened.bytes;
                self.reached.faults.extend(opened.faults);
            }
        }
        if self.reached.done / SAVED_EVERY > before {
            // Whoever may not write here only cannot resume.
            let _ = self.reached.save(&self.file);
        }
    }

    /// The end: the faults that were found, and how many bytes there were. Nothing of a log of this size is
    /// passed for want of somebody to open it.
    pub(crate) fn end(mut self, size: u64, goes_on: bool) -> (Faults, u64) {
        let done = self.reached.done;
        let _ = match goes_on && done == size {
            true => self.reached.save(&self.file),
            false => std::fs::remove_file(&self.file),
        };
        if done != size {
            let entry = match self.log {
                LogName::Record => "entry",
                LogName::Access => "leaf",
            };
            self.reached.faults.say(format!(
                "The contents from {entry} {done} on could not be opened: audit again"
            ));
        }
        (self.reached.faults, self.reached.bytes)
    }
}

/// The threads that open, for the one that reads.
pub(crate) struct Hands<'o, W> {
    opening: &'o mut Opening,
    to_open: SyncSender<W>,
    opened: Receiver<Opened>,
}

/// Lets `read` hand windows over to as many threads, each of which does `open` with them. When this returns,
/// everything that was handed over is opened.
pub(crate) fn on_threads<W: Send, T>(
    threads: usize,
    opening: &mut Opening,
    open: impl Fn(&W) -> Opened + Sync,
    read: impl FnOnce(&mut Hands<'_, W>) -> T,
) -> T {
    let threads = match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    std::thread::scope(|scope| {
        let (to_open, queue) = mpsc::sync_channel::<W>(threads * 4);
        let (done, opened) = mpsc::channel::<Opened>();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let (queue, done, open) = (queue.clone(), done.clone(), &open);
            scope.spawn(move || {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(window) = next else { return };
                    if done.send(open(&window)).is_err() {
                        return;
                    }
                }
            });
        }
        drop((queue, done));
        let mut hands = Hands {
            opening,
            to_open,
            opened,
        };
        let outcome = read(&mut hands);
        let Hands {
            opening,
            to_open,
            opened,
        } = hands;
        drop(to_open);
        for opened in opened {
            opening.gather(opened);
        }
        outcome
    })
}

impl<W> Hands<'_, W> {
    /// Before this nothing is to be handed over: an earlier run opened it.
    pub(crate) fn resumed_at(&self) -> u64 {
        self.opening.resumed_at
    }

    /// What was found before [`resumed_at`](Hands::resumed_at) in this run, without what the earlier run says already.
    pub(crate) fn not_said(&self, found: Faults, faults: &mut Faults) {
        for fault in found.list() {
            if !self.opening.has_said(&fault) {
                faults.push(fault);
            }
        }
    }

    /// Hands a window over that begins at a position; `root` is the tree's at its end.
    pub(crate) fn open(&mut self, from: u64, root: Hash, window: W) {
        self.opening.waiting.insert(from, (None, root));
        // The other side only ends when this one does.
        let _ = self.to_open.send(window);
    }

    /// Takes in what was opened meanwhile.
    pub(crate) fn gather(&mut self) {
        while let Ok(opened) = self.opened.try_recv() {
            self.opening.gather(opened);
        }
    }
}
