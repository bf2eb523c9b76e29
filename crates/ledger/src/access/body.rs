//! What lies beside a leaf's line, sealed. The one place that seals and opens it.
//!
//! A leaf about one person is sealed under the key of that person's record: what was asked about
//! somebody goes when they are erased, and that something was asked stays. A leaf about nobody, or
//! about several, is sealed under a key of the access log's own, another one every month. So is a
//! leaf about somebody who has no key: whoever asks for a person who was never there, or is there
//! no more.

use std::collections::HashMap;
use std::path::Path;

use evidence::content::{KeyName, Salt};
use evidence::disclosure::{Leaf, What, Whom};
use evidence::entry::Alias;
use rusqlite::{Connection, OptionalExtension};
use seal::{Bound, Class, KeyError, KeyringError};

use super::origin_of;
use crate::content;
use crate::keys::Keys;
use crate::store::{self, OpenError};

/// Random bytes that a body takes: salt and nonce.
pub(super) const CHANCE_BYTES: usize = 16 + 12;

/// How many keys are made ahead, each for a month.
pub(super) const AHEAD: u32 = 24;

/// How many persons' slots are kept in memory; beyond that it begins anew.
const KNOWN_MAX: usize = 100_000;

/// What seals and opens.
pub(super) struct Sealing {
    log: String,
    keys: Keys,
}

/// Which key a body is sealed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) class: Class,
    pub(super) number: u32,
}

/// What is sealed, and where it lies.
pub(super) struct Place {
    pub(super) position: u64,
    pub(super) what: What,
    pub(super) whom: Whom,
}

impl Place {
    pub(super) fn of(leaf: &Leaf) -> Place {
        Place {
            position: leaf.position,
            what: leaf.what,
            whom: leaf.whom,
        }
    }
}

/// A body, opened.
pub(super) struct Opened {
    pub(super) salt: Salt,
    pub(super) stored: Vec<u8>,
}

/// Packs a content on the caller's thread.
pub(super) fn pack(stored: &[u8]) -> Vec<u8> {
    content::compress(stored)
}

impl Sealing {
    /// For the access log of a programme.
    pub(super) fn new(programme: &str, keys: Keys) -> Sealing {
        Sealing {
            log: origin_of(programme),
            keys,
        }
    }

    /// Seals a packed content; `None` if the key was destroyed.
    pub(super) fn seal(
        &self,
        place: &Place,
        slot: Slot,
        salt: &Salt,
        nonce: [u8; 12],
        packed: &[u8],
    ) -> Result<Option<Vec<u8>>, KeyError> {
        let key = match self.ring(slot.class).key(slot.number) {
            Ok(key) => key,
            Err(KeyError::Destroyed(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let bound = self.bound(place, slot.class);
        Ok(Some(seal::seal(&key, nonce, &bound, salt, packed)))
    }

    /// Opens a body; `None` if its key was destroyed.
    pub(super) fn open(
        &self,
        place: &Place,
        slot: Slot,
        body: &[u8],
    ) -> Result<Option<Opened>, String> {
        let key = match self.ring(slot.class).key(slot.number) {
            Ok(key) => key,
            Err(KeyError::Destroyed(_)) => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let opened = seal::open(&key, &self.bound(place, slot.class), body)
            .map_err(|error| error.to_string())?;
        let stored = content::decompress(&opened.packed).map_err(|error| error.to_string())?;
        Ok(Some(Opened {
            salt: opened.salt,
            stored,
        }))
    }

    /// Whether a body is sealed under the key of a name, for its place; asked of keys that are destroyed.
    pub(super) fn is_under(
        &self,
        name: &KeyName,
        place: &Place,
        class: Class,
        body: &[u8],
    ) -> bool {
        seal::is_under(name, &self.bound(place, class), body)
    }

    fn ring(&self, class: Class) -> &seal::Keyring {
        match class {
            Class::Access => self.keys.access(),
            _ => self.keys.ledger(),
        }
    }

    fn bound<'a>(&'a self, place: &'a Place, class: Class) -> Bound<'a> {
        Bound {
            log: &self.log,
            class,
            person: match &place.whom {
                Whom::One(person) => Some(&person.0),
                Whom::Nobody | Whom::Many(_) => None,
            },
            kind: "disclosure",
            id: place.what.as_str(),
            version: 0,
            position: place.position,
        }
    }
}

/// Which keys are whose: the persons' as the ledger has them, the months' as this log does.
pub(super) struct Slots {
    ledger: Connection,
    persons: HashMap<Alias, u32>,
    months: HashMap<String, u32>,
    next: u32,
    /// A month was begun that is not in the log yet.
    begun: bool,
}

impl Slots {
    pub(super) fn open(dir: &Path, db: &Connection, keys: &Keys) -> Result<Slots, OpenError> {
        let mut select = db.prepare("SELECT month, slot FROM month_key")?;
        let months = select
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<HashMap<String, u32>>>()?;
        let next = months.values().max().map_or(0, |slot| slot + 1);
        if next > keys.access().len() {
            return Err(OpenError::Key {
                file: "access.keyring",
                what: "has fewer keys than this access log uses: it is an older copy. Restore the newest backup of the keys",
            });
        }
        Ok(Slots {
            ledger: store::open_to_read(dir)?,
            persons: HashMap::new(),
            months,
            next,
            begun: false,
        })
    }

    /// The key of somebody's record, if they have one.
    pub(super) fn of_person(&mut self, person: Alias) -> rusqlite::Result<Option<Slot>> {
        let slot = |number| Slot {
            class: Class::Record,
            number,
        };
        if let Some(number) = self.persons.get(&person) {
            return Ok(Some(slot(*number)));
        }
        let found = self
            .ledger
            .prepare_cached(
                "SELECT slot FROM key_use WHERE person = ?1 AND class = ?2 ORDER BY epoch DESC LIMIT 1",
            )?
            .query_row((&person.0[..], Class::Record as u8), |row| row.get(0))
            .optional()?;
        if let Some(number) = found {
            if self.persons.len() >= KNOWN_MAX {
                self.persons.clear();
            }
            self.persons.insert(person, number);
        }
        Ok(found.map(slot))
    }

    /// Forgets whose slot is which: their keys have changed.
    pub(super) fn forget(&mut self) {
        self.persons.clear();
    }

    /// The key of a month that has one.
    pub(super) fn of_month(&self, month: &str) -> Option<Slot> {
        self.months.get(month).map(|number| Slot {
            class: Class::Access,
            number: *number,
        })
    }

    /// Sees to it that a month has a key: on the disk in the keyring, and in the log when what is
    /// being written there is.
    pub(super) fn begin_month(
        &mut self,
        month: &str,
        keys: &Keys,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), KeyringError> {
        if self.next >= keys.access().len() {
            keys.access().reserve(self.next + AHEAD, chance)?;
        }
        // Whatever becomes of the commit, no other month gets this one.
        self.months.insert(month.to_owned(), self.next);
        self.next += 1;
        self.begun = true;
        Ok(())
    }

    /// Writes down which months have which keys.
    pub(super) fn write(&self, db: &Connection) -> rusqlite::Result<()> {
        if !self.begun {
            return Ok(());
        }
        let mut insert =
            db.prepare_cached("INSERT OR IGNORE INTO month_key (month, slot) VALUES (?1, ?2)")?;
        for (month, slot) in &self.months {
            insert.execute((month, slot))?;
        }
        Ok(())
    }

    /// What was written is on the disk.
    pub(super) fn written(&mut self) {
        self.begun = false;
    }
}
