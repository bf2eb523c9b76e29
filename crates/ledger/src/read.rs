//! The way out: point reads, several at once, scans. Many threads, each with a connection of its own.
//!
//! A [`Ledger`] is cheap to clone. Its connections cannot write. A read sees what
//! was committed when it began, never half a commit; reads of several positions
//! share one such moment.
//!
//! Every content is opened with its key as it is read, which finds any change to it, and checked
//! against the commitment in its line. That the line itself is the one that was logged is what a
//! receipt proves, and `audit` for all of them. What was erased is [`ReadError::Erased`].

use std::borrow::Cow;
use std::ops::{ControlFlow, Deref};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use evidence::heads::Head;
use rusqlite::{Connection, OptionalExtension, Row};
use seal::{Class, Key};
use tlog::note::VerifierKey;
use tlog::{Hash, TileSource};

use crate::content::{self, Content};
use crate::entry::{Alias, Aliases, Entry, Line};
use crate::keys::Keys;
use crate::sealing::{self, Sealing, Unopened};
use crate::store::{self, Identity, OpenError};

mod export;
mod log;
mod restored;

pub use export::Disclosures;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such entry.
    #[error("the ledger has no entry {0}")]
    NoSuchEntry(u64),
    /// The key of its content was destroyed.
    #[error("the content of entry {position} was erased")]
    Erased {
        /// Where.
        position: u64,
    },
    /// What is stored is not what was written.
    #[error("entry {position} is damaged: {what}. Run `homecoming audit`, and restore a backup")]
    Damaged {
        /// Where.
        position: u64,
        /// What does not fit.
        what: String,
    },
    /// SQLite refused.
    #[error("the ledger cannot be read")]
    Sqlite(#[from] rusqlite::Error),
}

/// The reading side of a ledger. Cloning shares the connections.
#[derive(Clone, Debug)]
pub struct Ledger(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    identity: Identity,
    aliases: Aliases,
    sealing: Sealing,
    edge: KnownEdge,
    verified: log::Verified,
    free: Mutex<Vec<Connection>>,
    returned: Condvar,
}

/// An entry with its content as it is stored, for a reader that opens it on threads of its own
/// ([`Ledger::unseal`]).
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a> {
    /// The entry's place in the ledger.
    pub position: u64,
    /// The line.
    pub line: &'a [u8],
    /// The body's format.
    pub format: i64,
    /// Whose key it is sealed under, by the number of the class.
    pub class: i64,
    /// Which key it is sealed under.
    pub slot: i64,
    /// The sealed content.
    pub body: &'a [u8],
}

impl Raw<'_> {
    /// Reads the line.
    pub fn entry(&self) -> Result<Entry, ReadError> {
        entry_of(self.position, self.line)
    }
}

/// A key that a person's content is sealed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// For which class of content.
    pub class: Class,
    /// Since which epoch.
    pub epoch: u32,
    /// Where it is in the keyring.
    pub slot: u32,
    /// Its name, which stays when it is destroyed.
    pub name: content::KeyName,
}

impl Ledger {
    /// Opens a ledger for reading with so many connections, at least one.
    ///
    /// Works beside the process that appends, and without one.
    pub fn open(dir: &Path, readers: usize, keys: Keys) -> Result<Ledger, OpenError> {
        Ledger::open_with(dir, dir, readers, keys)
    }

    /// The same of a ledger whose keys lie in another directory: of a backup.
    pub fn open_with(
        dir: &Path,
        keys_of: &Path,
        readers: usize,
        keys: Keys,
    ) -> Result<Ledger, OpenError> {
        let free = (0..readers.max(1))
            .map(|_| store::open_to_read(dir))
            .collect::<Result<Vec<_>, _>>()?;
        let identity = store::identity(&free[0])?;
        Ok(Ledger(Arc::new(Inner {
            sealing: Sealing::new(identity.programme.clone(), keys),
            identity,
            aliases: store::aliases(keys_of, &free[0])?,
            edge: KnownEdge::default(),
            verified: log::Verified::default(),
            free: Mutex::new(free),
            returned: Condvar::new(),
        })))
    }

