//! Sealing of contents and keeping of keys. No clock, no chance, no files of its own.
//!
//! A content is sealed under a key of its person, so that destroying that key destroys what it
//! sealed wherever copies of it lie. What is here is only the cryptography and the files' forms:
//! randomness and the disk are handed in, so that a seed replays and a simulation can fail them.
//!
//! | part | what it is |
//! |---|---|
//! | [`key`] | 32 bytes that leave no trace, and what is derived from them |
//! | [`body`] | one version's content, sealed for one place under one key |
//! | [`keyring`] | a file of slots, a key each, wrapped under the programme's wrapping key |
//! | [`provider`] | who wraps the wrapping key: a file and a passphrase, or something better |
//! | [`shamir`] | a secret in shares, any few of which bring it back |
//! | [`escrow`] | keys sealed under a key in shares |
//! | [`disk`] | what must be true of where the files lie |

pub mod body;
pub mod disk;
pub mod escrow;
pub mod key;
pub mod keyring;
pub mod provider;
pub mod shamir;

pub use body::{Bound, Class, OpenError, Opened, is_under, open, seal};
pub use disk::Disk;
pub use key::{Key, Wrapping};
pub use keyring::{KeyError, Keyring, KeyringError};
pub use provider::{FileProvider, KeyProvider, ProviderError};
