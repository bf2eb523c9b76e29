//! Lawful erasure: who may have what erased of a person, on which ground, and when at the earliest.
//!
//! An erasure is asked for, approved by two officers, told to the person, waits, and is carried
//! out. Each of these is a [`Step`]; each step is an entry of the ledger. [`Erasure::decide`] says
//! whether a step may be taken and, if not, why, as a sentence; [`review`] takes the steps as they
//! are found on the record and says which of them should never have been there. There is no other
//! way to an erasure: nothing here can be waived by whoever runs the programme.
//!
//! The delay counts from when the telling was *recorded*, not from when it is said to have
//! happened, so that a date in the past shortens nothing.

use crate::proceeding::{self, Proceeding};
use crate::span::DAY;

mod ground;
mod refusal;
#[cfg(test)]
mod tests;

pub use ground::{Basis, Scope, Told, Untold};
pub use refusal::Refusal;

/// How long lies between telling the person and carrying it out, unless the programme sets more or less.
pub const DELAY: i64 = 30 * DAY;
/// The least that a programme may set, a demonstration apart.
pub const DELAY_LEAST: i64 = 7 * DAY;
/// How many officers approve.
pub const APPROVALS: usize = 2;
/// The name of the programme itself as an actor: it finishes what an officer began.
pub const PROGRAMME: &str = "homecoming";
/// The longest text of a step, in characters.
pub const TEXT_MAX: usize = 1_000;

/// Who takes a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The actor's opaque name, as the entry's line has it: `user/7`.
    pub actor: String,
    /// Whether they are an officer of the programme.
    pub officer: bool,
    /// Whether they are the person whose record it is.
    pub themself: bool,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The person, by the alias that the log has for them; never by name.
    pub person: String,
    /// How much of the record.
    pub scope: Scope,
    /// The ground that the law gives; nothing is refused.
    pub basis: Option<Basis>,
    /// The order, the article, the schedule: what the ground is in this case.
    pub citation: String,
    /// Whether duties to keep the record were looked for and none was found.
    pub examined: bool,
    /// Microseconds between telling the person and carrying it out.
    pub delay: i64,
}

/// One step of an erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is asked for.
    Request(Request),
    /// An officer agrees.
    Approve,
    /// The person was told.
    Tell {
        /// How.
        how: Told,
        /// When, as it happened.
        happened: i64,
    },
    /// The person is not told, for a reason that the law gives.
    LeaveUntold {
        /// The reason.
        ground: Untold,
        /// Which order, which attempts.
        why: String,
    },
    /// Something stands in the way.
    Hold {
        /// What: a claim, an inspection, a duty to keep.
        why: String,
    },
    /// It no longer does.
    Release {
        /// Which hold, from 1.
        hold: u32,
        /// Why not.
        why: String,
    },
    /// An officer refuses it; it is over.
    Refuse {
        /// Why.
        why: String,
    },
    /// It is not wanted any more; it is over.
    Withdraw {
        /// Why.
        why: String,
    },
    /// From here on there is no way back.
    CarryOut,
    /// It is done; the programme itself says so.
    Done,
}

impl Step {
    /// The step's code on the record.
    pub fn code(&self) -> &'static str {
        match self {
            Step::Request(_) => "requested",
            Step::Approve => "approved",
            Step::Tell { .. } => "told",
            Step::LeaveUntold { .. } => "not-told",
            Step::Hold { .. } => "held",
            Step::Release { .. } => "released",
            Step::Refuse { .. } => "refused",
            Step::Withdraw { .. } => "withdrawn",
            Step::CarryOut => "carrying-out",
            Step::Done => "done",
        }
    }

    /// What an officer wrote into it.
    pub fn text(&self) -> Option<&str> {
        match self {
            Step::Request(request) => Some(&request.citation),
            Step::LeaveUntold { why, .. }
            | Step::Hold { why }
            | Step::Release { why, .. }
            | Step::Refuse { why }
            | Step::Withdraw { why } => Some(why),
            Step::Approve | Step::Tell { .. } | Step::CarryOut | Step::Done => None,
        }
    }
}

/// A step that was taken.
pub type Taken = proceeding::Taken<Step, Who>;

/// Something that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Counted from 1 within the erasure.
    pub number: u32,
    /// Who says so.
    pub actor: String,
    /// Since when.
    pub recorded_at: i64,
    /// What it is.
    pub why: String,
    /// Whether it was lifted.
    pub released: bool,
}

