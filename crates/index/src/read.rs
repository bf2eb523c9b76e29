//! Reads by identity: where a resource is, was, and which versions it has; and
//! from instants to sizes.
//!
//! A read as of a size sees the first `size` entries whatever is written
//! meanwhile: rows are only ever superseded, never lost.

use std::ops::Bound;

use record::search::ParamId;

use crate::key::{self, Field, U40};
use crate::row::{Head, Past, Row};
use crate::store::{Bytes, Space, Store};
use crate::{Error, Found, Index};

/// A version found from a current row that the caller holds.
pub(crate) struct At<'a> {
    pub position: u64,
    pub version: u32,
    pub deleted: bool,
    values: Held<'a>,
}

enum Held<'a> {
    Row(&'a [u8]),
    Past(Bytes, usize),
}

impl At<'_> {
    /// The packed values.
    pub(crate) fn values(&self) -> &[u8] {
        match &self.values {
            Held::Row(values) => values,
            Held::Past(bytes, start) => &bytes[*start..],
        }
    }
}

/// The version that a resource had as of `size`, given its current row.
pub(crate) fn as_of<'a>(
    store: &Store,
    number: u64,
    row: Row<'a>,
    size: u64,
) -> Result<Option<At<'a>>, Error> {
    if row.position < size {
        return Ok(Some(At {
            position: row.position,
            version: row.version,
            deleted: row.deleted,
            values: Held::Row(row.values),
        }));
    }
    if number >= size {
        return Ok(None);
    }
    let found = match row.earlier().find(|(at, _)| *at < size) {
        Some((position, _)) => store
            .get(Space::Past, &key::past(number, position))?
            .map(|bytes| (position, bytes)),
        None if row.lists_all() => None,
        None => last_past(store, number, size)?,
    };
    let Some((position, bytes)) = found else {
        return Err(Error::Corrupt("past row"));
    };
    let past = Past::read(&bytes).ok_or(Error::Corrupt("past row"))?;
    let (version, deleted) = (past.version, past.deleted);
    let start = bytes.len() - past.values.len();
    Ok(Some(At {
        position,
        version,
        deleted,
        values: Held::Past(bytes, start),
    }))
}

fn last_past(store: &Store, number: u64, size: u64) -> Result<Option<(u64, Bytes)>, Error> {
    let from = key::past(number, 0);
    let to = key::past(number, size);
    match store
        .scan(Space::Past, Bound::Included(&from), Bound::Excluded(&to))
        .next_back()
    {
        None => Ok(None),
        Some(found) => {
            let (key, bytes) = found?;
            Ok(Some((key::read_u40(&key[U40..]), bytes)))
        }
    }
}

/// A version as of a size, with all that a search needs to judge it.
pub(crate) struct Version {
    pub number: u64,
    pub position: u64,
    pub version: u32,
    pub deleted: bool,
    row: Bytes,
    /// Where the packed id ends in `row`; it is just before the values.
    id: (usize, usize),
    past: Option<Bytes>,
    values: usize,
}

impl Version {
    /// The packed values.
    pub(crate) fn values(&self) -> &[u8] {
        match &self.past {
            None => &self.row[self.values..],
            Some(past) => &past[self.values..],
        }
    }

    /// The packed id.
    pub(crate) fn id(&self) -> &[u8] {
        &self.row[self.id.0..self.id.1]
    }
}

/// The version of a resource, by its number, as of `size`; `None` if it did
/// not exist yet.
pub(crate) fn version_at(store: &Store, number: u64, size: u64) -> Result<Option<Version>, Error> {
    if number >= size {
        return Ok(None);
    }
    let Some(bytes) = store.get(Space::Row, &key::u40(number))? else {
        return Ok(None);
    };
    let row = Row::read(number, &bytes).ok_or(Error::Corrupt("row"))?;
    let id_end = bytes.len() - row.values.len();
    let id = (id_end - row.id.len(), id_end);
    let Some(at) = as_of(store, number, row, size)? else {
        return Ok(None);
    };
    let (position, version, deleted) = (at.position, at.version, at.deleted);
    let (past, values) = match at.values {
        Held::Row(_) => (None, id_end),
        Held::Past(past, start) => (Some(past), start),
    };
    Ok(Some(Version {
        number,
        position,
        version,
        deleted,
        row: bytes,
        id,
        past,
        values,
    }))
}

impl Index {
    /// Where a resource is now: its latest version, deleted or not. Sees what
    /// an unfinished bulk has gathered.
    pub fn head(&self, kind: &str, id: &str) -> Result<Option<Head>, Error> {
        let Some(kind) = crate::kind_number(kind) else {
            return Ok(None);
        };
        let key = key::head(kind, id);
        if let Some(head) = self.gathered(&key) {
            return Ok(Some(head));
        }
        self.stored_head(&key)
    }

