//! The data directory: its tables, its format version, its keys. The only file that makes or opens one.
//!
//! ```text
//! ledger.sqlite     the record (SQLite, write-ahead log, every commit flushed)
//! access.sqlite     who was told what ([`crate::access`])
//! keys/log.key      signs the checkpoints (C2SP key text, mode 0600)
//! keys/access.key   signs the access log's checkpoints
//! keys/alias.key    32 bytes that turn ids into aliases (mode 0600)
//! keys/...          what opens the contents: see [`crate::keys`]
//! lock              held by the one process that appends
//! ```
//!
//! | table | a row is | changes |
//! |---|---|---|
//! | `entry` | an entry's line | only grows: triggers refuse anything else |
//! | `content` | what lies beside the line, sealed, and which key it is sealed under | only grows |
//! | `key_use` | which slot of the keyring is whose, for which class of content, since which epoch, and the name of its key | only grows |
//! | `tile` | 256 hashes of the log's tree, once they are all there | only grows |
//! | `person` | the last entry of a person's chain and how many there are | derived |
//! | `import_source` | a part of a source that an import has brought in | only grows |
//! | `state` | origin, public key, latest checkpoint, epoch of the keys | in place |
//!
//! A directory of a newer format, of one that was never released, or one that is not a ledger,
//! is refused with a sentence; an older one is brought up to date step by step, forwards only.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use sha2::{Digest, Sha256};
use tlog::checkpoint::Checkpoint;
use tlog::note::{SigningKey, VerifierKey};

use crate::entry::Aliases;
use crate::keys::{Keys, KeysError};
use crate::lock::{Lock, LockError};

/// The format that this version writes.
pub const FORMAT: i32 = 3;

/// Marks the SQLite file as a ledger: "hcLD".
const APPLICATION_ID: i32 = 0x6863_4c44;