/// Where an erasure stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Asked for; approvals or the telling are missing, or the delay runs, or a hold is open.
    Open,
    /// Refused or withdrawn.
    Over,
    /// Being carried out: it will be finished, if need be at the next start.
    CarryingOut,
    /// Done.
    Done,
}

/// Approvals, telling and the rest, as they follow from the steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// What was asked for.
    pub request: Request,
    /// By whom.
    pub requester: String,
    /// When.
    pub requested_at: i64,
    /// Who approved, and when, in order.
    pub approvals: Vec<(String, i64)>,
    /// When it was recorded that the person was told, or why not.
    pub told_at: Option<i64>,
    /// Holds, lifted ones included.
    pub holds: Vec<Hold>,
    /// Where it stands.
    pub stage: Stage,
    /// All steps.
    pub steps: Vec<Taken>,
}

impl Erasure {
    /// Begins one.
    pub fn begin(
        request: Request,
        who: &Who,
        now: i64,
        least_delay: i64,
    ) -> Result<Erasure, Refusal> {
        if !who.officer {
            return Err(Refusal::NotAnOfficer);
        }
        if request.person.is_empty() {
            return Err(Refusal::Nobody);
        }
        let Some(basis) = request.basis else {
            return Err(Refusal::NoBasis);
        };
        text(&request.citation, basis.wants())?;
        if !request.examined {
            return Err(Refusal::NotExamined);
        }
        if request.delay < least_delay {
            return Err(Refusal::DelayTooShort { least: least_delay });
        }
        Ok(Erasure::begun(request, who, now))
    }

    fn begun(request: Request, who: &Who, now: i64) -> Erasure {
        Erasure {
            requester: who.actor.clone(),
            requested_at: now,
            approvals: Vec::new(),
            told_at: None,
            holds: Vec::new(),
            stage: Stage::Open,
            steps: vec![Taken {
                step: Step::Request(request.clone()),
                who: who.clone(),
                recorded_at: now,
            }],
            request,
        }
    }

    /// When it may be carried out at the earliest; nothing until the person was told.
    pub fn earliest(&self) -> Option<i64> {
        Some(self.told_at?.saturating_add(self.request.delay))
    }

    /// Holds that nobody lifted.
    pub fn open_holds(&self) -> impl Iterator<Item = &Hold> {
        self.holds.iter().filter(|hold| !hold.released)
    }

    fn may_approve(&self, who: &Who) -> Result<(), Refusal> {
        match () {
            () if who.themself => Err(Refusal::Themself),
            () if who.actor == self.requester => Err(Refusal::OwnRequest),
            () if self.approvals.iter().any(|(by, _)| *by == who.actor) => {
                Err(Refusal::ApprovedAlready)
            }
            () if self.approvals.len() >= APPROVALS => Err(Refusal::ApprovedByAll),
            () => Ok(()),
        }
    }

    fn may_carry_out(&self, who: &Who, now: i64) -> Result<(), Refusal> {
        if who.themself {
            return Err(Refusal::Themself);
        }
        if self.approvals.len() < APPROVALS {
            return Err(Refusal::NotApproved {
                have: self.approvals.len(),
            });
        }
        let Some(earliest) = self.earliest() else {
            return Err(Refusal::NotTold);
        };
        if let Some(hold) = self.open_holds().next() {
            return Err(Refusal::Held {
                hold: hold.number,
                actor: hold.actor.clone(),
                why: hold.why.clone(),
            });
        }
        if now < earliest {
            return Err(Refusal::TooEarly { earliest });
        }
        Ok(())
    }

    /// The status of FHIR's Task that says the same.
    pub fn task_status(&self) -> &'static str {
        let over = self.steps.iter().rev().map(|taken| &taken.step);
        match self.stage {
            Stage::Done => "completed",
            Stage::CarryingOut => "in-progress",
            Stage::Over if over.clone().any(|step| matches!(step, Step::Refuse { .. })) => {
                "rejected"
            }
            Stage::Over => "cancelled",
            Stage::Open if self.open_holds().next().is_some() => "on-hold",
            Stage::Open if self.approvals.len() >= APPROVALS => "accepted",
            Stage::Open if self.approvals.is_empty() => "requested",
            Stage::Open => "received",
        }
    }
}

/// A step on the record that the rules would have refused.
pub type Unlawful = proceeding::Unlawful<Refusal>;

impl Proceeding for Erasure {
    type Step = Step;
    type Who = Who;
    type Refusal = Refusal;

