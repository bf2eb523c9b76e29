//! What is known, before anything is restored, of how far a programme's logs went.
//!
//! | who says so | what counts |
//! |---|---|
//! | the ledger and the access log that lie in the place | what they have signed themselves |
//! | `witnessed.sqlite` there | the last checkpoint that was cosigned, the largest size that a witness named |
//! | `witnessed.sqlite` in the backup | that, too, but it says nothing of what came after the backup |
//! | the witnesses of the policy | what they show or say that they have cosigned last: of this log, and of those that may have followed it |
//! | checkpoints that people kept | each |
//!
//! Every log of the programme counts, whatever its generation. One of a later generation is never behind a backup of an
//! earlier one, however long either is.

use std::fs;

use ledger::backup::{Noted, Standing, in_common, noted, root_at};
use ledger::generation;
use ledger::witnessed::LogName;
use tlog::Hash;
use tlog::policy::Policy;

use super::{Asked, cannot, refuse};
use crate::cosigning::POLICY;
use crate::cosigning::ask::{Said, Sought};
use crate::cosigning::submit::signed;
use crate::error::Error;

/// How many of the logs that may have followed the backup's are asked for.
const FOLLOWING: u32 = 8;

/// A size of one of the programme's logs that somebody knows of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who says so, in words that go into a sentence.
    pub source: String,
    /// The record, or the access log.
    pub of: LogName,
    /// The name of the log.
    pub log: String,
    /// Its generation.
    pub generation: u32,
    /// How many entries they know of.
    pub size: u64,
    /// The root over them, if they know that too.
    pub root: Option<Hash>,
    /// The signed note, if there is one.
    pub note: Option<String>,
    /// How many of the first entries are in the backup as well, where that can be told.
    pub shared: Option<u64>,
    /// Whether the backup itself says so.
    pub within: bool,
}

impl Known {
    fn size(source: &str, of: LogName, log: &str, size: u64) -> Known {
        Known {
            source: source.to_owned(),
            of,
            log: log.to_owned(),
            generation: 0,
            size,
            root: None,
            note: None,
            shared: None,
            within: false,
        }
    }
}

/// Somebody who could not be asked, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAsked {
    /// Who, in words that begin a sentence.
    pub who: String,
    /// Why not.
    pub why: String,
}

/// Which witness policy the record goes on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witnesses {
    /// The one that lies in the place already: never an older one instead of it.
    OfThePlace,
    /// The backup's; there was none in the place.
    OfTheBackup,
    /// There is none.
    Nobody,
}

impl Witnesses {
    /// A sentence for the operator and for the record.
    pub fn sentence(self) -> &'static str {
        match self {
            Witnesses::OfThePlace => "The witness policy that lay here stays.",
            Witnesses::OfTheBackup => "The witness policy is the backup's: none lay here.",
            Witnesses::Nobody => {
                "There is no witness policy, here or in the backup: nobody outside signs for this record. If there \
                 was one since, put it back as `witness.policy` before anything is served."
            }
        }
    }
}

/// All that is known.
#[derive(Debug)]
pub struct Knowledge {
    /// The backup's record.
    pub standing: Standing,
    /// The generation of its log.
    pub generation: u32,
    /// The backup's access log, if it has one.
    pub access: Option<Standing>,
    /// What is known.
    pub known: Vec<Known>,
    /// Who could not be asked.
    pub not_asked: Vec<NotAsked>,
    /// Who signs for the record from here on.
    pub witnesses: Witnesses,
    /// Whether what is noted of witnesses in the place is of these very logs, and not beyond the backup.
    pub notes_fit: bool,
}

/// Asks the witnesses of a policy for these logs.
pub type AskWitnesses<'a> =
    dyn FnMut(&Policy, &[Sought]) -> Vec<Result<Said, (String, String)>> + 'a;

/// What lies in the place.
struct Here {
    record: Option<Standing>,
    access: Option<Standing>,
    /// How many entries the record there and the backup have in common.
    shared: Option<u64>,
}

