//! Tickets are good for one connection: the ids of those that were used are remembered until the
//! ticket expires.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use oriel_model::{Id, Timestamp, session::Connection};
use oriel_wire::ticket::{Claims, LIFETIME_SECS};

use crate::limits::{CLOCK_SKEW_MAX, REPLAY_MAX};

/// The tickets that were used and have not expired. Bounded by [`REPLAY_MAX`]; when it is full,
/// tickets are refused rather than forgotten.
#[derive(Default)]
pub(crate) struct ReplayCache {
    used: Mutex<HashMap<Id<Connection>, Timestamp>>,
}

/// Why a genuine ticket is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReplayError {
    #[error("the ticket was used before, or its connection was withdrawn")]
    Used,
    #[error("more tickets were used within their lifetime than can be remembered")]
    Full,
    #[error("the ticket expires further ahead than any should: the clocks of broker and gateway differ")]
    TooFarAhead,
}

impl ReplayCache {
    /// Uses the ticket up.
    pub(crate) fn consume(&self, claims: &Claims, now: Timestamp) -> Result<(), ReplayError> {
        self.insert(claims.connection, claims.expires_at, now)
    }

    /// Makes the ticket of a connection useless that has not come yet.
    pub(crate) fn withdraw(&self, connection: Id<Connection>, now: Timestamp) {
        // If the cache is full nothing is taken anyway.
        let _ = self.insert(connection, now + latest(), now);
    }

    fn insert(
        &self,
        connection: Id<Connection>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), ReplayError> {
        if expires_at > now + latest() {
            return Err(ReplayError::TooFarAhead);
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        // Looking through all of them is rare: each time the map would have to grow.
        if used.len() == used.capacity() || used.len() >= REPLAY_MAX {
            used.retain(|_, expires_at| *expires_at > now);
        }
        if used.len() >= REPLAY_MAX {
            return Err(ReplayError::Full);
        }
        match used.insert(connection, expires_at) {
            None => Ok(()),
            Some(_) => Err(ReplayError::Used),
        }
    }
}

/// How far ahead the end of a ticket can be.
fn latest() -> Duration {
    Duration::from_secs(LIFETIME_SECS.unsigned_abs()) + CLOCK_SKEW_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn after(now: Timestamp, seconds: u64) -> Timestamp {
        now + Duration::from_secs(seconds)
    }

    #[test]
    fn a_ticket_is_taken_once() {
        let cache = ReplayCache::default();
        let claims = testing::claims();
        let now = claims.expires_at - std::time::Duration::from_secs(60);
        assert_eq!(cache.consume(&claims, now), Ok(()));
        assert_eq!(cache.consume(&claims, now), Err(ReplayError::Used));
        assert_eq!(cache.consume(&claims, after(now, 59)), Err(ReplayError::Used));
    }

    #[test]
    fn a_withdrawn_connection_is_not_taken_later() {
        let cache = ReplayCache::default();
        let claims = testing::claims();
        let now = claims.expires_at - std::time::Duration::from_secs(60);
        cache.withdraw(claims.connection, now);
        assert_eq!(cache.consume(&claims, now), Err(ReplayError::Used));
    }

    #[test]
    fn a_ticket_from_the_far_future_is_refused() {
        let cache = ReplayCache::default();
        let claims = testing::claims();
        let now = claims.expires_at - std::time::Duration::from_secs(3_600);
        assert_eq!(cache.consume(&claims, now), Err(ReplayError::TooFarAhead));
    }

    #[test]
    fn it_is_bounded_and_forgets_what_has_expired() {
        let cache = ReplayCache::default();
        let now = Timestamp::UNIX_EPOCH;
        let id = || Id::generate(Timestamp::UNIX_EPOCH);
        for _ in 0..REPLAY_MAX {
            assert_eq!(cache.insert(id(), after(now, 60), now), Ok(()));
        }
        assert_eq!(cache.insert(id(), after(now, 60), now), Err(ReplayError::Full));
        assert_eq!(cache.insert(id(), after(now, 120), after(now, 61)), Ok(()));
        assert_eq!(cache.used.lock().expect("no panic").len(), 1);
    }
}
