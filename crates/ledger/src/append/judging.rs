//! What a failure means for what is on the disk: whether it is known, and whether the appender may go on.

use std::io;

use rusqlite::{Connection, ffi};

use super::{CommitError, Trouble};
use crate::ground::Room;

/// What an error means for what is on the disk of a log: whether what was begun through the connection is rolled back,
/// and is not in the file either.
pub(crate) fn judged(error: Trouble, db: &Connection, room: &Room) -> CommitError {
    let error = match error {
        Trouble::Sqlite(error) => error,
        // As with the ledger's own file: nobody knows what of it is on the disk.
        Trouble::Keys(seal::KeyringError::Io(_) | seal::KeyringError::Broken) => {
            return CommitError::Fatal(None);
        }
        Trouble::Keys(error) => return CommitError::Keys(error),
    };
    let severity = error
        .sqlite_error()
        .map_or(Severity::Refused, |code| severity(code.extended_code));
    match severity {
        Severity::Fatal => CommitError::Fatal(Some(error)),
        _ if !db.is_autocommit() || room.may_hold(db) => CommitError::Fatal(Some(error)),
        Severity::Full => CommitError::Full(error),
        Severity::Refused => CommitError::Io(error),
    }
}

/// A failure of the write-ahead log's file outside of SQLite, as one of SQLite's.
pub(crate) fn unflushed(error: io::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Severity {
    Fatal,
    Full,
    Refused,
}

/// How bad a SQLite result code is.
///
/// Failed flushes are `SQLITE_IOERR_FSYNC` and `SQLITE_IOERR_DIR_FSYNC`, but a
/// failed write, truncation or lock of the same file says as little about what
/// the disk now holds, so every I/O error counts. A file that has become corrupt
/// is not written to again either.
fn severity(extended_code: i32) -> Severity {
    match extended_code & 0xff {
        ffi::SQLITE_IOERR | ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => Severity::Fatal,
        ffi::SQLITE_FULL => Severity::Full,
        _ => Severity::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_may_be_a_failed_flush_is_fatal() {
        let check = |code: i32, expect| assert_eq!(severity(code), expect, "{code}");
        check(ffi::SQLITE_IOERR_FSYNC, Severity::Fatal);
        check(ffi::SQLITE_IOERR_DIR_FSYNC, Severity::Fatal);
        check(ffi::SQLITE_IOERR_WRITE, Severity::Fatal);
        check(ffi::SQLITE_IOERR_SHORT_READ, Severity::Fatal);
        check(ffi::SQLITE_IOERR_TRUNCATE, Severity::Fatal);
        check(ffi::SQLITE_IOERR, Severity::Fatal);
        check(ffi::SQLITE_CORRUPT, Severity::Fatal);
        check(ffi::SQLITE_NOTADB, Severity::Fatal);
        check(ffi::SQLITE_FULL, Severity::Full);
        check(ffi::SQLITE_BUSY, Severity::Refused);
        check(ffi::SQLITE_BUSY_SNAPSHOT, Severity::Refused);
        check(ffi::SQLITE_NOMEM, Severity::Refused);
        check(ffi::SQLITE_READONLY, Severity::Refused);
        check(ffi::SQLITE_CONSTRAINT_TRIGGER, Severity::Refused);
    }
}