    /// The name of the log.
    pub fn origin(&self) -> &str {
        &self.0.identity.origin
    }

    /// The public key of the log.
    pub fn verifier(&self) -> &VerifierKey {
        &self.0.identity.verifier
    }

    /// The alias that lines give a person, by the id of their Patient resource.
    pub fn person(&self, patient: &str) -> Alias {
        self.0.aliases.person(patient)
    }

    /// The id as lines write it: as it is if it says nothing, otherwise `~` and its alias.
    pub fn id_in_line<'a>(&self, kind: &str, id: &'a str) -> Cow<'a, str> {
        self.0.aliases.id_in_line(kind, id)
    }

    /// The keys that it opens with.
    pub fn keys(&self) -> &Keys {
        self.0.sealing.keys()
    }

    /// The keys that content about a person is sealed under, the destroyed ones too; by class and epoch.
    pub fn slots_of(&self, patient: &str) -> Result<Vec<KeyUse>, ReadError> {
        let person = self.person(patient);
        let db = self.connection();
        let mut statement = db.prepare_cached(
            "SELECT class, epoch, slot, name FROM key_use WHERE person = ?1 ORDER BY class, epoch",
        )?;
        let mut rows = statement.query([&person.0[..]])?;
        let mut uses = Vec::new();
        while let Some(row) = rows.next()? {
            uses.push(KeyUse {
                class: sealing::class_of(row.get(0)?).ok_or_else(|| {
                    damaged(0, "a key is in use for a class that is not known here")
                })?,
                epoch: row.get(1)?,
                slot: row.get(2)?,
                name: row.get(3)?,
            });
        }
        Ok(uses)
    }

    /// Of which class the contents of entries are, and in which slot the key is that each is sealed
    /// under; in the order asked for.
    pub fn sealed_as(&self, positions: &[u64]) -> Result<Vec<(Class, u32)>, ReadError> {
        let db = self.connection();
        let mut statement =
            db.prepare_cached("SELECT class, slot FROM content WHERE position = ?1")?;
        let mut found = Vec::with_capacity(positions.len());
        for position in positions {
            let row: Option<(i64, u32)> = statement
                .query_row([*position as i64], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let (class, slot) = row.ok_or_else(|| damaged(*position, "its content is missing"))?;
            let class = sealing::class_of(class)
                .ok_or_else(|| damaged(*position, "its content is of an unknown class"))?;
            found.push((class, slot));
        }
        Ok(found)
    }

    /// How many keys are in use, and the epoch that is written under.
    pub fn keys_in_use(&self) -> Result<(u32, u32), ReadError> {
        let db = self.connection();
        let used = db.query_row("SELECT count(*) FROM key_use", [], |row| row.get(0))?;
        let epoch = store::state(&db, "epoch")?.and_then(|text| text.parse().ok());
        Ok((
            used,
            epoch.ok_or_else(|| damaged(0, "it does not say its epoch"))?,
        ))
    }

    /// Whether a key opens what was sealed under a slot: the first such content is tried. `None` if
    /// nothing is sealed under it.
    pub fn fits(&self, slot: u32, key: &Key) -> Result<Option<bool>, ReadError> {
        let db = self.connection();
        let mut statement = db.prepare_cached(
            "SELECT e.position, e.line, c.format, c.class, c.slot, c.body FROM content c \
             JOIN entry e ON e.position = c.position WHERE c.slot = ?1 ORDER BY c.position LIMIT 1",
        )?;
        let mut rows = statement.query([slot])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let raw = raw(row)?;
        let line = line_of(raw.position, raw.line)?;
        let class = sealing::class_of(raw.class)
            .ok_or_else(|| damaged(raw.position, "its content is of an unknown class"))?;
        let opened = self.0.sealing.open_with(key, class, &line, raw.body);
        Ok(Some(opened.is_ok()))
    }

    /// How many entries the ledger has.
    pub fn size(&self) -> Result<u64, ReadError> {
        Ok(size(&self.connection())?)
    }

    /// The signed checkpoint of all entries.
    pub fn checkpoint(&self) -> Result<String, ReadError> {
        checkpoint(&self.connection())
    }

    /// The root of the tree over the first so many entries, at most all of them.
    pub fn root_at(&self, size: u64) -> Result<Hash, ReadError> {
        let db = self.connection();
        let _moment = Moment::begin(&db)?;
        tlog::root_at(size, &StoredTiles::new(&db, &self.0.edge))
            .map_err(|e| damaged(size.saturating_sub(1), &e.to_string()))
    }

    /// One entry's line, read.
    pub fn entry(&self, position: u64) -> Result<Option<Entry>, ReadError> {
        let db = self.connection();
        let line: Option<Vec<u8>> = db
            .prepare_cached(SELECT_LINE)?
            .query_row([position as i64], |row| row.get(0))
            .optional()?;
        line.map(|line| entry_of(position, &line)).transpose()
    }

    /// One entry's content.
    pub fn content(&self, position: u64) -> Result<Content, ReadError> {
        Ok(self.version(position)?.1)
    }

    /// The contents of several entries, in the order asked for, of one moment.
    pub fn contents(&self, positions: &[u64]) -> Result<Vec<Content>, ReadError> {
        Ok(self
            .versions(positions)?
            .into_iter()
            .map(|(_, content)| content)
            .collect())
    }

    /// The same of what is left: nothing in the place of what was erased.
    pub fn contents_left(&self, positions: &[u64]) -> Result<Vec<Option<Content>>, ReadError> {
        let db = self.connection();
        let _moment = Moment::begin(&db)?;
        let read = |position: &u64| match self.version_at(&db, *position) {
            Ok((_, content)) => Ok(Some(content)),
            Err(ReadError::Erased { .. }) => Ok(None),
            Err(error) => Err(error),
        };
        positions.iter().map(read).collect()
    }

    /// Checks, opens and unpacks what a scan gave.
    pub fn unseal(&self, raw: &Raw<'_>) -> Result<Content, ReadError> {
        let line = line_of(raw.position, raw.line)?;
        let row = sealing::Row {
            format: raw.format,
            class: raw.class,
            slot: raw.slot,
            body: raw.body,
        };
        let content = self
            .0
            .sealing
            .open(&line, row)
            .map_err(|unopened| match unopened {
                Unopened::Erased => ReadError::Erased {
                    position: raw.position,
                },
                Unopened::Damaged(what) => damaged(raw.position, &what),
            })?;
        if content::commitment(&content.salt, &content.stored) != line.commitment {
            return Err(damaged(
                raw.position,
                "its content is not what its line commits to",
            ));
        }
        Ok(content)
    }

    /// Entry and content together, the content checked against the commitment in the line.
    pub fn version(&self, position: u64) -> Result<(Entry, Content), ReadError> {
        self.version_at(&self.connection(), position)
    }

    /// Several of them, in the order asked for, of one moment.
    pub fn versions(&self, positions: &[u64]) -> Result<Vec<(Entry, Content)>, ReadError> {
        let db = self.connection();
        let _moment = Moment::begin(&db)?;
        positions
            .iter()
            .map(|position| self.version_at(&db, *position))
            .collect()
    }

    /// The receipt of an entry under the newest checkpoint: a text that anybody can verify.
    pub fn receipt(&self, position: u64) -> Result<String, ReadError> {
        self.receipt_under(position, None)
    }

    /// Reads entries and contents in order, from a position on, until the end or until `each` breaks.
    ///
    /// All of one moment: entries that are committed meanwhile are not seen, and
    /// the write-ahead log grows until the scan has ended.
    pub fn scan<B>(
        &self,
        from: u64,
        mut each: impl FnMut(Raw<'_>) -> ControlFlow<B>,
    ) -> Result<Option<B>, ReadError> {
        let db = self.connection();
        let mut statement = db.prepare_cached(SCAN)?;
        let mut rows = statement.query([from as i64])?;
        let mut expect = from;
        while let Some(row) = rows.next()? {
            let raw = raw(row)?;
            if raw.position != expect {
                return Err(damaged(expect, "it is missing"));
            }
            expect += 1;
            if let ControlFlow::Break(found) = each(raw) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The position of a person's latest entry: while it stays, nothing new is recorded about them.
    pub fn chain_head(&self, patient: &str) -> Result<Option<u64>, ReadError> {
        self.head_of(self.person(patient))
    }

    /// The same by the person's alias.
    pub fn head_of(&self, person: Alias) -> Result<Option<u64>, ReadError> {
        let db = self.connection();
        Ok(db
            .prepare_cached("SELECT position FROM person WHERE person = ?1")?
            .query_row([&person.0[..]], |row| row.get::<_, i64>(0))
            .optional()?
            .map(|position| position as u64))
    }

    /// A person's entries, the latest first, at most so many: their chain, link by link.
    pub fn chain(&self, patient: &str, count: usize) -> Result<Vec<Entry>, ReadError> {
        let db = self.connection();
        let _moment = Moment::begin(&db)?;
        let mut next: Option<(u64, Hash)> = db
            .prepare_cached("SELECT position, hash FROM person WHERE person = ?1")?
            .query_row([&self.person(patient).0[..]], |row| {
                Ok((row.get::<_, i64>(0)? as u64, row.get(1)?))
            })
            .optional()?;
        let mut entries = Vec::new();
        while let Some((position, hash)) = next.filter(|_| entries.len() < count) {
            let line = line_at(&db, position)?;
            if tlog::leaf_hash(&line) != hash {
                return Err(damaged(
                    position,
                    "it is not the one that the person's chain names",
                ));
            }
            let entry = entry_of(position, &line)?;
            next = entry
                .previous
                .map(|previous| (previous.position, previous.hash));
            entries.push(entry);
        }
        Ok(entries)
    }

    /// The ends of all persons' chains as they were in the first `size` entries, sorted by alias.
    ///
    /// The newest ends are stored; from those that lie beyond, the chains are walked back.
    pub fn heads_at(&self, size: u64) -> Result<Vec<Head>, ReadError> {
        let db = self.connection();
        let _moment = Moment::begin(&db)?;
        let mut statement =
            db.prepare_cached("SELECT person, count, position, hash FROM person ORDER BY person")?;
        let mut rows = statement.query([])?;
        let mut heads = Vec::new();
        while let Some(row) = rows.next()? {
            let mut head = Head {
                person: Alias(row.get(0)?),
                count: row.get::<_, i64>(1)? as u64,
                position: row.get::<_, i64>(2)? as u64,
                hash: row.get(3)?,
            };
            let mut there = true;
            while there && head.position >= size {
                let line = line_at(&db, head.position)?;
                match line_of(head.position, &line)?.previous {
                    None => there = false,
                    Some(before) => {
                        head.count = before.number;
                        head.position = before.position;
                        head.hash = before.hash;
                    }
                }
            }
            if there {
                heads.push(head);
            }
        }
        Ok(heads)
    }

    /// The parts of a source that have been imported, in order.
    pub fn imported(&self, source: &[u8]) -> Result<Vec<u64>, ReadError> {
        let db = self.connection();
        let mut statement =
            db.prepare_cached("SELECT part FROM import_source WHERE source = ?1 ORDER BY part")?;
        let parts =
            statement.query_map([source], |row| row.get::<_, i64>(0).map(|part| part as u64))?;
        Ok(parts.collect::<Result<_, _>>()?)
    }

    fn version_at(&self, db: &Connection, position: u64) -> Result<(Entry, Content), ReadError> {
        let mut statement = db.prepare_cached(SELECT)?;
        let mut rows = statement.query([position as i64])?;
        let Some(row) = rows.next()? else {
            return Err(ReadError::NoSuchEntry(position));
        };
        let raw = raw(row)?;
        Ok((raw.entry()?, self.unseal(&raw)?))
    }

    fn connection(&self) -> Pooled<'_> {
        let mut free = self.0.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(db) = free.pop() {
                return Pooled {
                    inner: &self.0,
                    db: Some(db),
                };
            }
            free = self
                .0
                .returned
                .wait(free)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A connection on loan.
struct Pooled<'l> {
    inner: &'l Inner,
    db: Option<Connection>,
}

impl Deref for Pooled<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.db
            .as_ref()
            .expect("it is given back only when dropped")
    }
}

impl Drop for Pooled<'_> {
    fn drop(&mut self) {
        if let Some(db) = self.db.take() {
            self.inner
                .free
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(db);
            self.inner.returned.notify_one();
        }
    }
}

