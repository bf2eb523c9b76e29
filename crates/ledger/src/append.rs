//! The one way in: groups of transactions, one flush to the disk each.
//!
//! [`Appender::commit`] takes many transactions and makes one SQLite commit of
//! them. Each transaction is wholly in or refused by name; a refused one leaves
//! no trace, and the others of its group go on. When it returns, what it says is
//! in is on the disk, with the signed checkpoint that covers it.
//!
//! What the ledger knows in memory (the tree's edge, the ends of the persons'
//! chains, the last instant) changes only after the disk has it, so a commit
//! that fails leaves no half truth behind:
//!
//! | what happens | outcome | afterwards |
//! |---|---|---|
//! | the disk is full | [`CommitError::Full`] | rolled back; later commits work again |
//! | another process holds the file | [`CommitError::Io`] | rolled back; later commits work again |
//! | either, but the write-ahead log has the whole commit | [`CommitError::Fatal`] | as in the next line: the next start finds it |
//! | a write or a flush fails | [`CommitError::Fatal`] | nobody knows what the disk holds: every later commit is refused, the process must end and start again from the disk |
//!
//! A failed flush is never tried again: after one, the system may have dropped
//! the pages and report success the next time.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use record::time::RecordedAt;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use seal::Class;
use tlog::checkpoint::Checkpoint;
use tlog::note::SigningKey;
use tlog::{Edge, Hash};

use crate::content;
use crate::entry::{self, Action, Alias, Aliases, Line, Previous};
use crate::ground::{self, Directory, Ground, Room};
use crate::keys::Keys;
use crate::lock::Lock;
use crate::read::{self, KnownEdge, StoredTiles};
use crate::sealing::{CHANCE_BYTES, Sealing};
use crate::store::{self, OpenError};

mod judging;
mod slots;

pub(crate) use judging::{judged, unflushed};
use slots::{Slots, Taken, refuse_other_keys};

/// How far the clock may stand behind the last entry, in microseconds: five minutes.
///
/// Up to here recorded time goes on by single microseconds until the clock has
/// caught up, which is what a step of the time service needs. A clock further
/// behind is wrong, or was wrong before, and somebody must look.
pub const CLOCK_BEHIND_MAX_US: i64 = 5 * 60 * 1_000_000;

/// The end of the year 9998, in microseconds since the Unix epoch: no clock that is right says more.
const CLOCK_END_US: i64 = 253_370_764_800_000_000;

/// How much is written before the write-ahead log is folded into the file, in bytes.
const FOLD_BYTES: u64 = 16 << 20;

/// About what a commit writes besides: the pages of the tables' ends.
const PAGE_BYTES: usize = 8192;

/// How many ends of persons' chains are kept in memory.
const CHAINS_MAX: usize = 100_000;

/// What must hold for a write to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing: a put makes or replaces, a deletion needs something to delete.
    Any,
    /// There is no current version: never made, or deleted.
    Absent,
    /// There is a current version.
    Present,
    /// The latest version is this one.
    Version(u32),
}

/// One version of one resource, to be written.
#[derive(Clone, Debug)]
pub struct Write {
    /// The resource's kind, a FHIR resource type.
    pub kind: String,
    /// The resource's id.
    pub id: String,
    /// `Delete` deletes; `Create` and `Update` both put, and the line says which it came to.
    pub action: Action,
    /// What must hold before.
    pub expect: Expect,
    /// The id of the Patient it is about.
    pub person: Option<String>,
    /// Whose key seals it. What is about nobody is the programme's.
    pub class: Class,
    /// The stored JSON; begins with the kind and the id ([`content::name`]).
    pub stored: Vec<u8>,
    /// The same, packed on the caller's thread by [`content::compress`].
    pub packed: Vec<u8>,
}

/// Writes that happen all or not at all and share one recorded time.
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    /// Who writes.
    pub actor: String,
    /// What for.
    pub purpose: String,
    /// In order; a later write sees the earlier ones.
    pub writes: Vec<Write>,
    /// The part of an import that this brings in.
    pub source: Option<ImportMark>,
}

