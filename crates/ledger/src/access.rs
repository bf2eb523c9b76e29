//! The access log: who was told what, on a log of its own, before they were told.
//!
//! Every disclosure is a leaf, durable before the answer is let go: [`Recorder::commit`] takes a
//! group of them and makes one flush of it. A leaf has a line ([`evidence::disclosure`]) that holds
//! no personal data, and a content beside it that says exactly what was asked and given out. The
//! log has its own name (the ledger's with `/access` behind it), its own key, its own tree and its
//! own file, so what is read is never in the way of what is written.
//!
//! ```text
//! access.sqlite     the leaves (SQLite, write-ahead log, every commit flushed)
//! keys/access.key   signs the access log's checkpoints (C2SP key text, mode 0600)
//! ```
//!
//! | table | a row is | changes |
//! |---|---|---|
//! | `entry` | a leaf: its line, its sealed body and under which key, the aliases of those it told of | only grows: triggers refuse anything else |
//! | `tile` | 256 hashes of the log's tree, once they are all there | only grows |
//! | `month_key` | which slot of the access log's keyring is which month's | only grows |
//! | `about` | a person and a leaf that told of them | derived; made some hundred leaves at a time |
//! | `state` | origin, public key, latest checkpoint, how many leaves `about` covers | in place |
//!
//! `about` is behind by at most [`COVERED_AT_ONCE`] leaves, which are looked through one by one: a
//! leaf costs one row of one table, whomever it tells of.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tlog::checkpoint::Checkpoint;
use tlog::note::{SigningKey, VerifierKey};

use crate::keys::{Keys, KeysError};
use crate::store::{self, Identity, OpenError};

mod audit;
mod body;
#[cfg(unix)]
pub mod flips;
mod read;
mod recorder;

pub use audit::{Report, audit};
pub use read::{AccessLog, Disclosed, Proven, Salted};
pub use recorder::{Draft, Logged, Recorder};

/// The format that this version writes.
const FORMAT: i32 = 2;

/// Marks the SQLite file as an access log: "hcAC".
const APPLICATION_ID: i32 = 0x6863_4143;

const FILE: &str = "access.sqlite";

/// How many leaves are brought into `about` at a time.
pub const COVERED_AT_ONCE: u64 = 256;

const SCHEMA: &str = "
CREATE TABLE entry (
    position INTEGER PRIMARY KEY,
    line BLOB NOT NULL,
    persons BLOB NOT NULL,
    class INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TRIGGER entry_follows BEFORE INSERT ON entry
    WHEN NEW.position IS NOT (SELECT coalesce(max(position) + 1, 0) FROM entry)
    BEGIN SELECT raise(ABORT, 'a disclosure follows the last one'); END;
CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
    BEGIN SELECT raise(ABORT, 'a disclosure is never changed'); END;
CREATE TRIGGER entry_remains BEFORE DELETE ON entry
    BEGIN SELECT raise(ABORT, 'a disclosure is never deleted'); END;

CREATE TABLE tile (
    level INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, idx)
) STRICT;
CREATE TRIGGER tile_is_new BEFORE INSERT ON tile
    WHEN EXISTS (SELECT 1 FROM tile WHERE level = NEW.level AND idx = NEW.idx)
    BEGIN SELECT raise(ABORT, 'a tile is never changed'); END;
CREATE TRIGGER tile_stays BEFORE UPDATE ON tile
    BEGIN SELECT raise(ABORT, 'a tile is never changed'); END;
CREATE TRIGGER tile_remains BEFORE DELETE ON tile
    BEGIN SELECT raise(ABORT, 'a tile is never deleted'); END;

