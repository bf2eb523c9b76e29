//! The restorations that lost something, as the record tells them, and the keys that they account for.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use seal::Class;
use tlog::root_at;

use super::{Ledger, ReadError, StoredTiles, damaged, line_of};
use crate::audit::{Gone, Restoration, key_use, restored};

/// What lies under a key that is destroyed.
struct Under {
    last: u64,
    contents: u64,
    person: Option<crate::Alias>,
}

impl Ledger {
    /// Each of them that counts, the first first, with the persons' keys that were gone by then. The rest is an audit's:
    /// it finds those that do not count.
    pub fn restorations(&self) -> Result<Vec<Restoration>, ReadError> {
        let mut under: HashMap<i64, Under> = HashMap::new();
        let destroyed = self.keys().ledger().destroyed().into_iter();
        let destroyed: HashSet<i64> = destroyed.map(i64::from).collect();
        let mut found = Vec::new();
        let stopped = self.scan(0, |raw| {
            let line = match line_of(raw.position, raw.line) {
                Ok(line) => line,
                Err(error) => return ControlFlow::Break(error),
            };
            if !under.contains_key(&raw.slot) && destroyed.contains(&raw.slot) {
                let none = Under {
                    last: 0,
                    contents: 0,
                    // A line may name a person whose entry lies under the programme's key, which is nobody's.
                    person: line.person.filter(|_| raw.class != Class::Programme as i64),
                };
                under.insert(raw.slot, none);
            }
            if let Some(under) = under.get_mut(&raw.slot) {
                under.last = raw.position;
                under.contents += 1;
            }
            if line.kind == "Basic" && line.actor == restored::part::ACTOR {
                match self.unseal(&raw) {
                    Ok(content) => found.push((raw.position, raw.line.to_vec(), content.stored)),
                    Err(ReadError::Erased { .. }) => {}
                    Err(error) => return ControlFlow::Break(error),
                }
            }
            ControlFlow::Continue(())
        })?;
        if let Some(error) = stopped {
            return Err(error);
        }
        let db = self.connection();
        let tiles = StoredTiles::new(&db, &self.0.edge);
        let mut restorations = Vec::new();
        for (position, line, stored) in found {
            let before = root_at(position, &tiles);
            let before = before.map_err(|error| damaged(position, &error.to_string()))?;
            let line = line_of(position, &line)?;
            restorations.extend(restored::read(&line, &stored, before).and_then(Result::ok));
        }
        restored::keep_fitting(&mut restorations, &self.0.identity, &mut |_, _| {});
        let names = key_use::destroyed(&db, self.keys())?;
        for restoration in &mut restorations {
            for slot in &restoration.named {
                let gone = under.get(&i64::from(*slot));
                if let Some(under) = gone.filter(|under| under.last < restoration.position)
                    && let Some(person) = under.person
                {
                    restoration.gone.push(Gone {
                        slot: *slot,
                        person,
                        name: names.get(slot).copied().unwrap_or_default(),
                        contents: under.contents,
                    });
                }
            }
        }
        Ok(restorations)
    }
}
