//! Delegation: a colleague covers for somebody who is away.
//!
//! The colleague may then do for the owner's people what the owner may, as long as it lasts. Only
//! what is one's own is handed over: what somebody covers for another cannot be passed on, neither
//! by naming the persons (that is refused) nor by handing over "all of mine" ([`covers`] asks who
//! owns the person, and goes one step, never two).

use std::collections::BTreeSet;
use std::fmt;

use crate::span::{DAY, instant, length, sentence};

#[cfg(test)]
mod tests;

/// The longest that one lasts.
pub const LENGTH_MAX: i64 = 92 * DAY;
/// The longest text, in characters.
pub const TEXT_MAX: usize = 500;

/// Who takes a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The actor's opaque name, as the entry's line has it: `user/7`.
    pub actor: String,
    /// Whether the desk says that they supervise the owner.
    pub supervises: bool,
}

/// Whose records are handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Everybody on the owner's caseload, whoever that is at the time.
    All,
    /// These of them, by the aliases that the log has for them.
    Named(Vec<String>),
}

/// What is handed over, by whom, to whom, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// Whose people they are, by their name as an actor: `user/3`.
    pub owner: String,
    /// Who covers, likewise.
    pub delegate: String,
    /// Which of them.
    pub whose: Whose,
    /// From when.
    pub from: i64,
    /// Until when: the first moment at which it is over.
    pub until: i64,
    /// "Annual leave", "away, ill".
    pub why: String,
}

/// What the desk and the record say of the two when a delegation is entered.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Whether the delegate cares for people: caseworker, prescriber or supervisor.
    pub delegate_cares: bool,
    /// The aliases of everybody on the owner's own caseload.
    pub own: BTreeSet<String>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is entered.
    Enter(Cover),
    /// It is over before its time.
    End,
}

impl Step {
    /// The step's code on the record.
    pub fn code(&self) -> &'static str {
        match self {
            Step::Enter(_) => "entered",
            Step::End => "ended",
        }
    }
}

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What.
    pub step: Step,
    /// By whom.
    pub who: Who,
    /// When it was recorded.
    pub recorded_at: i64,
}

/// Where a delegation stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its time has not come.
    NotYet,
    /// It is in force.
    InForce,
    /// It is over.
    Over,
}

/// A delegation on the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// What is handed over.
    pub cover: Cover,
    /// Who entered it.
    pub entered_by: String,
    /// When it was recorded.
    pub entered_at: i64,
    /// When it was ended before its time, and by whom.
    pub ended: Option<(i64, String)>,
    /// All steps.
    pub steps: Vec<Taken>,
}

impl Delegation {
    /// Enters one.
    pub fn enter(cover: Cover, who: &Who, facts: &Facts, now: i64) -> Result<Delegation, Refusal> {
        if who.actor != cover.owner && !who.supervises {
            return Err(Refusal::NotYours);
        }
        if cover.owner.is_empty() || cover.delegate.is_empty() {
            return Err(Refusal::Nobody);
        }
        if cover.owner == cover.delegate {
            return Err(Refusal::ToThemself);
        }
        if !facts.delegate_cares {
            return Err(Refusal::NotForThisRole);
        }
        if let Whose::Named(named) = &cover.whose {
            if named.is_empty() {
                return Err(Refusal::NobodyNamed);
            }
            let others = named.iter().filter(|one| !facts.own.contains(*one)).count();
            if others > 0 {
                return Err(Refusal::NotTheirOwn { others });
            }
        }
        if cover.until <= cover.from {
            return Err(Refusal::EndsBeforeItBegins);
        }
        if cover.until <= now {
            return Err(Refusal::OverAlready { until: cover.until });
        }
        if cover.until.saturating_sub(cover.from) > LENGTH_MAX {
            return Err(Refusal::TooLong);
        }
        if cover.why.trim().chars().count() < 3 {
            return Err(Refusal::TextMissing);
        }
        if cover.why.chars().count() > TEXT_MAX {
            return Err(Refusal::TextLong);
        }
        Ok(Delegation::entered(cover, who, now))
    }

    fn entered(cover: Cover, who: &Who, now: i64) -> Delegation {
        Delegation {
            entered_by: who.actor.clone(),
            entered_at: now,
            ended: None,
            steps: vec![Taken {
                step: Step::Enter(cover.clone()),
                who: who.clone(),
                recorded_at: now,
            }],
            cover,
        }
    }

    /// From the steps on the record; nothing if they do not begin with an entry. What the desk said
    /// when they were taken is not on the record, so they are not judged again.
    pub fn of(taken: &[Taken]) -> Option<Delegation> {
        let (first, rest) = taken.split_first()?;
        let Step::Enter(cover) = &first.step else {
            return None;
        };
        let mut delegation = Delegation::entered(cover.clone(), &first.who, first.recorded_at);
        for taken in rest {
            delegation.take(taken.step.clone(), &taken.who, taken.recorded_at);
        }
        Some(delegation)
    }

