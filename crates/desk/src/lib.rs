//! What is not the record: users, sign-in sessions, API clients and tokens.
//!
//! The desk is one SQLite file, `desk.sqlite`, beside the ledger. It cannot touch
//! an entry, and losing it loses no record: people sign in anew and clients get
//! new tokens. Several processes may have it open at once, as the command line
//! does while the server runs. Secrets are kept as hashes only; what is handed out
//! is shown once.
//!
//! Times come in as microseconds since the Unix epoch, chance as a function that
//! fills a slice with random bytes.
//!
//! | part | what it keeps |
//! |---|---|
//! | users | who may sign in, and the hash of their sign-in code |
//! | sessions | browsers that are signed in |
//! | clients | programs that use the API, and their tokens |

mod client;
mod secret;
mod session;
mod store;
mod user;

pub use client::{Client, Token};
pub use session::Session;
pub use store::{Desk, DeskError};
pub use user::{NewUser, SignIn, User};

/// Fills a slice with random bytes.
pub type Chance<'c> = &'c mut dyn FnMut(&mut [u8]);
