//! FHIR JSON as the document: parsing, validation, search-parameter extraction, references, the two times. Pure.
//!
//! Nothing here reads a clock, a file or a socket. Parsing gives a value, judging gives a list of findings;
//! numbers and strings stay as they were written.

pub mod definitions;
pub mod finding;
pub mod happened;
pub mod json;
pub mod person;
pub mod reference;
pub mod search;
pub mod sensitivity;
pub mod stored;
pub mod time;
pub mod validate;
