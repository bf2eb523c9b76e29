//! Backups: a consistent copy of a programme while it serves, the keys apart from the record.
//!
//! A backup of the record is a folder with the programme's files and a manifest. It is made beside
//! its place and renamed into it when everything is written, flushed and read back, so a backup
//! that was interrupted is never taken for one. It opens like a data directory: `homecoming audit`
//! reads it.
//!
//! The files are copied one after the other, each as of one moment, in an order that keeps what
//! refers behind what it refers to: cosigned checkpoints first, then the access log, then the
//! ledger, and the keyrings last, because they only grow. If keys were destroyed before the copy has
//! passed its audit, which opens it with the keys as they are then, everything is copied again: its
//! erasures and the keyring tell the same story.
//!
//! # What a backup of the keys holds, and what it must not
//!
//! The keyrings hold every content's key, each wrapped under the programme's wrapping key. An
//! erasure destroys keys and wraps the others under a new wrapping key, so an old copy of a keyring
//! opens nothing, unless somebody kept the old wrapping key as well. Therefore no backup ever
//! holds `programme.key` (the wrapping key) or `provider.key` (what unwraps it). The wrapping key
//! comes back from the machine, if that is still there, or from the shares in escrow.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use ledger::backup::Standing;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind};
use crate::programme::About;

pub mod copies;
pub mod manifest;
pub mod restore;

pub use manifest::{Listed, Manifest};

/// SQLite files that a backup holds where they are there, in the order in which they are copied.
/// What refers comes before what it refers to.
const DATABASES: [&str; 4] = [
    "witnessed.sqlite",
    "access.sqlite",
    "desk.sqlite",
    "ledger.sqlite",
];

/// Other files that a backup holds where they are there.
const PLAIN: [&str; 2] = ["programme.json", ledger::witnessed::POLICY];

/// The keys that a backup of keys never holds: with them an old keyring would open what was erased.
const NEVER: [&str; 2] = ["programme.key", "provider.key"];

/// The keyrings: everything that an erasure rewrites.
const KEYRINGS: [&str; 3] = ["ledger.keyring", "access.keyring", "desk.keyring"];

/// Whether a file of this name is one that a backup of the record holds.
fn is_of_record(name: &str) -> bool {
    DATABASES.contains(&name) || PLAIN.contains(&name)
}

/// Whether a file of this name is one that a backup of the keys holds.
fn is_of_keys(name: &str) -> bool {
    let name = name.strip_prefix("keys/");
    name.is_some_and(|name| !name.contains('/') && is_key(name))
}

/// Whether a file of this name in `keys` goes into a backup of the keys.
fn is_key(name: &str) -> bool {
    !NEVER.contains(&name) && (name.ends_with(".key") || KEYRINGS.contains(&name))
}

/// How often everything is copied because keys were destroyed meanwhile.
const TRIES: u32 = 4;

/// What was made.
#[derive(Debug)]
pub struct Made {
    /// What lies in the backup of the record.
    pub manifest: Manifest,
    /// What lies in the backup of the keys, if one was made.
    pub keys: Option<Manifest>,
}

/// A folder on its way to its place.
struct Partial {
    at: PathBuf,
    to: PathBuf,
}

impl Partial {
    /// Beside `to`, where there must be nothing yet. What an interrupted run left there goes.
    fn begin(to: &Path) -> Result<Partial, Error> {
        if to.exists() {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!(
                    "{} is there already. Each backup is a folder of its own.",
                    to.display()
                ),
            ));
        }
        let mut at = to.to_path_buf();
        at.as_mut_os_string().push(".partial");
        if at.exists() {
            fs::remove_dir_all(&at).map_err(|error| cannot(&at, error))?;
        }
        fs::create_dir_all(&at).map_err(|error| cannot(&at, error))?;
        Ok(Partial {
            at,
            to: to.to_path_buf(),
        })
    }

    /// Takes away what is in it.
    fn empty(&self) -> Result<(), Error> {
        fs::remove_dir_all(&self.at)
            .and_then(|()| fs::create_dir_all(&self.at))
            .map_err(|error| cannot(&self.at, error))
    }

    /// Writes the manifest, flushes everything, and only then gives it its name.
    fn finish(self, manifest: &Manifest) -> Result<(), Error> {
        let done = || -> io::Result<()> {
            let mut file = File::create(self.at.join(manifest::FILE))?;
            file.write_all(&manifest.to_bytes())?;
            file.sync_all()?;
            File::open(&self.at)?.sync_all()?;
            fs::rename(&self.at, &self.to)?;
            match self.to.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
                _ => File::open(".")?.sync_all(),
            }
        };
        done().map_err(|error| cannot(&self.to, error))
    }
}

