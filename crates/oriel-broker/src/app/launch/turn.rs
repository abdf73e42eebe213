//! One user's launches of the same thing, one after the other: two tabs or a double click open one session,
//! not two. The session that was just made is known here before its host reports it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use oriel_model::{Id, resource::Resource, session::Session, user::User};
use oriel_rules::launch::OwnSession;
use tokio::sync::OwnedMutexGuard;

use crate::hosts::lock;

/// How long the last launch is remembered at least: hosts report every second, and when they are silent for
/// longer than this, nothing is placed on them.
const REMEMBERED: Duration = Duration::from_secs(5);

/// How long a host may take to report what came of a launch: twice its interval.
const UNREPORTED: Duration = Duration::from_secs(2);

/// Turns that are kept before those that nobody needs are looked for. One is some 200 bytes.
const SWEEP_AT: usize = 1_024;

/// Whose launches of what wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) user: Id<User>,
    /// None: any resource that opens in the user's shared session.
    pub(super) resource: Option<Id<Resource>>,
}

/// Who is to launch next.
#[derive(Debug, Default)]
pub struct LaunchTurns {
    turns: Mutex<HashMap<Key, Arc<tokio::sync::Mutex<Turn>>>>,
}

/// What the launch before this one, of the same user for the same thing, came to.
#[derive(Debug, Default)]
pub(super) struct Turn {
    last: Option<Last>,
}

#[derive(Debug)]
struct Last {
    session: OwnSession,
    at: Instant,
    /// How many launches have led to it.
    launches: u32,
}

impl LaunchTurns {
    /// Waits until nobody else launches for this key. The caller bounds how long that may take: it is the
    /// time of another launch, which is bounded, too.
    pub(super) async fn wait(&self, key: Key) -> OwnedMutexGuard<Turn> {
        let turn = {
            let mut turns = lock(&self.turns);
            if turns.len() >= SWEEP_AT {
                // Those of the last seconds are left, and whoever launches has a place in the throttle.
                turns.retain(|_, turn| Arc::strong_count(turn) > 1 || !is_over(turn));
            }
            turns.entry(key).or_default().clone()
        };
        turn.lock_owned().await
    }

    /// Whether the seat of a launch whose client has gone may be given back: not if another launch has led to
    /// this session, or is about to. A seat that may is led to no more.
    pub(super) fn take_back(&self, key: Key, session: Id<Session>) -> bool {
        let Some(turn) = lock(&self.turns).get(&key).cloned() else { return true };
        let Ok(mut turn) = turn.try_lock() else { return false };
        let is_last = turn.last.as_ref().is_some_and(|last| last.session.id == session);
        let is_shared = is_last && turn.last.as_ref().is_some_and(|last| last.launches > 1);
        if is_last && !is_shared {
            turn.last = None;
        }
        !is_shared
    }
}

impl Turn {
    /// Where the last launch led. Its host may have reported it since, and its end.
    pub(super) fn last(&self) -> Option<OwnSession> {
        self.last.as_ref().map(|last| last.session.clone())
    }

    /// Whether the last launch was so short ago that its host may not have reported what came of it.
    pub(super) fn is_fresh(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.at.elapsed() < UNREPORTED)
    }

    /// A launch has led to this session.
    pub(super) fn led_to(&mut self, session: OwnSession) {
        match &mut self.last {
            Some(last) if last.session.id == session.id => {
                last.launches += 1;
                last.session.open.extend(session.open);
                last.session.prelaunched &= session.prelaunched;
                last.at = Instant::now();
            }
            last => *last = Some(Last { session, at: Instant::now(), launches: 1 }),
        }
    }
}

fn is_over(turn: &tokio::sync::Mutex<Turn>) -> bool {
    turn.try_lock().is_ok_and(|turn| turn.last.as_ref().is_none_or(|last| last.at.elapsed() >= REMEMBERED))
}

#[cfg(test)]
mod tests {
    use oriel_model::{Timestamp, session::SessionState};

    use super::*;

    fn session() -> OwnSession {
        let now = Timestamp::now();
        OwnSession {
            id: Id::generate(now),
            host: Id::generate(now),
            resource: None,
            open: Vec::new(),
            shared: false,
            desktop: false,
            prelaunched: false,
            client_address: None,
            state: SessionState::Prepared,
            started_at: now,
        }
    }

    #[tokio::test]
    async fn the_second_waits_for_the_first_and_finds_its_session() {
        let turns = Arc::new(LaunchTurns::default());
        let key = Key { user: Id::generate(Timestamp::now()), resource: None };
        let mut first = turns.wait(key).await;
        let made = session();
        let second = tokio::spawn({
            let turns = turns.clone();
            async move {
                let mut turn = turns.wait(key).await;
                let found = turn.last();
                turn.led_to(found.clone().expect("what the first made"));
                found
            }
        });
        // Another key need not wait.
        drop(turns.wait(Key { resource: Some(Id::generate(Timestamp::now())), ..key }).await);
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        assert!(!turns.take_back(key, made.id), "nobody knows yet");
        first.led_to(made.clone());
        drop(first);
        assert_eq!(second.await.expect("no panic"), Some(made.clone()));
        assert!(!turns.take_back(key, made.id), "two have it");
        assert!(turns.take_back(key, session().id));

        let mut third = turns.wait(key).await;
        let alone = session();
        third.led_to(alone.clone());
        drop(third);
        assert!(turns.take_back(key, alone.id));
        assert_eq!(turns.wait(key).await.last(), None, "nobody is led to a seat that was given back");
    }

    #[tokio::test]
    async fn turns_that_nobody_needs_are_forgotten() {
        let turns = LaunchTurns::default();
        let key = || Key { user: Id::generate(Timestamp::now()), resource: None };
        let _kept = turns.wait(key()).await;
        for _ in 0..3 * SWEEP_AT {
            drop(turns.wait(key()).await);
        }
        assert!(lock(&turns.turns).len() <= SWEEP_AT);
    }
}
