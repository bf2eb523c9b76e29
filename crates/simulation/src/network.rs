//! A network that loses, delays, doubles and reorders what it is given.

use crate::chance::Chance;

/// Messages under way. What arrives is decided by chance alone, never by a clock.
#[derive(Debug)]
pub struct Network<M> {
    under_way: Vec<(u64, M)>,
    now: u64,
    /// While it is bad, it does all that it can do; otherwise messages arrive in order, in the next step.
    pub bad: bool,
}

impl<M: Clone> Network<M> {
    /// A network with nothing under way.
    pub fn new(bad: bool) -> Network<M> {
        Network {
            under_way: Vec::new(),
            now: 0,
            bad,
        }
    }

    /// Gives a message to the network.
    pub fn send(&mut self, message: M, chance: &mut Chance) {
        let copies = match (self.bad, chance.below(10)) {
            (true, 0 | 1) => 0,
            (true, 2) => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let delay = match self.bad {
                true => chance.below(6),
                false => 0,
            };
            self.under_way.push((self.now + delay, message.clone()));
        }
    }

    /// Goes on by a step; gives what arrives, in the order of arrival.
    pub fn step(&mut self) -> Vec<M> {
        let now = self.now;
        self.now += 1;
        let (arrived, rest): (Vec<_>, Vec<_>) =
            self.under_way.drain(..).partition(|(at, _)| *at <= now);
        self.under_way = rest;
        arrived.into_iter().map(|(_, message)| message).collect()
    }
}
