//! Reads everything back and says what does not fit. Changes nothing; works beside the server.
//!
//! Every byte of an entry and its content is covered by at least one of these:
//!
//! | what | is checked against |
//! |---|---|
//! | positions | each from 0 to the signed size, in `entry` and in `content`, and none besides |
//! | a line | reads; says its own position; not recorded before the one before it |
//! | a line's hash | the tile that holds it; the tree's root in the signed checkpoint |
//! | a person's link | that person's entry before, and the head in `person` |
//! | a version | the version before it of the same resource; the action fits |
//! | a sealed body | the line's hash of it; it opens with its key, for its place, and unpacks; the line's commitment to salt and content |
//! | a key | one person's, for one class, in the order of the epochs; in `key_use` and in the keyring, under one name |
//! | the content's name | the kind and id (or alias) in the line |
//! | a destroyed key | an erasure on the record that names it, and its person; or a restoration that found it gone; what it sealed was sealed under the key of its name |
//! | a restoration that lost entries | its place, the log that ended and the log that began; each person whose keys were gone is told |
//! | a map of heads | computed anew from the lines before it |
//! | tiles, heads of persons | computed anew; none missing, none besides |
//! | import marks | name entries that exist |
//! | the checkpoint | the log's key, as it lies in `keys/` |
//! | what witnesses have signed | the lines give the same root at that size |
//! | checkpoints from elsewhere | likewise |
//! | a row of `witnessed.sqlite` | the hash that was written with it |
//! | the access log's key | the newest map of heads names it, and no map another one unless the log began anew |
//! | recorded times | the times at which witnesses signed before and after |
//! | tables and triggers | as this version makes them; SQLite's own integrity check |
//!
//! What an audit cannot find: a ledger that was replaced as a whole by someone
//! who has the keys. For that, keep a checkpoint elsewhere.
//!
//! # How it reads
//!
//! One thread reads windows of 256 entries in order and follows the lines (`walk`); the others open
//! the contents (`opened`), which is nearly all of the work. Rows are looked up one by one, each in
//! a moment of its own: an entry, a content and a full tile never change once they are there, so a
//! moment held over all of them would say nothing more, and it would keep a server from folding its
//! write-ahead log in. Only at the end, for what does change (heads of persons, the checkpoint), is
//! one moment taken: the last few entries are read in it too, so that the audit ends at one size
//! with everything as of that size.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use evidence::erasure::Act;
use record::time::RecordedAt;
use rusqlite::{Connection, OptionalExtension};
use seal::Class;
use tlog::checkpoint::Checkpoint;
use tlog::policy::Policy;

use crate::access;
use crate::keys::Keys;
use crate::lock;
use crate::read::{KnownEdge, StoredTiles};
use crate::sealing::Sealing;
use crate::store::{self, OpenError};
use crate::witnessed::{self, LogName};

mod acts;
pub(crate) mod cosigned;
mod derived;
mod faults;
#[cfg(unix)]
pub mod flips;
pub(crate) mod key_use;
mod opened;
pub(crate) mod restored;
mod resume;
mod structure;
mod walk;
mod window;

pub use cosigned::{Kept, Newest, Outside};
pub use faults::Fault;
pub use key_use::Gone;
pub use restored::{Lost, Named, Restoration, part as restoration};

use acts::Acts;
use cosigned::Word;
use derived::WINDOW;
pub(crate) use faults::Faults;
use key_use::Uses;
use opened::{Opened, With};
use resume::Reached;
use structure::Known;
use walk::Walk;
use window::Window;

/// At the end this many entries at most are read in the one moment that the tables of heads are read in.
const TAIL: u64 = 16 * WINDOW;

/// How often the progress is written down.
const SAVED_EVERY: u64 = 32 * WINDOW;