/// What brings a ledger of one format to the next. Forwards only; each says why.
struct Migration {
    to: i32,
    why: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[Migration {
    // Formats 1 and 2 were before the first release: content was not sealed, and keys had no names.
    to: 3,
    why: "the first ledger",
    sql: "
CREATE TABLE entry (position INTEGER PRIMARY KEY, line BLOB NOT NULL) STRICT;
CREATE TRIGGER entry_follows BEFORE INSERT ON entry
    WHEN NEW.position IS NOT (SELECT coalesce(max(position) + 1, 0) FROM entry)
    BEGIN SELECT raise(ABORT, 'an entry follows the last one'); END;
CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
    BEGIN SELECT raise(ABORT, 'an entry is never changed'); END;
CREATE TRIGGER entry_remains BEFORE DELETE ON entry
    BEGIN SELECT raise(ABORT, 'an entry is never deleted'); END;

CREATE TABLE content (
    position INTEGER PRIMARY KEY,
    format INTEGER NOT NULL,
    class INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TRIGGER content_follows BEFORE INSERT ON content
    WHEN NEW.position IS NOT (SELECT coalesce(max(position) + 1, 0) FROM content)
    BEGIN SELECT raise(ABORT, 'content follows the last one'); END;
CREATE TRIGGER content_stays BEFORE UPDATE ON content
    BEGIN SELECT raise(ABORT, 'content is never changed'); END;
CREATE TRIGGER content_remains BEFORE DELETE ON content
    BEGIN SELECT raise(ABORT, 'content is never deleted'); END;

CREATE TABLE key_use (
    person BLOB NOT NULL,
    class INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    slot INTEGER NOT NULL UNIQUE,
    name BLOB NOT NULL,
    PRIMARY KEY (person, class, epoch)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER key_use_is_new BEFORE INSERT ON key_use
    WHEN EXISTS (SELECT 1 FROM key_use WHERE slot = NEW.slot
        OR (person = NEW.person AND class = NEW.class AND epoch = NEW.epoch))
    BEGIN SELECT raise(ABORT, 'a key has one use'); END;
CREATE TRIGGER key_use_stays BEFORE UPDATE ON key_use
    BEGIN SELECT raise(ABORT, 'the use of a key is never changed'); END;
CREATE TRIGGER key_use_remains BEFORE DELETE ON key_use
    BEGIN SELECT raise(ABORT, 'the use of a key is never deleted'); END;

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

CREATE TABLE person (
    person BLOB PRIMARY KEY,
    count INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE import_source (
    source BLOB NOT NULL,
    part INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (source, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
",
}];

/// Why a data directory cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no ledger.
    #[error("there is no ledger in this directory; make one with `homecoming init`")]
    Missing,
    /// `create` found a ledger.
    #[error("there is a ledger in this directory already")]
    AlreadyThere,
    /// `create` found keys without a ledger.
    #[error(
        "this directory has keys but no ledger: the ledger was lost, or making it was interrupted. \
         Restore it from a backup; if nothing was ever recorded, remove `keys` and start again"
    )]
    KeysAlone,
    /// The file is not a ledger.
    #[error("`ledger.sqlite` in this directory is not a Homecoming ledger; nothing was changed")]
    Foreign,
    /// The ledger has a format of the future.
    #[error(
        "this ledger has format {found}; this version of Homecoming knows formats up to {FORMAT}. \
         Use the newer version that wrote it; nothing was changed"
    )]
    Newer {
        /// The format of the directory.
        found: i32,
    },
    /// The ledger has a format that was never released.
    #[error(
        "this ledger has format {found}, from before the first release; this version of Homecoming reads format \
         {FORMAT}. Make a new one with `homecoming init` and import again; nothing was changed"
    )]
    Older {
        /// The format of the directory.
        found: i32,
    },
    /// The access log has a format that was never released.
    #[error(
        "the access log of this directory has format {found}, from before the first release, which this version of \
         Homecoming does not read. Make a new programme with `homecoming init` and import again; nothing was changed"
    )]
    OlderAccess {
        /// The format of the access log.
        found: i32,
    },
    /// Another process appends here.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A key is missing, unreadable or another ledger's.
    #[error("the key `keys/{file}` {what}")]
    Key {
        /// The file's name.
        file: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The keys of contents cannot be made or opened.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The name of the log cannot be used.
    #[error("{0:?} cannot name a log: a name is one word without `+`")]
    Origin(String),
    /// What is stored does not fit together.
    #[error("the ledger is damaged: {0}. Run `homecoming audit`, and restore a backup")]
    Damaged(String),
    /// The directory cannot be read or written.
    #[error("the data directory cannot be read or written")]
    Io(#[from] io::Error),
    /// SQLite refused.
    #[error("the ledger cannot be read or written")]
    Sqlite(#[from] rusqlite::Error),
}

/// Makes an empty ledger: keys, tables and the signed checkpoint of nothing.
///
/// `origin` names the log for ever: one word, by custom a domain and a path
/// without scheme, as `example.org/programme`. `chance` fills keys with random
/// bytes. The keys are wrapped under what the machine holds and, if there is one,
/// the passphrase. The directory is made if it is not there; a ledger in it is left
/// alone.
pub fn create(
    dir: &Path,
    origin: &str,
    passphrase: Option<&[u8]>,
    chance: &mut dyn FnMut(&mut [u8]),
) -> Result<Keys, OpenError> {
    fs::create_dir_all(dir)?;
    let _lock = Lock::take(dir)?;
    if dir.join("ledger.sqlite").exists() {
        return Err(OpenError::AlreadyThere);
    }
    let keys = dir.join("keys");
    if keys.join("log.key").exists() || keys.join("alias.key").exists() {
        return Err(OpenError::KeysAlone);
    }
    let (mut seed, mut alias) = ([0; 32], [0; 32]);
    chance(&mut seed);
    chance(&mut alias);
    let key =
        SigningKey::from_seed(origin, &seed).map_err(|_| OpenError::Origin(origin.to_owned()))?;
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        size: 0,
        root: tlog::root_of_empty(),
        extensions: Vec::new(),
    };
    let checkpoint = checkpoint
        .sign(&key)
        .map_err(|_| OpenError::Origin(origin.to_owned()))?;
    fs::create_dir_all(&keys)?;
    write_key(
        &keys.join("log.key"),
        format!("{}\n", key.secret_text()).as_bytes(),
    )?;
    write_key(&keys.join("alias.key"), &alias)?;
    sync_directory(&keys)?;
    let keys = Keys::create(dir, origin, passphrase, chance)?;
    crate::access::create(dir, origin, &keys, chance)?;

    // The schema and the first state appear together or not at all.
    let mut db = Connection::open(dir.join("ledger.sqlite"))?;
    db.execute_batch(
        "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
    )?;
    let tx = db.transaction()?;
    for migration in MIGRATIONS {
        tx.execute_batch(migration.sql)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", FORMAT)?;
    set_state(&tx, "origin", origin)?;
    set_state(&tx, "verifier", &key.verifier().to_string())?;
    set_state(&tx, "alias", &alias_id(&alias))?;
    set_state(&tx, "programme", origin)?;
    set_state(&tx, "epoch", "1")?;
    set_state(&tx, "checkpoint", &checkpoint)?;
    tx.commit()?;
    drop(db);
    sync_directory(dir)?;
    Ok(keys)
}

/// Opens the keys of a data directory. That there is a ledger of a known format is checked first: its
/// absence explains more than that of a key.
pub fn open_keys(dir: &Path, passphrase: Option<&[u8]>) -> Result<Keys, OpenError> {
    format_of(&connect(&existing(dir)?, OpenFlags::SQLITE_OPEN_READ_ONLY)?)?;
    Ok(Keys::open(dir, passphrase)?)
}

/// What a ledger says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// The name of the log as checkpoints have it.
    pub(crate) origin: String,
    /// The name that contents are sealed for: the log's first one, whatever it is called later.
    pub(crate) programme: String,
    pub(crate) verifier: VerifierKey,
}

/// Opens the one connection that writes; the directory's lock must be held. Brings an older format up to date.
pub(crate) fn open_to_write(dir: &Path, _held: &Lock) -> Result<Connection, OpenError> {
    let mut db = connect(&existing(dir)?, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Whether the file is ours is asked before anything in it is touched; closing would fold its write-ahead log in.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let found = format_of(&db)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA cache_size = -16384;
         PRAGMA temp_store = MEMORY;",
    )?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.to > found) {
        debug_assert!(!migration.why.is_empty());
        let tx = db.transaction()?;
        tx.execute_batch(migration.sql)?;
        tx.pragma_update(None, "user_version", migration.to)?;
        tx.commit()?;
    }
    Ok(db)
}

