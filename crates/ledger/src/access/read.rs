//! The way out of the access log: leaves, whom they are about, and their proofs.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use evidence::content::{Sealed, commitment, sealed};
use evidence::disclosure::{Leaf, Line, Told, Whom, receipt};
use evidence::entry::Alias;
use record::time::RecordedAt;
use rusqlite::{Connection, OptionalExtension, Row};
use seal::Class;
use tlog::checkpoint::Checkpoint;
use tlog::note::VerifierKey;
use tlog::{Hash, TileSource};

use super::body::{Place, Sealing, Slot};
use super::connect_to_read;
use crate::keys::Keys;
use crate::log::Log;
use crate::read::{KnownEdge, ReadError, StoredTiles, damaged, size};
use crate::store::{self, Identity, OpenError};

/// The reading side of an access log. Cloning shares the connection.
#[derive(Clone)]
pub struct AccessLog(Arc<Inner>);

struct Inner {
    identity: Identity,
    sealing: Sealing,
    edge: KnownEdge,
    db: Mutex<Connection>,
}

/// A leaf with what lies beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosed {
    /// The line.
    pub leaf: Leaf,
    /// The persons whom it told of, by their aliases; nobody's where the content is erased and told
    /// of several.
    pub persons: Vec<Alias>,
    /// What exactly was asked and given out; `None` if the person was erased.
    pub told: Option<Told>,
}

/// A salt and the content that is committed to with it.
pub type Salted = (evidence::content::Salt, Vec<u8>);

/// A leaf with the proof that the log of a checkpoint holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The leaf.
    pub disclosed: Disclosed,
    /// Salt and content as stored, if it is not erased: what its commitment is over.
    pub content: Option<Salted>,
    /// What of the sealed content tells which key it lies under; nothing if it is too short to be one.
    pub sealed: Option<Sealed>,
    /// The inclusion proof under the checkpoint that they all share.
    pub hashes: Vec<Hash>,
}

