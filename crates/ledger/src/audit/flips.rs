//! Flips every byte of a ledger's file in turn and sees whether the audit notices.
//!
//! A whole audit for each of some million bytes would take days, so only the part that a byte can
//! have to do with is read again. That this is the same rests on one fact: what an audit says is
//! decided by what its queries return. So, once:
//!
//! 1. The sound ledger is audited and everything that the audit's queries return is kept.
//! 2. For each page, the page is overwritten with 0xFF, which no page of a table can be, and every
//!    query is asked again. Those that answer as before do not read the page; the others are the
//!    page's queries.
//!
//! Then, for each byte: flip it, ask its page's queries, put it back.
//!
//! * All answer as before: no reader of the ledger can tell the difference, and neither can the
//!   audit. The byte carries nothing, and what it is there for is counted ([`Flipped::silent`]).
//! * One answers otherwise: the audit's own functions are given that answer, and must say a fault.
//!   If they do not, the flip has escaped ([`Flipped::escaped`]), which must not be.
//!
//! A line that reads otherwise has another hash, and then the root is not the signed one: that is
//! said without walking the whole tree again for each byte.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};

use super::derived::{self, WINDOW};
use super::faults::Faults;
use super::key_use::Uses;
use super::opened::{self, With};
use super::structure;
use super::walk::{Filled, Walk};
use super::window::Window;
use crate::keys::Keys;
use crate::sealing::Sealing;
use crate::store::{self, OpenError};

/// What became of the flipped bytes.
#[derive(Clone, Debug, Default)]
pub struct Flipped {
    /// How many bytes were flipped, one after the other.
    pub bytes: u64,
    /// How many of them the audit noticed.
    pub found: u64,
    /// Those that no query of any reader can see, by what they are there for.
    pub silent: BTreeMap<&'static str, u64>,
    /// How many change a mark of an import, which is not part of the record: a file may be brought in again.
    pub marks: u64,
    /// Where the first of each kind is.
    pub silent_at: BTreeMap<&'static str, u64>,
    /// Of the silent ones that were tried, how many SQLite's own check notices; and how many were tried.
    pub pages_check: (u64, u64),
    /// Those that change an answer and were not noticed: by offset, and what they change.
    pub escaped: Vec<(u64, String)>,
}

type Rows = Vec<Vec<Value>>;
type Content = Option<(i64, i64, i64, Vec<u8>)>;

/// A ledger that is known to be sound, with everything that an audit reads of it.
pub struct Sound<'d> {
    dir: &'d Path,
    file: File,
    length: u64,
    page: u64,
    db: Connection,
    keys: &'d Keys,
    sealing: Sealing,
    lines: Vec<Vec<u8>>,
    contents: Vec<Content>,
    tiles: Vec<Filled>,
    tables: Vec<Rows>,
    walk: Walk,
    uses: Uses,
    touched: BTreeMap<u64, Touched>,
    /// How many pages the file says are free, and those that nothing was found to read.
    free: (u64, BTreeSet<u64>),
}

/// The queries that read a page.
#[derive(Clone, Debug, Default)]
struct Touched {
    lines: Vec<u64>,
    contents: Vec<u64>,
    tiles: Vec<usize>,
    tables: bool,
    /// SQLite keeps what is on it in memory: the file is opened anew.
    anew: bool,
}

impl Touched {
    /// Nothing reads the page.
    fn is_free(&self) -> bool {
        self.lines.is_empty()
            && self.contents.is_empty()
            && self.tiles.is_empty()
            && !self.tables
            && !self.anew
    }
}

/// The tables that are read whole.
const TABLES: [&str; 7] = [
    "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name",
    "SELECT key, value FROM state ORDER BY key",
    "SELECT person, count, position, hash FROM person ORDER BY person",
    "SELECT person, class, epoch, slot FROM key_use ORDER BY slot",
    // By its index: the next free key is found there.
    "SELECT slot FROM key_use INDEXED BY sqlite_autoindex_key_use_1 ORDER BY slot",
    "SELECT source, part, position FROM import_source ORDER BY source, part",
    "SELECT level, idx FROM tile ORDER BY level, idx",
];

/// So many silent flips are also shown to SQLite's own check.
const PAGES_CHECKS: u64 = 100;

enum Answer {
    Same,
    /// A mark of an import reads otherwise: not part of the record, and known not to be covered.
    Mark,
    Found,
    Escaped(String),
}

