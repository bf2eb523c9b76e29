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
//! | a destroyed key | an erasure on the record that names it and its person, covers its class and all that it sealed, and says how much that is; or a restoration that found it gone; what it sealed was sealed under the key of its name |
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
//! the contents (`opened`), which is most of the work. Rows are looked up one by one, as readers look
//! them up, in a moment for each window: an entry, a content and a full tile never change once they are
//! there, so a moment held over all of them would say nothing more, and it would keep a server from
//! folding its write-ahead log in. Only at the end, for what does change (heads of persons, the checkpoint), is
//! one moment taken: the last few entries are read in it too, so that the audit ends at one size
//! with everything as of that size.
//!
//! Keys change too: a server beside the audit makes new ones for people who come, and destroys old ones. So they are
//! read again whenever it is known up to where the lines are followed next, and around that last moment, until nothing
//! was destroyed between the reading before it began and the one after.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evidence::content::KeyName;
use evidence::erasure::Act;
use record::time::RecordedAt;
use rusqlite::{Connection, OptionalExtension, Transaction};
use seal::Class;
use tlog::policy::Policy;

use crate::access;
use crate::keys::Keys;
use crate::lock;
use crate::sealing::Sealing;
use crate::store::{self, OpenError};
use crate::witnessed::{self, LogName};

mod acts;
pub(crate) mod cosigned;
pub(crate) mod derived;
pub(crate) mod faults;
#[cfg(unix)]
pub mod flips;
pub(crate) mod key_use;
mod opened;
pub(crate) mod opening;
pub(crate) mod restored;
mod resume;
pub(crate) mod roots;
pub(crate) mod structure;
pub(crate) mod walk;
pub(crate) mod window;

pub use cosigned::{Kept, Newest, Outside};
pub use faults::Fault;
pub use key_use::Gone;
pub use restored::{Lost, Named, Restoration, part as restoration};

use acts::Acts;
use cosigned::Word;
use derived::{Hashes, WINDOW};
pub(crate) use faults::Faults;
use key_use::Uses;
use opened::With;
use opening::{Hands, Opening, on_threads};
use roots::Roots;
use structure::Known;
use walk::Walk;
use window::Window;

/// At the end this many entries at most are read in the one moment that the tables of heads are read in.
pub(crate) const TAIL: u64 = 16 * WINDOW;

