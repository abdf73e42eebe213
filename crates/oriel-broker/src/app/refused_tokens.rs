//! API tokens that were refused, told so that a flood of them does not flood the log: of what comes from one
//! network with one token, the first is an entry at once, and what more came within a minute is a second one
//! that says how often.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::SignedDuration;
use oriel_model::{Id, Timestamp, network, token::Token};
use oriel_net::supervise::ShutdownSignal;
use oriel_store::Via;

use super::{
    audit::Event,
    objects::{self, TokenError},
};
use crate::{Broker, hosts::lock};

/// For how long refusals are counted before they are told.
const COUNTED: SignedDuration = SignedDuration::from_mins(1);
/// How often is looked for what has been counted for long enough.
const LOOK: Duration = Duration::from_secs(15);
/// Networks and tokens that are told apart within a minute. What comes from more is counted together.
const APART_MAX: usize = 500;

/// A token that was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct RefusedToken {
    /// Which; none: it is none of the farm's.
    pub token: Option<(Id<Token>, String)>,
    /// Why.
    pub why: TokenError,
    /// Where it came from; none: from several networks, or nobody knows.
    pub address: Option<IpAddr>,
    /// Through what.
    pub via: Via,
}

/// What was refused lately.
#[derive(Debug, Default)]
pub struct RefusedTokens(Mutex<HashMap<Source, Counted>>);

/// A network, and the token if it is one of the farm's. Neither: all that there is no room to tell apart.
type Source = (Option<IpAddr>, Option<Id<Token>>);

#[derive(Debug)]
struct Counted {
    since: Timestamp,
    /// The latest that was not told.
    latest: Option<RefusedToken>,
    /// How many were not.
    untold: u64,
}

impl RefusedTokens {
    /// Takes in a refusal; gives it back where it is to be told at once.
    fn note(&self, refused: RefusedToken, now: Timestamp) -> Option<RefusedToken> {
        let mut sources = lock(&self.0);
        let mut source = (refused.address.map(network::of), refused.token.as_ref().map(|(id, _)| *id));
        let mut refused = refused;
        if sources.len() >= APART_MAX && !sources.contains_key(&source) {
            source = (None, None);
            refused = RefusedToken { token: None, address: None, ..refused };
        }
        match sources.entry(source) {
            Entry::Vacant(place) => {
                place.insert(Counted { since: now, latest: None, untold: 0 });
                Some(refused)
            }
            Entry::Occupied(mut place) => {
                let counted = place.get_mut();
                counted.untold += 1;
                counted.latest = Some(refused);
                None
            }
        }
    }

    /// What is to be told now, each with how often it came: all of it if it is the last time.
    fn due(&self, now: Timestamp, is_last: bool) -> Vec<(RefusedToken, u64)> {
        let mut due = Vec::new();
        lock(&self.0).retain(|_, counted| {
            // A clock that was put back ends a minute, too.
            let is_over =
                is_last || !(SignedDuration::ZERO..COUNTED).contains(&now.duration_since(counted.since));
            if is_over && let Some(latest) = counted.latest.take() {
                due.push((latest, counted.untold));
            }
            !is_over
        });
        due
    }
}

impl Broker {
    /// Takes down that somebody came with a token that does not count.
    pub fn token_refused(&self, secret: &str, address: Option<IpAddr>, via: Via) {
        let (view, now) = (self.farm.load(), self.now());
        let Err((token, why)) = objects::find_token(&view, secret, now) else { return };
        let token = token.map(|token| (token.id, token.name.clone()));
        let refused = RefusedToken { token, why, address, via };
        if let Some(refused) = self.refused_tokens.note(refused, now) {
            self.record(&Event::TokenRefused { refused: &refused, times: 1 });
        }
    }

    /// Tells what was counted for a minute, or at last all that was counted.
    pub(crate) fn tell_refused_tokens(&self, is_last: bool) {
        for (refused, times) in self.refused_tokens.due(self.now(), is_last) {
            self.record(&Event::TokenRefused { refused: &refused, times });
        }
    }
}

/// Tells what was counted, until the signal; then the rest.
pub async fn run(broker: Arc<Broker>, signal: ShutdownSignal) {
    loop {
        let is_last = signal.is_given();
        broker.tell_refused_tokens(is_last);
        if is_last {
            return;
        }
        tokio::select! {
            () = signal.given() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn from(address: u32) -> RefusedToken {
        let address = Some(Ipv4Addr::from_bits(address).into());
        RefusedToken { token: None, why: TokenError::Unknown, address, via: Via::Api }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_flood_from_one_address_is_two_entries_a_minute() {
        let refused = RefusedTokens::default();
        let mut told = 0;
        for second in 0..600 {
            for _ in 0..100 {
                told += usize::from(refused.note(from(7), at(second)).is_some());
            }
            told += refused.due(at(second), false).len();
        }
        assert!((18..=20).contains(&told), "{told}");
        let rest = refused.due(at(600), true);
        assert!(rest.iter().all(|(_, times)| *times > 1) && rest.len() == 1, "{rest:?}");
        assert_eq!(refused.due(at(10_000), true), []);
    }

    #[test]
    fn every_refusal_is_counted_once_and_a_clock_that_is_put_back_holds_none_back() {
        let refused = RefusedTokens::default();
        assert_eq!(refused.note(from(7), at(100)), Some(from(7)));
        assert_eq!(refused.note(from(8), at(100)), Some(from(8)));
        for second in [101, 120, 159] {
            assert_eq!(refused.note(from(7), at(second)), None);
        }
        assert_eq!(refused.due(at(159), false), []);
        assert_eq!(refused.due(at(160), false), [(from(7), 3)]);
        assert_eq!(refused.note(from(7), at(161)), Some(from(7)), "the minute is over");
        assert_eq!(refused.note(from(7), at(162)), None);
        assert_eq!(refused.due(at(10), false), [(from(7), 1)]);
    }

    #[test]
    fn a_flood_from_many_addresses_is_counted_together_beyond_a_bound() {
        let refused = RefusedTokens::default();
        let told = (0..20_000).filter(|number| refused.note(from(*number), at(0)).is_some()).count();
        assert_eq!(told, APART_MAX + 1);
        let due = refused.due(at(60), false);
        let (rest, times) = &due[0];
        assert_eq!((due.len(), rest.address, *times), (1, None, 20_000 - told as u64));
    }
}
