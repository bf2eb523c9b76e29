//! The policy as a whole: its truth table, and what is true of every decision.

mod properties;
mod situation;
mod truth;