/// Reads that see the same state. The statements are prepared once, which `Connection::transaction` does not do.
struct Moment<'c>(&'c Connection);

impl<'c> Moment<'c> {
    fn begin(db: &'c Connection) -> rusqlite::Result<Moment<'c>> {
        db.prepare_cached("BEGIN")?.execute([])?;
        Ok(Moment(db))
    }
}

impl Drop for Moment<'_> {
    fn drop(&mut self) {
        // Nothing was written: if this fails, so does the next BEGIN, and says so.
        let _ = self
            .0
            .prepare_cached("ROLLBACK")
            .and_then(|mut end| end.execute([]));
    }
}

/// The tree's hashes as they are stored: full tiles from their table, the right edge from lines and tiles below.
pub(crate) struct StoredTiles<'c> {
    db: &'c Connection,
    edge: &'c KnownEdge,
}

/// What was computed of the tiles that are not full yet: by level the tile's number and its first hashes.
///
/// A hash of the tree never changes, so what was computed once stays right while the ledger grows.
#[derive(Debug, Default)]
pub(crate) struct KnownEdge(Mutex<Vec<(u64, Vec<u8>)>>);

impl<'c> StoredTiles<'c> {
    pub(crate) fn new(db: &'c Connection, edge: &'c KnownEdge) -> Self {
        StoredTiles { db, edge }
    }

