//! How long a group waits for more: not at all when few write, a few milliseconds when many do.
//!
//! Those who were answered with the group before are the ones who will send again, each as soon as
//! they have read their answer. Committing the first of them alone would make all the others wait for
//! a flush that they could have shared. So a group that is large already goes on gathering as long as
//! somebody comes, until it is as large as the two before it together, and never for longer than
//! [`NAPS_MAX`] naps. A group of less than [`LOAD`] is committed at once: one writer alone, or a
//! few, never wait for anybody.

use std::time::Duration;

use tokio::sync::mpsc;

/// From so many on, others are waited for.
const LOAD: usize = 16;

/// How long a nap is.
const NAP: Duration = Duration::from_micros(500);

/// How often a group waits for more.
const NAPS_MAX: u32 = 16;

/// How many naps in which nobody comes end it.
const IN_VAIN_MAX: u32 = 2;

/// What is known of the groups so far.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// The sizes of the last two.
    last: [usize; 2],
    /// Of the group that is being gathered: how often it has waited, and how often in a row in vain.
    naps: u32,
    in_vain: u32,
}

impl Gathering {
    /// The next one for a group that has so many; `None` if it is to go as it is.
    pub(super) fn next<T>(
        &mut self,
        waiting: &mut mpsc::Receiver<T>,
        gathered: usize,
    ) -> Option<T> {
        self.next_with(waiting, gathered, || std::thread::sleep(NAP))
    }

    /// The same, with how a nap is taken.
    fn next_with<T>(
        &mut self,
        waiting: &mut mpsc::Receiver<T>,
        gathered: usize,
        mut nap: impl FnMut(),
    ) -> Option<T> {
        loop {
            if let Ok(next) = waiting.try_recv() {
                self.in_vain = 0;
                return Some(next);
            }
            if !self.is_worth_waiting(gathered) || waiting.is_closed() {
                return None;
            }
            nap();
            self.naps += 1;
            self.in_vain += 1;
        }
    }

    fn is_worth_waiting(&self, gathered: usize) -> bool {
        gathered >= LOAD
            && gathered < self.last.iter().sum::<usize>()
            && self.naps < NAPS_MAX
            && self.in_vain < IN_VAIN_MAX
    }

    /// A group is complete.
    pub(super) fn gathered(&mut self, size: usize) {
        *self = Gathering {
            last: [size, self.last[0]],
            ..Gathering::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_never_wait_and_many_wait_for_as_many_as_there_were() {
        for (last, gathered, expected) in [
            ([0, 0], 1, false),
            ([1, 1], 1, false),
            ([64, 64], LOAD - 1, false),
            ([64, 64], LOAD, true),
            ([64, 64], 127, true),
            ([64, 64], 128, false),
            ([8, 8], 16, false),
        ] {
            let gathering = Gathering {
                last,
                ..Gathering::default()
            };
            assert_eq!(
                gathering.is_worth_waiting(gathered),
                expected,
                "{last:?}, {gathered}"
            );
        }
        let tired = Gathering {
            last: [64, 64],
            in_vain: IN_VAIN_MAX,
            ..Gathering::default()
        };
        assert!(!tired.is_worth_waiting(LOAD));
    }

    #[test]
    fn who_waits_gets_who_comes_and_gives_up_when_nobody_does() {
        let (send, mut waiting) = mpsc::channel(8);
        let mut gathering = Gathering {
            last: [64, 64],
            ..Gathering::default()
        };
        let comes = || send.try_send(7).expect("there is room");
        assert_eq!(gathering.next_with(&mut waiting, LOAD, comes), Some(7));
        let mut naps = 0;
        let nobody = || naps += 1;
        assert_eq!(gathering.next_with(&mut waiting, LOAD + 1, nobody), None);
        assert_eq!(naps, IN_VAIN_MAX);
        gathering.gathered(LOAD + 1);
        assert_eq!(gathering.last, [LOAD + 1, 64]);
        drop(send);
    }
}
