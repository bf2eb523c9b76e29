//! What outside witnesses have signed, held against the ledger: the same history, and the same time.
//!
//! A checkpoint that witnesses have cosigned is the beginning of the ledger, or the ledger was changed
//! or cut off after they signed. And a cosignature says when it was made, by a clock that is not ours:
//! what it covers was recorded before, what it does not cover after, give or take what clocks may
//! differ by.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use record::time::RecordedAt;
use rusqlite::{Connection, OpenFlags};
use tlog::checkpoint::Checkpoint;
use tlog::note::SignedNote;
use tlog::policy::Policy;

use super::faults::Faults;
use crate::store::Identity;
use crate::witnessed::{self, LogName};

/// How far our clock and a witness's may differ, in microseconds.
pub(super) const SKEW_MAX_US: i64 = 120_000_000;

/// A size and a root that witnesses have signed for.
pub(crate) struct Signed {
    pub(crate) size: u64,
    pub(crate) root: tlog::Hash,
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

    /// Holds an entry's recorded time against them. Times never run backwards, so the entries next to a
    /// cosigned size speak for all before and after it.
    pub(super) fn check(&self, position: u64, at: RecordedAt, faults: &mut Faults) {
        if let Some(bound) = self.not_after.get(&position).filter(|bound| at.0 > **bound) {
            let signed = RecordedAt(*bound - SKEW_MAX_US);
            faults.at(
                position,
                format_args!(
                    "it says it was recorded at {at}, but a witness had signed for it at {signed}"
                ),
            );
        }
        if let Some(bound) = self
            .not_before
            .get(&position)
            .filter(|bound| at.0 < **bound)
        {
            let signed = RecordedAt(*bound + SKEW_MAX_US);
            faults.at(
                position,
                format_args!(
                    "it says it was recorded at {at}, but was not there yet when a witness signed at {signed}: it is backdated"
                ),
            );
        }
    }
}

/// Reads what is noted of one of the logs in a data directory. Without the policy, times are not known.
pub(crate) fn read(
    dir: &Path,
    identity: &Identity,
    log: LogName,
    faults: &mut Faults,
) -> (Vec<Signed>, Bounds) {
    let mut signed = Vec::new();
    let mut bounds = Bounds::default();
    if !dir.join(witnessed::FILE).exists() {
        return (signed, bounds);
    }
    let policy = std::fs::read(dir.join("witness.policy"))
        .ok()
        .and_then(|text| Policy::parse(&text).ok());
    let notes = match notes(dir, log) {
        Ok(notes) => notes,
        Err(e) => {
            faults.say(format!("`{}` cannot be read: {e}", witnessed::FILE));
            return (signed, bounds);
        }
    };
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
        for time in times(&note, policy.as_ref(), size, faults) {
            bounds.cosigned(size, time);
        }
        signed.push(Signed {
            size,
            root: checkpoint.root,
        });
    }
    (signed, bounds)
}

/// When the policy's witnesses signed it, in microseconds.
fn times(note: &str, policy: Option<&Policy>, size: u64, faults: &mut Faults) -> Vec<i64> {
    let (Some(policy), Ok(note)) = (policy, SignedNote::parse(note)) else {
        return Vec::new();
    };
    let mut times = Vec::new();
    for witness in policy.witnesses() {
        match witness.key.verify(&note) {
            Ok(seconds) => times.extend(
                i64::try_from(seconds)
                    .ok()
                    .and_then(|s| s.checked_mul(1_000_000)),
            ),
            Err(tlog::cosignature::CosignatureError::NotCosigned { .. }) => {}
            Err(e) => faults.say(format!(
                "A cosignature of {} under a checkpoint of {size} entries is bad: {e}",
                witness.name
            )),
        }
    }
    times
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
