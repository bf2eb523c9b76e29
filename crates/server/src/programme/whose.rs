//! From the alias in a line back to the person: through their newest entries, as nothing else may
//! know both.

use std::collections::HashMap;
use std::sync::Mutex;

use ledger::{Alias, Ledger};

use crate::error::Error;

/// Whom an alias stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The Patient with this id.
    Patient(String),
    /// Someone whose entries cannot be read any more.
    Erased,
    /// Nobody whom the record knows: somebody asked for a person who was never there.
    Nobody,
}

/// The ids of persons that were looked up.
#[derive(Default)]
pub(super) struct Known(Mutex<HashMap<Alias, String>>);

/// How many are kept; beyond that it begins anew.
const KNOWN_MAX: usize = 50_000;

/// How far back in a person's chain an entry is looked for that says who they are: deletions do not.
const BACK_MAX: usize = 256;

impl Known {
    pub(super) fn whose(&self, ledger: &Ledger, person: Alias) -> Result<Whose, Error> {
        let lock = || {
            self.0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        };
        if let Some(id) = lock().get(&person) {
            return Ok(Whose::Patient(id.clone()));
        }
        let Some(mut position) = ledger.head_of(person).map_err(Error::ledger)? else {
            return Ok(Whose::Nobody);
        };
        for _ in 0..BACK_MAX {
            if let Ok((_, content)) = ledger.version(position)
                && let Some(id) = patient(&content.stored)
                && ledger.person(&id) == person
            {
                let mut known = lock();
                if known.len() >= KNOWN_MAX {
                    known.clear();
                }
                known.insert(person, id.clone());
                return Ok(Whose::Patient(id));
            }
            let entry = ledger.entry(position).map_err(Error::ledger)?;
            match entry.and_then(|entry| entry.previous) {
                Some(previous) => position = previous.position,
                None => break,
            }
        }
        Ok(Whose::Erased)
    }

    /// Forgets a person.
    pub(super) fn forget(&self, person: Alias) {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .remove(&person);
    }
}

fn patient(stored: &[u8]) -> Option<String> {
    let doc = record::json::Doc::parse(stored).ok()?;
    record::person::person(doc.root()).map(str::to_owned)
}