    /// Whether any version of a kind, of whatever time, has a value of a search parameter. What was
    /// forgotten does not count, nor what an unfinished bulk has gathered.
    pub fn has_values(&self, kind: &str, parameter: ParamId) -> Result<bool, Error> {
        let Some(kind) = crate::kind_number(kind) else {
            return Ok(false);
        };
        let mut prefix = Vec::new();
        key::put_field(&mut prefix, kind, Field::param(parameter.0));
        let end = key::after_prefix(&prefix);
        let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut values = self
            .store()
            .scan(Space::Posting, Bound::Included(&prefix), end);
        values.next().transpose().map(|found| found.is_some())
    }

    pub(crate) fn stored_head(&self, key: &[u8]) -> Result<Option<Head>, Error> {
        match self.store().get(Space::Head, key)? {
            None => Ok(None),
            Some(bytes) => Head::read(&bytes).map(Some).ok_or(Error::Corrupt("head")),
        }
    }

    /// The version that a resource had as of the first `size` entries, deleted
    /// or not; `None` if it did not exist yet.
    pub fn version_at(&self, kind: &str, id: &str, size: u64) -> Result<Option<Found>, Error> {
        let Some(kind) = crate::kind_number(kind) else {
            return Ok(None);
        };
        let Some(head) = self.stored_head(&key::head(kind, id))? else {
            return Ok(None);
        };
        if head.position < size {
            return Ok(Some(head));
        }
        Ok(version_at(self.store(), head.number, size)?.map(|v| Found {
            number: v.number,
            position: v.position,
            version: v.version,
            deleted: v.deleted,
        }))
    }

    /// Version `n` of a resource, from 1; `None` if there is none.
    pub fn version(&self, kind: &str, id: &str, n: u32) -> Result<Option<Found>, Error> {
        let Some(kind) = crate::kind_number(kind) else {
            return Ok(None);
        };
        let Some(head) = self.stored_head(&key::head(kind, id))? else {
            return Ok(None);
        };
        if n == head.version {
            return Ok(Some(head));
        }
        if n == 0 || n > head.version {
            return Ok(None);
        }
        Ok(self
            .versions(head.number, u64::MAX)?
            .into_iter()
            .find(|found| found.version == n))
    }

    /// The versions of a resource as of the first `size` entries, newest first.
    pub fn history(&self, kind: &str, id: &str, size: u64) -> Result<Vec<Found>, Error> {
        let Some(kind) = crate::kind_number(kind) else {
            return Ok(Vec::new());
        };
        let Some(head) = self.stored_head(&key::head(kind, id))? else {
            return Ok(Vec::new());
        };
        self.versions(head.number, size)
    }

    fn versions(&self, number: u64, size: u64) -> Result<Vec<Found>, Error> {
        let Some(bytes) = self.store().get(Space::Row, &key::u40(number))? else {
            return Ok(Vec::new());
        };
        let row = Row::read(number, &bytes).ok_or(Error::Corrupt("row"))?;
        let mut found = vec![row.head(number)];
        let from = key::past(number, 0);
        let to = key::past(number, row.position);
        for entry in self
            .store()
            .scan(Space::Past, Bound::Included(&from), Bound::Excluded(&to))
            .rev()
        {
            let (key, bytes) = entry?;
            let past = Past::read(&bytes).ok_or(Error::Corrupt("past row"))?;
            found.push(Found {
                number,
                position: key::read_u40(&key[U40..]),
                version: past.version,
                deleted: past.deleted,
            });
        }
        found.retain(|f| f.position < size);
        Ok(found)
    }

    /// How many entries had been recorded at `instant`: the size as of which
    /// the record is read then.
    pub fn size_at(&self, instant: record::time::RecordedAt) -> Result<u64, Error> {
        self.size_until(Bound::Included(&key::time(instant.0)))
    }

    /// How many entries had been recorded before `instant`.
    pub fn size_before(&self, instant: record::time::RecordedAt) -> Result<u64, Error> {
        self.size_until(Bound::Excluded(&key::time(instant.0)))
    }

    fn size_until(&self, to: Bound<&[u8]>) -> Result<u64, Error> {
        match self
            .store()
            .scan(Space::Time, Bound::Unbounded, to)
            .next_back()
        {
            None => Ok(0),
            Some(found) => Ok(key::read_u40(&found?.1)),
        }
    }

    /// When the first and the last transaction were recorded; `None` if there
    /// is none.
    pub fn recorded_bounds(
        &self,
    ) -> Result<Option<(record::time::RecordedAt, record::time::RecordedAt)>, Error> {
        let mut scan = self
            .store()
            .scan(Space::Time, Bound::Unbounded, Bound::Unbounded);
        let Some(first) = scan.next() else {
            return Ok(None);
        };
        let first = key::read_time(&first?.0);
        let last = match scan.next_back() {
            None => first,
            Some(last) => key::read_time(&last?.0),
        };
        Ok(Some((
            record::time::RecordedAt(first),
            record::time::RecordedAt(last),
        )))
    }
}
