//! Checkpoints (C2SP tlog-checkpoint 1.0.0): the size and the root of one log, in a signed note.

use std::fmt;

use crate::encoding::{hash_from_base64, number, to_base64};
use crate::hash::{Hash, root_of_empty};
use crate::note::{NoteError, SignedNote, SigningKey, VerifierKey};

/// What a log says of itself: so many leaves, under this root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log; one line.
    pub origin: String,
    /// How many leaves the log has.
    pub size: u64,
    /// The root over these leaves.
    pub root: Hash,
    /// Further lines, whose meaning is the log's own; none is empty. Witnesses do not vouch for them.
    pub extensions: Vec<String>,
}

/// Why a checkpoint is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note itself is malformed, or its signature does not verify.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The last line has no end.
    #[error("the checkpoint is cut off")]
    CutOff,
    /// The origin is missing or not one line.
    #[error("the checkpoint's origin is missing, or is not one line")]
    Origin,
    /// The size is missing or not a number in its only form.
    #[error("the checkpoint's size is not a number without leading zeroes")]
    Size,
    /// The root is missing or not a hash in canonical base64.
    #[error("the checkpoint's root is not a hash in canonical base64")]
    Root,
    /// The size is 0, and the root is not that of the tree without leaves.
    #[error("the checkpoint's root is not that of a tree without leaves")]
    EmptyRoot,
    /// An extension is empty or not one line.
    #[error("the checkpoint's extension {number} is empty, or is not one line")]
    Extension {
        /// Its number among the extensions, from 1.
        number: usize,
    },
    /// The checkpoint is another log's.
    #[error("the checkpoint is of the log {found}, not of {expected}")]
    OtherOrigin {
        /// The log that was asked for.
        expected: String,
        /// The log that the checkpoint names.
        found: String,
    },
}

impl Checkpoint {
    /// Reads the text of a note; whoever has the note itself wants [`open`](Checkpoint::open).
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let checkpoint = Checkpoint::parse_lines(text)?;
        checkpoint.check()?;
        Ok(checkpoint)
    }

    /// As [`parse`](Checkpoint::parse), but takes any root for a tree without leaves.
    pub(crate) fn parse_lines(text: &str) -> Result<Self, CheckpointError> {
        let text = text.strip_suffix('\n').ok_or(CheckpointError::CutOff)?;
        let mut lines = text.split('\n');
        let origin = lines.next().unwrap_or_default().to_owned();
        let size = lines.next().and_then(number);
        let checkpoint = Checkpoint {
            size: size.ok_or(CheckpointError::Size)?,
            root: lines
                .next()
                .and_then(hash_from_base64)
                .ok_or(CheckpointError::Root)?,
            extensions: lines.map(str::to_owned).collect(),
            origin,
        };
        checkpoint.check_lines()?;
        Ok(checkpoint)
    }

    /// Reads a signed checkpoint of the log `origin` and checks that `key` signed it.
    pub fn open(note: &str, key: &VerifierKey, origin: &str) -> Result<Self, CheckpointError> {
        let note = SignedNote::parse(note)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        checkpoint.expect_origin(origin)?;
        note.verify(key)?;
        Ok(checkpoint)
    }

    /// The signed note. Refused if a field does not fit on its line.
    pub fn sign(&self, key: &SigningKey) -> Result<String, CheckpointError> {
        self.check()?;
        Ok(SignedNote::sign(&self.to_string(), key)?.to_string())
    }

    pub(crate) fn expect_origin(&self, expected: &str) -> Result<(), CheckpointError> {
        if self.origin != expected {
            return Err(CheckpointError::OtherOrigin {
                expected: expected.to_owned(),
                found: self.origin.clone(),
            });
        }
        Ok(())
    }

    fn check(&self) -> Result<(), CheckpointError> {
        self.check_lines()?;
        self.check_empty_root()
    }

    pub(crate) fn check_empty_root(&self) -> Result<(), CheckpointError> {
        if self.size == 0 && self.root != root_of_empty() {
            return Err(CheckpointError::EmptyRoot);
        }
        Ok(())
    }

    fn check_lines(&self) -> Result<(), CheckpointError> {
        if !is_line(&self.origin) {
            return Err(CheckpointError::Origin);
        }
        match self.extensions.iter().position(|line| !is_line(line)) {
            Some(at) => Err(CheckpointError::Extension { number: at + 1 }),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Checkpoint {
    /// The note's text, without signatures.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}\n{}\n{}",
            self.origin,
            self.size,
            to_base64(&self.root)
        )?;
        self.extensions
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

fn is_line(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c < ' ')
}
