//! One server to a data directory: a lock on the file `lock`, held as long as the process lives.
//!
//! The operating system lets go of it when the process ends, however it ends, so
//! a crash leaves nothing to clean up.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

/// The held lock; dropping it lets the directory go.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why the directory could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("this data directory is in use by another Homecoming{}; stop it first", holder(.0))]
    Held(Option<u32>),
    /// The lock file cannot be made or locked.
    #[error("the file `lock` in the data directory cannot be opened")]
    Io(#[from] std::io::Error),
}

impl Lock {
    /// Takes the directory, or says which process has it.
    pub fn take(dir: &Path) -> Result<Lock, LockError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join("lock"))?;
        match lock_soon(&file) {
            Ok(()) => {
                // For the next one to say who we are; not needed for the lock.
                file.set_len(0)?;
                write!(file, "{}", std::process::id())?;
                Ok(Lock { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.seek(SeekFrom::Start(0))?;
                file.take(20).read_to_string(&mut text).unwrap_or(0);
                Err(LockError::Held(text.trim().parse().ok()))
            }
            Err(TryLockError::Error(e)) => Err(LockError::Io(e)),
        }
    }
}

/// Whether somebody holds the directory at this moment. Makes no file and takes nothing.
pub fn is_held(dir: &Path) -> bool {
    File::open(dir.join("lock"))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Locks, and tries for a quarter of a second where somebody else has it: who has just let go may at the same
/// moment have started another process, and that one has all files open until its own program begins.
fn lock_soon(file: &File) -> Result<(), TryLockError> {
    for _ in 0..10 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(25)),
            locked_or_broken => return locked_or_broken,
        }
    }
    file.try_lock()
}

fn holder(process: &Option<u32>) -> String {
    process.map_or(String::new(), |id| format!(" (process {id})"))
}
