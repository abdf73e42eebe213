//! The keys that seal connection tickets: made here, sealed in the store, handed to gateways, replaced
//! every day. An old one is kept as long as a ticket sealed with it can still be used.

use std::{sync::RwLock, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oriel_model::{Id, Timestamp, farm::Farm};
use oriel_net::supervise::ShutdownSignal;
use oriel_store::{Author, SettingsStore, Transaction};
use oriel_wire::{
    ticket::{LIFETIME_SECS, OutOfRandomness, TicketKey},
    v1,
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Broker,
    hosts::{read, write},
};

/// Name of the farm's secret that holds the keys.
pub const SECRET: &str = "ticket-keys";

/// How long a key seals tickets, in seconds: a day bounds what one leaked key is worth.
const ROTATION_SECS: i64 = 24 * 3600;

/// How long a new key waits before it seals, in seconds, so that every gateway has it by then. The very
/// first key does not wait: nobody could open anything anyway.
const SETTLING_SECS: i64 = 30;

/// How long a key is kept after the next one has taken over, in seconds: tickets live a minute; the rest
/// is for clocks that differ.
const KEPT_SECS: i64 = SETTLING_SECS + LIFETIME_SECS + 600;

/// How often rotation is looked at.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// The keys that seal and open tickets.
#[derive(Debug)]
pub struct TicketKeys {
    keys: RwLock<Vec<Aged>>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Clone)]
struct Aged {
    key: TicketKey,
    made_at: Timestamp,
}

/// As kept in the sealed store.
#[derive(Serialize, Deserialize)]
struct Stored {
    id: u32,
    made_at: Timestamp,
    secret: String,
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// What the store holds is not a list of keys.
#[derive(Debug, thiserror::Error)]
#[error("the farm's ticket keys cannot be read: {0}")]
pub struct Unreadable(String);

impl TicketKeys {
    /// The keys of a new farm.
    pub fn generate(now: Timestamp) -> Result<Self, OutOfRandomness> {
        let first = Aged { key: TicketKey::generate(1)?, made_at: now };
        Ok(Self::new(vec![first]))
    }

    /// Reads the keys from the secret's bytes.
    pub fn from_secret(bytes: &[u8]) -> Result<Self, Unreadable> {
        Ok(Self::new(decode(bytes)?))
    }

    /// The secret's bytes.
    pub fn to_secret(&self) -> Zeroizing<Vec<u8>> {
        encode(&read(&self.keys))
    }

    /// The key to seal with now.
    pub fn sealing(&self, now: Timestamp) -> TicketKey {
        let keys = read(&self.keys);
        let settled = keys.iter().rev().find(|aged| age_secs(aged, now) >= SETTLING_SECS);
        settled.or(keys.first()).map(|aged| aged.key.clone()).expect("there is always a key")
    }

    /// Every key that a ticket may be sealed with, for gateways.
    pub fn for_gateways(&self) -> Vec<v1::TicketKey> {
        read(&self.keys)
            .iter()
            .map(|aged| v1::TicketKey { key_id: aged.key.id(), secret: aged.key.secret().to_vec() })
            .collect()
    }

    /// Changes when the keys do.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn new(keys: Vec<Aged>) -> Self {
        Self { keys: RwLock::new(keys), changed: watch::channel(0).0 }
    }

    fn replace(&self, keys: Vec<Aged>) {
        *write(&self.keys) = keys;
        self.changed.send_modify(|count| *count += 1);
    }
}

/// Replaces the newest key every day, until the signal.
pub async fn rotate(broker: &Broker, signal: ShutdownSignal) {
    while !signal.is_given() {
        let present = read(&broker.ticket_keys.keys).clone();
        match rotated(&present, broker.now()) {
            Ok(None) => {}
            Ok(Some(keys)) => {
                // Stored first: a key that a restart forgets must not have sealed anything.
                match store(&*broker.store, broker.farm_id, encode(&keys), broker.now()).await {
                    Ok(()) => {
                        tracing::info!(
                            key.id = keys.last().map(|aged| aged.key.id()),
                            "there is a new ticket key"
                        );
                        broker.ticket_keys.replace(keys);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the new ticket key could not be stored; the present one stays in use")
                    }
                }
            }
            Err(error) => {
                tracing::error!(%error, "no new ticket key could be made; the present one stays in use")
            }
        }
        tokio::select! {
            () = signal.given() => {}
            () = tokio::time::sleep(CHECK_INTERVAL) => {}
        }
    }
}

