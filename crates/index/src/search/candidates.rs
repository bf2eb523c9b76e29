//! Candidates: the numbers that postings propose, gathered or in order.
//!
//! Every posting key ends with what it is ordered by and the resource's
//! number, so several ranges of keys can be walked as one ordered sequence by
//! comparing their last bytes alone.

use std::ops::Bound;

use crate::Error;
use crate::interval;
use crate::key::{self, U40};
use crate::store::{Bytes, Scan, Space, Store};

/// Posting keys from one (included) to another (excluded).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub from: Vec<u8>,
    pub to: Vec<u8>,
}

impl Range {
    /// All keys that start with `prefix`.
    pub(crate) fn prefix(prefix: Vec<u8>) -> Range {
        let to = key::after_prefix(&prefix).unwrap_or_else(|| vec![0xff; key::POSTING_MAX + 1]);
        Range { from: prefix, to }
    }

    /// Keys with this prefix whose next bytes are from `low` up to `high`
    /// (excluded; `None`: to the end of the prefix).
    pub(crate) fn within(prefix: &[u8], low: &[u8], high: Option<&[u8]>) -> Range {
        let from = [prefix, low].concat();
        let to = match high {
            Some(high) => [prefix, high].concat(),
            None => Range::prefix(prefix.to_vec()).to,
        };
        Range { from, to }
    }

    fn scan(&self, store: &Store) -> Option<Scan> {
        (self.from < self.to).then(|| {
            store.scan(
                Space::Posting,
                Bound::Included(&self.from),
                Bound::Excluded(&self.to),
            )
        })
    }
}

/// Counts and collects the candidates of some ranges, a little at a time, so
/// that several clauses can race and the most selective one wins.
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

/// Several ranges walked as one sequence, ordered by the last `tail` bytes of
/// their keys (what orders them, then the number).
pub(crate) struct Walk {
    lanes: Vec<Lane>,
    tail: usize,
    descending: bool,
    size: u64,
}

struct Lane {
    scan: Scan,
    next: Option<(Bytes, Bytes)>,
}

/// One step of a walk.
pub(crate) struct Step {
    key: Bytes,
    tail: usize,
    /// The candidate.
    pub number: u64,
}

impl Step {
    /// What the walk is ordered by, without the number.
    pub(crate) fn order(&self) -> &[u8] {
        &self.key[self.key.len() - self.tail..self.key.len() - U40]
    }
}

impl Walk {
    pub(crate) fn new(
        store: &Store,
        ranges: &[Range],
        tail: usize,
        descending: bool,
        size: u64,
    ) -> Result<Walk, Error> {
        let mut walk = Walk {
            lanes: Vec::with_capacity(ranges.len()),
            tail,
            descending,
            size,
        };
        for range in ranges {
            if let Some(scan) = range.scan(store) {
                let mut lane = Lane { scan, next: None };
                walk.fill(&mut lane)?;
                if lane.next.is_some() {
                    walk.lanes.push(lane);
                }
            }
        }
        Ok(walk)
    }

    /// Finds the lane's next posting that held.
    fn fill(&self, lane: &mut Lane) -> Result<(), Error> {
        lane.next = None;
        loop {
            let entry = match self.descending {
                false => lane.scan.next(),
                true => lane.scan.next_back(),
            };
            let Some(entry) = entry else { return Ok(()) };
            let (key, value) = entry?;
            if interval::covers(&value, key::number_of(&key), self.size) {
                lane.next = Some((key, value));
                return Ok(());
            }
        }
    }

    /// The next candidate. The same number may come again.
    pub(crate) fn step(&mut self) -> Result<Option<Step>, Error> {
        let tail = self.tail;
        let order = |lane: &Lane| {
            lane.next
                .as_ref()
                .map(|(key, _)| key.slice(key.len() - tail..))
        };
        let mut best: Option<(usize, Bytes)> = None;
        if self.lanes.len() > 1 {
            for (at, lane) in self.lanes.iter().enumerate() {
                let Some(bytes) = order(lane) else { continue };
                let better = match &best {
                    None => true,
                    Some((_, best)) => (bytes < *best) != self.descending,
                };
                if better {
                    best = Some((at, bytes));
                }
            }
        }
        let at = match (&best, self.lanes.len()) {
            (Some((at, _)), _) => *at,
            (None, 1) => 0,
            (None, _) => return Ok(None),
        };
        let mut lane = std::mem::replace(
            &mut self.lanes[at].next,
            None,
        );
        let Some((key, _)) = lane.take() else {
            return Ok(None);
        };
        let mut lane = self.lanes.swap_remove(at);
        self.fill(&mut lane)?;
        if lane.next.is_some() {
            self.lanes.push(lane);
        }
        let number = key::number_of(&key);
        Ok(Some(Step { key, tail, number }))
    }
}
