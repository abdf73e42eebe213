//! Bounds what one address or one account may ask for: token buckets in bounded tables.
//!
//! Not the lockout: that counts wrong passwords, this counts work.

use std::{collections::HashMap, hash::Hash, net::IpAddr, sync::Mutex};

use oriel_model::{Id, Timestamp, network, user::User};

use crate::hosts::lock;

/// How fast, and how many at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Per second in the long run.
    pub per_second: f64,
    /// At once, after a pause.
    pub burst: f64,
}

/// The bounds of a broker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Requests of one address. A whole office may sit behind one, so this stops only floods.
    pub requests_per_address: Rate,
    /// Sign-ins of one address: each costs some ten milliseconds of a processor. A class of 30 may
    /// sign in within a minute.
    pub sign_ins_per_address: Rate,
    /// Sign-ins to one account name: a person tries a few times.
    pub sign_ins_per_account: Rate,
    /// Launches of one user: a portal that restores ten windows at once is in order.
    pub launches_per_user: Rate,
    /// Wrong API tokens and invitations from one address. They cannot be guessed; this keeps the log
    /// readable.
    pub wrong_tokens_per_address: Rate,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_address: Rate { per_second: 200.0, burst: 1_000.0 },
            sign_ins_per_address: Rate { per_second: 5.0, burst: 60.0 },
            sign_ins_per_account: Rate { per_second: 0.5, burst: 15.0 },
            launches_per_user: Rate { per_second: 1.0, burst: 20.0 },
            wrong_tokens_per_address: Rate { per_second: 0.2, burst: 20.0 },
        }
    }
}

impl Limits {
    /// No bounds: for measuring.
    pub fn unlimited() -> Self {
        let all = Rate { per_second: 1e9, burst: 1e9 };
        Self {
            requests_per_address: all,
            sign_ins_per_address: all,
            sign_ins_per_account: all,
            launches_per_user: all,
            wrong_tokens_per_address: all,
        }
    }
}

/// Keys remembered per table. One entry is some 100 bytes; who floods from more addresses than this is
/// not stopped by counting.
const KEYS_MAX: usize = 50_000;

/// Too much was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests; try again in {retry_after_secs} s")]
pub struct TooMany {
    /// When the next one is let through, in seconds, at least 1.
    pub retry_after_secs: u64,
}

/// Counts requests.
#[derive(Debug)]
pub struct Throttle {
    requests: Buckets<IpAddr>,
    sign_ins: Buckets<IpAddr>,
    accounts: Buckets<String>,
    launches: Buckets<Id<User>>,
    wrong_tokens: Buckets<IpAddr>,
}

impl Throttle {
    /// Counts against these limits.
    pub fn new(limits: Limits) -> Self {
        Self {
            requests: Buckets::new(limits.requests_per_address),
            sign_ins: Buckets::new(limits.sign_ins_per_address),
            accounts: Buckets::new(limits.sign_ins_per_account),
            launches: Buckets::new(limits.launches_per_user),
            wrong_tokens: Buckets::new(limits.wrong_tokens_per_address),
        }
    }

    /// Any request from an address.
    pub fn request(&self, address: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        self.requests.take(network::of(address), now)
    }

    /// A sign-in from an address to an account, known or not.
    pub fn sign_in(&self, address: IpAddr, account: &str, now: Timestamp) -> Result<(), TooMany> {
        self.sign_ins.take(network::of(address), now)?;
        self.accounts.take(account.chars().take(256).flat_map(char::to_lowercase).collect(), now)
    }

    /// A launch.
    pub fn launch(&self, user: Id<User>, now: Timestamp) -> Result<(), TooMany> {
        self.launches.take(user, now)
    }

    /// Whether an address may show an invitation: not after too many that were wrong.
    pub fn admit_invitation(&self, address: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        self.wrong_tokens.look(&network::of(address), now)
    }

    /// An address showed a wrong API token or invitation; an error after too many.
    pub fn token_refused(&self, address: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        self.wrong_tokens.take(network::of(address), now)
    }
}

#[derive(Debug)]
struct Buckets<K> {
    rate: Rate,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Timestamp,
}

impl<K: Hash + Eq> Buckets<K> {
    fn new(rate: Rate) -> Self {
        Self { rate, buckets: Mutex::default() }
    }

    fn take(&self, key: K, now: Timestamp) -> Result<(), TooMany> {
        let rate = self.rate;
        let mut buckets = lock(&self.buckets);
        if buckets.len() >= KEYS_MAX && !buckets.contains_key(&key) {
            // Full buckets say nothing; when none is full, forgetting all is kinder than refusing all.
            buckets.retain(|_, bucket| refilled(*bucket, rate, now) < rate.burst);
            if buckets.len() >= KEYS_MAX {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(key).or_insert(Bucket { left: rate.burst, at: now });
        bucket.left = refilled(*bucket, rate, now);
        bucket.at = now;
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return Ok(());
        }
        Err(rate.wait(bucket.left))
    }

    /// As [`Buckets::take`], but takes nothing.
    fn look(&self, key: &K, now: Timestamp) -> Result<(), TooMany> {
        let buckets = lock(&self.buckets);
        let left = buckets.get(key).map_or(self.rate.burst, |bucket| refilled(*bucket, self.rate, now));
        if left >= 1.0 { Ok(()) } else { Err(self.rate.wait(left)) }
    }
}

impl Rate {
    fn wait(self, left: f64) -> TooMany {
        let secs = ((1.0 - left) / self.per_second).ceil().clamp(1.0, 3600.0);
        TooMany { retry_after_secs: secs as u64 }
    }
}

fn refilled(bucket: Bucket, rate: Rate, now: Timestamp) -> f64 {
    let secs = now.duration_since(bucket.at).as_secs_f64().max(0.0);
    (bucket.left + secs * rate.per_second).min(rate.burst)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn a_burst_passes_then_the_rate_holds_and_others_are_not_touched() {
        let buckets = Buckets::new(Rate { per_second: 0.5, burst: 3.0 });
        assert!((0..3).all(|_| buckets.take("a", at(0)).is_ok()));
        assert_eq!(buckets.take("a", at(0)), Err(TooMany { retry_after_secs: 2 }));
        assert!(buckets.take("b", at(0)).is_ok());
        assert!(buckets.take("a", at(2)).is_ok());
        assert!(buckets.take("a", at(2)).is_err());
        assert!(buckets.take("a", at(1)).is_err(), "a clock that goes back gives nothing");
    }

    #[test]
    fn the_table_is_bounded() {
        let buckets = Buckets::new(Rate { per_second: 1.0, burst: 2.0 });
        for key in 0..KEYS_MAX + 10 {
            assert!(buckets.take(key, at(0)).is_ok());
        }
        assert!(lock(&buckets.buckets).len() <= KEYS_MAX);
    }

    #[test]
    fn neighbours_of_one_network_share_its_rate() {
        let rate = Rate { per_second: 0.1, burst: 1.0 };
        let throttle = Throttle::new(Limits { requests_per_address: rate, ..Limits::unlimited() });
        let ask = |address: &str| throttle.request(address.parse().expect("address"), at(0)).is_ok();
        assert!(ask("fd00::1") && !ask("fd00::ffff:2") && ask("fd00:0:0:1::1"));
        assert!(ask("10.0.0.1") && !ask("::ffff:10.0.0.1") && ask("10.0.0.2"));
    }
}
