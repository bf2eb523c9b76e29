//! What outside witnesses have signed: the cosigned checkpoints, in a file of their own.
//!
//! It is not in `ledger.sqlite`, so that an older copy of the ledger put back in its place shows: the
//! server refuses to start behind the last size that is noted here. Whoever puts back both still meets
//! the witnesses, who remember as well; what they say is noted in `seen`.
//!
//! | table | a row is | changes |
//! |---|---|---|
//! | `cosigned` | a checkpoint with enough cosignatures, and our time when it had them | grows; thinned to one a minute |
//! | `seen` | the largest size that a witness says it has cosigned | only upwards |
//!
//! Each row is kept with a hash of all of it. That is no protection against somebody who writes here: what counts of
//! the notes are their signatures. It is for a disk that returns other bytes than were written, which nothing else
//! would tell of the sizes that witnesses have seen, and of our times.
//!
//! A log that is idle is cosigned again each minute, which says that it was still so. Of one size only the
//! first and the last of these are kept, and never more than one a minute; the latest always stays.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, TransactionBehavior};
use sha2::{Digest, Sha256};

use crate::ground::{Directory, Ground};
use crate::store::schema_of;

/// The name of the file in the data directory.
pub const FILE: &str = "witnessed.sqlite";

/// The file beside it that says which witnesses there are and how many it takes.
pub const POLICY: &str = "witness.policy";

/// The format that this version writes.
const FORMAT: i32 = 2;

/// Marks the SQLite file as ours: "hcWD".
const APPLICATION_ID: i32 = 0x6863_5744;

/// Of what is cosigned more often than this, only the latest is kept, in microseconds.
const THIN_US: i64 = 60_000_000;

const SCHEMA: &str = "
CREATE TABLE cosigned (
    number INTEGER PRIMARY KEY,
    log INTEGER NOT NULL,
    size INTEGER NOT NULL,
    note TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX cosigned_of_log ON cosigned (log, number);
CREATE TABLE seen (
    log INTEGER NOT NULL,
    witness TEXT NOT NULL,
    size INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (log, witness)
) STRICT, WITHOUT ROWID;
";

/// Which of a programme's logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum LogName {
    /// The record itself.
    Record = 1,
    /// Who was shown what.
    Access = 2,
}

impl LogName {
    /// Both.
    pub const ALL: [LogName; 2] = [LogName::Record, LogName::Access];
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LogName::Record => "record",
            LogName::Access => "access log",
        })
    }
}

/// A checkpoint with enough cosignatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The size that it is over.
    pub size: u64,
    /// The signed note, with the log's signature and the witnesses'.
    pub note: String,
    /// Our time when it had them, in microseconds since the Unix epoch.
    pub at_us: i64,
}

/// The largest size that a witness says it has cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The witness, by its key's name.
    pub witness: String,
    /// The size.
    pub size: u64,
}

