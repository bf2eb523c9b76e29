//! What a witness is asked, what it decides, and what it answers (C2SP tlog-witness 1.0.0).
//!
//! ```text
//! POST <submission prefix>/add-checkpoint
//!
//! old 20852014                                  the size that the witness cosigned last
//! PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=  proof that the new tree begins with that one
//!
//! example.com/behind-the-sofa                   the new checkpoint, signed by the log
//! …
//! ```
//!
//! [`decide`] is the whole of the decision, and pure. Whoever calls it must
//! look up the last size and root of the log, decide, and store the new ones
//! durably as one step that nothing else comes between, and only then cosign
//! and answer: otherwise two requests at once could take the witness back.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::consistency::verify_consistency;
use crate::cosignature::{CosignatureError, WitnessKey};
use crate::encoding::{hash_from_base64, number, to_base64};
use crate::hash::{Hash, root_of_empty};
use crate::note::{
    NOTE_BYTES_MAX, NoteError, SignedNote, VerifierKey, refuse_control, signature_lines,
};
use crate::path::ProofError;

/// Where a checkpoint is submitted, below a witness's submission prefix.
pub const ADD_CHECKPOINT: &str = "add-checkpoint";

/// The content type of an answer that says which size the witness cosigned last.
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";

/// A request with more hashes than this is refused.
pub const HASHES_MAX: usize = 63;

/// A request longer than this is refused, in bytes.
pub const REQUEST_BYTES_MAX: usize = NOTE_BYTES_MAX + 4096;

/// What a log asks of a witness: to cosign a checkpoint, which begins with the tree it cosigned before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The size that the log takes the witness to have cosigned last; 0 if none.
    pub old: u64,
    /// That the tree of the checkpoint begins with the tree of the old size.
    pub proof: Vec<Hash>,
    /// The checkpoint, signed by the log, word for word.
    pub checkpoint: SignedNote,
}

/// Why a request is malformed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The request is longer than [`REQUEST_BYTES_MAX`].
    #[error("the request is longer than {REQUEST_BYTES_MAX} bytes")]
    TooLong,
    /// The request is not UTF-8.
    #[error("the request is not UTF-8 text")]
    NotUtf8,
    /// The first line is not `old` and a size.
    #[error("the first line is not the word old and a size")]
    Old,
    /// A line of the proof is not a hash.
    #[error("line {number} of the proof is not a hash in canonical base64")]
    Hash {
        /// The line's number among the hashes, from 1.
        number: usize,
    },
    /// There are more than [`HASHES_MAX`] hashes.
    #[error("the proof has more than {HASHES_MAX} hashes")]
    TooManyHashes,
    /// No blank line and checkpoint follow.
    #[error("no checkpoint follows the proof")]
    NoCheckpoint,
    /// The checkpoint is malformed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl Request {
    /// Reads the body of a request; nothing in it is verified by that.
    ///
    /// A checkpoint of size 0 with a root that is not that of the empty tree is
    /// read: refusing it is for [`decide`], because its status is another one.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.len() > REQUEST_BYTES_MAX {
            return Err(RequestError::TooLong);
        }
        let text = str::from_utf8(body).map_err(|_| RequestError::NotUtf8)?;
        let (first, mut rest) = text.split_once('\n').ok_or(RequestError::Old)?;
        let old = first
            .strip_prefix("old ")
            .and_then(number)
            .ok_or(RequestError::Old)?;
        let mut proof = Vec::new();
        loop {
            let (line, after) = rest.split_once('\n').ok_or(RequestError::NoCheckpoint)?;
            rest = after;
            if line.is_empty() {
                break;
            }
            let number = proof.len() + 1;
            if number > HASHES_MAX {
                return Err(RequestError::TooManyHashes);
            }
            proof.push(hash_from_base64(line).ok_or(RequestError::Hash { number })?);
        }
        let checkpoint = SignedNote::parse(rest).map_err(CheckpointError::from)?;
        Checkpoint::parse_lines(checkpoint.text())?;
        Ok(Request {
            old,
            proof,
            checkpoint,
        })
    }

    /// The log that the checkpoint names: by it the witness looks up what it knows. Not verified.
    pub fn origin(&self) -> &str {
        let text = self.checkpoint.text();
        text.split_once('\n').map_or(text, |(origin, _)| origin)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.proof {
            writeln!(f, "{}", to_base64(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// A tree that the witness cosigned, or is about to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// How many leaves it has.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// Why a witness does not cosign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 400: the request is malformed.
    #[error(transparent)]
    Malformed(#[from] RequestError),
    /// 400: the old size is beyond the checkpoint's.
    #[error("the old size is {old}, and the checkpoint's is {size}")]
    OldTooLarge {
        /// The old size that the request gives.
        old: u64,
        /// The checkpoint's size.
        size: u64,
    },
    /// 404: this witness does not follow that log.
    #[error("this witness does not follow the log {origin}")]
    UnknownLog {
        /// The log that the checkpoint names.
        origin: String,
    },
    /// 403: the checkpoint is not signed by a key that the witness trusts for the log, or such a signature is bad.
    #[error(transparent)]
    NotSigned(NoteError),
    /// 409: the witness cosigned another size last.
    #[error("the size cosigned last is {known}, not {old}")]
    Conflict {
        /// The size that the witness cosigned last.
        known: u64,
        /// The old size that the request gives.
        old: u64,
    },
    /// 422: the log signed another root for the size that was cosigned last.
    #[error(
        "the log signed two roots for the size {size}: it shows different readers different logs"
    )]
    Fork {
        /// The size of both trees.
        size: u64,
    },
    /// 422: the proof does not show that the tree begins with the one cosigned last.
    #[error("the checkpoint does not follow from the one cosigned last: {0}")]
    Inconsistent(ProofError),
    /// 422: the size is 0, and the root is not that of the tree without leaves.
    #[error("the checkpoint's root is not that of a tree without leaves")]
    EmptyRoot,
}

impl Refusal {
    /// The HTTP status that the specification asks for.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::Malformed(_) | Refusal::OldTooLarge { .. } => 400,
            Refusal::NotSigned(_) => 403,
            Refusal::UnknownLog { .. } => 404,
            Refusal::Conflict { .. } => 409,
            Refusal::Fork { .. } | Refusal::Inconsistent(_) | Refusal::EmptyRoot => 422,
        }
    }

    /// The content type and the body of the answer: for 409 the size, for the others the reason.
    pub fn answer(&self) -> (&'static str, String) {
        match self {
            Refusal::Conflict { known, .. } => (SIZE_CONTENT_TYPE, format!("{known}\n")),
            reason => ("text/plain; charset=utf-8", format!("{reason}\n")),
        }
    }

    /// Whether the log has signed what it must never sign, so that the request is evidence worth keeping.
    ///
    /// A proof that does not verify is none: anybody could have sent it along.
    pub fn is_misbehaviour(&self) -> bool {
        matches!(self, Refusal::Fork { .. } | Refusal::EmptyRoot)
    }
}

