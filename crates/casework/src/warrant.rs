//! Warrants: what an inspector may read, by whose order, of whom, and when the person is told.
//!
//! An inspector reads nothing of anybody but under a warrant that is itself on the record. An
//! officer enters what the paper says ([`Order`]); nothing of it can be changed afterwards, it can
//! only be revoked, at once. [`Warrant::opens`] says whether it lets somebody read something at a
//! moment and, if not, why; [`in_force`] asks several.
//!
//! Every person whom it names is told: at once, at an instant that the paper sets, or when it ends.
//! There is no "never": the last moment is [`NOTICE_MAX`] after the end.
//!
//! It begins to open something when it is entered, never before, whatever date the paper bears.

use crate::kind::Kind;
use crate::proceeding::{self, Proceeding};
use crate::span::{DAY, Span};

mod refusal;
#[cfg(test)]
mod tests;

pub use refusal::{Closed, Refusal};

/// The longest that one is in force.
pub const TERM_MAX: i64 = 366 * DAY;
/// How long after its end the persons are told at the latest.
pub const NOTICE_MAX: i64 = 90 * DAY;
/// The most persons that one names.
pub const PERSONS_MAX: usize = 500;
/// The longest text, in characters.
pub const TEXT_MAX: usize = 1_000;

/// Who enters or revokes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The actor's opaque name, as the entry's line has it: `user/7`.
    pub actor: String,
    /// Whether they are an officer of the programme.
    pub officer: bool,
}

/// Whom a warrant is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Persons {
    /// Everybody in the programme.
    All,
    /// These, by the aliases that the log has for them; never by name.
    Named(Vec<String>),
}

/// When the persons are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// With the entry itself.
    AtOnce,
    /// Then.
    At {
        /// When.
        instant: i64,
        /// What lets them be told later than at once.
        why: String,
    },
    /// When it is over.
    AtTheEnd {
        /// What lets them be told later than at once.
        why: String,
    },
}

impl Notice {
    /// The word on the record.
    pub fn code(&self) -> &'static str {
        match self {
            Notice::AtOnce => "at-once",
            Notice::At { .. } => "at",
            Notice::AtTheEnd { .. } => "at-the-end",
        }
    }
}

/// What the paper orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The inspector who may read, by their name as an actor: `user/9`.
    pub inspector: String,
    /// Who ordered it: the court, the inspector general's office.
    pub issuer: String,
    /// Whether that is a court.
    pub court: bool,
    /// The number that the issuer gave it.
    pub number: String,
    /// Of whom.
    pub persons: Persons,
    /// What kinds; who a named person is can always be read.
    pub kinds: Vec<Kind>,
    /// Only what happened in this time; what has no time of its own is then closed.
    pub happened: Option<Span>,
    /// From when.
    pub from: i64,
    /// Until when: the first moment at which it is over.
    pub until: i64,
    /// When the persons are told.
    pub notice: Notice,
    /// SHA-256 of the paper, in lower-case hexadecimal.
    pub paper: String,
}

/// One step of a warrant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is entered.
    Enter(Order),
    /// It is over before its time.
    Revoke {
        /// Why.
        why: String,
    },
}

impl Step {
    /// The step's code on the record.
    pub fn code(&self) -> &'static str {
        match self {
            Step::Enter(_) => "entered",
            Step::Revoke { .. } => "revoked",
        }
    }
}

/// A step that was taken.
pub type Taken = proceeding::Taken<Step, Who>;

/// Where a warrant stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its time has not come.
    NotYet,
    /// It opens what it names.
    InForce,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
}

/// When something that is to be read happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Nothing in particular is to be read: it is asked whether anything of a kind is open.
    Any,
    /// It does not say.
    Unknown,
    /// Then.
    At(Span),
}

/// What is to be read, by whom, and when.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The reader's name as an actor.
    pub inspector: &'a str,
    /// Whose record, by alias.
    pub person: &'a str,
    /// What kind; without one, whether anything of the person is open.
    pub kind: Option<Kind>,
    /// When what is read happened.
    pub happened: When,
    /// The moment of reading.
    pub now: i64,
}

