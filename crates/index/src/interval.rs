//! When a posting held: the value of a posting key.
//!
//! A resource has a value from one position until another; as of size `t`
//! (the first `t` entries) it held if it was opened before `t` and not closed
//! before `t`. Pure bytes in, bytes out.
//!
//! | history of the value | bytes |
//! |---|---|
//! | since the resource's first entry, still | none |
//! | since a later entry, still | opened − number |
//! | for a while | opened − number, closed − opened |
//! | again | opened − number, closed − opened, opened − closed |
//!
//! All are LEB128. So a value that never changes, which is nearly all of them,
//! costs no byte.

use crate::key::{put_varint, take_varint};

/// Whether the value held as of the first `size` entries.
pub(crate) fn covers(bytes: &[u8], number: u64, size: u64) -> bool {
    if bytes.is_empty() {
        return number < size;
    }
    let mut rest = bytes;
    let mut at = number;
    let mut held = false;
    while let Some(step) = take_varint(&mut rest) {
        at += step;
        if at >= size {
            break;
        }
        held = !held;
    }
    held
}

/// A posting's history while it is being extended.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct History {
    bytes: Vec<u8>,
    /// The last boundary, if there is one.
    last: Option<u64>,
    held: bool,
}

impl History {
    /// Reads a posting's value.
    pub(crate) fn read(bytes: &[u8], number: u64) -> History {
        if bytes.is_empty() {
            return History {
                bytes: Vec::new(),
                last: Some(number),
                held: true,
            };
        }
        let mut rest = bytes;
        let mut at = number;
        let mut held = false;
        while let Some(step) = take_varint(&mut rest) {
            at += step;
            held = !held;
        }
        History {
            bytes: bytes.to_vec(),
            last: Some(at),
            held,
        }
    }

    /// Opens or closes at `position`. What the history already knows (it
    /// reaches that far, or the value already is so) changes nothing, so that
    /// applying twice is applying once.
    pub(crate) fn set(&mut self, number: u64, position: u64, held: bool) {
        if self.held == held || self.last.is_some_and(|last| last >= position) {
            return;
        }
        match self.last {
            None if position == number => {}
            None => put_varint(&mut self.bytes, position - number),
            Some(last) => {
                if self.bytes.is_empty() {
                    put_varint(&mut self.bytes, 0);
                }
                put_varint(&mut self.bytes, position - last);
            }
        }
        self.last = Some(position);
        self.held = held;
    }

    /// The posting's value.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Positions at which the value of resource 10 flips; expected bytes; the
    /// sizes as of which it held.
    fn check(flips: &[u64], bytes: &[u8], held: &[u64]) {
        let mut history = History::default();
        for (i, at) in flips.iter().enumerate() {
            history.set(10, *at, i % 2 == 0);
        }
        assert_eq!(history.bytes(), bytes, "{flips:?}");
        assert_eq!(History::read(bytes, 10), history, "{flips:?}");
        let sizes: Vec<u64> = (0..40).filter(|t| covers(bytes, 10, *t)).collect();
        assert_eq!(sizes, held, "{flips:?}");
        // Again from the start, from the middle: nothing changes.
        for skip in 0..flips.len() {
            let mut again = history.clone();
            for (i, at) in flips.iter().enumerate().skip(skip) {
                again.set(10, *at, i % 2 == 0);
            }
            assert_eq!(again, history, "{flips:?} replayed from {skip}");
        }
    }

    #[test]
    fn a_value_holds_from_its_entry_until_the_closing_one() {
        check(&[10], &[], &(11..40).collect::<Vec<_>>());
        check(&[12], &[2], &(13..40).collect::<Vec<_>>());
        check(&[10, 12], &[0, 2], &[11, 12]);
        check(&[11, 13], &[1, 2], &[12, 13]);
        check(&[10, 12, 38], &[0, 2, 26], &[11, 12, 39]);
        check(&[13, 14, 15, 17], &[3, 1, 1, 2], &[14, 16, 17]);
    }
}
