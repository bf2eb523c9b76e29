//! A witness's memory as files in a folder: new bytes beside the old, flushed, renamed, the name flushed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::Memory;

/// The folder.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at a path; made if it is not there.
    pub fn at(path: &Path) -> io::Result<Folder> {
        fs::create_dir_all(path)?;
        Ok(Folder(path.to_owned()))
    }

    /// Takes the folder for one process. The operating system lets go of it when that ends, however it ends.
    pub fn hold(&self) -> Result<Held, HeldError> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.0.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Held { _file: file }),
            Err(TryLockError::WouldBlock) => Err(HeldError::Held),
            Err(TryLockError::Error(error)) => Err(HeldError::Io(error)),
        }
    }
}

/// The held folder; dropping it lets it go.
#[derive(Debug)]
pub struct Held {
    _file: File,
}

/// Why the folder could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum HeldError {
    /// Another process has it.
    #[error("another witness is at work in this directory; stop it first")]
    Held,
    /// The lock file cannot be made or locked.
    #[error("the file `lock` cannot be opened: {0}")]
    Io(#[from] io::Error),
}

impl Memory for Folder {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.0.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn replace(&self, name: &str, bytes: &[u8], secret: bool) -> io::Result<()> {
        let new = self.0.join(format!("{name}.new"));
        // What an interrupted attempt left is not whole and may have other permissions.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, if secret { 0o600 } else { 0o644 });
        let mut file = options.open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, self.0.join(name))?;
        #[cfg(unix)]
        File::open(&self.0)?.sync_all()?;
        Ok(())
    }
}
