//! Forgetting: resources whose content was erased leave nothing but that they were there.
//!
//! Afterwards the index holds what it would hold if it were made anew from a ledger whose erased
//! versions cannot be read: each is there as deleted, without values. [`Index::forget`] puts that into
//! the maps, where nobody finds the old values any more; [`Index::purge`] writes the files anew, so
//! that no byte of them stays in one. If the process stops in between, the index must be made anew:
//! that is for the caller to see to.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::key::{self, Field, U40};
use crate::prepare::{self, Prepared};
use crate::row::{Past, Row};
use crate::run::Run;
use crate::store::{SPACES, Space};
use crate::{Change, Error, Index};
use record::time::RecordedAt;

/// A resource of which versions were erased.
#[derive(Debug, Clone, Copy)]
pub struct Forgotten<'a> {
    /// Its kind.
    pub kind: &'a str,
    /// Its id, as the ledger's line has it.
    pub id: &'a str,
    /// The positions of the erased versions.
    pub erased: &'a BTreeSet<u64>,
}

/// One version, as the maps have it.
struct Kept {
    position: u64,
    version: u32,
    deleted: bool,
    values: Vec<u8>,
}

impl Index {
    /// Takes the values of erased versions out of the maps. Readers go on; what they find from now
    /// on has nothing of them. Gives how many versions it found. Doing it again does nothing.
    pub fn forget(&self, resources: &[Forgotten<'_>]) -> Result<u64, Error> {
        let _writing = self.writing();
        let mut run = Run::afresh();
        let mut gone: BTreeSet<Vec<u8>> = BTreeSet::new();
        let mut forgotten = 0;
        for resource in resources {
            let Some(kind) = crate::kind_number(resource.kind) else {
                continue;
            };
            let Some(head) = self.stored_head(&key::head(kind, resource.id))? else {
                continue;
            };
            let number = head.number;
            let mut versions = self.kept(number)?;
            if number >= self.applied() {
                continue;
            }
            for version in &versions {
                gone.extend(postings(kind, number, version)?);
            }
            for version in &mut versions {
                if resource.erased.contains(&version.position) {
                    version.deleted = true;
                    version.values.clear();
                    forgotten += 1;
                }
            }
            for version in &versions {
                let prepared = Prepared::stored(kind, &version.values)?;
                run.push(
                    self.store(),
                    &Change {
                        position: version.position,
                        // No transaction ends here: the instants stay as they are.
                        recorded_at: RecordedAt(0),
                        number,
                        id: resource.id.into(),
                        version: version.version,
                        deleted: version.deleted,
                        prepared: &prepared,
                        last_in_transaction: false,
                    },
                )?;
            }
        }
        let mut batch = self.store().batch()?;
        for space in SPACES {
            run.emit(self.store(), space, &mut |key, value| {
                if space == Space::Posting {
                    gone.remove(key);
                }
                batch.put(space, key, value);
                Ok(())
            })?;
        }
        for key in &gone {
            batch.remove(Space::Posting, key);
        }
        batch.finish(self.applied());
        Ok(forgotten)
    }

    /// Writes every map's files anew, so that they hold what the maps hold and nothing else.
    /// Readers go on; writers wait.
    pub fn purge(&self) -> Result<(), Error> {
        let _writing = self.writing();
        self.store().purge()
    }

    /// All versions of a resource, oldest first.
    fn kept(&self, number: u64) -> Result<Vec<Kept>, Error> {
        let Some(bytes) = self.store().get(Space::Row, &key::u40(number))? else {
            return Ok(Vec::new());
        };
        let row = Row::read(number, &bytes).ok_or(Error::Corrupt("row"))?;
        let from = key::past(number, 0);
        let to = key::past(number, row.position);
        let mut kept = Vec::new();
        for entry in self
            .store()
            .scan(Space::Past, Bound::Included(&from), Bound::Excluded(&to))
        {
            let (key, bytes) = entry?;
            let past = Past::read(&bytes).ok_or(Error::Corrupt("past row"))?;
            kept.push(Kept {
                position: key::read_u40(&key[U40..]),
                version: past.version,
                deleted: past.deleted,
                values: past.values.to_vec(),
            });
        }
        kept.push(Kept {
            position: row.position,
            version: row.version,
            deleted: row.deleted,
            values: row.values.to_vec(),
        });
        Ok(kept)
    }
}

/// Every posting that a version may have made.
fn postings(kind: u8, number: u64, version: &Kept) -> Result<Vec<Vec<u8>>, Error> {
    let mut all = Vec::new();
    let mut add = |prefix: &[u8]| {
        let mut key = prefix.to_vec();
        key.extend_from_slice(&key::u40(number));
        all.push(key);
    };
    if version.deleted {
        return Ok(all);
    }
    for (field, value) in [
        (Field::EXISTS, &[][..]),
        (Field::CHANGED, &key::u40(version.position)[..]),
    ] {
        let mut prefix = Vec::new();
        key::put_field(&mut prefix, kind, field);
        prefix.extend_from_slice(value);
        add(&prefix);
    }
    for prefix in prepare::keys_of(kind, &version.values)?.iter() {
        add(prefix);
    }
    Ok(all)
}
