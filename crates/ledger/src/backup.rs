//! A copy of a file of ours as it stood at one moment, while others write to it.
//!
//! SQLite writes the copy anew, row by row, in one read transaction (`VACUUM INTO`): what is
//! committed meanwhile is not in it, and nothing of what was deleted earlier and still lay in free
//! pages is either. While it lasts, a server's write-ahead log grows by what is written; it is
//! folded in afterwards as always.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::note::VerifierKey;

use crate::access;
use crate::read::{KnownEdge, StoredTiles};
use crate::store::{self, OpenError};
use crate::witnessed::{self, LogName};

/// Copies one of our SQLite files to a path where there is nothing; it is on the disk when this returns.
pub fn copy(from: &Path, to: &Path) -> Result<(), OpenError> {
    let Some(name) = to.to_str() else {
        return Err(io::Error::from(io::ErrorKind::InvalidFilename).into());
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(from, flags)?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.execute("VACUUM INTO ?1", [name])?;
    // SQLite does not flush a file that it makes so.
    File::open(to)?.sync_all()?;
    Ok(())
}

/// Which log a ledger is, and how far it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The name of the programme: that of its first log.
    pub programme: String,
    /// The name of the log.
    pub origin: String,
    /// The public key of the log.
    pub verifier: VerifierKey,
    /// How many entries the signed checkpoint covers.
    pub size: u64,
    /// The signed checkpoint.
    pub checkpoint: String,
}

impl Standing {
    /// Reads it from a directory with a ledger. No key is needed.
    pub fn of(dir: &Path) -> Result<Standing, OpenError> {
        Standing::in_file(&store::open_to_read(dir)?)
    }

    /// The same of the access log.
    pub fn of_access(dir: &Path) -> Result<Standing, OpenError> {
        Standing::in_file(&access::connect_to_read(dir)?)
    }

    fn in_file(db: &Connection) -> Result<Standing, OpenError> {
        let identity = store::identity(db)?;
        let text = store::state(db, "checkpoint")?
            .ok_or_else(|| OpenError::Damaged("it has no checkpoint".to_owned()))?;
        let checkpoint =
            Checkpoint::open(&text, &identity.verifier, &identity.origin).map_err(|_| {
                OpenError::Damaged("its checkpoint is not signed by its key".to_owned())
            })?;
        Ok(Standing {
            programme: identity.programme,
            origin: identity.origin,
            verifier: identity.verifier,
            size: checkpoint.size,
            checkpoint: text,
        })
    }
}

/// What is noted in a directory of what witnesses have signed of one of its logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// The last checkpoint that enough of them have signed.
    pub last: Option<String>,
    /// The largest size that any of them said it has signed, and which one.
    pub seen: Option<(String, u64)>,
}

/// Reads what is noted of a log; changes nothing in the directory, which matters for a backup.
pub fn noted(dir: &Path, log: LogName) -> Result<Noted, OpenError> {
    let file = dir.join(witnessed::FILE);
    if !file.try_exists()? {
        return Ok(Noted::default());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(file, flags)?;
    db.busy_timeout(Duration::from_secs(5))?;
    let latest = "SELECT note FROM cosigned WHERE log = ?1 ORDER BY number DESC LIMIT 1";
    let most = "SELECT witness, size FROM seen WHERE log = ?1 ORDER BY size DESC LIMIT 1";
    let seen = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64));
    Ok(Noted {
        last: db
            .query_row(latest, [log as u8], |row| row.get(0))
            .optional()?,
        seen: db.query_row(most, [log as u8], seen).optional()?,
    })
}

/// The root over the first so many entries of a ledger, at most all of them.
pub fn root_at(dir: &Path, size: u64) -> Result<Hash, OpenError> {
    let db = store::open_to_read(dir)?;
    tlog::root_at(size, &StoredTiles::new(&db, &KnownEdge::default()))
        .map_err(|e| OpenError::Damaged(e.to_string()))
}

/// How many of their first entries two ledgers have in common; `most` is at most what each of them has.
pub fn in_common(one: &Path, other: &Path, most: u64) -> Result<u64, OpenError> {
    let roots = |size| Ok::<_, OpenError>(root_at(one, size)? == root_at(other, size)?);
    let (mut same, mut not) = (0, most + 1);
    while same + 1 < not {
        let middle = same + (not - same) / 2;
        match roots(middle)? {
            true => same = middle,
            false => not = middle,
        }
    }
    Ok(same)
}
