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
//! Nothing in `extra` is believed as such: the line is hashed to the leaf that the
//! proof leads up from, salt and JSON to the commitment in the line, and the key
//! is only the reader's if the reader says so. Pure: no disk, no clock.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::note::VerifierKey;
use tlog::proof::Proof;

use crate::content::{self, Content};
use crate::entry::Entry;

const HEADER: &[u8] = b"homecoming-receipt/1";

/// What a receipt proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The entry.
    pub entry: Entry,
    /// The stored JSON that the entry commits to.
    pub stored: Vec<u8>,
    /// The log's size and root as it signed them.
    pub checkpoint: Checkpoint,
    /// The key that signed.
    pub key: VerifierKey,
    /// Whether the reader named this key; if not, it is only the one that the receipt itself names.
    pub key_was_given: bool,
    /// How many more signatures the checkpoint carries, by keys that were not given.
    pub other_signatures: usize,
}

/// Why a receipt proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
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
}

/// Puts a receipt together.
pub(crate) fn make(
    key: &VerifierKey,
    line: &str,
    content: &Content,
    hashes: Vec<Hash>,
    checkpoint: String,
    index: u64,
) -> String {
    let mut extra = Vec::with_capacity(content.stored.len() + line.len() + 256);
    extra.extend_from_slice(HEADER);
    for part in [&key.to_string(), line, &STANDARD.encode(content.salt)] {
        extra.push(b'\n');
        extra.extend_from_slice(part.as_bytes());
    }
    extra.push(b'\n');
    extra.extend_from_slice(&content.stored);
    Proof {
        extra: Some(extra),
        index,
        hashes,
        checkpoint,
    }
    .to_string()
}

/// Verifies a receipt, offline. Without a key, against the one that the receipt names, and the report says so.
pub fn verify(text: &str, trusted: Option<&VerifierKey>) -> Result<Report, Problem> {
    let proof = Proof::parse(text)?;
    let extra = proof.extra.as_deref().ok_or(Problem::Extra("content"))?;
    let mut parts = extra.splitn(5, |b| *b == b'\n');
    let mut part = |name| parts.next().ok_or(Problem::Extra(name));
    if part("first line")? != HEADER {
        return Err(Problem::Extra("first line"));
    }
    let key = std::str::from_utf8(part("public key")?)
        .ok()
        .and_then(|text| {
            VerifierKey::parse(text)
                .ok()
                .filter(|key| key.to_string() == text)
        })
        .ok_or(Problem::Extra("public key"))?;
    let line = part("entry")?;
    let salt = STANDARD
        .decode(part("salt")?)
        .ok()
        .and_then(|salt| content::Salt::try_from(salt).ok())
        .ok_or(Problem::Extra("salt"))?;
    let stored = part("content")?;

    if let Some(trusted) = trusted.filter(|trusted| **trusted != key) {
        return Err(Problem::OtherKey {
            found: key.to_string(),
            trusted: trusted.to_string(),
        });
    }
    let verified = proof.verify(line, &key, key.name())?;
    let entry = Entry::parse(line).map_err(|_| Problem::Extra("entry"))?;
    if entry.position != proof.index {
        return Err(Problem::Position {
            line: entry.position,
            proof: proof.index,
        });
    }
    if content::commitment(&salt, stored) != entry.commitment {
        return Err(Problem::Content);
    }
    check_resource(&entry, stored)?;
    Ok(Report {
        entry,
        stored: stored.to_vec(),
        checkpoint: verified.checkpoint,
        key,
        key_was_given: trusted.is_some(),
        other_signatures: verified.others.len(),
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

impl Report {
    /// What was proved and what was not, as sentences, one to a line.
    pub fn sentences(&self) -> Vec<String> {
        let entry = &self.entry;
        let name = content::name(&self.stored).map_or_else(
            || format!("{}/{}", entry.kind, entry.id),
            |(kind, id)| format!("{kind}/{id}"),
        );
        vec![name]
    }
}
