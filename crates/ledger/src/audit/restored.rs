//! A restoration that lost entries, as its entry tells it: a `Basic` under the programme's own key.
//!
//! | part of the extension [`part::ALL`] | what it says |
//! |---|---|
//! | `backup-entries`, `backup-checkpoint` | how far the backup went: up to the entry before this one, under this root, signed by the log that ended |
//! | `log-that-ended`, `its-key`; `log-that-begins`, `its-new-key` | the generations |
//! | `lost`, one for each log: `log`, `from`, `upto`, `known-from`, `last-signed` | which entries are lost, and who knew of them |
//! | `key-gone`, one for each | the slot of a person's key that was gone, with nothing in the backup that says why |
//! | `words` | what happened, and who decided |
//!
//! It counts only where it stands: it is the first entry after the backup's, of the restoration's own actor, and
//! tells of a log that ended with exactly what is before it. So no such entry can be put into a log that goes on, to
//! pass keys off as gone before.

use std::collections::BTreeSet;
use std::fmt;

use evidence::erasure;
use record::json::{Doc, Value};
use record::time::RecordedAt;
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::note::VerifierKey;

use super::key_use::Gone;
use crate::entry::{Alias, Line};
use crate::store::Identity;

/// The names of what such an entry says; who restores writes them.
pub mod part {
    /// The code of a restoration that lost entries, in `urn:homecoming:governance`.
    pub const WITH_LOSS: &str = "restore-with-loss";
    /// Who restores, as the line says it.
    pub const ACTOR: &str = evidence::gone::ACTOR;
    /// The extension that holds the others; each of them is `ALL`, a colon, and its name.
    pub const ALL: &str = "urn:homecoming:restore";
    /// How many entries the backup has.
    pub const ENTRIES: &str = "backup-entries";
    /// The backup's signed checkpoint.
    pub const CHECKPOINT: &str = "backup-checkpoint";
    /// The name of the log that ended.
    pub const ENDED: &str = "log-that-ended";
    /// Its public key.
    pub const ENDED_KEY: &str = "its-key";
    /// The name of the log that begins.
    pub const BEGAN: &str = "log-that-begins";
    /// Its public key.
    pub const BEGAN_KEY: &str = "its-new-key";
    /// Entries of one log that are lost; holds the next three.
    pub const LOST: &str = "lost";
    /// Which log they were in.
    pub const LOG: &str = "log";
    /// The position of the first.
    pub const FROM: &str = "from";
    /// The position after the last that is known of.
    pub const UPTO: &str = "upto";
    /// The slot of a person's key that was gone.
    pub const KEY_GONE: &str = "key-gone";
    /// What happened, and who decided.
    pub const WORDS: &str = "words";
}

/// A log by name and key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub origin: String,
    /// Its public key.
    pub verifier: VerifierKey,
}

/// Entries of a log that are lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The name of the log.
    pub log: String,
    /// The position of the first.
    pub from: u64,
    /// The position after the last that was known of.
    pub upto: u64,
}

/// A restoration that lost entries or keys.
#[derive(Clone, Debug)]
pub struct Restoration {
    /// Where its entry is; the backup had the entries before.
    pub position: u64,
    /// When.
    pub recorded_at: RecordedAt,
    /// The log that ended.
    pub ended: Named,
    /// The log that went on.
    pub began: Named,
    /// The entries that are lost, as far as was known.
    pub lost: Vec<Lost>,
    /// What happened, and who decided.
    pub words: String,
    /// The slots of keys that it says were gone.
    pub(crate) named: BTreeSet<u32>,
    /// Those of them that are gone, and were not used since.
    pub gone: Vec<Gone>,
}

impl fmt::Display for Restoration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Entry {}: on {} the record was restored from a backup of {} entries, and went on as the log {}.",
            self.position, self.recorded_at, self.position, self.began.origin
        )?;
        for lost in &self.lost {
            match lost.upto.checked_sub(1) {
                Some(last) if lost.from <= last => {
                    write!(
                        f,
                        " Entries {} to {last} of {} are lost.",
                        lost.from, lost.log
                    )?;
                }
                _ => write!(f, " The log {} ended with it.", lost.log)?,
            }
        }
        if !self.gone.is_empty() {
            let persons: BTreeSet<Alias> = self.gone.iter().map(|gone| gone.person).collect();
            let contents: u64 = self.gone.iter().map(|gone| gone.contents).sum();
            let ending = |one| if one { "" } else { "s" };
            write!(
                f,
                " Keys of {} person{} were gone, and {contents} content{} with them; no erasure on this record \
                 says why.",
                persons.len(),
                ending(persons.len() == 1),
                ending(contents == 1)
            )?;
        }
        write!(f, " It says: {}", self.words)
    }
}

