//! What the erasures on a person's record account for: which contents may be missing from a file, and no others.
//!
//! An auditor's reading of `casework`'s rules, as far as the person's own chain shows them: an erasure was asked
//! for, approved by two others, the person was told or it says why not, the time that it set itself had passed,
//! nothing stood in the way, and only then it was carried out. That step says what goes: so many contents, so
//! many of each kind, recorded before a position. What is missing must be that, and as much of each kind.
//!
//! Under which key a content lay, the lines do not say. So of an erasure of the therapy notes alone the numbers
//! of each kind are held against the file, not that those were notes.

use std::collections::BTreeMap;

use record::time::RecordedAt;

use super::Problem;
use crate::entry::Entry;
use crate::erasure::{Act, CARRYING_OUT, DONE, Goes, RECORD};
use crate::trust::SKEW_MAX_US;

/// How many officers approve an erasure, beside the one who asks for it.
const APPROVALS: usize = 2;

/// Who carries an erasure through, once an officer began to.
const PROGRAMME: &str = "homecoming";

/// An erasure that was carried out by the steps that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Carried {
    goes: Goes,
    is_whole_record: bool,
    /// When nothing was left of it, if the file goes so far.
    done: Option<RecordedAt>,
}

/// All that were carried out, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Erasures(Vec<Carried>);

impl Erasures {
    /// Reads them from the steps in a person's chain, the oldest first.
    pub(super) fn read(steps: &[(&Entry, Act)]) -> Result<Erasures, Problem> {
        let mut carried: Vec<Carried> = Vec::new();
        for (at, (entry, act)) in steps.iter().enumerate() {
            if act.step != CARRYING_OUT {
                continue;
            }
            let unlawful = |what| Problem::Unlawful {
                position: entry.position,
                what,
            };
            let of_it = |(_, other): &&(&Entry, Act)| other.id == act.id;
            let before: Vec<_> = steps[..at].iter().filter(of_it).collect();
            let goes = may_carry_out(&before, entry, act).map_err(unlawful)?;
            let mut after = steps[at + 1..].iter().filter(of_it);
            let done = match after.next() {
                None => None,
                Some((done, last)) if last.step == DONE && done.actor == PROGRAMME => {
                    if last.goes.as_ref() != Some(goes) {
                        return Err(unlawful(
                            "says at its end that something else went than at its beginning",
                        ));
                    }
                    Some(done.recorded_at)
                }
                Some(_) => return Err(unlawful("goes on with a step that it cannot take")),
            };
            if after.next().is_some() {
                return Err(unlawful("goes on after its end"));
            }
            carried.push(Carried {
                goes: goes.clone(),
                is_whole_record: act.scope == RECORD,
                done,
            });
        }
        // One is carried out after the other, and each counts what is there then.
        let befores: Vec<u64> = carried.iter().map(|one| one.goes.below).collect();
        match befores.is_sorted() {
            true => Ok(Erasures(carried)),
            false => Err(Problem::Counts {
                what: "they do not follow each other".to_owned(),
            }),
        }
    }

    /// Whether therapy notes alone were erased at some time.
    pub(super) fn of_notes(&self) -> bool {
        self.0.iter().any(|one| !one.is_whole_record)
    }

    /// Holds the entries whose contents are missing, by position and kind, against what went.
    pub(super) fn account_for(&self, missing: &[(u64, &str)]) -> Result<(), Problem> {
        let below = self.0.last().map_or(0, |last| last.goes.below);
        if let Some((position, _)) = missing.iter().find(|(position, _)| *position >= below) {
            return Err(Problem::Missing {
                position: *position,
            });
        }
        let mut kinds: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for (position, kind) in missing {
            kinds.entry(kind).or_default().push(*position);
        }
        for one in &self.0 {
            for (kind, _) in &one.goes.kinds {
                kinds.entry(kind).or_default();
            }
        }
        for (kind, positions) in kinds {
            let mut gone = 0;
            for one in &self.0 {
                let there = positions.iter().filter(|p| **p < one.goes.below).count() as u64;
                gone += one.goes.of_kind(kind);
                // One that is still being carried out may not have come so far.
                if there < gone && one.done.is_some() {
                    return Err(Problem::Counts {
                        what: format!(
                            "{gone} contents of the kind {kind} are said to be gone, and only {there} are missing"
                        ),
                    });
                }
            }
            let missing = positions.len() as u64;
            if missing > gone {
                return Err(Problem::Counts {
                    what: format!(
                        "{missing} contents of the kind {kind} are missing, and they name {gone}"
                    ),
                });
            }
        }
        Ok(())
    }

    /// Whether what was asked about the person at this time can be gone: it lay under the key of their record, and
    /// went with that.
    pub(super) fn took_disclosure(&self, recorded_at: RecordedAt) -> bool {
        self.0.iter().any(|one| {
            let is_before = |done: RecordedAt| recorded_at.0 <= done.0.saturating_add(SKEW_MAX_US);
            one.is_whole_record && one.done.is_none_or(is_before)
        })
    }
}

/// What goes, if the steps before allow this one; otherwise what is wrong.
fn may_carry_out<'a>(
    before: &[&(&Entry, Act)],
    entry: &Entry,
    act: &'a Act,
) -> Result<&'a Goes, &'static str> {
    let is_officer = |entry: &Entry| entry.actor.starts_with("user/");
    let [(asked, request), steps @ ..] = before else {
        return Err("was never asked for");
    };
    if request.step != "requested" || !is_officer(asked) {
        return Err("was not asked for by an officer");
    }
    let mut approvals: Vec<&str> = Vec::new();
    let mut told = None;
    let mut holds = 0_usize;
    for (entry, act) in steps {
        match act.step.as_str() {
            "approved" if is_officer(entry) && entry.actor != asked.actor => {
                approvals.push(&entry.actor);
            }
            "told" | "not-told" => told = told.or(Some(entry.recorded_at)),
            "held" => holds += 1,
            "released" => holds = holds.saturating_sub(1),
            _ => return Err("has a step before it that it cannot have"),
        }
    }
    approvals.sort_unstable();
    approvals.dedup();
    let goes = act.goes.as_ref().ok_or("does not say what goes")?;
    let told = told.ok_or("came although nobody had told the person, or said why not")?;
    let earliest = told
        .0
        .checked_add(request.delay.ok_or("set no time for it")?);
    match () {
        () if approvals.len() < APPROVALS => {
            Err("was not approved by two officers other than the one who asked for it")
        }
        () if holds > 0 => Err("came although something stood in the way"),
        () if earliest.is_none_or(|earliest| entry.recorded_at.0 < earliest) => {
            Err("came before the time that it had set itself")
        }
        () if !is_officer(entry) => Err("was not carried out by an officer"),
        () if act.scope != request.scope => Err("takes something else than was asked for"),
        () if goes.below > entry.position => Err("takes what came after it"),
        () if goes
            .kinds
            .iter()
            .try_fold(0_u64, |sum, (_, n)| sum.checked_add(*n))
            != Some(goes.entries) =>
        {
            Err("does not say of which kinds the contents are that go")
        }
        () => Ok(goes),
    }
}