/// Marks a part of a source as brought in, so that a resumed import does not bring it in twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImportMark {
    /// Names the source, by custom the SHA-256 of the file.
    pub source: Vec<u8>,
    /// The part's number in the source.
    pub part: u64,
}

/// What is known of a resource before a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The position of its first entry.
    pub number: u64,
    /// Its latest version.
    pub version: u32,
    /// The position of its latest entry.
    pub position: u64,
    /// Whether that entry deleted it.
    pub deleted: bool,
}

/// Where the heads of resources come from: the index, as it was brought up to the ledger's size.
///
/// It must cover every entry of earlier commits; what happens inside a commit
/// the appender keeps track of itself.
pub trait Heads {
    /// The head of a resource; `None` if it was never made.
    fn head(&self, kind: &str, id: &str) -> Option<Head>;
}

/// A transaction that is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The time it was recorded, later than that of every transaction before.
    pub recorded_at: RecordedAt,
    /// The position of its first entry.
    pub first_position: u64,
    /// One for each write, in order.
    pub writes: Vec<Written>,
}

/// A write that is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The entry's place in the ledger.
    pub position: u64,
    /// The resource's number: the position of its first entry.
    pub number: u64,
    /// The version that was written.
    pub version: u32,
    /// Whether there was no current version before.
    pub created: bool,
}

