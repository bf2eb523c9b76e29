//! Receipts: an entry with its content and the proof that the log holds it, in one text.
//!
//! A receipt is a C2SP tlog-proof. Its `extra` data are five parts, each ended by
//! a line end but the last:
//!
//! ```text
//! homecoming-receipt/1
//! <public key of the log, as name+id+base64>
//! <the entry's line>
//! <salt, base64>
//! <stored JSON>
//! ```
//!
//! Where the content cannot be read any more (it was erased) the last two parts are empty: the
//! receipt still proves that there was an entry.
//!
//! Nothing in `extra` is believed as such: the line is hashed to the leaf that the
//! proof leads up from, salt and JSON to the commitment in the line, and the key
//! is only the reader's if the reader says so. Pure: no disk, no clock.

use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::note::VerifierKey;
use tlog::policy::{Policy, Quorum};
use tlog::proof::{Proof, Verified};

use crate::content::{self, Content};
use crate::entry::{Action, Entry};
use crate::signature::{Flaw, Signed};
use crate::trust::{Distrust, Trust, check_times};

pub(crate) mod extra;

use extra::Parts;

const HEADER: &[u8] = b"homecoming-receipt/1";

/// What a receipt proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In plain words, a sentence each: what is now certain.
    pub proved: Vec<String>,
    /// In plain words: what must not be concluded from it.
    pub not_proved: Vec<String>,
    /// The entry.
    pub entry: Entry,
    /// The stored JSON that the entry commits to; empty if it was erased.
    pub stored: Vec<u8>,
    /// The log's size and root as it signed them.
    pub checkpoint: Checkpoint,
    /// The witnesses that cosigned it, of those that the reader's policy knows.
    pub quorum: Quorum,
    /// The key that signed.
    pub key: VerifierKey,
}

/// Why a receipt proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is not even text.
    #[error("this is not a receipt: byte {0} is not text in UTF-8")]
    Bytes(usize),
    /// The text is not a tlog-proof.
    #[error("this is not a receipt: {0}")]
    Text(#[from] tlog::proof::ProofTextError),
    /// The parts that a Homecoming receipt adds are missing or malformed.
    #[error("the receipt's {0} is missing or malformed")]
    Extra(&'static str),
    /// It is signed by another key than the reader trusts.
    #[error("the receipt was made by the log of {found}; you trust {trusted}")]
    OtherKey {
        /// The key in the receipt.
        found: String,
        /// The key that was given.
        trusted: String,
    },
    /// The reader's policy is not met.
    #[error("the receipt is not believed: {0}")]
    Distrust(Distrust),
    /// Signature, checkpoint or proof do not verify.
    #[error("the log does not vouch for this entry: {0}")]
    Log(#[from] tlog::proof::VerifyError),
    /// The line is of another place in the log.
    #[error("the entry's line says position {line}, the proof says {proof}")]
    Position {
        /// The position in the line.
        line: u64,
        /// The position in the proof.
        proof: u64,
    },
    /// The content is not what the entry commits to.
    #[error("the content was changed: it is not what the entry commits to")]
    Content,
    /// The content is of another resource than the entry.
    #[error("the content is of {content}, the entry of {entry}")]
    Resource {
        /// What the content says it is.
        content: String,
        /// What the line says it is.
        entry: String,
    },
    /// It is of a signature that is not the signer's key's.
    #[error(
        "the entry is a signature that was forged: {0}. The programme records none that does not fit, so its entry was \
         altered or made up by whoever holds the log's key"
    )]
    Signature(Flaw),
}

/// Puts a receipt together; without a content, of an entry whose content was erased.
pub fn make(
    key: &VerifierKey,
    line: &str,
    content: Option<&Content>,
    hashes: Vec<Hash>,
    checkpoint: String,
    index: u64,
) -> String {
    let content = content.map(|content| (&content.salt, &content.stored[..]));
    Proof {
        extra: Some(extra::write(HEADER, key, line, content)),
        index,
        hashes,
        checkpoint,
    }
    .to_string()
}

/// Verifies a receipt, offline. Without a key, against the one that the receipt names, and the report says so.
///
/// `receipt` is the file as it is: a byte more or less is refused.
pub fn verify(receipt: &[u8], trusted: Option<&VerifierKey>) -> Result<Report, Problem> {
    let trust = Trust {
        key: trusted,
        policy: None,
    };
    verify_with(receipt, &trust)
}

