//! Accounting of disclosures, 45 CFR 164.528: what a person may ask to be told about who was given
//! their information, what of it is left out by default, and who may have it held back for a time.
//!
//! The access log has every disclosure; nothing here makes it shorter. [`exempt`] says which rows the
//! rule does not ask for, so that a page can leave them out or mark them. [`Suspension`] is the only
//! thing that hides a row from the person: on the statement of an agency that knowing would impede it,
//! and only until it ends.

use std::fmt;

use crate::span::DAY;

#[cfg(test)]
mod tests;

/// How far back an accounting goes: six years, with the two leap days that they can have.
pub const REACH: i64 = (6 * 365 + 2) * DAY;
/// The longest suspension on an oral statement: 164.528(a)(2)(ii)(C).
pub const ORAL_MAX: i64 = 30 * DAY;
/// The longest text, in characters.
pub const TEXT_MAX: usize = 1_000;

/// One disclosure, as far as the rule asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown<'a> {
    /// When.
    pub at: i64,
    /// What for: the code in the leaf.
    pub purpose: &'a str,
    /// Whether it was shown to the person themself.
    pub themself: bool,
    /// Whether the person had authorised it: a release or another consent was relied on.
    pub authorised: bool,
    /// For whom the recipient works, if not for the programme.
    pub agency: Option<&'a str>,
}

/// Why the rule does not ask for a disclosure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exempt {
    /// More than six years ago: (a)(1).
    Old,
    /// To the person themself: (a)(1)(ii).
    Themself,
    /// To carry out treatment, payment and operations: (a)(1)(i).
    Care,
    /// Under an authorisation of the person: (a)(1)(iv).
    Authorised,
}

impl Exempt {
    /// In words, as a person reads it.
    pub fn words(self) -> &'static str {
        match self {
            Exempt::Old => "more than six years ago",
            Exempt::Themself => "you looked yourself",
            Exempt::Care => "care, payment and running the programme",
            Exempt::Authorised => "you had agreed to it in writing",
        }
    }
}

/// Whether the rule asks for it; and if not, why not.
pub fn exempt(shown: &Shown<'_>, now: i64) -> Option<Exempt> {
    match shown.purpose {
        _ if shown.at < now.saturating_sub(REACH) => Some(Exempt::Old),
        _ if shown.themself => Some(Exempt::Themself),
        _ if shown.authorised => Some(Exempt::Authorised),
        "TREAT" | "COC" | "ETREAT" | "BTG" | "HPAYMT" | "HOPERAT" | "CAREMGT" | "HCOMPL"
        | "HQUALIMP" | "HSYSADMIN" => Some(Exempt::Care),
        _ => None,
    }
}

/// How an agency asked for silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// In writing: for as long as it says.
    Written,
    /// By word of mouth: 30 days at the most, unless it is put in writing.
    Oral,
}

impl Statement {
    /// All of them.
    pub const ALL: [Statement; 2] = [Statement::Written, Statement::Oral];

    /// The code on the record.
    pub fn code(self) -> &'static str {
        match self {
            Statement::Written => "written",
            Statement::Oral => "oral",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Statement::Written => "in writing",
            Statement::Oral => "by word of mouth",
        }
    }
}

/// An agency has asked that its looking be left out of accountings for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// Which agency.
    pub agency: String,
    /// Who of it said so.
    pub official: String,
    /// How.
    pub statement: Statement,
    /// What it says: that an accounting would be likely to impede which activity; the paper's number.
    pub citation: String,
    /// When the statement was made.
    pub stated: i64,
    /// Until when.
    pub until: i64,
    /// When it was recorded.
    pub recorded_at: i64,
    /// When it was lifted before its end.
    pub lifted: Option<i64>,
}

impl Suspension {
    /// Checks one that is to be recorded.
    pub fn check(&self, officer: bool, now: i64) -> Result<(), Refusal> {
        if !officer {
            return Err(Refusal::NotAnOfficer);
        }
        for (text, what) in [
            (&self.agency, "which agency asks for it"),
            (&self.official, "who of it made the statement"),
            (
                &self.citation,
                "what the statement says: which activity would be impeded, and the paper\u{2019}s number",
            ),
        ] {
            if text.trim().is_empty() {
                return Err(Refusal::TextMissing { what });
            }
            if text.chars().count() > TEXT_MAX {
                return Err(Refusal::TextLong);
            }
        }
        match self.statement {
            _ if self.stated > now => Err(Refusal::StatedInTheFuture),
            _ if self.until <= now => Err(Refusal::OverAlready),
            Statement::Oral if self.until > self.stated.saturating_add(ORAL_MAX) => {
                Err(Refusal::OralTooLong)
            }
            _ => Ok(()),
        }
    }

    /// Whether it holds at a moment.
    pub fn in_force(&self, now: i64) -> bool {
        self.recorded_at <= now && now < self.lifted.unwrap_or(i64::MAX).min(self.until)
    }

    /// Whether it hides a disclosure from the person at a moment.
    pub fn hides(&self, shown: &Shown<'_>, now: i64) -> bool {
        let of_agency = shown
            .agency
            .is_some_and(|agency| folded(agency).eq(folded(&self.agency)));
        of_agency && self.in_force(now)
    }
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    text.split_whitespace()
        .flat_map(|word| word.chars().chain([' ']))
        .flat_map(char::to_lowercase)
}

/// Why a suspension is not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Only officers.
    NotAnOfficer,
    /// A text is missing.
    TextMissing {
        /// Which.
        what: &'static str,
    },
    /// A text is too long.
    TextLong,
    /// The statement is dated later than now.
    StatedInTheFuture,
    /// It would be over before it begins.
    OverAlready,
    /// By word of mouth, and for more than 30 days.
    OralTooLong,
    /// It is over.
    NotInForce,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotAnOfficer => {
                f.write_str("only an officer of the programme may do this; ask one of them")
            }
            Refusal::TextMissing { what } => write!(f, "something is missing: write {what}"),
            Refusal::TextLong => write!(f, "that is longer than {TEXT_MAX} characters"),
            Refusal::StatedInTheFuture => f.write_str(
                "the statement cannot have been made at a time that has not come; give the day when \
                 it was made",
            ),
            Refusal::OverAlready => {
                f.write_str("it would be over already; give a day that is still to come")
            }
            Refusal::OralTooLong => f.write_str(
                "a statement by word of mouth holds for 30 days at the most (45 CFR \
                 164.528(a)(2)(ii)); give an earlier day, or ask the agency for it in writing",
            ),
            Refusal::NotInForce => f.write_str("it is over already; there is nothing to lift"),
        }
    }
}

impl std::error::Error for Refusal {}
