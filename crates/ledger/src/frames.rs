//! What a write-ahead log of SQLite would give to whoever recovers it: how many frames its last whole commit ends with.
//!
//! SQLite writes a commit as frames, the last of which carries the mark. When a write fails it takes the commit back
//! in memory, and leaves what it wrote in the file until the next commit is written over it. If the mark was among it,
//! whole, whoever starts from the file finds the commit: because the write was done and failed all the same, or
//! because only a part of it was done and the rest was there from before, in a log that is used again. So a failed
//! write says "nothing is in" only where the file says so, too.
//!
//! The format is that of <https://www.sqlite.org/fileformat2.html#walformat>.

use std::io;

/// The log's header.
const HEADER: usize = 32;
/// A frame's header, before its page.
const FRAME: usize = 24;
/// The first bytes of a log whose checksums take words with the low byte first.
const LOW_FIRST: u32 = 0x377f_0682;
/// And of one with the high byte first.
const HIGH_FIRST: u32 = 0x377f_0683;

/// The running checksum.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sum {
    one: u32,
    two: u32,
    low_first: bool,
}

impl Sum {
    /// Goes on over a whole number of pairs of words.
    fn over(mut self, bytes: &[u8]) -> Sum {
        for pair in bytes.as_chunks::<8>().0 {
            let [a, b, c, d, e, f, g, h] = *pair;
            let word = match self.low_first {
                true => u32::from_le_bytes,
                false => u32::from_be_bytes,
            };
            self.one = self
                .one
                .wrapping_add(word([a, b, c, d]))
                .wrapping_add(self.two);
            self.two = self
                .two
                .wrapping_add(word([e, f, g, h]))
                .wrapping_add(self.one);
        }
        self
    }

    fn is(self, one: u32, two: u32) -> bool {
        (self.one, self.two) == (one, two)
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

/// How many frames the last whole commit in a log ends with; 0 if there is none.
pub(crate) fn committed(log: &[u8]) -> u64 {
    let mut last = 0;
    // What cannot be read ends the log, as for whoever recovers it.
    let _ = read(log, &mut last);
    last
}

fn read(log: &[u8], last: &mut u64) -> Option<()> {
    let header = log.get(..HEADER)?;
    let magic = word(header, 0)?;
    if magic != LOW_FIRST && magic != HIGH_FIRST {
        return None;
    }
    let page = word(header, 8)? as usize;
    if !(512..=65_536).contains(&page) || !page.is_power_of_two() {
        return None;
    }
    let mut sum = Sum {
        one: 0,
        two: 0,
        low_first: magic == LOW_FIRST,
    }
    .over(header.get(..24)?);
    if !sum.is(word(header, 24)?, word(header, 28)?) {
        return None;
    }
    for (number, frame) in (1..).zip(log.get(HEADER..)?.chunks_exact(FRAME + page)) {
        if frame.get(8..16)? != header.get(16..24)? || word(frame, 0)? == 0 {
            return None;
        }
        sum = sum.over(frame.get(..8)?).over(frame.get(FRAME..)?);
        if !sum.is(word(frame, 16)?, word(frame, 20)?) {
            return None;
        }
        // The size of the file after a commit is its mark.
        if word(frame, 4)? > 0 {
            *last = number;
        }
    }
    Some(())
}

/// Whether a log holds a commit of which SQLite, through whose connection it is written, knows nothing: one that failed,
/// and that the next start would find. Also if the log was to begin anew and its new header could not be written: what
/// it holds then is in the database, and is taken for more all the same.
pub(crate) fn hold_more(log: &[u8], db: &rusqlite::Connection) -> io::Result<bool> {
    let known: i64 = db
        .query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get(1))
        .map_err(io::Error::other)?;
    // Less than none is a log that SQLite has not looked at.
    Ok(u64::try_from(known).map_or(true, |known| committed(log) > known))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use rusqlite::Connection;

    use super::*;

    /// The folder of a test, taken away at its end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let folder =
                std::env::temp_dir().join(format!("ledger-frames-{}-{name}", std::process::id()));
            let _ = std::fs::remove_dir_all(&folder);
            std::fs::create_dir_all(&folder).unwrap();
            Scratch(folder)
        }

        fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn open(file: &Path) -> Connection {
        let db = Connection::open(file).unwrap();
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;")
            .unwrap();
        db
    }

    fn known(db: &Connection) -> u64 {
        db.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| {
            row.get::<_, i64>(1)
        })
        .unwrap() as u64
    }

    #[test]
    fn as_many_frames_are_found_as_sqlite_wrote() {
        let scratch = Scratch::new("counted");
        for page in [512, 4096, 8192, 65_536] {
            let file = scratch.path().join(format!("of-{page}"));
            let log = scratch.path().join(format!("of-{page}-wal"));
            let db = Connection::open(&file).unwrap();
            db.execute_batch(&format!("PRAGMA page_size = {page};"))
                .unwrap();
            drop(db);
            let db = open(&file);
            db.execute_batch("CREATE TABLE t (x)").unwrap();
            for round in 0..3 {
                for length in [1, 700, 30_000] {
                    db.execute("INSERT INTO t VALUES (zeroblob(?1))", [length])
                        .unwrap();
                    let bytes = std::fs::read(&log).unwrap();
                    assert_eq!(committed(&bytes), known(&db), "{page} {round} {length}");
                    assert!(!hold_more(&bytes, &db).unwrap());
                }
                // The next commit begins the log anew, in front of what is left of this one.
                db.query_row("PRAGMA wal_checkpoint(FULL)", [], |_| Ok(()))
                    .unwrap();
            }
        }
        for bytes in [&b""[..], &[0; 31], &[0; 5_000], &[0xff; 5_000]] {
            assert_eq!(committed(bytes), 0);
        }
    }

    #[test]
    fn a_commit_that_sqlite_does_not_know_of_is_found_if_it_is_whole() {
        let scratch = Scratch::new("unknown");
        let (file, log) = (scratch.path().join("one"), scratch.path().join("one-wal"));
        let db = open(&file);
        db.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(9000));")
            .unwrap();
        let before = std::fs::read(&log).unwrap();
        db.execute_batch("INSERT INTO t VALUES (zeroblob(20000));")
            .unwrap();
        let after = std::fs::read(&log).unwrap();
        let copy = scratch.path().join("two");
        std::fs::copy(&file, &copy).unwrap();
        std::fs::write(scratch.path().join("two-wal"), &before).unwrap();
        drop(db);
        let db = open(&copy);
        let rows: i64 = db
            .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 1);
        assert!(!hold_more(&before, &db).unwrap());
        assert!(hold_more(&after, &db).unwrap());
        // With anything missing it is no commit.
        for at in [before.len(), before.len() + 30, after.len() - 1] {
            let mut torn = after.clone();
            torn[at] ^= 1;
            assert!(!hold_more(&torn, &db).unwrap(), "{at}");
            assert!(!hold_more(&after[..at], &db).unwrap(), "{at}");
        }
    }
}
