//! Why a step of an erasure is not taken, as sentences for whoever asked for it.

use std::fmt;

use super::{APPROVALS, TEXT_MAX};
use crate::span::{instant, length, sentence};

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Only officers.
    NotAnOfficer,
    /// No person is named.
    Nobody,
    /// No ground is named.
    NoBasis,
    /// A text is missing.
    TextMissing {
        /// Which.
        what: &'static str,
    },
    /// A text is too long.
    TextLong,
    /// A text says who the person is.
    SaysWho,
    /// Nobody looked for duties to keep.
    NotExamined,
    /// Less delay than there must be.
    DelayTooShort {
        /// The least, in microseconds.
        least: i64,
    },
    /// Another erasure of the same person is open.
    AnotherIsOpen,
    /// There is nothing left to erase.
    NothingThere,
    /// A request inside an erasure.
    AskedAlready,
    /// The person approves their own erasure.
    Themself,
    /// The requester approves.
    OwnRequest,
    /// The same officer approves twice.
    ApprovedAlready,
    /// All approvals are there.
    ApprovedByAll,
    /// The person was told before.
    ToldAlready,
    /// Told at a time that has not come.
    ToldInTheFuture,
    /// No such hold, or it was lifted.
    NoSuchHold {
        /// Its number.
        hold: u32,
    },
    /// Approvals are missing.
    NotApproved {
        /// How many there are.
        have: usize,
    },
    /// The person was not told.
    NotTold,
    /// The delay is running.
    TooEarly {
        /// When it ends.
        earliest: i64,
    },
    /// A hold is open.
    Held {
        /// Its number.
        hold: u32,
        /// Who put it there.
        actor: String,
        /// What it is.
        why: String,
    },
    /// It was refused or withdrawn.
    Over,
    /// It is being carried out.
    UnderWay,
    /// It is done.
    Done,
    /// Said to be done without having been begun.
    NotBegun,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotAnOfficer => f.write_str(
                "only an officer of the programme may do this; ask one of them",
            ),
            Refusal::Nobody => f.write_str("it does not say whose record; name the person"),
            Refusal::NoBasis => f.write_str(
                "no lawful basis is named, and without one nothing is erased; choose one from the list",
            ),
            Refusal::TextMissing { what } => write!(f, "something is missing: write {what}"),
            Refusal::TextLong => write!(f, "that is longer than {TEXT_MAX} characters"),
            Refusal::SaysWho => f.write_str(
                "the text names the person, and it stays readable when everything else is gone; \
                 write it without names, numbers and dates of birth",
            ),
            Refusal::NotExamined => f.write_str(
                "nobody has looked for a duty to keep this record (retention schedules, 42 CFR \
                 Part 2, claims, inspections: GDPR Article 17(3)); look first, and say so",
            ),
            Refusal::DelayTooShort { least } => write!(
                f,
                "the delay between telling the person and erasing must be at least {}",
                length(*least)
            ),
            Refusal::AnotherIsOpen => f.write_str(
                "an erasure of this person has been asked for already; carry that one on, or \
                 withdraw it first",
            ),
            Refusal::NothingThere => f.write_str("there is nothing of this person left to erase"),
            Refusal::AskedAlready => f.write_str("it has been asked for already"),
            Refusal::Themself => f.write_str(
                "nobody decides on the erasure of their own record; another officer must",
            ),
            Refusal::OwnRequest => f.write_str(
                "whoever asked for an erasure does not approve it; two other officers must",
            ),
            Refusal::ApprovedAlready => f.write_str(
                "the same officer has approved it before; the second approval must be another's",
            ),
            Refusal::ApprovedByAll => write!(f, "{APPROVALS} officers have approved it already"),
            Refusal::ToldAlready => f.write_str("the telling is on the record already"),
            Refusal::ToldInTheFuture => f.write_str(
                "the person cannot have been told at a time that has not come; give the time when \
                 it happened",
            ),
            Refusal::NoSuchHold { hold } => write!(f, "there is no open hold {hold}"),
            Refusal::NotApproved { have } => write!(
                f,
                "{APPROVALS} officers must have approved it, and {have} ha{}",
                if *have == 1 { "s" } else { "ve" }
            ),
            Refusal::NotTold => f.write_str(
                "the person has not been told, and no lawful reason for not telling is on the \
                 record",
            ),
            Refusal::TooEarly { earliest } => write!(
                f,
                "the delay is still running; it may be carried out from {} on",
                instant(*earliest)
            ),
            Refusal::Held { hold, actor, why } => write!(
                f,
                "hold {hold} by {actor} stands in the way: {}",
                why.trim_end_matches('.')
            ),
            Refusal::Over => f.write_str("it was refused or withdrawn; ask for a new one"),
            Refusal::UnderWay => f.write_str("it is being carried out, and there is no way back"),
            Refusal::Done => f.write_str("it has been carried out; nothing is left to decide"),
            Refusal::NotBegun => f.write_str(
                "it is said to be done, and nobody was allowed to begin",
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
