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
//! away ([`forget`]) before and after, and an audit that runs meanwhile says that it has to be done again. The keys are
//! read again after the size that is asked about erasures, and after the folder is there: so an erasure is in the
//! keys, or it leaves its last step behind that size and takes the folder.
//!
//! # After an interruption
//!
//! | what is left | is taken up if |
//! |---|---|
//! | the index that was being made, up to its last sorted run | it was made by the same definitions from this log, whose first entries give the same root as then, and nobody was erased since it was begun |
//! | how far the comparison came, and what it found (`compared`) | besides, no entry was recorded since, and the files of the index are those that were compared: nothing was written to it, merged, or made anew |
//!
//! Otherwise that part is done from the beginning. Whoever can write to the folder can make an audit pass what it
//! does not look at again, so the report says how much that was, and `--fresh` takes nobody's word.

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use index::{Index, Limits, Place, Snapshot, Stride, Told};
use ledger::{Keys, Ledger};

use super::{erase, replay};
use crate::error::Error;

/// The folder in the data directory.
const FOLDER: &str = "index.audit";
/// Its name while it is taken away, so that nobody makes a file in it meanwhile.
const ASIDE: &str = "index.audit.gone";
/// How often taking away is tried again when whoever was making a file in it was not done.
const TRIES: u32 = 20;
/// Why an audit is to be done again.
const ERASED: &str = "Something was erased while the index was read. Audit it again.";
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
        /// How many keys were compared in this run.
        keys: u64,
        /// How many bytes the index's files have.
        bytes: u64,
        /// The index was made from the entries before this by an earlier run that was interrupted; 0 if there was
        /// none.
        resumed_at: u64,
        /// Whether some maps, or a part of one, were compared by that run.
        part_compared: bool,
        /// Where it is not what the ledger gives: a sentence each, the first so many.
        differences: Vec<String>,
        /// How many there are besides those.
        more: u64,
    },
}

/// How an audit of the index is done.
#[derive(Clone, Copy, Debug, Default)]
pub struct IndexHow {
    /// Makes and compares everything, whatever an interrupted run had done.
    pub fresh: bool,
    /// What is lost of the making if it is interrupted.
    pub runs: Limits,
    /// What is lost of the comparison.
    pub stride: Stride,
}