/// How an audit is done.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// What opens the contents. Without, everything is checked that lines and sealed bodies tell.
    pub keys: Option<Keys>,
    /// On how many threads contents are opened; 0 is as many as there are cores.
    pub threads: usize,
    /// Where progress is kept, if not beside the ledger; the access log's has a word behind the name.
    pub resume: Option<PathBuf>,
    /// More is audited after this in the same run: how far it came is kept at its end, too, until [`finished`].
    pub goes_on: bool,
    /// Opens everything, whatever an interrupted run had opened.
    pub fresh: bool,
    /// The directory whose `keys` are used, if it is not the ledger's own: for a backup.
    pub keys_of: Option<PathBuf>,
    /// By which policy cosignatures count, if not by the one that lies in the directory.
    pub policy: Option<Policy>,
    /// Checkpoints from elsewhere, of the record or of the access log.
    pub kept: Vec<Kept>,
    /// When at the latest keys were gone, as the record's audit gives it ([`Report::gone_by`]): for the access log's.
    pub gone_by: BTreeMap<u32, RecordedAt>,
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

    /// The keys as they lie on the disk now, if that is where the ledger lies: a server beside makes and destroys some.
    /// Those of a copy that lies elsewhere stay as they were opened, as the copy stays as it was made; and so do those
    /// that cannot be read again.
    pub fn keys_now(&self) -> Option<Keys> {
        let keys = self.keys.as_ref()?;
        let again = match self.keys_of {
            None => keys.reopened().ok(),
            Some(_) => None,
        };
        Some(again.unwrap_or_else(|| keys.clone()))
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
    /// When at the latest each key was gone that an erasure took or a restoration missed, by slot.
    pub gone_by: BTreeMap<u32, RecordedAt>,
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

/// Everything that was to be audited in one run is: nothing is left to go on with.
pub fn finished(dir: &Path, how: &How) {
    for log in LogName::ALL {
        let _ = std::fs::remove_file(resume::file(dir, how, log));
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
    structure::pages(&db, at_rest, &structure::SMALL_TABLES, &mut faults);
    structure::schema(&db, &mut faults);
    for what in witnessed::faults(dir, at_rest) {
        faults.say(what);
    }
    let keys_of = how.keys_of.as_deref().unwrap_or(dir);
    let known = structure::known(&db, keys_of, how.log_ends, &mut faults);
    let opens = how.keys.is_some() && known.identity.is_some();
    let origin = known.identity.as_ref().map_or("", |known| &known.origin);
    let mut opening = Opening::begin(dir, how, LogName::Record, origin, opens, &db);
    let resumed_at = opening.resumed_at();
    let mut audit = Audit {
        how,
        held: Arc::default(),
        uses: Uses::default(),
        acts: Acts::default(),
        word: Word::default(),
        erased: 0,
        destroyed_unsaid: Vec::new(),
        db: &db,
        known: &known,
        faults,
        walk: Walk::new(),
        roots: Roots::default(),
        bytes_read: 0,
        size: 0,
    };
    if resumed_at > 0 {
        let otherwise = format!(
            "The first {resumed_at} entries are not those whose contents an earlier run opened: audit again with --fresh"
        );
        audit.roots.must_give(resumed_at, opening.root(), otherwise);
    }
    if let Some(identity) = &known.identity {
        audit.witnessed(dir, how, identity);
    }
    let checkpoint = on_threads(
        how.threads,
        &mut opening,
        |(window, held): &ToOpen| {
            let with = With {
                sealing: held.sealing.as_ref(),
                aliases: known.aliases.as_ref(),
                destroyed: &held.destroyed,
            };
            opened::open(window, with)
        },
        |hands| audit.run(hands, progress),
    )?;
    let (opened, bytes) = opening.end(audit.size, how.goes_on);
    progress(Progress {
        reached: audit.size,
        size: audit.size,
        bytes: audit.bytes_read,
    });
    let mut faults = audit.faults;
    faults.extend(opened);
    // An access log that cannot be read at all is its own audit's to say.
    if let Ok((_, key)) = access::name_and_key(dir) {
        audit.acts.check_access(&key, &mut faults);
    }
    Ok(Report {
        entries: audit.walk.entries,
        bytes_read: audit.bytes_read,
        bytes,
        erased: audit.erased,
        other_faults: faults.count() - audit.destroyed_unsaid.len() as u64,
        destroyed_unsaid: audit.destroyed_unsaid,
        gone_by: audit.acts.gone_by(),
        restorations: audit.acts.restorations,
        erasures: audit.acts.steps,
        opened: opens,
        resumed_at,
        whole_file: at_rest,
        faults: faults.list(),
        outside: audit.word.outside,
        checkpoint,
    })
}

/// The keys as they were read last. Nothing of it is there without keys.
#[derive(Default)]
struct Held {
    keys: Option<Keys>,
    /// The same, for what is sealed.
    sealing: Option<Sealing>,
    /// The names of those that were destroyed by then.
    destroyed: HashMap<u32, KeyName>,
}

impl Held {
    fn read(how: &How, identity: Option<&store::Identity>, db: &Connection) -> Held {
        let Some(keys) = how.keys_now() else {
            return Held::default();
        };
        Held {
            sealing: identity.map(|known| Sealing::new(known.programme.clone(), keys.clone())),
            // What cannot be read here is said where `key_use` is held against the contents.
            destroyed: key_use::destroyed(db, &keys).unwrap_or_default(),
            keys: Some(keys),
        }
    }

    fn slots_destroyed(&self) -> Vec<u32> {
        let keys = self.keys.as_ref();
        keys.map_or_else(Vec::new, |keys| keys.ledger().destroyed())
    }
}

/// What is to be opened, and with what.
type ToOpen = (Window, Arc<Held>);

struct Audit<'d> {
    db: &'d Connection,
    how: &'d How,
    held: Arc<Held>,
    uses: Uses,
    acts: Acts,
    word: Word,
    erased: u64,
    destroyed_unsaid: Vec<Gone>,
    known: &'d Known,
    faults: Faults,
    walk: Walk,
    roots: Roots,
    bytes_read: u64,
    size: u64,
}

impl<'d> Audit<'d> {
    /// What others have signed must be what the lines give.
    fn witnessed(&mut self, dir: &Path, how: &How, identity: &store::Identity) {
        self.word = cosigned::read(dir, how, identity, LogName::Record, &mut self.faults);
        for signed in std::mem::take(&mut self.word.signed) {
            let otherwise = format!(
                "The first {} entries are not those that {}",
                signed.size, signed.source
            );
            self.roots.must_give(signed.size, signed.root, otherwise);
        }
    }

    /// Everything in order; gives the checkpoint that the audit ends at.
    fn run(
        &mut self,
        hands: &mut Hands<'_, ToOpen>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<String, OpenError> {
        // While a server appends there is always more: read on until little is left.
        let identity = self.known.identity.as_ref();
        while let Some(size) = structure::signed_size(self.db, identity) {
            if size.saturating_sub(self.walk.edge.size()) <= TAIL {
                break;
            }
            // A key is on the disk before anything that is sealed under it.
            self.read_keys();
            self.follow(size, hands, progress);
        }
        // One moment from here on.
        let _moment = self.last_moment()?;
        let (text, size) = structure::end(self.db, identity, &mut self.roots, &mut self.faults)?;
        self.follow(size, hands, progress);
        self.size = size;
        self.roots.rest("entries", size, &mut self.faults);
        let faults = &mut self.faults;
        derived::outside(self.db, "entry", size, faults);
        derived::outside(self.db, "content", size, faults);
        derived::tiles_besides(self.db, size, faults);
        derived::heads(self.db, &self.walk.chains, faults);
        derived::import_marks(self.db, size, faults);
        let keys = self.held.keys.as_ref();
        let destroyed = self.uses.check(self.db, keys, faults);
        self.erased = destroyed.iter().map(|destroyed| destroyed.count).sum();
        if keys.is_some() {
            if let Some(identity) = &self.known.identity {
                self.acts.logs(identity, faults);
            }
            self.destroyed_unsaid = self.acts.check(&destroyed, faults);
            self.made_again()?;
        }
        Ok(text)
    }

    fn read_keys(&mut self) {
        self.held = Arc::new(Held::read(self.how, self.known.identity.as_ref(), self.db));
    }

    /// The moment that the audit ends in, with the keys as they are in it: none was destroyed between the reading of
    /// the keys before it and the one after it, so the record says of each of those that are gone why.
    fn last_moment(&mut self) -> rusqlite::Result<Transaction<'d>> {
        let db = self.db;
        self.read_keys();
        loop {
            let gone = self.held.slots_destroyed();
            let moment = db.unchecked_transaction()?;
            // It begins when something is read. That it cannot be is said by whoever reads for the audit.
            let _ = store::state(db, "checkpoint");
            self.read_keys();
            if self.held.slots_destroyed() == gone {
                return Ok(moment);
            }
        }
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

    /// Follows the lines up to a size, and hands contents over to be opened.
    fn follow(
        &mut self,
        size: u64,
        hands: &mut Hands<'_, ToOpen>,
        progress: &mut dyn FnMut(Progress),
    ) {
        self.roots.check(&self.walk.edge, &mut self.faults);
        while self.walk.edge.size() < size {
            let from = self.walk.edge.size();
            let to = self.roots.window_end(from, size);
            let with_bodies = from >= hands.resumed_at();
            let moment = derived::moment(self.db);
            let window = Window::read(self.db, from, to, with_bodies, &mut self.faults);
            self.bytes_read += window.bytes();
            self.lines(&window);
            // Not held while others open, or somebody is told.
            drop(moment);
            self.roots.check(&self.walk.edge, &mut self.faults);
            if with_bodies {
                let to_open = (window, self.held.clone());
                hands.open(from, self.walk.edge.root(), to_open);
            }
            hands.gather();
            progress(Progress {
                reached: to,
                size,
                bytes: self.bytes_read,
            });
        }
    }

    fn lines(&mut self, window: &Window) {
        let held = self.held.clone();
        let mut filled = Vec::new();
        let mut known = Hashes::default();
        for (position, line, row) in window.rows() {
            let hash = match line {
                Some(_) => None,
                None => known.of(self.db, position, &mut self.faults),
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
            if row.is_none() {
                self.faults.at(position, "its content is missing");
            }
            if let (Some(line), Some(row)) = (line, row) {
                self.uses.content(position, &line, row, &mut self.faults);
                // What does not open is said by whoever opens all.
                if let Some(before) = before
                    && acts::may_be_act(&line)
                    && let Some(Ok(content)) = held.sealing.as_ref().map(|s| s.open(&line, row))
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
}
