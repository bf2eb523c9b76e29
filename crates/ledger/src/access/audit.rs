//! Reads the whole access log back and says what does not fit. Changes nothing.
//!
//! | what | is checked against |
//! |---|---|
//! | positions | each from 0 to the signed size, and none besides |
//! | a line | reads; says its own position; not recorded before the one before it |
//! | the lines' hashes | the tiles, and the root in the signed checkpoint |
//! | a body | the line's hash of it; it opens; the line's commitment to salt and content |
//! | the persons | what line and content say; `about` as far as it covers |
//! | a month's key | the slot that the month's leaves are sealed under |
//! | what witnesses have signed | the leaves give the same root at that size |
//! | checkpoints from elsewhere | likewise |
//! | recorded times | the times at which witnesses signed before and after |
//! | the checkpoint | the access log's key, as it lies in `keys/` |
//! | tables and triggers | as this version makes them; SQLite's own integrity check |

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use evidence::disclosure::Told;
use rusqlite::Connection;
use tlog::Edge;
use tlog::checkpoint::Checkpoint;

use super::body::Sealing;
use super::read::{Stored, stored};
use super::{SCHEMA, STATE_KEYS, connect_to_read, signing_key};
use crate::audit::cosigned::{self, Signed, Word};
use crate::audit::{Fault, How, Outside};
use crate::store::{self, OpenError};
use crate::witnessed::LogName;

/// What the audit of an access log came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many leaves were read.
    pub leaves: u64,
    /// The contents of how many cannot be opened any more: their keys are destroyed.
    pub erased: u64,
    /// What does not fit.
    pub faults: Vec<Fault>,
    /// What was held against the word of others.
    pub outside: Outside,
    /// The signed checkpoint as it is stored.
    pub checkpoint: String,
}

/// Audits the access log of a data directory; without keys no content is opened. `progress` is told
/// how many leaves are done, and of how many.
pub fn audit(
    dir: &Path,
    how: &How,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, OpenError> {
    let db = connect_to_read(dir)?;
    let sealing = how
        .keys
        .as_ref()
        .map(|keys| Sealing::new(keys.programme(), keys.clone()));
    // One moment: a server may record meanwhile.
    let _moment = db.unchecked_transaction()?;
    let mut faults = Faults::default();
    pages(&db, &mut faults);
    schema(&db, &mut faults)?;
    let keys_of = how.keys_of.as_deref().unwrap_or(dir);
    let (text, signed) = signed(keys_of, &db, how.log_ends, &mut faults);
    let mut word = word(dir, how, &db, &mut faults);
    let size = match &signed {
        Some(checkpoint) => checkpoint.size,
        None => db.query_row("SELECT count(*) FROM entry", [], |row| row.get::<_, i64>(0))? as u64,
    };
    let outside: i64 = db.query_row(
        "SELECT count(*) FROM entry WHERE position < 0 OR position >= ?1",
        [size as i64],
        |row| row.get(0),
    )?;
    if outside > 0 {
        faults.say(
            None,
            format!("The access log has {outside} leaves beyond the {size} that are signed"),
        );
    }
    let leaves = walk(
        &db,
        size,
        &mut word,
        sealing.as_ref(),
        &mut faults,
        progress,
    )?;
    if let Some(signed) = signed
        && leaves.edge.size() == signed.size
        && leaves.edge.root() != signed.root
    {
        faults.say(
            None,
            format!(
                "The {} leaves of the access log do not give the root that its checkpoint signs",
                signed.size
            ),
        );
    }
    tiles(&db, &leaves.tiles, &mut faults)?;
    about(&db, size, &leaves.about, &mut faults)?;
    months(&db, &leaves.months, &mut faults)?;
    Ok(Report {
        leaves: leaves.read,
        erased: leaves.erased,
        faults: faults.said,
        outside: word.outside,
        checkpoint: text,
    })
}

/// How many faults are listed.
const FAULTS_MAX: usize = 1_000;

#[derive(Default)]
pub(super) struct Faults {
    said: Vec<Fault>,
}

impl Faults {
    /// Whether nothing was said.
    #[cfg(unix)]
    pub(super) fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    pub(super) fn say(&mut self, position: Option<u64>, what: String) {
        if self.said.len() < FAULTS_MAX {
            self.said.push(Fault { position, what });
        }
    }
}

/// What the leaves say that other tables must say, too.
#[derive(Default)]
pub(super) struct Leaves {
    read: u64,
    erased: u64,
    pub(super) edge: Edge,
    pub(super) tiles: Vec<(u8, u64, Vec<u8>)>,
    pub(super) about: BTreeSet<([u8; 16], u64)>,
    /// Each month of a leaf, and the slots of the month's key that its leaves are sealed under.
    pub(super) months: BTreeMap<String, BTreeSet<u32>>,
}

pub(super) fn walk(
    db: &Connection,
    size: u64,
    word: &mut Word,
    sealing: Option<&Sealing>,
    faults: &mut Faults,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Leaves, OpenError> {
    let mut leaves = Leaves::default();
    let mut last = None;
    let mut signed: BTreeMap<u64, Vec<Signed>> = BTreeMap::new();
    for one in std::mem::take(&mut word.signed) {
        signed.entry(one.size).or_default().push(one);
    }
    let mut select = db.prepare(
        "SELECT position, line, persons, class, slot, body FROM entry WHERE position >= 0 AND position < ?1 \
         ORDER BY position",
    )?;
    let mut rows = select.query([size as i64])?;
    let mut expect = 0;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(e) => {
                faults.say(Some(expect), format!("Leaf {expect} cannot be read: {e}"));
                break;
            }
        };
        let position = row.get::<_, i64>(0)? as u64;
        if position != expect {
            faults.say(
                Some(expect),
                format!("Leaf {expect} of the access log is missing"),
            );
        }
        expect = position + 1;
        let Ok(line) = row.get::<_, Vec<u8>>(1) else {
            faults.say(
                Some(position),
                format!("Leaf {position}: its line is not bytes"),
            );
            continue;
        };
        leaves.edge.push(tlog::leaf_hash(&line), |tile| {
            leaves
                .tiles
                .push((tile.level, tile.index, tile.hashes.to_vec()))
        });
        for one in signed.remove(&leaves.edge.size()).unwrap_or_default() {
            if one.root != leaves.edge.root() {
                let what = format!(
                    "The first {} leaves of the access log are not those that {}",
                    one.size, one.source
                );
                faults.say(None, what);
            }
        }
        leaves.read += 1;
        match stored(row) {
            Err(e) => faults.say(Some(position), format!("Leaf {position}: {e}")),
            Ok(stored) => {
                if last.is_some_and(|last| stored.leaf.recorded_at < last) {
                    faults.say(
                        Some(position),
                        format!(
                            "Leaf {position} says that it was recorded before the one before it"
                        ),
                    );
                }
                let at = stored.leaf.recorded_at;
                last = Some(at);
                word.outside.recorded(position, at);
                for what in word.bounds.contradict(position, at) {
                    faults.say(
                        Some(position),
                        format!("Leaf {position} of the access log: {what}"),
                    );
                }
                let month = stored.leaf.recorded_at.to_string()[..7].to_owned();
                let slots = leaves.months.entry(month).or_default();
                slots.extend(stored.month_slot());
                leaves.erased += u64::from(one(&stored, sealing, faults));
                let persons = stored.persons.iter().map(|person| (person.0, position));
                leaves.about.extend(persons);
            }
        }
        if position.is_multiple_of(1024) {
            progress(position, size);
        }
    }
    if expect < size {
        faults.say(
            Some(expect),
            format!("Leaf {expect} of the access log is missing: it has {expect} of the {size} that are signed"),
        );
    }
    for one in signed.into_values().flatten().filter(|one| one.size > size) {
        let what = format!(
            "The first {} leaves of the access log, of which only {size} are there, are not those that {}",
            one.size, one.source
        );
        faults.say(None, what);
    }
    progress(size, size);
    Ok(leaves)
}

