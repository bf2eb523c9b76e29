//! A promise at intake: what was handed in, and by when it is on the record.
//!
//! ```text
//! homecoming-promise/1
//! log <the log's public key, name+id+base64>
//! person <alias>
//! received <instant>
//! due <instant>
//! content <fingerprint, base64>
//!
//! — <the log's signature, C2SP signed-note>
//! ```
//!
//! It says: what has this fingerprint was handed in for this person, and every map of heads
//! ([`crate::heads`]) that is recorded after `due` counts an entry with it. So whoever never records
//! what he was given breaks his word provably: by an export that is complete as of a later map and
//! does not have it. Instants are RFC 3339, UTC, by the server's clock.
//!
//! A promise is no checkpoint, and no checkpoint is a promise: their second lines differ.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use record::json::{Doc, write_compact};
use record::time::RecordedAt;
use sha2::{Digest, Sha256};
use tlog::Hash;
use tlog::note::{NoteError, SignedNote, SigningKey, VerifierKey};

use crate::content::generation;
use crate::entry::Alias;
use crate::trust::{Distrust, Trust};
use crate::{export, receipt};

const HEADER: &str = "homecoming-promise/1";

/// The first bytes of everything that a fingerprint hashes.
const DOMAIN: &[u8] = b"homecoming/promise/1\n";

/// What was promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The key of the log that promised.
    pub key: VerifierKey,
    /// For whom something was handed in.
    pub person: Alias,
    /// When it was.
    pub received: RecordedAt,
    /// Every map of heads recorded after this counts it.
    pub due: RecordedAt,
    /// What it was: [`fingerprint`].
    pub content: Hash,
}

/// Why a promise is worth nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is not a promise as one is written.
    #[error("this is not a promise: its {0} is missing or malformed")]
    Form(&'static str),
    /// Another log promised than the reader trusts.
    #[error("the promise is not believed: {0}")]
    Distrust(Distrust),
    /// The signature is missing or bad.
    #[error("the log did not promise this: {0}")]
    Signature(NoteError),
}

/// What has become of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is on the record, in time.
    Kept {
        /// Its position in the log.
        position: u64,
        /// When it was recorded.
        recorded_at: RecordedAt,
    },
    /// It is on the record, but was recorded after it was due.
    Late {
        /// Its position in the log.
        position: u64,
        /// When it was recorded.
        recorded_at: RecordedAt,
    },
    /// It is not due yet.
    Open,
    /// It is due, and what was given shows neither that it was kept nor that it was broken.
    Unknown,
    /// It is provably broken: the log counted the person's entries after it was due, and this is none of them.
    Broken {
        /// When it counted.
        as_of: RecordedAt,
        /// How many entries the log had then.
        size: u64,
    },
}

/// What is held against a promise, already verified.
#[derive(Clone, Copy, Debug)]
pub enum Evidence<'e> {
    /// Nothing.
    Nothing,
    /// A receipt.
    Receipt(&'e receipt::Report),
    /// An export.
    Export(&'e export::Report),
}

/// Why something says nothing about a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unrelated {
    /// It is of another log.
    #[error("it is of another log than the one that promised")]
    Log,
    /// By its name, it is of a log that the same programme began later, with another key.
    #[error(
        "it is of a log that by its name followed the one that promised: the programme was restored, and entries were \
         lost. A promise binds the log that gave it, so this shows neither that it was kept nor that it was broken: ask \
         the programme what was lost, which the restoration's own entry says"
    )]
    Restored,
    /// It is about somebody else.
    #[error("it is about somebody else than the person of the promise")]
    Person,
    /// The receipt is of something else than was handed in.
    #[error("the receipt is of something else than what was handed in")]
    Content,
}

/// What a resource is recognised by, however it is stored: SHA-256 over a domain and its members, without
/// white space and sorted by name, but for `id` and `meta`, which the server gives. `None` if it is no JSON object.
pub fn fingerprint(json: &[u8]) -> Option<Hash> {
    let doc = Doc::parse(json).ok()?;
    if !doc.root().is_object() {
        return None;
    }
    let mut members: Vec<(&str, Vec<u8>)> = Vec::new();
    for (name, value) in doc.root().entries() {
        if !matches!(name, "id" | "meta") {
            let mut compact = Vec::new();
            write_compact(value, &mut compact);
            members.push((name, compact));
        }
    }
    members.sort_unstable();
    let mut hasher = Sha256::new().chain_update(DOMAIN);
    for (name, value) in members {
        for part in [name.as_bytes(), &value] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
    }
    Some(hasher.finalize().into())
}

