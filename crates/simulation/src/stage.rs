//! Where seeds are played: a folder for the few things that are not simulated, and a new ledger to begin each with.
//!
//! The databases, their write-ahead logs and the keyrings lie on the simulated disk. The rest lies in a real folder, in
//! memory where the system has a place for that: the lock, the logs' keys and the key of the aliases, empty files by
//! which the ledger sees that there is one, and the real index in the few seeds that play it. None of these but the
//! index is written while a seed is played.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tlog::note::SigningKey;

use crate::chance::Chance;
use crate::disk::{Disk, Image, Lies};
use crate::vfs::{self, Mounted};
use crate::witness;

/// How many keys of contents there are before the first is needed.
const BLANK_KEYS: u32 = 5;

/// The files in `keys` that are written while a ledger is in use; they lie on the simulated disk.
const KEY_FILES: [&str; 4] = [
    "provider.key",
    "programme.key",
    "ledger.keyring",
    "access.keyring",
];

/// A place to play seeds in, one after the other. Threads have one each.
#[derive(Debug)]
pub struct Stage {
    folder: Folder,
    /// A ledger in which nothing was recorded yet.
    new: Image,
    /// The disk of a witness that has cosigned nothing of the record; and of one that follows the access log too.
    witnesses: [Image; 2],
    /// What the record's checkpoints are signed with.
    log_key: SigningKey,
}

/// A folder that goes with its value.
#[derive(Debug)]
struct Folder(PathBuf);

impl Stage {
    /// Makes a place, and the new ledger that every seed begins with: the same for all places.
    pub fn new() -> Result<Stage, String> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let memory = Path::new("/dev/shm");
        let base = match memory.is_dir() {
            true => memory.to_owned(),
            false => std::env::temp_dir(),
        };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("homecoming-simulation-{}-{number}", std::process::id());
        let folder = Folder(base.join(name));
        std::fs::create_dir_all(&folder.0).map_err(|e| format!("the folder: {e}"))?;
        let mut chance = Chance::new(0);
        let nothing = Image::default();
        let disk = Arc::new(Disk::new(&nothing, chance.split(), Lies::default()));
        let mounted = vfs::mount(&folder.0, disk.clone());
        let origin = "simulated.example/log";
        let keys = ledger::create(&folder.0, origin, None, &mut |bytes| chance.fill(bytes))
            .map_err(|e| format!("a new ledger: {e}"))?;
        // Few enough that many seeds need more, which is a part of a commit that can fail.
        keys.ledger()
            .reserve(BLANK_KEYS, &mut |bytes| chance.fill(bytes))
            .map_err(|e| format!("new keys: {e}"))?;
        drop(mounted);
        let mut new = disk.image();
        for name in KEY_FILES {
            let path = folder.0.join("keys").join(name);
            let bytes = std::fs::read(path).map_err(|e| format!("the keys: {e}"))?;
            new.add(&format!("keys/{name}"), bytes);
        }
        let log_key = folder.key("log.key")?;
        let logs = [
            log_key.verifier().clone(),
            folder.key("access.key")?.verifier().clone(),
        ];
        let witnesses = [witness::new_image(&logs[..1])?, witness::new_image(&logs)?];
        for name in ["ledger.sqlite", "access.sqlite"] {
            std::fs::write(folder.0.join(name), []).map_err(|e| format!("the folder: {e}"))?;
        }
        Ok(Stage {
            folder,
            new,
            witnesses,
            log_key,
        })
    }

    /// A disk with the new ledger on it, found by whoever opens the ledger in [`Stage::folder`].
    pub(crate) fn set(&self, chance: Chance, lies: Lies) -> (Arc<Disk>, Mounted) {
        self.set_with(&self.new, chance, lies)
    }

    /// The same with another disk.
    pub(crate) fn set_with(
        &self,
        image: &Image,
        chance: Chance,
        lies: Lies,
    ) -> (Arc<Disk>, Mounted) {
        let disk = Arc::new(Disk::new(image, chance, lies));
        let mounted = vfs::mount(&self.folder.0, disk.clone());
        (disk, mounted)
    }

    /// What the record's checkpoints are signed with.
    pub(crate) fn log_key(&self) -> &SigningKey {
        &self.log_key
    }

    /// The disk of a witness that has cosigned nothing; of one that follows the access log too, or the record alone.
    pub(crate) fn witness(&self, both: bool) -> &Image {
        &self.witnesses[usize::from(both)]
    }

    /// The ledger's data directory.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder.0
    }
}

impl Folder {
    fn key(&self, file: &str) -> Result<SigningKey, String> {
        let text = std::fs::read_to_string(self.0.join("keys").join(file))
            .map_err(|e| format!("the keys: {e}"))?;
        SigningKey::parse(text.trim_end()).map_err(|e| format!("a log's key: {e}"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is in memory, and small.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