impl<'d> Sound<'d> {
    /// Reads a ledger that is at rest, its write-ahead log folded in. It must be sound.
    pub fn read(dir: &'d Path, keys: &'d Keys) -> Result<Sound<'d>, OpenError> {
        let damaged = |what: &str| OpenError::Damaged(what.to_owned());
        let report = super::audit(dir, &super::How::with(keys), &mut |_| {})?;
        if !report.faults.is_empty() {
            return Err(damaged("it is not sound to begin with"));
        }
        let path = dir.join("ledger.sqlite");
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let db = store::open_to_read(dir)?;
        let page = db.pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0))? as u64;
        let free =
            db.pragma_query_value(None, "freelist_count", |row| row.get::<_, i64>(0))? as u64;
        let identity = store::identity(&db)?;
        let mut sound = Sound {
            dir,
            length: file.metadata()?.len(),
            file,
            page,
            keys,
            sealing: Sealing::new(identity.programme, keys.clone()),
            lines: Vec::new(),
            contents: Vec::new(),
            tiles: Vec::new(),
            tables: tables(&db)?,
            walk: Walk::new(),
            uses: Uses::default(),
            touched: BTreeMap::new(),
            free: (free, BTreeSet::new()),
            db,
        };
        let size = report.entries;
        let mut faults = Faults::default();
        for from in (0..size).step_by(WINDOW as usize) {
            let to = size.min(from + WINDOW);
            let window = Window::read(&sound.db, from, to, true, &mut faults);
            for (position, line, row) in window.rows() {
                let read = sound
                    .walk
                    .line(position, line, None, &mut sound.tiles, &mut faults);
                if let (Some(read), Some(row)) = (read, row) {
                    sound.uses.content(position, &read, row, &mut faults);
                }
                sound.lines.push(line.unwrap_or_default().to_vec());
            }
        }
        for position in 0..size {
            sound.contents.push(content(&sound.db, position)?);
        }
        match faults.list().is_empty() {
            true => Ok(sound),
            false => Err(damaged("it is not sound to begin with")),
        }
    }

    /// How long the file is, in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The size of a page, in bytes.
    pub fn page(&self) -> u64 {
        self.page
    }

    /// Flips a bit of the byte at each of these offsets in turn. The file is as before when this returns.
    pub fn flip(
        &mut self,
        offsets: impl Iterator<Item = u64>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Flipped, OpenError> {
        let mut flipped = Flipped::default();
        let length = self.length;
        for at in offsets.take_while(|at| *at < length) {
            let touched = self.touched(at / self.page)?;
            let mut byte = [0];
            self.file.read_exact_at(&mut byte, at)?;
            // Which bit is decided by the place, so that all eight have their turn.
            let bit = 1 << (at % 8);
            self.file.write_all_at(&[byte[0] ^ bit], at)?;
            let answer = match touched.is_free() && !self.is_known_free(at / self.page) {
                true => {
                    Answer::Escaped("a page that is not free, and that nothing reads".to_owned())
                }
                false => self.ask(&touched),
            };
            let seen_by_pages = matches!(answer, Answer::Same)
                && flipped.pages_check.1 < PAGES_CHECKS
                && at % 37 == 0;
            if seen_by_pages {
                flipped.pages_check.1 += 1;
                let mut faults = Faults::default();
                if let Ok(db) = store::open_to_read(self.dir) {
                    structure::pages(&db, true, &mut faults);
                }
                flipped.pages_check.0 += u64::from(!faults.list().is_empty());
            }
            self.file.write_all_at(&byte, at)?;
            flipped.bytes += 1;
            match answer {
                Answer::Found => flipped.found += 1,
                Answer::Mark => flipped.marks += 1,
                Answer::Escaped(what) => flipped.escaped.push((at, what)),
                Answer::Same => {
                    let what = match touched.is_free() {
                        true => "free pages",
                        false => self.there_for(at)?,
                    };
                    *flipped.silent.entry(what).or_default() += 1;
                    flipped.silent_at.entry(what).or_insert(at);
                }
            }
            progress(flipped.bytes);
        }
        Ok(flipped)
    }

    /// Whether a page that nothing reads is one of the free ones, of which the file says how many there are.
    fn is_known_free(&mut self, page: u64) -> bool {
        self.free.1.insert(page);
        self.free.1.len() as u64 <= self.free.0
    }

    /// Which queries read a page: those that answer otherwise when it is overwritten.
    fn touched(&mut self, page: u64) -> Result<Touched, OpenError> {
        if let Some(touched) = self.touched.get(&page) {
            return Ok(touched.clone());
        }
        let mut sound = vec![0; self.page as usize];
        self.file.read_exact_at(&mut sound, page * self.page)?;
        self.file
            .write_all_at(&vec![0xff; self.page as usize], page * self.page)?;
        let mut touched = Touched::default();
        for (position, line) in (0..).zip(&self.lines) {
            if line_of(&self.db, position).ok().flatten().as_ref() != Some(line) {
                touched.lines.push(position);
            }
        }
        for (position, sound) in (0..).zip(&self.contents) {
            if content(&self.db, position).ok().as_ref() != Some(sound) {
                touched.contents.push(position);
            }
        }
        for (number, filled) in self.tiles.iter().enumerate() {
            let stored =
                derived::tile(&self.db, filled.level, filled.index, &mut Faults::default());
            if stored.as_ref() != Some(&filled.hashes) {
                touched.tiles.push(number);
            }
        }
        touched.tables = tables(&self.db).ok().as_ref() != Some(&self.tables);
        // What a new connection reads before it is asked anything: the header and the schema.
        let schema = store::open_to_read(self.dir)
            .and_then(|db| Ok(store::schema_of(&db)?))
            .is_err();
        touched.anew = page == 0 || schema;
        if touched.anew {
            // Header and schema are on the way to every row and tell none from another.
            touched.lines.retain(|position| position % 50 == 0);
            touched.contents.retain(|position| position % 50 == 0);
        }
        self.file.write_all_at(&sound, page * self.page)?;
        self.touched.insert(page, touched.clone());
        Ok(touched)
    }

    fn ask(&self, touched: &Touched) -> Answer {
        match touched.anew {
            false => self.ask_over(&self.db, touched),
            true => match store::open_to_read(self.dir) {
                Ok(db) => self.ask_over(&db, touched),
                Err(_) => Answer::Found,
            },
        }
    }

    fn ask_over(&self, db: &Connection, touched: &Touched) -> Answer {
        if touched.tables {
            match self.ask_tables(db) {
                Answer::Same => {}
                other => return other,
            }
        }
        for position in &touched.lines {
            match line_of(db, *position) {
                // Another line, another hash, another root.
                Ok(Some(line)) if line == self.lines[*position as usize] => {}
                _ => return Answer::Found,
            }
        }
        for position in &touched.contents {
            match content(db, *position) {
                Ok(found) if found == self.contents[*position as usize] => {}
                Ok(Some(_)) => return self.judge_content(db, *position),
                _ => return Answer::Found,
            }
        }
        for number in &touched.tiles {
            let mut faults = Faults::default();
            derived::full_tile(db, &self.tiles[*number], &mut faults);
            if !faults.list().is_empty() {
                return Answer::Found;
            }
        }
        Answer::Same
    }

    fn judge_content(&self, db: &Connection, position: u64) -> Answer {
        let mut faults = Faults::default();
        let window = Window::read(db, position, position + 1, true, &mut faults);
        let with = With {
            sealing: Some(&self.sealing),
            aliases: None,
        };
        faults.extend(opened::open(&window, with).faults);
        match faults.list().is_empty() {
            true => Answer::Escaped(format!("the content of entry {position}")),
            false => Answer::Found,
        }
    }

    fn ask_tables(&self, db: &Connection) -> Answer {
        let now = match tables(db) {
            Ok(now) => now,
            Err(_) => return Answer::Found,
        };
        let Some(other) = (0..TABLES.len()).find(|at| now[*at] != self.tables[*at]) else {
            return Answer::Same;
        };
        let mut faults = Faults::default();
        structure::pages(db, false, &mut faults);
        structure::schema(db, &mut faults);
        let known = structure::known(db, self.dir, &mut faults);
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
        match faults.list().is_empty() {
            true if TABLES[other].contains("import_source") => Answer::Mark,
            true => Answer::Escaped(TABLES[other].to_owned()),
            false => Answer::Found,
        }
    }

    /// What a byte that nobody can see is there for.
    fn there_for(&self, at: u64) -> io::Result<&'static str> {
        let (page, within) = (at / self.page, (at % self.page) as usize);
        // The byte has been put back.
        let mut bytes = vec![0; self.page as usize];
        self.file.read_exact_at(&mut bytes, page * self.page)?;
        let header = match page {
            0 if within < 100 => return Ok(header(within)),
            0 => 100,
            _ => 0,
        };
        let number = |at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
        let pointers = match bytes[header] {
            0x02 | 0x05 => header + 12,
            0x0a | 0x0d => header + 8,
            _ => {
                return Ok("overflow pages: what lies beyond the value's end");
            }
        };
        let (cells, start) = (number(header + 3), number(header + 5));
        Ok(match within {
            _ if within < header => "before the page's header",
            _ if within < pointers => "a page's header: where free blocks are, for writers",
            // A pointer is taken modulo the page's size.
            _ if within < pointers + 2 * cells
                && (within - pointers) % 2 == 0
                && 1u64 << (8 + at % 8) >= self.page =>
            {
                "pointers to cells: bits above the page's size"
            }
            _ if within < pointers + 2 * cells => "UNEXPLAINED: pointers to cells",
            _ if within < start => "free space between pointers and cells",
            // The column whose value is the row's number is stored as nothing; 8 is another nothing.
            _ if bytes[within] == 0 && at % 8 == 3 => "cells: how the position is not stored",
            _ => "free blocks among the cells",
        })
    }
}

/// The fields of the file's header that no reader depends on.
fn header(at: usize) -> &'static str {
    match at {
        18 | 19 => "file header: versions of the format",
        20 => "file header: reserved space",
        24..28 | 92..96 => "file header: counters of changes",
        28..32 => "file header: the file's length",
        32..40 => "file header: free pages",
        40..48 => "file header: version and format of the schema",
        48..52 => "file header: suggested cache",
        52..56 | 64..68 => "file header: vacuuming",
        72..92 => "file header: reserved for expansion",
        96..100 => "file header: which SQLite wrote it",
        _ => "file header: other",
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