/// Decides whether to cosign.
///
/// `known` is what the witness cosigned last for the log that
/// [`request.origin()`](Request::origin) names; `keys` are those that it trusts
/// for that log, none if it does not follow it. What is returned is to be
/// stored as the log's last tree before the cosignature leaves the witness.
pub fn decide(
    request: &Request,
    known: Option<Seen>,
    keys: &[VerifierKey],
) -> Result<Seen, Refusal> {
    let origin = request.origin();
    if keys.is_empty() {
        return Err(Refusal::UnknownLog {
            origin: origin.to_owned(),
        });
    }
    let checkpoint =
        Checkpoint::parse_lines(request.checkpoint.text()).map_err(RequestError::Checkpoint)?;
    let note = &request.checkpoint;
    note.verify_any(keys).map_err(Refusal::NotSigned)?;
    let (old, size) = (request.old, checkpoint.size);
    if old > size {
        return Err(Refusal::OldTooLarge { old, size });
    }
    let known = known.unwrap_or(Seen {
        size: 0,
        root: root_of_empty(),
    });
    if old != known.size {
        let known = known.size;
        return Err(Refusal::Conflict { known, old });
    }
    checkpoint
        .check_empty_root()
        .map_err(|_| Refusal::EmptyRoot)?;
    let root = checkpoint.root;
    if old == size && root != known.root {
        return Err(Refusal::Fork { size });
    }
    verify_consistency(old, &known.root, size, &root, &request.proof)
        .map_err(Refusal::Inconsistent)?;
    Ok(Seen { size, root })
}

/// Why a witness's answer is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The answer is no sequence of signature lines.
    #[error("the witness's answer is malformed: {0}")]
    Lines(NoteError),
    /// The answer has no good cosignature by the witness.
    #[error(transparent)]
    Cosignature(#[from] CosignatureError),
}

/// Takes the cosignatures by `key` from a witness's answer over to the note, and gives the latest time.
///
/// They take the place of earlier ones by the same key. Lines by other keys are
/// ignored. If one by this key is bad or none is there, the note is unchanged.
pub fn take_answer(
    body: &str,
    note: &mut SignedNote,
    key: &WitnessKey,
) -> Result<u64, AnswerError> {
    if body.len() > NOTE_BYTES_MAX {
        return Err(AnswerError::Lines(NoteError::TooLong));
    }
    refuse_control(body).map_err(AnswerError::Lines)?;
    let lines = signature_lines(body).map_err(AnswerError::Lines)?;
    let mut latest: Option<(u64, _)> = None;
    for line in lines {
        if line.is_named(key.name(), key.id()) {
            let time = key.verify_one(note, &line)?;
            if latest.as_ref().is_none_or(|(earlier, _)| *earlier < time) {
                latest = Some((time, line));
            }
        }
    }
    let (time, line) = latest.ok_or_else(|| CosignatureError::NotCosigned { key: key.label() })?;
    note.put(line).map_err(AnswerError::Lines)?;
    Ok(time)
}

/// The size in the body of an answer with status 409: what the witness cosigned last.
pub fn parse_size(body: &str) -> Option<u64> {
    number(body.strip_suffix('\n')?)
}

/// Where a witness serves the last checkpoint that it cosigned, below its monitoring prefix.
pub fn checkpoint_path(origin: &str) -> String {
    use std::fmt::Write as _;
    let mut path = String::with_capacity(75);
    for byte in Sha256::digest(origin) {
        // Writing to a string does not fail.
        let _ = write!(path, "{byte:02x}");
    }
    path + "/checkpoint"
}
