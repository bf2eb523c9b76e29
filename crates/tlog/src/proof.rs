//! Receipts (C2SP tlog-proof): a leaf's place in a log, under a checkpoint that the log signed.
//!
//! A receipt is verified offline, from the leaf's data and the log's public key.
//! It proves that the leaf is in the log; with a policy of witnesses
//! ([`Proof::verify_with`]) also that they saw the same log. It does not prove
//! that the log holds nothing else.

use std::fmt;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::encoding::{from_base64, hash_from_base64, number, to_base64};
use crate::hash::{Hash, leaf_hash};
use crate::inclusion::verify_inclusion;
use crate::note::{NoteError, Signature, SignedNote, VerifierKey};
use crate::path::ProofError;
use crate::policy::{CheckError, Log, Policy, Quorum};

/// The first line of every receipt.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// No way up a tree is longer than a `u64` has bits.
const HASHES_MAX: usize = 64;

/// A receipt, not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What the application adds. Nothing vouches for it unless the leaf is made
    /// from it. Empty is the same as `None` and is written so.
    pub extra: Option<Vec<u8>>,
    /// The leaf's number in the log, from 0.
    pub index: u64,
    /// The hashes that lead from the leaf to the root, lowest first.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, word for word.
    pub checkpoint: String,
}

/// Why a text is not a receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofTextError {
    /// The first line is not that of a receipt.
    #[error("the first line is not {HEADER}")]
    Header,
    /// The extra data is empty or not canonical base64.
    #[error("the extra data is empty or not canonical base64")]
    Extra,
    /// The line with the index is missing or malformed.
    #[error("the line with the leaf's index is missing or malformed")]
    Index,
    /// A line of the proof is not a hash.
    #[error("line {number} of the proof is not a hash in canonical base64")]
    Hash {
        /// The line's number among the hashes, from 1.
        number: usize,
    },
    /// There are more hashes than any tree is high.
    #[error("the proof has more than {HASHES_MAX} hashes")]
    TooManyHashes,
    /// No blank line and checkpoint follow the hashes.
    #[error("no checkpoint follows the proof")]
    NoCheckpoint,
    /// The checkpoint is malformed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Why a receipt does not prove what it is said to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The checkpoint is malformed or another log's.
    #[error(transparent)]
    Checkpoint(CheckpointError),
    /// The log's signature is missing or does not fit the checkpoint.
    #[error(transparent)]
    Signature(NoteError),
    /// The leaf is not at this place under the checkpoint's root.
    #[error(transparent)]
    Inclusion(#[from] ProofError),
    /// The policy names logs, and this one's key is not among them.
    #[error("the policy does not know the log {origin} by this key")]
    UnknownLog {
        /// The log that was asked for.
        origin: String,
    },
    /// A cosignature is bad, or too few witnesses cosigned.
    #[error(transparent)]
    Witnesses(CheckError),
}

/// What a receipt proved: the leaf is number `index` of the log that `checkpoint` describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The log's size and root, as it signed them.
    pub checkpoint: Checkpoint,
    /// The leaf's number in the log, from 0.
    pub index: u64,
    /// The leaf's hash.
    pub leaf: Hash,
    /// Those of the policy's witnesses that cosigned the checkpoint, and when.
    pub quorum: Quorum,
    /// Further signatures on the checkpoint, by keys that were not given: nothing is known of them.
    pub others: Vec<Signature>,
}

impl Proof {
    /// Reads a receipt; what it says is not to be used before [`verify`](Proof::verify).
    pub fn parse(text: &str) -> Result<Self, ProofTextError> {
        let mut rest = text;
        if line(&mut rest) != Some(HEADER) {
            return Err(ProofTextError::Header);
        }
        let mut next = line(&mut rest);
        let mut extra = None;
        if let Some(base64) = next.and_then(|line| line.strip_prefix("extra ")) {
            let bytes = from_base64(base64).filter(|bytes| !bytes.is_empty());
            extra = Some(bytes.ok_or(ProofTextError::Extra)?);
            next = line(&mut rest);
        }
        let index = next
            .and_then(|line| line.strip_prefix("index "))
            .and_then(number)
            .ok_or(ProofTextError::Index)?;
        let mut hashes = Vec::new();
        loop {
            match line(&mut rest) {
                None => return Err(ProofTextError::NoCheckpoint),
                Some("") => break,
                Some(_) if hashes.len() == HASHES_MAX => return Err(ProofTextError::TooManyHashes),
                Some(line) => hashes.push(hash_from_base64(line).ok_or(ProofTextError::Hash {
                    number: hashes.len() + 1,
                })?),
            }
        }
        parse_checkpoint(rest)?;
        Ok(Proof {
            extra,
            index,
            hashes,
            checkpoint: rest.to_owned(),
        })
    }

    /// Checks that `leaf` (its data, not its hash) is at this place in the log `origin`, whose key is `key`.
    ///
    /// Without witnesses: the log may show others another tree.
    pub fn verify(
        &self,
        leaf: &[u8],
        key: &VerifierKey,
        origin: &str,
    ) -> Result<Verified, VerifyError> {
        self.verify_with(leaf, key, origin, &Policy::without_witnesses())
    }

    /// As [`verify`](Proof::verify), and checks that the policy's quorum cosigned the checkpoint.
    ///
    /// If the policy names logs, this one must be among them. A cosignature that
    /// names one of its witnesses and is bad refuses the receipt, even if there
    /// are enough others.
    pub fn verify_with(
        &self,
        leaf: &[u8],
        key: &VerifierKey,
        origin: &str,
        policy: &Policy,
    ) -> Result<Verified, VerifyError> {
        let (note, checkpoint) =
            parse_checkpoint(&self.checkpoint).map_err(VerifyError::Checkpoint)?;
        checkpoint
            .expect_origin(origin)
            .map_err(VerifyError::Checkpoint)?;
        let is_this = |log: &Log| log.key == *key && key.name() == origin;
        if !policy.logs().is_empty() && !policy.logs().iter().any(is_this) {
            return Err(VerifyError::UnknownLog {
                origin: origin.to_owned(),
            });
        }
        note.verify(key).map_err(VerifyError::Signature)?;
        let quorum = policy.check_quorum(&note).map_err(VerifyError::Witnesses)?;
        let leaf = leaf_hash(leaf);
        verify_inclusion(
            self.index,
            checkpoint.size,
            &leaf,
            &self.hashes,
            &checkpoint.root,
        )?;
        Ok(Verified {
            checkpoint,
            index: self.index,
            leaf,
            quorum,
            others: note
                .signatures_besides(key)
                .filter(|signature| !policy.knows(signature))
                .cloned()
                .collect(),
        })
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = self.extra.as_deref().filter(|extra| !extra.is_empty()) {
            writeln!(f, "extra {}", to_base64(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", to_base64(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Takes a line off, without its end; `None` if no line ends in what is left.
fn line<'t>(rest: &mut &'t str) -> Option<&'t str> {
    let (line, after) = rest.split_once('\n')?;
    *rest = after;
    Some(line)
}

fn parse_checkpoint(text: &str) -> Result<(SignedNote, Checkpoint), CheckpointError> {
    let note = SignedNote::parse(text)?;
    let checkpoint = Checkpoint::parse(note.text())?;
    Ok((note, checkpoint))
}