/// Whether a file says that it is a promise, whatever it is worth.
pub fn is_one(file: &[u8]) -> bool {
    file.strip_prefix(HEADER.as_bytes())
        .is_some_and(|rest| rest.starts_with(b"\n"))
}

impl Promise {
    /// The signed promise. The key must be the one that it names.
    pub fn sign(&self, key: &SigningKey) -> Result<String, NoteError> {
        Ok(SignedNote::sign(&self.text(), key)?.to_string())
    }

    /// Reads a promise and checks that the log signed it.
    pub fn open(file: &[u8], trust: &Trust<'_>) -> Result<Promise, Problem> {
        let text = str::from_utf8(file).map_err(|_| Problem::Form("text"))?;
        let note = SignedNote::parse(text).map_err(|_| Problem::Form("note"))?;
        let promise = Promise::read(note.text())?;
        trust.check_key(&promise.key).map_err(Problem::Distrust)?;
        note.verify(&promise.key).map_err(Problem::Signature)?;
        Ok(promise)
    }

    fn text(&self) -> String {
        let Promise {
            key,
            person,
            received,
            due,
            content,
        } = self;
        let content = STANDARD.encode(content);
        format!(
            "{HEADER}\nlog {key}\nperson {person}\nreceived {received}\ndue {due}\ncontent {content}\n"
        )
    }

    fn read(text: &str) -> Result<Promise, Problem> {
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Err(Problem::Form("first line"));
        }
        let mut word = |name: &'static str| {
            let line = lines.next().and_then(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.strip_prefix(' '))
                .ok_or(Problem::Form(name))
        };
        let key = VerifierKey::parse(word("log")?).map_err(|_| Problem::Form("log"))?;
        let person = Alias::parse(word("person")?).ok_or(Problem::Form("person"))?;
        let received = RecordedAt::parse(word("received")?).ok_or(Problem::Form("received"))?;
        let due = RecordedAt::parse(word("due")?).ok_or(Problem::Form("due"))?;
        let content = STANDARD
            .decode(word("content")?)
            .ok()
            .and_then(|hash| hash.try_into().ok())
            .ok_or(Problem::Form("content"))?;
        let promise = Promise {
            key,
            person,
            received,
            due,
            content,
        };
        // One promise has one text.
        match promise.text() == text {
            true => Ok(promise),
            false => Err(Problem::Form("only form")),
        }
    }

    /// What has become of it, at `now` by the reader's clock.
    pub fn standing(&self, evidence: Evidence<'_>, now: RecordedAt) -> Result<Standing, Unrelated> {
        let waiting = match now <= self.due {
            true => Standing::Open,
            false => Standing::Unknown,
        };
        let (entry, stored) = match evidence {
            Evidence::Nothing => return Ok(waiting),
            Evidence::Receipt(report) => {
                self.expect(&report.key, report.entry.person)?;
                // What was erased cannot be recognised any more.
                if report.stored.is_empty() {
                    return Ok(waiting);
                }
                (&report.entry, &report.stored)
            }
            Evidence::Export(report) => {
                self.expect(&report.key, Some(report.person))?;
                let found = report
                    .entries
                    .iter()
                    .filter_map(|(entry, stored)| Some((entry, stored.as_ref()?)))
                    .find(|(_, stored)| fingerprint(stored) == Some(self.content));
                match found {
                    Some(found) => found,
                    None => {
                        // What was erased cannot be recognised any more.
                        let may_be_erased = report.entries.iter().any(|(entry, stored)| {
                            stored.is_none() && entry.recorded_at >= self.received
                        });
                        let (as_of, size) = (report.as_of, report.map.size);
                        return Ok(match as_of > self.due {
                            _ if may_be_erased => waiting,
                            true => Standing::Broken { as_of, size },
                            false => waiting,
                        });
                    }
                }
            }
        };
        if fingerprint(stored) != Some(self.content) {
            return Err(Unrelated::Content);
        }
        let (position, recorded_at) = (entry.position, entry.recorded_at);
        Ok(match recorded_at <= self.due {
            true => Standing::Kept {
                position,
                recorded_at,
            },
            false => Standing::Late {
                position,
                recorded_at,
            },
        })
    }

    fn expect(&self, key: &VerifierKey, person: Option<Alias>) -> Result<(), Unrelated> {
        if *key != self.key {
            let (promised, found) = (generation(self.key.name()), generation(key.name()));
            return Err(match promised.0 == found.0 && promised.1 < found.1 {
                true => Unrelated::Restored,
                false => Unrelated::Log,
            });
        }
        match person == Some(self.person) {
            true => Ok(()),
            false => Err(Unrelated::Person),
        }
    }
}

#[cfg(test)]
mod tests;
