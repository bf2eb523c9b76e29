//! What an audit asks of the access log, for flipping every byte of its file: see [`crate::audit::flips`].

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};
use tlog::Hash;

use super::audit::{self, Faults, Leaves};
use super::body::Sealing;
use super::read::stored;
use super::{FILE, connect_to_read};
use crate::audit::How;
use crate::audit::flips::{Answer, Asked, SEEN_AT_ONCE, Sound};
use crate::keys::Keys;
use crate::store::OpenError;

type Rows = Vec<Vec<Value>>;

/// Reads an access log that is at rest, its write-ahead log folded in. It must be sound.
pub fn read<'d>(dir: &'d Path, keys: &'d Keys) -> Result<Sound<'d>, OpenError> {
    let report = super::audit(dir, &How::with(keys), &mut |_, _| {})?;
    if !report.faults.is_empty() {
        return Err(super::damaged("it is not sound to begin with"));
    }
    let db = connect_to_read(dir)?;
    let sealing = Sealing::new(keys.programme(), keys.clone());
    let leaves = audit::walk(
        &db,
        report.leaves,
        &mut Default::default(),
        Some(&sealing),
        &mut Faults::default(),
        &mut |_, _| {},
    )?;
    let rows = (0..report.leaves)
        .map(|position| row(&db, position))
        .collect::<Result<_, _>>()?;
    let persons: BTreeSet<[u8; 16]> = leaves.about.iter().map(|(person, _)| *person).collect();
    let about = persons
        .into_iter()
        .map(|person| Ok((person, about(&db, &person)?)))
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
    about: Vec<([u8; 16], Rows)>,
}

/// The tables that are read whole; one that has two trees is read by both.
const TABLES: [&str; 5] = [
    "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name",
    "SELECT key, value FROM state ORDER BY key",
    "SELECT month, slot FROM month_key ORDER BY month",
    "SELECT slot FROM month_key INDEXED BY sqlite_autoindex_month_key_2 ORDER BY slot",
    "SELECT level, idx FROM tile ORDER BY level, idx",
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
        let (_, signed) = audit::signed(self.dir, db, false, &mut faults);
        if signed.is_none_or(|signed| (signed.size, signed.root) != (self.size, self.root)) {
            return Answer::Found;
        }
        let tiles = &self.leaves.tiles;
        let read = audit::schema(db, &mut faults)
            .and_then(|()| audit::months(db, &self.leaves.months, &mut faults))
            .and_then(|()| audit::tiles(db, tiles, &mut faults));
        if read.is_err() || !faults.is_empty() {
            return Answer::Found;
        }
        let read = audit::about(db, self.size, &self.leaves.about, &mut faults);
        if read.is_ok() && faults.is_empty() {
            audit::pages(db, &mut faults);
        }
        match read.is_ok() && faults.is_empty() {
            true => Answer::Escaped(TABLES[other].to_owned()),
            false => Answer::Found,
        }
    }

    fn judge_leaf(&self, db: &Connection, position: u64) -> Answer {
        let mut faults = Faults::default();
        let read = db
            .prepare_cached(ROW)
            .and_then(|mut select| {
                select.query_row([position as i64], |row| {
                    Ok(match stored(row) {
                        Ok(stored) => audit::one(&stored, Some(&self.sealing), &mut faults),
                        Err(error) => {
                            faults.say(Some(position), error.to_string());
                            false
                        }
                    })
                })
            })
            .is_ok();
        match read && faults.is_empty() {
            true => Answer::Escaped(format!("leaf {position}")),
            false => Answer::Found,
        }
    }
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
        (1..=self.rows.len()).contains(&query)
    }

    fn is_same(&self, db: &Connection, query: usize) -> bool {
        match query.checked_sub(1) {
            None => tables(db).ok().as_ref() == Some(&self.tables),
            Some(at) if at < self.rows.len() => {
                row(db, at as u64).ok().as_ref() == Some(&self.rows[at])
            }
            Some(at) => match self.leaves.tiles.get(at - self.rows.len()) {
                Some((level, index, hashes)) => {
                    tile(db, *level, *index).ok().flatten().as_ref() == Some(hashes)
                }
                None => {
                    let (person, rows) =
                        &self.about[at - self.rows.len() - self.leaves.tiles.len()];
                    about(db, person).ok().as_ref() == Some(rows)
                }
            },
        }
    }

    fn judge(&self, db: &Connection, query: usize) -> Answer {
        let Some(at) = query.checked_sub(1) else {
            return self.judge_tables(db);
        };
        if at >= self.rows.len() {
            // A tile or a person's rows that are not what the leaves give: an audit compares all of them with that.
            return Answer::Found;
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

fn about(db: &Connection, person: &[u8; 16]) -> rusqlite::Result<Rows> {
    let sql = "SELECT position FROM about WHERE person = ?1 ORDER BY position";
    rows(db, sql, [&person[..]])
}

fn tile(db: &Connection, level: u8, index: u64) -> rusqlite::Result<Option<Vec<u8>>> {
    db.prepare_cached(audit::TILE)?
        .query_row((level, index as i64), |row| row.get(0))
        .optional()
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
