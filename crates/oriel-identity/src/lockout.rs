//! The guard against guessing: counts wrong passwords for each account and each client address.
//!
//! An attempt is counted as a failure when it begins and taken back when it succeeds; were it
//! counted when it ends, a thousand guesses at once would all begin before the first one failed.
//! An attempt whose caller goes away stays counted.
//! Attempts while locked are not counted, so that nobody can keep an account locked for ever by
//! knocking.
//!
//! Kept in memory, by each broker for itself: several brokers multiply the guesses by their number,
//! a restart forgets. Names that nobody has are counted like others, so that being locked tells
//! nothing.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    net::IpAddr,
};

use jiff::{SignedDuration, Timestamp};
use oriel_model::{farm::SignInSettings, network};

/// Accounts, and addresses, remembered at most. About 3 MiB together at the longest names; a
/// flood of names from one address is stopped by the address's own count long before.
pub const ENTRIES_MAX: usize = 10_000;

/// Failures allowed from one address for each failure allowed for one account: an office behind one
/// address has many people, who mistype on the same Monday morning.
const ADDRESS_FACTOR: u32 = 10;

/// When an account or address is locked, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wrong passwords for one account until it is locked.
    pub account_failures: u32,
    /// Wrong passwords from one address until it is locked.
    pub address_failures: u32,
    /// How long it stays locked; failures that are older are forgotten.
    pub wait: SignedDuration,
}

impl From<&SignInSettings> for Limits {
    fn from(settings: &SignInSettings) -> Self {
        let account_failures = settings.lockout_after.max(1);
        Self {
            account_failures,
            address_failures: account_failures.saturating_mul(ADDRESS_FACTOR),
            wait: SignedDuration::from_mins(settings.lockout_minutes.into()),
        }
    }
}

/// Whether an attempt may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may, and is counted as a failure until [`Lockout::succeeded`].
    Allowed,
    /// It may not. The peer is not told, and is given the answer of a wrong password.
    Wait {
        /// When the next attempt may be made.
        until: Timestamp,
    },
}

/// Failures lately. A plain value: time is an argument.
#[derive(Debug, Default)]
pub struct Lockout {
    accounts: Table<String>,
    addresses: Table<IpAddr>,
}

impl Lockout {
    /// Begins an attempt to sign in as `account`, a normalised name.
    pub fn attempt(
        &mut self,
        account: &str,
        address: Option<IpAddr>,
        now: Timestamp,
        limits: &Limits,
    ) -> Admission {
        let address = address.map(network::of);
        let of_account = self.accounts.locked_until(account, now);
        let of_address = address.and_then(|address| self.addresses.locked_until(&address, now));
        if let Some(until) = of_account.max(of_address) {
            return Admission::Wait { until };
        }
        self.accounts.count(account.to_owned(), limits.account_failures, limits.wait, now);
        if let Some(address) = address {
            self.addresses.count(address, limits.address_failures, limits.wait, now);
        }
        Admission::Allowed
    }

    /// The attempt succeeded. The account's failures are forgotten; those of the address are not,
    /// or one valid account would buy any number of guesses at others.
    pub fn succeeded(&mut self, account: &str, address: Option<IpAddr>, limits: &Limits) {
        self.accounts.forget(account);
        if let Some(address) = address {
            self.addresses.take_back(&network::of(address), limits.address_failures);
        }
    }

    /// The attempt said nothing about the password: it was not looked at.
    pub fn withdrawn(&mut self, account: &str, address: Option<IpAddr>, limits: &Limits) {
        self.accounts.take_back(account, limits.account_failures);
        if let Some(address) = address {
            self.addresses.take_back(&network::of(address), limits.address_failures);
        }
    }

    /// An administrator unlocks an account.
    pub fn unlock(&mut self, account: &str) {
        self.accounts.forget(account);
    }

