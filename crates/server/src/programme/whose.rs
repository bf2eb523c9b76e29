//! From the alias in a line back to the person: through their newest entries, as nothing else may
//! know both.

use std::collections::HashMap;
use std::sync::Mutex;

use ledger::{Alias, Class, KeyUse, Ledger};

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

/// How far back in a person's chain an entry is looked for that says who they are, before it is asked whether one can
/// be left: deletions do not say it, nor does what was erased.
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
        let mut looked = 0;
        loop {
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
            looked += 1;
            if looked == BACK_MAX && !is_left(ledger, person)? {
                break;
            }
            let entry = ledger.entry(position).map_err(Error::ledger)?;
            match entry.and_then(|entry| entry.previous) {
                // A line that was altered may name any place.
                Some(previous) if previous.position < position => position = previous.position,
                _ => break,
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

/// Whether a key of the person's record is there: else nothing that can be opened says who they are.
fn is_left(ledger: &Ledger, person: Alias) -> Result<bool, Error> {
    let destroyed = ledger.keys().ledger().destroyed();
    let uses = ledger.slots_of(&format!("~{person}"));
    let is_there =
        |used: &KeyUse| used.class == Class::Record && destroyed.binary_search(&used.slot).is_err();
    Ok(uses.map_err(Error::ledger)?.iter().any(is_there))
}

fn patient(stored: &[u8]) -> Option<String> {
    let doc = record::json::Doc::parse(stored).ok()?;
    record::person::person(doc.root()).map(str::to_owned)
}
