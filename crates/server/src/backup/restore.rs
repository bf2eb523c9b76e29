//! Restoring a backup: never behind what outside witnesses have signed, unless told so in words.
//!
//! A record that goes back loses what was recorded since the backup. If witnesses have signed for
//! more than the backup has, going back can be proven by anybody who kept a checkpoint, and no
//! witness signs that log again. So it is refused, unless whoever restores says in words what
//! happened and who decided; these words become an entry, and the record goes on as another log
//! ([`ledger::generation`]). A backup whose entries are not those that were signed for is never
//! restored: that is not an older record but another one.
//!
//! Everything is put together beside its place, audited there, and gets its name at the end. What
//! lay there before is kept under another name.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use ledger::audit::{Fault, How};
use ledger::backup::{Standing, root_at};
use ledger::generation::{self, Begun};
use ledger::lock::Lock;
use ledger::witnessed::{LogName, Witnessed};
use tlog::Hash;
use tlog::checkpoint::Checkpoint;

use super::manifest::{self, Manifest};
use super::{KEYRINGS, cannot, copy_file};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::programme::{Actor, Batch, Draft, Expect, Offline};

/// The extension that holds what is known of a restoration.
const RESTORE: &str = "urn:homecoming:restore";

/// The fewest letters that words which give entries up must have.
const WORDS_MIN: usize = 20;

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
    /// What happened and who decided, if entries are to be given up.
    pub lose: Option<&'a str>,
    /// The passphrase of the keys, if they have one.
    pub passphrase: Option<&'a [u8]>,
}

/// A size that somebody outside knows of, and the root if they know that too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who says so, in words that go into a sentence.
    pub source: String,
    /// How many entries they know of.
    pub size: u64,
    /// The root over them.
    pub root: Option<Hash>,
    /// The signed note, if there is one.
    pub note: Option<String>,
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// How many entries the record has now.
    pub size: u64,
    /// The largest size that anybody was known to know of.
    pub known: Option<Known>,
    /// The log that begins, if entries were given up.
    pub begun: Option<Begun>,
    /// Where what lay there before is now.
    pub before: Option<PathBuf>,
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

/// Asks the witnesses of a policy what they know of a log.
pub type AskWitnesses<'a> = dyn FnMut(&Standing, &[u8]) -> Result<Vec<Known>, Error> + 'a;

/// Restores a backup. `asked_witnesses` is asked what the witnesses know, given the policy's text
/// and the log's name.
pub fn restore(
    asked: &Asked<'_>,
    clock: &Clock,
    chance: &Chance,
    asked_witnesses: &mut AskWitnesses<'_>,
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
    let mut known = known(asked, &standing)?;
    let policy = [asked.data, asked.from]
        .map(|dir| dir.join("witness.policy"))
        .into_iter()
        .find_map(|file| fs::read(file).ok());
    if let Some(policy) = policy {
        known.extend(asked_witnesses(&standing, &policy)?);
    }
    for known in &known {
        is_of_this_history(asked.from, &standing, known)?;
    }
    let farthest = known.into_iter().max_by_key(|known| known.size);
    let behind = farthest.as_ref().filter(|known| known.size > standing.size);
    let words = may_go_back(&standing, behind, asked.lose)?;

    let mut at = asked.data.to_path_buf();
    at.as_mut_os_string().push(".restoring");
    if at.exists() {
        fs::remove_dir_all(&at).map_err(|error| cannot(&at, error))?;
    }
    put_together(asked, &manifest, &keys, &at)?;
    let opened = ledger::open_keys(&at, asked.passphrase).map_err(Error::open)?;
    let report =
        ledger::audit::audit(&at, &How::with(&opened), &mut |_| {}).map_err(Error::open)?;
    // Erasures that are lost with the entries that tell of them: their keys are gone, and stay so.
    let gone = match words {
        Some(_) => report.destroyed_unsaid,
        None => Vec::new(),
    };
    if report.faults.len() > gone.len() {
        return Err(Refused::Faults(report.faults));
    }
    let begun = match words {
        None => None,
        Some(_) => {
            let begun = generation::begin(&at, &mut |bytes| chance.fill(bytes));
            forget(&at)?;
            Some(begun.map_err(Error::open)?)
        }
    };
    let size = say_so(
        &at,
        opened,
        &entry(
            &manifest,
            behind,
            begun.as_ref(),
            words,
            &gone,
            &chance.id(),
        ),
        clock,
        chance,
    )?;
    let before = into_place(&at, asked.data)?;
    drop(held);
    Ok(Restored {
        manifest,
        size,
        known: farthest,
        begun,
        before,
    })
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

/// What is known here of what was signed: by the ledger that lies there, by what witnesses have
/// signed, by checkpoints that somebody kept.
fn known(asked: &Asked<'_>, standing: &Standing) -> Result<Vec<Known>, Error> {
    let mut known = Vec::new();
    let mut note = |source: &str, note: &str| {
        let checkpoint = Checkpoint::open(note, &standing.verifier, &standing.origin).ok()?;
        known.push(Known {
            source: source.to_owned(),
            size: checkpoint.size,
            root: Some(checkpoint.root),
            note: Some(note.to_owned()),
        });
        Some(())
    };
    for file in asked.cosigned {
        let text = fs::read_to_string(file).map_err(|error| cannot(file, error))?;
        note("the checkpoint that was kept", &text).ok_or_else(|| {
            refuse(format!(
                "{} is not a checkpoint of the log {}, signed by its key.",
                file.display(),
                standing.origin
            ))
        })?;
    }
    for (dir, whose) in [(asked.data, "here"), (asked.from, "in the backup")] {
        if let Ok(there) = Standing::of(dir)
            && dir == asked.data
        {
            note("the ledger that lies here now", &there.checkpoint);
        }
        if let Some(latest) = ledger::backup::last_cosigned(dir).map_err(Error::open)? {
            let source = format!("what witnesses have signed, as noted {whose}");
            note(&source, &latest);
        }
    }
    Ok(known)
}

fn witnesses(error: ledger::witnessed::WitnessedError) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{error}.")).because(error)
}