/// Makes a backup of the record in `to`, and of the keys in `keys_to`. `check` reads the copy back
/// before it gets its name; what it says stops the backup.
pub fn make(
    data: &Path,
    to: &Path,
    keys_to: Option<&Path>,
    made_at: &str,
    check: &mut dyn FnMut(&Path) -> Result<(), Error>,
) -> Result<Made, Error> {
    if let Some(keys_to) = keys_to
        && (keys_to.starts_with(to) || to.starts_with(keys_to))
    {
        return Err(Error::new(
            ErrorKind::Malformed,
            "The keys and the record must not lie in one place: whoever finds both can read \
             everything. Choose a folder for the keys elsewhere.",
        ));
    }
    let record = Partial::begin(to)?;
    let keys = keys_to.map(Partial::begin).transpose()?;
    checked_copy(data, &record, keys.as_ref(), check)?;
    let standing = Standing::of(&record.at).map_err(Error::open)?;
    let about = About::read(&record.at)?;
    let manifest = Manifest {
        what: manifest::RECORD.to_owned(),
        made_at: made_at.to_owned(),
        programme: about.name,
        origin: standing.origin,
        size: standing.size,
        checkpoint: standing.checkpoint,
        files: list(&record.at, is_of_record)?,
    };
    let keys_manifest = match &keys {
        None => None,
        Some(keys) => Some(Manifest {
            what: manifest::KEYS.to_owned(),
            files: list(&keys.at, is_of_keys)?,
            ..manifest.clone()
        }),
    };
    if let (Some(keys), Some(manifest)) = (keys, &keys_manifest) {
        keys.finish(manifest)?;
    }
    record.finish(&manifest)?;
    Ok(Made {
        manifest,
        keys: keys_manifest,
    })
}

/// Copies everything and has the copy checked; again, if keys were destroyed before that was over: then the copy may
/// have been opened with fewer keys than it needs, and its keyrings are worth nothing any more.
fn checked_copy(
    data: &Path,
    record: &Partial,
    keys: Option<&Partial>,
    check: &mut dyn FnMut(&Path) -> Result<(), Error>,
) -> Result<(), Error> {
    for _ in 0..TRIES {
        let wrapped = wrapping(data)?;
        copy_all(data, &record.at, keys.map(|keys| keys.at.as_path()))?;
        let checked = match wrapping(data)? == wrapped {
            true => check(&record.at),
            false => Ok(()),
        };
        if wrapping(data)? == wrapped {
            return checked;
        }
        record.empty()?;
        keys.map_or(Ok(()), Partial::empty)?;
    }
    Err(Error::new(
        ErrorKind::Unavailable,
        "Keys are being destroyed while the backup is made. Try again when that is over.",
    ))
}

fn copy_all(data: &Path, to: &Path, keys_to: Option<&Path>) -> Result<(), Error> {
    for name in DATABASES.iter().filter(|name| **name != "ledger.sqlite") {
        copy_database(data, to, name)?;
    }
    for name in PLAIN {
        let from = data.join(name);
        if from.exists() {
            copy_file(&from, &to.join(name))?;
        }
    }
    copy_database(data, to, "ledger.sqlite")?;
    match keys_to {
        Some(keys_to) => copy_keys(data, &keys_to.join("keys")),
        None => Ok(()),
    }
}

/// What changes when keys are destroyed: the wrapped wrapping key.
fn wrapping(data: &Path) -> Result<Option<Vec<u8>>, Error> {
    let file = data.join("keys").join("programme.key");
    match fs::read(&file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot(&file, error)),
    }
}

fn copy_database(data: &Path, to: &Path, name: &str) -> Result<(), Error> {
    let from = data.join(name);
    if !from.exists() {
        // The ledger must be there; the others may not have come into being yet.
        return match name {
            "ledger.sqlite" => Err(Error::open(ledger::store::OpenError::Missing)),
            _ => Ok(()),
        };
    }
    ledger::backup::copy(&from, &to.join(name)).map_err(Error::open)
}

fn copy_keys(data: &Path, to: &Path) -> Result<(), Error> {
    let folder = data.join("keys");
    fs::create_dir_all(to).map_err(|error| cannot(to, error))?;
    for file in fs::read_dir(&folder).map_err(|error| cannot(&folder, error))? {
        let file = file.map_err(|error| cannot(&folder, error))?;
        let name = file.file_name();
        let Some(name) = name.to_str() else { continue };
        if is_key(name) {
            let to = to.join(name);
            let _ = fs::remove_file(&to);
            copy_file(&file.path(), &to)?;
        }
    }
    Ok(())
}

/// Copies a file with its mode, and flushes the copy.
pub(crate) fn copy_file(from: &Path, to: &Path) -> Result<(), Error> {
    let copy = || -> io::Result<()> {
        fs::copy(from, to)?;
        File::open(to)?.sync_all()
    };
    copy().map_err(|error| cannot(to, error))
}

/// Every file of a folder and of the folders in it, as it lies on the disk.
fn list(folder: &Path, is_of_it: fn(&str) -> bool) -> Result<Vec<Listed>, Error> {
    fn walk(folder: &Path, prefix: &str, files: &mut Vec<Listed>) -> io::Result<()> {
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            let name = format!("{prefix}{name}");
            match path.is_dir() {
                true => walk(&path, &format!("{name}/"), files)?,
                false => files.push(Listed::of(&name, &path)?),
            }
        }
        File::open(folder)?.sync_all()
    }
    let mut files = Vec::new();
    walk(folder, "", &mut files).map_err(|error| cannot(folder, error))?;
    // What whoever read the copy back left beside it is not part of it.
    files.retain(|listed| is_of_it(&listed.name));
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Length and SHA-256 of a file.
fn measure(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut length = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        length += read as u64;
    }
    let hex = hasher
        .finalize()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    Ok((length, hex))
}

pub(crate) fn cannot(path: &Path, error: io::Error) -> Error {
    Error::new(
        ErrorKind::Internal,
        format!("{} cannot be read or written: {error}.", path.display()),
    )
}