/// How an audit is done.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// What opens the contents. Without, everything is checked that lines and sealed bodies tell.
    pub keys: Option<Keys>,
    /// On how many threads contents are opened; 0 is as many as there are cores.
    pub threads: usize,
    /// Where progress is kept, if not beside the ledger.
    pub resume: Option<PathBuf>,
    /// Opens everything, whatever an interrupted run had opened.
    pub fresh: bool,
    /// The directory whose `keys` are used, if it is not the ledger's own: for a backup.
    pub keys_of: Option<PathBuf>,
    /// By which policy cosignatures count, if not by the one that lies in the directory.
    pub policy: Option<Policy>,
    /// Checkpoints from elsewhere, of the record or of the access log.
    pub kept: Vec<Kept>,
    /// The log ends here and another begins, so nothing is signed with its key any more: whether that key is there
    /// is not asked.
    pub log_ends: bool,
}

impl How {
    /// With these keys, and the rest as by default.
    pub fn with(keys: &Keys) -> How {
        How {
            keys: Some(keys.clone()),
            ..How::default()
        }
    }
}

/// How far an audit has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Entries read.
    pub reached: u64,
    /// Entries in all, as far as known.
    pub size: u64,
    /// Bytes read.
    pub bytes: u64,
}

/// What an audit came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many entries were read.
    pub entries: u64,
    /// How many bytes of lines and bodies were read in this run.
    pub bytes_read: u64,
    /// How many bytes of content they have, unpacked.
    pub bytes: u64,
    /// How many contents do not open because their key was destroyed.
    pub erased: u64,
    /// Persons' keys that were destroyed though no act on the record says so; each is a fault as well.
    pub destroyed_unsaid: Vec<Gone>,
    /// How many faults there are besides those.
    pub other_faults: u64,
    /// Restorations that lost entries, each with the keys that were gone by then. No faults: they are explained, and
    /// are to be said each time.
    pub restorations: Vec<Restoration>,
    /// The steps of erasures, each with its entry's position.
    pub erasures: Vec<(u64, Act)>,
    /// Whether contents were opened: without keys they are only held against their lines' hashes.
    pub opened: bool,
    /// The contents before this position were opened by an earlier run that was interrupted; 0 if there was none.
    pub resumed_at: u64,
    /// Whether SQLite's own check of its pages covered the whole file, which it does only when nobody appends.
    pub whole_file: bool,
    /// What does not fit: of the whole first, then by entry.
    pub faults: Vec<Fault>,
    /// What was held against the word of others.
    pub outside: Outside,
    /// The signed checkpoint as it is stored.
    pub checkpoint: String,
}

impl Report {
    /// When the log began anew, if a restoration lost entries; known only if contents were opened.
    pub fn restored(&self) -> Option<RecordedAt> {
        self.restorations.last().map(|last| last.recorded_at)
    }
}

