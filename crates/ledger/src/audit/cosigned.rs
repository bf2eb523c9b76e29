//! What others have signed, held against the ledger: the same history, and the same time.
//!
//! A checkpoint that witnesses have cosigned is the beginning of the ledger, or the ledger was changed
//! or cut off after they signed. And a cosignature says when it was made, by a clock that is not ours:
//! what it covers was recorded before, what it does not cover after, give or take what clocks may
//! differ by. The same goes for checkpoints from elsewhere, which somebody kept or a witness shows.
//!
//! `witnessed.sqlite` and `witness.policy` lie where whoever runs the server can write. So a note counts for
//! witnesses only if it has a quorum of the policy; that there is none is said; and a policy from elsewhere can be
//! given in place of the one that lies there.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use evidence::trust::SKEW_MAX_US;
use record::time::RecordedAt;
use rusqlite::{Connection, OpenFlags};
use tlog::checkpoint::Checkpoint;
use tlog::note::SignedNote;
use tlog::policy::{CheckError, Policy, Quorum};

use super::How;
use super::faults::Faults;
use crate::store::Identity;
use crate::witnessed::{self, LogName, POLICY};

/// How long a log may go on without cosignatures before that is amiss, by its own recorded times: witnesses answer
/// within seconds, and may be away for a day.
const ALONE_MAX_US: i64 = 24 * 3_600 * 1_000_000;

/// A checkpoint from elsewhere than the directory that is audited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Whose it is, in words that go into a sentence: `the checkpoint in old.txt`, `the witness court`.
    pub source: String,
    /// The signed note.
    pub note: String,
}

/// A checkpoint that enough witnesses cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    /// How many entries it covers.
    pub size: u64,
    /// When the last of them did, by its own clock.
    pub at: RecordedAt,
    /// Who did, by the policy's names.
    pub by: Vec<String>,
}

/// What was held against the word of others, and what they do not vouch for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// What the policy asks for, if it asks for witnesses: `2 of (veterans, university, court)`.
    pub asked: Option<String>,
    /// How many checkpoints with enough cosignatures were compared.
    pub cosigned: u64,
    /// How many noted ones were compared that are not cosigned by enough of the policy's witnesses, and so are
    /// nobody's word.
    pub below: u64,
    /// How many that were given from elsewhere were compared.
    pub kept: u64,
    /// The newest that enough witnesses cosigned.
    pub newest: Option<Newest>,
    /// When the first entry was recorded that none of these covers.
    pub since: Option<RecordedAt>,
    /// When the last one was.
    pub last: Option<RecordedAt>,
    /// Why the policy cannot be read.
    pub unread: Option<String>,
}

impl Outside {
    /// How many entries from the first on enough witnesses have cosigned.
    pub(crate) fn covered(&self) -> u64 {
        self.newest.as_ref().map_or(0, |newest| newest.size)
    }

    /// Notes when an entry was recorded; in order.
    pub(crate) fn recorded(&mut self, position: u64, at: RecordedAt) {
        if position >= self.covered() {
            self.since = self.since.or(Some(at));
        }
        self.last = Some(at);
    }

    /// What witnesses should vouch for and do not, in sentences; `restored` is when the log began anew, if it did:
    /// until then another one was cosigned.
    pub fn amiss(&self, log: LogName, restored: Option<RecordedAt>) -> Vec<String> {
        let mut amiss = Vec::new();
        if let Some(why) = &self.unread {
            amiss.push(format!(
                "`{POLICY}` cannot be used ({why}): nobody can tell which signatures are witnesses'"
            ));
        }
        let since = self.since.map(|since| since.max(restored.unwrap_or(since)));
        if let (Some(asked), Some(since), Some(last)) = (&self.asked, since, self.last)
            && last.0.saturating_sub(since.0) > ALONE_MAX_US
        {
            let covered = match &self.newest {
                Some(newest) => format!(
                    "no checkpoint of more than {} entries of the {log} is noted that is cosigned by that",
                    newest.size
                ),
                None => format!("no checkpoint of the {log} is noted that is cosigned by that"),
            };
            amiss.push(format!(
                "The policy asks for {asked}, and {covered}, though it goes on from {since} to {last}: the witnesses were \
                 away or are new, or `{}` was emptied, cut off or replaced. Ask them with --ask-witnesses, or hold a \
                 checkpoint that somebody kept against it with --cosigned",
                witnessed::FILE
            ));
        }
        amiss
    }
}

