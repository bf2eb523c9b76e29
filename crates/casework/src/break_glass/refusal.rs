//! Why a break-glass is refused, and why it does not open something: sentences for whoever asked.

use std::fmt;

use super::{LENGTH_LEAST, LENGTH_MAX, ROLES, TEXT_MAX, WORDS_LEAST};
use crate::kind::Kind;
use crate::span::{instant, length, sentence};

/// Why a step is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not for those who do not care for people.
    NotForThisRole,
    /// No person is named.
    Nobody,
    /// It is their own record.
    Themself,
    /// The reason says too little.
    FewWords,
    /// A text is too long.
    TextLong,
    /// A text says who the person is.
    SaysWho,
    /// Too long or too short.
    Length,
    /// One is open already.
    OneLasts,
    /// An opening inside one.
    OpenedAlready,
    /// Somebody else's.
    NotConcerned,
    /// It is over.
    OverAlready,
    /// They judge themselves.
    OwnReview,
    /// They do not supervise whoever opened it.
    NotTheirSupervisor,
    /// It was judged before.
    ReviewedAlready,
    /// It still lasts.
    StillOpen {
        /// Until when.
        until: i64,
    },
    /// Judged without a word.
    ReviewWithoutWords,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotForThisRole => write!(
                f,
                "breaking the glass is for those who care for people ({}); if somebody is in \
                 danger, call one of them",
                ROLES.join(", ")
            ),
            Refusal::Nobody => f.write_str("it does not say whose record; name the person"),
            Refusal::Themself => {
                f.write_str("it is your own record; what you may see of it is on your own page")
            }
            Refusal::FewWords => write!(
                f,
                "the reason must say what happened and why it cannot wait, in at least \
                 {WORDS_LEAST} words; the person will read it"
            ),
            Refusal::TextLong => write!(f, "that is longer than {TEXT_MAX} characters"),
            Refusal::SaysWho => f.write_str(
                "the text names the person, and it stays readable when everything else is gone; \
                 write it without names, numbers and dates of birth",
            ),
            Refusal::Length => write!(
                f,
                "it must last between {} minutes and {}",
                LENGTH_LEAST / 60_000_000,
                length(LENGTH_MAX)
            ),
            Refusal::OneLasts => f.write_str("you have opened this record already, and it lasts"),
            Refusal::OpenedAlready => f.write_str("it was opened before"),
            Refusal::NotConcerned => {
                f.write_str("whoever opened it ends it, or their supervisor; ask one of them")
            }
            Refusal::OverAlready => f.write_str("it is over already"),
            Refusal::OwnReview => {
                f.write_str("nobody reviews their own break-glass; your supervisor must")
            }
            Refusal::NotTheirSupervisor => f.write_str(
                "it is reviewed by the supervisor of whoever opened it, or by an officer where \
                 they have none",
            ),
            Refusal::ReviewedAlready => f.write_str("it has been reviewed already"),
            Refusal::StillOpen { until } => write!(
                f,
                "it lasts until {}; end it first, or wait until it is over",
                instant(*until)
            ),
            Refusal::ReviewWithoutWords => f.write_str(
                "something is missing: write why it was justified or not; the person and whoever \
                 opened it will read it",
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

/// Why a break-glass does not open something. The order is how near it came: the last is the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closed {
    /// There is none for this reader and person.
    Nothing,
    /// It is over.
    Over {
        /// Since when.
        end: i64,
    },
    /// It does not open this kind.
    OtherKind {
        /// Which.
        kind: Kind,
    },
    /// Nothing is taken away.
    Export,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Closed::Nothing => f.write_str("you have not opened this record"),
            Closed::Over { end } => write!(f, "your break-glass ended at {}", instant(*end)),
            Closed::OtherKind { kind } => write!(
                f,
                "a break-glass does not open this{}: {}",
                match kind {
                    Kind::Access => "",
                    _ => " unless life or health is in danger",
                },
                kind.words()
            ),
            Closed::Export => f.write_str(
                "a break-glass opens a record for reading on the screen; nothing of it is exported",
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
