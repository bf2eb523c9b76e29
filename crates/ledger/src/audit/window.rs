//! Rows of entries and contents, read as readers read them: each looked up by its position.
//!
//! Entries, contents and tiles never change once they are there, so nothing is gained by holding one
//! moment over many windows, and a server's write-ahead log can be folded in between any two.

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension};

use super::faults::{Fault, Faults};
use crate::sealing;

/// What was read of rows, one after the other.
pub(crate) struct Bytes(Vec<u8>);

impl Bytes {
    /// With room for so many.
    pub(crate) fn with_capacity(room: usize) -> Bytes {
        Bytes(Vec::with_capacity(room))
    }

    /// Keeps bytes, and says where.
    pub(crate) fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let from = self.0.len();
        self.0.extend_from_slice(bytes);
        from..self.0.len()
    }

    /// What was kept there.
    pub(crate) fn part(&self, range: &Range<usize>) -> &[u8] {
        &self.0[range.clone()]
    }

    /// How many they are.
    pub(crate) fn count(&self) -> u64 {
        self.0.len() as u64
    }
}

/// Entries with their contents, from one position on.
pub(super) struct Window {
    pub(super) from: u64,
    /// Lines and bodies.
    bytes: Bytes,
    rows: Vec<Row>,
}

#[derive(Default)]
struct Row {
    line: Option<Range<usize>>,
    content: Option<Place>,
}

struct Place {
    format: i64,
    class: i64,
    slot: i64,
    body: Range<usize>,
}

impl Window {
    /// Reads a window; what cannot be read is said and left out. Without bodies, which key they are
    /// sealed under is read all the same.
    pub(super) fn read(
        db: &Connection,
        from: u64,
        to: u64,
        with_bodies: bool,
        faults: &mut Faults,
    ) -> Window {
        let mut window = Window {
            from,
            bytes: Bytes::with_capacity(160 << 10),
            rows: Vec::with_capacity((to - from) as usize),
        };
        let mut unreadable = Unreadable::default();
        for position in from..to {
            let mut row = Row::default();
            match window.line_of(db, position) {
                Ok(line) => row.line = line,
                Err(e) => unreadable.say(position, &e, faults),
            }
            match window.content_of(db, position, with_bodies) {
                Ok(content) => row.content = content,
                Err(e) => unreadable.say(position, &e, faults),
            }
            window.rows.push(row);
        }
        unreadable.end(faults);
        window
    }

    fn line_of(
        &mut self,
        db: &Connection,
        position: u64,
    ) -> rusqlite::Result<Option<Range<usize>>> {
        db.prepare_cached("SELECT line FROM entry WHERE position = ?1")?
            .query_row([position as i64], |row| {
                Ok(self.bytes.keep(row.get_ref(0)?.as_blob()?))
            })
            .optional()
    }

    fn content_of(
        &mut self,
        db: &Connection,
        position: u64,
        with_body: bool,
    ) -> rusqlite::Result<Option<Place>> {
        let sql = match with_body {
            true => "SELECT format, class, slot, body FROM content WHERE position = ?1",
            // What the programme says of itself is read every time.
            false => {
                "SELECT format, class, slot, CASE class WHEN 3 THEN body ELSE x'' END \
                 FROM content WHERE position = ?1"
            }
        };
        db.prepare_cached(sql)?
            .query_row([position as i64], |row| {
                Ok(Place {
                    format: row.get(0)?,
                    class: row.get(1)?,
                    slot: row.get(2)?,
                    body: self.bytes.keep(row.get_ref(3)?.as_blob()?),
                })
            })
            .optional()
    }

    /// Positions with their lines and contents, where they are there.
    pub(super) fn rows(
        &self,
    ) -> impl Iterator<Item = (u64, Option<&[u8]>, Option<sealing::Row<'_>>)> {
        let part = |range: &Range<usize>| self.bytes.part(range);
        self.rows.iter().zip(self.from..).map(move |(row, at)| {
            let content = row.content.as_ref().map(|place| sealing::Row {
                format: place.format,
                class: place.class,
                slot: place.slot,
                body: part(&place.body),
            });
            (at, row.line.as_ref().map(part), content)
        })
    }

    /// How many bytes were read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.count()
    }
}

/// A damaged page makes a row of entries unreadable: that is said once.
#[derive(Default)]
pub(crate) struct Unreadable {
    run: Option<(u64, u64, String)>,
}

impl Unreadable {
    pub(crate) fn say(&mut self, position: u64, error: &rusqlite::Error, faults: &mut Faults) {
        let why = error.to_string();
        match &mut self.run {
            Some((_, last, known)) if *known == why && position <= *last + 1 => *last = position,
            _ => {
                self.end(faults);
                self.run = Some((position, position, why));
            }
        }
    }

    pub(crate) fn end(&mut self, faults: &mut Faults) {
        let Some((first, last, why)) = self.run.take() else {
            return;
        };
        let (entry, entries) = faults.nouns();
        let what = match first == last {
            true => format!("{entry} {first} cannot be read: {why}"),
            false => format!("{entries} {first} to {last} cannot be read: {why}"),
        };
        faults.push(Fault {
            position: Some(first),
            what,
        });
    }
}
