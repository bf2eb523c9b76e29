//! The receipt of a leaf of the access log: a C2SP tlog-proof like an entry's receipt.
//!
//! Its `extra` data are
//!
//! ```text
//! homecoming-disclosure/1
//! <public key of the access log, as name+id+base64>
//! <the leaf's line>
//! <salt, base64>
//! <content, JSON>
//! ```
//!
//! Where the content cannot be read any more (the person was erased) the last two parts are empty,
//! and the receipt says so.

use tlog::Hash;
use tlog::checkpoint::{Checkpoint, CheckpointError};
use tlog::note::{SignedNote, VerifierKey};
use tlog::policy::Quorum;
use tlog::proof::Proof;

use super::{Leaf, Told, Whom};
use crate::content::Salt;
use crate::receipt::Problem;
use crate::receipt::extra::{self, Parts};
use crate::trust::{Distrust, Trust, check_times};

const HEADER: &[u8] = b"homecoming-disclosure/1";

/// What the receipt of a disclosure proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In plain words, a sentence each: what is now certain.
    pub proved: Vec<String>,
    /// In plain words: what must not be concluded from it.
    pub not_proved: Vec<String>,
    /// The leaf.
    pub leaf: Leaf,
    /// What exactly was asked and given out, if the receipt has it.
    pub told: Option<Told>,
    /// The access log's size and root as it signed them.
    pub checkpoint: Checkpoint,
    /// The key that signed.
    pub key: VerifierKey,
}

/// Puts a receipt together.
pub fn make(
    key: &VerifierKey,
    line: &str,
    content: Option<(&Salt, &[u8])>,
    hashes: Vec<Hash>,
    checkpoint: String,
    index: u64,
) -> String {
    Proof {
        extra: Some(extra::write(HEADER, key, line, content)),
        index,
        hashes,
        checkpoint,
    }
    .to_string()
}

/// Whether a text is the receipt of a disclosure, whatever it is worth.
pub fn is_one(receipt: &[u8]) -> bool {
    std::str::from_utf8(receipt)
        .ok()
        .and_then(|text| Proof::parse(text).ok())
        .and_then(|proof| proof.extra)
        .is_some_and(|extra| extra.split(|b| *b == b'\n').next() == Some(HEADER))
}

/// Verifies it, offline. Without a key, against the one that it names, and the report says so.
pub fn verify(receipt: &[u8], trusted: Option<&VerifierKey>) -> Result<Report, Problem> {
    let trust = Trust {
        key: trusted,
        policy: None,
    };
    verify_with(receipt, &trust)
}

/// The same with what a reader trusts: below a policy's quorum it is refused. The policy's logs are records, so of
/// an access log its witnesses are asked alone; the key is the access log's.
pub fn verify_with(receipt: &[u8], trust: &Trust<'_>) -> Result<Report, Problem> {
    let trusted = trust.key;
    let by_key = Trust {
        key: trusted,
        policy: None,
    };
    let proof = extra::proof(receipt)?;
    let parts = Parts::read(&proof, HEADER, "line", &by_key)?;
    let (key, line) = (&parts.key, parts.line);
    let verified = proof.verify(line, key, key.name())?;
    let leaf = Leaf::parse(line).map_err(|_| Problem::Extra("line"))?;
    if leaf.position != proof.index {
        return Err(Problem::Position {
            line: leaf.position,
            proof: proof.index,
        });
    }
    let told = match parts.content(&leaf.commitment)? {
        Some(stored) => Some(Told::parse(stored).ok_or(Problem::Extra("content"))?),
        None => None,
    };
    let checkpoint = verified.checkpoint;
    let distrust = |why: Distrust| Problem::Distrust(why);
    let quorum = match trust.policy {
        Some(policy) => {
            let note = SignedNote::parse(&proof.checkpoint)
                .map_err(|error| distrust(CheckpointError::from(error).into()))?;
            policy
                .check_quorum(&note)
                .map_err(|error| distrust(error.into()))?
        }
        None => Quorum::default(),
    };
    let mut proved = proved(&leaf, told.as_ref(), &checkpoint, key);
    proved.extend(trust.proved_of("the access log", &quorum));
    let mut not_proved = not_proved(&leaf, told.as_ref(), trusted.is_some());
    if quorum.cosigned.is_empty() {
        not_proved.push(
            "That everybody is shown the same access log: no outside witness is vouched for by a policy. Give one \
             with --policy."
                .to_owned(),
        );
    }
    let times = [(leaf.position, leaf.recorded_at)];
    not_proved.extend(check_times(&quorum, times).map_err(distrust)?);
    Ok(Report {
        proved,
        not_proved,
        leaf,
        told,
        checkpoint,
        key: parts.key,
    })
}

fn proved(
    leaf: &Leaf,
    told: Option<&Told>,
    checkpoint: &Checkpoint,
    key: &VerifierKey,
) -> Vec<String> {
    let whom = match leaf.whom {
        Whom::Nobody => "about nobody in particular".to_owned(),
        Whom::One(alias) => format!("about one person, p{alias}"),
        Whom::Many(count) => format!("about {count} people"),
    };
    let mut sentences = vec![
        format!(
            "{} was answered for the purpose {}, on {}: a {} {whom}, with {} versions given out whole, \
             drawn from the first {} entries of the record.",
            leaf.actor,
            leaf.purpose,
            leaf.recorded_at,
            leaf.what.as_str(),
            leaf.versions,
            leaf.size
        ),
        format!(
            "It is leaf {} of the access log {}, which had {} leaves when it signed for this, with the key {key}: \
             it cannot take this leaf back, change it or move it without breaking that signature.",
            leaf.position, checkpoint.origin, checkpoint.size
        ),
    ];
    if let Some(told) = told {
        sentences.push(format!("What was asked for: {}", told.address));
    }
    sentences
}

fn not_proved(leaf: &Leaf, told: Option<&Told>, key_was_given: bool) -> Vec<String> {
    let mut sentences = Vec::new();
    if !key_was_given {
        sentences.push(
            "Whose log it is. The key was taken from the receipt itself: compare it with the one that the \
             programme published, or give that one with --key."
                .to_owned(),
        );
    }
    if told.is_none() {
        sentences.push(
            "What exactly was asked for: the receipt holds the line alone, as it does when the person was erased."
                .to_owned(),
        );
    }
    sentences.push(
        "That somebody read what they were sent, that they were who the server took them for, or that nobody \
         else was answered."
            .to_owned(),
    );
    if leaf.versions == 0 {
        sentences.push(
            "That nothing was learned: a page that sums a record up gives no version of it out whole."
                .to_owned(),
        );
    }
    sentences
}

#[cfg(test)]
mod tests;
