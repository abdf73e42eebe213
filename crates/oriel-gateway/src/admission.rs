//! How many WebSockets may be open that have not shown a good ticket yet: in all, and from one
//! address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::limits::{UNAUTHENTICATED_MAX, UNAUTHENTICATED_PER_ADDRESS_MAX};

/// Counts those who wait at the door.
#[derive(Default)]
pub(crate) struct Door {
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
    /// Lets one more wait, or not.
    pub(crate) fn enter(self: &Arc<Self>, client: IpAddr) -> Option<Place> {
        let address = household(client);
        let mut waiting = self.lock();
        if waiting.all >= UNAUTHENTICATED_MAX {
            return None;
        }
        let here = waiting.by_address.entry(address).or_default();
        if *here >= UNAUTHENTICATED_PER_ADDRESS_MAX {
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
        let door = Arc::new(Door::default());
        let address = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 7, n, 0, 0, 1]);
        let places: Vec<_> = (0..).map_while(|n| door.enter(address(n))).collect();
        assert_eq!(places.len(), UNAUTHENTICATED_PER_ADDRESS_MAX);
        assert!(door.enter(IpAddr::from([10, 0, 0, 1])).is_some());
        drop(places);
        assert!(door.enter(address(1)).is_some());
        assert!(door.lock().by_address.is_empty());
        assert_eq!(door.lock().all, 0);
    }

    #[test]
    fn all_addresses_together_are_bounded() {
        let door = Arc::new(Door::default());
        let address = |n: u32| IpAddr::V4(n.into());
        let places: Vec<_> = (0..).map_while(|n| door.enter(address(n))).collect();
        assert_eq!(places.len(), UNAUTHENTICATED_MAX);
    }
}
