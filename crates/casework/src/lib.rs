//! The programme's rules: who needs attention, and where the two times disagree.
//!
//! Pure: facts in, findings out. Nothing here reads a record, knows FHIR's JSON, or asks
//! what time it is; the moment that is judged from is one of the facts, so that the same
//! call answers for today and for any day in the past.
//!
//! - [`accounting`]: which disclosures a person may ask to be told of, and who may have it held back.
//! - [`attention`]: what is owed to one person, worst first, and who comes first on a caseload.
//! - [`break_glass`]: who may open a record that is closed to them because it cannot wait, for how
//!   long, and who judges it.
//! - [`consent`]: what a person has permitted and refused, evaluated at the moment of reading.
//! - [`codes`]: the words that the record is written in where FHIR has none.
//! - [`delegation`]: who covers for somebody who is away.
//! - [`dispute`]: a person says that an entry is wrong, and is answered within a clock.
//! - [`erasure`]: who may have what erased of a person, on which ground, and when at the earliest.
//! - [`discrepancy`]: facts whose two times do not agree: late, backdated, corrected,
//!   contradicting, withdrawn from the record.
//! - [`kind`]: the kinds of record that a warrant or a break-glass opens.
//! - [`proceeding`]: what goes on in steps on the record, and which of them break the rules.
//! - [`suppression`]: which numbers of a table may be shown to whoever may know nobody in it.
//! - [`warrant`]: what an inspector may read, by whose order, and when the person is told.
//!
//! All times are microseconds since the Unix epoch, UTC.

pub mod accounting;
pub mod attention;
pub mod break_glass;
pub mod codes;
pub mod consent;
pub mod delegation;
pub mod discrepancy;
pub mod dispute;
pub mod erasure;
pub mod kind;
pub mod proceeding;
mod span;
pub mod suppression;
pub mod warrant;

pub use span::{DAY, HOUR, Span, ago, length};

/// A refusal as a sentence of its own: with a capital and a full stop.
pub fn sentence(refusal: &impl std::fmt::Display) -> String {
    let text = refusal.to_string();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => text,
    }
}
