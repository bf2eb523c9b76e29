//! A participant's export: everything that is on the record about them in one file, and that nothing is missing.
//!
//! ```text
//! homecoming-export/2
//! person <alias>
//! log <the log's public key, name+id+base64>
//! entries <how many>
//! <line>                               of each entry, the oldest first
//! content <salt> <bytes>               and then so many bytes of stored JSON, and a line end;
//! …                                    or `erased <beginning> <hash>`, of what is left of it, sealed
//! map
//! <line>                               of the entry that holds the map of heads
//! content <salt> <bytes>
//! …
//! head <number in the map> <hashes>    and then the hashes from the person's head to the map's root
//! proof <hashes>                       and then the hashes that place all lines above in the log's tree
//! checkpoint <bytes>                   and then the signed checkpoint, word for word
//! access <the access log's public key> if it is there: who was told of it
//! leaves <how many>
//! <line>                               as above; `withheld` where the content tells of others too
//! …
//! proof <hashes>
//! checkpoint <bytes>
//! end
//! ```
//!
//! Hashes, salts and beginnings are base64, a line each; lengths and numbers are decimal. The file has one text:
//! whatever would have been written otherwise is refused.
//!
//! **Complete** means: as of the size that the map of heads covers. The map is an entry of the log,
//! so the witnesses vouch for it, and it says how many entries there are about the person and which
//! is the last; the entries' own chain says which come before. What was recorded after that size is
//! not in the file. See [`crate::heads`].
//!
//! The hashes are shared between all lines ([`tlog::prove_inclusions`]): a person's entries lie close
//! together, so an export has a few hashes for each entry, not twenty.

use tlog::Hash;
use tlog::note::VerifierKey;

use crate::content::{Salt, Sealed};
use crate::entry::Alias;
use crate::heads::Place;

mod erased;
mod problem;
mod signatures;
mod text;
mod verify;

pub use problem::Problem;
pub use verify::Report;

/// The first line of every export.
pub const HEADER: &str = "homecoming-export/2";

/// An export, not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Whose it is.
    pub person: Alias,
    /// The record: the person's entries, the oldest first.
    pub record: Section,
    /// The entry that holds the map of heads.
    pub map: Item,
    /// The place of the person's head in that map.
    pub place: Place,
    /// What the access log says about the person, the oldest first.
    pub access: Option<Section>,
}

/// Lines of one log under one checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The log's public key.
    pub key: VerifierKey,
    /// The lines with what lies beside them.
    pub items: Vec<Item>,
    /// The hashes that place all of them (and, in the record, the map's entry) in the log's tree.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, word for word.
    pub checkpoint: String,
}

/// A line and what lies beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The line, as it is hashed.
    pub line: String,
    /// What the line commits to.
    pub content: Content,
}

/// What lies beside a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The stored JSON, and what the commitment was salted with.
    Here {
        /// The salt.
        salt: Salt,
        /// The JSON, exactly as it is stored.
        stored: Vec<u8>,
    },
    /// Its key was destroyed; what of the sealed body tells which key that was.
    Erased(Sealed),
    /// It tells of others as well, and so is not for this person's file. In the access log only.
    Withheld,
}

/// Whether a file says that it is an export, whatever it is worth.
pub fn is_one(file: &[u8]) -> bool {
    file.strip_prefix(HEADER.as_bytes())
        .is_some_and(|rest| rest.starts_with(b"\n"))
}

#[cfg(test)]
mod tests;
