//! Making and opening a data directory.
//!
//! ```text
//! DIR/lock            held by whoever writes
//! DIR/ledger.sqlite   the record
//! DIR/desk.sqlite     users, sessions, API clients: not the record
//! DIR/keys/           the log's signing key and the alias key, mode 0600
//! DIR/index/          made from the ledger; may be deleted at any time
//! ```

use std::path::Path;

use index::Index;
use ledger::{Appender, Ledger};

use super::replay;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};

/// What an open programme consists of.
pub(super) struct Opened {
    pub ledger: Ledger,
    pub appender: Appender,
    pub index: Index,
}

/// How much memory the index may use to cache what it read, in bytes.
const INDEX_CACHE_BYTES: u64 = 64 << 20;

/// Makes a new programme in an empty or missing folder.
pub fn create(data: &Path, name: &str, clock: &Clock, chance: &Chance) -> Result<(), Error> {
    let origin = origin(name)?;
    ledger::create(data, name, &origin, clock.now(), &mut |bytes| chance.fill(bytes))
        .map_err(Error::ledger)
}

/// The log's origin: what checkpoints call it. Lower-case letters, digits and hyphens.
fn origin(name: &str) -> Result<String, Error> {
    let mut origin = String::from("homecoming/");
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            origin.push(character.to_ascii_lowercase());
        } else if !origin.ends_with(['-', '/']) {
            origin.push('-');
        }
    }
    let origin = origin.trim_end_matches('-').to_owned();
    if origin.ends_with('/') || name.len() > 100 {
        return Err(Error::new(
            ErrorKind::Malformed,
            "A programme's name has 1 to 100 characters, with a letter or digit among them.",
        ));
    }
    Ok(origin)
}

/// Takes the lock, opens ledger and index, and brings the index up to the ledger.
/// `progress` is told the entries reached and the entries in all.
pub(super) fn open(data: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Opened, Error> {
    let (ledger, appender) = ledger::open(data).map_err(Error::ledger)?;
    let folder = data.join("index");
    let fingerprint = record::search::parameters().fingerprint();
    let mut index = Index::open(&folder, fingerprint, INDEX_CACHE_BYTES).map_err(Error::index)?;
    let size = appender.size();
    if index.applied() > size {
        // The ledger was restored from an older copy: what the index holds beyond it never was.
        drop(index);
        std::fs::remove_dir_all(&folder).map_err(|error| {
            Error::new(ErrorKind::Internal, "The index is newer than the ledger and cannot be removed.")
                .because(error)
        })?;
        index = Index::open(&folder, fingerprint, INDEX_CACHE_BYTES).map_err(Error::index)?;
    }
    if index.applied() < size {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        replay::catch_up(&ledger, &index, size, cores, &mut |reached| progress(reached, size))?;
    }
    Ok(Opened { ledger, appender, index })
}

/// Makes the index anew. `progress` as for [`open`].
pub fn rebuild(data: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, Error> {
    let held = ledger::open(data).map_err(Error::ledger)?;
    let folder = data.join("index");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|error| {
            Error::new(ErrorKind::Internal, "The old index cannot be removed.").because(error)
        })?;
    }
    drop(held);
    let opened = open(data, progress)?;
    Ok(opened.appender.size())
}
