//! Why a warrant is not entered, and why it does not open something: sentences for whoever asked.

use std::fmt;

use super::{NOTICE_MAX, PERSONS_MAX, TERM_MAX, TEXT_MAX};
use crate::kind::Kind;
use crate::span::{instant, length, sentence};

/// Why a step is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Only officers.
    NotAnOfficer,
    /// No inspector is named.
    NoInspector,
    /// An officer lets themself in.
    OwnWarrant,
    /// A text is missing.
    TextMissing {
        /// Which.
        what: &'static str,
    },
    /// A text is too long.
    TextLong,
    /// A text says who a person is.
    SaysWho,
    /// No person is named.
    NobodyNamed,
    /// More than it takes.
    TooManyNamed,
    /// Nothing may be read.
    NoKind,
    /// Only a court can open this.
    NeedsCourt {
        /// What.
        kind: Kind,
    },
    /// What happened in no time at all.
    NoTimeBetween,
    /// Its end is not after its beginning.
    EndsBeforeItBegins,
    /// Its time is over.
    OverAlready {
        /// Since when.
        until: i64,
    },
    /// In force for too long.
    TermTooLong,
    /// The persons would be told too late.
    NoticeTooLate,
    /// Neither the paper nor its hash.
    NoPaper,
    /// The same paper was entered before.
    SamePaper,
    /// An entry inside a warrant.
    EnteredAlready,
    /// It was revoked before.
    RevokedAlready,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotAnOfficer => {
                f.write_str("only an officer of the programme may do this; ask one of them")
            }
            Refusal::NoInspector => {
                f.write_str("it does not say who may read under it; choose the inspector")
            }
            Refusal::OwnWarrant => {
                f.write_str("nobody enters a warrant for themself; another officer must enter it")
            }
            Refusal::TextMissing { what } => write!(f, "something is missing: write {what}"),
            Refusal::TextLong => write!(f, "that is longer than {TEXT_MAX} characters"),
            Refusal::SaysWho => f.write_str(
                "the text names a person, and it is read by others than those who may know them; \
                 write it without names, numbers and dates of birth",
            ),
            Refusal::NobodyNamed => f.write_str(
                "it names nobody; choose the persons, or say that it is about everybody",
            ),
            Refusal::TooManyNamed => write!(
                f,
                "it names more than {PERSONS_MAX} persons; enter several, or one about everybody"
            ),
            Refusal::NoKind => {
                f.write_str("it does not say what may be read; choose at least one kind")
            }
            Refusal::NeedsCourt { kind } => write!(
                f,
                "{} are opened by a court's order alone ({}); this one is not said to be a court's",
                match kind {
                    Kind::Sud => "records of substance use",
                    _ => "therapy notes",
                },
                match kind {
                    Kind::Sud => "42 CFR 2.61 to 2.67",
                    _ => "45 CFR 164.508(a)(2) and 164.512",
                }
            ),
            Refusal::NoTimeBetween => {
                f.write_str("the last day of what may be read is before the first; turn them round")
            }
            Refusal::EndsBeforeItBegins => {
                f.write_str("it would end before it begins; look at the two dates")
            }
            Refusal::OverAlready { until } => {
                write!(f, "it is over since {}", instant(*until))
            }
            Refusal::TermTooLong => write!(
                f,
                "it would be in force for longer than {}; enter it for less, and another one when \
                 that is over",
                length(TERM_MAX)
            ),
            Refusal::NoticeTooLate => write!(
                f,
                "the persons must be told at the latest {} after it ends",
                length(NOTICE_MAX)
            ),
            Refusal::NoPaper => f.write_str(
                "the paper is missing; add its scan, or its SHA-256 as 64 hexadecimal digits",
            ),
            Refusal::SamePaper => f.write_str(
                "a warrant on the same paper, for the same inspector, is in force already",
            ),
            Refusal::EnteredAlready => f.write_str("it has been entered already"),
            Refusal::RevokedAlready => f.write_str("it was revoked before"),
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

/// Why a warrant does not open something. The order is how near it came: the last is the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closed {
    /// It is for another inspector, or there is none.
    OtherInspector,
    /// It does not name the person.
    OtherPerson,
    /// It is over.
    Expired {
        /// Since when.
        until: i64,
    },
    /// It was revoked.
    Revoked {
        /// When.
        at: i64,
    },
    /// It does not open anything yet.
    NotYet {
        /// From when on it does.
        from: i64,
    },
    /// It does not name the kind.
    OtherKind {
        /// Which.
        kind: Kind,
    },
    /// It happened outside the time that it names, or nobody knows when.
    OutsideTime,
}

impl Closed {
    pub(super) fn nearer(self, other: Closed) -> Closed {
        self.max(other)
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Closed::OtherInspector => {
                f.write_str("no warrant on the record lets you read anything")
            }
            Closed::OtherPerson => f.write_str("no warrant for you names this person"),
            Closed::Expired { until } => {
                write!(f, "the warrant ended at {}", instant(*until))
            }
            Closed::Revoked { at } => write!(f, "the warrant was revoked at {}", instant(*at)),
            Closed::NotYet { from } => {
                write!(f, "the warrant opens nothing before {}", instant(*from))
            }
            Closed::OtherKind { kind } => {
                write!(f, "the warrant does not name this: {}", kind.words())
            }
            Closed::OutsideTime => f.write_str(
                "the warrant names a time, and this is not known to have happened wholly within it",
            ),
        }
    }
}

impl Closed {
    /// As a sentence of its own: with a capital and a full stop.
    pub fn sentence(&self) -> String {
        sentence(&self.to_string())
    }
}
