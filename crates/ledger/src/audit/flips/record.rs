//! What an audit asks of the record.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};

use super::{Answer, Asked, SEEN_AT_ONCE};
use crate::audit::derived::{self, WINDOW};
use crate::audit::faults::Faults;
use crate::audit::key_use::{self, Uses};
use crate::audit::opened::{self, With};
use crate::audit::structure;
use crate::audit::walk::{Filled, Walk};
use crate::audit::window::Window;
use crate::audit::{How, audit};
use crate::keys::Keys;
use crate::sealing::Sealing;
use crate::store::{self, OpenError};

type Rows = Vec<Vec<Value>>;
type Content = Option<(i64, i64, i64, Vec<u8>)>;

/// A sound record with everything that an audit reads of it. Its queries are, in this order: the tables that are
/// read whole, one query for all; each line; each content; each tile.
pub(super) struct Record<'d> {
    dir: &'d Path,
    keys: &'d Keys,
    sealing: Sealing,
    lines: Vec<Vec<u8>>,
    contents: Vec<Content>,
    tiles: Vec<Filled>,
    tables: Vec<Rows>,
    walk: Walk,
    uses: Uses,
}

/// A query by its number.
enum Query {
    Tables,
    Line(u64),
    Content(u64),
    Tile(usize),
}

/// The tables that are read whole.
const TABLES: [&str; 7] = [
    "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name",
    "SELECT key, value FROM state ORDER BY key",
    "SELECT person, count, position, hash FROM person ORDER BY person",
    "SELECT person, class, epoch, slot, name FROM key_use ORDER BY slot",
    // By its index: the next free key is found there.
    "SELECT slot FROM key_use INDEXED BY sqlite_autoindex_key_use_1 ORDER BY slot",
    "SELECT source, part, position FROM import_source ORDER BY source, part",
    "SELECT level, idx FROM tile ORDER BY level, idx",
];

impl<'d> Record<'d> {
    /// Reads a record that must be sound.
    pub(super) fn read(dir: &'d Path, keys: &'d Keys) -> Result<Record<'d>, OpenError> {
        let damaged = |what: &str| OpenError::Damaged(what.to_owned());
        let report = audit(dir, &How::with(keys), &mut |_| {})?;
        if !report.faults.is_empty() {
            return Err(damaged("it is not sound to begin with"));
        }
        let db = store::open_to_read(dir)?;
        let identity = store::identity(&db)?;
        let mut record = Record {
            dir,
            keys,
            sealing: Sealing::new(identity.programme, keys.clone()),
            lines: Vec::new(),
            contents: Vec::new(),
            tiles: Vec::new(),
            tables: tables(&db)?,
            walk: Walk::new(),
            uses: Uses::default(),
        };
        let size = report.entries;
        let mut faults = Faults::default();
        for from in (0..size).step_by(WINDOW as usize) {
            let to = size.min(from + WINDOW);
            let window = Window::read(&db, from, to, true, &mut faults);
            for (position, line, row) in window.rows() {
                let read = record
                    .walk
                    .line(position, line, None, &mut record.tiles, &mut faults);
                if let (Some(read), Some(row)) = (read, row) {
                    record.uses.content(position, &read, row, &mut faults);
                }
                record.lines.push(line.unwrap_or_default().to_vec());
            }
        }
        for position in 0..size {
            record.contents.push(content(&db, position)?);
        }
        match faults.list().is_empty() {
            true => Ok(record),
            false => Err(damaged("it is not sound to begin with")),
        }
    }

    fn query(&self, number: usize) -> Query {
        let size = self.lines.len();
        match number {
            0 => Query::Tables,
            n if n <= size => Query::Line(n as u64 - 1),
            n if n <= 2 * size => Query::Content((n - size) as u64 - 1),
            n => Query::Tile(n - 2 * size - 1),
        }
    }

    fn judge_content(&self, db: &Connection, position: u64) -> Answer {
        let mut faults = Faults::default();
        let window = Window::read(db, position, position + 1, true, &mut faults);
        let destroyed = key_use::destroyed(db, self.keys).unwrap_or_default();
        let with = With {
            sealing: Some(&self.sealing),
            aliases: None,
            destroyed: &destroyed,
        };
        faults.extend(opened::open(&window, with).faults);
        match faults.list().is_empty() {
            true => Answer::Escaped(format!("the content of entry {position}")),
            false => Answer::Found,
        }
    }

    fn judge_tables(&self, db: &Connection) -> Answer {
        let now = match tables(db) {
            Ok(now) => now,
            Err(_) => return Answer::Found,
        };
        let Some(other) = (0..TABLES.len()).find(|at| now[*at] != self.tables[*at]) else {
            return Answer::Same;
        };
        let mut faults = Faults::default();
        structure::pages(db, false, &structure::SMALL_TABLES, &mut faults);
        structure::schema(db, &mut faults);
        let known = structure::known(db, self.dir, false, &mut faults);
        let (_, signed) = structure::signed(db, known.identity.as_ref(), &mut faults);
        let size = self.lines.len() as u64;
        let programme = known
            .identity
            .is_some_and(|known| known.programme == self.keys.programme());
        if signed.is_none_or(|signed| (signed.size, signed.root) != (size, self.walk.edge.root()))
            || !programme
        {
            faults.say("what is signed is not what is there");
        }
        derived::tiles_besides(db, size, &mut faults);
        derived::heads(db, &self.walk.chains, &mut faults);
        derived::import_marks(db, size, &mut faults);
        self.uses.check(db, Some(self.keys), &mut faults);
        for filled in &self.tiles {
            derived::full_tile(db, filled, &mut faults);
        }
        if !faults.list().is_empty() {
            return Answer::Found;
        }
        // The name of a destroyed key is held against what it sealed.
        let is_found = |at| matches!(self.judge_content(db, at), Answer::Found);
        match TABLES[other] {
            table if table.contains("FROM key_use") && (0..size).any(is_found) => Answer::Found,
            table if table.contains("import_source") => Answer::Mark,
            table => Answer::Escaped(table.to_owned()),
        }
    }
}

