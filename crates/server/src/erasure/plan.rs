//! What an erasure takes away and what stays, counted before anything is done.

use std::collections::BTreeMap;

use casework::erasure::Scope;
use evidence::erasure::Goes;
use ledger::Class;
use ledger::content::KeyName;

use crate::error::Error;
use crate::programme::View;

/// What goes and what stays.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What goes.
    pub goes: Goes,
    /// Entries about the person that keep their content, by kind: governance, and for the therapy
    /// notes alone everything else.
    pub stays: Vec<(String, u64)>,
    /// Where the contents that go are.
    pub positions: Vec<u64>,
}

/// Whether a class of content goes in a scope.
pub fn covers(scope: Scope, class: Class) -> bool {
    match scope {
        Scope::Record => matches!(class, Class::Record | Class::Notes),
        Scope::Notes => class == Class::Notes,
    }
}

/// Counts it, for a person by id, or by `~` and alias. What was erased before does not count again.
pub fn of(view: &View, person: &str, scope: Scope) -> Result<Plan, Error> {
    let uses = view.slots_of(person)?;
    let keys: BTreeMap<u32, KeyName> = uses
        .iter()
        .filter(|key| covers(scope, key.class) && !view.is_destroyed(key.slot))
        .map(|key| (key.slot, key.name))
        .collect();
    let mut goes: BTreeMap<String, u64> = BTreeMap::new();
    let mut stays: BTreeMap<String, u64> = BTreeMap::new();
    let mut positions = Vec::new();
    for (entry, slot) in view.sealed_about(person)? {
        if keys.contains_key(&slot) {
            *goes.entry(entry.kind).or_default() += 1;
            positions.push(entry.position);
        } else if !view.is_destroyed(slot) {
            *stays.entry(entry.kind).or_default() += 1;
        }
    }
    positions.sort_unstable();
    Ok(Plan {
        goes: Goes {
            below: view.size(),
            entries: goes.values().sum(),
            kinds: goes.into_iter().collect(),
            slots: keys.keys().copied().collect(),
            names: keys.into_values().collect(),
        },
        stays: stays.into_iter().collect(),
        positions,
    })
}
