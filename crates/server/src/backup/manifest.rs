//! The manifest: what a backup holds, so that a half one or an altered one is not taken for one.

use std::io;
use std::path::Path;

use super::{is_of_keys, is_of_record, measure};

/// The manifest's name in the folder.
pub const FILE: &str = "manifest.json";

/// What the manifest of a record says that it is.
pub const RECORD: &str = "homecoming backup of the record, format 1";
/// What the manifest of keys says that it is.
pub const KEYS: &str = "homecoming backup of keys, format 1";

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`RECORD`] or [`KEYS`].
    pub what: String,
    /// When it was made, by the clock of the machine.
    pub made_at: String,
    /// The programme's name.
    pub programme: String,
    /// The name of its log.
    pub origin: String,
    /// How many entries the ledger has.
    pub size: u64,
    /// The signed checkpoint of these entries.
    pub checkpoint: String,
    /// Every file besides the manifest.
    pub files: Vec<Listed>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Its name, from the folder on.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

impl Listed {
    pub(super) fn of(name: &str, path: &Path) -> io::Result<Listed> {
        let (bytes, sha256) = measure(path)?;
        Ok(Listed {
            name: name.to_owned(),
            bytes,
            sha256,
        })
    }
}

impl Manifest {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Reads the manifest of a folder and holds every file against it.
    ///
    /// An error is a sentence that says what is wrong with the backup.
    pub fn check(folder: &Path, what: &str) -> Result<Manifest, String> {
        let bytes = std::fs::read(folder.join(FILE)).map_err(|_| {
            format!(
                "{} has no `{FILE}`: it is not a backup, or one that was never finished.",
                folder.display()
            )
        })?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| format!("`{FILE}` does not read: {error}."))?;
        if manifest.what != what {
            return Err(format!(
                "{} holds a {}, not a {what}.",
                folder.display(),
                manifest.what
            ));
        }
        for listed in &manifest.files {
            let name = &listed.name;
            let within = |part| matches!(part, std::path::Component::Normal(_));
            if !Path::new(name).components().all(within) {
                return Err(format!(
                    "`{FILE}` names {name:?}, which is not a file in it."
                ));
            }
            // The manifest is signed by nobody: what it might bring along besides is not taken.
            let is_of_it = match what {
                KEYS => is_of_keys(name),
                _ => is_of_record(name),
            };
            if !is_of_it {
                return Err(format!(
                    "`{FILE}` lists {name:?}, which no backup holds: somebody has put it there. Take it out of the \
                     manifest, or restore another backup."
                ));
            }
            let found = Listed::of(name, &folder.join(name))
                .map_err(|error| format!("`{name}` of the backup cannot be read: {error}."))?;
            if found != *listed {
                return Err(format!(
                    "`{name}` is not as the backup was made: {} bytes and SHA-256 {}, not {} bytes and {}.",
                    found.bytes, found.sha256, listed.bytes, listed.sha256
                ));
            }
        }
        Ok(manifest)
    }

    /// Whether a file is part of the backup.
    pub fn has(&self, name: &str) -> bool {
        self.files.iter().any(|listed| listed.name == name)
    }
}
