//! Which key every content is sealed under: one person's, for one class, in the order of the epochs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use evidence::content::KeyName;
use rusqlite::Connection;
use seal::{Class, KeyError};

use super::faults::{Faults, sentence};
use crate::entry::{Alias, Line};
use crate::keys::Keys;
use crate::sealing;
use crate::store;

/// Nobody's are the programme's own.
type Whose = (Option<Alias>, u8);

/// The keys as the contents use them.
#[derive(Default)]
pub(super) struct Uses {
    slots: HashMap<u32, Use>,
}

/// One key.
struct Use {
    whose: Whose,
    first: u64,
    last: u64,
    count: u64,
}

/// A key that was destroyed, and what it sealed.
pub(super) struct Destroyed {
    pub(super) person: Option<Alias>,
    /// What all that it sealed is.
    pub(super) class: Option<Class>,
    pub(super) slot: u32,
    /// As `key_use` has it.
    pub(super) name: Option<KeyName>,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) count: u64,
}

/// A person's key that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Its slot.
    pub slot: u32,
    /// Whose it was.
    pub person: Alias,
    /// Its name, as `key_use` has it.
    pub name: KeyName,
    /// How many contents it sealed.
    pub contents: u64,
}

impl Uses {
    /// The next content, by its row and its line.
    pub(super) fn content(
        &mut self,
        position: u64,
        line: &Line<'_>,
        row: sealing::Row<'_>,
        faults: &mut Faults,
    ) {
        let Some(class) = sealing::class_of(row.class) else {
            return faults.at(position, "its content is of a class that is not known here");
        };
        let Ok(slot) = u32::try_from(row.slot) else {
            return faults.at(position, "its content names a key that cannot be");
        };
        let person = match class {
            Class::Programme => None,
            _ => line.person,
        };
        if person.is_none() && class != Class::Programme {
            return faults.at(
                position,
                "it is about nobody, but its content is sealed under somebody's key",
            );
        }
        let whose = (person, class as u8);
        let of = self.slots.entry(slot).or_insert(Use {
            whose,
            first: position,
            last: position,
            count: 0,
        });
        if of.whose != whose {
            let what = format!(
                "its content is sealed under the key {slot}, which entry {} uses for somebody or something else",
                of.first
            );
            return faults.at(position, what);
        }
        of.last = position;
        of.count += 1;
    }

    /// Holds them against the table, and against the keyring if there are keys; gives what was destroyed.
    pub(super) fn check(
        &self,
        db: &Connection,
        keys: Option<&Keys>,
        faults: &mut Faults,
    ) -> Vec<Destroyed> {
        let stored = match stored(db) {
            Ok(stored) => stored,
            Err(e) => {
                faults.say(format!("`key_use` cannot be read: {e}"));
                return Vec::new();
            }
        };
        let mut epochs: BTreeMap<(Option<Alias>, u8), BTreeMap<i64, u32>> = BTreeMap::new();
        for (slot, person, class, epoch, _) in &stored {
            let alias = match person.len() {
                0 => None,
                _ => <[u8; 16]>::try_from(person.as_slice()).ok().map(Alias),
            };
            let used = u32::try_from(*slot)
                .ok()
                .and_then(|slot| self.slots.get(&slot));
            match used {
                None => faults.say(format!(
                    "`key_use` names the key {slot}, under which nothing is sealed"
                )),
                Some(used)
                    if used.whose.0 == alias
                        && i64::from(used.whose.1) == *class
                        && (person.is_empty() || alias.is_some()) =>
                {
                    epochs
                        .entry(used.whose)
                        .or_default()
                        .insert(*epoch, *slot as u32);
                }
                Some(used) => faults.say(format!(
                    "`key_use` gives the key {slot} to somebody or something else than entry {}, which is sealed under it",
                    used.first
                )),
            }
        }
        // Whichever epoch is written under is at least the last that anything is sealed in.
        match store::epoch(db) {
            Ok(now) => {
                for (slot, _, _, epoch, _) in &stored {
                    if !(1..=i64::from(now)).contains(epoch) {
                        faults.say(format!(
                            "`key_use` has the key {slot} in epoch {epoch}, but the ledger's is {now}"
                        ));
                    }
                }
            }
            Err(e) => faults.say(sentence(&e.to_string())),
        }
        let known: std::collections::HashSet<i64> = stored.iter().map(|row| row.0).collect();
        let mut missing: Vec<_> = self
            .slots
            .iter()
            .filter(|(slot, _)| !known.contains(&i64::from(**slot)))
            .collect();
        missing.sort_by_key(|(_, used)| used.first);
        for (slot, used) in missing {
            faults.at(
                used.first,
                format_args!(
                    "its content is sealed under the key {slot}, which `key_use` does not name"
                ),
            );
        }
        for slots in epochs.values() {
            let mut before: Option<&Use> = None;
            for slot in slots.values() {
                let used = &self.slots[slot];
                if let Some(before) = before.filter(|before| used.first < before.last) {
                    faults.at(
                        before.last,
                        format_args!("its content is sealed under a key of an epoch that had ended at entry {}", used.first),
                    );
                }
                before = Some(used);
            }
        }
        let names: HashMap<u32, KeyName> = stored
            .into_iter()
            .filter_map(|(slot, .., name)| Some((u32::try_from(slot).ok()?, name)))
            .collect();
        keys.map_or_else(Vec::new, |keys| self.destroyed(keys, &names, faults))
    }

    fn destroyed(
        &self,
        keys: &Keys,
        names: &HashMap<u32, KeyName>,
        faults: &mut Faults,
    ) -> Vec<Destroyed> {
        let mut destroyed = Vec::new();
        let mut slots: Vec<_> = self.slots.iter().collect();
        slots.sort_by_key(|(slot, _)| **slot);
        for (slot, used) in slots {
            match keys.ledger().key(*slot) {
                Ok(key) if names.get(slot).is_none_or(|name| *name == key.name()) => {}
                Ok(_) => faults.say(format!("`key_use` names the key {slot} as another one")),
                Err(KeyError::Destroyed(_)) => destroyed.push(Destroyed {
                    person: used.whose.0,
                    class: Class::from_number(used.whose.1),
                    slot: *slot,
                    name: names.get(slot).copied(),
                    first: used.first,
                    last: used.last,
                    count: used.count,
                }),
                Err(other) => faults.say(format!(
                    "The key of entry {} and {} others cannot be had: {other}",
                    used.first,
                    used.count - 1
                )),
            }
        }
        destroyed
    }
}

/// The names of the keys that are destroyed, by slot.
pub(crate) fn destroyed(db: &Connection, keys: &Keys) -> rusqlite::Result<HashMap<u32, KeyName>> {
    let gone: BTreeSet<u32> = keys.ledger().destroyed().into_iter().collect();
    let named = stored(db)?.into_iter().filter_map(|(slot, .., name)| {
        let slot = u32::try_from(slot).ok()?;
        gone.contains(&slot).then_some((slot, name))
    });
    Ok(named.collect())
}

type StoredUse = (i64, Vec<u8>, i64, i64, KeyName);

fn stored(db: &Connection) -> rusqlite::Result<Vec<StoredUse>> {
    let mut statement =
        db.prepare("SELECT slot, person, class, epoch, name FROM key_use ORDER BY slot")?;
    let rows = statement.query_map([], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
        ))
    })?;
    rows.collect()
}
