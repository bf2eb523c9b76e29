//! Restoring a backup: never behind what anybody can prove was there, unless told so in words.
//!
//! A record that goes back loses what was recorded since the backup. Whoever kept a checkpoint can prove that, and no
//! witness signs that log again. So first everything is gathered that is [`known`] of how far the programme's logs
//! went, and a witness that cannot be asked stops the restore, unless it is left out by name. Then one list is made of
//! what would be [lost](losses): entries, and keys of persons that are destroyed while nothing in the backup says why.
//! If there is anything in it, whoever restores says in words what happened and who decided, and names each of the
//! losses; these words become an entry, and the record goes on as another log ([`ledger::generation`]). A backup whose
//! entries are not those that were signed for is never restored: that is not an older record but another one.
//!
//! Everything is put together beside its [`place`], audited there as `homecoming audit` does it, and gets its name at the
//! end. Faults of the record's entries and contents stop it; so do those of the access log and of erasures, unless they
//! are taken over in words as what is lost is: what an officer once did past the rules must not be the end of a programme. What lay there before
//! is kept under another name, without the wrapping key.

use std::path::{Path, PathBuf};

use ledger::audit::{Fault, How, Report};
use ledger::backup::Standing;
use ledger::generation::{self, Begun};
use ledger::lock::Lock;
use ledger::witnessed::{LogName, Witnessed};

use super::manifest::{self, Manifest};
use super::{KEYRINGS, cannot, copy_file};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::erasure::review;
use crate::error::{Error, ErrorKind};
use crate::programme::{Actor, Batch, Draft, Expect, Offline};

mod entry;
pub mod known;
pub mod losses;
pub mod place;

use entry::Told;
pub use known::{AskWitnesses, Knowledge};
pub use losses::{Beside, Losses};
use place::Unfinished;
pub use place::{Before, put_back};

/// What is to be restored, and what is known besides.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The backup of the record.
    pub from: &'a Path,
    /// A backup of the keys, or a directory whose `keys` are still there.
    pub keys_from: Option<&'a Path>,
    /// Where it goes.
    pub data: &'a Path,
    /// Checkpoints that somebody kept.
    pub cosigned: &'a [PathBuf],
    /// The witnesses that are left out if they cannot be asked.
    pub without_asking: &'a [String],
    /// What happened and who decided, if something is to be given up.
    pub lose: Option<&'a str>,
    /// The passphrase of the keys, if they have one.
    pub passphrase: Option<&'a [u8]>,
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// How many entries the record has now.
    pub size: u64,
    /// What was known before.
    pub knowledge: Knowledge,
    /// What was given up.
    pub losses: Losses,
    /// The log that begins, if anything was given up.
    pub begun: Option<Begun>,
    /// What lay there before.
    pub before: Option<Before>,
}

/// Why nothing was restored.
#[derive(Debug)]
pub enum Refused {
    /// It cannot be done; a sentence.
    Error(Error),
    /// The backup does not pass its audit.
    Faults(Vec<Fault>),
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Refused {
        Refused::Error(error.into())
    }
}

/// Restores a backup. `ask` asks witnesses what they know.
pub fn restore(
    asked: &Asked<'_>,
    clock: &Clock,
    chance: &Chance,
    ask: &mut AskWitnesses<'_>,
) -> Result<Restored, Refused> {
    let manifest = Manifest::check(asked.from, manifest::RECORD).map_err(refuse)?;
    let keys = keys_folder(asked)?;
    let standing = Standing::of(asked.from).map_err(Error::open)?;
    if (standing.size, &standing.checkpoint) != (manifest.size, &manifest.checkpoint) {
        return Err(refuse("The manifest is not of the ledger beside it.".to_owned()).into());
    }
    // Nobody may serve what is about to be replaced.
    let held = match asked.data.join("lock").exists() {
        true => Some(Lock::take(asked.data).map_err(|e| Error::open(e.into()))?),
        false => None,
    };
    let mut unfinished = Unfinished::begin(asked.data)?;
    let knowledge = Knowledge::gather(asked, standing, ask)?;
    unfinished.put_together(asked, &manifest, &keys, &knowledge)?;
    let opened = ledger::open_keys(unfinished.at(), asked.passphrase).map_err(Error::open)?;
    let how = How {
        log_ends: knowledge.is_ahead(),
        // Nobody's word is taken for what was opened.
        fresh: true,
        ..How::with(&opened)
    };
    let report = ledger::audit::audit(unfinished.at(), &how, &mut |_| {}).map_err(Error::open)?;
    if report.other_faults > 0 {
        return Err(Refused::Faults(report.faults));
    }
    let mut losses = Losses::of(&knowledge, asked.from, &report)?;
    losses.beside = beside(unfinished.at(), how, &report)?;
    let words = losses.agreed(manifest.size, asked.lose)?;
    let begun = match losses.end_the_log() {
        false => None,
        true => Some(begin(unfinished.at(), &knowledge, chance)?),
    };
    let told = Told {
        manifest: &manifest,
        knowledge: &knowledge,
        losses: &losses,
        words,
        begun: begun.as_ref(),
    };
    let size = say_so(unfinished.at(), opened, &told, clock, chance)?;
    let before = unfinished.into_place(asked.data)?;
    drop(held);
    Ok(Restored {
        manifest,
        size,
        knowledge,
        losses,
        begun,
        before,
    })
}

