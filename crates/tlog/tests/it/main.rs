//! The crate as its users see it: against a naive model of RFC 6962, and against the texts of the specifications.

mod model;
mod others;
mod policies;
mod receipts;
mod served;
mod texts;
mod tree;
mod witnesses;
