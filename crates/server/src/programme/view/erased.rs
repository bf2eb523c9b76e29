//! What a view says of contents whose keys are gone, and of the keys of those that are not.

use super::super::AsOf;
use super::View;
use crate::erasure;
use crate::error::{Error, ErrorKind};

impl View {
    /// The keys that content about a person is or was sealed under.
    pub(crate) fn slots_of(&self, person: &str) -> Result<Vec<ledger::KeyUse>, Error> {
        self.inner.ledger.slots_of(person).map_err(Error::ledger)
    }

    /// Whether the key in a slot was destroyed.
    pub(crate) fn is_destroyed(&self, slot: u32) -> bool {
        let key = self.inner.ledger.keys().ledger().key(slot);
        matches!(key, Err(ledger::KeyError::Destroyed(_)))
    }

    /// Every entry about a person in this view with the slot of its content's key, newest first.
    pub(crate) fn sealed_about(&self, person: &str) -> Result<Vec<(ledger::Entry, u32)>, Error> {
        let mut entries = self
            .inner
            .ledger
            .chain(person, usize::MAX)
            .map_err(Error::ledger)?;
        entries.retain(|entry| entry.position < self.size);
        let positions: Vec<u64> = entries.iter().map(|entry| entry.position).collect();
        let sealed = self
            .inner
            .ledger
            .sealed_as(&positions)
            .map_err(Error::ledger)?;
        let slots = sealed.into_iter().map(|(_, slot)| slot);
        Ok(entries.into_iter().zip(slots).collect())
    }

    /// The error for what cannot be read because it was erased; it names the erasure.
    pub(crate) fn erased(&self, position: u64) -> Error {
        let named = self
            .inner
            .ledger
            .entry(position)
            .ok()
            .flatten()
            .and_then(|entry| entry.person)
            .and_then(|person| {
                let now = View::new(&self.inner, AsOf::Now);
                erasure::all(&now, Some(person), self.inner.least_delay()).ok()
            })
            .and_then(|found| {
                found.into_iter().find(|found| {
                    let goes = found.goes.as_ref();
                    goes.is_some_and(|goes| position < goes.below)
                })
            });
        Error::new(
            ErrorKind::Erased,
            match named {
                Some(found) => format!(
                    "This was erased by law: the key that opens it was destroyed, and here nobody \
                     can read it any more. Task/{} says on which ground and who approved it; entry \
                     {position} of the log shows that it was there.",
                    found.id
                ),
                None => format!(
                    "The key that opens this was destroyed, and here nobody can read it any more. \
                     Entry {position} of the log shows that it was there. No erasure on the record \
                     accounts for it: tell whoever runs this server to run `homecoming audit`."
                ),
            },
        )
    }
}