    /// Whether `who` may take `step` now.
    pub fn decide(&self, step: &Step, who: &Who, now: i64) -> Result<(), Refusal> {
        let concerned = [&self.cover.owner, &self.cover.delegate].contains(&&who.actor);
        match step {
            Step::Enter(_) => Err(Refusal::EnteredAlready),
            Step::End if !concerned && !who.supervises => Err(Refusal::NotConcerned),
            Step::End if now >= self.end() => Err(Refusal::OverAlready { until: self.end() }),
            Step::End => Ok(()),
        }
    }

    /// The state after a step, which [`Delegation::decide`] allowed.
    pub fn take(&mut self, step: Step, who: &Who, now: i64) {
        if let (Step::End, None) = (&step, &self.ended) {
            self.ended = Some((now, who.actor.clone()));
        }
        self.steps.push(Taken {
            step,
            who: who.clone(),
            recorded_at: now,
        });
    }

    /// When it is over.
    pub fn end(&self) -> i64 {
        match &self.ended {
            Some((at, _)) => (*at).min(self.cover.until),
            None => self.cover.until,
        }
    }

    /// Where it stands at a moment. It begins when it is entered, never before.
    pub fn stage(&self, now: i64) -> Stage {
        match now {
            now if now >= self.end() => Stage::Over,
            now if now < self.cover.from.max(self.entered_at) => Stage::NotYet,
            _ => Stage::InForce,
        }
    }

    /// Whether it hands a person over, if they are the owner's.
    pub fn names(&self, person: &str) -> bool {
        match &self.cover.whose {
            Whose::All => true,
            Whose::Named(named) => named.iter().any(|one| one == person),
        }
    }

    /// The status of FHIR's Task that says the same.
    pub fn task_status(&self) -> &'static str {
        match self.ended {
            Some(_) => "cancelled",
            None => "accepted",
        }
    }
}

/// The delegation under which `delegate` may act now for a person who is on `owner`'s caseload.
/// `owner` is who the record says they belong to; it is never somebody who covers for them.
pub fn covers<'d>(
    all: impl IntoIterator<Item = &'d Delegation>,
    delegate: &str,
    owner: &str,
    person: &str,
    now: i64,
) -> Option<&'d Delegation> {
    all.into_iter().find(|one| {
        one.cover.delegate == delegate
            && one.cover.owner == owner
            && one.names(person)
            && one.stage(now) == Stage::InForce
    })
}

/// Why a step is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody else's people.
    NotYours,
    /// The owner or the delegate is missing.
    Nobody,
    /// Handed over to oneself.
    ToThemself,
    /// The delegate does not care for people.
    NotForThisRole,
    /// No person is named.
    NobodyNamed,
    /// Persons who are not the owner's own, whom the owner perhaps covers for another.
    NotTheirOwn {
        /// How many.
        others: usize,
    },
    /// Its end is not after its beginning.
    EndsBeforeItBegins,
    /// Its time is over.
    OverAlready {
        /// Since when.
        until: i64,
    },
    /// It lasts too long.
    TooLong,
    /// No reason is given.
    TextMissing,
    /// The reason is too long.
    TextLong,
    /// An entry inside one.
    EnteredAlready,
    /// Neither owner nor delegate nor supervisor.
    NotConcerned,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotYours => f.write_str(
                "people are handed over by whoever they belong to, or by that one's supervisor",
            ),
            Refusal::Nobody => f.write_str("it does not say who covers for whom; choose both"),
            Refusal::ToThemself => f.write_str("nobody covers for themself; choose a colleague"),
            Refusal::NotForThisRole => f.write_str(
                "only a caseworker, a prescriber or a supervisor can cover; choose one of them",
            ),
            Refusal::NobodyNamed => f.write_str(
                "it names nobody; choose the persons, or say that it is the whole caseload",
            ),
            Refusal::NotTheirOwn { others } => write!(
                f,
                "{others} of the persons {} on the owner's own caseload; what somebody covers for \
                 another cannot be passed on, so ask whoever they belong to",
                if *others == 1 { "is not" } else { "are not" }
            ),
            Refusal::EndsBeforeItBegins => {
                f.write_str("it would end before it begins; look at the two dates")
            }
            Refusal::OverAlready { until } => write!(f, "it is over since {}", instant(*until)),
            Refusal::TooLong => write!(
                f,
                "it would last longer than {}; somebody who is away for so long needs another \
                 owner for their people",
                length(LENGTH_MAX)
            ),
            Refusal::TextMissing => f.write_str("something is missing: write why, such as leave"),
            Refusal::TextLong => write!(f, "that is longer than {TEXT_MAX} characters"),
            Refusal::EnteredAlready => f.write_str("it has been entered already"),
            Refusal::NotConcerned => f.write_str(
                "it is ended by whoever is away, whoever covers, or the supervisor of the first",
            ),
        }
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// As a sentence of its own: with a capital and a full stop.
    pub fn sentence(&self) -> String {
        sentence(&self.to_string())
    }
}
