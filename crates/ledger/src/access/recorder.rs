//! The one that records disclosures: groups of them, one flush to the disk each.
//!
//! What is known in memory changes only after the disk has it, and a failed flush is never tried
//! again; see [`crate::append`], whose rules these are.

use std::path::Path;
use std::sync::Arc;

use evidence::content;
use evidence::disclosure::{Line, Told, What, Whom};
use evidence::entry::{self, Alias};
use record::time::RecordedAt;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tlog::Edge;
use tlog::checkpoint::Checkpoint;
use tlog::note::SigningKey;

use super::body::{self, Place, Sealing, Slot, Slots};
use super::{COVERED_AT_ONCE, connect, damaged, signing_key};
use crate::append::{self, Appender, CommitError, Refused, Trouble};
use crate::ground::{self, Directory, Ground, Room};
use crate::keys::Keys;
use crate::read::{self, KnownEdge, StoredTiles};
use crate::store::{self, OpenError};

/// How much is written before the write-ahead log is folded into the file, in bytes.
const FOLD_BYTES: u64 = 16 << 20;

/// About what a commit writes besides the leaves: the ends of the tables.
const PAGE_BYTES: u64 = 4096;

/// A disclosure that is to be recorded. Packing the content is done on the caller's thread.
#[derive(Clone, Debug)]
pub struct Draft {
    actor: String,
    purpose: String,
    what: What,
    size: u64,
    versions: u64,
    persons: Vec<Alias>,
    stored: Vec<u8>,
    packed: Vec<u8>,
}

impl Draft {
    /// `actor` was answered for `purpose` from the first `size` entries; `persons` are those whom
    /// the answer told of, each once. Several of them are told in the content, too.
    pub fn new(
        actor: &str,
        purpose: &str,
        what: What,
        size: u64,
        mut persons: Vec<Alias>,
        mut told: Told,
    ) -> Draft {
        persons.sort_unstable();
        persons.dedup();
        told.persons = match persons.len() {
            0 | 1 => Vec::new(),
            _ => persons.clone(),
        };
        for positions in [&mut told.versions, &mut told.leaves] {
            positions.sort_unstable();
            positions.dedup();
        }
        let stored = told.write();
        Draft {
            actor: actor.to_owned(),
            purpose: purpose.to_owned(),
            what,
            size,
            versions: (told.versions.len() + told.leaves.len()) as u64,
            persons,
            packed: body::pack(&stored),
            stored,
        }
    }
}

/// A disclosure that is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The leaf's place in the access log.
    pub position: u64,
    /// When the log took it.
    pub recorded_at: RecordedAt,
}

/// Records disclosures. There is one for each access log.
pub struct Recorder {
    db: Connection,
    origin: String,
    key: SigningKey,
    keys: Keys,
    sealing: Sealing,
    slots: Slots,
    /// What is on the disk. Replaced as a whole after a commit.
    edge: Edge,
    last: RecordedAt,
    /// How many leaves `about` covers.
    covered: u64,
    /// Bytes written since the write-ahead log was folded in.
    unfolded: u64,
    room: Room,
    poisoned: bool,
}

impl Recorder {
    /// Takes the access log of a ledger, and checks that its end fits together. Whoever holds the
    /// ledger's appender holds the directory, and has renewed the write-ahead log.
    pub fn open(dir: &Path, held: &Appender) -> Result<Recorder, OpenError> {
        Recorder::open_on(Arc::new(Directory(dir.to_owned())), dir, held)
    }

