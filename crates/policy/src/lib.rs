//! Who may do what with whose record, and for which purpose.
//!
//! A [`Request`] with its [`Facts`] goes in, a [`Verdict`] with reasons comes out. The rules are text in
//! Cedar: the base policy in `base.cedar`, and what a programme adds to it ([`Policy::with`]). They are
//! checked strictly against `schema.cedarschema` when they are read, so a misspelt word is found then.
//!
//! - Pure: no IO, no clock. The same question gets the same answer; what is remembered of earlier ones changes
//!   only the time.
//! - Total: there is always a verdict. Whatever goes wrong on the way is a refusal, an error of a single
//!   policy too: Cedar alone would skip it, even one that forbids.
//! - What is allowed says what must be done with it ([`Obligation`]).
//!
//! Nothing here knows FHIR, a record or HTTP: the server says what is so ([`Facts`]), and does what is
//! decided.

mod ask;
mod policy;
pub mod truth;
mod words;

pub use ask::{
    Consent, Facts, Obligation, REDISCLOSURE, Reason, Request, Subject, Verdict, Warrant,
};
pub use policy::{ADDED_MAX, BASE, Flaw, Policy, SCHEMA};
pub use words::{ACT_REASON, Action, Kind, OWN_PURPOSES, Purpose, Role};
