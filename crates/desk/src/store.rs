//! The file: its tables, its schema version, the one connection of this process.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

mod apps;
mod schema;

use schema::{MIGRATIONS, SCHEMA};

/// Marks the SQLite file as a desk: "hcDK".
const APPLICATION_ID: i32 = 0x6863_444b;

/// Users, credentials, sessions, drafts, clients and tokens.
#[derive(Debug)]
pub struct Desk {
    db: Mutex<Connection>,
    taken_back: AtomicU64,
}

/// Why the desk did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not a desk.
    #[error("`desk.sqlite` in this directory is not Homecoming's; nothing was changed")]
    Foreign,
    /// The file was written by a newer version.
    #[error(
        "`desk.sqlite` has schema {found}; this version of Homecoming knows schemas up to {SCHEMA}. \
         Use the newer version that wrote it; nothing was changed"
    )]
    Newer {
        /// The schema of the file.
        found: i32,
    },
    /// The name is taken.
    #[error("there is a {what} named {name} already")]
    Exists {
        /// `user` or `client`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Nothing has that name.
    #[error("there is no {what} named {name}")]
    Unknown {
        /// `user` or `client`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The name cannot be used.
    #[error(
        "{name:?} cannot be a name: it is empty, too long, or has characters that do not print"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Another user has this code, passkey or account.
    #[error("this {what} cannot be used; another one is needed")]
    Taken {
        /// `code`, `passkey` or `account`.
        what: &'static str,
    },
    /// A change that does not follow from what is there now.
    #[error("{0}")]
    NotNow(&'static str),
    /// SQLite refused.
    #[error("the desk cannot be read or written; try again")]
    Sqlite(#[from] rusqlite::Error),
}

impl Desk {
    /// Opens the desk of a data directory; makes an empty one if there is none, and brings an older
    /// one forward.
    pub fn open(dir: &Path) -> Result<Desk, Error> {
        let mut db = Connection::open(dir.join("desk.sqlite"))?;
        db.busy_timeout(Duration::from_secs(5))?;
        // Whether the file is ours is asked before anything in it is touched.
        schema_of(&db)?;
        // References are off while tables are made anew: dropping the old ones must take nothing along.
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;",
        )?;
        // Two processes may open a new desk at once: the one that comes second finds it made.
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = schema_of(&tx)?;
        if found < SCHEMA {
            for migration in &MIGRATIONS[found as usize..] {
                tx.execute_batch(migration)?;
            }
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
            tx.pragma_update(None, "user_version", SCHEMA)?;
        }
        tx.commit()?;
        db.execute_batch("PRAGMA foreign_keys = ON;")?;
        Ok(Desk {
            db: Mutex::new(db),
            taken_back: AtomicU64::new(0),
        })
    }

    /// How often this process took something back that was allowed. Whoever remembers what a token stands for asks
    /// again once there is another number.
    pub fn taken_back(&self) -> u64 {
        self.taken_back.load(Ordering::Acquire)
    }

    /// Says that something is taken back, once it is.
    pub(crate) fn took_back(&self) {
        self.taken_back.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The schema of the file; 0 for an empty one.
fn schema_of(db: &Connection) -> Result<i32, Error> {
    let read = |name| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let application = match read("application_id") {
        Ok(id) => id,
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            return Err(Error::Foreign);
        }
        Err(e) => return Err(e.into()),
    };
    let found = read("user_version")?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, found) {
        (0, 0) if tables == 0 => Ok(0),
        (APPLICATION_ID, found) if found > SCHEMA => Err(Error::Newer { found }),
        (APPLICATION_ID, found) if found > 0 => Ok(found),
        _ => Err(Error::Foreign),
    }
}

/// Names are shown in lists and sentences: 1 to 100 characters that print, none at the ends that does not.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let fits = (1..=100).contains(&name.chars().count());
    match fits && name.trim() == name && !name.chars().any(char::is_control) {
        true => Ok(()),
        false => Err(Error::Name {
            name: name.to_owned(),
        }),
    }
}

/// Whether a statement failed because there is a row like this already.
pub(crate) fn is_taken(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
    matches!(
        error.sqlite_error().map(|e| e.extended_code),
        Some(SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE)
    )
}

/// Turns a second row of the same name into the sentence that it means.
pub(crate) fn taken(error: rusqlite::Error, what: &'static str, name: &str) -> Error {
    match is_taken(&error) {
        true => Error::Exists {
            what,
            name: name.to_owned(),
        },
        false => Error::Sqlite(error),
    }
}

/// Whether a statement that names one row has met it.
pub(crate) fn met(rows: usize, what: &'static str, name: &str) -> Result<(), Error> {
    match rows {
        0 => Err(Error::Unknown {
            what,
            name: name.to_owned(),
        }),
        _ => Ok(()),
    }
}