/// Reads a restoration that lost entries; nothing if it is something else. `before` is the root over the entries
/// before it. An error says why it does not count, in words that follow a "but".
pub(crate) fn read(
    line: &Line<'_>,
    stored: &[u8],
    before: Hash,
) -> Option<Result<Restoration, &'static str>> {
    let doc = Doc::parse(stored).ok()?;
    let root = doc.root();
    let is_one = erasure::code(root.get("code"), erasure::GOVERNANCE) == Some(part::WITH_LOSS);
    is_one.then(|| restoration(line, root, before))
}

fn restoration(
    line: &Line<'_>,
    root: Value<'_>,
    before: Hash,
) -> Result<Restoration, &'static str> {
    if line.actor != part::ACTOR {
        return Err("no restoration recorded it");
    }
    let all = parts(Some(root)).find(|(name, _)| *name == part::ALL);
    let all = all.map(|(_, value)| value);
    let text = |name: &'static str| named(all, name).next().and_then(text_of);
    let entries = text(part::ENTRIES).and_then(|text| text.parse::<u64>().ok());
    if entries != Some(line.position) {
        return Err("the backup that it names does not end where it begins");
    }
    let log = |origin, key| {
        Some(Named {
            origin: text(origin)?.to_owned(),
            verifier: VerifierKey::parse(text(key)?).ok()?,
        })
    };
    let ended = log(part::ENDED, part::ENDED_KEY).ok_or("does not say which log ended")?;
    let began = log(part::BEGAN, part::BEGAN_KEY).ok_or("does not say which log began")?;
    if ended == began {
        return Err("the log that it says began is the one that ended");
    }
    let signed = text(part::CHECKPOINT)
        .and_then(|note| Checkpoint::open(note, &ended.verifier, &ended.origin).ok())
        .ok_or("the log that ended did not sign the checkpoint in it")?;
    if (signed.size, signed.root) != (line.position, before) {
        return Err("the entries before it are not those of the checkpoint in it");
    }
    let lost = named(all, part::LOST).map(|lost| {
        let text = |name| named(Some(lost), name).next().and_then(text_of);
        Some(Lost {
            log: text(part::LOG)?.to_owned(),
            from: text(part::FROM)?.parse().ok()?,
            upto: text(part::UPTO)?.parse().ok()?,
        })
    });
    let slots = named(all, part::KEY_GONE).map(|slot| text_of(slot)?.parse().ok());
    Ok(Restoration {
        position: line.position,
        recorded_at: line.recorded_at,
        lost: lost
            .collect::<Option<_>>()
            .ok_or("what it says is lost does not read")?,
        named: slots
            .collect::<Option<_>>()
            .ok_or("the keys that it names do not read")?,
        words: text(part::WORDS).unwrap_or_default().to_owned(),
        ended,
        began,
        gone: Vec::new(),
    })
}

/// Holds restorations against each other and against the log as it is called now: each ended the log that the one
/// before it began. Those that do not fit go; `say` is told, with the position if it is one's fault.
pub(crate) fn keep_fitting(
    restorations: &mut Vec<Restoration>,
    identity: &Identity,
    say: &mut dyn FnMut(Option<u64>, String),
) {
    let mut log = (identity.programme.as_str(), None);
    let mut fitting = Vec::new();
    for restoration in &*restorations {
        let (origin, key) = (&restoration.ended.origin, &restoration.ended.verifier);
        let fits = origin == log.0 && log.1.is_none_or(|begun| begun == key);
        if !fits {
            let what = format!(
                "it says that the log {origin} ended there, which is not the log that had begun before"
            );
            say(Some(restoration.position), what);
        }
        log = (&restoration.began.origin, Some(&restoration.began.verifier));
        fitting.push(fits);
    }
    if log.0 != identity.origin || log.1.is_some_and(|key| *key != identity.verifier) {
        let what = format!(
            "The log is called {}, but no restoration on the record says that this log, with its key, began",
            identity.origin
        );
        say(None, what);
        fitting.clear();
    }
    let mut fitting = fitting.into_iter();
    restorations.retain(|_| fitting.next() == Some(true));
}

/// The extensions of a value, each with its whole name.
fn parts<'d>(of: Option<Value<'d>>) -> impl Iterator<Item = (&'d str, Value<'d>)> {
    let extensions = of.and_then(|of| of.get("extension"));
    let items = extensions.into_iter().flat_map(Value::items);
    items.filter_map(|item| Some((item.str_at(&["url"])?, item)))
}

/// The parts of one name.
fn named<'d>(of: Option<Value<'d>>, name: &'static str) -> impl Iterator<Item = Value<'d>> {
    parts(of)
        .filter(move |(url, _)| {
            url.strip_prefix(part::ALL)
                .and_then(|rest| rest.strip_prefix(':'))
                == Some(name)
        })
        .map(|(_, value)| value)
}

fn text_of<'d>(part: Value<'d>) -> Option<&'d str> {
    part.str_at(&["valueString"])
}