async fn store(
    store: &dyn SettingsStore,
    farm: Id<Farm>,
    keys: Zeroizing<Vec<u8>>,
    now: Timestamp,
) -> Result<(), oriel_store::CommitError> {
    let transaction = Transaction::new(Author::system(), now).put_secret(farm, SECRET, keys);
    store.commit(transaction).await.map(|_| ())
}

/// The keys as they should be at `now`; none: as they are.
fn rotated(keys: &[Aged], now: Timestamp) -> Result<Option<Vec<Aged>>, OutOfRandomness> {
    let mut next = keys.to_vec();
    if keys.last().is_none_or(|newest| age_secs(newest, now) >= ROTATION_SECS) {
        let id = keys.last().map_or(1, |newest| newest.key.id().wrapping_add(1));
        next.push(Aged { key: TicketKey::generate(id)?, made_at: now });
    }
    // A key goes when its successor has been in use long enough.
    while next.len() > 1 && age_secs(&next[1], now) >= KEPT_SECS {
        next.remove(0);
    }
    Ok((next.len() != keys.len() || next.last().map(|a| a.key.id()) != keys.last().map(|a| a.key.id()))
        .then_some(next))
}

fn age_secs(aged: &Aged, now: Timestamp) -> i64 {
    now.as_second() - aged.made_at.as_second()
}

fn encode(keys: &[Aged]) -> Zeroizing<Vec<u8>> {
    let stored: Vec<Stored> = keys
        .iter()
        .map(|aged| Stored {
            id: aged.key.id(),
            made_at: aged.made_at,
            secret: STANDARD.encode(aged.key.secret()),
        })
        .collect();
    Zeroizing::new(serde_json::to_vec(&stored).expect("plain JSON"))
}

fn decode(bytes: &[u8]) -> Result<Vec<Aged>, Unreadable> {
    let stored: Vec<Stored> = serde_json::from_slice(bytes).map_err(|error| Unreadable(error.to_string()))?;
    let key = |stored: &Stored| {
        let secret = Zeroizing::new(STANDARD.decode(&stored.secret).ok()?);
        Some(Aged { key: TicketKey::from_bytes(stored.id, &secret)?, made_at: stored.made_at })
    };
    let keys: Option<Vec<_>> = stored.iter().map(key).collect();
    keys.filter(|keys| !keys.is_empty())
        .ok_or_else(|| Unreadable("a key is missing or has the wrong length".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn a_new_key_every_day_waits_before_it_seals_and_the_old_one_outlives_its_tickets() {
        let keys = TicketKeys::generate(at(0)).expect("random");
        assert_eq!(keys.sealing(at(0)).id(), 1, "the first key seals at once");
        let present = read(&keys.keys).clone();
        assert!(rotated(&present, at(ROTATION_SECS - 1)).expect("random").is_none());
        let next = rotated(&present, at(ROTATION_SECS)).expect("random").expect("due");
        keys.replace(next.clone());
        assert_eq!(keys.sealing(at(ROTATION_SECS + 1)).id(), 1);
        assert_eq!(keys.sealing(at(ROTATION_SECS + SETTLING_SECS)).id(), 2);
        assert!(rotated(&next, at(ROTATION_SECS + KEPT_SECS - 1)).expect("random").is_none());
        let last = rotated(&next, at(ROTATION_SECS + KEPT_SECS)).expect("random").expect("due");
        assert_eq!(last.iter().map(|aged| aged.key.id()).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn keys_survive_the_store_and_rubbish_is_refused() {
        let keys = TicketKeys::generate(at(5)).expect("random");
        let again = TicketKeys::from_secret(&keys.to_secret()).expect("readable");
        assert_eq!(again.for_gateways(), keys.for_gateways());
        for rubbish in ["", "[]", r#"[{"id":1,"made_at":"2026-01-01T00:00:00Z","secret":"AAAA"}]"#] {
            assert!(TicketKeys::from_secret(rubbish.as_bytes()).is_err(), "{rubbish}");
        }
    }
}
