//! The keys that seal connection tickets: made here, sealed in the store, handed to gateways, replaced
//! every day and whenever a gateway is deleted, since that one knew them. An old one is kept as long as a
//! ticket sealed with it can still be used.

use std::{sync::RwLock, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::SignedDuration;
use oriel_model::{Id, Timestamp, farm::Farm};
use oriel_net::supervise::ShutdownSignal;
use oriel_store::{Author, Transaction};
use oriel_wire::{
    ticket::{LIFETIME_SECS, OutOfRandomness, TicketKey},
    v1,
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Broker,
    app::objects,
    hosts::{read, write},
};

/// Name of the farm's secret that holds the keys.
pub const SECRET: &str = "ticket-keys";

/// How long a key seals tickets, in seconds: a day bounds what one leaked key is worth.
const ROTATION_SECS: i64 = 24 * 3600;

/// How long a new key waits before it seals, in seconds, so that every gateway has it by then. The very
/// first key does not wait: nobody could open anything anyway.
const SETTLING_SECS: i64 = 30;

/// The same after a gateway was deleted: the others that are connected hear of the key within
/// milliseconds, and what the deleted one knows should be worth nothing soon.
const HASTY_SETTLING_SECS: i64 = 5;

/// How long a key is kept after the next one has taken over, in seconds: tickets live a minute; the rest
/// is for clocks that differ.
const KEPT_SECS: i64 = LIFETIME_SECS + 600;

/// Keys at a time: what a gateway takes from one broker. Should so many gateways be deleted one after the
/// other that there are more, the oldest has not sealed for 75 seconds.
const KEYS_MAX: usize = 16;

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
    /// It seals from then on.
    seals_from: Timestamp,
}

/// As kept in the sealed store.
#[derive(Serialize, Deserialize)]
struct Stored {
    id: u32,
    made_at: Timestamp,
    secret: String,
    /// None in what an earlier version stored: long ago.
    #[serde(default)]
    seals_from: Option<Timestamp>,
}

/// Keys that are to take the place of the present ones once they are stored.
pub(crate) struct Replacement(Vec<Aged>);

impl Replacement {
    /// The transaction with the keys in it.
    pub(crate) fn stored_by(&self, transaction: Transaction, farm: Id<Farm>) -> Transaction {
        transaction.put_secret(farm, SECRET, encode(&self.0))
    }
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
        let first = Aged { key: TicketKey::generate(1)?, made_at: now, seals_from: now };
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
        let settled = keys.iter().rev().find(|aged| aged.seals_from <= now);
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

    /// Keys for a farm without a gateway that knows the present ones. [`TicketKeys::replace`] them when
    /// they are stored; until then nobody else may make others.
    pub(crate) fn after_deletion(&self, now: Timestamp) -> Result<Replacement, OutOfRandomness> {
        let mut next = read(&self.keys).clone();
        next.push(successor(&next, now, HASTY_SETTLING_SECS)?);
        Ok(Replacement(bounded(next, now)))
    }

    /// Takes over what was stored.
    pub(crate) fn replace(&self, keys: Replacement) {
        *write(&self.keys) = keys.0;
        self.changed.send_modify(|count| *count += 1);
    }
}

/// Replaces the newest key every day, until the signal.
pub async fn rotate(broker: &Broker, signal: ShutdownSignal) {
    while !signal.is_given() {
        rotate_once(broker).await;
        tokio::select! {
            () = signal.given() => {}
            () = tokio::time::sleep(CHECK_INTERVAL) => {}
        }
    }
}

async fn rotate_once(broker: &Broker) {
    // Not while a gateway's deletion makes keys too.
    let _turn = objects::turn().await;
    let present = read(&broker.ticket_keys.keys).clone();
    let keys = match rotated(&present, broker.now()) {
        Ok(Some(keys)) => Replacement(keys),
        Ok(None) => return,
        Err(error) => {
            return tracing::error!(%error, "no new ticket key could be made; the present one stays in use");
        }
    };
    // Stored first: a key that a restart forgets must not have sealed anything.
    let transaction = keys.stored_by(Transaction::new(Author::system(), broker.now()), broker.farm_id);
    match broker.store.commit(transaction).await {
        Ok(_) => {
            tracing::info!(key.id = keys.0.last().map(|aged| aged.key.id()), "there is a new ticket key");
            broker.ticket_keys.replace(keys);
        }
        Err(error) => {
            tracing::warn!(%error, "the new ticket key could not be stored; the present one stays in use")
        }
    }
}

/// The keys as they should be at `now`; none: as they are.
fn rotated(keys: &[Aged], now: Timestamp) -> Result<Option<Vec<Aged>>, OutOfRandomness> {
    let mut next = keys.to_vec();
    if keys.last().is_none_or(|newest| age_secs(newest, now) >= ROTATION_SECS) {
        next.push(successor(keys, now, SETTLING_SECS)?);
    }
    let next = bounded(next, now);
    let ids = |keys: &[Aged]| keys.iter().map(|aged| aged.key.id()).collect::<Vec<_>>();
    Ok((ids(&next) != ids(keys)).then_some(next))
}