/// A size and a root that others have signed for.
pub(crate) struct Signed {
    pub(crate) size: u64,
    pub(crate) root: tlog::Hash,
    /// Who, in words that go into a sentence.
    pub(crate) source: String,
}

/// When entries must have been recorded, by the witnesses' clocks.
#[derive(Default)]
pub(crate) struct Bounds {
    /// By position: recorded not after this, in microseconds.
    not_after: BTreeMap<u64, i64>,
    /// By position: recorded not before this.
    not_before: BTreeMap<u64, i64>,
}

impl Bounds {
    fn cosigned(&mut self, size: u64, time_us: i64) {
        if let Some(last) = size.checked_sub(1) {
            let bound = self.not_after.entry(last).or_insert(i64::MAX);
            *bound = (*bound).min(time_us.saturating_add(SKEW_MAX_US));
        }
        let bound = self.not_before.entry(size).or_insert(i64::MIN);
        *bound = (*bound).max(time_us.saturating_sub(SKEW_MAX_US));
    }

    /// Holds a recorded time against them; a sentence without its subject for each that it contradicts. Times never
    /// run backwards, so the entries next to a cosigned size speak for all before and after it.
    pub(crate) fn contradict(&self, position: u64, at: RecordedAt) -> impl Iterator<Item = String> {
        let after = self.not_after.get(&position).filter(|bound| at.0 > **bound);
        let before = self
            .not_before
            .get(&position)
            .filter(|bound| at.0 < **bound);
        let after = after.map(|bound| {
            let signed = RecordedAt(*bound - SKEW_MAX_US);
            format!("it says it was recorded at {at}, but a witness had signed for it at {signed}")
        });
        let before = before.map(|bound| {
            let signed = RecordedAt(*bound + SKEW_MAX_US);
            format!(
                "it says it was recorded at {at}, but was not there yet when a witness signed at {signed}: it is \
                 backdated"
            )
        });
        after.into_iter().chain(before)
    }
}

/// What others have signed of one log.
#[derive(Default)]
pub(crate) struct Word {
    pub(crate) signed: Vec<Signed>,
    pub(crate) bounds: Bounds,
    pub(crate) outside: Outside,
}

/// Reads what is noted of one of the logs in a data directory, and what was given from elsewhere.
pub(crate) fn read(
    dir: &Path,
    how: &How,
    identity: &Identity,
    log: LogName,
    faults: &mut Faults,
) -> Word {
    let mut word = Word::default();
    let policy = match policy(dir, how) {
        Ok(policy) => policy,
        Err(why) => {
            word.outside.unread = Some(why);
            None
        }
    };
    let asking = policy.as_ref().filter(|policy| policy.asks_for_witnesses());
    word.outside.asked = asking.map(Policy::quorum);
    let notes = match dir.join(witnessed::FILE).exists() {
        true => notes(dir, log),
        false => Ok(Vec::new()),
    };
    let notes = notes.unwrap_or_else(|e| {
        faults.say(format!("`{}` cannot be read: {e}", witnessed::FILE));
        Vec::new()
    });
    for (size, note) in notes {
        let checkpoint = match Checkpoint::open(&note, &identity.verifier, &identity.origin) {
            Ok(checkpoint) if checkpoint.size == size => checkpoint,
            Ok(checkpoint) => {
                faults.say(format!(
                    "`{}` notes a checkpoint of {} entries as one of {size}",
                    witnessed::FILE,
                    checkpoint.size
                ));
                continue;
            }
            Err(e) => {
                faults.say(format!(
                    "A cosigned checkpoint of {size} entries in `{}` is refused: {e}",
                    witnessed::FILE
                ));
                continue;
            }
        };
        // A server notes what enough witnesses have signed, and nothing else.
        let others = SignedNote::parse(&note).map_or(0, |note| {
            note.signatures_besides(&identity.verifier).count()
        });
        if others == 0 {
            faults.say(format!(
                "`{}` notes a checkpoint of {size} entries as cosigned that no witness has signed",
                witnessed::FILE
            ));
        }
        let is_cosigned = word.take(&checkpoint, &note, policy.as_ref(), faults);
        word.outside.below += u64::from(!is_cosigned);
        word.signed.push(Signed {
            size,
            root: checkpoint.root,
            source: match is_cosigned || policy.is_none() {
                true => "witnesses have signed for".to_owned(),
                false => format!("`{}` says witnesses have signed for", witnessed::FILE),
            },
        });
    }
    for kept in &how.kept {
        let is_of_it = SignedNote::parse(&kept.note)
            .ok()
            .and_then(|note| Checkpoint::parse(note.text()).ok())
            .is_some_and(|checkpoint| checkpoint.origin == identity.origin);
        if !is_of_it {
            continue;
        }
        match Checkpoint::open(&kept.note, &identity.verifier, &identity.origin) {
            Ok(checkpoint) => {
                word.take(&checkpoint, &kept.note, policy.as_ref(), faults);
                word.outside.kept += 1;
                word.signed.push(Signed {
                    size: checkpoint.size,
                    root: checkpoint.root,
                    source: format!("{} vouches for", kept.source),
                });
            }
            Err(e) => faults.say(format!(
                "What {} holds is not signed by the key of this log: {e}",
                kept.source
            )),
        }
    }
    word
}