/// Compares the index with what the ledger gives. `progress` is told the entries reached and the entries
/// in all. An error is one of the ledger.
pub fn audit_index(
    data: &Path,
    keys: Keys,
    how: IndexHow,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Indexed, Error> {
    let Some(scratch) = Scratch::take(data, how.fresh) else {
        return Ok(Indexed::Not(format!(
            "The folder `{FOLDER}` in the data directory cannot be made, or another audit is using it."
        )));
    };
    let asked = Ledger::open(data, 1, keys.clone()).map_err(Error::open)?;
    let before = asked.size().map_err(Error::ledger)?;
    let keys = match keys.reopened() {
        Ok(keys) => keys,
        Err(error) => {
            return Ok(Indexed::Not(format!(
                "The keys cannot be read again: {error}."
            )));
        }
    };
    let ledger = Ledger::open(data, 1, keys).map_err(Error::open)?;
    let mut compared = Compared {
        how,
        before,
        sizes: (0, 0),
        keys: 0,
        bytes: 0,
        resumed_at: 0,
        part_compared: false,
        differences: Vec::new(),
        more: 0,
    };
    let outcome = compared.run(data, &scratch, &ledger, progress);
    let outcome = match scratch.still(data) {
        Ok(()) => outcome?,
        // Whatever else it was that did not go.
        Err(why) => return Ok(Indexed::Not(why)),
    };
    // It came to an end: nothing is left to go on with.
    let _ = scratch.remove();
    if let Err(why) = outcome {
        return Ok(Indexed::Not(why));
    }
    if !compared.differences.is_empty() && erased_since(&ledger, before)? {
        return Ok(Indexed::Not(ERASED.to_owned()));
    }
    let (covered, size) = compared.sizes;
    Ok(Indexed::Compared {
        covered,
        size,
        keys: compared.keys,
        bytes: compared.bytes,
        resumed_at: compared.resumed_at,
        part_compared: compared.part_compared,
        differences: compared.differences,
        more: compared.more,
    })
}

/// Takes away what an audit that was killed, or one that is running, has copied of the index.
pub(super) fn forget(data: &Path) -> std::io::Result<()> {
    let aside = data.join(ASIDE);
    // Where this was stopped the last time.
    remove_surely(&aside)?;
    match fs::rename(data.join(FOLDER), &aside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Err(_) => Ok(()),
        Ok(()) => remove_surely(&aside),
    }
}

/// Takes a folder away that somebody may be making a last file in.
fn remove_surely(folder: &Path) -> std::io::Result<()> {
    let mut tries = 1;
    loop {
        match remove(folder) {
            Err(error) if tries == TRIES => return Err(error),
            Err(_) => tries += 1,
            Ok(()) => return Ok(()),
        }
    }
}

/// The audit's own folder. What an interrupted audit leaves in it the next one goes on with; one that came to its end
/// leaves nothing.
struct Scratch {
    folder: PathBuf,
    lock: File,
}

impl Scratch {
    fn take(data: &Path, fresh: bool) -> Option<Scratch> {
        let folder = data.join(FOLDER);
        if let Ok(lock) = File::open(folder.join("lock")) {
            lock.try_lock().ok()?;
        }
        remove_surely(&data.join(ASIDE)).ok()?;
        // The files of the index are copied anew in any case.
        let kept = !fresh && remove(&folder.join(FOUND)).is_ok();
        if !kept {
            forget(data).ok()?;
        }
        fs::create_dir_all(&folder).ok()?;
        let lock = File::create(folder.join("lock")).ok()?;
        lock.try_lock().ok()?;
        Some(Scratch { folder, lock })
    }

    /// Whether the folder is still this audit's. Whoever erases takes it away, and what is made in one of that name
    /// after that is taken away here.
    fn still(&self, data: &Path) -> Result<(), String> {
        let there = File::open(self.at("lock"));
        let is_mine = there
            .as_ref()
            .is_ok_and(|there| is_same(there, &self.lock).unwrap_or(false));
        if is_mine {
            return Ok(());
        }
        // Unless another audit has begun since.
        if there.is_err() {
            forget(data).map_err(|error| {
                format!("{ERASED} Take the folder `{FOLDER}` away first, which cannot be removed: {error}.")
            })?;
        }
        Err(ERASED.to_owned())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// How many entries the index that an interrupted run was making was made for, if it can be gone on with; it and
    /// what was compared with it are taken away otherwise.
    fn take_up(&self, ledger: &Ledger, fingerprint: u64) -> Result<Option<Begun>, Error> {
        let begun = match fs::read_to_string(self.at(BEGUN)) {
            Ok(text) => Begun::of(&text, ledger, fingerprint)?,
            Err(_) => None,
        };
        if begun.is_none() {
            for left in [EXPECTED, COMPARED, BEGUN] {
                // What stays is found out when the index is made.
                let _ = remove(&self.at(left));
            }
        }
        Ok(begun)
    }

    /// Replaces a small file as a whole.
    fn write(&self, name: &str, text: &str) -> std::io::Result<()> {
        let new = self.at("new");
        fs::write(&new, text)?;
        fs::rename(new, self.at(name))
    }

    fn remove(self) -> std::io::Result<()> {
        // What stays is taken away by the next audit or erasure.
        fs::remove_dir_all(&self.folder)
    }
}

/// The copy of the index's files, in the folder.
const FOUND: &str = "found";
/// The index that the ledger gives.
const EXPECTED: &str = "expected";
/// What that one is made from.
const BEGUN: &str = "begun";
/// How far the two were compared.
const COMPARED: &str = "compared";

#[cfg(unix)]
fn is_same(one: &File, other: &File) -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let (one, other) = (one.metadata()?, other.metadata()?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

#[cfg(not(unix))]
fn is_same(_: &File, _: &File) -> std::io::Result<bool> {
    // Here a file that is open cannot be taken away.
    Ok(true)
}

/// Takes a folder or a file away, if it is there.
fn remove(path: &Path) -> std::io::Result<()> {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What an index is made from.
#[derive(Clone, Copy)]
struct Begun {
    /// How many entries there were before the keys were read that it was begun with.
    since: u64,
    /// How many it is made for.
    size: u64,
}

impl Begun {
    /// In words that no other log or history has.
    fn text(self, ledger: &Ledger, fingerprint: u64) -> Result<String, Error> {
        let root = ledger.root_at(self.size).map_err(Error::ledger)?;
        Ok(format!(
            "homecoming index audit 1\norigin {}\ndefinitions {fingerprint:016x}\nsince {}\nsize {}\nroot {}\n",
            ledger.origin(),
            self.since,
            self.size,
            URL_SAFE_NO_PAD.encode(root)
        ))
    }

    /// Reads what [`text`](Begun::text) gave, if it is of this log and history, and nobody was erased since.
    fn of(text: &str, ledger: &Ledger, fingerprint: u64) -> Result<Option<Begun>, Error> {
        let number = |name: &str| -> Option<u64> {
            let mut values = text.lines().filter_map(|line| line.strip_prefix(name));
            values.next()?.parse().ok()
        };
        let (Some(since), Some(size)) = (number("since "), number("size ")) else {
            return Ok(None);
        };
        let begun = Begun { since, size };
        let there = ledger.size().map_err(Error::ledger)?;
        let is_ours = since <= size && size <= there && begun.text(ledger, fingerprint)? == text;
        Ok(match is_ours && !erased_since(ledger, since)? {
            true => Some(begun),
            false => None,
        })
    }
}

struct Compared {
    how: IndexHow,
    /// How many entries there were before the keys were read.
    before: u64,
    /// How many entries the index's files cover, and for how many it is compared.
    sizes: (u64, u64),
    keys: u64,
    bytes: u64,
    resumed_at: u64,
    part_compared: bool,
    differences: Vec<String>,
    more: u64,
}

impl Compared {
    /// Compares, or says why it cannot be done.
    fn run(
        &mut self,
        data: &Path,
        scratch: &Scratch,
        ledger: &Ledger,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Result<(), String>, Error> {
        let fingerprint = record::search::parameters().fingerprint();
        let found = scratch.at(FOUND);
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
                return Ok(Ok(()));
            }
            Err(error) if is_missing(&error) => {
                self.say("one of its files is missing".to_owned());
                return Ok(Ok(()));
            }
            Err(error) => {
                return Ok(Err(format!("The index's files cannot be copied: {error}.")));
            }
        };
        if let Err(why) = scratch.still(data) {
            return Ok(Err(why));
        }
        let generation = index::generation(&found).map_err(Error::index)?;
        // Read after the files were: the index never holds what the ledger has not.
        let size = ledger.size().map_err(Error::ledger)?;
        self.sizes = (covered, size);
        if covered > size {
            self.say(format!(
                "it covers {covered} entries, and the ledger has {size}"
            ));
            return Ok(Ok(()));
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let begun = scratch.take_up(ledger, fingerprint)?;
        let expected = Index::open(&scratch.at(EXPECTED), fingerprint).map_err(Error::index)?;
        // Opening makes the folders that are not there.
        if let Err(why) = scratch.still(data) {
            return Ok(Err(why));
        }
        self.resumed_at = expected.applied();
        let since = match begun {
            Some(begun) if self.resumed_at > 0 => begun.since,
            _ => self.before,
        };
        let begun = Begun { since, size }.text(ledger, fingerprint)?;
        // Whoever may not write here only cannot resume.
        let _ = scratch.write(BEGUN, &begun);
        // The engine panics on what a sound ledger never gives.
        let made = catch_unwind(AssertUnwindSafe(|| {
            let runs = self.how.runs;
            replay::catch_up_within(ledger, &expected, cores, size, runs, &mut |reached| {
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
                return Ok(Ok(()));
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
        self.bytes = found.disk_bytes();
        // It says the size and the root, so with the generation it says what was compared with what.
        let of = format!("{begun}generation {generation:016x}\n");
        let from = self.take_up(scratch, &of);
        self.part_compared = from.is_some();
        let stride = self.how.stride;
        found
            .compare(&expected, from.as_ref(), stride, &mut |told| match told {
                Told::Difference(difference) => self.say(difference.to_string()),
                Told::Reached(place, keys) => {
                    self.keys += keys;
                    // Whoever may not write here only cannot resume.
                    let _ = scratch.write(COMPARED, &self.text(&of, &place));
                    progress(size, size);
                }
            })
            .map_err(Error::index)?;
        Ok(Ok(()))
    }

    /// How far was compared, and what was found, to be kept.
    fn text(&self, of: &str, place: &Place) -> String {
        let mut text = format!(
            "{of}place {}\nmore {}\n",
            URL_SAFE_NO_PAD.encode(place.to_bytes()),
            self.more
        );
        for difference in &self.differences {
            text.push_str("difference ");
            text.push_str(difference);
            text.push('\n');
        }
        text.push_str("end\n");
        text
    }

    /// Takes up how far an interrupted run compared the same files with the same index, and what it found.
    fn take_up(&mut self, scratch: &Scratch, of: &str) -> Option<Place> {
        let text = fs::read_to_string(scratch.at(COMPARED)).ok()?;
        let mut lines = text.strip_prefix(of)?.strip_suffix("end\n")?.lines();
        let place = lines.next()?.strip_prefix("place ")?;
        let place = Place::from_bytes(&URL_SAFE_NO_PAD.decode(place).ok()?)?;
        let more = lines.next()?.strip_prefix("more ")?.parse().ok()?;
        let differences = lines
            .map(|line| Some(line.strip_prefix("difference ")?.to_owned()))
            .collect::<Option<Vec<String>>>()?;
        // What this run has said of the files, the run before it said first.
        (self.differences, self.more) = (differences, more);
        Some(place)
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

/// Whether a step of an erasure was recorded since, or what may be one and cannot be read.
fn erased_since(ledger: &Ledger, before: u64) -> Result<bool, Error> {
    for position in before..ledger.size().map_err(Error::ledger)? {
        let entry = ledger.entry(position).map_err(Error::ledger)?;
        if entry.is_some_and(|entry| entry.kind == "Task") {
            let is_other = ledger
                .content(position)
                .is_ok_and(|content| ledger::erasure::Act::read(&content.stored).is_none());
            if !is_other {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
