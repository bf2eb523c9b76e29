//! What an audit asks of the access log, for flipping every byte of its file: see [`crate::audit::flips`].

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;
use tlog::Hash;

use super::audit;
use super::audit::derived::{COUNT_ABOUT, Months, Pair, about_besides, is_about};
use super::body::Sealing;
use super::read::Raw;
use super::{FILE, connect_to_read};
use crate::audit::faults::Faults;
use crate::audit::flips::{Answer, Asked, SEEN_AT_ONCE, Sound};
use crate::audit::walk::Filled;
use crate::audit::{How, derived as log, structure};
use crate::keys::Keys;
use crate::store::OpenError;

type Rows = Vec<Vec<Value>>;

/// Reads an access log that is at rest, its write-ahead log folded in. It must be sound.
pub fn read<'d>(dir: &'d Path, keys: &'d Keys) -> Result<Sound<'d>, OpenError> {
    let report = super::audit(dir, &How::with(keys), &mut |_| {})?;
    if !report.faults.is_empty() {
        return Err(super::damaged("it is not sound to begin with"));
    }
    let db = connect_to_read(dir)?;
    let sealing = Sealing::new(keys.programme(), keys.clone());
    let (mut leaves, mut persons) = (Leaves::default(), BTreeMap::<[u8; 16], Vec<u64>>::new());
    let mut rows: Vec<Rows> = Vec::new();
    for position in 0..report.leaves {
        let row = row(&db, position)?;
        let unreadable = || super::damaged("a leaf does not read");
        let raw = row.first().and_then(|row| raw(position, row));
        let raw = raw.ok_or_else(unreadable)?;
        let (leaf, slot) = (raw.leaf(), raw.slot());
        let (leaf, slot) = (
            leaf.map_err(|_| unreadable())?,
            slot.map_err(|_| unreadable())?,
        );
        leaves.edge.push(tlog::leaf_hash(raw.line), |tile| {
            leaves.tiles.push(Filled {
                level: tile.level,
                index: tile.index,
                hashes: tile.hashes.to_vec(),
            });
        });
        let of_month = matches!(slot.class, seal::Class::Access).then_some(slot.number);
        leaves.months.leaf(leaf.recorded_at, of_month);
        for person in raw.persons() {
            persons.entry(person.0).or_default().push(position);
            leaves.pairs.push((person.0, position));
        }
        rows.push(row);
    }
    let about = persons
        .into_iter()
        .map(|(person, positions)| {
            let found = about(&db, &person, &positions)?;
            Ok((person, positions, found))
        })
        .collect::<rusqlite::Result<_>>()?;
    let log = Log {
        dir,
        about,
        sealing,
        size: report.leaves,
        root: leaves.edge.root(),
        rows,
        tables: tables(&db)?,
        leaves,
    };
    Sound::over(&dir.join(FILE), Box::new(log))
}

/// A sound access log. Its queries are, in this order: the tables that are read whole, one query for all; each
/// leaf; each tile; what `about` has of each person.
struct Log<'d> {
    dir: &'d Path,
    sealing: Sealing,
    size: u64,
    root: Hash,
    rows: Vec<Rows>,
    tables: Vec<Rows>,
    leaves: Leaves,
    about: Vec<(Person, Vec<u64>, Led)>,
}

type Person = [u8; 16];

/// Where `about` leads for a person: as readers ask, and as an audit does, leaf by leaf.
type Led = (Rows, Vec<bool>);

/// What the leaves say that other tables must say, too.
#[derive(Default)]
struct Leaves {
    edge: tlog::Edge,
    tiles: Vec<Filled>,
    pairs: Vec<Pair>,
    months: Months,
}

/// The tables that are read whole; one that has two trees is read by both.
const TABLES: [&str; 6] = [
    "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name",
    "SELECT key, value FROM state ORDER BY key",
    "SELECT month, slot FROM month_key ORDER BY month",
    "SELECT slot FROM month_key INDEXED BY sqlite_autoindex_month_key_2 ORDER BY slot",
    "SELECT level, idx FROM tile ORDER BY level, idx",
    COUNT_ABOUT,
];

const ROW: &str =
    "SELECT position, line, persons, class, slot, body FROM entry WHERE position = ?1";

