//! The files that the ledger writes without SQLite, on the simulated disk: keyrings, and what opening makes firm.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use ledger::ground::Ground;

use crate::disk::{Disk, Failed, Handle};
use crate::plant::Plant;

/// A file that a planted bug writes later than it should.
pub(crate) type Late = Option<(String, Vec<u8>)>;

/// Where the ledger's own files lie.
#[derive(Debug)]
pub(crate) struct Files {
    disk: Arc<Disk>,
    plant: Option<Plant>,
    /// For a planted bug: a key file that is to be written later.
    late: Mutex<Late>,
}

/// How much room is made in a write-ahead log at a time: a few commits, so that most of them use it and some outgrow it.
const ROOM_BYTES: usize = 48 << 10;

/// Keys lie in a folder of their own.
const KEYS: &str = "keys";

fn error(failed: Failed) -> io::Error {
    let kind = match failed {
        Failed::Full => io::ErrorKind::StorageFull,
        Failed::Missing => io::ErrorKind::NotFound,
        Failed::Io | Failed::Off | Failed::Busy => io::ErrorKind::Other,
    };
    io::Error::new(kind, format!("{failed:?}"))
}

fn there(opened: Result<Handle, Failed>) -> io::Result<Option<Handle>> {
    match opened {
        Ok(handle) => Ok(Some(handle)),
        Err(Failed::Missing) => Ok(None),
        Err(failed) => Err(error(failed)),
    }
}

fn all(handle: &Handle) -> Result<Vec<u8>, Failed> {
    let mut bytes = vec![0; handle.size()? as usize];
    let length = handle.read(0, &mut bytes)?;
    bytes.truncate(length);
    Ok(bytes)
}

impl Ground for Files {
    fn renew(&self, name: &str) -> io::Result<()> {
        let skipped = match self.plant {
            Some(Plant::LogNotRenewed) => true,
            Some(Plant::AccessLogNotRenewed) => name.starts_with("access"),
            Some(Plant::WitnessedNotRenewed) => name.starts_with("witnessed"),
            _ => false,
        };
        if skipped {
            return Ok(());
        }
        let Some(mut file) = there(self.disk.open(name, false))? else {
            return Ok(());
        };
        file.rewrite().map_err(error)?;
        file.sync(false).map_err(error)
    }

    fn sync_names(&self) -> io::Result<()> {
        if self.plant == Some(Plant::NamesNotSynced) {
            return Ok(());
        }
        self.disk.sync_folder().map_err(error)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let file = self.disk.open(name, false).map_err(error)?;
        let mut bytes = vec![0; file.size().map_err(error)? as usize];
        file.read(0, &mut bytes).map_err(error)?;
        Ok(bytes)
    }

    fn make_room(&self, name: &str, known: u64) -> io::Result<u64> {
        let mut file = self.disk.open(name, false).map_err(error)?;
        let length = file.size().map_err(error)?;
        if length <= known {
            return Ok(known);
        }
        file.write(length, &[0; ROOM_BYTES]).map_err(error)?;
        file.sync(false).map_err(error)?;
        Ok(length + ROOM_BYTES as u64)
    }
}

impl Files {
    /// Files on a disk.
    pub(crate) fn new(disk: Arc<Disk>, plant: Option<Plant>) -> Files {
        Files {
            disk,
            plant,
            late: Mutex::default(),
        }
    }

    /// A commit is done: what the planted bug left for later is written now.
    pub(crate) fn committed(&self) -> io::Result<()> {
        let late = self
            .late
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match late {
            Some((name, bytes)) => self.put(&name, &bytes),
            None => Ok(()),
        }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (name, new) = (format!("{KEYS}/{name}"), format!("{KEYS}/{name}.new"));
        self.write_whole(&new, bytes)
            .and_then(|()| self.disk.rename(&new, &name))
            .and_then(|()| self.disk.sync_folder())
            .map_err(error)
    }

    fn write_whole(&self, name: &str, bytes: &[u8]) -> Result<(), Failed> {
        let mut file = self.disk.open(name, true)?;
        file.truncate(0)?;
        file.write(0, bytes)?;
        file.sync(false)
    }
}

/// The promise that key files are kept by, step by step as a folder of the file system keeps it.
impl seal::Disk for Files {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let file = there(self.disk.open(&format!("{KEYS}/{name}"), false))?;
        file.map(|file| all(&file).map_err(error)).transpose()
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if self.plant == Some(Plant::KeyringAfterCommit) {
            let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
            *late = Some((name.to_owned(), bytes.to_vec()));
            return Ok(());
        }
        self.put(name, bytes)
    }

    fn destroy(&self, name: &str) -> io::Result<()> {
        let name = format!("{KEYS}/{name}");
        let Some(mut file) = there(self.disk.open(&name, false))? else {
            return Ok(());
        };
        let overwrite = |file: &mut Handle| {
            let length = file.size()? as usize;
            file.write(0, &vec![0; length])?;
            file.sync(false)
        };
        overwrite(&mut file)
            .and_then(|()| self.disk.delete(&name))
            .and_then(|()| self.disk.sync_folder())
            .map_err(error)
    }
}