/// What does not fit beside the record's entries, keys and contents: in the access log, if there is one, and in what
/// erasures did.
fn beside(at: &Path, how: How, report: &Report) -> Result<Beside, Error> {
    let mut beside = Beside::default();
    let how = How {
        gone_by: report.gone_by.clone(),
        ..how
    };
    if at.join("access.sqlite").exists() {
        let audited = ledger::access::audit(at, &how, &mut |_| {}).map_err(Error::open)?;
        beside.of_access = audited.fault_count;
        beside.count = audited.fault_count;
        beside.list = audited.faults;
    }
    let erasures = review::faults(at, &how, &report.erasures)?;
    beside.count += erasures.len() as u64;
    beside.list.splice(0..0, erasures);
    beside.list.truncate(losses::LISTED);
    Ok(beside)
}

fn refuse(why: String) -> Error {
    Error::new(ErrorKind::Refused, why)
}

/// The directory whose `keys` are taken.
fn keys_folder(asked: &Asked<'_>) -> Result<PathBuf, Error> {
    let of = match asked.keys_from {
        Some(keys_from) => keys_from,
        None if asked.data.join("keys").is_dir() => asked.data,
        None => {
            return Err(refuse(
                "There are no keys: without them the record shows lines and no contents, and \
                 nothing new can be recorded. Say with --keys-from where a backup of the keys is."
                    .to_owned(),
            ));
        }
    };
    if of.join(manifest::FILE).exists() {
        Manifest::check(of, manifest::KEYS).map_err(refuse)?;
    }
    let keys = of.join("keys");
    for name in KEYRINGS.iter().filter(|name| **name == "ledger.keyring") {
        if !keys.join(name).exists() {
            return Err(refuse(format!("{} has no `keys/{name}`.", of.display())));
        }
    }
    let here = asked.data.join("keys");
    let unlocks = |keys: &Path| keys.join("programme.key").exists();
    if !unlocks(&keys) && !unlocks(&here) {
        return Err(refuse(format!(
            "The keys in {} are wrapped under the programme's wrapping key, which is in no backup. \
             Bring it back from the shares in escrow first: `homecoming keys recover`.",
            of.display()
        )));
    }
    Ok(keys)
}

/// Another log over the same entries. It has been signed by nobody yet: what was signed of the old one is in the entry.
fn begin(at: &Path, knowledge: &Knowledge, chance: &Chance) -> Result<Begun, Error> {
    let mut fill = |bytes: &mut [u8]| chance.fill(bytes);
    let begun = generation::begin(at, knowledge.latest(), &mut fill).map_err(Error::open)?;
    if at.join(ledger::witnessed::FILE).exists() {
        let witnesses = |error: ledger::witnessed::WitnessedError| {
            Error::new(ErrorKind::Unavailable, format!("{error}.")).because(error)
        };
        let witnessed = Witnessed::open(at).map_err(witnesses)?;
        for log in LogName::ALL {
            witnessed.forget(log).map_err(witnesses)?;
        }
    }
    Ok(begun)
}

/// Puts it on the record; gives the size of the record then.
fn say_so(
    at: &Path,
    keys: ledger::Keys,
    told: &Told<'_>,
    clock: &Clock,
    chance: &Chance,
) -> Result<u64, Error> {
    let id = chance.id();
    let mut programme = Offline::open(at, keys, clock.clone(), chance.clone(), &mut |_, _| {})?;
    let basic = |id: &str, stored, person: Option<&str>| {
        Draft::governance("Basic", id, Expect::Absent, stored, person)
    };
    let mut drafts = vec![basic(&id, told.stored(&id), None)?];
    for (person, id, stored) in told.to_persons(&mut || chance.id()) {
        drafts.push(basic(&id, stored, Some(&format!("~{person}")))?);
    }
    let mut writing = programme.writing();
    let outcomes = writing.write(vec![Batch {
        actor: Actor {
            name: ledger::audit::restoration::ACTOR.to_owned(),
            purpose: "HOPERAT".to_owned(),
        },
        at: None,
        drafts,
        mark: None,
    }])?;
    for outcome in outcomes {
        outcome?;
    }
    writing.finish()?;
    programme.ledger().size().map_err(Error::ledger)
}
