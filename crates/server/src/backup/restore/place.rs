//! The directory that is put together, from its first file to its name.
//!
//! Whatever stops a restore, no keys are left lying: an [`Unfinished`] that is dropped takes itself away again, and
//! the next restore takes away what a killed one left.
//!
//! It gets its name in two steps, because no way of changing two names at once is to be had everywhere. Between
//! them there is nothing in the place: if the second step fails, the first is undone; after a crash, the next restore
//! undoes it ([`put_back`]), so that what lay there is asked how far it went as if nothing had happened.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::known::{Knowledge, Witnesses};
use super::{Asked, cannot, copy_file};
use crate::backup::copies::{self, RESTORING};
use crate::backup::manifest::Manifest;
use crate::cosigning::POLICY;
use crate::error::Error;

/// What lay in the place before, under its new name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Where it is.
    pub at: PathBuf,
    /// Whether it still has a wrapping key: another one than the restored directory, or one that could not be
    /// overwritten. Nothing is erased while it has.
    pub opens: bool,
}

/// A directory on its way to its place.
pub(super) struct Unfinished {
    at: PathBuf,
    /// Whether the keys there are under the wrapping key of those that lie in the place.
    same_wrapping: bool,
    placed: bool,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.placed {
            // What cannot be taken away is said by an audit, and holds erasures up.
            let _ = copies::discard(&self.at);
        }
    }
}

impl Unfinished {
    /// Beside the place, where what a killed restore left goes first.
    pub(super) fn begin(data: &Path) -> Result<Unfinished, Error> {
        let at = copies::beside(data, RESTORING)?;
        copies::discard(&at)?;
        Ok(Unfinished {
            at,
            same_wrapping: false,
            placed: false,
        })
    }

    pub(super) fn at(&self) -> &Path {
        &self.at
    }

    /// The files of backup and keys.
    pub(super) fn put_together(
        &mut self,
        asked: &Asked<'_>,
        manifest: &Manifest,
        keys: &Path,
        knowledge: &Knowledge,
    ) -> Result<(), Error> {
        let at = &self.at;
        fs::create_dir_all(at.join("keys")).map_err(|error| cannot(at, error))?;
        for listed in &manifest.files {
            copy_file(&asked.from.join(&listed.name), &at.join(&listed.name))?;
        }
        // The machine's own first; what comes with the keys goes over it.
        for folder in [&asked.data.join("keys"), keys] {
            if !folder.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder).map_err(|error| cannot(folder, error))? {
                let file = file.map_err(|error| cannot(folder, error))?;
                if file.path().is_file() {
                    replaced(&file.path(), &at.join("keys").join(file.file_name()))?;
                }
            }
        }
        let wrapping = |dir: &Path| fs::read(dir.join("keys").join("programme.key")).ok();
        self.same_wrapping = wrapping(at) == wrapping(asked.data);
        if knowledge.witnesses == Witnesses::OfThePlace {
            replaced(&asked.data.join(POLICY), &at.join(POLICY))?;
        }
        // Of what witnesses have signed, the newest: the backup's is as old as the backup.
        let theirs = asked.data.join(ledger::witnessed::FILE);
        if knowledge.notes_fit && theirs.exists() {
            let to = at.join(ledger::witnessed::FILE);
            let _ = fs::remove_file(&to);
            ledger::backup::copy(&theirs, &to).map_err(Error::open)?;
        }
        Ok(())
    }

    /// Gives the directory its name, and what had it another.
    pub(super) fn into_place(mut self, data: &Path) -> Result<Option<Before>, Error> {
        let parent = copies::parent(&self.at).unwrap_or(Path::new("."));
        let synced = |dir: &Path| File::open(dir)?.sync_all();
        let failed = |error: io::Error| cannot(data, error);
        synced(&self.at)
            .and_then(|()| synced(parent))
            .map_err(failed)?;
        let mut before = None;
        if data.exists() {
            let number = copies::before(data)?.last().map_or(1, |(last, _)| last + 1);
            let end = match number {
                1 => copies::BEFORE.to_owned(),
                number => format!("{}-{number}", copies::BEFORE),
            };
            let to = copies::beside(data, &end)?;
            fs::rename(data, &to).map_err(failed)?;
            before = Some(to);
        }
        if let Err(error) = fs::rename(&self.at, data) {
            if let Some(before) = &before {
                fs::rename(before, data).map_err(failed)?;
            }
            return Err(failed(error));
        }
        self.placed = true;
        synced(parent).map_err(failed)?;
        let Some(at) = before else { return Ok(None) };
        if self.same_wrapping {
            // The restore is done; keys that could not be destroyed are said instead.
            let _ = copies::destroy_in(&at);
        }
        let opens = copies::of_keys(data)?.contains(&at);
        Ok(Some(Before { at, opens }))
    }
}

/// Undoes the first half of a restore that was killed between its two changes of names. Gives the name that what lies
/// in the place now had meanwhile, if there was anything to undo.
pub fn put_back(data: &Path) -> Result<Option<PathBuf>, Error> {
    if data.exists() || !copies::beside(data, RESTORING)?.exists() {
        return Ok(None);
    }
    let Some((_, latest)) = copies::before(data)?.pop() else {
        return Ok(None);
    };
    fs::rename(&latest, data).map_err(|error| cannot(data, error))?;
    Ok(Some(latest))
}

/// Copies a file over another, if there is one.
fn replaced(from: &Path, to: &Path) -> Result<(), Error> {
    let _ = fs::remove_file(to);
    copy_file(from, to)
}
