//! The rows: what a resource is at its current version, and was at each past
//! one. Pure bytes in, bytes out.
//!
//! | | value |
//! |---|---|
//! | head | number, position − number, version × 2 + deleted |
//! | row | position − number, version × 2 + deleted, earlier versions, id, packed values |
//! | past | version × 2 + deleted, packed values |
//!
//! Numbers are LEB128. The earlier versions are listed newest first, each as
//! the distance back × 2 + deleted, at most [`CHAIN_MAX`] of them: with the
//! list a version as of any instant is one more point read, however many there
//! are. Older ones are found by seeking in `past`.

use crate::key::{put_varint, take_varint};

/// Earlier versions that a row lists.
pub(crate) const CHAIN_MAX: usize = 64;

/// Where a resource is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The position of its first entry; what the index calls it.
    pub number: u64,
    /// The position of its latest entry.
    pub position: u64,
    /// Its latest version, from 1.
    pub version: u32,
    /// Whether the latest entry deleted it.
    pub deleted: bool,
}

impl Head {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        put_varint(out, self.number);
        put_varint(out, self.position - self.number);
        put_varint(out, stamp(self.version, self.deleted));
    }

    pub(crate) fn read(mut bytes: &[u8]) -> Option<Head> {
        let number = take_varint(&mut bytes)?;
        let position = number.checked_add(take_varint(&mut bytes)?)?;
        let (version, deleted) = read_stamp(take_varint(&mut bytes)?)?;
        Some(Head {
            number,
            position,
            version,
            deleted,
        })
    }
}

fn stamp(version: u32, deleted: bool) -> u64 {
    (u64::from(version) << 1) | u64::from(deleted)
}

fn read_stamp(n: u64) -> Option<(u32, bool)> {
    Some((u32::try_from(n >> 1).ok()?, n & 1 == 1))
}

/// A current row, taken apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub position: u64,
    pub version: u32,
    pub deleted: bool,
    chain: &'a [u8],
    chain_len: usize,
    /// The packed id ([`crate::key::read_id`]).
    pub id: &'a [u8],
    /// The packed values; empty if deleted.
    pub values: &'a [u8],
}

impl<'a> Row<'a> {
    pub(crate) fn read(number: u64, mut bytes: &'a [u8]) -> Option<Row<'a>> {
        let position = number.checked_add(take_varint(&mut bytes)?)?;
        let (version, deleted) = read_stamp(take_varint(&mut bytes)?)?;
        let chain_len = usize::try_from(take_varint(&mut bytes)?).ok()?;
        let chain = bytes;
        for _ in 0..chain_len {
            take_varint(&mut bytes)?;
        }
        let chain = &chain[..chain.len() - bytes.len()];
        let id_len = usize::try_from(take_varint(&mut bytes)?).ok()?;
        let (id, values) = bytes.split_at_checked(id_len)?;
        Some(Row {
            position,
            version,
            deleted,
            chain,
            chain_len,
            id,
            values,
        })
    }

    /// Earlier versions that the row lists, newest first: position, deleted.
    pub(crate) fn earlier(&self) -> impl Iterator<Item = (u64, bool)> + use<'a> {
        let mut rest = self.chain;
        let mut at = self.position;
        std::iter::from_fn(move || {
            let step = take_varint(&mut rest)?;
            at = at.checked_sub(step >> 1)?;
            Some((at, step & 1 == 1))
        })
    }

    /// Whether the list reaches the first version.
    pub(crate) fn lists_all(&self) -> bool {
        self.chain_len < CHAIN_MAX
    }

    pub(crate) fn head(&self, number: u64) -> Head {
        Head {
            number,
            position: self.position,
            version: self.version,
            deleted: self.deleted,
        }
    }
}

/// What a row is made of.
pub(crate) struct NewRow<'a> {
    pub head: Head,
    /// Earlier versions, newest first: position, deleted.
    pub earlier: &'a [(u64, bool)],
    pub id: &'a [u8],
    pub values: &'a [u8],
}

impl NewRow<'_> {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + self.id.len() + self.values.len());
        put_varint(&mut out, self.head.position - self.head.number);
        put_varint(&mut out, stamp(self.head.version, self.head.deleted));
        let earlier = &self.earlier[..self.earlier.len().min(CHAIN_MAX)];
        put_varint(&mut out, earlier.len() as u64);
        let mut at = self.head.position;
        for (position, deleted) in earlier {
            put_varint(&mut out, ((at - position) << 1) | u64::from(*deleted));
            at = *position;
        }
        put_varint(&mut out, self.id.len() as u64);
        out.extend_from_slice(self.id);
        out.extend_from_slice(self.values);
        out
    }
}

/// A superseded version, taken apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Past<'a> {
    pub version: u32,
    pub deleted: bool,
    pub values: &'a [u8],
}

impl<'a> Past<'a> {
    pub(crate) fn read(mut bytes: &'a [u8]) -> Option<Past<'a>> {
        let (version, deleted) = read_stamp(take_varint(&mut bytes)?)?;
        Some(Past {
            version,
            deleted,
            values: bytes,
        })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 + self.values.len());
        put_varint(&mut out, stamp(self.version, self.deleted));
        out.extend_from_slice(self.values);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_lists_its_earlier_versions_newest_first() {
        let number = 100;
        let mut bytes: Option<Vec<u8>> = None;
        let mut expect: Vec<(u64, bool)> = Vec::new();
        for version in 1..=200u32 {
            let position = number + u64::from(version - 1) * 7;
            let deleted = version % 3 == 0;
            let head = Head {
                number,
                position,
                version,
                deleted,
            };
            let mut earlier: Vec<(u64, bool)> = Vec::new();
            if let Some(old) = &bytes {
                let old = Row::read(number, old).unwrap();
                earlier.push((old.position, old.deleted));
                earlier.extend(old.earlier());
            }
            let made = NewRow {
                head,
                earlier: &earlier,
                id: b"\0abc",
                values: b"values",
            }
            .write();
            let row = Row::read(number, &made).unwrap();
            assert_eq!(row.head(number), head);
            assert_eq!((row.id, row.values), (&b"\0abc"[..], &b"values"[..]));
            let listed: Vec<_> = row.earlier().collect();
            let known = expect.len().min(CHAIN_MAX);
            assert_eq!(listed, expect[..known]);
            assert_eq!(row.lists_all(), expect.len() < CHAIN_MAX);
            expect.insert(0, (position, deleted));
            bytes = Some(made);
        }
        assert!(Row::read(number, &[]).is_none());
        assert!(Row::read(number, &[0, 2, 9]).is_none());
    }

    #[test]
    fn heads_and_past_rows_come_back() {
        let head = Head {
            number: 7,
            position: 1_000_000,
            version: 3,
            deleted: true,
        };
        let mut out = Vec::new();
        head.write(&mut out);
        assert_eq!(Head::read(&out), Some(head));
        let past = Past {
            version: 9,
            deleted: false,
            values: b"xyz",
        }
        .write();
        let read = Past::read(&past).unwrap();
        assert_eq!(
            (read.version, read.deleted, read.values),
            (9, false, &b"xyz"[..])
        );
    }
}
