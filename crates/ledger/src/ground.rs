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

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// The data directory as far as this module needs it. The simulation has one on a disk of its own.
pub trait Ground {
    /// Writes a file over itself and flushes it: what it holds is on the disk afterwards. No file is no failure.
    fn renew(&self, name: &str) -> io::Result<()>;

    /// Makes the names in the directory durable.
    fn sync_names(&self) -> io::Result<()>;
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_renewed_holds_what_it_held() {
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
        ground.sync_names().unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(ground.sync_names().is_err());
    }
}
