//! What happened in the last ten minutes and has no state that could be read: refused sign-ins, and
//! connections that failed. In memory only: after a restart counting begins anew.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use oriel_model::{Id, Timestamp, gateway::Gateway, session::EndReason};

use crate::hosts::lock;

/// How many minutes are counted.
const MINUTES: i64 = 10;

/// Counts, by minute.
#[derive(Debug, Default)]
struct Counts(VecDeque<(i64, u64)>);

/// What happened lately.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    sign_ins: Mutex<Counts>,
    connections: Mutex<HashMap<Id<Gateway>, Counts>>,
}

impl Counts {
    fn note(&mut self, now: Timestamp) {
        let minute = now.as_second().div_euclid(60);
        self.forget(minute);
        match self.0.back_mut() {
            Some((latest, count)) if *latest == minute => *count += 1,
            _ => self.0.push_back((minute, 1)),
        }
    }

    fn count(&mut self, now: Timestamp) -> u64 {
        self.forget(now.as_second().div_euclid(60));
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// What is too old, and what a clock that was put back has left in the future.
    fn forget(&mut self, now: i64) {
        self.0.retain(|(minute, _)| (now - MINUTES..=now).contains(minute));
    }
}

impl Tally {
    /// Somebody was not let in.
    pub fn sign_in_refused(&self, now: Timestamp) {
        lock(&self.sign_ins).note(now);
    }

    /// How many were not.
    pub fn refused_sign_ins(&self, now: Timestamp) -> u64 {
        lock(&self.sign_ins).count(now)
    }

    /// A connection has ended at a gateway: counts where it failed. A network that breaks between gateway and
    /// client is nothing that an administrator can mend.
    pub fn connection_closed(&self, gateway: Id<Gateway>, reason: &str, now: Timestamp) {
        use EndReason::{HostFailed, HostLost, LogonRefused, NotReady};
        if matches!(EndReason::parse(reason), Some(LogonRefused | NotReady | HostFailed | HostLost)) {
            lock(&self.connections).entry(gateway).or_default().note(now);
        }
    }

    /// How many connections of a gateway failed.
    pub fn failed_connections(&self, gateway: Id<Gateway>, now: Timestamp) -> u64 {
        lock(&self.connections).get_mut(&gateway).map_or(0, |counts| counts.count(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_minutes_are_counted_and_no_more_is_kept() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let tally = Tally::default();
        for second in 0..3_600 {
            tally.sign_in_refused(at(second));
        }
        assert_eq!(tally.refused_sign_ins(at(3_599)), 11 * 60, "ten whole minutes and the present one");
        assert!(lock(&tally.sign_ins).0.len() <= 11);
        assert_eq!(tally.refused_sign_ins(at(3_600 + 600)), 0);
        tally.sign_in_refused(at(9_000));
        assert_eq!(tally.refused_sign_ins(at(0)), 0, "the clock was put back");
        let gateway = Id::generate(at(0));
        for reason in ["logged_off", "host_lost", "network_lost", "not_ready", "?"] {
            tally.connection_closed(gateway, reason, at(0));
        }
        assert_eq!(tally.failed_connections(gateway, at(1)), 2);
    }
}