/// Opens a connection that cannot write.
pub(crate) fn open_to_read(dir: &Path) -> Result<Connection, OpenError> {
    let db = connect(&existing(dir)?, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    format_of(&db)?;
    // The size of the cache stays SQLite's own, of 2 MB: to set it is to read the schema, before there is a question.
    db.execute_batch("PRAGMA query_only = ON; PRAGMA mmap_size = 1099511627776;")?;
    Ok(db)
}

/// Origin and public key, as the ledger has them.
pub(crate) fn identity(db: &Connection) -> Result<Identity, OpenError> {
    let origin = state(db, "origin")?
        .ok_or_else(|| OpenError::Damaged("it does not say which log it is".to_owned()))?;
    let programme = state(db, "programme")?.ok_or_else(|| {
        OpenError::Damaged("it does not say which programme it was made for".to_owned())
    })?;
    let verifier = state(db, "verifier")?
        .and_then(|text| VerifierKey::parse(&text).ok())
        .ok_or_else(|| OpenError::Damaged("its public key does not read".to_owned()))?;
    Ok(Identity {
        origin,
        programme,
        verifier,
    })
}

/// The key that signs checkpoints; must be the one that the ledger names.
pub(crate) fn signing_key(dir: &Path, identity: &Identity) -> Result<SigningKey, OpenError> {
    let file = "log.key";
    let text = fs::read_to_string(dir.join("keys").join(file)).map_err(|_| OpenError::Key {
        file,
        what: "is missing or cannot be read; restore it from a backup",
    })?;
    let key = SigningKey::parse(text.trim_end()).map_err(|_| OpenError::Key {
        file,
        what: "is not a signing key; restore it from a backup",
    })?;
    if *key.verifier() != identity.verifier {
        return Err(OpenError::Key {
            file,
            what: "belongs to another ledger",
        });
    }
    Ok(key)
}

/// The key of the aliases; must be the one that the ledger was made with.
pub(crate) fn aliases(dir: &Path, db: &Connection) -> Result<Aliases, OpenError> {
    let file = "alias.key";
    let bytes = fs::read(dir.join("keys").join(file)).map_err(|_| OpenError::Key {
        file,
        what: "is missing or cannot be read; restore it from a backup",
    })?;
    let key: [u8; 32] = bytes.try_into().map_err(|_| OpenError::Key {
        file,
        what: "is not 32 bytes long; restore it from a backup",
    })?;
    if state(db, "alias")? != Some(alias_id(&key)) {
        return Err(OpenError::Key {
            file,
            what: "belongs to another ledger",
        });
    }
    Ok(Aliases::new(&key))
}

/// A value of the table `state`.
pub(crate) fn state(db: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT value FROM state WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

/// Sets a value of the table `state`.
pub(crate) fn set_state(db: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO state (key, value) VALUES (?1, ?2)")?
        .execute((key, value))?;
    Ok(())
}

/// The epoch whose keys are written under.
pub(crate) fn epoch(db: &Connection) -> Result<u32, OpenError> {
    state(db, "epoch")?
        .and_then(|epoch| epoch.parse().ok())
        .ok_or_else(|| OpenError::Damaged("it does not say the epoch of its keys".to_owned()))
}

/// The keys of the table `state`: what the log is called, which programme it was made for, its public key, which alias
/// key it was made with, the epoch of its content keys, and the latest signed checkpoint.
pub(crate) const STATE_KEYS: [&str; 6] = [
    "origin",
    "programme",
    "verifier",
    "alias",
    "epoch",
    "checkpoint",
];

/// Tables, indices and triggers by name: what each is, its table, and the text that makes it, as they are stored.
pub(crate) type Schema = BTreeMap<String, [Value; 3]>;

/// The schema as this version makes it.
pub(crate) fn schema() -> rusqlite::Result<Schema> {
    let db = Connection::open_in_memory()?;
    for migration in MIGRATIONS {
        db.execute_batch(migration.sql)?;
    }
    schema_of(&db)
}

/// The schema as a file has it.
pub(crate) fn schema_of(db: &Connection) -> rusqlite::Result<Schema> {
    let mut statement = db.prepare("SELECT name, type, tbl_name, sql FROM sqlite_schema")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, [row.get(1)?, row.get(2)?, row.get(3)?]))
    })?;
    rows.collect()
}