/// What is signed for must be the beginning of what is in the backup, as far as both go.
fn is_of_this_history(from: &Path, standing: &Standing, known: &Known) -> Result<(), Error> {
    let Some(root) = known.root.filter(|_| known.size <= standing.size) else {
        return Ok(());
    };
    if root_at(from, known.size).map_err(Error::open)? == root {
        return Ok(());
    }
    Err(refuse(format!(
        "The first {} entries of this backup are not those that {} vouches for: this is another \
         record under the same name, not an older state of it. It is not restored. Keep both, and \
         find out who made it.",
        known.size, known.source
    )))
}

/// The words under which entries are given up, if they are.
fn may_go_back<'w>(
    standing: &Standing,
    behind: Option<&Known>,
    words: Option<&'w str>,
) -> Result<Option<&'w str>, Error> {
    match (behind, words.map(str::trim)) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(refuse(
            "No entry would be lost as far as anybody knows, so --lose-entries has nothing to \
             say. Leave it out."
                .to_owned(),
        )),
        (Some(known), None) => Err(refuse(format!(
            "This backup has {} entries, but {} has {}. Restoring it would take back the entries \
             {} to {}, for which others hold proof. Restore a newer backup. If there is none, say \
             what happened and who decided: --lose-entries \"...\". It will be on the record for \
             good, and the record goes on as another log, because no witness signs for this one \
             again.",
            standing.size,
            known.source,
            known.size,
            standing.size,
            known.size - 1
        ))),
        (Some(_), Some(words)) => {
            let letters = words.chars().filter(|c| c.is_alphabetic()).count();
            match letters >= WORDS_MIN && words.contains(' ') {
                true => Ok(Some(words)),
                false => Err(refuse(
                    "Say what happened and who decided, so that a stranger understands it in ten \
                     years: --lose-entries \"...\"."
                        .to_owned(),
                )),
            }
        }
    }
}

/// The files of backup and keys in a new directory.
fn put_together(
    asked: &Asked<'_>,
    manifest: &Manifest,
    keys: &Path,
    at: &Path,
) -> Result<(), Error> {
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
                let to = at.join("keys").join(file.file_name());
                let _ = fs::remove_file(&to);
                copy_file(&file.path(), &to)?;
            }
        }
    }
    // Of what witnesses have signed, the newest: the backup's is as old as the backup.
    let theirs = asked.data.join(ledger::witnessed::FILE);
    if theirs.exists() {
        let to = at.join(ledger::witnessed::FILE);
        let _ = fs::remove_file(&to);
        ledger::backup::copy(&theirs, &to).map_err(Error::open)?;
    }
    Ok(())
}

