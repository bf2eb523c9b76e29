//! The file as SQLite sees it, the tables and triggers as this version makes them, and what is signed.

use std::path::Path;

use rusqlite::Connection;
use tlog::checkpoint::Checkpoint;

use super::faults::{Faults, sentence};
use super::roots::Roots;
use crate::entry::Aliases;
use crate::store::{self, Identity};

/// The tables that change in place or are small. The others are read whole, row by row, by the way that readers
/// read them, so what a check of their pages would find shows as an entry that is missing or not its own.
pub(super) const SMALL_TABLES: [&str; 4] = ["person", "key_use", "import_source", "state"];

/// SQLite's own check of its pages.
///
/// Of the whole file only when nobody appends: it is one long read, and while it lasts the write-ahead log of a
/// server could not be folded in and would grow.
pub(crate) fn pages(db: &Connection, at_rest: bool, small: &[&str], faults: &mut Faults) {
    let damaged = match faults.of_log() {
        "" => "The file is damaged",
        _ => "The access log's file is damaged",
    };
    let check = |sql: &str| -> rusqlite::Result<Vec<String>> {
        let mut statement = db.prepare(sql)?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    let checks: Vec<String> = match at_rest {
        true => vec!["PRAGMA integrity_check(100)".to_owned()],
        false => small
            .iter()
            .map(|table| format!("PRAGMA integrity_check({table})"))
            .collect(),
    };
    for sql in checks {
        match check(&sql) {
            Ok(said) => {
                for what in said.into_iter().filter(|what| what != "ok") {
                    faults.say(format!("{damaged}: {what}"));
                }
            }
            Err(e) => faults.say(format!("{damaged}: {e}")),
        }
    }
}

/// Tables, indices and triggers: none missing, none besides, none other than this version makes it.
pub(super) fn schema(db: &Connection, faults: &mut Faults) {
    let expected = match store::schema() {
        Ok(expected) => expected,
        Err(e) => return faults.say(format!("The tables cannot be compared: {e}")),
    };
    let found = store::schema_of(db).unwrap_or_default();
    for (name, sql) in &expected {
        match found.get(name) {
            None => faults.say(format!(
                "`{name}` is missing in the file: without it the record can be changed unnoticed"
            )),
            Some(found) if found != sql => faults.say(format!(
                "`{name}` in the file is not as this version makes it"
            )),
            Some(_) => {}
        }
    }
    for name in found.keys().filter(|name| !expected.contains_key(*name)) {
        faults.say(format!("`{name}` in the file is not the ledger's"));
    }
    let known = store::STATE_KEYS.map(|key| format!("'{key}'")).join(", ");
    let sql = format!("SELECT count(*) FROM state WHERE key NOT IN ({known})");
    if db.query_row(&sql, [], |row| row.get::<_, i64>(0)) != Ok(0) {
        faults.say("`state` has rows that are not the ledger's");
    }
}

/// Who the ledger is, by its own word and by the keys beside it.
pub(super) struct Known {
    pub(super) identity: Option<Identity>,
    /// Without the key, aliases are not checked.
    pub(super) aliases: Option<Aliases>,
}

/// Reads the ledger's name and public key, and holds them against the keys on the disk.
pub(super) fn known(db: &Connection, dir: &Path, log_ends: bool, faults: &mut Faults) -> Known {
    let identity = match store::identity(db) {
        Ok(identity) => identity,
        Err(e) => {
            faults.say(sentence(&e.to_string()));
            return Known {
                identity: None,
                aliases: None,
            };
        }
    };
    if let Err(e) = store::signing_key(dir, &identity)
        && !log_ends
    {
        faults.say(sentence(&e.to_string()));
    }
    let aliases = match store::aliases(dir, db) {
        Ok(aliases) => Some(aliases),
        Err(e) => {
            faults.say(sentence(&e.to_string()));
            None
        }
    };
    Known {
        identity: Some(identity),
        aliases,
    }
}

/// The checkpoint as it is stored now, and what it says if the log's key signed it.
pub(crate) fn signed(
    db: &Connection,
    identity: Option<&Identity>,
    faults: &mut Faults,
) -> (String, Option<Checkpoint>) {
    let text = store::state(db, "checkpoint")
        .ok()
        .flatten()
        .unwrap_or_default();
    let Some(identity) = identity else {
        return (text, None);
    };
    match Checkpoint::open(&text, &identity.verifier, &identity.origin) {
        Ok(checkpoint) => (text, Some(checkpoint)),
        Err(e) => {
            faults.say(match faults.of_log() {
                "" => format!("The signed checkpoint is refused: {e}"),
                _ => format!("The access log's signed checkpoint is refused: {e}"),
            });
            (text, None)
        }
    }
}

/// How many the log's key has signed for by now. That it has not is said at the end, once.
pub(crate) fn signed_size(db: &Connection, identity: Option<&Identity>) -> Option<u64> {
    let (_, signed) = signed(db, identity, &mut Faults::default());
    signed.map(|checkpoint| checkpoint.size)
}

/// Where an audit ends: the checkpoint as it is stored, and how many it signs for. The lines must give its root.
pub(crate) fn end(
    db: &Connection,
    identity: Option<&Identity>,
    roots: &mut Roots,
    faults: &mut Faults,
) -> rusqlite::Result<(String, u64)> {
    let (text, signed) = signed(db, identity, faults);
    let Some(Checkpoint { size, root, .. }) = signed else {
        // Nothing vouches for a size: audit what is there.
        return Ok((text, crate::read::size(db)?));
    };
    let otherwise = match faults.of_log() {
        "" => format!("The {size} entries do not give the root that the checkpoint signs"),
        _ => format!(
            "The {size} leaves of the access log do not give the root that its checkpoint signs"
        ),
    };
    roots.must_give(size, root, otherwise);
    Ok((text, size))
}
