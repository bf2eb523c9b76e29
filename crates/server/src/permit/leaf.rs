//! Who may see a leaf of the access log: who may see who looked at a person whom it told of.
//!
//! A leaf can tell of many. Whoever may see who looked at one of them sees the leaf, and of the others
//! only how many there were; the address that was asked for may name them, so it is shown only to
//! whoever may see who looked at all of them.

use ledger::Alias;
use ledger::access::Disclosed;
use policy::{Action, Kind};

use super::related::Record;
use super::{Reader, Thing};
use crate::error::Error;
use crate::programme::View;

/// What of a leaf is for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Those whom it told of, as far as they may be named.
    pub persons: Vec<Alias>,
    /// Whether that is everybody.
    pub is_whole: bool,
}

/// What of a leaf somebody may see; nothing if they may not know of it.
pub(crate) fn shown(view: &View, reader: &Reader, one: &Disclosed) -> Result<Option<Shown>, Error> {
    let standing = view.whole().standing()?;
    let may = |about: Option<Alias>| -> Result<bool, Error> {
        let untold = |person: Alias| standing.keeps(one, &person.to_string(), reader.now());
        let thing = Thing {
            about,
            untold: about.is_some_and(untold),
            ..Thing::of(Kind::Access)
        };
        Ok(view.decide(reader, Action::SeeAccess, &thing)?.allowed)
    };
    if one.persons.is_empty() {
        return Ok(may(None)?.then(|| Shown {
            persons: Vec::new(),
            is_whole: true,
        }));
    }
    let mut persons = Vec::with_capacity(one.persons.len());
    for person in &one.persons {
        if may(Some(*person))? {
            persons.push(*person);
        }
    }
    let is_whole = persons.len() == one.persons.len();
    Ok((!persons.is_empty()).then_some(Shown { persons, is_whole }))
}
