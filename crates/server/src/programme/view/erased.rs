//! What a view says of contents whose keys are gone, and of the keys of those that are not.

use evidence::gone::{ACTOR, KeysGone};

use super::super::AsOf;
use super::View;
use crate::erasure::{self, Found};
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

    /// The erasure that took an entry's content, if one on the record says that it did.
    pub(crate) fn erasure_of(&self, entry: &ledger::Entry) -> Result<Option<Found>, Error> {
        let Some(person) = entry.person else {
            return Ok(None);
        };
        let sealed = self.inner.ledger.sealed_as(&[entry.position]);
        let sealed = sealed.map_err(Error::ledger)?;
        // An erasure is found whenever the record is looked at from: what is gone is gone then, too.
        let now = View::new(&self.inner, AsOf::Now);
        let all = erasure::all(&now, Some(person), self.inner.least_delay())?;
        Ok(all.into_iter().find(|found| {
            found.goes.as_ref().is_some_and(|goes| {
                let takes = |(class, slot): &(ledger::Class, u32)| {
                    goes.slots.contains(slot)
                        && erasure::plan::covers(found.erasure.request.scope, *class)
                };
                entry.position < goes.below && sealed.iter().all(takes)
            })
        }))
    }

    /// Where the person's chain says that the key of an entry's content was gone when the record was restored.
    fn found_gone(&self, entry: &ledger::Entry) -> Result<Option<u64>, Error> {
        let Some(person) = entry.person else {
            return Ok(None);
        };
        let sealed = self.inner.ledger.sealed_as(&[entry.position]);
        let sealed = sealed.map_err(Error::ledger)?;
        let now = View::new(&self.inner, AsOf::Now);
        let told = now.chain(&format!("~{person}"), |kind| kind == "Basic")?;
        let names_it = |stored: &[u8]| {
            KeysGone::read(stored).is_some_and(|gone| {
                let mut slots = gone.keys.iter().map(|(slot, _)| *slot);
                slots.any(|slot| sealed.iter().any(|(_, of)| *of == slot))
            })
        };
        let found = told.iter().find(|(told, stored)| {
            told.actor == ACTOR && told.position > entry.position && names_it(stored)
        });
        Ok(found.map(|(told, _)| told.position))
    }

    /// The error for what cannot be read because it was erased; it names the erasure.
    pub(crate) fn erased(&self, position: u64) -> Error {
        let entry = self.inner.ledger.entry(position).ok().flatten();
        let named = entry
            .as_ref()
            .and_then(|entry| self.erasure_of(entry).ok().flatten());
        // Whatever a restoration says besides, an erasure says more.
        let gone = match &named {
            Some(_) => None,
            None => entry.and_then(|entry| self.found_gone(&entry).ok().flatten()),
        };
        Error::new(
            ErrorKind::Erased,
            match (named, gone) {
                (Some(found), _) => format!(
                    "This was erased by law: the key that opens it was destroyed, and here nobody \
                     can read it any more. Task/{} says on which ground and who approved it; entry \
                     {position} of the log shows that it was there.",
                    found.id
                ),
                (None, Some(told)) => format!(
                    "The key that opens this was gone when the record was restored, and here nobody can \
                     read it any more. Entry {told} of the log says so and names the restoration's entry; \
                     entry {position} shows that it was there. Nothing on the record says why."
                ),
                (None, None) => format!(
                    "The key that opens this was destroyed, and here nobody can read it any more. \
                     Entry {position} of the log shows that it was there. No erasure on the record \
                     accounts for it: tell whoever runs this server to run `homecoming audit`."
                ),
            },
        )
    }
}