    /// A tile that has been full for some time, whole.
    fn full(&self, level: u8, index: u64) -> rusqlite::Result<Option<Vec<u8>>> {
        self.db
            .prepare_cached("SELECT hashes FROM tile WHERE level = ?1 AND idx = ?2")?
            .query_row((level, index as i64), |row| row.get(0))
            .optional()
    }

    /// Appends the hashes of a level from number `from` up to `to`.
    fn compute(&self, level: u8, from: u64, to: u64, hashes: &mut Vec<u8>) -> rusqlite::Result<()> {
        if level == 0 {
            let mut statement = self.db.prepare_cached(
                "SELECT line FROM entry WHERE position >= ?1 AND position < ?2 ORDER BY position",
            )?;
            let mut rows = statement.query((from as i64, to as i64))?;
            while let Some(row) = rows.next()? {
                hashes.extend_from_slice(&tlog::leaf_hash(row.get_ref(0)?.as_blob()?));
            }
            return Ok(());
        }
        for below in from..to {
            let tile = self
                .full(level - 1, below)?
                .filter(|tile| tile.len() == tlog::TILE_BYTES)
                .ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            hashes.extend_from_slice(&tlog::tile_root(&tile));
        }
        Ok(())
    }
}

impl TileSource for StoredTiles<'_> {
    type Error = rusqlite::Error;

    fn tile(&self, level: u8, index: u64, width: u16) -> rusqlite::Result<Cow<'_, [u8]>> {
        let bytes = usize::from(width) * size_of::<Hash>();
        if let Some(mut hashes) = self.full(level, index)? {
            hashes.truncate(bytes);
            return Ok(Cow::Owned(hashes));
        }
        let mut edge = self.edge.0.lock().unwrap_or_else(PoisonError::into_inner);
        let level_at = usize::from(level);
        if edge.len() <= level_at {
            edge.resize_with(level_at + 1, Default::default);
        }
        let (known, hashes) = &mut edge[level_at];
        if *known != index {
            (*known, *hashes) = (index, Vec::new());
        }
        let first = index * u64::from(tlog::TILE_WIDTH);
        let have = first + (hashes.len() / size_of::<Hash>()) as u64;
        let want = first + u64::from(width);
        if have < want {
            // Only whole answers are kept.
            let mut more = Vec::new();
            self.compute(level, have, want, &mut more)?;
            hashes.extend_from_slice(&more);
        }
        Ok(Cow::Owned(hashes[..bytes.min(hashes.len())].to_vec()))
    }
}