/// Audits a data directory.
///
/// An error means that there is nothing to audit: no ledger, or one of another version.
pub fn audit(
    dir: &Path,
    how: &How,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, OpenError> {
    let db = store::open_to_read(dir)?;
    let mut faults = Faults::default();
    // Whoever holds the lock appends.
    let at_rest = !lock::is_held(dir);
    structure::pages(&db, at_rest, &mut faults);
    structure::schema(&db, &mut faults);
    for what in witnessed::faults(dir, at_rest) {
        faults.say(what);
    }
    let keys_of = how.keys_of.as_deref().unwrap_or(dir);
    let known = structure::known(&db, keys_of, how.log_ends, &mut faults);
    let sealing = match (&how.keys, &known.identity) {
        (Some(keys), Some(identity)) => {
            Some(Sealing::new(identity.programme.clone(), keys.clone()))
        }
        _ => None,
    };
    // What cannot be read here is said where `key_use` is held against the contents.
    let destroyed = how.keys.as_ref().map(|keys| key_use::destroyed(&db, keys));
    let destroyed = destroyed.and_then(Result::ok).unwrap_or_default();
    let with = With {
        sealing: sealing.as_ref(),
        aliases: known.aliases.as_ref(),
        destroyed: &destroyed,
    };
    let mut audit = Audit {
        keys: how.keys.as_ref(),
        sealing: sealing.as_ref(),
        uses: Uses::default(),
        acts: Acts::default(),
        word: Word::default(),
        erased: 0,
        destroyed_unsaid: Vec::new(),
        progress_file: how.resume.clone().unwrap_or_else(|| dir.join(resume::FILE)),
        db: &db,
        known: &known,
        faults,
        walk: Walk::new(),
        roots: BTreeMap::new(),
        opened: Reached {
            origin: known
                .identity
                .as_ref()
                .map_or_else(String::new, |known| known.origin.clone()),
            done: 0,
            root: tlog::root_of_empty(),
            bytes: 0,
            faults: Faults::default(),
        },
        resumed_at: 0,
        behind: BTreeMap::new(),
        bytes_read: 0,
        size: 0,
    };
    if !how.fresh {
        audit.resume();
    }
    if let Some(identity) = &known.identity {
        audit.witnessed(dir, how, identity);
    }
    let threads = match how.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let checkpoint = std::thread::scope(|scope| {
        let (to_open, queue) = mpsc::sync_channel::<Window>(threads * 4);
        let (done, from_opened) = mpsc::channel::<Opened>();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let (queue, done) = (queue.clone(), done.clone());
            scope.spawn(move || {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(window) = next else { return };
                    if done.send(opened::open(&window, with)).is_err() {
                        return;
                    }
                }
            });
        }
        drop((queue, done));
        let checkpoint = audit.run(&to_open, &from_opened, progress);
        drop(to_open);
        for opened in from_opened {
            audit.gather(opened);
        }
        audit.all_opened();
        checkpoint
    })?;
    let _ = std::fs::remove_file(&audit.progress_file);
    progress(Progress {
        reached: audit.size,
        size: audit.size,
        bytes: audit.bytes_read,
    });
    let mut faults = audit.faults;
    faults.extend(audit.opened.faults);
    // An access log that cannot be read at all is its own audit's to say.
    if let Ok((_, key)) = access::name_and_key(dir) {
        audit.acts.check_access(&key, &mut faults);
    }
    Ok(Report {
        entries: audit.walk.entries,
        bytes_read: audit.bytes_read,
        bytes: audit.opened.bytes,
        erased: audit.erased,
        other_faults: faults.count() - audit.destroyed_unsaid.len() as u64,
        destroyed_unsaid: audit.destroyed_unsaid,
        restorations: audit.acts.restorations,
        erasures: audit.acts.steps,
        opened: sealing.is_some(),
        resumed_at: audit.resumed_at,
        whole_file: at_rest,
        faults: faults.list(),
        outside: audit.word.outside,
        checkpoint,
    })
}

struct Audit<'d> {
    db: &'d Connection,
    keys: Option<&'d Keys>,
    sealing: Option<&'d Sealing>,
    uses: Uses,
    acts: Acts,
    word: Word,
    erased: u64,
    destroyed_unsaid: Vec<Gone>,
    known: &'d Known,
    progress_file: PathBuf,
    faults: Faults,
    walk: Walk,
    /// Sizes at which the lines must give a root, and whose word that is.
    roots: BTreeMap<u64, Vec<Vouched>>,
    /// What has been opened without a gap.
    opened: Reached,
    resumed_at: u64,
    /// What was opened beyond a gap, by position.
    behind: BTreeMap<u64, (Opened, tlog::Hash)>,
    bytes_read: u64,
    size: u64,
}

/// A root that somebody vouches for.
struct Vouched {
    root: tlog::Hash,
    otherwise: String,
}

