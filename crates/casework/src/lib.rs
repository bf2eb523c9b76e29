//! The programme's rules: who needs attention, and where the two times disagree.
//!
//! Pure: facts in, findings out. Nothing here reads a record, knows FHIR's JSON, or asks
//! what time it is; the moment that is judged from is one of the facts, so that the same
//! call answers for today and for any day in the past.
//!
//! - [`accounting`]: which disclosures a person may ask to be told of, and who may have it held back.
//! - [`attention`]: what is owed to one person, worst first, and who comes first on a caseload.
//! - [`consent`]: what a person has permitted and refused, evaluated at the moment of reading.
//! - [`codes`]: the words that the record is written in where FHIR has none.
//! - [`dispute`]: a person says that an entry is wrong, and is answered within a clock.
//! - [`erasure`]: who may have what erased of a person, on which ground, and when at the earliest.
//! - [`discrepancy`]: facts whose two times do not agree: late, backdated, corrected,
//!   contradicting, withdrawn from the record.
//!
//! All times are microseconds since the Unix epoch, UTC.

pub mod accounting;
pub mod attention;
pub mod codes;
pub mod consent;
pub mod discrepancy;
pub mod dispute;
pub mod erasure;
mod span;

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