impl Log<'_> {
    fn judge_tables(&self, db: &Connection) -> Answer {
        let now = match tables(db) {
            Ok(now) => now,
            Err(_) => return Answer::Found,
        };
        let Some(other) = (0..TABLES.len()).find(|at| now[*at] != self.tables[*at]) else {
            return Answer::Same;
        };
        // What costs least is asked first: one fault is enough.
        let mut faults = Faults::default();
        let identity = audit::known(self.dir, db, false, &mut faults);
        let (_, signed) = structure::signed(db, identity.as_ref(), &mut faults);
        if signed.is_none_or(|signed| (signed.size, signed.root) != (self.size, self.root)) {
            return Answer::Found;
        }
        log::tiles_besides(db, self.size, &mut faults);
        for tile in &self.leaves.tiles {
            log::full_tile(db, tile, &mut faults);
        }
        self.leaves.months.check(db, &mut faults);
        if audit::schema(db, &mut faults).is_err() || faults.count() > 0 {
            return Answer::Found;
        }
        self.covers(db, &mut faults);
        if faults.count() == 0 {
            structure::pages(db, true, &[], &mut faults);
        }
        match faults.count() {
            0 => Answer::Escaped(TABLES[other].to_owned()),
            _ => Answer::Found,
        }
    }

    /// What an audit says of how much `about` covers, where all that it leads to was found.
    fn covers(&self, db: &Connection, faults: &mut Faults) {
        let covered = crate::store::state(db, "covered").ok().flatten();
        let covered = covered.unwrap_or_default();
        match covered.parse::<u64>() {
            Ok(number) if number <= self.size && number.to_string() == covered => {
                let pairs = self.leaves.pairs.iter();
                let there = pairs.filter(|(_, position)| *position < number).count();
                about_besides(db, there as u64, faults);
            }
            _ => faults.say("how much is covered is not said"),
        }
    }

    fn judge_leaf(&self, db: &Connection, position: u64) -> Answer {
        let mut faults = Faults::default();
        audit::whole(db, position, Some(&self.sealing), &mut faults);
        match faults.count() {
            0 => Answer::Escaped(format!("leaf {position}")),
            _ => Answer::Found,
        }
    }

    /// The tile or the person of a query behind the leaves'.
    fn behind(&self, at: usize) -> Behind<'_> {
        match self.leaves.tiles.get(at) {
            Some(tile) => Behind::Tile(tile),
            None => {
                let (person, positions, led) = &self.about[at - self.leaves.tiles.len()];
                Behind::Person(person, positions, led)
            }
        }
    }
}

/// What a query asks that is of no leaf.
enum Behind<'l> {
    Tile(&'l Filled),
    Person(&'l Person, &'l [u64], &'l Led),
}

impl Asked for Log<'_> {
    fn open(&self) -> Result<Connection, OpenError> {
        let db = connect_to_read(self.dir)?;
        db.execute_batch(SEEN_AT_ONCE)?;
        Ok(db)
    }

    fn queries(&self) -> usize {
        1 + self.rows.len() + self.leaves.tiles.len() + self.about.len()
    }

    fn is_one_of_many(&self, query: usize) -> bool {
        // A tile is read on its own; leaves, and what leads to them, are many alike.
        let tiles = self.rows.len() + 1..self.rows.len() + 1 + self.leaves.tiles.len();
        query > 0 && !tiles.contains(&query)
    }

    fn is_same(&self, db: &Connection, query: usize) -> bool {
        match query.checked_sub(1) {
            None => tables(db).ok().as_ref() == Some(&self.tables),
            Some(at) if at < self.rows.len() => {
                row(db, at as u64).ok().as_ref() == Some(&self.rows[at])
            }
            Some(at) => match self.behind(at - self.rows.len()) {
                Behind::Tile(tile) => {
                    let stored = log::tile(db, tile.level, tile.index, &mut Faults::default());
                    stored.as_ref() == Some(&tile.hashes)
                }
                Behind::Person(person, positions, led) => {
                    about(db, person, positions).ok().as_ref() == Some(led)
                }
            },
        }
    }

    fn judge(&self, db: &Connection, query: usize) -> Answer {
        let Some(at) = query.checked_sub(1) else {
            return self.judge_tables(db);
        };
        if let Some(at) = at.checked_sub(self.rows.len()) {
            return match self.behind(at) {
                // A tile that is not what the leaves give: an audit compares all of them with that.
                Behind::Tile(_) => Answer::Found,
                Behind::Person(person, positions, led) => match about(db, person, positions) {
                    Ok((_, found)) if found == led.1 => match self.judge_tables(db) {
                        Answer::Same => Answer::Escaped("where `about` leads".to_owned()),
                        answer => answer,
                    },
                    _ => Answer::Found,
                },
            };
        }
        // Another line, another hash, another root; and what is not there is missed.
        match row(db, at as u64) {
            Ok(now)
                if now.first().and_then(|row| row.get(1))
                    == self.rows[at].first().and_then(|row| row.get(1)) =>
            {
                self.judge_leaf(db, at as u64)
            }
            _ => Answer::Found,
        }
    }
}

fn row(db: &Connection, position: u64) -> rusqlite::Result<Rows> {
    rows(db, ROW, [position as i64])
}

fn raw(position: u64, row: &[Value]) -> Option<Raw<'_>> {
    match row {
        [
            _,
            Value::Blob(line),
            Value::Blob(persons),
            Value::Integer(class),
            Value::Integer(slot),
            Value::Blob(body),
        ] => Some(Raw {
            position,
            line,
            persons,
            class: *class,
            slot: *slot,
            body,
        }),
        _ => None,
    }
}

fn about(db: &Connection, person: &Person, positions: &[u64]) -> rusqlite::Result<Led> {
    let sql = "SELECT position FROM about WHERE person = ?1 ORDER BY position";
    let read = rows(db, sql, [&person[..]])?;
    let found = positions
        .iter()
        .map(|position| is_about(db, person, *position))
        .collect::<rusqlite::Result<_>>()?;
    Ok((read, found))
}

fn tables(db: &Connection) -> rusqlite::Result<Vec<Rows>> {
    TABLES.iter().map(|sql| rows(db, sql, [])).collect()
}

fn rows(db: &Connection, sql: &str, of: impl rusqlite::Params) -> rusqlite::Result<Rows> {
    let mut statement = db.prepare_cached(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map(of, |row| {
        (0..columns).map(|at| row.get::<_, Value>(at)).collect()
    })?;
    rows.collect()
}
