//! Rows of leaves, read as readers read them: each looked up by its position.

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension};

use crate::access::read::Raw;
use crate::audit::faults::Faults;
use crate::audit::window::{Bytes, Unreadable};

/// Leaves from one position on.
pub(super) struct Window {
    pub(super) from: u64,
    /// Lines, persons and bodies.
    bytes: Bytes,
    rows: Vec<Row>,
}

#[derive(Default)]
struct Row {
    line: Option<Range<usize>>,
    beside: Option<Beside>,
}

/// What lies beside a line.
struct Beside {
    persons: Range<usize>,
    class: i64,
    slot: i64,
    body: Range<usize>,
}

impl Window {
    /// Reads a window; what cannot be read is said and left out. Without bodies, all is read but the bodies of leaves
    /// about one person or nobody.
    pub(super) fn read(
        db: &Connection,
        from: u64,
        to: u64,
        with_bodies: bool,
        faults: &mut Faults,
    ) -> Window {
        let mut window = Window {
            from,
            bytes: Bytes::with_capacity(128 << 10),
            rows: Vec::with_capacity((to - from) as usize),
        };
        let mut unreadable = Unreadable::default();
        for position in from..to {
            let mut row = Row::default();
            if let Err(e) = window.row(db, position, with_bodies, &mut row) {
                unreadable.say(position, &e, faults);
            }
            window.rows.push(row);
        }
        unreadable.end(faults);
        window
    }

    /// Fills a row in as far as it can be read.
    fn row(
        &mut self,
        db: &Connection,
        position: u64,
        with_body: bool,
        into: &mut Row,
    ) -> rusqlite::Result<()> {
        let sql = match with_body {
            true => "SELECT line, persons, class, slot, body FROM entry WHERE position = ?1",
            false => {
                "SELECT line, persons, class, slot, CASE WHEN length(persons) > 16 THEN body ELSE x'' END \
                 FROM entry WHERE position = ?1"
            }
        };
        db.prepare_cached(sql)?
            .query_row([position as i64], |row| {
                into.line = Some(self.bytes.keep(row.get_ref(0)?.as_blob()?));
                into.beside = Some(Beside {
                    persons: self.bytes.keep(row.get_ref(1)?.as_blob()?),
                    class: row.get(2)?,
                    slot: row.get(3)?,
                    body: self.bytes.keep(row.get_ref(4)?.as_blob()?),
                });
                Ok(())
            })
            .optional()
            .map(|_| ())
    }

    /// Leaves nothing beside the lines but of leaves about several persons.
    pub(super) fn keep_several(&mut self) {
        for row in &mut self.rows {
            row.beside.take_if(|beside| beside.persons.len() <= 16);
        }
    }

    /// Positions with their lines, and the rows as far as all of them is there.
    pub(super) fn rows(&self) -> impl Iterator<Item = (u64, Option<&[u8]>, Option<Raw<'_>>)> {
        let part = |range: &Range<usize>| self.bytes.part(range);
        self.rows.iter().zip(self.from..).map(move |(row, at)| {
            let line = row.line.as_ref().map(part);
            let raw = line.zip(row.beside.as_ref()).map(|(line, beside)| Raw {
                position: at,
                line,
                persons: part(&beside.persons),
                class: beside.class,
                slot: beside.slot,
                body: part(&beside.body),
            });
            (at, line, raw)
        })
    }

    /// How many bytes were read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.count()
    }
}
