//! The append-only record: append, read back, sequence, audit.
//!
//! The ledger is the only durable truth of a programme. It never updates or
//! deletes an entry, knows nothing of HTTP, and has neither a clock nor chance
//! of its own: both are handed to it.
//!
//! | part | what it is |
//! |---|---|
//! | [`content`] | what lies beside the line: compressed, committed to, sealed |
//! | [`keys`] | what opens the contents: the files in `keys/` |
//! | [`store`] | the data directory: tables, format version, keys |
//! | [`ground`] | what the disk must hold before a ledger is gone on with |
//! | [`lock`] | one server to a directory |
//! | [`append`] | the one way in: groups of transactions, one fsync each |
//! | [`read`] | the way out: point reads, scans |
//! | [`access`] | who was told what, on a log of its own |
//! | [`log`] | a log as others see it: checkpoint, tiles, leaves, proofs |
//! | [`witnessed`] | what outside witnesses have signed, in a file of its own |
//! | [`audit`] | reads everything back and says what does not fit |
//! | [`backup`] | a copy as of one moment, while others write |
//! | [`generation`] | a log that begins anew, when entries were lost that witnesses signed for |
//!
//! The line itself and what is handed out of a ledger are the crate `evidence`'s.
//!
//! A data directory holds `ledger.sqlite`, `access.sqlite`, `witnessed.sqlite`, `keys/` and `lock`.

pub mod access;
pub mod append;
pub mod audit;
pub mod backup;
pub mod content;
mod frames;
pub mod generation;
pub mod ground;
pub mod keys;
pub mod lock;
pub mod log;
mod promising;
pub mod read;
mod sealing;
pub mod store;
pub mod witnessed;

pub use append::{
    Appender, CommitError, Committed, Expect, Head, Heads, ImportMark, Refused, Transaction, Write,
    Written,
};
pub use content::Content;
pub use evidence::{Action, Alias, Entry, disclosure, entry, erasure, heads, receipt};
pub use keys::Keys;
pub use promising::promise;
pub use read::{Disclosures, KeyUse, Ledger, Raw, ReadError};
pub use record::time::RecordedAt;
pub use seal::{Class, KeyError};
pub use store::{OpenError, create, open_keys};
