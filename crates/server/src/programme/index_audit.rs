//! Holds the index against the ledger: every map, every key, in both ways. For `homecoming audit`.
//!
//! Nothing of the index that is served is opened or changed. Its files are linked into a folder of the
//! audit's own, which can be done beside a running server, because a table never changes once it is
//! there. Beside them an index is made anew from the ledger, by the way that `homecoming rebuild` makes
//! one; then the two are compared to the byte ([`Index::compare`]).
//!
//! | what the files hold | what is done |
//! |---|---|
//! | the first so many entries, as `cover` says | compared |
//! | entries after those, in some maps and not in others | applied again, as after a crash, and compared |
//! | what a running server has in memory alone | nothing: it is in the files some thousand entries later |
//!
//! The folder holds values that searches need, so it must not outlive an erasure: whoever erases takes it
//! away ([`forget`]), and an audit that runs meanwhile says that it has to be done again.

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use index::{Index, Snapshot};
use ledger::{Keys, Ledger};

use super::{erase, replay};
use crate::error::Error;

/// The folder in the data directory.
const FOLDER: &str = "index.audit";
/// Differences that are listed; of more only the number is said.
const LISTED_MAX: usize = 200;

/// What holding the index against the ledger came to.
#[derive(Debug)]
pub enum Indexed {
    /// It was not done, for this reason: a sentence.
    Not(String),
    /// It was done.
    Compared {
        /// How many entries the index's files cover.
        covered: u64,
        /// How many entries it was compared for.
        size: u64,
        /// Where it is not what the ledger gives: a sentence each, the first so many.
        differences: Vec<String>,
        /// How many there are besides those.
        more: u64,
    },
}

/// Compares the index with what the ledger gives. `progress` is told the entries reached and the entries
/// in all. An error is one of the ledger.
pub fn audit_index(
    data: &Path,
    keys: Keys,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Indexed, Error> {
    let Some(scratch) = Scratch::take(data) else {
        return Ok(Indexed::Not(format!(
            "The folder `{FOLDER}` in the data directory cannot be made, or another audit is using it."
        )));
    };
    let ledger = Ledger::open(data, 1, keys).map_err(Error::open)?;
    let before = ledger.size().map_err(Error::ledger)?;
    let mut compared = Compared {
        differences: Vec::new(),
        more: 0,
    };
    let outcome = compared.run(data, &scratch, &ledger, progress)?;
    let (covered, size) = match outcome {
        Ok(sizes) => sizes,
        Err(why) => return Ok(Indexed::Not(why)),
    };
    if !compared.differences.is_empty() && erased_since(&ledger, before)? {
        return Ok(Indexed::Not(
            "Something was erased while the index was read. Audit it again.".to_owned(),
        ));
    }
    Ok(Indexed::Compared {
        covered,
        size,
        differences: compared.differences,
        more: compared.more,
    })
}

/// Takes away what an audit that was killed, or one that is running, has copied of the index.
pub(super) fn forget(data: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(data.join(FOLDER)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The audit's own folder, gone when it is done.
struct Scratch {
    folder: PathBuf,
    _lock: File,
}

impl Scratch {
    fn take(data: &Path) -> Option<Scratch> {
        let folder = data.join(FOLDER);
        if let Ok(lock) = File::open(folder.join("lock")) {
            lock.try_lock().ok()?;
        }
        forget(data).ok()?;
        fs::create_dir(&folder).ok()?;
        let lock = File::create(folder.join("lock")).ok()?;
        lock.try_lock().ok()?;
        Some(Scratch {
            folder,
            _lock: lock,
        })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is taken away by the next audit, start or erasure.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

struct Compared {
    differences: Vec<String>,
    more: u64,
}

impl Compared {
    /// The sizes that were covered and compared, or why it cannot be compared.
    fn run(
        &mut self,
        data: &Path,
        scratch: &Scratch,
        ledger: &Ledger,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Result<(u64, u64), String>, Error> {
        let fingerprint = record::search::parameters().fingerprint();
        let found = scratch.folder.join("found");
        let covered = match index::snapshot(&data.join("index"), &found, fingerprint) {
            Ok(Snapshot::Of(size)) => size,
            Ok(Snapshot::None) => {
                return Ok(Err(
                    "There is no index here: the next start makes it from the ledger.".to_owned(),
                ));
            }
            Ok(Snapshot::Other) => {
                return Ok(Err(
                    "The index was made by another version of the program: the next start makes it anew."
                        .to_owned(),
                ));
            }
            Err(index::Error::Corrupt(what)) => {
                self.say(format!("its {what} cannot be read"));
                return Ok(Ok((0, 0)));
            }
            Err(error) if is_missing(&error) => {
                self.say("one of its files is missing".to_owned());
                return Ok(Ok((0, 0)));
            }
            Err(error) => {
                return Ok(Err(format!("The index's files cannot be copied: {error}.")));
            }
        };
        // Read after the files were: the index never holds what the ledger has not.
        let size = ledger.size().map_err(Error::ledger)?;
        if covered > size {
            self.say(format!(
                "it covers {covered} entries, and the ledger has {size}"
            ));
            return Ok(Ok((covered, size)));
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let expected = scratch.folder.join("expected");
        let expected = Index::open(&expected, fingerprint).map_err(Error::index)?;
        // The engine panics on what a sound ledger never gives.
        let made = catch_unwind(AssertUnwindSafe(|| {
            replay::catch_up(ledger, &expected, cores, size, &mut |reached| {
                progress(reached, size);
            })
        }));
        match made {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Ok(Err(error.message)),
            Err(_) => {
                return Ok(Err("No index can be made from this ledger.".to_owned()));
            }
        }
        let least = super::erasure_delay_least(ledger.origin());
        if !erase::unfinished(ledger, &expected, least)?.is_empty() {
            return Ok(Err(
                "An erasure is being carried out, and takes its values out of the index. Audit it again afterwards."
                    .to_owned(),
            ));
        }
        let found = match Index::open(&found, fingerprint) {
            Ok(found) if *found.opened() == index::Opened::Kept => found,
            _ => {
                self.say("its files are damaged and do not open".to_owned());
                return Ok(Ok((covered, size)));
            }
        };
        // The engine panics on some damage.
        let caught_up = catch_unwind(AssertUnwindSafe(|| {
            replay::catch_up(ledger, &found, cores, size, &mut |_| {})
        }));
        if !matches!(caught_up, Ok(Ok(()))) {
            self.say(format!(
                "what was recorded since its first {covered} entries cannot be added to it"
            ));
        }
        found
            .compare(&expected, &mut |difference| {
                self.say(difference.to_string())
            })
            .map_err(Error::index)?;
        Ok(Ok((covered, size)))
    }

    fn say(&mut self, difference: String) {
        match self.differences.len() < LISTED_MAX {
            true => self.differences.push(format!("The index: {difference}")),
            false => self.more += 1,
        }
    }
}

fn is_missing(error: &index::Error) -> bool {
    let source = std::error::Error::source(error);
    source
        .and_then(|source| source.downcast_ref::<std::io::Error>())
        .is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// Whether a step of an erasure may have been recorded since.
fn erased_since(ledger: &Ledger, before: u64) -> Result<bool, Error> {
    for position in before..ledger.size().map_err(Error::ledger)? {
        let entry = ledger.entry(position).map_err(Error::ledger)?;
        if entry.is_some_and(|entry| entry.kind == "Task") {
            return Ok(true);
        }
    }
    Ok(false)
}
