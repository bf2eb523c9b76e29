//! Break-glass: opening somebody's record without a relation to them, because it cannot wait.
//!
//! It is for one reader and one person, short, and written out loud: the person sees who, when and
//! why, and the reader's supervisor answers within a clock ([`REVIEW_DUE`]) whether it was
//! justified. It opens a record for reading on the screen; it never lets anything be exported, and it
//! is not for those who judge people or pay for them. Therapy notes, substance use and what is
//! labelled as restricted stay closed unless life or health is in danger.
//!
//! [`BreakGlass::opens`] says whether it lets something be read at a moment, and if not, why.

use crate::kind::Kind;
use crate::proceeding::{self, Proceeding};
use crate::span::{DAY, HOUR};

mod refusal;
#[cfg(test)]
mod tests;

pub use refusal::{Closed, Refusal};

/// The longest that it lasts.
pub const LENGTH_MAX: i64 = 4 * HOUR;
/// The shortest.
pub const LENGTH_LEAST: i64 = HOUR / 4;
/// How long the supervisor has to say whether it was justified, from its beginning.
pub const REVIEW_DUE: i64 = 3 * DAY;
/// The fewest words of a reason.
pub const WORDS_LEAST: usize = 5;
/// The longest text, in characters.
pub const TEXT_MAX: usize = 1_000;
/// The purpose of use under which it is asked for and read: HL7's "emergency treatment".
pub const PURPOSE: &str = "ETREAT";
/// The roles that may: those who care for people.
pub const ROLES: [&str; 3] = ["caseworker", "prescriber", "supervisor"];

/// Who takes a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The actor's opaque name, as the entry's line has it: `user/7`.
    pub actor: String,
    /// Whether their role is one of [`ROLES`].
    pub cares: bool,
    /// Whether they judge what the one who opened it does: the supervisor whom the desk names, or an
    /// officer where there is none.
    pub reviews: bool,
    /// Whether they are the person whose record it is.
    pub themself: bool,
}

/// Why it cannot wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Life or health is in danger now.
    Emergency,
    /// Somebody must be cared for, and nobody who may read is there.
    Care,
}

impl Need {
    /// Both.
    pub const ALL: [Need; 2] = [Need::Emergency, Need::Care];

    /// The word on the record.
    pub fn code(self) -> &'static str {
        match self {
            Need::Emergency => "emergency",
            Need::Care => "care",
        }
    }

    /// For a list to choose from.
    pub fn words(self) -> &'static str {
        match self {
            Need::Emergency => "Life or health is in danger now",
            Need::Care => "They must be cared for, and nobody who may read their record is there",
        }
    }

    /// Whether it opens a kind of record.
    pub fn opens(self, kind: Kind) -> bool {
        match kind {
            Kind::Identity | Kind::Schedule | Kind::Care => true,
            Kind::Notes | Kind::Sud | Kind::Restricted => self == Need::Emergency,
            Kind::Access => false,
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The person, by the alias that the log has for them; never by name.
    pub person: String,
    /// Why it cannot wait.
    pub need: Need,
    /// The same in words.
    pub why: String,
    /// For how long, in microseconds.
    pub length: i64,
}

/// What the supervisor found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It had to be.
    Justified,
    /// It had not.
    NotJustified,
}

impl Outcome {
    /// Both.
    pub const ALL: [Outcome; 2] = [Outcome::Justified, Outcome::NotJustified];

    /// The word on the record.
    pub fn code(self) -> &'static str {
        match self {
            Outcome::Justified => "justified",
            Outcome::NotJustified => "not-justified",
        }
    }

    /// For a page.
    pub fn words(self) -> &'static str {
        match self {
            Outcome::Justified => "justified",
            Outcome::NotJustified => "not justified",
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It begins.
    Open(Opening),
    /// It is over before its time.
    End,
    /// It is judged.
    Review {
        /// How.
        outcome: Outcome,
        /// Why.
        why: String,
    },
}

impl Step {
    /// The step's code on the record.
    pub fn code(&self) -> &'static str {
        match self {
            Step::Open(_) => "opened",
            Step::End => "ended",
            Step::Review { outcome, .. } => outcome.code(),
        }
    }

    /// What somebody wrote into it.
    pub fn text(&self) -> Option<&str> {
        match self {
            Step::Open(opening) => Some(&opening.why),
            Step::Review { why, .. } => Some(why),
            Step::End => None,
        }
    }
}

/// A step that was taken.
pub type Taken = proceeding::Taken<Step, Who>;

/// What the supervisor said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Who.
    pub actor: String,
    /// When.
    pub recorded_at: i64,
    /// What they found.
    pub outcome: Outcome,
    /// Why.
    pub why: String,
}

/// What is to be read, by whom, and when.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The reader's name as an actor.
    pub reader: &'a str,
    /// Whose record, by alias.
    pub person: &'a str,
    /// What kind; without one, whether anything of the person is open.
    pub kind: Option<Kind>,
    /// Whether it is to be taken away: an export, a bundle, a file.
    pub export: bool,
    /// The moment of reading.
    pub now: i64,
}

/// One break-glass on the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakGlass {
    /// What was asked for.
    pub opening: Opening,
    /// By whom.
    pub reader: String,
    /// When it began.
    pub from: i64,
    /// When it was ended before its time.
    pub ended: Option<i64>,
    /// What the supervisor said.
    pub review: Option<Review>,
    /// All steps.
    pub steps: Vec<Taken>,
}