/// A warrant on the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warrant {
    /// What it orders.
    pub order: Order,
    /// Who entered it.
    pub entered_by: String,
    /// When it was recorded.
    pub entered_at: i64,
    /// When it was revoked, and why.
    pub revoked: Option<(i64, String)>,
    /// All steps.
    pub steps: Vec<Taken>,
}

impl Warrant {
    /// Enters one.
    pub fn enter(order: Order, who: &Who, now: i64) -> Result<Warrant, Refusal> {
        if !who.officer {
            return Err(Refusal::NotAnOfficer);
        }
        if order.inspector.is_empty() {
            return Err(Refusal::NoInspector);
        }
        if order.inspector == who.actor {
            return Err(Refusal::OwnWarrant);
        }
        text(
            &order.issuer,
            "who issued it: the court or office, and its place",
        )?;
        text(&order.number, "the number that the issuer gave it")?;
        match &order.persons {
            Persons::Named(named) if named.is_empty() => return Err(Refusal::NobodyNamed),
            Persons::Named(named) if named.len() > PERSONS_MAX => {
                return Err(Refusal::TooManyNamed);
            }
            Persons::Named(_) | Persons::All => {}
        }
        if order.kinds.is_empty() {
            return Err(Refusal::NoKind);
        }
        let protected = [Kind::Notes, Kind::Sud];
        let needs_court = protected
            .into_iter()
            .find(|kind| order.kinds.contains(kind));
        if let (Some(kind), false) = (needs_court, order.court) {
            return Err(Refusal::NeedsCourt { kind });
        }
        if order
            .happened
            .is_some_and(|happened| happened.end <= happened.start)
        {
            return Err(Refusal::NoTimeBetween);
        }
        if order.until <= order.from {
            return Err(Refusal::EndsBeforeItBegins);
        }
        if order.until <= now {
            return Err(Refusal::OverAlready { until: order.until });
        }
        if order.until.saturating_sub(order.from) > TERM_MAX {
            return Err(Refusal::TermTooLong);
        }
        match &order.notice {
            Notice::AtOnce => {}
            Notice::At { instant, why } => {
                text(why, WHY_LATER)?;
                if *instant > order.until.saturating_add(NOTICE_MAX) {
                    return Err(Refusal::NoticeTooLate);
                }
            }
            Notice::AtTheEnd { why } => text(why, WHY_LATER)?,
        }
        let hexadecimal = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if order.paper.len() != 64 || !order.paper.bytes().all(hexadecimal) {
            return Err(Refusal::NoPaper);
        }
        Ok(Warrant::entered(order, who, now))
    }

    fn entered(order: Order, who: &Who, now: i64) -> Warrant {
        Warrant {
            entered_by: who.actor.clone(),
            entered_at: now,
            revoked: None,
            steps: vec![Taken {
                step: Step::Enter(order.clone()),
                who: who.clone(),
                recorded_at: now,
            }],
            order,
        }
    }

    /// When it is over.
    pub fn end(&self) -> i64 {
        match &self.revoked {
            Some((at, _)) => (*at).min(self.order.until),
            None => self.order.until,
        }
    }

    /// Where it stands at a moment. Before it was entered its time had not come.
    pub fn stage(&self, now: i64) -> Stage {
        match &self.revoked {
            Some((at, _)) if now >= *at => Stage::Revoked,
            _ if now >= self.order.until => Stage::Expired,
            _ if now < self.order.from.max(self.entered_at) => Stage::NotYet,
            _ => Stage::InForce,
        }
    }

    /// From when on the persons are to be told.
    pub fn notice_due(&self) -> i64 {
        match &self.order.notice {
            Notice::AtOnce => self.entered_at,
            Notice::At { instant, .. } => (*instant).max(self.entered_at),
            Notice::AtTheEnd { .. } => self.end(),
        }
    }

