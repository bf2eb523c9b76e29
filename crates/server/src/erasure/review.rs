//! Every step of every erasure on a record, held against the rules by whoever audits or restores it.

use std::collections::BTreeMap;
use std::path::Path;

use evidence::erasure::Act;
use ledger::Ledger;
use ledger::audit::{Fault, How};

use super::Found;
use crate::error::Error;
use crate::programme::erasure_delay_least;

/// The steps that were put on the record past the rules, whoever signed them. `erasures` is what an audit found, each
/// step with its entry's position. Without keys there are none to be read.
pub fn faults(data: &Path, how: &How, erasures: &[(u64, Act)]) -> Result<Vec<Fault>, Error> {
    let (Some(keys), false) = (how.keys_now(), erasures.is_empty()) else {
        return Ok(Vec::new());
    };
    let keys_of = how.keys_of.as_deref().unwrap_or(data);
    let ledger = Ledger::open_with(data, keys_of, 1, keys).map_err(Error::open)?;
    let least = erasure_delay_least(ledger.origin());
    let mut tasks: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (position, act) in erasures {
        tasks.entry(&act.id).or_default().push(*position);
    }
    let mut faults = Vec::new();
    for (id, positions) in tasks {
        let versions = ledger.versions(&positions).map_err(Error::ledger)?;
        let each = versions.iter().map(|(entry, content)| {
            let (at, stored) = (entry.recorded_at.0, content.stored.as_slice());
            (entry.actor.as_str(), at, entry.position, stored)
        });
        match Found::of(each, least) {
            Some(found) => faults.extend(found.unlawful.iter().map(|unlawful| Fault {
                position: positions.get(unlawful.step - 1).copied(),
                what: format!("the erasure Task/{id} is unlawful: its {unlawful}"),
            })),
            None => faults.push(Fault {
                position: positions.first().copied(),
                what: format!("the erasure Task/{id} does not begin with a request that reads"),
            }),
        }
    }
    Ok(faults)
}
