//! How many may be served at the same time without having shown that they may: in all, and from one
//! address. One door is for WebSockets without a good ticket yet, another for calls of the portal's API.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Counts those who wait at the door.
pub(crate) struct Door {
    max: usize,
    per_address_max: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place at the door, given back when it is dropped.
pub(crate) struct Place {
    door: Arc<Door>,
    address: IpAddr,
}

impl Door {
    /// A door at which so many may wait, and so many from one address.
    pub(crate) fn new(max: usize, per_address_max: usize) -> Arc<Self> {
        Arc::new(Self { max, per_address_max, waiting: Mutex::default() })
    }

    /// Lets one more wait, or not.
    pub(crate) fn enter(self: &Arc<Self>, client: IpAddr) -> Option<Place> {
        let address = household(client);
        let mut waiting = self.lock();
        if waiting.all >= self.max {
            return None;
        }
        let here = waiting.by_address.entry(address).or_default();
        if *here >= self.per_address_max {
            return None;
        }
        *here += 1;
        waiting.all += 1;
        Some(Place { door: self.clone(), address })
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().all == 0
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.door.lock();
        waiting.all -= 1;
        if let Some(here) = waiting.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                waiting.by_address.remove(&self.address);
            }
        }
    }
}

/// Who has one IPv6 address has the 2⁶⁴ beside it, so those count as one.
fn household(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_all_places() {
        let door = Door::new(100, 7);
        let address = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 7, n, 0, 0, 1]);
        let places: Vec<_> = (0..).map_while(|n| door.enter(address(n))).collect();
        assert_eq!(places.len(), 7);
        assert!(door.enter(IpAddr::from([10, 0, 0, 1])).is_some());
        drop(places);
        assert!(door.enter(address(1)).is_some());
        assert!(door.lock().by_address.is_empty());
        assert_eq!(door.lock().all, 0);
    }

    #[test]
    fn all_addresses_together_are_bounded() {
        let door = Door::new(100, 7);
        let address = |n: u32| IpAddr::V4(n.into());
        let places: Vec<_> = (0..).map_while(|n| door.enter(address(n))).collect();
        assert_eq!(places.len(), 100);
    }
}
