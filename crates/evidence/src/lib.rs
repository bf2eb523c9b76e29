//! What a programme hands out, and how anybody checks it. No disk, no clock, no database.
//!
//! A participant, their advocate or a court builds this crate with `tlog` and `record` and needs
//! nothing else, least of all the server that made what they hold.
//!
//! | part | what it is |
//! |---|---|
//! | [`entry`] | the line that an auditor reads, and the opaque ids in it |
//! | [`content`] | what lies beside the line, and what the line commits to |
//! | [`disclosure`] | the access log: who was told what, in a line and its content |
//! | [`heads`] | where each person's chain of entries ends, under one root |
//! | [`erasure`] | what an erasure says of itself, for whoever finds a content gone |
//! | [`gone`] | what a restoration says of keys that were gone, to the person whose they were |
//! | [`receipt`] | an entry's proof, made by the programme and verified anywhere |
//! | [`export`] | all of a person's entries in one file, and that none is missing |
//! | [`promise`] | what was handed in, and by when it must be on the record |
//! | [`signature`] | who signed an entry, what it means, and whether it fits |
//! | [`trust`] | which log's key a reader believes, and which witnesses |

pub mod content;
pub mod disclosure;
pub mod entry;
pub mod erasure;
pub mod export;
pub mod gone;
pub mod heads;
mod mac;
pub mod promise;
pub mod receipt;
pub mod signature;
pub mod trust;

pub use content::Content;
pub use entry::{Action, Alias, Entry};
pub use trust::Trust;