impl Word {
    /// Takes the times of the policy's witnesses; whether they are enough.
    fn take(
        &mut self,
        checkpoint: &Checkpoint,
        note: &str,
        policy: Option<&Policy>,
        faults: &mut Faults,
    ) -> bool {
        let (Some(policy), Ok(note)) = (policy, SignedNote::parse(note)) else {
            return false;
        };
        let size = checkpoint.size;
        let (cosigned, is_enough) = match policy.check_quorum(&note) {
            Ok(Quorum { cosigned }) => (cosigned, true),
            Err(CheckError::Shortfall(short)) => (short.cosigned, false),
            Err(e) => {
                faults.say(format!(
                    "A cosignature under a checkpoint of {size} entries is bad: {e}"
                ));
                return false;
            }
        };
        let us = |seconds: u64| i64::try_from(seconds).ok()?.checked_mul(1_000_000);
        for time in cosigned.iter().filter_map(|one| us(one.time)) {
            self.bounds.cosigned(size, time);
        }
        if !is_enough || cosigned.is_empty() {
            return false;
        }
        self.outside.cosigned += 1;
        let newest = Newest {
            size,
            at: RecordedAt(
                cosigned
                    .iter()
                    .filter_map(|one| us(one.time))
                    .max()
                    .unwrap_or(0),
            ),
            by: cosigned.into_iter().map(|one| one.witness).collect(),
        };
        let is_newer = |before: &Newest| (newest.size, newest.at) >= (before.size, before.at);
        if self.outside.newest.as_ref().is_none_or(is_newer) {
            self.outside.newest = Some(newest);
        }
        true
    }
}

/// The policy that was given, or else the one that lies in the directory.
fn policy(dir: &Path, how: &How) -> Result<Option<Policy>, String> {
    if let Some(policy) = &how.policy {
        return Ok(Some(policy.clone()));
    }
    let file = dir.join(POLICY);
    if !file.exists() {
        return Ok(None);
    }
    let text = std::fs::read(file).map_err(|error| error.to_string())?;
    Policy::parse(&text)
        .map(Some)
        .map_err(|error| error.to_string())
}

fn notes(dir: &Path, log: LogName) -> rusqlite::Result<Vec<(u64, String)>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(dir.join(witnessed::FILE), flags)?;
    db.busy_timeout(Duration::from_secs(5))?;
    let mut statement =
        db.prepare("SELECT size, note FROM cosigned WHERE log = ?1 ORDER BY number")?;
    let rows = statement.query_map([log as u8], |row| {
        Ok((row.get::<_, i64>(0)? as u64, row.get(1)?))
    })?;
    rows.collect()
}
