//! What is derived from the lines and kept beside them: tiles, heads of chains, marks of imports; and rows besides.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::faults::{Fault, Faults};
use super::walk::{Chain, Filled};
use crate::entry::Alias;

/// Entries are read in windows as wide as a tile.
pub(crate) const WINDOW: u64 = tlog::TILE_WIDTH as u64;

/// A moment for one window, if there is none yet: a row looked up outside of one takes and lets go a lock of its own.
pub(crate) fn moment(db: &Connection) -> Option<Transaction<'_>> {
    // If it cannot be had, each row says why.
    match db.is_autocommit() {
        true => db.unchecked_transaction().ok(),
        false => None,
    }
}

/// Rows that lie beyond what is signed, or before the first.
pub(crate) fn outside(db: &Connection, table: &str, size: u64, faults: &mut Faults) {
    let sql =
        format!("SELECT position FROM {table} WHERE position < 0 OR position >= ?1 LIMIT 100");
    let positions = db.prepare(&sql).and_then(|mut statement| {
        let rows = statement.query_map([size as i64], |row| row.get::<_, i64>(0))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    });
    match positions {
        Ok(positions) => {
            let of_log = faults.of_log();
            for position in positions {
                let has = match of_log {
                    "" => format!("the ledger has {size} entries"),
                    _ => format!("it has {size} leaves"),
                };
                faults.push(Fault {
                    position: u64::try_from(position).ok(),
                    what: format!("`{table}`{of_log} has a row at position {position}, but {has}"),
                });
            }
        }
        Err(e) => faults.say(format!("`{table}`{} cannot be read: {e}", faults.of_log())),
    }
}

/// A stored tile.
pub(crate) fn tile(db: &Connection, level: u8, index: u64, faults: &mut Faults) -> Option<Vec<u8>> {
    let of_log = faults.of_log();
    let read = || {
        db.prepare_cached("SELECT hashes FROM tile WHERE level = ?1 AND idx = ?2")?
            .query_row((level, index as i64), |row| row.get(0))
            .optional()
    };
    match read() {
        Ok(tile) => tile,
        Err(e) => {
            faults.say(format!(
                "Tile {index} of level {level}{of_log} cannot be read: {e}"
            ));
            None
        }
    }
}

/// The hash that the log's tiles have for an entry whose line is missing, so that those after it can be followed.
#[derive(Default)]
pub(crate) struct Hashes(Option<(u64, Option<Vec<u8>>)>);

impl Hashes {
    /// Of the entry at a position, if its tile is full.
    pub(crate) fn of(
        &mut self,
        db: &Connection,
        position: u64,
        faults: &mut Faults,
    ) -> Option<tlog::Hash> {
        let index = position / WINDOW;
        if self.0.as_ref().is_none_or(|(known, _)| *known != index) {
            let tile = tile(db, 0, index, faults).filter(|tile| tile.len() == tlog::TILE_BYTES);
            self.0 = Some((index, tile));
        }
        let (_, tile) = self.0.as_ref()?;
        let hashes = tile.as_ref()?.as_chunks().0;
        Some(hashes[(position % WINDOW) as usize])
    }
}

/// Holds a tile that the lines have filled against the one that is stored.
pub(crate) fn full_tile(db: &Connection, filled: &Filled, faults: &mut Faults) {
    let Filled {
        level,
        index,
        hashes,
    } = filled;
    let of_log = faults.of_log();
    let Some(stored) = tile(db, *level, *index, faults) else {
        return faults.say(format!("Tile {index} of level {level}{of_log} is missing"));
    };
    if stored.len() != hashes.len() {
        return faults.say(format!(
            "Tile {index} of level {level}{of_log} has {} bytes, not {}",
            stored.len(),
            hashes.len()
        ));
    }
    let (stored, hashes) = (stored.as_chunks::<32>().0, hashes.as_chunks::<32>().0);
    for at in (0..hashes.len()).filter(|at| stored[*at] != hashes[*at]) {
        match level {
            0 => faults.at(
                index * WINDOW + at as u64,
                "its line does not have the hash that the log's tile has for it",
            ),
            _ => faults.say(format!(
                "Hash {at} of tile {index} of level {level}{of_log} does not follow from the tile below it"
            )),
        }
    }
}

/// Tiles that a ledger of this size does not have.
pub(crate) fn tiles_besides(db: &Connection, size: u64, faults: &mut Faults) {
    let of_log = faults.of_log();
    let log = match of_log {
        "" => format!("a ledger of {size} entries"),
        _ => format!("a log of {size} leaves"),
    };
    let tiles = db
        .prepare("SELECT level, idx FROM tile")
        .and_then(|mut statement| {
            let rows = statement
                .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
    match tiles {
        Ok(tiles) => {
            for (level, index) in tiles {
                let width = match (u8::try_from(level), u64::try_from(index)) {
                    (Ok(level), Ok(index)) => tlog::width(level, index, size),
                    _ => 0,
                };
                if width != tlog::TILE_WIDTH {
                    faults.say(format!(
                        "Tile {index} of level {level}{of_log} is stored, but is not full in {log}"
                    ));
                }
            }
        }
        Err(e) => faults.say(format!("`tile`{of_log} cannot be read: {e}")),
    }
}

/// The heads of the persons' chains, as stored and as the lines give them.
pub(super) fn heads(db: &Connection, chains: &HashMap<Alias, Chain>, faults: &mut Faults) {
    let stored = db
        .prepare("SELECT person, count, position, hash FROM person")
        .and_then(|mut statement| {
            let rows = statement.query_map([], |row| {
                let head = Chain {
                    count: row.get::<_, i64>(1)? as u64,
                    position: row.get::<_, i64>(2)? as u64,
                    hash: row.get::<_, Vec<u8>>(3)?.try_into().unwrap_or_default(),
                };
                Ok((row.get::<_, Vec<u8>>(0)?, head))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
    let stored = match stored {
        Ok(stored) => stored,
        Err(e) => return faults.say(format!("`person` cannot be read: {e}")),
    };
    let mut missing: HashMap<&Alias, &Chain> = chains.iter().collect();
    for (person, head) in stored {
        let Ok(alias) = <[u8; 16]>::try_from(person).map(Alias) else {
            faults.say("`person` has a row whose person is not an alias");
            continue;
        };
        match missing.remove(&alias) {
            None => faults.say(format!(
                "`person` has a head for p{alias}, about whom there is no entry"
            )),
            Some(chain) if *chain == head => {}
            Some(Chain { count, position, .. }) => faults.say(format!(
                "The head of p{alias} in `person` is not the one that the lines give: {count} entries, the last at {position}"
            )),
        }
    }
    let mut missing: Vec<_> = missing.into_iter().collect();
    missing.sort_by_key(|(_, chain)| chain.position);
    for (
        alias,
        Chain {
            count, position, ..
        },
    ) in missing
    {
        faults.push(Fault {
            position: Some(*position),
            what: format!(
                "`person` has no head for p{alias}, about whom there are {count} entries, the last at {position}"
            ),
        });
    }
}

/// Marks of imports that name entries which are not there.
pub(super) fn import_marks(db: &Connection, size: u64, faults: &mut Faults) {
    let sql = "SELECT count(*) FROM import_source WHERE position < 0 OR position > ?1";
    match db.query_row(sql, [size as i64], |row| row.get::<_, i64>(0)) {
        Ok(0) => {}
        Ok(count) => faults.say(format!(
            "{count} marks of imports name entries that there are not"
        )),
        Err(e) => faults.say(format!("`import_source` cannot be read: {e}")),
    }
}