impl Audit<'_> {
    /// Takes up what an interrupted run left, if it is of this log and of this history.
    fn resume(&mut self) {
        let Some(reached) = Reached::load(&self.progress_file) else {
            return;
        };
        let tiles = KnownEdge::default();
        let root = tlog::root_at(reached.done, &StoredTiles::new(self.db, &tiles)).ok();
        if reached.origin != self.opened.origin || root != Some(reached.root) {
            return;
        }
        self.must_give(
            reached.done,
            reached.root,
            format!(
                "The first {} entries are not those whose contents an earlier run opened: audit again with --fresh",
                reached.done
            ),
        );
        self.resumed_at = reached.done;
        self.opened = reached;
    }

    /// What others have signed must be what the lines give.
    fn witnessed(&mut self, dir: &Path, how: &How, identity: &store::Identity) {
        self.word = cosigned::read(dir, how, identity, LogName::Record, &mut self.faults);
        for signed in std::mem::take(&mut self.word.signed) {
            let otherwise = format!(
                "The first {} entries are not those that {}",
                signed.size, signed.source
            );
            self.must_give(signed.size, signed.root, otherwise);
        }
    }

    /// Says at which size the lines must give which root.
    fn must_give(&mut self, size: u64, root: tlog::Hash, otherwise: String) {
        self.roots
            .entry(size)
            .or_default()
            .push(Vouched { root, otherwise });
    }

    /// Everything in order; gives the checkpoint that the audit ends at.
    fn run(
        &mut self,
        to_open: &mpsc::SyncSender<Window>,
        opened: &mpsc::Receiver<Opened>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<String, OpenError> {
        // While a server appends there is always more: read on until little is left.
        while let Some(size) = self.signed_now().map(|checkpoint| checkpoint.size) {
            if size.saturating_sub(self.walk.edge.size()) <= TAIL {
                break;
            }
            self.follow(size, to_open, opened, progress);
        }
        // One moment from here on.
        let _moment = self.db.unchecked_transaction()?;
        let (text, signed) =
            structure::signed(self.db, self.known.identity.as_ref(), &mut self.faults);
        let size = match &signed {
            Some(checkpoint) => checkpoint.size,
            // Nothing vouches for a size: audit what is there.
            None => crate::read::size(self.db)?,
        };
        if let Some(signed) = signed {
            let otherwise = format!(
                "The {} entries do not give the root that the checkpoint signs",
                signed.size
            );
            self.must_give(signed.size, signed.root, otherwise);
        }
        self.follow(size, to_open, opened, progress);
        self.size = size;
        for (size, vouched) in std::mem::take(&mut self.roots) {
            for vouched in vouched {
                self.faults.say(match size {
                    size if size > self.size => format!(
                        "{} ({size} entries, of which only {} are there)",
                        vouched.otherwise, self.size
                    ),
                    _ => vouched.otherwise,
                });
            }
        }
        let faults = &mut self.faults;
        derived::outside(self.db, "entry", size, faults);
        derived::outside(self.db, "content", size, faults);
        derived::tiles_besides(self.db, size, faults);
        derived::heads(self.db, &self.walk.chains, faults);
        derived::import_marks(self.db, size, faults);
        let destroyed = self.uses.check(self.db, self.keys, faults);
        self.erased = destroyed.iter().map(|destroyed| destroyed.count).sum();
        if self.keys.is_some() {
            if let Some(identity) = &self.known.identity {
                self.acts.logs(identity, faults);
            }
            self.destroyed_unsaid = self.acts.check(&destroyed, faults);
            self.made_again()?;
        }
        Ok(text)
    }

    /// Whoever makes a resource that was there must find it erased.
    fn made_again(&mut self) -> rusqlite::Result<()> {
        let db = self.db;
        let mut slot = db.prepare("SELECT slot FROM content WHERE position = ?1")?;
        for made in std::mem::take(&mut self.walk.made_again) {
            let before: Option<u32> = slot
                .query_row([made.before as i64], |row| row.get(0))
                .optional()?;
            if !before.is_some_and(|slot| self.acts.took(slot, made.position)) {
                self.faults.at(made.position, made.otherwise);
            }
        }
        Ok(())
    }

    /// The checkpoint as it is stored now, if it is signed. That it is not is said at the end, once.
    fn signed_now(&self) -> Option<Checkpoint> {
        structure::signed(
            self.db,
            self.known.identity.as_ref(),
            &mut Faults::default(),
        )
        .1
    }

    /// Follows the lines up to a size, and hands contents over to be opened.
    fn follow(
        &mut self,
        size: u64,
        to_open: &mpsc::SyncSender<Window>,
        opened: &mpsc::Receiver<Opened>,
        progress: &mut dyn FnMut(Progress),
    ) {
        self.check_roots();
        while self.walk.edge.size() < size {
            let from = self.walk.edge.size();
            let mut to = size.min((from / WINDOW + 1) * WINDOW);
            // A window ends where a root is to be given.
            if let Some((at, _)) = self.roots.range(from + 1..).next() {
                to = to.min(*at);
            }
            let with_bodies = from >= self.resumed_at;
            let window = Window::read(self.db, from, to, with_bodies, &mut self.faults);
            self.bytes_read += window.bytes();
            self.lines(&window);
            self.check_roots();
            if with_bodies {
                self.behind.insert(
                    from,
                    (
                        Opened {
                            from,
                            to: from,
                            ..Opened::default()
                        },
                        self.walk.edge.root(),
                    ),
                );
                // The other side only ends when this one does.
                let _ = to_open.send(window);
            }
            while let Ok(opened) = opened.try_recv() {
                self.gather(opened);
            }
            progress(Progress {
                reached: to,
                size,
                bytes: self.bytes_read,
            });
        }
    }

    fn lines(&mut self, window: &Window) {
        let mut filled = Vec::new();
        let mut known: Option<Option<Vec<u8>>> = None;
        for (position, line, row) in window.rows() {
            let hash = match line {
                Some(_) => None,
                None => known
                    .get_or_insert_with(|| {
                        derived::tile(self.db, 0, position / WINDOW, &mut self.faults)
                            .filter(|tile| tile.len() == tlog::TILE_BYTES)
                    })
                    .as_ref()
                    .map(|tile| tile.as_chunks().0[(position % WINDOW) as usize]),
            };
            // A restoration says what the entries before it gave.
            let before = row
                .is_some_and(|row| row.class == Class::Programme as i64)
                .then(|| self.walk.edge.root());
            let line = self
                .walk
                .line(position, line, hash, &mut filled, &mut self.faults);
            if let Some(line) = &line {
                let at = line.recorded_at;
                self.word.outside.recorded(position, at);
                for what in self.word.bounds.contradict(position, at) {
                    self.faults.at(position, what);
                }
            }
            if let (Some(line), Some(row)) = (line, row) {
                self.uses.content(position, &line, row, &mut self.faults);
                // What does not open is said by whoever opens all.
                if let Some(before) = before
                    && acts::may_be_act(&line)
                    && let Some(Ok(content)) = self.sealing.map(|s| s.open(&line, row))
                {
                    self.acts
                        .content(&line, &content.stored, before, &self.walk, &mut self.faults);
                }
            }
        }
        for filled in &filled {
            derived::full_tile(self.db, filled, &mut self.faults);
        }
    }

    /// Holds the lines so far against the roots that are vouched for at this size.
    fn check_roots(&mut self) {
        let size = self.walk.edge.size();
        let Some(vouched) = self.roots.remove(&size) else {
            return;
        };
        let root = self.walk.edge.root();
        for vouched in vouched.into_iter().filter(|vouched| vouched.root != root) {
            self.faults.say(vouched.otherwise);
        }
    }

    /// Nothing is passed for want of somebody to open it.
    fn all_opened(&mut self) {
        let done = self.opened.done;
        if done != self.size {
            let what =
                format!("The contents from entry {done} on could not be opened: audit again");
            self.faults.say(what);
        }
    }

    /// Takes in what was opened, and writes down how far that is without a gap.
    fn gather(&mut self, opened: Opened) {
        let before = self.opened.done / SAVED_EVERY;
        let from = opened.from;
        if let Some((waiting, _)) = self.behind.get_mut(&from) {
            *waiting = opened;
        }
        while let Some(entry) = self.behind.first_entry() {
            let (opened, _) = entry.get();
            if opened.to == opened.from {
                break;
            }
            let (opened, root) = entry.remove();
            self.opened.done = opened.to;
            self.opened.root = root;
            self.opened.bytes += opened.bytes;
            self.opened.faults.extend(opened.faults);
        }
        if self.opened.done / SAVED_EVERY > before {
            // Whoever may not write here only cannot resume.
            let _ = self.opened.save(&self.progress_file);
        }
    }
}