    const RULES: &'static str = "erasure";

    fn code(step: &Step) -> &'static str {
        step.code()
    }

    fn decide(&self, step: &Step, who: &Who, now: i64) -> Result<(), Refusal> {
        match self.stage {
            Stage::Open => {}
            Stage::CarryingOut if *step == Step::Done && who.actor == PROGRAMME => return Ok(()),
            Stage::CarryingOut => return Err(Refusal::UnderWay),
            Stage::Over => return Err(Refusal::Over),
            Stage::Done => return Err(Refusal::Done),
        }
        // Whoever knows of a reason to wait may say so; all else is for officers.
        if !who.officer && !matches!(step, Step::Hold { .. } | Step::Done) {
            return Err(Refusal::NotAnOfficer);
        }
        match step {
            Step::Request(_) => Err(Refusal::AskedAlready),
            Step::Approve => self.may_approve(who),
            Step::Tell { happened, .. } => match () {
                () if self.told_at.is_some() => Err(Refusal::ToldAlready),
                () if *happened > now => Err(Refusal::ToldInTheFuture),
                () => Ok(()),
            },
            Step::LeaveUntold { ground, why } => match self.told_at {
                Some(_) => Err(Refusal::ToldAlready),
                None => text(why, ground.wants()),
            },
            Step::Hold { why } => text(why, "what stands in the way, and who says so"),
            Step::Release { hold, why } => {
                if !self.open_holds().any(|open| open.number == *hold) {
                    return Err(Refusal::NoSuchHold { hold: *hold });
                }
                text(why, "why it no longer stands in the way")
            }
            Step::Refuse { why } => text(why, "why it is refused"),
            Step::Withdraw { why } => text(why, "why it is withdrawn, and at whose wish"),
            Step::CarryOut => self.may_carry_out(who, now),
            Step::Done => Err(Refusal::NotBegun),
        }
    }

    fn take(&mut self, step: Step, who: &Who, now: i64) {
        match &step {
            Step::Request(_) => {}
            Step::Approve => self.approvals.push((who.actor.clone(), now)),
            Step::Tell { .. } | Step::LeaveUntold { .. } => self.told_at = Some(now),
            Step::Hold { why } => self.holds.push(Hold {
                number: self.holds.len() as u32 + 1,
                actor: who.actor.clone(),
                recorded_at: now,
                why: why.clone(),
                released: false,
            }),
            Step::Release { hold, .. } => {
                for open in self.holds.iter_mut().filter(|open| open.number == *hold) {
                    open.released = true;
                }
            }
            Step::Refuse { .. } | Step::Withdraw { .. } => self.stage = Stage::Over,
            Step::CarryOut => self.stage = Stage::CarryingOut,
            Step::Done => self.stage = Stage::Done,
        }
        self.steps.push(Taken {
            step,
            who: who.clone(),
            recorded_at: now,
        });
    }
}

/// The state that steps on the record lead to, and which of them break the rules. Nothing if
/// they do not begin with a request.
pub fn review(taken: &[Taken], least_delay: i64) -> Option<(Erasure, Vec<Unlawful>)> {
    let first = taken.first()?;
    let Step::Request(request) = &first.step else {
        return None;
    };
    let (who, now) = (&first.who, first.recorded_at);
    Some(proceeding::follow(
        taken,
        || Erasure::begin(request.clone(), who, now, least_delay),
        || Erasure::begun(request.clone(), who, now),
    ))
}

/// The first of `words` that `text` contains as a word, whatever its case. What is written about an
/// erasure stays readable when everything else is gone, so it may not say who the person is.
pub fn says_who<'w>(text: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let fold = |text: &str| -> String {
        let letters = text.chars().map(|c| match c.is_alphanumeric() {
            true => c,
            false => ' ',
        });
        let lower: String = letters.flat_map(char::to_lowercase).collect();
        let words: Vec<&str> = lower.split(' ').filter(|word| !word.is_empty()).collect();
        format!(" {} ", words.join(" "))
    };
    let text = fold(text);
    words.into_iter().find(|word| {
        let word = fold(word);
        word.trim().chars().count() >= 2 && text.contains(&word)
    })
}

fn text(given: &str, what: &'static str) -> Result<(), Refusal> {
    if given.trim().chars().count() < 3 {
        return Err(Refusal::TextMissing { what });
    }
    if given.chars().count() > TEXT_MAX {
        return Err(Refusal::TextLong);
    }
    Ok(())
}