impl BreakGlass {
    /// Begins one.
    pub fn open(opening: Opening, who: &Who, now: i64) -> Result<BreakGlass, Refusal> {
        if !who.cares {
            return Err(Refusal::NotForThisRole);
        }
        if opening.person.is_empty() {
            return Err(Refusal::Nobody);
        }
        if who.themself {
            return Err(Refusal::Themself);
        }
        let words = opening.why.split_whitespace();
        let words = words.filter(|word| word.chars().any(char::is_alphanumeric));
        if words.count() < WORDS_LEAST {
            return Err(Refusal::FewWords);
        }
        if opening.why.chars().count() > TEXT_MAX {
            return Err(Refusal::TextLong);
        }
        if !(LENGTH_LEAST..=LENGTH_MAX).contains(&opening.length) {
            return Err(Refusal::Length);
        }
        Ok(BreakGlass::opened(opening, who, now))
    }

    fn opened(opening: Opening, who: &Who, now: i64) -> BreakGlass {
        BreakGlass {
            reader: who.actor.clone(),
            from: now,
            ended: None,
            review: None,
            steps: vec![Taken {
                step: Step::Open(opening.clone()),
                who: who.clone(),
                recorded_at: now,
            }],
            opening,
        }
    }

    fn may_review(&self, why: &str, who: &Who, now: i64) -> Result<(), Refusal> {
        match () {
            () if who.actor == self.reader => Err(Refusal::OwnReview),
            () if who.themself => Err(Refusal::Themself),
            () if !who.reviews => Err(Refusal::NotTheirSupervisor),
            () if self.review.is_some() => Err(Refusal::ReviewedAlready),
            () if now < self.end() => Err(Refusal::StillOpen { until: self.end() }),
            () if why.trim().chars().count() < 3 => Err(Refusal::ReviewWithoutWords),
            () if why.chars().count() > TEXT_MAX => Err(Refusal::TextLong),
            () => Ok(()),
        }
    }

    /// When it is over at the latest, if nobody ends it before.
    pub fn until(&self) -> i64 {
        let length = self.opening.length.clamp(0, LENGTH_MAX);
        self.from.saturating_add(length)
    }

    /// When it is over.
    pub fn end(&self) -> i64 {
        self.ended
            .map_or(self.until(), |ended| ended.min(self.until()))
    }

    /// Whether it lasts at a moment.
    pub fn lasts(&self, now: i64) -> bool {
        (self.from..self.end()).contains(&now)
    }

    /// By when it must be judged.
    pub fn review_due(&self) -> i64 {
        self.from.saturating_add(REVIEW_DUE)
    }

    /// Whether it should have been judged by now.
    pub fn is_overdue(&self, now: i64) -> bool {
        self.review.is_none() && now >= self.review_due()
    }

    /// Whether it lets something be read.
    pub fn opens(&self, asked: &Asked<'_>) -> Result<(), Closed> {
        if self.reader != asked.reader || self.opening.person != asked.person {
            return Err(Closed::Nothing);
        }
        if !self.lasts(asked.now) {
            return Err(Closed::Over { end: self.end() });
        }
        if asked.export {
            return Err(Closed::Export);
        }
        match asked.kind {
            Some(kind) if !self.opening.need.opens(kind) => Err(Closed::OtherKind { kind }),
            Some(_) | None => Ok(()),
        }
    }

    /// The status of FHIR's Task that says the same.
    pub fn task_status(&self) -> &'static str {
        match (&self.review, self.ended) {
            (Some(_), _) => "completed",
            (None, Some(_)) => "on-hold",
            (None, None) => "in-progress",
        }
    }
}

/// The break-glass that lets something be read; else the reason that is nearest to it.
pub fn in_force<'b>(
    all: impl IntoIterator<Item = &'b BreakGlass>,
    asked: &Asked<'_>,
) -> Result<&'b BreakGlass, Closed> {
    let mut nearest = Closed::Nothing;
    for one in all {
        match one.opens(asked) {
            Ok(()) => return Ok(one),
            Err(closed) => nearest = nearest.max(closed),
        }
    }
    Err(nearest)
}

/// A step on the record that the rules would have refused.
pub type Unlawful = proceeding::Unlawful<Refusal>;

impl Proceeding for BreakGlass {
    type Step = Step;
    type Who = Who;
    type Refusal = Refusal;

    const RULES: &'static str = "break-glass";

    fn code(step: &Step) -> &'static str {
        step.code()
    }

    fn decide(&self, step: &Step, who: &Who, now: i64) -> Result<(), Refusal> {
        match step {
            Step::Open(_) => Err(Refusal::OpenedAlready),
            Step::End if who.actor != self.reader && !who.reviews => Err(Refusal::NotConcerned),
            Step::End if now >= self.end() => Err(Refusal::OverAlready),
            Step::End => Ok(()),
            Step::Review { why, .. } => self.may_review(why, who, now),
        }
    }

    fn take(&mut self, step: Step, who: &Who, now: i64) {
        match &step {
            Step::Open(_) => {}
            Step::End => self.ended = Some(self.ended.unwrap_or(now)),
            Step::Review { outcome, why } => {
                self.review = Some(Review {
                    actor: who.actor.clone(),
                    recorded_at: now,
                    outcome: *outcome,
                    why: why.clone(),
                });
            }
        }
        self.steps.push(Taken {
            step,
            who: who.clone(),
            recorded_at: now,
        });
    }
}

/// The state that steps on the record lead to, and which of them break the rules. Nothing if they do
/// not begin with an opening.
pub fn review(taken: &[Taken]) -> Option<(BreakGlass, Vec<Unlawful>)> {
    let first = taken.first()?;
    let Step::Open(opening) = &first.step else {
        return None;
    };
    let (who, now) = (&first.who, first.recorded_at);
    Some(proceeding::follow(
        taken,
        || BreakGlass::open(opening.clone(), who, now),
        || BreakGlass::opened(opening.clone(), who, now),
    ))
}