/// Why it could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WitnessedError {
    /// The file is another program's, or of a newer version.
    #[error(
        "`{FILE}` in this directory is not one that this version of Homecoming knows; nothing was changed"
    )]
    Foreign,
    /// A row is not the one that was written.
    #[error(
        "`{FILE}` is damaged: {0} is not as it was written. Run `homecoming audit`, and restore a backup"
    )]
    Damaged(String),
    /// SQLite refused.
    #[error("`{FILE}` cannot be read or written")]
    Sqlite(#[from] rusqlite::Error),
    /// Its name cannot be made durable.
    #[error("the directory of `{FILE}` cannot be flushed")]
    Io(#[from] io::Error),
}

/// The cosigned checkpoints of a programme's logs. Written by those that talk to the witnesses only.
#[derive(Debug)]
pub struct Witnessed {
    db: Mutex<Connection>,
}

impl Witnessed {
    /// Opens those of a data directory; makes an empty file if there is none.
    ///
    /// For what is added to stay, the ledger's appender must have been opened before, which renews the write-ahead
    /// log, unless only this process has ever had the file open.
    pub fn open(dir: &Path) -> Result<Witnessed, WitnessedError> {
        Witnessed::open_on(&Directory(dir.to_owned()), dir)
    }

    /// The same, where the files that SQLite makes lie on another ground than the file system's.
    pub fn open_on(ground: &dyn Ground, dir: &Path) -> Result<Witnessed, WitnessedError> {
        let mut db = Connection::open(dir.join(FILE))?;
        db.busy_timeout(Duration::from_secs(5))?;
        // Whether the file is ours is asked before anything in it is touched.
        is_empty(&db)?;
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if is_empty(&tx)? {
            tx.execute_batch(SCHEMA)?;
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
            tx.pragma_update(None, "user_version", FORMAT)?;
        }
        tx.commit()?;
        ground.sync_names()?;
        Ok(Witnessed { db: Mutex::new(db) })
    }

    /// Notes a checkpoint that has enough cosignatures. It is durable when this returns.
    pub fn add(
        &self,
        log: LogName,
        size: u64,
        note: &str,
        now_us: i64,
    ) -> Result<(), WitnessedError> {
        let mut db = self.db();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let last: Vec<(i64, u64, i64)> = {
            let mut statement = tx.prepare_cached(
                "SELECT number, size, at_us FROM cosigned WHERE log = ?1 ORDER BY number DESC LIMIT 2",
            )?;
            let rows = statement.query_map([log as u8], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)? as u64, row.get(2)?))
            })?;
            rows.collect::<Result<_, _>>()?
        };
        if let [(number, last_size, last_us), (_, before_size, before_us)] = last[..] {
            let is_between = last_size == size && before_size == size;
            let is_close = (0..THIN_US).contains(&(last_us - before_us));
            if last_size <= size && (is_between || is_close) {
                tx.prepare_cached("DELETE FROM cosigned WHERE number = ?1")?
                    .execute([number])?;
            }
        }
        let number: i64 = tx
            .prepare_cached("SELECT coalesce(max(number), 0) + 1 FROM cosigned")?
            .query_row([], |row| row.get(0))?;
        let size = size as i64;
        let hash = cosigned_hash(number, log as i64, size, note, now_us);
        tx.prepare_cached(
            "INSERT INTO cosigned (number, log, size, note, at_us, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((number, log as i64, size, note, now_us, &hash[..]))?;
        tx.commit()?;
        Ok(())
    }

    /// The latest of a log.
    pub fn latest(&self, log: LogName) -> Result<Option<Cosigned>, WitnessedError> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT number, log, size, note, at_us, hash FROM cosigned WHERE log = ?1 ORDER BY number DESC LIMIT 1",
        )?;
        let latest = statement.query_row([log as u8], |row| Ok(cosigned(row)));
        latest.optional()?.transpose()
    }

    /// All that are kept of a log, the oldest first.
    pub fn history(&self, log: LogName) -> Result<Vec<Cosigned>, WitnessedError> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT number, log, size, note, at_us, hash FROM cosigned WHERE log = ?1 ORDER BY number",
        )?;
        statement.query_and_then([log as u8], cosigned)?.collect()
    }

    /// Notes what a witness says it has cosigned, if it is more than is known.
    pub fn note_seen(&self, log: LogName, witness: &str, size: u64) -> Result<(), WitnessedError> {
        let hash = seen_hash(log as i64, witness, size as i64);
        self.db()
            .prepare_cached(
                "INSERT INTO seen (log, witness, size, hash) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (log, witness) \
                 DO UPDATE SET size = excluded.size, hash = excluded.hash WHERE excluded.size > seen.size",
            )?
            .execute((log as i64, witness, size as i64, &hash[..]))?;
        Ok(())
    }

    /// The largest size that each witness is known to have cosigned.
    pub fn seen(&self, log: LogName) -> Result<Vec<Seen>, WitnessedError> {
        let db = self.db();
        let mut statement = db.prepare_cached(
            "SELECT log, witness, size, hash FROM seen WHERE log = ?1 ORDER BY witness",
        )?;
        statement.query_and_then([log as u8], seen)?.collect()
    }

    /// Forgets everything of a log: only for a log that begins anew under another name and key.
    pub fn forget(&self, log: LogName) -> Result<(), WitnessedError> {
        let mut db = self.db();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute("DELETE FROM cosigned WHERE log = ?1", [log as u8])?;
        tx.execute("DELETE FROM seen WHERE log = ?1", [log as u8])?;
        tx.commit()?;
        Ok(())
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a row of `cosigned`, which must be as it was written.
fn cosigned(row: &Row<'_>) -> Result<Cosigned, WitnessedError> {
    let (number, log, size): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let (note, at_us): (String, i64) = (row.get(3)?, row.get(4)?);
    if row.get_ref(5)?.as_blob().ok() != Some(&cosigned_hash(number, log, size, &note, at_us)) {
        let what = format!("row {number} of what was cosigned");
        return Err(WitnessedError::Damaged(what));
    }
    let size = size as u64;
    Ok(Cosigned { size, note, at_us })
}

/// Reads a row of `seen`, which must be as it was written.
fn seen(row: &Row<'_>) -> Result<Seen, WitnessedError> {
    let (log, witness, size): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
    if row.get_ref(3)?.as_blob().ok() != Some(&seen_hash(log, &witness, size)) {
        let what = format!("what `{witness}` has seen");
        return Err(WitnessedError::Damaged(what));
    }
    let size = size as u64;
    Ok(Seen { witness, size })
}

fn cosigned_hash(number: i64, log: i64, size: i64, note: &str, at_us: i64) -> [u8; 32] {
    row_hash("cosigned", [number, log, size, at_us], note)
}

fn seen_hash(log: i64, witness: &str, size: i64) -> [u8; 32] {
    row_hash("seen", [log, size], witness)
}

fn row_hash<const N: usize>(table: &str, numbers: [i64; N], text: &str) -> [u8; 32] {
    let mut hash = Sha256::new()
        .chain_update(b"homecoming/witnessed/2\n")
        .chain_update(table)
        .chain_update(b"\n");
    for number in numbers {
        hash.update(number.to_be_bytes());
    }
    hash.chain_update(text).finalize().into()
}

/// What an audit says of the file itself: its pages if nobody writes to it, its tables, and every row.
pub(crate) fn faults(dir: &Path, at_rest: bool) -> Vec<String> {
    let mut faults = Vec::new();
    if let Err(e) = look(dir, at_rest, &mut faults) {
        faults.push(match e {
            WitnessedError::Sqlite(e) => format!("`{FILE}` cannot be read: {e}"),
            e => e.to_string(),
        });
    }
    faults
}

fn look(dir: &Path, at_rest: bool, faults: &mut Vec<String>) -> Result<(), WitnessedError> {
    let file = dir.join(FILE);
    if !file.try_exists()? {
        return Ok(());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(file, flags)?;
    db.busy_timeout(Duration::from_secs(5))?;
    if is_empty(&db)? {
        return Ok(());
    }
    if at_rest {
        let mut check = db.prepare("PRAGMA integrity_check(100)")?;
        let said = check.query_map([], |row| row.get::<_, String>(0))?;
        for what in said.collect::<Result<Vec<_>, _>>()? {
            if what != "ok" {
                faults.push(format!("`{FILE}` is damaged: {what}"));
            }
        }
    }
    let expected = Connection::open_in_memory()?;
    expected.execute_batch(SCHEMA)?;
    if schema_of(&db)? != schema_of(&expected)? {
        faults.push(format!(
            "The tables of `{FILE}` are not as this version makes them"
        ));
    }
    let mut rows = db.prepare(
        "SELECT number, log, size, note, at_us, hash FROM cosigned NOT INDEXED ORDER BY number",
    )?;
    for row in rows.query_and_then([], cosigned)? {
        row?;
    }
    let mut rows = db.prepare("SELECT log, witness, size, hash FROM seen")?;
    for row in rows.query_and_then([], seen)? {
        row?;
    }
    Ok(())
}

/// Whether the file is still to be made; refused if it is not ours.
fn is_empty(db: &Connection) -> Result<bool, WitnessedError> {
    let read = |name| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let application = match read("application_id") {
        Ok(id) => id,
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            return Err(WitnessedError::Foreign);
        }
        Err(e) => return Err(e.into()),
    };
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, read("user_version")?) {
        (0, 0) if tables == 0 => Ok(true),
        (APPLICATION_ID, FORMAT) => Ok(false),
        _ => Err(WitnessedError::Foreign),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> Witnessed {
        let mut db = Connection::open_in_memory().expect("memory");
        let tx = db.transaction().expect("a transaction");
        tx.execute_batch(SCHEMA).expect("the schema");
        tx.commit().expect("committed");
        Witnessed { db: Mutex::new(db) }
    }

    /// Adds (size, second) pairs and expects which are kept.
    fn check(added: &[(u64, i64)], kept: &[(u64, i64)]) {
        let witnessed = opened();
        for (size, second) in added {
            witnessed
                .add(LogName::Record, *size, "note", second * 1_000_000)
                .expect("added");
        }
        let history = witnessed.history(LogName::Record).expect("read");
        let found: Vec<_> = history
            .iter()
            .map(|one| (one.size, one.at_us / 1_000_000))
            .collect();
        assert_eq!(found, kept, "{added:?}");
        let latest = witnessed.latest(LogName::Record).expect("read");
        assert_eq!(latest.as_ref(), history.last());
        assert_eq!(witnessed.latest(LogName::Access).expect("read"), None);
    }

    #[test]
    fn of_what_is_cosigned_often_one_a_minute_and_the_latest_are_kept() {
        check(&[], &[]);
        check(&[(1, 0), (2, 1)], &[(1, 0), (2, 1)]);
        check(&[(1, 0), (2, 1), (3, 2), (4, 3)], &[(1, 0), (4, 3)]);
        check(
            &[(1, 0), (2, 30), (3, 70), (4, 100), (5, 140)],
            &[(1, 0), (3, 70), (5, 140)],
        );
    }

    #[test]
    fn of_an_idle_log_the_first_and_the_last_are_kept() {
        check(
            &[(7, 0), (7, 60), (7, 120), (7, 180), (8, 240)],
            &[(7, 0), (7, 180), (8, 240)],
        );
    }

    #[test]
    fn what_a_witness_has_seen_only_grows() {
        let witnessed = opened();
        for size in [5, 9, 3] {
            witnessed
                .note_seen(LogName::Record, "w1", size)
                .expect("noted");
        }
        let seen = witnessed.seen(LogName::Record).expect("read");
        assert_eq!(
            seen,
            [Seen {
                witness: "w1".to_owned(),
                size: 9
            }]
        );
        witnessed.forget(LogName::Record).expect("forgotten");
        assert_eq!(witnessed.seen(LogName::Record).expect("read"), []);
    }
}