    /// The same, where the files that SQLite makes lie on another ground than the file system's.
    pub fn open_on(
        ground: Arc<dyn Ground>,
        dir: &Path,
        held: &Appender,
    ) -> Result<Recorder, OpenError> {
        let db = connect(dir, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        db.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 0;
             PRAGMA cache_size = -8192;
             PRAGMA temp_store = MEMORY;",
        )?;
        ground.sync_names()?;
        let identity = store::identity(&db)?;
        let key = signing_key(dir, &identity)?;
        let text = store::state(&db, "checkpoint")?.ok_or_else(|| damaged("no checkpoint"))?;
        let checkpoint = Checkpoint::open(&text, key.verifier(), &identity.origin)
            .map_err(|_| damaged("its checkpoint is not signed by its key"))?;
        let size = read::size(&db)?;
        if size != checkpoint.size {
            return Err(damaged(&format!(
                "it has {size} leaves, and its checkpoint says {}",
                checkpoint.size
            )));
        }
        let edge = Edge::from_tiles(size, &StoredTiles::new(&db, &KnownEdge::default()))
            .map_err(|e| damaged(&e.to_string()))?;
        if edge.root() != checkpoint.root {
            return Err(damaged(
                "its last leaves do not give the root of its checkpoint",
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
        let covered = store::state(&db, "covered")?
            .and_then(|text| text.parse().ok())
            .filter(|covered| *covered <= size)
            .ok_or_else(|| damaged("what its index of persons covers does not read"))?;
        let keys = held.keys().clone();
        Ok(Recorder {
            slots: Slots::open(dir, &db, &keys)?,
            sealing: Sealing::new(&identity.programme, keys.clone()),
            keys,
            db,
            origin: identity.origin,
            key,
            edge,
            last,
            covered,
            unfolded: FOLD_BYTES,
            room: Room::new(ground, ground::LOGS[1]),
            poisoned: false,
        })
    }

    /// How many leaves the log has.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// Records a group with one flush, in order: when it returns, all of it is on the disk, or
    /// nothing is ([`CommitError::Fatal`]: only the disk knows).
    ///
    /// `now` is asked once for each. A clock too far behind refuses the whole group.
    pub fn commit(
        &mut self,
        group: &[Draft],
        now: &mut dyn FnMut() -> RecordedAt,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Result<Vec<Logged>, Refused>, CommitError> {
        if self.poisoned {
            return Err(CommitError::Fatal(None));
        }
        let mut logged = Vec::with_capacity(group.len());
        let mut last = self.last;
        for place in 0..group.len() as u64 {
            last = match append::recorded_at(now(), last) {
                Ok(at) => at,
                Err(refused) => return Ok(Err(refused)),
            };
            logged.push(Logged {
                position: self.edge.size() + place,
                recorded_at: last,
            });
        }
        let places = self
            .places(group, &logged, chance)
            .map_err(|e| self.failed(e))?;
        let (edge, covered, bytes) = self
            .write(group, &logged, &places, chance)
            .map_err(|e| self.failed(e))?;
        self.slots.written();
        self.edge = edge;
        self.covered = covered;
        self.last = last;
        self.unfolded += bytes;
        self.room.committed(bytes).map_err(|error| {
            self.poisoned = true;
            CommitError::Fatal(Some(append::unflushed(error)))
        })?;
        if self.unfolded >= FOLD_BYTES {
            self.fold()?;
        }
        Ok(Ok(logged))
    }

    /// Where each leaf comes to lie, and under which key. Every month has its key afterwards.
    fn places(
        &mut self,
        group: &[Draft],
        logged: &[Logged],
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Vec<Placed>, Trouble> {
        let mut places = Vec::with_capacity(group.len());
        for (draft, logged) in group.iter().zip(logged) {
            let whom = Whom::of(&draft.persons);
            let month = logged.recorded_at.to_string()[..7].to_owned();
            if self.slots.of_month(&month).is_none() {
                self.slots.begin_month(&month, &self.keys, chance)?;
            }
            places.push(Placed {
                own: match whom {
                    Whom::One(person) => self.slots.of_person(person)?,
                    Whom::Nobody | Whom::Many(_) => None,
                },
                month,
                place: Place {
                    position: logged.position,
                    what: draft.what,
                    whom,
                },
            });
        }
        Ok(places)
    }

    fn write(
        &self,
        group: &[Draft],
        logged: &[Logged],
        places: &[Placed],
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(Edge, u64, u64), Trouble> {
        let db = &self.db;
        // Dropped without a commit, it rolls back.
        let tx = rusqlite::Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
        let mut insert = db.prepare_cached(INSERT)?;
        let mut edge = self.edge.clone();
        let mut tiles: Vec<(u8, u64, Vec<u8>)> = Vec::new();
        let mut line = Vec::with_capacity(256);
        let mut drawn = vec![0; body::CHANCE_BYTES * group.len()];
        chance(&mut drawn);
        let mut bytes = 4 * PAGE_BYTES;
        for (((draft, logged), placed), drawn) in group
            .iter()
            .zip(logged)
            .zip(places)
            .zip(drawn.as_chunks::<{ body::CHANCE_BYTES }>().0)
        {
            let (salt, nonce) = drawn.split_at(16);
            let salt = salt.first_chunk().expect("16 bytes were split off");
            let nonce = *nonce.first_chunk().expect("12 bytes are left");
            let (slot, body) = self.sealed(placed, salt, nonce, &draft.packed)?;
            line.clear();
            Line {
                position: logged.position,
                recorded_at: logged.recorded_at,
                actor: &entry::encode_name(&draft.actor),
                purpose: &entry::encode_name(&draft.purpose),
                what: draft.what,
                size: draft.size,
                versions: draft.versions,
                whom: placed.place.whom,
                commitment: content::commitment(salt, &draft.stored),
                sealed: content::sealed(&body),
            }
            .write(&mut line);
            edge.push(tlog::leaf_hash(&line), |tile| {
                tiles.push((tile.level, tile.index, tile.hashes.to_vec()))
            });
            let persons: &[[u8; 16]] = &draft.persons.iter().map(|p| p.0).collect::<Vec<_>>();
            insert.execute((
                logged.position as i64,
                &line,
                persons.as_flattened(),
                slot.class as u8,
                slot.number,
                &body,
            ))?;
            bytes += (line.len() + body.len() + 16 * persons.len()) as u64;
        }
        for (level, index, hashes) in &tiles {
            db.prepare_cached("INSERT INTO tile (level, idx, hashes) VALUES (?1, ?2, ?3)")?
                .execute((level, *index as i64, hashes))?;
            bytes += hashes.len() as u64;
        }
        self.slots.write(db)?;
        let mut covered = self.covered;
        if edge.size() - covered >= COVERED_AT_ONCE {
            bytes += cover(db, covered, edge.size())?;
            covered = edge.size();
            store::set_state(db, "covered", &covered.to_string())?;
        }
        let checkpoint = append::sign(&self.origin, &self.key, &edge)?;
        store::set_state(db, "checkpoint", &checkpoint)?;
        tx.commit()?;
        Ok((edge, covered, bytes))
    }

    /// A body under the person's own key, or if they have none any more under the month's.
    fn sealed(
        &self,
        placed: &Placed,
        salt: &[u8; 16],
        nonce: [u8; 12],
        packed: &[u8],
    ) -> Result<(Slot, Vec<u8>), Trouble> {
        let Placed { own, month, place } = placed;
        for slot in [*own, self.slots.of_month(month)].into_iter().flatten() {
            if let Some(body) = self.sealing.seal(place, slot, salt, nonce, packed)? {
                return Ok((slot, body));
            }
        }
        // A month's keys are destroyed, if ever, when it is long past.
        let missing = self.slots.of_month(month).map_or(0, |slot| slot.number);
        Err(seal::KeyError::Destroyed(missing).into())
    }

    /// Looks keys up anew: a person's were destroyed, or everybody's changed.
    pub fn forget_keys(&mut self) {
        self.slots.forget();
    }

    fn fold(&mut self) -> Result<(), CommitError> {
        self.unfolded = 0;
        let folded = self
            .db
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        match folded.map_err(|e| self.failed(e)) {
            Err(fatal @ CommitError::Fatal(_)) => Err(fatal),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// What an error means for what is on the disk. Whatever was begun is rolled back by now.
    fn failed(&mut self, error: impl Into<Trouble>) -> CommitError {
        let error = append::judged(error.into(), &self.db, &self.room);
        self.poisoned |= matches!(error, CommitError::Fatal(_));
        error
    }
}

const INSERT: &str = "INSERT INTO entry (position, line, persons, class, slot, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// Where a leaf comes to lie, and which keys it may be sealed under.
struct Placed {
    own: Option<Slot>,
    month: String,
    place: Place,
}

/// Brings the leaves from one position to another into `about`, in the order of persons, so that
/// each page of it is touched once. Gives about how many bytes that wrote.
fn cover(db: &Connection, from: u64, to: u64) -> rusqlite::Result<u64> {
    let mut pairs: Vec<([u8; 16], i64)> = Vec::new();
    let mut select = db.prepare_cached(
        "SELECT position, persons FROM entry WHERE position >= ?1 AND position < ?2",
    )?;
    let mut rows = select.query((from as i64, to as i64))?;
    while let Some(row) = rows.next()? {
        let position: i64 = row.get(0)?;
        let persons = row.get_ref(1)?.as_blob()?;
        pairs.extend(persons.as_chunks().0.iter().map(|one| (*one, position)));
    }
    pairs.sort_unstable();
    let mut insert = db.prepare_cached("INSERT INTO about (person, position) VALUES (?1, ?2)")?;
    for (person, position) in &pairs {
        insert.execute((&person[..], position))?;
    }
    Ok(pairs.len().min(64) as u64 * PAGE_BYTES + 32 * pairs.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_out_is_counted_once_and_several_persons_are_named() {
        let told = Told {
            address: "/a".to_owned(),
            versions: vec![3, 1, 3],
            leaves: vec![0],
            ..Told::default()
        };
        let draft = |persons: &[u8]| {
            let persons = persons.iter().map(|b| Alias([*b; 16])).collect();
            Draft::new("a", "b", What::Read, 9, persons, told.clone())
        };
        for (persons, named, whom) in [
            (&[][..], 0, Whom::Nobody),
            (&[2, 2], 0, Whom::One(Alias([2; 16]))),
            (&[2, 1, 2], 2, Whom::Many(2)),
        ] {
            let draft = draft(persons);
            let told = Told::parse(&draft.stored).expect("it was just written");
            assert_eq!(draft.versions, 3);
            assert_eq!(told.versions, [1, 3]);
            assert_eq!(told.persons.len(), named);
            assert_eq!(Whom::of(&draft.persons), whom);
        }
    }
}
