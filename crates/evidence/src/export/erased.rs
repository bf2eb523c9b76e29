//! What the erasures on a person's record account for: which contents may be missing from a file, and no others.
//!
//! An auditor's reading of `casework`'s rules, as far as the person's own chain shows them: an erasure was asked
//! for, approved by two others, the person was told or it says why not, the time that it set itself had passed,
//! nothing stood in the way, and only then it was carried out. That step says what goes: so many contents, so
//! many of each kind, recorded before a position. What is missing must be that, and as much of each kind.
//!
//! That step names the keys that go, too. Of a content that is missing the file has the beginning of the sealed body, in
//! which its key is committed to, with its class: so each that is missing must have lain under a key that such an erasure
//! named, and what an erasure of the therapy notes alone took must have been sealed as a therapy note.
//!
//! A restoration may have lost the entries of an erasure, and found its keys gone: then the chain tells which
//! ([`crate::gone`]). What lay under these is accounted for as well, and the report says that nobody can tell why. It
//! counts only in a log that is not the programme's first, because a restoration with a loss begins another, and only what
//! was recorded before that.
//!
//! Whoever has a key's name can also make the beginning of a body for something new. So each erasure and each restoration
//! accounts only for what came before it: entries by their position, disclosures by their time.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use record::time::RecordedAt;

use super::Problem;
use crate::content::{Class, KeyName, Place, Sealed};
use crate::disclosure::Leaf;
use crate::entry::{Alias, Entry};
use crate::erasure::{Act, CARRYING_OUT, DONE, Goes, RECORD};
use crate::gone::KeysGone;
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
    /// When nothing was left of it, as far as the file goes.
    done: Option<RecordedAt>,
}

/// An entry whose content is missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missing<'e> {
    pub(super) entry: &'e Entry,
    /// What is left of it.
    pub(super) sealed: &'e Sealed,
}

/// Keys that were gone when the record was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    /// Where the person's chain says so.
    pub(super) position: u64,
    /// When.
    pub(super) recorded_at: RecordedAt,
    pub(super) keys: KeysGone,
    /// How many contents are missing that lay under them.
    pub(super) missing: u64,
}

/// All that were carried out, the oldest first, and what restorations found gone without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Erasures {
    carried: Vec<Carried>,
    pub(super) lost: Vec<Lost>,
}

impl Erasures {
    /// Reads them from the steps in a person's chain, the oldest first.
    pub(super) fn read(steps: &[(&Entry, Act)], lost: Vec<Lost>) -> Result<Erasures, Problem> {
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
            true => Ok(Erasures { carried, lost }),
            false => Err(Problem::Counts {
                what: "they do not follow each other".to_owned(),
            }),
        }
    }

    /// Whether therapy notes alone were erased at some time.
    pub(super) fn of_notes(&self) -> bool {
        self.carried.iter().any(|one| !one.is_whole_record)
    }

    /// Holds the entries whose contents are missing against what went: each lay under a key that went, was recorded before
    /// it went, and as many of each kind are missing as went. Nobody can tell under which key a content lies that is there,
    /// so it is not asked whether one of these should be gone. `log` is the first name of the log.
    pub(super) fn account_for(
        &mut self,
        log: &str,
        missing: &[Missing<'_>],
    ) -> Result<(), Problem> {
        // How many are missing of each kind, for each erasure.
        let mut took: Vec<BTreeMap<&str, u64>> = vec![BTreeMap::new(); self.carried.len()];
        for one in missing {
            let Missing { entry, .. } = one;
            let taker = self.carried.iter().zip(&mut took);
            let taker = taker
                .filter(|(carried, _)| entry.position < carried.goes.below)
                .find(|(carried, _)| one.lay_under(log, &carried.goes.names, carried.classes()));
            if let Some((_, kinds)) = taker {
                *kinds.entry(&entry.kind).or_default() += 1;
                continue;
            }
            let lost = self.lost.iter_mut().find(|lost| {
                let names = lost.keys.keys.iter().map(|(_, name)| name);
                entry.position < lost.keys.entry && one.lay_under(log, names, ANY)
            });
            let lost = lost.ok_or(Problem::Missing {
                position: entry.position,
            })?;
            lost.missing += 1;
        }
        // Shares in escrow may have brought some of them back.
        if let Some(lost) = self
            .lost
            .iter()
            .find(|lost| lost.missing > lost.keys.contents)
        {
            return Err(Problem::Counts {
                what: format!(
                    "{} contents are missing under keys that were gone when the record was restored, and entry {} says \
                     {}",
                    lost.missing, lost.position, lost.keys.contents
                ),
            });
        }
        for (one, mut kinds) in self.carried.iter().zip(took) {
            for (kind, _) in &one.goes.kinds {
                kinds.entry(kind).or_default();
            }
            for (kind, missing) in kinds {
                let gone = one.goes.of_kind(kind);
                // One that is still being carried out may not have come so far.
                let what = match missing.cmp(&gone) {
                    Ordering::Less if one.done.is_some() => format!(
                        "{gone} contents of the kind {kind} are said to be gone, and only {missing} are missing"
                    ),
                    Ordering::Greater => format!(
                        "{missing} contents of the kind {kind} are missing, and they name {gone}"
                    ),
                    Ordering::Less | Ordering::Equal => continue,
                };
                return Err(Problem::Counts { what });
            }
        }
        Ok(())
    }

    /// Whether what was asked about the person is gone with their record: it lay under a key of that, and was asked before
    /// that key was gone. An erasure that is not done yet may still have the key. `log` is the first name of the access log.
    pub(super) fn took_disclosure(
        &self,
        log: &str,
        person: Alias,
        leaf: &Leaf,
        sealed: &Sealed,
    ) -> bool {
        let place = Place {
            log,
            class: Class::Record,
            person,
            kind: "disclosure",
            id: leaf.what.as_str(),
            version: 0,
            position: leaf.position,
        };
        let is_before = |gone: RecordedAt| leaf.recorded_at.0 <= gone.0.saturating_add(SKEW_MAX_US);
        let whole = self.carried.iter().filter(|one| one.is_whole_record);
        let whole = whole.filter(|one| one.done.is_none_or(is_before));
        let lost = self.lost.iter().filter(|lost| is_before(lost.recorded_at));
        let lost = lost.flat_map(|lost| &lost.keys.keys);
        whole
            .flat_map(|one| &one.goes.names)
            .chain(lost.map(|(_, name)| name))
            .any(|name| sealed.is_under(name, &place))
    }
}

/// Whatever a person has keys for.
const ANY: &[Class] = &[Class::Record, Class::Notes];

impl Carried {
    /// What it may take.
    fn classes(&self) -> &'static [Class] {
        match self.is_whole_record {
            true => ANY,
            false => &[Class::Notes],
        }
    }
}

impl Missing<'_> {
    /// Whether it lay under one of these keys, as one of these classes.
    fn lay_under<'n>(
        &self,
        log: &str,
        names: impl IntoIterator<Item = &'n KeyName>,
        classes: &[Class],
    ) -> bool {
        let Missing { entry, sealed } = self;
        let place = entry.person.map(|person| Place {
            log,
            class: Class::Record,
            person,
            kind: &entry.kind,
            id: &entry.id,
            version: entry.version,
            position: entry.position,
        });
        let Some(place) = place else { return false };
        names.into_iter().any(|name| {
            let under = |class: &Class| {
                let class = *class;
                sealed.is_under(name, &Place { class, ..place })
            };
            classes.iter().any(under)
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
        () if goes.names.len() != goes.slots.len() => Err("does not name each key that goes"),
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
