//! Disputing an entry: a person says that something on their record is wrong, and is answered.
//!
//! Their account stands beside the entry from the moment it is recorded, in their own words, whatever
//! becomes of the rest; the entry itself is never altered by it. An answer is owed within a clock
//! (45 CFR 164.526(b)(2): 60 days, and once 30 more with a reason in writing). The programme agrees,
//! and the account is the amendment; or it disagrees on one of the grounds that the rule allows, with
//! reasons, and the person may have a statement of disagreement put beside that as well (164.526(d)).
//!
//! Nobody answers for an entry that they wrote themselves. That is a rule of this programme; the law
//! leaves it open.

use std::fmt;

use crate::span::DAY;

#[cfg(test)]
mod tests;

/// How long the programme has to answer.
pub const ANSWER_DUE: i64 = 60 * DAY;
/// How much longer it may take, once.
pub const EXTENSION: i64 = 30 * DAY;
/// The longest text, in characters.
pub const TEXT_MAX: usize = 20_000;

/// Who takes a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// They are the person whose record it is.
    pub themself: bool,
    /// They work for the programme, in a role that answers for entries.
    pub answers: bool,
    /// They recorded the entry that is disputed.
    pub wrote_it: bool,
    /// They write down what the person said or handed in on paper.
    pub for_person: bool,
}

/// Why the programme may disagree: 45 CFR 164.526(a)(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// (iv)
    Accurate,
    /// (i)
    NotOurs,
    /// (ii)
    NotTheRecord,
    /// (iii)
    NotOpen,
}

impl Ground {
    /// All of them, the usual one first.
    pub const ALL: [Ground; 4] = [
        Ground::Accurate,
        Ground::NotOurs,
        Ground::NotTheRecord,
        Ground::NotOpen,
    ];

    /// The code on the record.
    pub fn code(self) -> &'static str {
        match self {
            Ground::Accurate => "accurate",
            Ground::NotOurs => "not-ours",
            Ground::NotTheRecord => "not-the-record",
            Ground::NotOpen => "not-open",
        }
    }

    /// In words, as the person reads it.
    pub fn words(self) -> &'static str {
        match self {
            Ground::Accurate => "The programme holds that the entry is accurate and complete",
            Ground::NotOurs => {
                "The entry was made by somebody else, who can still be asked to change it"
            }
            Ground::NotTheRecord => {
                "The entry is not part of the record that decisions are made on"
            }
            Ground::NotOpen => "The entry is one that the law lets the programme keep to itself",
        }
    }
}

/// One step of a dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The person's account.
    Raise,
    /// More time, and why.
    Extend,
    /// The programme agrees; the version that puts it right, if there is one.
    Agree {
        /// A later version of the same thing.
        amended: Option<u32>,
    },
    /// The programme does not agree.
    Disagree {
        /// On which ground.
        ground: Ground,
    },
    /// The person's statement of disagreement.
    State,
    /// The person takes it back; their account stays.
    Withdraw,
}

impl Step {
    /// Its code on the record.
    pub fn code(&self) -> &'static str {
        match self {
            Step::Raise => "raised",
            Step::Extend => "extended",
            Step::Agree { .. } => "agreed",
            Step::Disagree { .. } => "disagreed",
            Step::State => "stated",
            Step::Withdraw => "withdrawn",
        }
    }

    /// What must be written with it; nothing if nothing must.
    pub fn wants(&self) -> Option<&'static str> {
        match self {
            Step::Raise => Some("what is wrong with it, and how it was"),
            Step::Extend => Some("why more time is needed"),
            Step::Disagree { .. } => {
                Some("why you do not agree, in words that the person can read")
            }
            Step::State => Some("what you want to stand beside the answer"),
            Step::Agree { .. } | Step::Withdraw => None,
        }
    }
}

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// An answer is owed.
    Open,
    /// The programme agreed.
    Agreed,
    /// It did not.
    Disagreed,
    /// It did not, and the person's statement stands beside the answer.
    Stated,
    /// The person took it back.
    Withdrawn,
}

/// A dispute, as it follows from its steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// When it was recorded.
    pub raised_at: i64,
    /// When the answer is due.
    pub due: i64,
    /// Whether there was more time already.
    pub extended: bool,
    /// Where it stands.
    pub stage: Stage,
    /// When it was answered or taken back.
    pub ended_at: Option<i64>,
}

impl Dispute {
    /// Begins one.
    pub fn raise(who: &Who, text: &str, now: i64) -> Result<Dispute, Refusal> {
        if !who.themself && !who.for_person {
            return Err(Refusal::NotThePerson);
        }
        written(&Step::Raise, text)?;
        Ok(Dispute {
            raised_at: now,
            due: now.saturating_add(ANSWER_DUE),
            extended: false,
            stage: Stage::Open,
            ended_at: None,
        })
    }

