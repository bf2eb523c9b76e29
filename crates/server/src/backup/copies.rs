//! Whole copies of a programme's keys beside it, which a restore makes or leaves: found, and destroyed.
//!
//! A folder with keyrings, the wrapping key over them and what unwraps that opens every content, and an erasure does
//! not reach it. So no such folder may stay beside the programme:
//!
//! | folder | when | what becomes of its keys |
//! |---|---|---|
//! | `DATA.restoring` | while a restore puts it together | it gets its place; or the restore fails, or is killed, and then they are overwritten, by that one or the next |
//! | `DATA.before-restore`, `-2`, ... | what lay in the place before | `programme.key` and `provider.key` are overwritten as soon as the restored directory holds the same wrapping key; then it is what a backup is, and opens nothing by itself |
//!
//! While one of them holds keys all the same, nothing is erased ([`refuse_erasing`]), and an audit says so.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ledger::keys::Folder;
use seal::Disk as _;

use super::{NEVER, cannot};
use crate::error::{Error, ErrorKind};

/// What a directory that is put together is called, behind the programme's.
pub(super) const RESTORING: &str = ".restoring";
/// What a directory is called that was there before a restore; from the second on with a number.
pub(super) const BEFORE: &str = ".before-restore";

/// A name beside a directory's: its own, and this end.
pub(super) fn beside(data: &Path, end: &str) -> Result<PathBuf, Error> {
    let named = match data.file_name() {
        Some(_) => data.to_owned(),
        // `.` and `..` have no name of their own.
        None => data.canonicalize().map_err(|error| cannot(data, error))?,
    };
    let mut name = named.file_name().unwrap_or_default().to_owned();
    name.push(end);
    Ok(named.with_file_name(name))
}

/// The directories that were there before restores, with their numbers, the latest last.
pub(super) fn before(data: &Path) -> Result<Vec<(u32, PathBuf)>, Error> {
    let first = beside(data, BEFORE)?;
    let (Some(parent), Some(name)) = (parent(&first), first.file_name()) else {
        return Ok(Vec::new());
    };
    let name = name.to_string_lossy();
    let mut found = Vec::new();
    let entries = match fs::read_dir(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries.map_err(|error| cannot(parent, error))?,
    };
    for entry in entries {
        let entry = entry.map_err(|error| cannot(parent, error))?;
        let file = entry.file_name();
        let number = match file.to_str().and_then(|file| file.strip_prefix(&*name)) {
            Some("") => Some(1),
            Some(rest) => rest.strip_prefix('-').and_then(|rest| rest.parse().ok()),
            None => None,
        };
        found.extend(number.map(|number| (number, first.with_file_name(&file))));
    }
    found.sort();
    Ok(found)
}

/// The folder that a path is in.
pub(super) fn parent(path: &Path) -> Option<&Path> {
    path.parent()
        .map(|parent| match parent.as_os_str().is_empty() {
            true => Path::new("."),
            false => parent,
        })
}

/// The folders beside a programme's directory that restores made and that open contents by themselves.
pub fn of_keys(data: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut folders = vec![beside(data, RESTORING)?];
    folders.extend(before(data)?.into_iter().map(|(_, path)| path));
    folders.retain(|folder| {
        let there = |name: &str| folder.join("keys").join(name).exists();
        NEVER.iter().any(|name| there(name))
    });
    Ok(folders)
}

/// Refuses an erasure while there are copies of the keys that it would not reach.
pub fn refuse_erasing(data: &Path) -> Result<(), Error> {
    let folders = of_keys(data)?;
    match folders.is_empty() {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Conflict,
            "A restore left copies of the programme's keys beside it, which an erasure would not reach. Whoever runs \
             the server finds out which with `homecoming audit`, and destroys them with `homecoming keys \
             destroy-copies`.",
        )),
    }
}

/// Destroys in these folders what opens contents by itself; says in which.
pub fn destroy(data: &Path) -> Result<Vec<PathBuf>, Error> {
    let folders = of_keys(data)?;
    for folder in &folders {
        destroy_in(folder)?;
    }
    Ok(folders)
}

/// Overwrites the wrapping key and what unwraps it, and takes them away. The keyrings stay, as in a backup of keys.
pub(super) fn destroy_in(folder: &Path) -> Result<(), Error> {
    let keys = Folder::new(folder.join("keys"));
    for name in NEVER {
        // What an interrupted change left of them, too.
        for name in [
            name.to_owned(),
            format!("{name}.old"),
            format!("{name}.new"),
        ] {
            keys.destroy(&name).map_err(|error| cannot(folder, error))?;
        }
    }
    Ok(())
}

/// Takes a whole directory away, its keys overwritten before.
pub(super) fn discard(folder: &Path) -> Result<(), Error> {
    if !folder.exists() {
        return Ok(());
    }
    let keys = folder.join("keys");
    if keys.is_dir() {
        let disk = Folder::new(keys.clone());
        for file in fs::read_dir(&keys).map_err(|error| cannot(&keys, error))? {
            let file = file.map_err(|error| cannot(&keys, error))?.file_name();
            let Some(name) = file.to_str() else { continue };
            disk.destroy(name).map_err(|error| cannot(&keys, error))?;
        }
    }
    fs::remove_dir_all(folder).map_err(|error| cannot(folder, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_found_by_its_name_however_it_is_written() {
        let check = |data: &str, expect: &str| {
            assert_eq!(
                beside(data.as_ref(), BEFORE).expect("a name"),
                Path::new(expect)
            );
        };
        check("data", "data.before-restore");
        check("data/", "data.before-restore");
        check("/srv/east/data/", "/srv/east/data.before-restore");
        check("./data", "./data.before-restore");
        let here = std::env::current_dir().expect("a directory");
        let mut named = here.clone().into_os_string();
        named.push(BEFORE);
        assert_eq!(
            beside(Path::new("."), BEFORE).expect("a name"),
            PathBuf::from(named)
        );
    }
}
