//! Waiting before trying again: twice as long after each failure, up to a cap, with jitter so that
//! a thousand agents do not come back in the same second.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

/// The delays before successive attempts. Not a timer: the caller sleeps.
#[derive(Debug, Clone)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    /// The first delay is about `base`; none is longer than `cap`.
    pub fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap, failures: 0 }
    }

    /// The longest delay.
    pub fn cap(&self) -> Duration {
        self.cap
    }

    /// Counts a failure and says how long to wait now: between half of the step and all of it.
    pub fn next_delay(&mut self) -> Duration {
        let step = step(self.base, self.cap, self.failures);
        self.failures = self.failures.saturating_add(1);
        jittered(step, random())
    }

    /// Failures since the last [`Backoff::reset`].
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// After a success the next delay is short again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

impl Default for Backoff {
    /// From half a second, so that a restart of the peer is hardly noticed, to half a minute, so
    /// that a component is back soon after a long outage ends.
    fn default() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(30))
    }
}

fn step(base: Duration, cap: Duration, failures: u32) -> Duration {
    let factor = 1u32.checked_shl(failures).unwrap_or(u32::MAX);
    base.checked_mul(factor).map_or(cap, |step| step.min(cap))
}

/// Half of `step`, and of the other half as much as `random` says.
fn jittered(step: Duration, random: u32) -> Duration {
    let half = step / 2;
    half + half.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

fn random() -> u32 {
    let mut bytes = [0; 4];
    // Without random numbers there is no jitter, which is a nuisance and no danger.
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => u32::from_ne_bytes(bytes),
        Err(_) => u32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_double_up_to_the_cap() {
        let (base, cap) = (Duration::from_secs(1), Duration::from_secs(30));
        let steps: Vec<_> = (0..7).map(|n| step(base, cap, n).as_secs()).collect();
        assert_eq!(steps, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(step(base, cap, u32::MAX), cap);
    }

    #[test]
    fn jitter_stays_between_half_and_all() {
        let step = Duration::from_secs(8);
        assert_eq!(jittered(step, 0), Duration::from_secs(4));
        assert_eq!(jittered(step, u32::MAX), step);
        let mut backoff = Backoff::new(step, step);
        for _ in 0..100 {
            let delay = backoff.next_delay();
            assert!(delay >= step / 2 && delay <= step, "{delay:?}");
        }
        assert_eq!(backoff.failures(), 100);
        backoff.reset();
        assert_eq!(backoff.failures(), 0);
    }
}