    /// Whether `who` may take `step` now.
    pub fn decide(&self, step: &Step, who: &Who, text: &str, now: i64) -> Result<(), Refusal> {
        let of_person = who.themself || who.for_person;
        match (step, self.stage) {
            (Step::Raise, _) => return Err(Refusal::RaisedAlready),
            (Step::State, Stage::Disagreed) | (Step::Withdraw, Stage::Open) => {
                if !of_person {
                    return Err(Refusal::NotThePerson);
                }
            }
            (Step::State, Stage::Stated) => return Err(Refusal::StatedAlready),
            (Step::State, _) => return Err(Refusal::NothingToDisagreeWith),
            (_, Stage::Open) => {
                if who.themself {
                    return Err(Refusal::OwnDispute);
                }
                if !who.answers {
                    return Err(Refusal::NotStaff);
                }
                if who.wrote_it {
                    return Err(Refusal::OwnEntry);
                }
            }
            _ => return Err(Refusal::Over),
        }
        if *step == Step::Extend {
            if self.extended {
                return Err(Refusal::ExtendedAlready);
            }
            if now >= self.due {
                return Err(Refusal::TooLateToExtend);
            }
        }
        written(step, text)
    }

    /// The state after a step, which [`Dispute::decide`] allowed.
    pub fn take(&mut self, step: &Step, now: i64) {
        match step {
            Step::Raise => return,
            Step::Extend => {
                self.extended = true;
                self.due = self.due.saturating_add(EXTENSION);
                return;
            }
            Step::Agree { .. } => self.stage = Stage::Agreed,
            Step::Disagree { .. } => self.stage = Stage::Disagreed,
            Step::State => {
                self.stage = Stage::Stated;
                return;
            }
            Step::Withdraw => self.stage = Stage::Withdrawn,
        }
        self.ended_at = Some(now);
    }

    /// Whether the answer is overdue.
    pub fn is_overdue(&self, now: i64) -> bool {
        self.stage == Stage::Open && now >= self.due
    }

    /// The status of FHIR's Task that says the same.
    pub fn task_status(&self) -> &'static str {
        match self.stage {
            Stage::Open => "requested",
            Stage::Agreed => "completed",
            Stage::Disagreed | Stage::Stated => "rejected",
            Stage::Withdrawn => "cancelled",
        }
    }
}

fn written(step: &Step, text: &str) -> Result<(), Refusal> {
    match step.wants() {
        Some(what) if text.trim().is_empty() => Err(Refusal::TextMissing { what }),
        _ if text.chars().count() > TEXT_MAX => Err(Refusal::TextLong),
        _ => Ok(()),
    }
}

/// Why a step is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Only the person, or whoever writes it down for them.
    NotThePerson,
    /// Only those who answer for entries.
    NotStaff,
    /// The person answers themself.
    OwnDispute,
    /// Whoever wrote the entry answers.
    OwnEntry,
    /// A text is missing.
    TextMissing {
        /// Which.
        what: &'static str,
    },
    /// A text is too long.
    TextLong,
    /// It is raised once.
    RaisedAlready,
    /// There was more time already.
    ExtendedAlready,
    /// The answer is due, or overdue.
    TooLateToExtend,
    /// The programme has not disagreed.
    NothingToDisagreeWith,
    /// A statement stands there already.
    StatedAlready,
    /// It was answered or taken back.
    Over,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotThePerson => f.write_str(
                "only the person themself disputes what is on their record, or staff who write down \
                 what they said",
            ),
            Refusal::NotStaff => {
                f.write_str("the answer is for staff who answer for the record; ask one of them")
            }
            Refusal::OwnDispute => f.write_str("nobody answers their own dispute"),
            Refusal::OwnEntry => f.write_str(
                "you recorded the entry that is disputed, so somebody else must answer; ask your \
                 supervisor",
            ),
            Refusal::TextMissing { what } => write!(f, "something is missing: write {what}"),
            Refusal::TextLong => write!(
                f,
                "that is longer than {TEXT_MAX} characters; shorten it, or hand the rest in on paper"
            ),
            Refusal::RaisedAlready => f.write_str("it has been raised already"),
            Refusal::ExtendedAlready => {
                f.write_str("there was more time once already, and the law gives no more")
            }
            Refusal::TooLateToExtend => f.write_str(
                "the answer is due now, and it is too late to ask for more time; answer it",
            ),
            Refusal::NothingToDisagreeWith => f.write_str(
                "a statement of disagreement stands beside an answer, and the programme has not \
                 disagreed",
            ),
            Refusal::StatedAlready => {
                f.write_str("a statement of disagreement stands beside the answer already")
            }
            Refusal::Over => f.write_str(
                "it has been answered or taken back; what is said there stays. Raise a new one if \
                 something else is wrong",
            ),
        }
    }
}

impl std::error::Error for Refusal {}