/// What others have signed of the access log.
fn word(dir: &Path, how: &How, db: &Connection, faults: &mut Faults) -> Word {
    let Ok(identity) = store::identity(db) else {
        return Word::default();
    };
    let mut bad = crate::audit::Faults::default();
    let word = cosigned::read(dir, how, &identity, LogName::Access, &mut bad);
    for fault in bad.list() {
        faults.say(None, format!("The access log: {fault}"));
    }
    word
}

/// Checks one leaf; whether its content was erased.
pub(super) fn one(stored: &Stored, sealing: Option<&Sealing>, faults: &mut Faults) -> bool {
    let position = stored.leaf.position;
    // Without keys only what is sealed is held against the line.
    let content = match sealing {
        Some(sealing) => stored.content(sealing),
        None => Ok(None),
    };
    let told = match content {
        Ok(None) => None,
        Ok(Some((_, content))) => match Told::parse(&content) {
            Some(told) => Some(told),
            None => {
                faults.say(
                    Some(position),
                    format!("Leaf {position}: its content does not read"),
                );
                return false;
            }
        },
        Err(e) => {
            faults.say(Some(position), format!("Leaf {position}: {e}"));
            return false;
        }
    };
    if !stored.names_its_persons(told.as_ref()) {
        faults.say(
            Some(position),
            format!("Leaf {position}: the persons beside it are not those whom it told of"),
        );
    }
    if let Some(told) = &told
        && (told.versions.len() + told.leaves.len()) as u64 != stored.leaf.versions
    {
        faults.say(
            Some(position),
            format!("Leaf {position}: its content does not list as many versions as its line says"),
        );
    }
    told.is_none() && sealing.is_some()
}