/// The same with what a reader trusts: below a policy's quorum it is refused.
pub fn verify_with(receipt: &[u8], trust: &Trust<'_>) -> Result<Report, Problem> {
    let proof = extra::proof(receipt)?;
    let parts = Parts::read(&proof, HEADER, "entry", trust)?;
    let (key, line) = (&parts.key, parts.line);
    let none = Policy::without_witnesses();
    let verified = proof.verify_with(line, key, key.name(), trust.policy.unwrap_or(&none))?;
    let entry = Entry::parse(line).map_err(|_| Problem::Extra("entry"))?;
    if entry.position != proof.index {
        return Err(Problem::Position {
            line: entry.position,
            proof: proof.index,
        });
    }
    let stored = match parts.content(&entry.commitment)? {
        Some(stored) => {
            check_resource(&entry, stored)?;
            stored
        }
        None => &[],
    };
    let mut proved = proved(&entry, stored, &verified, key);
    let mut not_proved = not_proved(&entry, stored, &verified, trust);
    if let Some(signed) = Signed::read(stored, key.name()) {
        match signed.stands().map_err(Problem::Signature)? {
            Ok(sentence) => proved.push(sentence),
            Err(sentence) => not_proved.push(sentence),
        }
    }
    proved.extend(trust.proved(&verified.quorum));
    let times = [(entry.position, entry.recorded_at)];
    not_proved.extend(check_times(&verified.quorum, times).map_err(Problem::Distrust)?);
    Ok(Report {
        proved,
        not_proved,
        entry,
        stored: stored.to_vec(),
        checkpoint: verified.checkpoint,
        quorum: verified.quorum,
        key: parts.key,
    })
}

/// An alias cannot be checked without the programme's key; an id that is shown as it is must be the content's.
fn check_resource(entry: &Entry, stored: &[u8]) -> Result<(), Problem> {
    let (kind, id) = content::name(stored).ok_or(Problem::Extra("content"))?;
    if kind == entry.kind && (id == entry.id || entry.id.starts_with('~')) {
        return Ok(());
    }
    Err(Problem::Resource {
        content: format!("{kind}/{id}"),
        entry: format!("{}/{}", entry.kind, entry.id),
    })
}

fn proved(entry: &Entry, stored: &[u8], verified: &Verified, key: &VerifierKey) -> Vec<String> {
    let (kind, id) = content::name(stored).unwrap_or((&entry.kind, &entry.id));
    let Entry {
        position,
        recorded_at,
        version,
        ..
    } = entry;
    let done = match entry.action {
        Action::Create => "made",
        Action::Update => "changed",
        Action::Delete => "deleted",
    };
    let mut sentences = vec![
        match stored.len() {
            0 => format!("{kind}/{id} was {done}: there was a version {version} of it."),
            bytes => format!(
                "{kind}/{id} was {done}: this is its version {version}, {bytes} bytes, exactly as it was recorded."
            ),
        },
        format!(
            "It is entry {position} of the ledger {}, which says that it was recorded at {recorded_at} \
             by {} for the purpose {}.",
            verified.checkpoint.origin,
            name(&entry.actor),
            name(&entry.purpose),
        ),
        format!(
            "The ledger had {} entries when it signed for this, with the key {key}: it cannot take this entry \
             back, change it or move it without breaking that signature.",
            verified.checkpoint.size
        ),
    ];
    if let Some(previous) = &entry.previous {
        sentences.push(format!(
            "It is number {} of the entries about its person; the one before it is entry {}: leaving that one out \
             would show.",
            previous.number + 1,
            previous.position
        ));
    }
    sentences
}

fn not_proved(entry: &Entry, stored: &[u8], verified: &Verified, trust: &Trust<'_>) -> Vec<String> {
    let mut sentences = Vec::new();
    if stored.is_empty() {
        sentences.push(
            "What it said: the receipt holds the line alone, as it does when the content was erased. Whether it was \
             erased by law, the programme's record says, not this receipt."
                .to_owned(),
        );
    }
    if !trust.knows_the_log() {
        sentences.push(
            "Whose ledger it is. The key was taken from the receipt itself: compare it with the one that the \
             programme published, or give that one with --key."
                .to_owned(),
        );
    }
    sentences.push(
        "That what it says is true, that this is the latest version, or that nothing else was recorded.".to_owned(),
    );
    sentences.push(
        "That the time is right: it is the one of the ledger's own clock, and only its order is certain.".to_owned(),
    );
    sentences.push(
        "Who wrote it: the name is asserted by the server, and no key of the author's own signed it."
            .to_owned(),
    );
    sentences.push(match verified.others.len() {
        0 if !verified.quorum.cosigned.is_empty() => {
            "That the witnesses are independent of the programme and of each other.".to_owned()
        }
        0 => "That everybody is shown the same ledger: no outside witness has signed this checkpoint.".to_owned(),
        1 => "Who made the other signature on the checkpoint: its key was not given.".to_owned(),
        others => format!("Who made the other {others} signatures on the checkpoint: their keys were not given."),
    });
    if entry.id.starts_with('~') {
        sentences.push(
            "That the ledger's alias stands for this id: only the programme can show that. The content itself is \
             what was recorded."
                .to_owned(),
        );
    }
    sentences
}

fn name(text: &str) -> &str {
    if text.is_empty() {
        "(nobody named)"
    } else {
        text
    }
}

#[cfg(test)]
mod tests;
