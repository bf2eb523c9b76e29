//! Whom a reader believes: the log by its key, witnesses by a policy, or only what the file itself says.

use tlog::checkpoint::{Checkpoint, CheckpointError};
use tlog::note::{NoteError, SignedNote, VerifierKey};
use tlog::policy::{CheckError, Cosigned, Policy, Quorum};

use record::time::RecordedAt;

/// How far a programme's clock and a witness's may differ, in microseconds.
pub const SKEW_MAX_US: i64 = 120_000_000;

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
    /// Most witnesses had signed before.
    #[error(
        "entry {position} says that it was recorded at {recorded_at}, but the witness {witness} had signed for it at \
         {signed} already"
    )]
    Time {
        /// The entry's position in its log.
        position: u64,
        /// When it says it was recorded.
        recorded_at: RecordedAt,
        /// The witness that had signed before all others.
        witness: String,
        /// When it had.
        signed: RecordedAt,
    },
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
        self.proved_of("this log", quorum)
    }

    /// The same of a log by what it is called in the sentence.
    pub(crate) fn proved_of(&self, log: &str, quorum: &Quorum) -> Option<String> {
        let each = quorum
            .cosigned
            .iter()
            .map(|cosigned| format!("{} at {}", cosigned.witness, moment(cosigned)));
        let each: Vec<String> = each.collect();
        let policy = self.policy.filter(|_| !each.is_empty())?;
        Some(format!(
            "Outside witnesses saw {log}, grown from all they had seen of it before, and cosigned: {}. Your policy \
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

/// Holds entries, by position and recorded time, against the times at which witnesses signed for all of them: what is
/// signed for was recorded before. Where more witnesses contradict an entry than agree with it, the file is not
/// believed, as a server whose clock they contradict so does not write; where fewer do, a sentence names them.
pub(crate) fn check_times(
    quorum: &Quorum,
    entries: impl IntoIterator<Item = (u64, RecordedAt)>,
) -> Result<Option<String>, Distrust> {
    let Some((position, recorded_at)) = entries.into_iter().max_by_key(|(_, at)| at.0) else {
        return Ok(None);
    };
    let is_early = |one: &&Cosigned| moment(one).0.saturating_add(SKEW_MAX_US) < recorded_at.0;
    let early: Vec<&Cosigned> = quorum.cosigned.iter().filter(is_early).collect();
    let Some(first) = early.iter().min_by_key(|one| one.time) else {
        return Ok(None);
    };
    if early.len() * 2 > quorum.cosigned.len() {
        return Err(Distrust::Time {
            position,
            recorded_at,
            witness: first.witness.clone(),
            signed: moment(first),
        });
    }
    let names: Vec<&str> = early.iter().map(|one| one.witness.as_str()).collect();
    Ok(Some(format!(
        "That the time of entry {position}, {recorded_at}, is right: by the clocks of {} it was signed for before that.",
        names.join(", ")
    )))
}

/// When a witness cosigned; a time beyond the year 9999 is the end of it.
fn moment(cosigned: &Cosigned) -> RecordedAt {
    let us = i64::try_from(cosigned.time).unwrap_or(i64::MAX);
    RecordedAt(us.saturating_mul(1_000_000).min(LAST_MOMENT))
}

/// The last moment of the year 9999, in microseconds since 1970.
const LAST_MOMENT: i64 = 253_402_300_799_999_999;
