//! A clock that runs as the machine's does, at a distance that tests set.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use oriel_model::Timestamp;
use oriel_net::clock::Clock;

/// A clock that runs as the machine's does, some time ahead of it or behind. Clones move together.
#[derive(Debug, Clone, Default)]
pub struct ShiftedClock {
    ahead_micros: Arc<AtomicI64>,
}

impl ShiftedClock {
    /// Puts it this far ahead of the machine's.
    pub fn set_ahead(&self, by: Duration) {
        self.ahead_micros.store(by.as_micros() as i64, Ordering::SeqCst);
    }

    /// Puts it this far behind the machine's.
    pub fn set_behind(&self, by: Duration) {
        self.ahead_micros.store(-(by.as_micros() as i64), Ordering::SeqCst);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        Timestamp::now() + jiff::SignedDuration::from_micros(self.ahead_micros.load(Ordering::SeqCst))
    }
}
