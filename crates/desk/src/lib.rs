//! What is not the record: users, sign-in sessions, API clients and tokens.
//!
//! The desk is one SQLite file, `desk.sqlite`, beside the ledger. It cannot touch
//! an entry, and losing it loses no record: people get new codes and clients new
//! tokens. Several processes may have it open at once, as the command line does
//! while the server runs.
//!
//! Sign-in codes, session secrets and tokens are kept as SHA-256 hashes only; all
//! of them are drawn by lot with at least 80 bits of chance, so that a plain hash
//! is enough. Times come in as microseconds since the Unix epoch, chance as a
//! function that fills a slice with random bytes.
//!
//! | part | what it keeps |
//! |---|---|
//! | users | who may sign in, and the hash of their sign-in code |
//! | sessions | browsers that are signed in |
//! | clients | programs that use the API, how they are registered, and their tokens |
//! | grants | what apps were allowed, and the codes and tokens that hang from it |

mod app;
mod client;
mod session;
mod store;
mod user;

pub use app::{AppGrant, AppToken, Bound, Launch, NewGrant, Spent};
pub use client::{Client, ClientChange, ClientState, Token};
pub use store::{Desk, Error};
pub use user::User;

/// What is kept of a secret.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    Sha256::digest(secret).into()
}
