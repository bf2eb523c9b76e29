//! Reads the whole access log back and says what does not fit. Changes nothing; works beside the server.
//!
//! | what | is checked against |
//! |---|---|
//! | positions | each from 0 to the signed size, and none besides |
//! | a line | reads; says its own position; not recorded before the one before it |
//! | the lines' hashes | the tiles, and the root in the signed checkpoint |
//! | a body | the line's hash of it; it opens; the line's commitment to salt and content |
//! | a body whose key is destroyed | it told of one person, and lay under that key, by the name that the record has for it; recorded before it was gone |
//! | the persons | what line and content say; `about` as far as it covers |
//! | a month's key | the slot that the month's leaves are sealed under |
//! | what witnesses have signed | the leaves give the same root at that size |
//! | checkpoints from elsewhere | likewise |
//! | recorded times | the times at which witnesses signed before and after |
//! | the checkpoint | the access log's key, as it lies in `keys/` |
//! | tables and triggers | as this version makes them; SQLite's own integrity check |
//!
//! It is read as the record is ([`crate::audit`]): windows of leaves in order on one thread, their contents
//! opened on the others, no moment longer than one window but the one at the end, and an interrupted run
//! gone on with.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use evidence::content::KeyName;
use evidence::disclosure::Leaf;
use record::time::RecordedAt;
use rusqlite::Connection;
use seal::Class;
use tlog::Edge;

use super::body::{Sealing, Slot};
use super::read::{Raw, names_its_persons};
use super::{SCHEMA, STATE_KEYS, connect_to_read, signing_key};
use crate::audit::cosigned::{self, Word};
use crate::audit::derived::{self as log, Hashes};
use crate::audit::faults::Faults;
use crate::audit::opening::{Hands, Opening, on_threads};
use crate::audit::roots::Roots;
use crate::audit::walk::Filled;
use crate::audit::{Fault, How, Outside, Progress, TAIL, key_use, structure};
use crate::keys::Keys;
use crate::lock;
use crate::store::{self, Identity, OpenError};
use crate::witnessed::LogName;

pub(super) mod derived;
mod opened;
mod window;

use derived::{About, Months, Pair};
use opened::With;
use window::Window;

/// The tables that change in place or are small; see [`structure::pages`].
const SMALL_TABLES: [&str; 2] = ["month_key", "state"];

/// What the audit of an access log came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many leaves were read.
    pub leaves: u64,
    /// How many bytes of lines, persons and bodies were read in this run.
    pub bytes_read: u64,
    /// How many bytes of content they have, unpacked.
    pub bytes: u64,
    /// The contents of how many cannot be opened any more: their keys are destroyed.
    pub erased: u64,
    /// The contents before this position were opened by an earlier run that was interrupted; 0 if there was none.
    pub resumed_at: u64,
    /// Whether SQLite's own check of its pages covered the whole file, which it does only when nobody appends.
    pub whole_file: bool,
    /// What does not fit.
    pub faults: Vec<Fault>,
    /// How many faults there are, listed or not.
    pub fault_count: u64,
    /// What was held against the word of others.
    pub outside: Outside,
    /// The signed checkpoint as it is stored.
    pub checkpoint: String,
}

