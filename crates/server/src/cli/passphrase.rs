//! The passphrase that opens a programme's keys, for every command that reads or writes the record.

use std::path::{Path, PathBuf};

use ledger::Keys;

use super::Stop;
use crate::error::Error;

/// Where the passphrase is, if the keys have one.
#[derive(clap::Args, Clone, Default)]
pub struct Passphrase {
    /// A file with the passphrase of the programme's keys, if they have one
    #[arg(long, value_name = "FILE", env = "HOMECOMING_PASSPHRASE_FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Passphrase {
    /// A passphrase in this file, or none.
    pub fn in_file(passphrase_file: Option<PathBuf>) -> Passphrase {
        Passphrase { passphrase_file }
    }

    /// What is in the file, without the line end that editors add.
    pub fn read(&self) -> Result<Option<Vec<u8>>, Stop> {
        let Some(file) = &self.passphrase_file else {
            return Ok(None);
        };
        let mut text = std::fs::read(file).map_err(|error| {
            Stop::CouldNotRun(format!(
                "the passphrase cannot be read from {}: {error}",
                file.display()
            ))
        })?;
        while text.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
            text.pop();
        }
        match text.is_empty() {
            true => Err(Stop::WrongUse(format!(
                "{} is empty: it must hold the passphrase.",
                file.display()
            ))),
            false => Ok(Some(text)),
        }
    }

    /// Opens the keys of a programme.
    pub fn open(&self, data: &Path) -> Result<Keys, Stop> {
        Ok(ledger::open_keys(data, self.read()?.as_deref()).map_err(Error::open)?)
    }
}