/// The new log has been signed by nobody yet. What was signed of the old one is in the entry.
fn forget(at: &Path) -> Result<(), Error> {
    if !at.join(ledger::witnessed::FILE).exists() {
        return Ok(());
    }
    let witnessed = Witnessed::open(at).map_err(witnesses)?;
    for log in LogName::ALL {
        witnessed.forget(log).map_err(witnesses)?;
    }
    Ok(())
}

/// What the record says of its own restoration.
fn entry(
    manifest: &Manifest,
    behind: Option<&Known>,
    begun: Option<&Begun>,
    words: Option<&str>,
    gone: &[u32],
    id: &str,
) -> (String, Vec<u8>) {
    let detail = |name: &str, value: String| {
        serde_json::json!({
            "url": format!("{RESTORE}:{name}"),
            "valueString": value,
        })
    };
    let mut details = vec![
        detail("backup-made-at", manifest.made_at.clone()),
        detail("backup-entries", manifest.size.to_string()),
        detail("backup-checkpoint", manifest.checkpoint.clone()),
    ];
    if let (Some(known), Some(begun)) = (behind, begun) {
        details.push(detail("words", words.unwrap_or_default().to_owned()));
        details.push(detail(
            "lost",
            format!("entries {} to {}", manifest.size, known.size - 1),
        ));
        details.push(detail("known-from", known.source.clone()));
        if let Some(note) = &known.note {
            details.push(detail("last-signed", note.clone()));
        }
        details.push(detail("log-that-ended", begun.old_origin.clone()));
        details.push(detail("its-key", begun.old_verifier.to_string()));
        details.push(detail("log-that-begins", begun.origin.clone()));
        details.push(detail("its-new-key", begun.verifier.to_string()));
    }
    for slot in gone {
        details.push(serde_json::json!({
            "url": ledger::audit::KEY_GONE,
            "valueString": slot.to_string(),
        }));
    }
    let code = match begun {
        None => "restore",
        Some(_) => ledger::audit::RESTORED_WITH_LOSS,
    };
    let text = match (behind, words) {
        (Some(known), Some(words)) => format!(
            "Restored from a backup of {} entries. Entries {} to {} are lost. {words}",
            manifest.size,
            manifest.size,
            known.size - 1
        ),
        _ => format!(
            "Restored from a backup of {} entries. No entry is known to be lost.",
            manifest.size
        ),
    };
    let resource = serde_json::json!({
        "resourceType": "Basic",
        "id": id,
        "extension": [{"url": RESTORE, "extension": details}],
        "code": {
            "coding": [{"system": ledger::erasure::GOVERNANCE, "code": code}],
            "text": text,
        },
    });
    (id.to_owned(), resource.to_string().into_bytes())
}

/// Puts it on the record; gives the size of the record then.
fn say_so(
    at: &Path,
    keys: ledger::Keys,
    (id, stored): &(String, Vec<u8>),
    clock: &Clock,
    chance: &Chance,
) -> Result<u64, Error> {
    let mut programme = Offline::open(at, keys, clock.clone(), chance.clone(), &mut |_, _| {})?;
    let draft = Draft::governance("Basic", id, Expect::Absent, stored.clone(), None)?;
    let mut writing = programme.writing();
    let outcomes = writing.write(vec![Batch {
        actor: Actor {
            name: "restore".to_owned(),
            purpose: "HOPERAT".to_owned(),
        },
        at: None,
        drafts: vec![draft],
        mark: None,
    }])?;
    for outcome in outcomes {
        outcome?;
    }
    writing.finish()?;
    programme.ledger().size().map_err(Error::ledger)
}

/// Gives the directory its name, and what had it another.
fn into_place(at: &Path, data: &Path) -> Result<Option<PathBuf>, Error> {
    let mut before = None;
    if data.exists() {
        let free = (1..).map(|number| {
            let mut path = data.to_path_buf();
            path.as_mut_os_string().push(match number {
                1 => ".before-restore".to_owned(),
                number => format!(".before-restore-{number}"),
            });
            path
        });
        let to = free.into_iter().find(|path| !path.exists());
        let to = to.unwrap_or_else(|| data.to_path_buf());
        fs::rename(data, &to).map_err(|error| cannot(data, error))?;
        before = Some(to);
    }
    let place = || -> io::Result<()> {
        File::open(at)?.sync_all()?;
        fs::rename(at, data)?;
        let parent = data.parent().filter(|path| !path.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    };
    place().map_err(|error| cannot(data, error))?;
    Ok(before)
}
