//! Sizes at which a log's lines must give a root, and whose word that is.

use std::collections::BTreeMap;

use tlog::{Edge, Hash};

use super::derived::WINDOW;
use super::faults::Faults;

/// What the lines are held against while they are followed.
#[derive(Default)]
pub(crate) struct Roots(BTreeMap<u64, Vec<Vouched>>);

/// A root that somebody vouches for.
struct Vouched {
    root: Hash,
    otherwise: String,
}

impl Roots {
    /// The lines must give this root at this size; `otherwise` is what is said if they do not, a sentence without
    /// its full stop.
    pub(crate) fn must_give(&mut self, size: u64, root: Hash, otherwise: String) {
        self.0
            .entry(size)
            .or_default()
            .push(Vouched { root, otherwise });
    }

    /// Where a window ends that begins at a position: with a tile, and where a root is to be given.
    pub(crate) fn window_end(&self, from: u64, size: u64) -> u64 {
        let to = size.min((from / WINDOW + 1) * WINDOW);
        match self.0.range(from + 1..).next() {
            Some((at, _)) => to.min(*at),
            None => to,
        }
    }

    /// Holds the lines so far against the roots that are vouched for at their size.
    pub(crate) fn check(&mut self, edge: &Edge, faults: &mut Faults) {
        let Some(vouched) = self.0.remove(&edge.size()) else {
            return;
        };
        let root = edge.root();
        for vouched in vouched.into_iter().filter(|vouched| vouched.root != root) {
            faults.say(vouched.otherwise);
        }
    }

    /// Says what is vouched for and was not come to; `what` is what there are only `size` of.
    pub(crate) fn rest(&mut self, what: &str, size: u64, faults: &mut Faults) {
        for (at, vouched) in std::mem::take(&mut self.0) {
            for vouched in vouched {
                faults.say(match at > size {
                    true => format!(
                        "{} ({at} {what}, of which only {size} are there)",
                        vouched.otherwise
                    ),
                    false => vouched.otherwise,
                });
            }
        }
    }
}
