//! Which slot of the keyring is whose: known ones from memory and the disk, new ones taken in order.
//!
//! A slot's key is durable before anything is sealed under it, and the row that says whose it is
//! commits together with the first content that it seals. So a crash between the two leaves blank
//! keys that the next one takes, and never a content without its key. Blanks are made many at a
//! time: a new person costs no flush of their own.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};
use seal::{Class, Key, Keyring, KeyringError};

use super::Trouble;
use crate::entry::{Alias, Line};
use crate::sealing::{Row, Sealing};
use crate::store::{self, OpenError};

/// How many keys are made beyond those that are needed.
const AHEAD: u32 = 256;

/// How many of the last contents are tried with the keys at the start.
const TRIED_MAX: u32 = 8;

/// How many uses are kept in memory.
const KNOWN_MAX: usize = 100_000;

/// Whose content of which class; of the programme's own, nobody's.
type Use = (Option<Alias>, Class);

/// The uses of keys in the epoch that is written under.
#[derive(Debug)]
pub(super) struct Slots {
    epoch: u32,
    /// The first slot that nobody has.
    next: u32,
    known: HashMap<Use, u32>,
}

/// What one group found and took.
pub(super) struct Taken {
    known: HashMap<Use, u32>,
    new: Vec<(Use, u32)>,
    next: u32,
    /// The keys of this group, unwrapped once each; gone with the group.
    pub(super) keys: HashMap<u32, Key>,
    /// For each write that is taken, in order: the person it is about, and its slot.
    pub(super) places: Vec<(Option<Alias>, u32)>,
}

/// How much a group had taken at some moment.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    new: usize,
    places: usize,
}

impl Taken {
    pub(super) fn mark(&self) -> Mark {
        Mark {
            new: self.new.len(),
            places: self.places.len(),
        }
    }

    /// Whether slots were taken since.
    pub(super) fn is_new_since(&self, mark: Mark) -> bool {
        self.new.len() > mark.new
    }

    /// Takes back what was taken since.
    pub(super) fn give_back(&mut self, mark: Mark) {
        for (whose, slot) in self.new.drain(mark.new..) {
            self.known.remove(&whose);
            self.next = self.next.min(slot);
        }
        self.places.truncate(mark.places);
    }
}

impl Slots {
    /// Reads where the ledger stands, and sees to it that there are keys ahead.
    pub(super) fn open(db: &Connection, keyring: &Keyring) -> Result<Slots, OpenError> {
        let next = db.query_row(
            "SELECT coalesce(max(slot) + 1, 0) FROM key_use",
            [],
            |row| row.get(0),
        )?;
        if next > keyring.len() {
            return Err(OpenError::Key {
                file: "ledger.keyring",
                what: "has fewer keys than this ledger uses: it is an older copy. Restore the newest backup of the keys",
            });
        }
        Ok(Slots {
            epoch: store::epoch(db)?,
            next,
            known: HashMap::new(),
        })
    }

    pub(super) fn taken(&self) -> Taken {
        Taken {
            known: HashMap::new(),
            new: Vec::new(),
            next: self.next,
            keys: HashMap::new(),
            places: Vec::new(),
        }
    }

    /// The slot for a content: the one that it has, or a new one.
    pub(super) fn of(
        &self,
        db: &Connection,
        person: Option<Alias>,
        class: Class,
        taken: &mut Taken,
    ) -> rusqlite::Result<u32> {
        let whose = match class {
            Class::Programme => (None, class),
            _ => (person, class),
        };
        if let Some(slot) = self.known.get(&whose).or_else(|| taken.known.get(&whose)) {
            return Ok(*slot);
        }
        let stored = db
            .prepare_cached(
                "SELECT slot FROM key_use WHERE person = ?1 AND class = ?2 AND epoch = ?3",
            )?
            .query_row((person_of(&whose), class as u8, self.epoch), |row| {
                row.get(0)
            })
            .optional()?;
        let slot = match stored {
            Some(slot) => slot,
            None => {
                let slot = taken.next;
                taken.next += 1;
                taken.new.push((whose, slot));
                slot
            }
        };
        taken.known.insert(whose, slot);
        Ok(slot)
    }