impl Knowledge {
    /// Gathers it. Refuses a backup that is another record than somebody vouches for, and one for which not every
    /// witness could be asked, unless that was allowed by name.
    pub fn gather(
        asked: &Asked<'_>,
        standing: Standing,
        ask: &mut AskWitnesses<'_>,
    ) -> Result<Knowledge, Error> {
        let generation = generation::number(&standing.programme, &standing.origin)
            .ok_or_else(|| refuse("The backup's log is not called after its programme.".into()))?;
        let policy = |dir: &std::path::Path| match fs::read(dir.join(POLICY)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(cannot(&dir.join(POLICY), error)),
        };
        let (witnesses, policy) = match (policy(asked.data)?, policy(asked.from)?) {
            (Some(policy), _) => (Witnesses::OfThePlace, Some(policy)),
            (None, Some(policy)) => (Witnesses::OfTheBackup, Some(policy)),
            (None, None) => (Witnesses::Nobody, None),
        };
        let mut knowledge = Knowledge {
            access: Standing::of_access(asked.from).ok(),
            standing,
            generation,
            known: Vec::new(),
            not_asked: Vec::new(),
            witnesses,
            notes_fit: true,
        };
        let here = knowledge.here(asked)?;
        knowledge.signed_in(asked, &here)?;
        knowledge.kept(asked, &here)?;
        let policy = policy.map(|text| Policy::parse(&text)).transpose();
        let policy = policy.map_err(|error| {
            refuse(format!(
                "The witness policy cannot be read: {error}. Correct it, or remove it."
            ))
        })?;
        knowledge.ask(asked, policy.as_ref(), &here, ask)?;
        for known in &knowledge.known {
            knowledge.is_of_this_history(asked, known)?;
        }
        Ok(knowledge)
    }

    /// Whether somebody knows of more of this log than the backup has, or of a later one.
    pub fn is_ahead(&self) -> bool {
        self.known.iter().any(|known| {
            known.generation > self.generation
                || (known.generation == self.generation && known.size > self.size(known.of))
        })
    }

    /// The latest generation that anybody knows of.
    pub fn latest(&self) -> u32 {
        let known = self.known.iter().map(|known| known.generation);
        known.max().unwrap_or(1).max(self.generation)
    }

    /// What was said from outside of the backup about the record and goes farthest.
    pub fn farthest(&self) -> Option<&Known> {
        let outside = self.known.iter().filter(|known| !known.within);
        outside
            .filter(|known| known.of == LogName::Record)
            .max_by_key(|known| (known.generation, known.size))
    }

    /// How many entries the backup has of one of the logs.
    pub fn size(&self, of: LogName) -> u64 {
        match of {
            LogName::Record => self.standing.size,
            LogName::Access => self.access.as_ref().map_or(0, |access| access.size),
        }
    }

    /// What lies in the place, if it is this programme's.
    fn here(&mut self, asked: &Asked<'_>) -> Result<Here, Error> {
        let mut here = Here {
            record: None,
            access: Standing::of_access(asked.data).ok(),
            shared: None,
        };
        if !asked.data.join("ledger.sqlite").exists() {
            return Ok(here);
        }
        let standing = match Standing::of(asked.data) {
            Ok(standing) => standing,
            Err(error) => {
                self.not_asked.push(NotAsked {
                    who: "The ledger that lies here".to_owned(),
                    why: format!("how far it goes cannot be read: {error}"),
                });
                return Ok(here);
            }
        };
        if standing.programme != self.standing.programme {
            return Err(refuse(format!(
                "In {} lies the record of another programme, {}. Restore somewhere else.",
                asked.data.display(),
                standing.programme
            )));
        }
        let most = standing.size.min(self.standing.size);
        here.shared = in_common(asked.data, asked.from, most).ok();
        let same_name = standing.origin == self.standing.origin;
        let same_key = standing.verifier == self.standing.verifier;
        if same_name && (!same_key || here.shared.is_some_and(|shared| shared < most)) {
            return Err(another(
                standing.size.min(most),
                "the ledger that lies here now",
            ));
        }
        here.record = Some(standing);
        Ok(here)
    }