CREATE TABLE month_key (
    month TEXT PRIMARY KEY,
    slot INTEGER NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
CREATE TRIGGER month_key_stays BEFORE UPDATE ON month_key
    BEGIN SELECT raise(ABORT, 'the use of a key is never changed'); END;
CREATE TRIGGER month_key_remains BEFORE DELETE ON month_key
    BEGIN SELECT raise(ABORT, 'the use of a key is never deleted'); END;

CREATE TABLE about (
    person BLOB NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (person, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

/// The keys of the table `state`.
const STATE_KEYS: [&str; 5] = ["origin", "programme", "verifier", "checkpoint", "covered"];

/// The name of the access log of a ledger.
pub fn origin_of(ledger: &str) -> String {
    format!("{ledger}/access")
}

/// The name and the public key of the access log in a directory. No key is needed.
pub fn name_and_key(dir: &Path) -> Result<(String, VerifierKey), OpenError> {
    let identity = store::identity(&connect_to_read(dir)?)?;
    Ok((identity.origin, identity.verifier))
}

/// Makes an empty access log beside a new ledger of that origin.
pub(crate) fn create(
    dir: &Path,
    ledger: &str,
    keys: &Keys,
    chance: &mut dyn FnMut(&mut [u8]),
) -> Result<(), OpenError> {
    let origin = origin_of(ledger);
    // So that whoever opens the keys now can read the first months.
    keys.access()
        .reserve(body::AHEAD, chance)
        .map_err(|source| KeysError::Keyring {
            file: "access.keyring",
            source,
        })?;
    let mut seed = [0; 32];
    chance(&mut seed);
    let key =
        SigningKey::from_seed(&origin, &seed).map_err(|_| OpenError::Origin(origin.clone()))?;
    let checkpoint = Checkpoint {
        origin: origin.clone(),
        size: 0,
        root: tlog::root_of_empty(),
        extensions: Vec::new(),
    };
    let checkpoint = checkpoint
        .sign(&key)
        .map_err(|_| OpenError::Origin(origin.clone()))?;
    store::write_key(
        &dir.join("keys").join("access.key"),
        format!("{}\n", key.secret_text()).as_bytes(),
    )?;
    store::sync_directory(&dir.join("keys"))?;
    let mut db = Connection::open(dir.join(FILE))?;
    db.execute_batch(
        "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
    )?;
    let tx = db.transaction()?;
    tx.execute_batch(SCHEMA)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", FORMAT)?;
    store::set_state(&tx, "origin", &origin)?;
    store::set_state(&tx, "programme", ledger)?;
    store::set_state(&tx, "verifier", &key.verifier().to_string())?;
    store::set_state(&tx, "checkpoint", &checkpoint)?;
    store::set_state(&tx, "covered", "0")?;
    tx.commit()?;
    Ok(())
}

fn connect(dir: &Path, access: OpenFlags) -> Result<Connection, OpenError> {
    let file = dir.join(FILE);
    if !file.try_exists()? {
        return Err(damaged("`access.sqlite` is missing"));
    }
    let db = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.set_prepared_statement_cache_capacity(32);
    let read = |name| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    match (read("application_id")?, read("user_version")?) {
        (APPLICATION_ID, FORMAT) => Ok(db),
        (APPLICATION_ID, found) if found > FORMAT => Err(OpenError::Newer { found }),
        (APPLICATION_ID, found) if found > 0 => Err(OpenError::OlderAccess { found }),
        _ => Err(damaged("`access.sqlite` is not an access log")),
    }
}

pub(crate) fn connect_to_read(dir: &Path) -> Result<Connection, OpenError> {
    let db = connect(dir, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    db.execute_batch("PRAGMA query_only = ON;")?;
    Ok(db)
}

/// The key that signs the access log's checkpoints; must be the one that the log names.
fn signing_key(dir: &Path, identity: &Identity) -> Result<SigningKey, OpenError> {
    let file = "access.key";
    let unusable = |what| OpenError::Key { file, what };
    let text = fs::read_to_string(dir.join("keys").join(file))
        .map_err(|_| unusable("is missing or cannot be read; restore it from a backup"))?;
    let key = SigningKey::parse(text.trim_end())
        .map_err(|_| unusable("is not a signing key; restore it from a backup"))?;
    match *key.verifier() == identity.verifier {
        true => Ok(key),
        false => Err(unusable("belongs to another access log")),
    }
}

fn damaged(what: &str) -> OpenError {
    OpenError::Damaged(format!("the access log: {what}"))
}
