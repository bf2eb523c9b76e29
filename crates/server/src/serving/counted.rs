//! How many connections each address has.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::peer::network_of;

type Counts = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// Counts connections by address; for IPv6 by the /64 that one customer has.
#[derive(Clone, Default)]
pub(super) struct Counted(Counts);

/// One connection's place; given back when dropped.
pub(super) struct Share {
    counts: Counts,
    network: IpAddr,
}

impl Counted {
    /// A place for one more connection; none if the address has that many.
    pub(super) fn enter(&self, address: IpAddr, most: usize) -> Option<Share> {
        let network = network_of(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(network).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Share {
            counts: self.0.clone(),
            network,
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let counted = Counted::default();
        let at = |text: &str| text.parse::<IpAddr>().expect("an address");
        let first = counted.enter(at("2001:db8::1"), 2).expect("a place");
        let _second = counted.enter(at("2001:db8::2"), 2).expect("a place");
        assert!(counted.enter(at("2001:db8::3"), 2).is_none(), "one network");
        let _other = counted.enter(at("2001:db8:0:1::1"), 2).expect("another");
        drop(first);
        assert!(counted.enter(at("2001:db8::4"), 2).is_some());
    }
}
