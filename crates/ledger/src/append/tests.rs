//! What a failed write means.

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