    /// Makes durable keys for what was taken, and for what comes next.
    pub(super) fn reserve(
        &self,
        keyring: &Keyring,
        taken: &Taken,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), KeyringError> {
        match taken.next > keyring.len() {
            // The keyring is written whole: the longer it is, the more is made at a time.
            true => keyring.reserve(taken.next + AHEAD.max(taken.next / 4), chance),
            false => Ok(()),
        }
    }

    /// Writes down whose the new ones are, and their names, for when they are destroyed.
    pub(super) fn write(
        &self,
        db: &Connection,
        keyring: &Keyring,
        taken: &Taken,
    ) -> Result<(), Trouble> {
        let mut insert = db.prepare_cached(
            "INSERT INTO key_use (person, class, epoch, slot, name) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for (whose, slot) in &taken.new {
            let name = keyring.key(*slot)?.name();
            insert.execute((person_of(whose), whose.1 as u8, self.epoch, slot, name))?;
        }
        Ok(())
    }

    /// Never gives the slots of a group to anybody else, whatever becomes of it: what was sealed
    /// under them may lie in a file.
    pub(super) fn spend(&mut self, taken: &Taken) {
        self.next = taken.next;
    }

    /// The group is on the disk.
    pub(super) fn keep(&mut self, taken: Taken) {
        if self.known.len() + taken.known.len() > KNOWN_MAX {
            self.known.clear();
        }
        self.known.extend(taken.known);
    }

    /// Begins an epoch: everybody gets new keys from here on.
    pub(super) fn begin(&mut self, epoch: u32) {
        self.epoch = epoch;
        self.known.clear();
    }

    pub(super) fn epoch(&self) -> u32 {
        self.epoch
    }
}

/// Whether what a content is to be sealed under would be a key of somebody whose record was erased: a key of
/// their record was destroyed. An erasure of the therapy notes alone destroys none of these.
pub(super) fn is_erased(
    db: &Connection,
    person: Option<Alias>,
    class: Class,
    keyring: &Keyring,
) -> rusqlite::Result<bool> {
    let Some(person) = person.filter(|_| class != Class::Programme) else {
        return Ok(false);
    };
    let mut select =
        db.prepare_cached("SELECT slot FROM key_use WHERE person = ?1 AND class = ?2")?;
    let mut rows = select.query((&person.0[..], Class::Record as u8))?;
    while let Some(row) = rows.next()? {
        if matches!(keyring.key(row.get(0)?), Err(seal::KeyError::Destroyed(_))) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// As the table has it: nobody is empty.
fn person_of(whose: &Use) -> &[u8] {
    whose.0.as_ref().map_or(&[], |alias| &alias.0)
}

/// Refuses keys of another ledger. They may be well wrapped and of a programme of the same name, so what shows it is
/// that none of the last contents is sealed under them. One content that is not may have been tampered with: that is
/// the audit's to say.
pub(super) fn refuse_other_keys(db: &Connection, sealing: &Sealing) -> Result<(), OpenError> {
    let mut last = db.prepare(
        "SELECT entry.line, content.format, content.class, content.slot, content.body
         FROM content JOIN entry USING (position) ORDER BY position DESC",
    )?;
    let mut rows = last.query([])?;
    let mut tried = 0;
    while tried < TRIED_MAX
        && let Some(row) = rows.next()?
    {
        let (Ok(line), Ok(body)) = (row.get_ref(0)?.as_blob(), row.get_ref(4)?.as_blob()) else {
            continue;
        };
        let Ok(line) = Line::parse(line) else {
            continue;
        };
        let content = Row {
            format: row.get(1)?,
            class: row.get(2)?,
            slot: row.get(3)?,
            body,
        };
        match sealing.fits(&line, content) {
            Some(true) => return Ok(()),
            Some(false) => tried += 1,
            // Erased.
            None => {}
        }
    }
    match tried {
        0 => Ok(()),
        _ => Err(OpenError::Key {
            file: "ledger.keyring",
            what: "has other keys than those that this ledger's contents are sealed under: it belongs to another \
                   ledger. Restore the newest backup of this ledger's keys",
        }),
    }
}