/// Audits the access log of a data directory; without keys no content is opened.
pub fn audit(
    dir: &Path,
    how: &How,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, OpenError> {
    let db = connect_to_read(dir)?;
    let mut faults = Faults::of(LogName::Access);
    // Whoever holds the lock appends.
    let at_rest = !lock::is_held(dir);
    structure::pages(&db, at_rest, &SMALL_TABLES, &mut faults);
    schema(&db, &mut faults)?;
    let keys_of = how.keys_of.as_deref().unwrap_or(dir);
    let identity = known(keys_of, &db, how.log_ends, &mut faults);
    let origin = identity.as_ref().map_or("", |known| &known.origin);
    let opens = how.keys.is_some();
    let mut opening = Opening::begin(dir, how, LogName::Access, origin, opens, &db);
    let resumed_at = opening.resumed_at();
    let mut roots = Roots::default();
    if resumed_at > 0 {
        let otherwise = format!(
            "The first {resumed_at} leaves of the access log are not those whose contents an earlier run opened: \
             audit again with --fresh"
        );
        roots.must_give(resumed_at, opening.root(), otherwise);
    }
    let mut word = word(dir, how, identity.as_ref(), &mut faults);
    for signed in std::mem::take(&mut word.signed) {
        let otherwise = format!(
            "The first {} leaves of the access log are not those that {}",
            signed.size, signed.source
        );
        roots.must_give(signed.size, signed.root, otherwise);
    }
    let mut audit = Audit {
        db: &db,
        dir,
        how,
        held: Arc::default(),
        identity: identity.as_ref(),
        faults,
        roots,
        word,
        edge: Edge::new(),
        last: None,
        leaves: 0,
        uses: BTreeMap::new(),
        months: Months::default(),
        about: About::default(),
        bytes_read: 0,
        size: 0,
    };
    let checkpoint = on_threads(
        how.threads,
        &mut opening,
        |(window, held): &ToOpen| opened::open(window, held.with(how)),
        |hands| audit.run(hands, progress),
    )?;
    let (opened, bytes) = opening.end(audit.size, how.goes_on);
    progress(Progress {
        reached: audit.size,
        size: audit.size,
        bytes: audit.bytes_read,
    });
    let keys = audit.held.keys.as_ref();
    let erased = keys.map_or(0, |keys| audit.erased(keys));
    let mut faults = audit.faults;
    faults.extend(opened);
    Ok(Report {
        leaves: audit.leaves,
        bytes_read: audit.bytes_read,
        bytes,
        erased,
        resumed_at,
        whole_file: at_rest,
        fault_count: faults.count(),
        faults: faults.list(),
        outside: audit.word.outside,
        checkpoint,
    })
}

/// What is to be opened, and with what.
type ToOpen = (Window, Arc<Held>);

/// The keys as they were read last. Nothing of it is there without keys.
#[derive(Default)]
struct Held {
    keys: Option<Keys>,
    /// The same, for what is sealed.
    sealing: Option<Sealing>,
    /// The names of those of persons that were destroyed by then, if the record can be read: that it cannot is its own
    /// audit's to say.
    destroyed: Option<HashMap<u32, KeyName>>,
}

impl Held {
    fn read(dir: &Path, how: &How) -> Held {
        let Some(keys) = how.keys_now() else {
            return Held::default();
        };
        let record = store::open_to_read(dir).ok();
        Held {
            sealing: Some(Sealing::new(keys.programme(), keys.clone())),
            destroyed: record.and_then(|record| key_use::destroyed(&record, &keys).ok()),
            keys: Some(keys),
        }
    }

    fn with<'k>(&'k self, how: &'k How) -> With<'k> {
        With {
            sealing: self.sealing.as_ref(),
            destroyed: self.destroyed.as_ref(),
            gone_by: Some(&how.gone_by),
        }
    }
}

struct Audit<'d> {
    dir: &'d Path,
    db: &'d Connection,
    how: &'d How,
    held: Arc<Held>,
    identity: Option<&'d Identity>,
    faults: Faults,
    roots: Roots,
    word: Word,
    /// The tree as the lines give it.
    edge: Edge,
    last: Option<RecordedAt>,
    /// How many leaves were there.
    leaves: u64,
    /// How many contents are sealed under each key.
    uses: BTreeMap<(u8, u32), u64>,
    months: Months,
    about: About,
    bytes_read: u64,
    size: u64,
}