    /// What the logs in the place have signed, and what witnesses have, as noted there and in the backup.
    fn signed_in(&mut self, asked: &Asked<'_>, here: &Here) -> Result<(), Error> {
        for (of, standing) in [
            (LogName::Record, &here.record),
            (LogName::Access, &here.access),
        ] {
            if let Some(standing) = standing {
                let source = match of {
                    LogName::Record => "the ledger that lies here now",
                    LogName::Access => "the access log that lies here now",
                };
                self.note(source, of, &standing.checkpoint, here, false)?;
            }
        }
        for (dir, whose, within) in [
            (asked.data, "here", false),
            (asked.from, "in the backup", true),
        ] {
            for of in LogName::ALL {
                let Noted { last, seen } = noted(dir, of).map_err(Error::open)?;
                let source = format!("what witnesses have signed, as noted {whose}");
                if let Some(last) = last {
                    self.note(&source, of, &last, here, within)?;
                }
                let own = match (within, of) {
                    (false, LogName::Record) => here.record.as_ref(),
                    (false, LogName::Access) => here.access.as_ref(),
                    (true, LogName::Record) => Some(&self.standing),
                    (true, LogName::Access) => self.access.as_ref(),
                };
                if let (Some((witness, size)), Some(own)) = (seen, own) {
                    let source = format!("the witness {witness}, as noted {whose},");
                    let known = Known {
                        within,
                        ..Known::size(&source, of, &own.origin, size)
                    };
                    self.add(known, here)?;
                }
            }
        }
        let fits = |known: &Known| {
            known.within
                || (known.generation == self.generation && known.size <= self.size(known.of))
        };
        self.notes_fit = self.known.iter().all(fits);
        Ok(())
    }

    /// Checkpoints that people kept.
    fn kept(&mut self, asked: &Asked<'_>, here: &Here) -> Result<(), Error> {
        for file in asked.cosigned {
            let text = fs::read_to_string(file).map_err(|error| cannot(file, error))?;
            let of = match self.is_access(&text) {
                true => LogName::Access,
                false => LogName::Record,
            };
            self.note("the checkpoint that was kept", of, &text, here, false)
                .map_err(|error| refuse(format!("{}: {}", file.display(), error.message)))?;
        }
        Ok(())
    }

    fn is_access(&self, note: &str) -> bool {
        note.split('\n')
            .next()
            .is_some_and(|origin| self.generation_of(LogName::Access, origin).is_some())
    }

    /// Witnesses: this log, and those that may have followed it.
    fn ask(
        &mut self,
        asked: &Asked<'_>,
        policy: Option<&Policy>,
        here: &Here,
        ask: &mut AskWitnesses<'_>,
    ) -> Result<(), Error> {
        let unknown = |name: &&String| {
            !policy.is_some_and(|policy| policy.witnesses().iter().any(|one| one.name == **name))
        };
        if let Some(name) = asked.without_asking.iter().find(unknown) {
            return Err(refuse(format!(
                "--without-asking {name}: the witness policy names no witness so."
            )));
        }
        let Some(policy) = policy else { return Ok(()) };
        let noted = |origin: &str| -> Vec<String> {
            let of_it = self.known.iter().filter(|known| known.log == origin);
            of_it.filter_map(|known| known.note.clone()).collect()
        };
        let of = |standing: &Standing| Sought {
            origin: standing.origin.clone(),
            verifier: Some(standing.verifier.clone()),
            checkpoint: Some(standing.checkpoint.clone()),
            noted: noted(&standing.origin),
        };
        let mut sought = vec![of(&self.standing)];
        sought.extend(self.access.as_ref().map(of));
        sought.extend((1..=FOLLOWING).filter_map(|next| {
            let next = self.generation.checked_add(next)?;
            let origin = generation::name(&self.standing.programme, next);
            Some(Sought {
                noted: noted(&origin),
                origin,
                verifier: None,
                checkpoint: None,
            })
        }));
        let mut missing = Vec::new();
        for answer in ask(policy, &sought) {
            match answer {
                Ok(said) => {
                    let access = self.access.as_ref();
                    let of = match access.is_some_and(|access| access.origin == said.origin) {
                        true => LogName::Access,
                        false => LogName::Record,
                    };
                    let by_word = match said.shown.is_some() {
                        true => "",
                        false => " (by its word alone)",
                    };
                    let source = format!("the witness {}{by_word}", said.witness);
                    let shown = said.shown.map(|shown| (shown.root, shown.note));
                    let (root, note) = shown.unzip();
                    let known = Known {
                        root,
                        note,
                        ..Known::size(&source, of, &said.origin, said.size)
                    };
                    self.add(known, here)?;
                }
                Err((witness, why)) => {
                    if !asked.without_asking.contains(&witness) {
                        missing.push(format!("{witness} ({why})"));
                    }
                    self.not_asked.push(NotAsked {
                        who: format!("The witness {witness}"),
                        why,
                    });
                }
            }
        }
        match missing.is_empty() {
            true => Ok(()),
            false => Err(refuse(format!(
                "Not every witness could be asked how far the record went: {}. What only they know of would be lost \
                 without a word. Try again when they can be reached. If that cannot be waited for, name each that \
                 is left out, which the record will tell: --without-asking NAME.",
                missing.join("; ")
            ))),
        }
    }

