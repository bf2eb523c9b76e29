//! Whom a reader believes: the log by its key, witnesses by a policy, or only what the file itself says.

use tlog::checkpoint::{Checkpoint, CheckpointError};
use tlog::note::{NoteError, SignedNote, VerifierKey};
use tlog::policy::{CheckError, Policy, Quorum};

use record::time::RecordedAt;

/// What a reader brings along. Nothing: the file's own key is used, and the report says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trust<'t> {
    /// The log's public key, from somebody else than the file.
    pub key: Option<&'t VerifierKey>,
    /// Which logs are known and how many witnesses it takes.
    pub policy: Option<&'t Policy>,
}

/// Why a checkpoint is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// The file is of another log than the reader trusts.
    #[error("it was made by the log of {found}; you trust {trusted}")]
    OtherKey {
        /// The key in the file.
        found: String,
        /// The key that was given.
        trusted: String,
    },
    /// The policy names logs, and this is none of them.
    #[error("it was made by the log of {found}, which your policy does not name")]
    UnknownLog {
        /// The key in the file.
        found: String,
    },
    /// The checkpoint is malformed or another log's.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The log's signature is missing or bad.
    #[error(transparent)]
    Signature(#[from] NoteError),
    /// A cosignature is bad, or too few witnesses cosigned.
    #[error(transparent)]
    Witnesses(#[from] CheckError),
}

impl Trust<'_> {
    /// Whether the reader knows the log's key from elsewhere than the file.
    pub fn knows_the_log(&self) -> bool {
        self.key.is_some() || self.policy.is_some_and(|policy| !policy.logs().is_empty())
    }

    /// Checks that the reader may believe the key that a file names.
    pub fn check_key(&self, key: &VerifierKey) -> Result<(), Distrust> {
        if let Some(trusted) = self.key.filter(|trusted| **trusted != *key) {
            return Err(Distrust::OtherKey {
                found: key.to_string(),
                trusted: trusted.to_string(),
            });
        }
        match self.policy {
            Some(policy)
                if !policy.logs().is_empty() && !policy.logs().iter().any(|l| l.key == *key) =>
            {
                Err(Distrust::UnknownLog {
                    found: key.to_string(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Checks a signed checkpoint of the log that goes by the key's name.
    pub fn open(&self, note: &str, key: &VerifierKey) -> Result<(Checkpoint, Quorum), Distrust> {
        self.check_key(key)?;
        let note = SignedNote::parse(note).map_err(CheckpointError::from)?;
        let checkpoint = Checkpoint::open(&note.to_string(), key, key.name())?;
        let quorum = match self.policy {
            Some(policy) => policy.check_quorum(&note)?,
            None => Quorum::default(),
        };
        Ok((checkpoint, quorum))
    }

    /// What a quorum proves, in a sentence; nothing if no witness is known.
    pub fn proved(&self, quorum: &Quorum) -> Option<String> {
        let each = quorum.cosigned.iter().map(|cosigned| {
            // A time beyond the year 9999 is written as the end of it.
            let us = i64::try_from(cosigned.time).unwrap_or(i64::MAX);
            let time = RecordedAt(us.saturating_mul(1_000_000).min(LAST_MOMENT));
            format!("{} at {time}", cosigned.witness)
        });
        let each: Vec<String> = each.collect();
        let policy = self.policy.filter(|_| !each.is_empty())?;
        Some(format!(
            "Outside witnesses saw this log, grown from all they had seen of it before, and cosigned: {}. Your policy \
             asks for {}.",
            each.join(", "),
            policy.quorum()
        ))
    }

    /// What is left open about the log itself.
    pub fn not_proved(&self, quorum: &Quorum) -> Vec<String> {
        let mut sentences = Vec::new();
        if !self.knows_the_log() {
            sentences.push(
                "Whose log it is. The key was taken from the file itself: compare it with the one that the programme \
                 published, or give that one with --key."
                    .to_owned(),
            );
        }
        if quorum.cosigned.is_empty() {
            sentences.push(
                "That everybody is shown the same log: no outside witness is vouched for by a policy. Give one with \
                 --policy."
                    .to_owned(),
            );
        } else {
            sentences.push(
                "That the witnesses are independent of the programme and of each other.".to_owned(),
            );
        }
        sentences
    }
}

/// The last moment of the year 9999, in microseconds since 1970.
const LAST_MOMENT: i64 = 253_402_300_799_999_999;
