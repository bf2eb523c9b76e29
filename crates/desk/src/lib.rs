//! What is not the record: who may sign in and how, sessions, drafts, API clients and tokens.
//!
//! The desk is one SQLite file, `desk.sqlite`, beside the ledger. It cannot touch
//! an entry, and losing it loses no record: people get new codes and clients new
//! tokens. Several processes may have it open at once, as the command line does
//! while the server runs.
//!
//! Enrolment codes, session secrets and tokens are kept as SHA-256 hashes only; all
//! of them are drawn by lot with at least 80 bits of chance, so that a plain hash
//! is enough. What must be read again (secrets of one-time passwords, drafts, a
//! provider's client secret) comes in sealed, and goes out as it came: the desk has
//! no key. Times come in as microseconds since the Unix epoch, chance as a function
//! that fills a slice with random bytes.
//!
//! | part | what it keeps |
//! |---|---|
//! | users | who may sign in, in which role, and as whom they act |
//! | enrolment | codes that let somebody set up how they sign in, once |
//! | credentials | passkeys, passwords with one-time passwords, links to organisations' accounts |
//! | sessions | browsers that are signed in, and those that were known before |
//! | attempts | how often signing in failed lately, from where, so that guessing gets slow |
//! | ceremonies | what the server remembers between two requests of one sign-in |
//! | recovery | new ways in that one officer asks for and another approves |
//! | drafts | forms that came after a session had ended |
//! | notices | what somebody should be told about their own account |
//! | owed | entries that the record is owed about all this |
//! | clients | programs that use the API, how they are registered, and their tokens |
//! | grants | what apps were allowed, and the codes and tokens that hang from it |

mod app;
mod attempt;
mod ceremony;
mod client;
mod credential;
mod draft;
mod enrolment;
mod notice;
mod owed;
mod provider;
mod recovery;
mod session;
mod store;
mod user;

pub use app::{AppGrant, AppToken, Bound, Launch, NewGrant, Spent};
pub use client::{Client, ClientChange, ClientState, Token};
pub use credential::{Account, Passkey, Password};
pub use draft::Draft;
pub use notice::Notice;
pub use owed::Owed;
pub use provider::Provider;
pub use recovery::{Recovery, RecoveryState};
pub use session::{ENROLMENT, NewSession, Session};
pub use store::{Desk, Error};
pub use user::{NewUser, User};

/// What is kept of a secret.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    Sha256::digest(secret).into()
}
