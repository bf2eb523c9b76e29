//! Candidates: the numbers that postings propose, gathered or in order.
//!
//! All ranges of one walk share the length of what comes before the order
//! (kind, field, hash, class), so several ranges of keys can be walked as one
//! sequence by comparing what comes after it.

use std::ops::Bound;

use crate::Error;
use crate::interval;
use crate::key::{self, U40};
use crate::store::{Bytes, Scan, Space, Store};

/// Posting keys from one (included) to another (excluded).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Range {
    from: Vec<u8>,
    to: Vec<u8>,
}

impl Range {
    /// All keys that start with `prefix`.
    pub(crate) fn prefix(prefix: &[u8]) -> Range {
        Range::within(prefix, &[], &[])
    }

    /// Keys with this prefix that go on with bytes from `low` to `high`, both
    /// included with all that starts with them; empty is open.
    pub(crate) fn within(prefix: &[u8], low: &[u8], high: &[u8]) -> Range {
        Range {
            from: [prefix, low].concat(),
            to: key::after_prefix(&[prefix, high].concat())
                .unwrap_or_else(|| vec![0xff; key::POSTING_MAX + 1]),
        }
    }

    /// What comes after a number, of a range that is one value's postings.
    pub(crate) fn after(&self, number: u64) -> Range {
        let from = [&self.from[..], &key::u40(number + 1)].concat();
        Range {
            from,
            to: self.to.clone(),
        }
    }

    fn scan(&self, store: &Store) -> Option<Scan> {
        let (from, to) = (
            Bound::Included(&self.from[..]),
            Bound::Excluded(&self.to[..]),
        );
        (self.from < self.to).then(|| store.scan(Space::Posting, from, to))
    }
}

/// Collects the candidates of some ranges, a little at a time, so that several
/// clauses can race and the most selective one wins.
pub(crate) struct Gathering {
    ranges: std::vec::IntoIter<Range>,
    scan: Option<Scan>,
    size: u64,
    numbers: Vec<u64>,
    seen: usize,
    done: bool,
}

impl Gathering {
    pub(crate) fn new(ranges: Vec<Range>, size: u64) -> Gathering {
        Gathering {
            ranges: ranges.into_iter(),
            scan: None,
            size,
            numbers: Vec::new(),
            seen: 0,
            done: false,
        }
    }

    /// Goes on until `limit` postings have been looked at in all; says whether
    /// that was all of them.
    pub(crate) fn advance(&mut self, store: &Store, limit: usize) -> Result<bool, Error> {
        while !self.done && self.seen < limit {
            let Some(scan) = &mut self.scan else {
                match self.ranges.next() {
                    Some(range) => self.scan = range.scan(store),
                    None => self.done = true,
                }
                continue;
            };
            match scan.next() {
                None => self.scan = None,
                Some(entry) => {
                    let (key, value) = entry?;
                    self.seen += 1;
                    let number = key::number_of(&key);
                    if interval::covers(&value, number, self.size) {
                        self.numbers.push(number);
                    }
                }
            }
        }
        Ok(self.done)
    }

    /// What was collected, ascending, each once.
    pub(crate) fn into_numbers(mut self) -> Vec<u64> {
        self.numbers.sort_unstable();
        self.numbers.dedup();
        self.numbers
    }
}

/// Several ranges walked as one sequence, in the order of what follows the
/// first `skip` bytes of their keys.
pub(crate) struct Walk {
    lanes: Vec<Lane>,
    skip: usize,
    descending: bool,
    size: u64,
}

struct Lane {
    scan: Scan,
    next: Bytes,
}

/// One step of a walk: a posting that held.
pub(crate) struct Step {
    key: Bytes,
    skip: usize,
}

impl Step {
    /// The candidate.
    pub(crate) fn number(&self) -> u64 {
        key::number_of(&self.key)
    }

    /// What the walk is ordered by, before the number.
    pub(crate) fn order(&self) -> &[u8] {
        &self.key[self.skip..self.key.len() - U40]
    }
}

impl Walk {
    pub(crate) fn new(
        store: &Store,
        ranges: &[Range],
        skip: usize,
        descending: bool,
        size: u64,
    ) -> Result<Walk, Error> {
        let mut walk = Walk {
            lanes: Vec::with_capacity(ranges.len()),
            skip,
            descending,
            size,
        };
        for range in ranges {
            let Some(mut scan) = range.scan(store) else {
                continue;
            };
            if let Some(next) = walk.held(&mut scan)? {
                walk.lanes.push(Lane { scan, next });
            }
        }
        Ok(walk)
    }

    /// The next posting of a scan that held.
    fn held(&self, scan: &mut Scan) -> Result<Option<Bytes>, Error> {
        loop {
            let entry = match self.descending {
                false => scan.next(),
                true => scan.next_back(),
            };
            let Some(entry) = entry else { return Ok(None) };
            let (key, value) = entry?;
            if key.len() >= self.skip + U40
                && interval::covers(&value, key::number_of(&key), self.size)
            {
                return Ok(Some(key));
            }
        }
    }

    /// The next candidate. The same number may come again.
    pub(crate) fn step(&mut self) -> Result<Option<Step>, Error> {
        let skip = self.skip;
        let order = |at: &usize| &self.lanes[*at].next[skip..];
        let lanes = 0..self.lanes.len();
        let best = match self.descending {
            false => lanes.min_by(|a, b| order(a).cmp(order(b))),
            true => lanes.max_by(|a, b| order(a).cmp(order(b))),
        };
        let Some(at) = best else { return Ok(None) };
        let mut lane = self.lanes.swap_remove(at);
        let key = lane.next;
        if let Some(next) = self.held(&mut lane.scan)? {
            lane.next = next;
            self.lanes.push(lane);
        }
        Ok(Some(Step { key, skip }))
    }
}
