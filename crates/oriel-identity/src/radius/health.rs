//! Which of two servers goes first: one that was dead a moment ago is not waited for by everybody again.

use std::time::{Duration, Instant};

/// How long a server that did not answer comes last. Short enough that a restarted one is soon the first
/// again, long enough that few people wait for a dead one: one in each such time.
const BACK_OFF: Duration = Duration::from_secs(60);

/// What is known of the servers, each by its place in the settings.
#[derive(Debug, Default)]
pub(super) struct Health {
    dead_until: [Option<Instant>; 2],
}

impl Health {
    /// The servers in the order in which to ask them. When the time of a dead one is over, one sign-in tries
    /// it, and the others go on passing it over until that one knows.
    pub fn order(&mut self, servers: usize, now: Instant) -> Vec<usize> {
        let mut order: Vec<_> = (0..servers).collect();
        order.sort_by_key(|server| self.is_dead(*server, now));
        if let [first, ..] = order[..]
            && let Some(dead_until) = &mut self.dead_until[first]
            && *dead_until <= now
        {
            *dead_until = now + BACK_OFF;
        }
        order
    }

    /// It answered.
    pub fn answered(&mut self, server: usize) {
        self.dead_until[server] = None;
    }

    /// It did not.
    pub fn failed(&mut self, server: usize, now: Instant) {
        self.dead_until[server] = Some(now + BACK_OFF);
    }

    fn is_dead(&self, server: usize, now: Instant) -> bool {
        self.dead_until[server].is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_server_comes_last_until_one_sign_in_has_found_it_alive() {
        let mut health = Health::default();
        let now = Instant::now();
        assert_eq!(health.order(2, now), [0, 1]);
        health.failed(0, now);
        assert_eq!(health.order(2, now), [1, 0]);
        let later = now + BACK_OFF;
        assert_eq!(health.order(2, later - Duration::from_millis(1)), [1, 0]);
        // One tries; the next do not wait for what comes of it.
        assert_eq!(health.order(2, later), [0, 1]);
        assert_eq!(health.order(2, later), [1, 0]);
        health.answered(0);
        assert_eq!(health.order(2, later), [0, 1]);
    }

    #[test]
    fn where_all_are_dead_the_order_is_that_of_the_settings() {
        let mut health = Health::default();
        let now = Instant::now();
        health.failed(1, now);
        health.failed(0, now);
        assert_eq!(health.order(2, now), [0, 1]);
        assert_eq!(health.order(1, now), [0]);
    }
}
