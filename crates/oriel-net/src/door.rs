//! How many may be in at the same time: in all, and from one address. Every listener has a door for its
//! connections; services have more, for what costs them something before anybody has shown that they may.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use oriel_model::network;

/// Counts those who are in.
#[derive(Debug)]
pub struct Door {
    max: usize,
    per_address_max: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place inside, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    door: Arc<Door>,
    address: IpAddr,
}

impl Door {
    /// A door to so many places, and so many for one address.
    pub fn new(max: usize, per_address_max: usize) -> Arc<Self> {
        Arc::new(Self { max, per_address_max, inside: Mutex::default() })
    }

    /// Lets one more in, or not.
    pub fn enter(self: &Arc<Self>, client: IpAddr) -> Option<Place> {
        let address = network::of(client);
        let mut inside = self.lock();
        if inside.all >= self.max {
            return None;
        }
        let here = inside.by_address.entry(address).or_default();
        if *here >= self.per_address_max {
            return None;
        }
        *here += 1;
        inside.all += 1;
        Some(Place { door: self.clone(), address })
    }

    /// Whether nobody is in.
    pub fn is_empty(&self) -> bool {
        self.lock().all == 0
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.door.lock();
        inside.all -= 1;
        if let Some(here) = inside.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                inside.by_address.remove(&self.address);
            }
        }
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
