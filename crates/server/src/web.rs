//! The pages: pure functions from a typed context to HTML.
//!
//! A context carries facts that are ready to be shown (words, microseconds, numbers). Nothing
//! here reads the record, the clock or a request; the handlers fill the contexts. Every context
//! has samples, and a test renders every page with every one of them.
//!
//! Two frames run through all of it. A page of now is plain. A page seen as of an instant lies
//! wholly inside a square-cornered double frame that says so in its title, its heading, at its
//! top and at its bottom, and draws square marks where now has round ones.

pub mod access;
pub mod account;
pub mod accounting;
pub mod again;
pub mod allow;
pub mod app;
pub mod apps;
pub mod apps_mine;
pub mod break_glass;
pub mod break_glass_new;
pub mod break_glasses;
pub mod caseload;
pub mod consent;
pub mod consent_new;
pub mod consents;
pub mod cover;
pub mod dispute;
pub mod disputes;
pub mod drafts;
pub mod enrol;
pub mod entry;
pub mod erased;
pub mod erasure;
pub mod erasure_new;
pub mod erasures;
pub mod error;
pub mod figures;
pub mod find;
pub mod inspection;
pub mod layout;
pub mod leaf;
pub mod me;
pub mod onward;
pub mod packet;
pub mod path;
pub mod person;
pub mod record;
pub mod rules;
pub mod rules_trial;
pub mod samples;
pub mod seen;
pub mod sign;
pub mod sign_in;
pub mod timelines;
pub mod user;
pub mod users;
pub mod warrant;
pub mod warrant_new;
pub mod warrants;
pub mod when;

#[cfg(test)]
mod tests;
