//! Flips every byte of a log's file in turn and sees whether the audit notices.
//!
//! A whole audit for each of some million bytes would take days, so only the part that a byte can
//! have to do with is read again. That this is the same rests on one fact: what an audit says is
//! decided by what its queries return. So, once:
//!
//! 1. The sound log is audited and everything that the audit's queries return is kept.
//! 2. For each page, the page is overwritten with 0xFF, which no page of a table can be, and every
//!    query is asked again. Those that answer as before do not read the page; the others are the
//!    page's queries.
//!
//! Then, for each byte: flip it, ask its page's queries, put it back. The query that noticed the byte
//! before is asked first, because neighbours mostly belong to the same row.
//!
//! * All answer as before: no reader of the log can tell the difference, and neither can the
//!   audit. The byte carries nothing, and what it is there for is counted ([`Flipped::silent`]).
//! * One answers otherwise: the audit's own functions are given that answer, and must say a fault.
//!   If they do not, the flip has escaped ([`Flipped::escaped`]), which must not be.
//!
//! A line that reads otherwise has another hash, and then the root is not the signed one: that is
//! said without walking the whole tree again for each byte.
//!
//! What the queries are is each log's own: `record` here, `access::flips` for the access log.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rusqlite::Connection;

use super::faults::Faults;
use super::structure;
use crate::keys::Keys;
use crate::store::OpenError;

mod record;

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

impl Flipped {
    /// Adds what became of others.
    pub fn add(&mut self, others: Flipped) {
        self.bytes += others.bytes;
        self.found += others.found;
        self.marks += others.marks;
        self.pages_check.0 += others.pages_check.0;
        self.pages_check.1 += others.pages_check.1;
        self.escaped.extend(others.escaped);
        for (what, count) in others.silent {
            *self.silent.entry(what).or_default() += count;
        }
        for (what, at) in others.silent_at {
            self.silent_at.entry(what).or_insert(at);
        }
    }
}

impl fmt::Display for Flipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} flipped, {} found", self.bytes, self.found)?;
        for (what, count) in &self.silent {
            let at = self.silent_at.get(what).copied().unwrap_or_default();
            writeln!(f, "{count:>9} say nothing: {what} (the first at {at})")?;
        }
        if self.marks > 0 {
            let marks = self.marks;
            writeln!(
                f,
                "{marks:>9} change a mark of an import, which is not part of the record"
            )?;
        }
        let (seen, tried) = self.pages_check;
        writeln!(
            f,
            "of {tried} that say nothing, SQLite's own check of the pages notices {seen}"
        )?;
        for (at, what) in &self.escaped {
            writeln!(f, "ESCAPED: byte {at}: {what}")?;
        }
        Ok(())
    }
}

/// What an audit asks of a log, by number, and what it says of another answer than it had.
pub(crate) trait Asked {
    /// Opens the file anew, as an audit does.
    fn open(&self) -> Result<Connection, OpenError>;
    /// How many queries there are.
    fn queries(&self) -> usize;
    /// Whether a query is one of many alike: header and schema are on the way to all of them and tell none
    /// from another, so there some will do.
    fn is_one_of_many(&self, query: usize) -> bool;
    /// Whether a query answers as it did.
    fn is_same(&self, db: &Connection, query: usize) -> bool;
    /// What an audit says of the answer that is not as it was.
    fn judge(&self, db: &Connection, query: usize) -> Answer;
}

/// What an audit says of a flipped byte.
pub(crate) enum Answer {
    /// Nothing, because no answer is another.
    Same,
    /// A mark of an import reads otherwise: not part of the record, and known not to be covered.
    Mark,
    /// That there is a fault.
    Found,
    /// Nothing, and it should: what is another.
    Escaped(String),
}

/// So that what is written past SQLite into the file is seen by the next query: nothing is kept in memory but what
/// the system keeps. (Even with the file mapped, SQLite reads its last page into a cache.)
pub(crate) const SEEN_AT_ONCE: &str = "PRAGMA mmap_size = 1099511627776; PRAGMA cache_size = 0;";

/// So many silent flips are also shown to SQLite's own check.
const PAGES_CHECKS: u64 = 100;

/// A log that is known to be sound, with everything that an audit reads of it.
pub struct Sound<'d> {
    asked: Box<dyn Asked + 'd>,
    file: File,
    length: u64,
    page: u64,
    db: Connection,
    touched: BTreeMap<u64, Touched>,
    /// The query that noticed a byte last.
    noticed: usize,
    /// How many pages the file says are free, and those that nothing was found to read.
    free: (u64, BTreeSet<u64>),
}

/// The queries that read a page.
#[derive(Clone, Debug, Default)]
struct Touched {
    queries: Vec<usize>,
    /// SQLite keeps what is on it in memory: the file is opened anew.
    anew: bool,
}

impl Touched {
    /// Nothing reads the page.
    fn is_free(&self) -> bool {
        self.queries.is_empty() && !self.anew
    }
}

impl<'d> Sound<'d> {
    /// Reads a record that is at rest, its write-ahead log folded in. It must be sound.
    pub fn read(dir: &'d Path, keys: &'d Keys) -> Result<Sound<'d>, OpenError> {
        let asked = record::Record::read(dir, keys)?;
        Sound::over(&dir.join("ledger.sqlite"), Box::new(asked))
    }

    pub(crate) fn over(path: &Path, asked: Box<dyn Asked + 'd>) -> Result<Sound<'d>, OpenError> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let db = asked.open()?;
        let number = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let (page, free) = (
            number("page_size")? as u64,
            number("freelist_count")? as u64,
        );
        Ok(Sound {
            asked,
            length: file.metadata()?.len(),
            file,
            page,
            db,
            touched: BTreeMap::new(),
            noticed: 0,
            free: (free, BTreeSet::new()),
        })
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
                if let Ok(db) = self.asked.open() {
                    structure::pages(&db, true, &[], &mut faults);
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
        for query in 0..self.asked.queries() {
            if !self.asked.is_same(&self.db, query) {
                touched.queries.push(query);
            }
        }
        // What a new connection reads before it is asked anything: the header and the schema.
        let schema = self
            .asked
            .open()
            .and_then(|db| Ok(crate::store::schema_of(&db)?))
            .is_err();
        touched.anew = page == 0 || schema;
        if touched.anew {
            let asked = &self.asked;
            touched
                .queries
                .retain(|query| query % 50 == 0 || !asked.is_one_of_many(*query));
        }
        self.file.write_all_at(&sound, page * self.page)?;
        self.touched.insert(page, touched.clone());
        Ok(touched)
    }

    fn ask(&mut self, touched: &Touched) -> Answer {
        let anew;
        let db = match touched.anew {
            false => &self.db,
            true => match self.asked.open() {
                Ok(db) => {
                    anew = db;
                    &anew
                }
                Err(_) => return Answer::Found,
            },
        };
        let first = touched.queries.binary_search(&self.noticed).ok();
        let first = first.map(|at| touched.queries[at]);
        let others = touched.queries.iter().copied();
        // What one query's answer does not give away another's may: an audit asks all of them.
        let mut so_far = Answer::Same;
        for query in first
            .into_iter()
            .chain(others.filter(|n| Some(*n) != first))
        {
            if self.asked.is_same(db, query) {
                continue;
            }
            match self.asked.judge(db, query) {
                Answer::Found => {
                    self.noticed = query;
                    return Answer::Found;
                }
                Answer::Same => {}
                answer => so_far = answer,
            }
        }
        so_far
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
