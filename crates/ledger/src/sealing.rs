//! Contents are sealed on their way in and opened on their way out. Here the ledger's words meet `seal`'s.
//!
//! Every content is bound to its place: programme, class, person, kind, id as in the line, version and
//! position are associated data, so a body that was moved to another row does not open there.

use std::fmt;

use evidence::content::KeyName;
use seal::{Bound, Class, Key, KeyError, OpenError};

use crate::content::{self, Content, Salt};
use crate::entry::Line;
use crate::keys::Keys;

/// Random bytes that one sealed content takes: its salt and its nonce.
pub(crate) const CHANCE_BYTES: usize = 16 + 12;

/// What a ledger seals and opens with.
#[derive(Clone)]
pub(crate) struct Sealing {
    programme: String,
    keys: Keys,
}

/// Why a content did not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unopened {
    /// Its key was destroyed.
    Erased,
    /// It is not what was written, or its key is not there.
    Damaged(String),
}

/// Which key a content is sealed under, and for what: as its row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) format: i64,
    pub(crate) class: i64,
    pub(crate) slot: i64,
    pub(crate) body: &'a [u8],
}

impl Sealing {
    pub(crate) fn new(programme: String, keys: Keys) -> Sealing {
        Sealing { programme, keys }
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Seals packed content for the place that the line names; what the line says of contents is not used.
    pub(crate) fn seal(
        &self,
        key: &Key,
        line: &Line<'_>,
        class: Class,
        salt: &Salt,
        nonce: [u8; 12],
        packed: &[u8],
    ) -> Vec<u8> {
        seal::seal(key, nonce, &self.bound(line, class), salt, packed)
    }

    /// Opens and unpacks what is kept beside a line. That it is what the line commits to is not checked here.
    pub(crate) fn open(&self, line: &Line<'_>, row: Row<'_>) -> Result<Content, Unopened> {
        let damaged = |what: &str| Unopened::Damaged(what.to_owned());
        if row.format != i64::from(content::FORMAT) {
            return Err(Unopened::Damaged(format!(
                "content of format {} is not known here",
                row.format
            )));
        }
        let class = class_of(row.class)
            .ok_or_else(|| damaged("its content is of a class that is not known here"))?;
        let slot = u32::try_from(row.slot)
            .map_err(|_| damaged("its content names a key that cannot be"))?;
        let key = self.keys.ledger().key(slot).map_err(|error| match error {
            KeyError::Destroyed(_) => Unopened::Erased,
            other => Unopened::Damaged(other.to_string()),
        })?;
        self.open_with(&key, class, line, row.body)
    }

    /// The same with a key that is not in the keyring, or not yet.
    pub(crate) fn open_with(
        &self,
        key: &Key,
        class: Class,
        line: &Line<'_>,
        body: &[u8],
    ) -> Result<Content, Unopened> {
        let damaged = |what: &str| Unopened::Damaged(what.to_owned());
        let opened = seal::open(key, &self.bound(line, class), body).map_err(|error| {
            damaged(match error {
                OpenError::Short => "its sealed content is too short",
                OpenError::OtherKey => {
                    "its content is sealed under another key, or for another place"
                }
                OpenError::Altered => "its sealed content was changed",
            })
        })?;
        let stored = content::decompress(&opened.packed)
            .map_err(|error| Unopened::Damaged(error.to_string()))?;
        Ok(Content {
            position: line.position,
            salt: opened.salt,
            stored,
        })
    }

    /// Whether a content is sealed under the key that its row names; `None` where that key is destroyed, or the row
    /// does not tell.
    pub(crate) fn fits(&self, line: &Line<'_>, row: Row<'_>) -> Option<bool> {
        let class = class_of(row.class)?;
        let slot = u32::try_from(row.slot).ok()?;
        let key = match self.keys.ledger().key(slot) {
            Ok(key) => key,
            Err(KeyError::Destroyed(_)) => return None,
            Err(_) => return Some(false),
        };
        let opened = seal::open(&key, &self.bound(line, class), row.body);
        Some(!matches!(opened, Err(OpenError::OtherKey)))
    }

    /// Whether a content is sealed under the key of a name, for its place; asked of keys that are destroyed.
    pub(crate) fn is_under(&self, name: &KeyName, line: &Line<'_>, row: Row<'_>) -> bool {
        class_of(row.class)
            .is_some_and(|class| seal::is_under(name, &self.bound(line, class), row.body))
    }

    fn bound<'a>(&'a self, line: &'a Line<'a>, class: Class) -> Bound<'a> {
        Bound {
            log: &self.programme,
            class,
            person: line.person.as_ref().map(|alias| &alias.0),
            kind: line.kind,
            id: line.id,
            version: line.version,
            position: line.position,
        }
    }
}

/// A class by its number in the file.
pub(crate) fn class_of(number: i64) -> Option<Class> {
    Class::from_number(u8::try_from(number).ok()?)
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealing(..)")
    }
}