fn successor(keys: &[Aged], now: Timestamp, settling_secs: i64) -> Result<Aged, OutOfRandomness> {
    let id = keys.last().map_or(1, |newest| newest.key.id().wrapping_add(1));
    let seals_from = now + SignedDuration::from_secs(settling_secs);
    Ok(Aged { key: TicketKey::generate(id)?, made_at: now, seals_from })
}

/// Without keys that no living ticket is sealed with: those whose successor has been in use long enough, and
/// those that had not begun when the newest was made.
fn bounded(mut keys: Vec<Aged>, now: Timestamp) -> Vec<Aged> {
    if let Some(newest) = keys.pop() {
        keys.retain(|aged| aged.seals_from <= newest.made_at);
        keys.push(newest);
    }
    while keys.len() > 1
        && (keys.len() > KEYS_MAX || now.as_second() - keys[1].seals_from.as_second() >= KEPT_SECS)
    {
        keys.remove(0);
    }
    keys
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
            seals_from: Some(aged.seals_from),
            secret: STANDARD.encode(aged.key.secret()),
        })
        .collect();
    Zeroizing::new(serde_json::to_vec(&stored).expect("plain JSON"))
}

fn decode(bytes: &[u8]) -> Result<Vec<Aged>, Unreadable> {
    let stored: Vec<Stored> = serde_json::from_slice(bytes).map_err(|error| Unreadable(error.to_string()))?;
    let key = |stored: &Stored| {
        let secret = Zeroizing::new(STANDARD.decode(&stored.secret).ok()?);
        let key = TicketKey::from_bytes(stored.id, &secret)?;
        let seals_from = stored.seals_from.unwrap_or(stored.made_at);
        Some(Aged { key, made_at: stored.made_at, seals_from })
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

    fn ids(keys: &[Aged]) -> Vec<u32> {
        keys.iter().map(|aged| aged.key.id()).collect()
    }

    #[test]
    fn a_new_key_every_day_waits_before_it_seals_and_the_old_one_outlives_its_tickets() {
        let keys = TicketKeys::generate(at(0)).expect("random");
        assert_eq!(keys.sealing(at(0)).id(), 1, "the first key seals at once");
        let present = read(&keys.keys).clone();
        assert!(rotated(&present, at(ROTATION_SECS - 1)).expect("random").is_none());
        let next = rotated(&present, at(ROTATION_SECS)).expect("random").expect("due");
        keys.replace(Replacement(next.clone()));
        assert_eq!(keys.sealing(at(ROTATION_SECS + 1)).id(), 1);
        assert_eq!(keys.sealing(at(ROTATION_SECS + SETTLING_SECS)).id(), 2);
        let settled = ROTATION_SECS + SETTLING_SECS;
        assert!(rotated(&next, at(settled + KEPT_SECS - 1)).expect("random").is_none());
        let last = rotated(&next, at(settled + KEPT_SECS)).expect("random").expect("due");
        assert_eq!(ids(&last), [2]);
    }

    #[test]
    fn a_deletion_brings_a_key_that_seals_within_seconds_and_many_bring_few() {
        let keys = TicketKeys::generate(at(0)).expect("random");
        keys.replace(keys.after_deletion(at(100)).expect("random"));
        assert_eq!((keys.sealing(at(104)).id(), keys.sealing(at(105)).id()), (1, 2));
        // Another gateway at once: the key that it was told has sealed nothing and never will.
        keys.replace(keys.after_deletion(at(102)).expect("random"));
        assert_eq!(ids(&read(&keys.keys)), [1, 3]);
        assert_eq!((keys.sealing(at(106)).id(), keys.sealing(at(107)).id()), (1, 3));
        for second in 200..400 {
            keys.replace(keys.after_deletion(at(second)).expect("random"));
            assert!(read(&keys.keys).len() <= 3);
        }
        let mut sealed = Vec::new();
        for second in (1000..1400).step_by(5) {
            keys.replace(keys.after_deletion(at(second)).expect("random"));
            sealed.push((second, keys.sealing(at(second)).id()));
            let kept = ids(&read(&keys.keys));
            for (then, id) in &sealed {
                assert!(second - then > LIFETIME_SECS || kept.contains(id), "{id} of {then} at {second}");
            }
        }
        assert!(read(&keys.keys).len() <= KEYS_MAX);
    }

    #[test]
    fn keys_survive_the_store_and_rubbish_is_refused() {
        let keys = TicketKeys::generate(at(5)).expect("random");
        let again = TicketKeys::from_secret(&keys.to_secret()).expect("readable");
        assert_eq!(again.for_gateways(), keys.for_gateways());
        for rubbish in ["", "[]", r#"[{"id":1,"made_at":"2026-01-01T00:00:00Z","secret":"AAAA"}]"#] {
            assert!(TicketKeys::from_secret(rubbish.as_bytes()).is_err(), "{rubbish}");
        }
        // As it was stored before keys said from when on they seal.
        let secret = STANDARD.encode([7; 32]);
        let old = format!(r#"[{{"id":4,"made_at":"2026-01-01T00:00:00Z","secret":"{secret}"}}]"#);
        let old = TicketKeys::from_secret(old.as_bytes()).expect("readable");
        assert_eq!(old.sealing(at(5)).id(), 4);
    }
}