    /// Takes in a signed checkpoint of any log of the programme.
    fn note(
        &mut self,
        source: &str,
        of: LogName,
        note: &str,
        here: &Here,
        within: bool,
    ) -> Result<(), Error> {
        let not = |why: &str| {
            refuse(format!(
                "It is not known how far the record went: {source} is not a checkpoint of a log of {}: {why}.",
                self.standing.programme
            ))
        };
        let (signed, checkpoint) = signed(note).map_err(|error| not(&error))?;
        let (ours, theirs) = match of {
            LogName::Record => (Some(&self.standing), here.record.as_ref()),
            LogName::Access => (self.access.as_ref(), here.access.as_ref()),
        };
        // Of a log of which no key is known here, the note is believed: it can only forbid.
        let key = [ours, theirs]
            .into_iter()
            .flatten()
            .find(|log| log.origin == checkpoint.origin);
        if key.is_some_and(|log| signed.verify(&log.verifier).is_err()) {
            return Err(not(&format!(
                "the key of {} has not signed it",
                checkpoint.origin
            )));
        }
        let known = Known {
            root: Some(checkpoint.root),
            note: Some(note.to_owned()),
            within,
            ..Known::size(source, of, &checkpoint.origin, checkpoint.size)
        };
        self.add(known, here)
    }

    /// Takes in what somebody knows; its generation, and what it shares with the backup, are found here.
    fn add(&mut self, known: Known, here: &Here) -> Result<(), Error> {
        let Some(generation) = self.generation_of(known.of, &known.log) else {
            return Err(refuse(format!(
                "It is not known how far the record went: {} speaks of {}, which is no log of {}.",
                known.source, known.log, self.standing.programme
            )));
        };
        let is_here = |here: &&Standing| known.of == LogName::Record && here.origin == known.log;
        let shared = match (here.record.as_ref().filter(is_here), here.shared) {
            (Some(here), Some(shared)) => {
                let parted = shared < here.size.min(self.standing.size);
                (parted || known.size <= here.size || shared == self.standing.size)
                    .then(|| shared.min(known.size))
            }
            _ => None,
        };
        self.known.push(Known {
            generation,
            shared,
            ..known
        });
        Ok(())
    }

    /// The generation of a log of the programme by its name.
    fn generation_of(&self, of: LogName, log: &str) -> Option<u32> {
        let record = match of {
            LogName::Record => log,
            LogName::Access => log.strip_suffix("/access")?,
        };
        generation::number(&self.standing.programme, record)
    }

    /// What is signed for of this log must be the beginning of what is in the backup, as far as both go.
    fn is_of_this_history(&self, asked: &Asked<'_>, known: &Known) -> Result<(), Error> {
        let same = known.log == self.standing.origin && known.size <= self.standing.size;
        let Some(root) = known.root.filter(|_| same) else {
            return Ok(());
        };
        match root_at(asked.from, known.size).map_err(Error::open)? == root {
            true => Ok(()),
            false => Err(another(known.size, &known.source)),
        }
    }
}

fn another(size: u64, source: &str) -> Error {
    refuse(format!(
        "The first {size} entries of this backup are not those that {source} vouches for: this is another record under \
         the same name, not an older state of it. It is not restored. Keep both, and find out who made it."
    ))
}