impl AccessLog {
    /// Opens an access log for reading. Works beside the process that records, and without one.
    pub fn open(dir: &Path, keys: Keys) -> Result<AccessLog, OpenError> {
        let db = connect_to_read(dir)?;
        let identity = store::identity(&db)?;
        Ok(AccessLog(Arc::new(Inner {
            sealing: Sealing::new(&identity.programme, keys),
            identity,
            edge: KnownEdge::default(),
            db: Mutex::new(db),
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

    /// How many leaves it has.
    pub fn size(&self) -> Result<u64, ReadError> {
        Ok(size(&self.db())?)
    }

    /// How many leaves were recorded up to and including an instant.
    pub fn size_at(&self, at: RecordedAt) -> Result<u64, ReadError> {
        let db = self.db();
        let mut line = db.prepare_cached("SELECT line FROM entry WHERE position = ?1")?;
        let (mut low, mut high) = (0, size(&db)?);
        while low < high {
            let middle = low + (high - low) / 2;
            let text: Vec<u8> = line.query_row([middle as i64], |row| row.get(0))?;
            let leaf = Line::parse(&text).map_err(|e| damaged(middle, &leaf_says(&e)))?;
            match leaf.recorded_at <= at {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        Ok(low)
    }

    /// The signed checkpoint of all leaves.
    pub fn checkpoint(&self) -> Result<String, ReadError> {
        checkpoint(&self.db())
    }

    /// One leaf.
    pub fn leaf(&self, position: u64) -> Result<Option<Disclosed>, ReadError> {
        let db = self.db();
        let mut select = db.prepare_cached(SELECT_ONE)?;
        let row = select
            .query_row([position as i64], |row| Ok(stored(row)))
            .optional()?;
        row.transpose()?
            .map(|stored| stored.disclosed(&self.0.sealing))
            .transpose()
    }

    /// Leaves below a position, newest first, at most so many.
    pub fn before(&self, position: u64, count: usize) -> Result<Vec<Disclosed>, ReadError> {
        let db = self.db();
        let mut select = db.prepare_cached(
            "SELECT position, line, persons, class, slot, body FROM entry WHERE position < ?1 \
             ORDER BY position DESC LIMIT ?2",
        )?;
        let bound = i64::try_from(position).unwrap_or(i64::MAX);
        let mut rows = select.query((bound, count as i64))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(stored(row)?.disclosed(&self.0.sealing)?);
        }
        Ok(found)
    }

    /// Where the leaves about a person are, newest first, below a position and at most so many.
    pub fn positions_about(
        &self,
        person: Alias,
        below: u64,
        count: usize,
    ) -> Result<Vec<u64>, ReadError> {
        let db = self.db();
        positions_about(&db, person, below, count)
    }

    /// How many leaves are about a person.
    pub fn count_about(&self, person: Alias) -> Result<u64, ReadError> {
        let db = self.db();
        let covered = covered(&db)?;
        let counted: i64 = db
            .prepare_cached("SELECT count(*) FROM about WHERE person = ?1")?
            .query_row([&person.0[..]], |row| row.get(0))?;
        Ok(counted as u64 + uncovered(&db, person, covered, u64::MAX)?.len() as u64)
    }

    /// All leaves about a person, oldest first, each with its proof under the one checkpoint that
    /// comes with them: for the person's export.
    ///
    /// The checkpoint is `cosigned` if that is given, and then later leaves are not there; otherwise the newest.
    pub fn about_under(
        &self,
        person: Alias,
        cosigned: Option<&str>,
    ) -> Result<(String, Vec<Proven>), ReadError> {
        let db = self.db();
        // One moment: a leaf that is recorded meanwhile is not under the checkpoint.
        let _moment = db.unchecked_transaction()?;
        let text = match cosigned {
            Some(text) => text.to_owned(),
            None => checkpoint(&db)?,
        };
        let size = self.opened(&text, 0)?.size;
        let mut positions = positions_about(&db, person, size, usize::MAX)?;
        positions.reverse();
        let mut proven = Vec::with_capacity(positions.len());
        for position in positions {
            proven.push(self.proven(&db, position, size)?);
        }
        Ok((text, proven))
    }

    /// The receipt of a leaf under the newest checkpoint: a text that anybody can verify.
    pub fn receipt(&self, position: u64) -> Result<String, ReadError> {
        self.receipt_under(position, None)
    }

    /// The receipt of a leaf under a cosigned checkpoint if that covers it, else under the newest one.
    ///
    /// `cosigned` must be a checkpoint of this log; one that does not read, or that the log's key has not
    /// signed, is damage.
    pub fn receipt_under(
        &self,
        position: u64,
        cosigned: Option<&str>,
    ) -> Result<String, ReadError> {
        let db = self.db();
        let _moment = db.unchecked_transaction()?;
        let covering = match cosigned {
            Some(text) => Some((self.opened(text, position)?.size, text.to_owned()))
                .filter(|(size, _)| position < *size),
            None => None,
        };
        let (size, text) = match covering {
            Some(covering) => covering,
            None => {
                let text = checkpoint(&db)?;
                (self.opened(&text, position)?.size, text)
            }
        };
        let Proven {
            disclosed,
            content,
            hashes,
            sealed: _,
        } = self.proven(&db, position, size)?;
        Ok(receipt::make(
            self.verifier(),
            &disclosed.leaf.line,
            content.as_ref().map(|(salt, stored)| (salt, &stored[..])),
            hashes,
            text,
            position,
        ))
    }

    fn proven(&self, db: &Connection, position: u64, size: u64) -> Result<Proven, ReadError> {
        let mut select = db.prepare_cached(SELECT_ONE)?;
        let row = select
            .query_row([position as i64], |row| Ok(stored(row)))
            .optional()?
            .ok_or(ReadError::NoSuchEntry(position))??;
        let tiles = StoredTiles::new(db, &self.0.edge);
        let hashes = tlog::prove_inclusion(position, size, &tiles)
            .map_err(|e| damaged(position, &e.to_string()))?;
        Ok(Proven {
            content: row.content(&self.0.sealing)?,
            sealed: Sealed::of(&row.body),
            disclosed: row.disclosed(&self.0.sealing)?,
            hashes,
        })
    }

    fn opened(&self, text: &str, position: u64) -> Result<Checkpoint, ReadError> {
        Checkpoint::open(text, self.verifier(), self.origin())
            .map_err(|e| damaged(position, &e.to_string()))
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.0.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log for AccessLog {
    fn origin(&self) -> &str {
        AccessLog::origin(self)
    }

    fn verifier(&self) -> &VerifierKey {
        AccessLog::verifier(self)
    }

    fn checkpoint(&self) -> Result<String, ReadError> {
        AccessLog::checkpoint(self)
    }

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, ReadError> {
        let db = self.db();
        Ok(StoredTiles::new(&db, &self.0.edge)
            .tile(level, index, width)?
            .into_owned())
    }

    fn leaves(&self, from: u64, to: u64) -> Result<Vec<Vec<u8>>, ReadError> {
        let db = self.db();
        let mut select = db.prepare_cached(
            "SELECT line FROM entry WHERE position >= ?1 AND position < ?2 ORDER BY position",
        )?;
        let lines = select.query_map((from as i64, to as i64), |row| row.get(0))?;
        Ok(lines.collect::<Result<_, _>>()?)
    }
}

const SELECT_ONE: &str =
    "SELECT position, line, persons, class, slot, body FROM entry WHERE position = ?1";

fn checkpoint(db: &Connection) -> Result<String, ReadError> {
    store::state(db, "checkpoint")?.ok_or_else(|| damaged(0, "the access log has no checkpoint"))
}

fn covered(db: &Connection) -> Result<u64, ReadError> {
    store::state(db, "covered")?
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| damaged(0, "the access log does not say what its index covers"))
}

fn positions_about(
    db: &Connection,
    person: Alias,
    below: u64,
    count: usize,
) -> Result<Vec<u64>, ReadError> {
    let covered = covered(db)?;
    let mut found = uncovered(db, person, covered, below)?;
    found.truncate(count);
    let mut select = db.prepare_cached(
        "SELECT position FROM about WHERE person = ?1 AND position < ?2 \
         ORDER BY position DESC LIMIT ?3",
    )?;
    let bound = i64::try_from(below).unwrap_or(i64::MAX);
    let room = i64::try_from(count - found.len()).unwrap_or(i64::MAX);
    let rows = select.query_map((&person.0[..], bound, room), |row| row.get::<_, i64>(0))?;
    for position in rows {
        found.push(position? as u64);
    }
    Ok(found)
}

/// Leaves about a person that `about` does not cover yet, newest first.
fn uncovered(
    db: &Connection,
    person: Alias,
    covered: u64,
    below: u64,
) -> Result<Vec<u64>, ReadError> {
    let bound = i64::try_from(below).unwrap_or(i64::MAX);
    let mut select = db.prepare_cached(
        "SELECT position, persons FROM entry WHERE position >= ?1 AND position < ?2 \
         ORDER BY position DESC",
    )?;
    let mut rows = select.query((covered as i64, bound))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let persons = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        if persons.as_chunks().0.contains(&person.0) {
            found.push(row.get::<_, i64>(0)? as u64);
        }
    }
    Ok(found)
}

/// A row of the log, with its line read.
pub(super) struct Stored {
    pub(super) leaf: Leaf,
    pub(super) persons: Vec<Alias>,
    slot: Slot,
    body: Vec<u8>,
}

/// A row as it lies in the table.
pub(super) struct Raw<'r> {
    pub(super) position: u64,
    pub(super) line: &'r [u8],
    pub(super) persons: &'r [u8],
    pub(super) class: i64,
    pub(super) slot: i64,
    pub(super) body: &'r [u8],
}

impl Raw<'_> {
    /// The line, read; it must be the one of its place.
    pub(super) fn leaf(&self) -> Result<Leaf, ReadError> {
        let position = self.position;
        let leaf = Leaf::parse(self.line).map_err(|e| damaged(position, &leaf_says(&e)))?;
        match leaf.position == position {
            true => Ok(leaf),
            false => Err(damaged(position, "its line in the access log is another's")),
        }
    }

    /// Which key the body is sealed under.
    pub(super) fn slot(&self) -> Result<Slot, ReadError> {
        let class = u8::try_from(self.class)
            .ok()
            .and_then(Class::from_number)
            .filter(|class| matches!(class, Class::Record | Class::Access));
        match (class, u32::try_from(self.slot)) {
            (Some(class), Ok(number)) => Ok(Slot { class, number }),
            _ => Err(damaged(
                self.position,
                "its key in the access log is of an unknown kind",
            )),
        }
    }

    /// The persons beside the line.
    pub(super) fn persons(&self) -> Vec<Alias> {
        let persons = self.persons.as_chunks().0.iter();
        persons.map(|one| Alias(*one)).collect()
    }

    /// All of it, with the line and the slot as they were read; the body must be the one logged.
    pub(super) fn stored(&self, leaf: Leaf, slot: Slot) -> Result<Stored, ReadError> {
        if sealed(self.body) != leaf.sealed {
            return Err(damaged(
                self.position,
                "its content in the access log is not what its line commits to",
            ));
        }
        Ok(Stored {
            leaf,
            persons: self.persons(),
            slot,
            body: self.body.to_vec(),
        })
    }
}

/// Reads a row, and checks that it is the one of its place and that its body is the one logged.
fn stored(row: &Row<'_>) -> Result<Stored, ReadError> {
    let blob = |at: usize| -> rusqlite::Result<&[u8]> { Ok(row.get_ref(at)?.as_blob()?) };
    let raw = Raw {
        position: row.get::<_, i64>(0)? as u64,
        line: blob(1)?,
        persons: blob(2)?,
        class: row.get(3)?,
        slot: row.get(4)?,
        body: blob(5)?,
    };
    raw.stored(raw.leaf()?, raw.slot()?)
}

fn leaf_says(error: &dyn std::fmt::Display) -> String {
    format!("in the access log, {error}")
}

impl Stored {
    /// Salt and content, checked against the line; `None` if the person was erased.
    pub(super) fn content(&self, sealing: &Sealing) -> Result<Option<Salted>, ReadError> {
        let position = self.leaf.position;
        let opened = sealing
            .open(&Place::of(&self.leaf), self.slot, &self.body)
            .map_err(|what| damaged(position, &format!("in the access log, {what}")))?;
        let Some(opened) = opened else {
            return Ok(None);
        };
        match commitment(&opened.salt, &opened.stored) == self.leaf.commitment {
            true => Ok(Some((opened.salt, opened.stored))),
            false => Err(damaged(
                position,
                "its content in the access log is not what its line commits to",
            )),
        }
    }

    fn disclosed(&self, sealing: &Sealing) -> Result<Disclosed, ReadError> {
        let told = match self.content(sealing)? {
            None => None,
            Some((_, stored)) => Some(Told::parse(&stored).ok_or_else(|| {
                damaged(
                    self.leaf.position,
                    "its content in the access log does not read",
                )
            })?),
        };
        // Line and content are what was logged; the column beside them is only for finding.
        let persons = match (self.leaf.whom, &told) {
            (Whom::Nobody, _) => Vec::new(),
            (Whom::One(person), _) => vec![person],
            (Whom::Many(_), Some(told)) => told.persons.clone(),
            (Whom::Many(_), None) => Vec::new(),
        };
        Ok(Disclosed {
            leaf: self.leaf.clone(),
            persons,
            told,
        })
    }

    /// Whether the column of persons is what line and content say.
    pub(super) fn names_its_persons(&self, told: Option<&Told>) -> bool {
        names_its_persons(self.leaf.whom, &self.persons, told)
    }
}

/// Whether the persons beside a line are whom it and its content say.
pub(super) fn names_its_persons(whom: Whom, persons: &[Alias], told: Option<&Told>) -> bool {
    match (whom, told) {
        (Whom::Nobody, _) => persons.is_empty(),
        (Whom::One(person), _) => persons == [person],
        (Whom::Many(count), None) => persons.len() as u64 == count,
        (Whom::Many(_), Some(told)) => persons == told.persons,
    }
}