    /// Until when an account is locked, for an administrator.
    pub fn locked_until(&self, account: &str, now: Timestamp) -> Option<Timestamp> {
        self.accounts.locked_until(account, now)
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    failures: u32,
    is_locked: bool,
    /// When the failures are forgotten and the lock opens.
    until: Timestamp,
}

/// Entries by key, and the order in which they cease to matter. Full, it forgets the one that
/// would be forgotten first.
#[derive(Debug)]
struct Table<K> {
    entries: HashMap<K, Entry>,
    order: BTreeSet<(Timestamp, K)>,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self { entries: HashMap::new(), order: BTreeSet::new() }
    }
}

impl<K: Hash + Ord + Clone> Table<K> {
    fn locked_until<Q>(&self, key: &Q, now: Timestamp) -> Option<Timestamp>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let entry = self.entries.get(key)?;
        (entry.is_locked && now < entry.until).then_some(entry.until)
    }

    fn count(&mut self, key: K, allowed: u32, wait: SignedDuration, now: Timestamp) {
        let before = self.take(&key).filter(|entry| now < entry.until);
        let failures = before.map_or(0, |entry| entry.failures).saturating_add(1);
        let until = now.checked_add(wait).unwrap_or(Timestamp::MAX);
        if self.entries.len() >= ENTRIES_MAX
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.entries.remove(&oldest);
        }
        self.put(key, Entry { failures, is_locked: failures >= allowed, until });
    }

    fn take_back<Q>(&mut self, key: &Q, allowed: u32)
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(entry) = self.take(key)
            && entry.failures > 1
        {
            let failures = entry.failures - 1;
            self.put(key.to_owned(), Entry { failures, is_locked: failures >= allowed, ..entry });
        }
    }

    fn forget<Q>(&mut self, key: &Q)
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.take(key);
    }

    fn take<Q>(&mut self, key: &Q) -> Option<Entry>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let entry = self.entries.remove(key)?;
        self.order.remove(&(entry.until, key.to_owned()));
        Some(entry)
    }

    fn put(&mut self, key: K, entry: Entry) {
        self.order.insert((entry.until, key.clone()));
        self.entries.insert(key, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7)));

    fn limits() -> Limits {
        Limits { account_failures: 3, address_failures: 6, wait: SignedDuration::from_mins(15) }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + minute * 60).expect("in range")
    }

    fn attempt(lockout: &mut Lockout, account: &str, address: Option<IpAddr>, minute: i64) -> Admission {
        lockout.attempt(account, address, at(minute), &limits())
    }

    fn wait(minute: i64) -> Admission {
        Admission::Wait { until: at(minute) }
    }

    #[test]
    fn an_account_is_locked_after_its_failures_and_opens_by_itself() {
        let mut lockout = Lockout::default();
        for minute in 0..3 {
            assert_eq!(attempt(&mut lockout, "alice", None, minute), Admission::Allowed);
        }
        assert_eq!(attempt(&mut lockout, "alice", None, 3), wait(17));
        assert_eq!(attempt(&mut lockout, "alice", None, 16), wait(17), "knocking does not prolong it");
        assert_eq!(lockout.locked_until("alice", at(16)), Some(at(17)));
        assert_eq!(attempt(&mut lockout, "bob", None, 3), Admission::Allowed);
        assert_eq!(attempt(&mut lockout, "alice", None, 17), Admission::Allowed, "and counts from one again");
        assert_eq!(attempt(&mut lockout, "alice", None, 17), Admission::Allowed);
    }

    #[test]
    fn guesses_at_once_get_no_more_than_guesses_in_turn() {
        let mut lockout = Lockout::default();
        let allowed = (0..100).filter(|_| attempt(&mut lockout, "alice", None, 0) == Admission::Allowed);
        assert_eq!(allowed.count(), 3);
    }

    #[test]
    fn success_forgets_the_failures_even_of_the_last_chance() {
        let mut lockout = Lockout::default();
        for _ in 0..3 {
            assert_eq!(attempt(&mut lockout, "alice", HOME, 0), Admission::Allowed);
        }
        lockout.succeeded("alice", HOME, &limits());
        for _ in 0..3 {
            assert_eq!(attempt(&mut lockout, "alice", HOME, 1), Admission::Allowed);
        }
    }

    #[test]
    fn an_address_is_locked_for_every_account_and_one_success_does_not_open_it() {
        let mut lockout = Lockout::default();
        for guess in 0..5 {
            assert_eq!(attempt(&mut lockout, &format!("user{guess}"), HOME, 0), Admission::Allowed);
        }
        assert_eq!(attempt(&mut lockout, "mallory", HOME, 0), Admission::Allowed);
        lockout.succeeded("mallory", HOME, &limits());
        assert_eq!(attempt(&mut lockout, "user5", HOME, 0), Admission::Allowed, "the success was no failure");
        assert_eq!(attempt(&mut lockout, "mallory", HOME, 1), wait(15));
        assert_eq!(attempt(&mut lockout, "mallory", None, 1), Admission::Allowed);
    }

    #[test]
    fn an_attempt_that_was_not_looked_at_does_not_count() {
        let mut lockout = Lockout::default();
        for _ in 0..20 {
            assert_eq!(attempt(&mut lockout, "alice", HOME, 0), Admission::Allowed);
            lockout.withdrawn("alice", HOME, &limits());
        }
    }

    #[test]
    fn neighbours_of_one_ipv6_network_share_its_count() {
        let mut lockout = Lockout::default();
        let from = |host: u16| Some(IpAddr::from([0x2001, 0xdb8, 1, 2, 0, 0, 0, host]));
        for guess in 0..6 {
            assert_eq!(attempt(&mut lockout, &format!("u{guess}"), from(guess), 0), Admission::Allowed);
        }
        assert_eq!(attempt(&mut lockout, "u6", from(6), 0), wait(15));
        let next_door = Some(IpAddr::from([0x2001, 0xdb8, 1, 3, 0, 0, 0, 1]));
        assert_eq!(attempt(&mut lockout, "u7", next_door, 0), Admission::Allowed);
    }

    #[test]
    fn old_failures_are_forgotten_one_by_one_account() {
        let mut lockout = Lockout::default();
        attempt(&mut lockout, "alice", None, 0);
        attempt(&mut lockout, "alice", None, 1);
        attempt(&mut lockout, "alice", None, 20);
        assert_eq!(attempt(&mut lockout, "alice", None, 20), Admission::Allowed);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_go_first() {
        let mut lockout = Lockout::default();
        for minute in 0..3 {
            attempt(&mut lockout, "alice", None, minute);
        }
        for name in 0..ENTRIES_MAX - 1 {
            attempt(&mut lockout, &format!("name{name}"), None, 3);
        }
        assert_eq!(attempt(&mut lockout, "alice", None, 4), wait(17));
        attempt(&mut lockout, "one too many", None, 4);
        assert_eq!(lockout.locked_until("alice", at(4)), None);
        assert_eq!(lockout.accounts.entries.len(), ENTRIES_MAX);
        assert_eq!(lockout.accounts.order.len(), ENTRIES_MAX);
    }

    #[test]
    fn a_wait_beyond_the_end_of_time_is_the_end_of_time() {
        let endless = Limits { wait: SignedDuration::MAX, ..limits() };
        let mut lockout = Lockout::default();
        for _ in 0..3 {
            lockout.attempt("alice", None, at(0), &endless);
        }
        assert_eq!(lockout.locked_until("alice", at(9)), Some(Timestamp::MAX));
    }

    #[test]
    fn the_limits_come_from_the_farm() {
        let limits = Limits::from(&SignInSettings::default());
        assert_eq!((limits.account_failures, limits.address_failures), (5, 50));
        assert_eq!(limits.wait, SignedDuration::from_mins(15));
    }
}