pub(super) fn signed(
    dir: &Path,
    db: &Connection,
    log_ends: bool,
    faults: &mut Faults,
) -> (String, Option<Checkpoint>) {
    let text = store::state(db, "checkpoint")
        .ok()
        .flatten()
        .unwrap_or_default();
    let identity = match store::identity(db) {
        Ok(identity) => identity,
        Err(e) => {
            faults.say(None, format!("The access log: {e}"));
            return (text, None);
        }
    };
    if !log_ends && let Err(e) = signing_key(dir, &identity) {
        faults.say(None, format!("The access log: {e}"));
    }
    let record = store::open_to_read(dir).and_then(|record| store::identity(&record));
    if record.is_ok_and(|record| record.programme != identity.programme) {
        faults.say(
            None,
            "The access log says that it was made for another programme than the record".to_owned(),
        );
    }
    let known = STATE_KEYS.map(|key| format!("'{key}'")).join(", ");
    let sql = format!("SELECT count(*) FROM state WHERE key NOT IN ({known})");
    if db.query_row(&sql, [], |row| row.get::<_, i64>(0)) != Ok(0) {
        faults.say(
            None,
            "`state` of the access log has rows that are not its own".to_owned(),
        );
    }
    match Checkpoint::open(&text, &identity.verifier, &identity.origin) {
        Ok(checkpoint) => (text, Some(checkpoint)),
        Err(e) => {
            faults.say(
                None,
                format!("The access log's signed checkpoint is refused: {e}"),
            );
            (text, None)
        }
    }
}

/// One tile's hashes.
pub(super) const TILE: &str = "SELECT hashes FROM tile WHERE level = ?1 AND idx = ?2";

pub(super) fn tiles(
    db: &Connection,
    expected: &[(u8, u64, Vec<u8>)],
    faults: &mut Faults,
) -> Result<(), OpenError> {
    let mut select = db.prepare(TILE)?;
    for (level, index, hashes) in expected {
        let found: Option<Vec<u8>> = select
            .query_row((level, *index as i64), |row| row.get(0))
            .ok();
        if found.as_ref() != Some(hashes) {
            faults.say(
                None,
                format!(
                    "Tile {index} of level {level} of the access log is not what its leaves give"
                ),
            );
        }
    }
    let count: i64 = db.query_row("SELECT count(*) FROM tile", [], |row| row.get(0))?;
    if count as usize != expected.len() {
        faults.say(
            None,
            format!(
                "The access log has {count} tiles, and its leaves give {}",
                expected.len()
            ),
        );
    }
    Ok(())
}

/// `about` holds exactly what the leaves that it covers say.
pub(super) fn about(
    db: &Connection,
    size: u64,
    expected: &BTreeSet<([u8; 16], u64)>,
    faults: &mut Faults,
) -> Result<(), OpenError> {
    let covered = store::state(db, "covered")?.unwrap_or_default();
    let covered = match covered.parse::<u64>() {
        // One number has one text, and nothing is covered that is not there.
        Ok(number) if number <= size && number.to_string() == covered => number,
        _ => {
            faults.say(
                None,
                format!("The access log's index of persons does not say how many of the {size} leaves it covers"),
            );
            return Ok(());
        }
    };
    let mut found = BTreeSet::new();
    let mut select = db.prepare("SELECT person, position FROM about")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        if let (Ok(person), Ok(position)) = (row.get::<_, [u8; 16]>(0), row.get::<_, i64>(1)) {
            found.insert((person, position as u64));
        }
    }
    let expected: BTreeSet<_> = expected
        .iter()
        .filter(|(_, position)| *position < covered)
        .copied()
        .collect();
    if found != expected {
        faults.say(
            None,
            "The access log's index of persons is not what its leaves say".to_owned(),
        );
    }
    Ok(())
}

/// Every month that a leaf is of has its key, and the leaves that are sealed under a month's are under that one.
pub(super) fn months(
    db: &Connection,
    expected: &BTreeMap<String, BTreeSet<u32>>,
    faults: &mut Faults,
) -> Result<(), OpenError> {
    let mut select = db.prepare("SELECT month, slot FROM month_key")?;
    let found = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<BTreeMap<String, u32>>>()?;
    let fits = expected.iter().all(|(month, used)| {
        let slot = found.get(month);
        slot.is_some_and(|slot| used.iter().all(|used| used == slot))
    });
    if !fits {
        faults.say(
            None,
            "The access log does not have the months' keys that its leaves are sealed under"
                .to_owned(),
        );
    }
    Ok(())
}

/// The file as SQLite sees it.
pub(super) fn pages(db: &Connection, faults: &mut Faults) {
    let said: Result<String, _> = db.query_row("PRAGMA integrity_check(1)", [], |row| {
        row.get::<_, String>(0)
    });
    match said {
        Ok(ok) if ok == "ok" => {}
        Ok(what) => faults.say(None, format!("The access log's file is damaged: {what}")),
        Err(e) => faults.say(None, format!("The access log's file is damaged: {e}")),
    }
}

/// The tables and triggers as this version makes them.
pub(super) fn schema(db: &Connection, faults: &mut Faults) -> Result<(), OpenError> {
    let fresh = Connection::open_in_memory()?;
    fresh.execute_batch(SCHEMA)?;
    let expected = store::schema_of(&fresh)?;
    let found = store::schema_of(db).unwrap_or_default();
    for name in expected.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
        if expected.get(name) != found.get(name) {
            faults.say(
                None,
                format!("`{name}` in the access log is not as this version makes it"),
            );
        }
    }
    Ok(())
}
