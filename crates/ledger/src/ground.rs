//! What the disk must hold before a ledger is gone on with: the two things that SQLite leaves open.
//!
//! A process that takes a ledger over reads what the system shows it, and that may be less durable than it looks:
//!
//! * The one before may have died between writing its write-ahead log and flushing it. What is read from the system's
//!   memory would be served, signed and cosigned, and be gone after a loss of power. After a *failed* flush it is
//!   worse: the system shows the pages as they should be, takes them for written, and no later flush writes them.
//! * The log's name may not be durable. SQLite flushes the directory once, after the first flush of a new log, but
//!   tells nobody when that fails.
//!
//! So the log is written over itself with what was read from it, which makes every page one to be flushed, and
//! flushed; and the directory is flushed before anything is committed. A failure of either stops the start.
//!
//! And one thing that SQLite leaves slow: a commit that makes its write-ahead log longer waits until the file system
//! has written down the new length as well, which takes about as long again as the bytes themselves. So zeros are put
//! behind the log's end, many commits' worth at a time. SQLite reads them as the end, which is what they are: a frame
//! of zeros has neither the log's salt nor a checksum that is right.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;

use crate::frames;

/// The write-ahead logs of a data directory. Whoever takes the directory over renews all of them, before anything is
/// read: what is appended behind pages that are not on the disk is lost with them.
pub(crate) const LOGS: [&str; 3] = [
    "ledger.sqlite-wal",
    "access.sqlite-wal",
    "witnessed.sqlite-wal",
];

/// How much room is made in a write-ahead log at a time, in bytes.
const ROOM_BYTES: u64 = 1 << 20;

/// A commit of more than this needs no room made for the next one: what it writes takes longer than the length.
const COMMIT_BYTES_MAX: u64 = ROOM_BYTES / 8;

/// The data directory as far as this module needs it. The simulation has one on a disk of its own.
pub trait Ground: fmt::Debug + Send + Sync {
    /// Writes a file over itself and flushes it: what it holds is on the disk afterwards. No file is no failure.
    fn renew(&self, name: &str) -> io::Result<()>;

    /// Makes the names in the directory durable.
    fn sync_names(&self) -> io::Result<()>;

    /// All bytes of a file.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;

    /// If a file has become longer than `known`, puts zeros behind its end and flushes it; gives how long it is then.
    /// Only for whoever alone writes to it.
    fn make_room(&self, name: &str, known: u64) -> io::Result<u64>;
}

/// The room in a write-ahead log that commits are written into.
#[derive(Debug)]
pub(crate) struct Room {
    ground: Arc<dyn Ground>,
    log: &'static str,
    length: u64,
}

impl Room {
    /// For a log of which nothing is known yet.
    pub(crate) fn new(ground: Arc<dyn Ground>, log: &'static str) -> Room {
        Room {
            ground,
            log,
            length: 0,
        }
    }

    /// After a commit of about so many bytes: sees to it that the next has room, unless there was none to be had
    /// before. If it fails, nobody knows what of the log is on the disk.
    pub(crate) fn committed(&mut self, bytes: u64) -> io::Result<()> {
        if bytes > COMMIT_BYTES_MAX {
            return Ok(());
        }
        match self.ground.make_room(self.log, self.length) {
            Ok(length) => self.length = length,
            // Commits are slower without, and say themselves when there is none left for them.
            Err(error) if is_full(&error) => self.length = u64::MAX,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// After a commit that failed and was taken back: whether it may be in the log all the same, and would be found at
    /// the next start.
    pub(crate) fn may_hold(&self, db: &Connection) -> bool {
        let log = self.ground.read(self.log);
        log.and_then(|log| frames::hold_more(&log, db))
            .unwrap_or(true)
    }

    /// The log was cut off.
    pub(crate) fn cut_off(&mut self) {
        self.length = 0;
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// A directory of the file system.
#[derive(Debug)]
pub struct Directory(pub PathBuf);

impl Ground for Directory {
    fn renew(&self, name: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = match options.read(true).write(true).open(self.0.join(name)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        let mut part = vec![0; 1 << 20];
        let mut at = 0;
        loop {
            let length = file.read(&mut part)?;
            if length == 0 {
                break;
            }
            file.seek(SeekFrom::Start(at))?;
            file.write_all(&part[..length])?;
            at += length as u64;
        }
        file.sync_all()
    }

    fn sync_names(&self) -> io::Result<()> {
        #[cfg(unix)]
        File::open(&self.0)?.sync_all()?;
        #[cfg(not(unix))]
        let _ = File::open;
        Ok(())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.0.join(name))
    }

    fn make_room(&self, name: &str, known: u64) -> io::Result<u64> {
        let path = self.0.join(name);
        let length = std::fs::metadata(&path)?.len();
        if length <= known {
            return Ok(known);
        }
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.seek(SeekFrom::Start(length))?;
        file.write_all(&vec![0; ROOM_BYTES as usize])?;
        file.sync_all()?;
        Ok(length + ROOM_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_renewed_or_given_room_holds_what_it_held() {
        let directory = std::env::temp_dir().join(format!("ledger-ground-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let ground = Directory(directory.clone());
        for length in [0, 1, 4096, 1 << 20, (3 << 20) + 17] {
            let bytes: Vec<u8> = (0..length).map(|at| (at * 7 / 3) as u8).collect();
            std::fs::write(directory.join("log"), &bytes).unwrap();
            ground.renew("log").unwrap();
            assert!(
                std::fs::read(directory.join("log")).unwrap() == bytes,
                "{length}"
            );
        }
        ground.renew("not there").unwrap();
        std::fs::write(directory.join("log"), [7; 100]).unwrap();
        let length = ground.make_room("log", 0).unwrap();
        let bytes = std::fs::read(directory.join("log")).unwrap();
        assert_eq!(length, bytes.len() as u64);
        assert!(
            length > ROOM_BYTES && bytes[..100] == [7; 100] && bytes[100..].iter().all(|b| *b == 0)
        );
        assert_eq!(ground.make_room("log", length).unwrap(), length);
        assert_eq!(
            std::fs::metadata(directory.join("log")).unwrap().len(),
            length
        );
        ground.sync_names().unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(ground.sync_names().is_err());
    }
}
