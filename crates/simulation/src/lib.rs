//! A seeded, deterministic simulation of the ledger over a disk, a network and a clock that fail.
//!
//! One number, the seed, decides everything: what clients send, what the disk does with it, when the power goes off
//! and what is left then, what the network loses, what the clock says. [`play`] plays it from a new ledger to the end
//! and compares all that the ledger, its log, the witness and the index do with a model of what must be true. A seed
//! that finds something is a sentence and a number; the same number finds the same thing again, with a trace.
//!
//! | part | what it is | is it the real one? |
//! |---|---|---|
//! | ledger, log, receipts, audit | the crates `ledger`, `seal`, `evidence`, `tlog`, and SQLite, as the server runs them | yes, unchanged |
//! | access log, what witnesses have signed | the same, in one seed of four | yes, unchanged |
//! | keys, their destruction | the same; the steps of an erasure in the server's order, in one seed of six | the ledger's part, unchanged; the order is the server's, written again |
//! | [`disk`] | files with unsynced sectors that can be lost, torn and reordered; every operation fails in both ways | simulated |
//! | [`vfs`] | leads SQLite's files to that disk | the only `unsafe` of the workspace |
//! | [`witness`] | the crate `witness`, with its memory on a disk of its own | yes, unchanged |
//! | [`network`] | loses, delays, doubles, reorders | simulated |
//! | [`index`] | heads of resources, of which a crash forgets any unsaved part | the least that keeps the index's promise; in one seed of 128 the crate `index`, on files of its own |
//! | [`model`] | what must be true | - |
//! | [`plant`] | bugs that are put in to see that they are found | - |
//! | [`campaign`] | many seeds on several threads | - |
//!
//! What is not simulated: threads that race (a seed is one thread; the real index has one more, which is waited for),
//! the flushes of the index's files (a crash leaves what its contract allows), the folder's logs' keys and lock, SQLite's random
//! numbers (the salts of its write-ahead log differ between runs; nothing that is compared depends on them), and
//! disks that return other bytes than were written (for those there are checksums, and tests that flip bits).

pub mod campaign;
pub mod chance;
mod clients;
pub mod disk;
mod files;
pub mod index;
pub mod model;
pub mod network;
pub mod plant;
mod play;
mod server;
mod stage;
pub mod vfs;
pub mod witness;

pub use plant::Plant;
pub use play::{Counts, Finding, Options, Played, play};
pub use stage::Stage;