    /// Whether it names a person.
    pub fn names(&self, person: &str) -> bool {
        match &self.order.persons {
            Persons::All => true,
            Persons::Named(named) => named.iter().any(|one| one == person),
        }
    }

    /// Whether it lets something be read.
    pub fn opens(&self, asked: &Asked<'_>) -> Result<(), Closed> {
        if self.order.inspector != asked.inspector {
            return Err(Closed::OtherInspector);
        }
        if !self.names(asked.person) {
            return Err(Closed::OtherPerson);
        }
        match self.stage(asked.now) {
            Stage::InForce => {}
            Stage::NotYet => {
                return Err(Closed::NotYet {
                    from: self.order.from.max(self.entered_at),
                });
            }
            Stage::Expired => {
                return Err(Closed::Expired {
                    until: self.order.until,
                });
            }
            Stage::Revoked => return Err(Closed::Revoked { at: self.end() }),
        }
        let Some(kind) = asked.kind.filter(|kind| *kind != Kind::Identity) else {
            return Ok(());
        };
        if !self.order.kinds.contains(&kind) {
            return Err(Closed::OtherKind { kind });
        }
        match (&self.order.happened, &asked.happened) {
            (None, _) => Ok(()),
            (Some(_), When::Any) => Ok(()),
            // Wholly within: what began before or goes on after says more than was ordered.
            (Some(time), When::At(at)) if at.start >= time.start && at.end <= time.end => Ok(()),
            (Some(_), _) => Err(Closed::OutsideTime),
        }
    }

    /// The status of FHIR's Task that says the same.
    pub fn task_status(&self) -> &'static str {
        match self.revoked {
            Some(_) => "cancelled",
            None => "accepted",
        }
    }
}

const WHY_LATER: &str = "what lets the persons be told later than at once: the order, the section";

/// The first warrant that lets something be read; else the reason that is nearest to it.
pub fn in_force<'w>(
    warrants: impl IntoIterator<Item = &'w Warrant>,
    asked: &Asked<'_>,
) -> Result<&'w Warrant, Closed> {
    let mut nearest = Closed::OtherInspector;
    for warrant in warrants {
        match warrant.opens(asked) {
            Ok(()) => return Ok(warrant),
            Err(closed) => nearest = nearest.nearer(closed),
        }
    }
    Err(nearest)
}

/// A step on the record that the rules would have refused.
pub type Unlawful = proceeding::Unlawful<Refusal>;

impl Proceeding for Warrant {
    type Step = Step;
    type Who = Who;
    type Refusal = Refusal;

    const RULES: &'static str = "warrants";

    fn code(step: &Step) -> &'static str {
        step.code()
    }

    fn decide(&self, step: &Step, who: &Who, now: i64) -> Result<(), Refusal> {
        if !who.officer {
            return Err(Refusal::NotAnOfficer);
        }
        match step {
            Step::Enter(_) => Err(Refusal::EnteredAlready),
            Step::Revoke { .. } if self.revoked.is_some() => Err(Refusal::RevokedAlready),
            Step::Revoke { .. } if now >= self.order.until => Err(Refusal::OverAlready {
                until: self.order.until,
            }),
            Step::Revoke { why } => text(why, "why it is revoked, and by whose decision"),
        }
    }

    fn take(&mut self, step: Step, who: &Who, now: i64) {
        if let (Step::Revoke { why }, None) = (&step, &self.revoked) {
            self.revoked = Some((now, why.clone()));
        }
        self.steps.push(Taken {
            step,
            who: who.clone(),
            recorded_at: now,
        });
    }
}

/// The state that steps on the record lead to, and which of them break the rules. Nothing if they do
/// not begin with an entry.
pub fn review(taken: &[Taken]) -> Option<(Warrant, Vec<Unlawful>)> {
    let first = taken.first()?;
    let Step::Enter(order) = &first.step else {
        return None;
    };
    let (who, now) = (&first.who, first.recorded_at);
    Some(proceeding::follow(
        taken,
        || Warrant::enter(order.clone(), who, now),
        || Warrant::entered(order.clone(), who, now),
    ))
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