const SELECT_LINE: &str = "SELECT line FROM entry WHERE position = ?1";
const SELECT: &str = "SELECT e.position, e.line, c.format, c.class, c.slot, c.body \
    FROM entry e LEFT JOIN content c ON c.position = e.position WHERE e.position = ?1";
const SCAN: &str = "SELECT e.position, e.line, c.format, c.class, c.slot, c.body \
    FROM entry e LEFT JOIN content c ON c.position = e.position \
    WHERE e.position >= ?1 ORDER BY e.position";

/// The number of entries.
pub(crate) fn size(db: &Connection) -> rusqlite::Result<u64> {
    db.prepare_cached("SELECT coalesce(max(position) + 1, 0) FROM entry")?
        .query_row([], |row| row.get::<_, i64>(0).map(|size| size as u64))
}

fn checkpoint(db: &Connection) -> Result<String, ReadError> {
    store::state(db, "checkpoint")?.ok_or_else(|| damaged(0, "the ledger has no checkpoint"))
}

fn line_at(db: &Connection, position: u64) -> Result<Vec<u8>, ReadError> {
    db.prepare_cached(SELECT_LINE)?
        .query_row([position as i64], |row| row.get(0))
        .optional()?
        .ok_or(ReadError::NoSuchEntry(position))
}