/// Why a transaction was refused. Nothing of it is in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The resource is at another version than expected.
    #[error(
        "{kind}/{id} is at version {found}; you sent version {expected}. Reload it and try again"
    )]
    VersionConflict {
        /// The resource's kind.
        kind: String,
        /// The resource's id.
        id: String,
        /// The version that the write expected.
        expected: u32,
        /// The version that the resource has.
        found: u32,
    },
    /// The resource was expected not to be there.
    #[error("{kind}/{id} exists already")]
    AlreadyExists {
        /// The resource's kind.
        kind: String,
        /// The resource's id.
        id: String,
    },
    /// The resource was never made.
    #[error("{kind}/{id} does not exist")]
    NotFound {
        /// The resource's kind.
        kind: String,
        /// The resource's id.
        id: String,
    },
    /// The resource was deleted.
    #[error("{kind}/{id} was deleted")]
    Deleted {
        /// The resource's kind.
        kind: String,
        /// The resource's id.
        id: String,
    },
    /// The record of the person was erased; nothing can be added to it.
    #[error("{kind}/{id} is about a person whose record was erased")]
    Erased {
        /// The resource's kind.
        kind: String,
        /// The resource's id.
        id: String,
    },
    /// This part of the source is in the ledger already.
    #[error("part {part} of this source has been imported already")]
    AlreadyImported {
        /// The part's number in the source.
        part: u64,
    },
    /// The clock stands too far behind the last entry.
    #[error(
        "the clock of this machine says {now}, but the ledger's last entry was recorded at {last}; set the clock right and try again"
    )]
    ClockBehind {
        /// What the clock said.
        now: RecordedAt,
        /// When the last entry was recorded.
        last: RecordedAt,
    },
    /// The clock stands outside the years that a line can name.
    #[error("the clock of this machine is far off; set it right and try again")]
    ClockFarOff,
    /// The write is not one that a ledger can take; whoever made it has a bug.
    #[error("write {index} of the transaction {what}")]
    Malformed {
        /// Its number in the transaction, from 0.
        index: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Why a whole group is not in.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A write or a flush failed, now or earlier. The process must end: nobody knows what the disk holds.
    #[error("the ledger could not be flushed to the disk; the programme must be started again")]
    Fatal(#[source] Option<rusqlite::Error>),
    /// The disk, or the size that the ledger may have, is exhausted. Nothing was written.
    #[error("there is no room left for the ledger; nothing was written. Make room and try again")]
    Full(#[source] rusqlite::Error),
    /// A key cannot be read or made. Nothing was written.
    #[error("the keys of the ledger cannot be used; nothing was written. Run `homecoming audit`")]
    Keys(#[source] seal::KeyringError),
    /// SQLite refused otherwise. Nothing was written.
    #[error("the ledger could not be written; nothing was written. Try again")]
    Io(#[source] rusqlite::Error),
}

/// The one that appends. Holds the directory's lock; there is one in the world for each ledger.
#[derive(Debug)]
pub struct Appender {
    db: Connection,
    origin: String,
    key: SigningKey,
    aliases: Aliases,
    sealing: Sealing,
    slots: Slots,
    /// What is on the disk. Replaced as a whole after a commit.
    edge: Edge,
    last: RecordedAt,
    checkpoint: String,
    chains: HashMap<Alias, Chain>,
    /// Bytes written since the write-ahead log was folded in.
    unfolded: u64,
    room: Room,
    poisoned: bool,
    // Last, so that the directory is let go after the connection is closed.
    _lock: Lock,
}

/// The end of a person's chain.
#[derive(Clone, Copy, Debug)]
struct Chain {
    count: u64,
    position: u64,
    hash: Hash,
}

/// What a group comes to, before anything is written.
struct Decided {
    outcomes: Vec<Result<Committed, Refused>>,
    size: u64,
    last: RecordedAt,
    taken: Taken,
}

/// Why a group cannot be written.
pub(crate) enum Trouble {
    Sqlite(rusqlite::Error),
    Keys(seal::KeyringError),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Trouble {
        Trouble::Sqlite(error)
    }
}

impl From<seal::KeyringError> for Trouble {
    fn from(error: seal::KeyringError) -> Trouble {
        Trouble::Keys(error)
    }
}

impl From<seal::KeyError> for Trouble {
    fn from(error: seal::KeyError) -> Trouble {
        Trouble::Keys(error.into())
    }
}

/// What the ledger is once a group is written.
struct After {
    edge: Edge,
    checkpoint: String,
    chains: HashMap<Alias, Chain>,
    bytes: u64,
}

impl Appender {
    /// Takes a data directory to append to it, and checks that its end fits together.
    ///
    /// The checkpoint must be signed by the ledger's key, of the ledger's size, and
    /// over the root that tiles and last lines give. The rest is `audit`'s.
    ///
    /// The keys are read again, now that nobody else changes them: whoever reads beside it shares
    /// [`Appender::keys`], so that what is destroyed is destroyed for both.
    pub fn open(dir: &Path, keys: Keys) -> Result<Appender, OpenError> {
        Appender::open_on(Arc::new(Directory(dir.to_owned())), dir, keys)
    }

    /// The same, where the files that SQLite makes lie on another ground than the file system's.
    pub fn open_on(ground: Arc<dyn Ground>, dir: &Path, keys: Keys) -> Result<Appender, OpenError> {
        if !dir.join("ledger.sqlite").try_exists()? {
            return Err(OpenError::Missing);
        }
        let lock = Lock::take(dir)?;
        let keys = keys.reopened()?;
        keys.settle()?;
        for log in ground::LOGS {
            ground.renew(log)?;
        }
        let db = store::open_to_write(dir, &lock)?;
        ground.sync_names()?;
        let identity = store::identity(&db)?;
        let key = store::signing_key(dir, &identity)?;
        let aliases = store::aliases(dir, &db)?;
        let damaged = |what: &str| OpenError::Damaged(what.to_owned());

        let text =
            store::state(&db, "checkpoint")?.ok_or_else(|| damaged("it has no checkpoint"))?;
        let checkpoint = Checkpoint::open(&text, key.verifier(), &identity.origin)
            .map_err(|_| damaged("its checkpoint is not signed by its key"))?;
        let size = read::size(&db)?;
        if size != checkpoint.size {
            return Err(OpenError::Damaged(format!(
                "it has {size} entries, and its checkpoint says {}",
                checkpoint.size
            )));
        }
        let edge = Edge::from_tiles(size, &StoredTiles::new(&db, &KnownEdge::default()))
            .map_err(|e| OpenError::Damaged(e.to_string()))?;
        if edge.root() != checkpoint.root {
            return Err(damaged(
                "its last entries do not give the root of its checkpoint",
            ));
        }
        let last = match size {
            0 => RecordedAt(i64::MIN),
            _ => {
                let line: Vec<u8> = db.query_row(
                    "SELECT line FROM entry WHERE position = ?1",
                    [(size - 1) as i64],
                    |row| row.get(0),
                )?;
                Line::parse(&line)
                    .map_err(|_| damaged("its last line does not read"))?
                    .recorded_at
            }
        };
        let slots = Slots::open(&db, keys.ledger())?;
        let sealing = Sealing::new(identity.programme, keys);
        refuse_other_keys(&db, &sealing)?;
        Ok(Appender {
            db,
            origin: identity.origin,
            key,
            aliases,
            sealing,
            slots,
            edge,
            last,
            checkpoint: text,
            chains: HashMap::new(),
            // What an earlier process left in the write-ahead log is folded in soon.
            unfolded: FOLD_BYTES,
            room: Room::new(ground, ground::LOGS[0]),
            poisoned: false,
            _lock: lock,
        })
    }

    /// How many entries the ledger has.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// When the last entry was recorded; before all time if there is none.
    pub fn last_recorded_at(&self) -> RecordedAt {
        self.last
    }

    /// The signed checkpoint of all entries.
    pub fn checkpoint(&self) -> &str {
        &self.checkpoint
    }

    /// Appends a group of transactions with one flush, in order.
    ///
    /// The answer has one outcome for each transaction. `now` is asked once for
    /// each, `chance` for random bytes. An error is of the whole group: nothing
    /// of it is in the ledger, unless it is [`CommitError::Fatal`], after which
    /// only the disk knows.
    pub fn commit(
        &mut self,
        group: &[Transaction],
        now: &mut dyn FnMut() -> RecordedAt,
        chance: &mut dyn FnMut(&mut [u8]),
        heads: &dyn Heads,
    ) -> Result<Vec<Result<Committed, Refused>>, CommitError> {
        if self.poisoned {
            return Err(CommitError::Fatal(None));
        }
        let decided = self.decide(group, now, heads).map_err(|e| self.failed(e))?;
        let is_in = |(transaction, outcome): (&Transaction, &Result<_, _>)| {
            outcome.is_ok() && (!transaction.writes.is_empty() || transaction.source.is_some())
        };
        if !group.iter().zip(&decided.outcomes).any(is_in) {
            return Ok(decided.outcomes);
        }
        self.slots.spend(&decided.taken);
        let after = self
            .write(group, &decided, chance)
            .map_err(|e| self.failed(e))?;

        // The disk has it: from here on it is true.
        self.slots.keep(decided.taken);
        self.edge = after.edge;
        self.checkpoint = after.checkpoint;
        self.last = decided.last;
        self.unfolded += after.bytes;
        if self.chains.len() + after.chains.len() > CHAINS_MAX {
            self.chains.clear();
        }
        self.chains.extend(after.chains);
        self.room.committed(after.bytes).map_err(|error| {
            self.poisoned = true;
            CommitError::Fatal(Some(unflushed(error)))
        })?;
        if self.unfolded >= FOLD_BYTES {
            self.fold("PRAGMA wal_checkpoint(PASSIVE)")?;
        }
        Ok(decided.outcomes)
    }

    /// Lets the file grow to so many pages of 8 KB and no further; a commit that needs more is [`CommitError::Full`].
    pub fn set_pages_max(&mut self, pages: u32) -> Result<(), CommitError> {
        self.db
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
            .map_err(CommitError::Io)
    }

    /// Begins a new epoch: from here on every person's content is sealed under a new key. Gives its number.
    ///
    /// What was sealed before stays under its keys.
    pub fn begin_epoch(&mut self) -> Result<u32, CommitError> {
        if self.poisoned {
            return Err(CommitError::Fatal(None));
        }
        let epoch = self.slots.epoch() + 1;
        store::set_state(&self.db, "epoch", &epoch.to_string()).map_err(|e| self.failed(e))?;
        self.slots.begin(epoch);
        Ok(epoch)
    }

    /// The keys that it seals with.
    pub fn keys(&self) -> &Keys {
        self.sealing.keys()
    }

    /// Folds the write-ahead log into the file and gives its room back: for the end of an import.
    pub fn checkpoint_truncate(&mut self) -> Result<(), CommitError> {
        if self.poisoned {
            return Err(CommitError::Fatal(None));
        }
        self.room.cut_off();
        self.fold("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// Folding flushes the file: if that fails, it is as bad as a failed commit. No room for it is not:
    /// what was committed stays in the write-ahead log.
    fn fold(&mut self, pragma: &str) -> Result<(), CommitError> {
        self.unfolded = 0;
        match self.db.query_row(pragma, [], |_| Ok(())) {
            Ok(()) => Ok(()),
            Err(e) => match self.failed(e) {
                fatal @ CommitError::Fatal(_) => Err(fatal),
                _ => Ok(()),
            },
        }
    }

    /// Decides every transaction; reads, but writes nothing.
    fn decide(
        &self,
        group: &[Transaction],
        now: &mut dyn FnMut() -> RecordedAt,
        heads: &dyn Heads,
    ) -> Result<Decided, Trouble> {
        let mut overlay = Overlay {
            heads,
            changed: HashMap::new(),
            undo: Vec::new(),
        };
        let mut marks: HashMap<&ImportMark, ()> = HashMap::new();
        let mut decided = Decided {
            outcomes: Vec::with_capacity(group.len()),
            size: self.edge.size(),
            last: self.last,
            taken: self.slots.taken(),
        };
        for transaction in group {
            if let Some(mark) = &transaction.source
                && (marks.contains_key(mark) || self.is_imported(mark)?)
            {
                decided
                    .outcomes
                    .push(Err(Refused::AlreadyImported { part: mark.part }));
                continue;
            }
            let outcome = recorded_at(now(), decided.last)
                .and_then(|at| overlay.transaction(transaction, at, decided.size));
            let outcome = match outcome {
                Ok(committed) => self
                    .seals(transaction, &mut decided.taken)?
                    .map(|()| committed),
                refused => refused,
            };
            match &outcome {
                Ok(committed) => {
                    if !committed.writes.is_empty() {
                        decided.size += committed.writes.len() as u64;
                        decided.last = committed.recorded_at;
                    }
                    marks.extend(transaction.source.as_ref().map(|mark| (mark, ())));
                    overlay.undo.clear();
                }
                Err(_) => overlay.roll_back(),
            }
            decided.outcomes.push(outcome);
        }
        Ok(decided)
    }

    /// Finds the key of each write, and takes a new one for what has none yet.
    fn seals(
        &self,
        transaction: &Transaction,
        taken: &mut Taken,
    ) -> Result<Result<(), Refused>, Trouble> {
        let before = taken.mark();
        for write in &transaction.writes {
            let person = write.person.as_deref().map(|id| self.aliases.person(id));
            let unused = taken.mark();
            let slot = self.slots.of(&self.db, person, write.class, taken)?;
            // Somebody whose record was erased gets no new keys either, in whatever epoch or class.
            let keyring = self.sealing.keys().ledger();
            if taken.is_new_since(unused)
                && slots::is_erased(&self.db, person, write.class, keyring)?
            {
                taken.give_back(before);
                return Ok(Err(Refused::Erased {
                    kind: write.kind.clone(),
                    id: write.id.clone(),
                }));
            }
            if taken.keys.contains_key(&slot) {
                taken.places.push((person, slot));
                continue;
            }
            match self.sealing.keys().ledger().key(slot) {
                Ok(key) => {
                    taken.keys.insert(slot, key);
                }
                // A slot that is taken only now has its key when it is written.
                Err(seal::KeyError::Unknown(_)) => {}
                Err(seal::KeyError::Destroyed(_)) => {
                    taken.give_back(before);
                    return Ok(Err(Refused::Erased {
                        kind: write.kind.clone(),
                        id: write.id.clone(),
                    }));
                }
                Err(error) => return Err(error.into()),
            }
            taken.places.push((person, slot));
        }
        Ok(Ok(()))
    }

    fn is_imported(&self, mark: &ImportMark) -> rusqlite::Result<bool> {
        self.db
            .prepare_cached("SELECT 1 FROM import_source WHERE source = ?1 AND part = ?2")?
            .exists((&mark.source, mark.part as i64))
    }

    /// Writes what was decided, in one SQLite transaction, and commits it.
    fn write(
        &self,
        group: &[Transaction],
        decided: &Decided,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<After, Trouble> {
        let db = &self.db;
        // Durable before anything is sealed under them.
        self.slots
            .reserve(self.sealing.keys().ledger(), &decided.taken, chance)?;
        let mut random = vec![0; decided.taken.places.len() * CHANCE_BYTES];
        chance(&mut random);
        let mut random = random.as_chunks::<CHANCE_BYTES>().0.iter();
        let mut places = decided.taken.places.iter();
        // Dropped without a commit, it rolls back.
        let tx = rusqlite::Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
        let mut insert_entry = db.prepare_cached(INSERT_ENTRY)?;
        let mut insert_content = db.prepare_cached(INSERT_CONTENT)?;
        let mut edge = self.edge.clone();
        let mut chains: HashMap<Alias, Chain> = HashMap::new();
        let mut tiles: Vec<(u8, u64, Vec<u8>)> = Vec::new();
        let mut line = Vec::with_capacity(512);
        let mut bytes = 0;

        for (transaction, outcome) in group.iter().zip(&decided.outcomes) {
            let Ok(committed) = outcome else { continue };
            let actor = entry::encode_name(&transaction.actor);
            let purpose = entry::encode_name(&transaction.purpose);
            for (write, written) in transaction.writes.iter().zip(&committed.writes) {
                // One of each for each write, as they were counted.
                let (Some((person, slot)), Some(random)) = (places.next(), random.next()) else {
                    break;
                };
                let (salt, nonce) = random.split_at(16);
                let salt: &content::Salt = salt.try_into().unwrap_or(&[0; 16]);
                let nonce: [u8; 12] = nonce.try_into().unwrap_or_default();
                let chain = match person {
                    Some(person) => self.chain(&chains, *person)?,
                    None => None,
                };
                let mut says = Line {
                    position: written.position,
                    recorded_at: committed.recorded_at,
                    actor: &actor,
                    purpose: &purpose,
                    action: match (write.action, written.created) {
                        (Action::Delete, _) => Action::Delete,
                        (_, true) => Action::Create,
                        (_, false) => Action::Update,
                    },
                    kind: &write.kind,
                    id: &self.aliases.id_in_line(&write.kind, &write.id),
                    version: written.version,
                    person: *person,
                    previous: chain.map(|chain| Previous {
                        number: chain.count,
                        position: chain.position,
                        hash: chain.hash,
                    }),
                    commitment: content::commitment(salt, &write.stored),
                    sealed: [0; 32],
                };
                let unwrapped;
                let key = match decided.taken.keys.get(slot) {
                    Some(key) => key,
                    None => {
                        unwrapped = self.sealing.keys().ledger().key(*slot)?;
                        &unwrapped
                    }
                };
                let body = self
                    .sealing
                    .seal(key, &says, write.class, salt, nonce, &write.packed);
                says.sealed = content::sealed(&body);
                line.clear();
                says.write(&mut line);
                let hash = tlog::leaf_hash(&line);
                edge.push(hash, |tile| {
                    tiles.push((tile.level, tile.index, tile.hashes.to_vec()))
                });
                if let Some(person) = *person {
                    let end = Chain {
                        count: chain.map_or(0, |chain| chain.count) + 1,
                        position: written.position,
                        hash,
                    };
                    chains.insert(person, end);
                }
                insert_entry.execute((written.position as i64, &line))?;
                insert_content.execute((
                    written.position as i64,
                    content::FORMAT,
                    write.class as u8,
                    slot,
                    &body,
                ))?;
                bytes += (line.len() + body.len()) as u64;
            }
            if let Some(mark) = &transaction.source {
                db.prepare_cached(INSERT_SOURCE)?.execute((
                    &mark.source,
                    mark.part as i64,
                    committed.first_position as i64,
                ))?;
            }
        }
        for (level, index, hashes) in &tiles {
            db.prepare_cached(INSERT_TILE)?
                .execute((level, *index as i64, hashes))?;
        }
        let mut upsert_person = db.prepare_cached(UPSERT_PERSON)?;
        for (person, chain) in &chains {
            upsert_person.execute((
                &person.0[..],
                chain.count as i64,
                chain.position as i64,
                &chain.hash[..],
            ))?;
        }
        self.slots
            .write(db, self.sealing.keys().ledger(), &decided.taken)?;
        let checkpoint = sign(&self.origin, &self.key, &edge)?;
        store::set_state(db, "checkpoint", &checkpoint)?;
        tx.commit()?;
        Ok(After {
            bytes: bytes + (tiles.len() * tlog::TILE_BYTES + 4 * PAGE_BYTES) as u64,
            edge,
            checkpoint,
            chains,
        })
    }

    /// The end of a person's chain: as this group left it, as memory has it, as the disk has it.
    fn chain(
        &self,
        group: &HashMap<Alias, Chain>,
        person: Alias,
    ) -> rusqlite::Result<Option<Chain>> {
        if let Some(chain) = group.get(&person).or_else(|| self.chains.get(&person)) {
            return Ok(Some(*chain));
        }
        self.db
            .prepare_cached("SELECT count, position, hash FROM person WHERE person = ?1")?
            .query_row([&person.0[..]], |row| {
                Ok(Chain {
                    count: row.get::<_, i64>(0)? as u64,
                    position: row.get::<_, i64>(1)? as u64,
                    hash: row.get(2)?,
                })
            })
            .optional()
    }

    /// What an error means for what is on the disk. Whatever was begun is rolled back by now.
    fn failed(&mut self, error: impl Into<Trouble>) -> CommitError {
        let error = judged(error.into(), &self.db, &self.room);
        self.poisoned |= matches!(error, CommitError::Fatal(_));
        error
    }
}

const INSERT_ENTRY: &str = "INSERT INTO entry (position, line) VALUES (?1, ?2)";
const INSERT_CONTENT: &str =
    "INSERT INTO content (position, format, class, slot, body) VALUES (?1, ?2, ?3, ?4, ?5)";
const INSERT_TILE: &str = "INSERT INTO tile (level, idx, hashes) VALUES (?1, ?2, ?3)";
const INSERT_SOURCE: &str =
    "INSERT INTO import_source (source, part, position) VALUES (?1, ?2, ?3)";
const UPSERT_PERSON: &str =
    "INSERT OR REPLACE INTO person (person, count, position, hash) VALUES (?1, ?2, ?3, ?4)";

/// The signed checkpoint of a tree that ends so.
pub(crate) fn sign(origin: &str, key: &SigningKey, edge: &Edge) -> rusqlite::Result<String> {
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        size: edge.size(),
        root: edge.root(),
        extensions: Vec::new(),
    };
    // The origin was signed before, when the log was made or opened.
    checkpoint
        .sign(key)
        .map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

/// The time of the next transaction: the clock's, or just after the last one.
pub(crate) fn recorded_at(now: RecordedAt, last: RecordedAt) -> Result<RecordedAt, Refused> {
    if !(0..CLOCK_END_US).contains(&now.0) {
        return Err(Refused::ClockFarOff);
    }
    if now.0 < last.0.saturating_sub(CLOCK_BEHIND_MAX_US) {
        return Err(Refused::ClockBehind { now, last });
    }
    Ok(RecordedAt(now.0.max(last.0.saturating_add(1))))
}

/// The heads as they are after the transactions decided so far.
struct Overlay<'g> {
    heads: &'g dyn Heads,
    changed: HashMap<(&'g str, &'g str), Head>,
    /// What the transaction being decided has replaced, in order.
    undo: Vec<((&'g str, &'g str), Option<Head>)>,
}

impl<'g> Overlay<'g> {
    fn transaction(
        &mut self,
        transaction: &'g Transaction,
        recorded_at: RecordedAt,
        first_position: u64,
    ) -> Result<Committed, Refused> {
        let mut writes = Vec::with_capacity(transaction.writes.len());
        for (index, write) in transaction.writes.iter().enumerate() {
            check_form(write).map_err(|what| Refused::Malformed { index, what })?;
            writes.push(self.write(write, first_position + index as u64)?);
        }
        Ok(Committed {
            recorded_at,
            first_position,
            writes,
        })
    }

    fn write(&mut self, write: &'g Write, position: u64) -> Result<Written, Refused> {
        let key = (write.kind.as_str(), write.id.as_str());
        let head = match self.changed.get(&key) {
            Some(head) => Some(*head),
            None => self.heads.head(key.0, key.1),
        };
        let created = check_expected(write, head)?;
        let version = match head.map_or(Some(1), |head| head.version.checked_add(1)) {
            Some(version) => version,
            None => {
                return Err(Refused::Malformed {
                    index: 0,
                    what: "has no version left",
                });
            }
        };
        let number = head.map_or(position, |head| head.number);
        let new = Head {
            number,
            version,
            position,
            deleted: write.action == Action::Delete,
        };
        self.undo.push((key, self.changed.insert(key, new)));
        Ok(Written {
            position,
            number,
            version,
            created,
        })
    }

    /// Takes back what the refused transaction changed.
    fn roll_back(&mut self) {
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(head) => self.changed.insert(key, head),
                None => self.changed.remove(&key),
            };
        }
    }
}

/// Whether the resource is as the write expects it; if so, whether there is no current version.
fn check_expected(write: &Write, head: Option<Head>) -> Result<bool, Refused> {
    let (kind, id) = (|| write.kind.clone(), || write.id.clone());
    let not_found = || Refused::NotFound {
        kind: kind(),
        id: id(),
    };
    let deleted = || Refused::Deleted {
        kind: kind(),
        id: id(),
    };
    let current = head.is_some_and(|head| !head.deleted);
    match (write.expect, head) {
        (Expect::Absent, Some(_)) if current => {
            return Err(Refused::AlreadyExists {
                kind: kind(),
                id: id(),
            });
        }
        (Expect::Present | Expect::Version(_), None) => return Err(not_found()),
        (Expect::Present, Some(_)) if !current => return Err(deleted()),
        (Expect::Version(expected), Some(head)) if head.version != expected => {
            return Err(match current {
                false => deleted(),
                true => Refused::VersionConflict {
                    kind: kind(),
                    id: id(),
                    expected,
                    found: head.version,
                },
            });
        }
        _ => {}
    }
    match (write.action, head) {
        (Action::Delete, None) => Err(not_found()),
        (Action::Delete, Some(_)) if !current => Err(deleted()),
        (Action::Delete, _) => Ok(false),
        _ => Ok(!current),
    }
}

/// What receipts and the line rely on.
fn check_form(write: &Write) -> Result<(), &'static str> {
    if !entry::is_kind(&write.kind) {
        return Err("has a kind that is not a resource type");
    }
    if !entry::is_id(&write.id) {
        return Err("has an id that FHIR does not allow");
    }
    if content::name(&write.stored) != Some((&write.kind, &write.id)) {
        return Err("has content that does not begin with its kind and id");
    }
    if write.stored.len() > content::STORED_BYTES_MAX {
        return Err("has content that is too large");
    }
    match (write.class, &write.person) {
        (Class::Programme, _) | (Class::Record | Class::Notes, Some(_)) => {}
        (Class::Record | Class::Notes, None) => {
            return Err("is about nobody, but is to be sealed under a person's key");
        }
        (Class::Access, _) => return Err("is to be sealed as what belongs to the access log"),
    }
    debug_assert_eq!(
        content::decompress(&write.packed).as_ref(),
        Ok(&write.stored)
    );
    Ok(())
}