impl Audit<'_> {
    /// Everything in order; gives the checkpoint that the audit ends at.
    fn run(
        &mut self,
        hands: &mut Hands<'_, ToOpen>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<String, OpenError> {
        // While a server records there is always more: read on until little is left.
        while let Some(size) = structure::signed_size(self.db, self.identity) {
            if size.saturating_sub(self.edge.size()) <= TAIL {
                break;
            }
            // A key is on the disk before anything that is sealed under it.
            self.read_keys();
            self.follow(size, hands, progress);
        }
        // One moment from here on.
        let _moment = self.db.unchecked_transaction()?;
        let (text, size) =
            structure::end(self.db, self.identity, &mut self.roots, &mut self.faults)?;
        self.read_keys();
        self.follow(size, hands, progress);
        self.size = size;
        self.roots.rest("leaves", size, &mut self.faults);
        log::outside(self.db, "entry", size, &mut self.faults);
        log::tiles_besides(self.db, size, &mut self.faults);
        std::mem::take(&mut self.about).end(self.db, size, &mut self.faults);
        self.months.check(self.db, &mut self.faults);
        Ok(text)
    }

    fn read_keys(&mut self) {
        self.held = Arc::new(Held::read(self.dir, self.how));
    }

    /// Follows the lines up to a size, and hands contents over to be opened.
    fn follow(
        &mut self,
        size: u64,
        hands: &mut Hands<'_, ToOpen>,
        progress: &mut dyn FnMut(Progress),
    ) {
        self.roots.check(&self.edge, &mut self.faults);
        while self.edge.size() < size {
            let from = self.edge.size();
            let to = self.roots.window_end(from, size);
            let with_bodies = from >= hands.resumed_at();
            let moment = log::moment(self.db);
            let mut window = Window::read(self.db, from, to, with_bodies, &mut self.faults);
            self.bytes_read += window.bytes();
            self.lines(&window);
            // Not held while others open, or somebody is told.
            drop(moment);
            self.roots.check(&self.edge, &mut self.faults);
            if with_bodies {
                let to_open = (window, self.held.clone());
                hands.open(from, self.edge.root(), to_open);
            } else {
                // Of several, the line says only how many they were: who, the content.
                window.keep_several();
                let opened = opened::open(&window, self.held.with(self.how));
                hands.not_said(opened.faults, &mut self.faults);
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
        let (mut filled, mut pairs) = (Vec::new(), Vec::new());
        let mut known = Hashes::default();
        for (position, line, raw) in window.rows() {
            let hash = match line {
                Some(line) => tlog::leaf_hash(line),
                None => known
                    .of(self.db, position, &mut self.faults)
                    .unwrap_or_default(),
            };
            self.edge.push(hash, |tile| {
                filled.push(Filled {
                    level: tile.level,
                    index: tile.index,
                    hashes: tile.hashes.to_vec(),
                })
            });
            if line.is_none() {
                let what = format!("Leaf {position} of the access log is missing");
                self.faults.push(Fault {
                    position: Some(position),
                    what,
                });
                continue;
            }
            self.leaves += 1;
            let Some(raw) = raw else { continue };
            persons(&raw, &mut pairs);
            if let Some((leaf, slot)) = one(&raw, &mut self.faults) {
                self.leaf(&leaf, slot);
            }
        }
        for filled in &filled {
            log::full_tile(self.db, filled, &mut self.faults);
        }
        self.about.leaves(self.db, pairs, &mut self.faults);
    }

    /// What a leaf says beside the others.
    fn leaf(&mut self, leaf: &Leaf, slot: Slot) {
        let (position, at) = (leaf.position, leaf.recorded_at);
        if self.last.is_some_and(|last| at < last) {
            self.faults.at(
                position,
                "it says that it was recorded before the one before it",
            );
        }
        self.last = Some(at);
        self.word.outside.recorded(position, at);
        for what in self.word.bounds.contradict(position, at) {
            let what = format!("Leaf {position} of the access log: {what}");
            self.faults.push(Fault {
                position: Some(position),
                what,
            });
        }
        let of_month = matches!(slot.class, Class::Access).then_some(slot.number);
        self.months.leaf(at, of_month);
        *self
            .uses
            .entry((slot.class as u8, slot.number))
            .or_default() += 1;
    }

    /// How many contents are sealed under keys that are destroyed.
    fn erased(&self, keys: &Keys) -> u64 {
        let of = |class: Class, ring: &seal::Keyring| -> u64 {
            let destroyed = ring.destroyed().into_iter();
            destroyed
                .filter_map(|slot| self.uses.get(&(class as u8, slot)))
                .sum()
        };
        of(Class::Access, keys.access()) + of(Class::Record, keys.ledger())
    }
}

/// Whom a leaf is about, each once.
fn persons(raw: &Raw<'_>, pairs: &mut Vec<Pair>) {
    let mut persons: Vec<[u8; 16]> = raw.persons.as_chunks().0.to_vec();
    persons.sort_unstable();
    persons.dedup();
    pairs.extend(persons.into_iter().map(|one| (one, raw.position)));
}

/// Checks what can be told of one leaf without opening it; gives it if it reads.
fn one(raw: &Raw<'_>, faults: &mut Faults) -> Option<(Leaf, Slot)> {
    let position = raw.position;
    let (leaf, slot) = match (raw.leaf(), raw.slot()) {
        (Ok(leaf), Ok(slot)) => (leaf, slot),
        (Err(e), _) | (_, Err(e)) => {
            faults.at(position, opened::why(e));
            return None;
        }
    };
    let whole = raw.persons.len().is_multiple_of(16);
    if !whole || !names_its_persons(leaf.whom, &raw.persons(), None) {
        faults.at(
            position,
            "the persons beside it are not those whom it told of",
        );
    }
    Some((leaf, slot))
}

/// Checks one leaf whole, as an audit does.
#[cfg(unix)]
pub(super) fn whole(
    db: &Connection,
    position: u64,
    sealing: Option<&Sealing>,
    faults: &mut Faults,
) {
    let window = Window::read(db, position, position + 1, true, faults);
    for (_, line, raw) in window.rows() {
        match raw {
            Some(raw) => {
                one(&raw, faults);
            }
            None if line.is_none() => faults.at(position, "is missing"),
            None => {}
        }
    }
    let with = With {
        sealing,
        ..With::default()
    };
    faults.extend(opened::open(&window, with).faults);
}

/// What others have signed of the access log.
fn word(dir: &Path, how: &How, identity: Option<&Identity>, faults: &mut Faults) -> Word {
    let Some(identity) = identity else {
        return Word::default();
    };
    let mut bad = Faults::of(LogName::Access);
    let word = cosigned::read(dir, how, identity, LogName::Access, &mut bad);
    for fault in bad.list() {
        faults.say(format!("The access log: {fault}"));
    }
    word
}

/// Reads the access log's name and public key, and holds them against the keys on the disk and the record.
pub(super) fn known(
    dir: &Path,
    db: &Connection,
    log_ends: bool,
    faults: &mut Faults,
) -> Option<Identity> {
    let identity = match store::identity(db) {
        Ok(identity) => identity,
        Err(e) => {
            faults.say(format!("The access log: {e}"));
            return None;
        }
    };
    if !log_ends && let Err(e) = signing_key(dir, &identity) {
        faults.say(format!("The access log: {e}"));
    }
    let record = store::open_to_read(dir).and_then(|record| store::identity(&record));
    if record.is_ok_and(|record| record.programme != identity.programme) {
        faults.say("The access log says that it was made for another programme than the record");
    }
    let known = STATE_KEYS.map(|key| format!("'{key}'")).join(", ");
    let sql = format!("SELECT count(*) FROM state WHERE key NOT IN ({known})");
    if db.query_row(&sql, [], |row| row.get::<_, i64>(0)) != Ok(0) {
        faults.say("`state` of the access log has rows that are not its own");
    }
    Some(identity)
}

/// The tables and triggers as this version makes them.
pub(super) fn schema(db: &Connection, faults: &mut Faults) -> Result<(), OpenError> {
    let fresh = Connection::open_in_memory()?;
    fresh.execute_batch(SCHEMA)?;
    let expected = store::schema_of(&fresh)?;
    let found = store::schema_of(db).unwrap_or_default();
    for name in expected.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
        if expected.get(name) != found.get(name) {
            faults.say(format!(
                "`{name}` in the access log is not as this version makes it"
            ));
        }
    }
    Ok(())
}