/// A line that says that it is this entry's.
fn line_of(position: u64, line: &[u8]) -> Result<Line<'_>, ReadError> {
    let line = Line::parse(line).map_err(|e| damaged(position, &e.to_string()))?;
    match line.position == position {
        true => Ok(line),
        false => Err(damaged(position, "its line is another entry's")),
    }
}

fn entry_of(position: u64, line: &[u8]) -> Result<Entry, ReadError> {
    let entry = Entry::parse(line).map_err(|e| damaged(position, &e.to_string()))?;
    match entry.position == position {
        true => Ok(entry),
        false => Err(damaged(position, "its line is another entry's")),
    }
}

fn raw<'r>(row: &'r Row<'_>) -> Result<Raw<'r>, ReadError> {
    let position = row.get::<_, i64>(0)? as u64;
    let missing = |_| damaged(position, "its content is missing or malformed");
    Ok(Raw {
        position,
        line: row
            .get_ref(1)?
            .as_blob()
            .map_err(|_| damaged(position, "its line is malformed"))?,
        format: row.get(2).map_err(missing)?,
        class: row.get(3).map_err(missing)?,
        slot: row.get(4).map_err(missing)?,
        body: row
            .get_ref(5)?
            .as_blob()
            .map_err(|_| damaged(position, "its content is missing"))?,
    })
}

pub(crate) fn damaged(position: u64, what: &str) -> ReadError {
    ReadError::Damaged {
        position,
        what: what.to_owned(),
    }
}