impl Asked for Record<'_> {
    fn open(&self) -> Result<Connection, OpenError> {
        let db = store::open_to_read(self.dir)?;
        db.execute_batch(SEEN_AT_ONCE)?;
        Ok(db)
    }

    fn queries(&self) -> usize {
        1 + 2 * self.lines.len() + self.tiles.len()
    }

    fn is_one_of_many(&self, query: usize) -> bool {
        matches!(self.query(query), Query::Line(_) | Query::Content(_))
    }

    fn is_same(&self, db: &Connection, query: usize) -> bool {
        match self.query(query) {
            Query::Tables => tables(db).ok().as_ref() == Some(&self.tables),
            Query::Line(at) => {
                line_of(db, at).ok().flatten().as_ref() == Some(&self.lines[at as usize])
            }
            Query::Content(at) => {
                content(db, at).ok().as_ref() == Some(&self.contents[at as usize])
            }
            Query::Tile(number) => {
                let filled = &self.tiles[number];
                let stored = derived::tile(db, filled.level, filled.index, &mut Faults::default());
                stored.as_ref() == Some(&filled.hashes)
            }
        }
    }

    fn judge(&self, db: &Connection, query: usize) -> Answer {
        match self.query(query) {
            Query::Tables => self.judge_tables(db),
            // Another line, another hash, another root.
            Query::Line(_) => Answer::Found,
            Query::Content(at) => match content(db, at) {
                Ok(Some(_)) => self.judge_content(db, at),
                _ => Answer::Found,
            },
            Query::Tile(number) => {
                let mut faults = Faults::default();
                derived::full_tile(db, &self.tiles[number], &mut faults);
                match faults.list().is_empty() {
                    true => Answer::Escaped(format!("tile {number}")),
                    false => Answer::Found,
                }
            }
        }
    }
}

fn line_of(db: &Connection, position: u64) -> rusqlite::Result<Option<Vec<u8>>> {
    db.prepare_cached("SELECT line FROM entry WHERE position = ?1")?
        .query_row([position as i64], |row| row.get(0))
        .optional()
}

fn content(db: &Connection, position: u64) -> rusqlite::Result<Content> {
    db.prepare_cached("SELECT format, class, slot, body FROM content WHERE position = ?1")?
        .query_row([position as i64], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()
}

fn tables(db: &Connection) -> rusqlite::Result<Vec<Rows>> {
    TABLES
        .iter()
        .map(|sql| {
            let mut statement = db.prepare_cached(sql)?;
            let columns = statement.column_count();
            let rows = statement.query_map([], |row| {
                (0..columns).map(|at| row.get::<_, Value>(at)).collect()
            })?;
            rows.collect()
        })
        .collect()
}