fn existing(dir: &Path) -> Result<std::path::PathBuf, OpenError> {
    let file = dir.join("ledger.sqlite");
    match file.try_exists()? {
        true => Ok(file),
        false => Err(OpenError::Missing),
    }
}

fn connect(file: &Path, access: OpenFlags) -> Result<Connection, OpenError> {
    let db = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.set_prepared_statement_cache_capacity(32);
    Ok(db)
}

/// The format of the file, if it is a ledger that this version can read.
fn format_of(db: &Connection) -> Result<i32, OpenError> {
    let read = |name| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let application = match read("application_id") {
        Ok(id) => id,
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => 0,
        Err(e) => return Err(e.into()),
    };
    if application != APPLICATION_ID {
        return Err(OpenError::Foreign);
    }
    match read("user_version")? {
        found if found > FORMAT => Err(OpenError::Newer { found }),
        found if found < 1 => Err(OpenError::Foreign),
        found if found < MIGRATIONS[0].to => Err(OpenError::Older { found }),
        found => Ok(found),
    }
}

/// Says which alias key a ledger was made with, without saying the key.
fn alias_id(key: &[u8; 32]) -> String {
    let hash = Sha256::new()
        .chain_update(b"homecoming/alias/1\n")
        .chain_update(key)
        .finalize();
    hash[..8].iter().map(|b| format!("{b:02x}")).collect()
}

pub(crate) fn write_key(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(dir)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = (dir, File::open);
    Ok(())
}
