//! The keys that open tickets, as the brokers hand them over. Only in memory.

use std::sync::{Mutex, PoisonError};

use oriel_model::Timestamp;
use oriel_wire::{
    ticket::{self, Claims, TicketError, TicketKey},
    v1,
};
use zeroize::Zeroizing;

use crate::limits::TICKET_KEYS_MAX;

/// The keys of each broker. Brokers of one farm have the same ones, but one that has just been away
/// may lag behind, so all that any of them names are good.
#[derive(Default)]
pub(crate) struct KeyRing {
    by_broker: Mutex<Vec<(usize, Vec<TicketKey>)>>,
}

impl KeyRing {
    /// Takes over what a broker named last, instead of what it named before. Returns how many of its
    /// keys can be used.
    pub(crate) fn replace(&self, broker: usize, keys: Vec<v1::TicketKey>) -> usize {
        let keys: Vec<TicketKey> = keys
            .into_iter()
            .take(TICKET_KEYS_MAX)
            .filter_map(|key| TicketKey::from_bytes(key.key_id, &Zeroizing::new(key.secret)))
            .collect();
        let count = keys.len();
        let mut by_broker = self.lock();
        by_broker.retain(|(owner, _)| *owner != broker);
        by_broker.push((broker, keys));
        count
    }

    /// Wipes the keys of a broker that has been away for long.
    pub(crate) fn forget(&self, broker: usize) {
        self.lock().retain(|(owner, _)| *owner != broker);
    }

    /// Opens a ticket.
    pub(crate) fn open(&self, sealed: &str, now: Timestamp) -> Result<Claims, TicketError> {
        let mut refusal = None;
        for (_, keys) in self.lock().iter() {
            match ticket::open(sealed, keys, now) {
                Ok(claims) => return Ok(claims),
                // Another broker may have the key; any other answer is final.
                Err(error @ TicketError::UnknownKey(_)) => refusal = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(refusal.unwrap_or(TicketError::UnknownKey(0)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(usize, Vec<TicketKey>)>> {
        self.by_broker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_ticket_opens_with_a_key_of_any_broker_until_that_is_forgotten() {
        let (one, two) = (testing::ticket_key(1), testing::ticket_key(2));
        let wire = |key: &TicketKey| v1::TicketKey { key_id: key.id(), secret: key.secret().to_vec() };
        let ring = KeyRing::default();
        let claims = testing::claims();
        let now = claims.expires_at - std::time::Duration::from_secs(30);
        let sealed = ticket::seal(&claims, &two).expect("random");
        assert_eq!(ring.open(&sealed, now), Err(TicketError::UnknownKey(0)));
        let short = v1::TicketKey { key_id: 9, secret: vec![1] };
        assert_eq!(ring.replace(0, vec![wire(&one), short]), 1);
        assert_eq!(ring.open(&sealed, now), Err(TicketError::UnknownKey(2)));
        ring.replace(1, vec![wire(&two)]);
        assert_eq!(ring.open(&sealed, now), Ok(claims.clone()));
        assert_eq!(ring.open(&sealed, claims.expires_at), Err(TicketError::Expired));
        ring.forget(1);
        assert_eq!(ring.open(&sealed, now), Err(TicketError::UnknownKey(2)));
    }
}
