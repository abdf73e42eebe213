//! How much may pass from a session to its user's device where a policy says so: a bucket of tokens, one for
//! each byte, that fills at the allowed rate.
//!
//! What is one too many is never held here: while the bucket is empty nothing more is read from the host,
//! which then waits as it does for a slow network.

use std::time::Duration;

use tokio::time::Instant;

/// How much may come at once after a pause, as time: a quarter of a second is no longer than a page takes to
/// show, and long enough for a key's echo to find the bucket full.
const BURST: Duration = Duration::from_millis(250);

/// The bucket of one connection.
#[derive(Debug)]
pub(super) struct Pace {
    /// None: no limit.
    bucket: Option<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    bytes_per_second: f64,
    /// What may pass; below zero after a message that was longer.
    tokens: f64,
    filled_at: Instant,
}

impl Pace {
    pub(super) fn new(max_kbits: Option<u32>, now: Instant) -> Self {
        let bucket = max_kbits.map(|kbits| {
            let bytes_per_second = f64::from(kbits) * 1_000.0 / 8.0;
            Bucket { bytes_per_second, tokens: bytes_per_second * BURST.as_secs_f64(), filled_at: now }
        });
        Self { bucket }
    }

    /// How many bytes may be taken up now; a message that has begun is finished.
    pub(super) fn room(&mut self, now: Instant) -> usize {
        let Some(bucket) = &mut self.bucket else { return usize::MAX };
        bucket.fill(now);
        // Below one is nothing, and no bucket holds as much as an address space.
        bucket.tokens.max(0.0) as usize
    }

    /// Bytes have passed.
    pub(super) fn spend(&mut self, bytes: usize) {
        if let Some(bucket) = &mut self.bucket {
            bucket.tokens -= bytes as f64;
        }
    }

    /// When there will be room again; none: there is.
    pub(super) fn opens_at(&mut self, now: Instant) -> Option<Instant> {
        let bucket = self.bucket.as_mut()?;
        bucket.fill(now);
        let missing = 1.0 - bucket.tokens;
        (missing > 0.0).then(|| now + Duration::from_secs_f64(missing / bucket.bytes_per_second))
    }
}

impl Bucket {
    fn fill(&mut self, now: Instant) {
        let gained = now.saturating_duration_since(self.filled_at).as_secs_f64() * self.bytes_per_second;
        self.tokens = (self.tokens + gained).min(self.bytes_per_second * BURST.as_secs_f64());
        self.filled_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn over_any_time_no_more_passes_than_the_rate_and_one_burst() {
        let start = Instant::now();
        // 800 kbit/s are 100,000 bytes a second.
        let mut pace = Pace::new(Some(800), start);
        let mut now = start;
        let mut passed = 0;
        for step in 0..1_000_usize {
            let room = pace.room(now);
            // As the relay does: a message that has begun is finished.
            let message = 1 + step * 7_919 % 16_000;
            if room > 0 {
                pace.spend(message);
                passed += message;
            }
            let allowed = 100_000.0 * (now - start).as_secs_f64() + 25_000.0 + 16_000.0;
            assert!((passed as f64) <= allowed, "{passed} of {allowed} at step {step}");
            now = pace.opens_at(now).unwrap_or(now);
        }
        let least = 100_000.0 * (now - start).as_secs_f64() - 16_000.0;
        assert!((passed as f64) >= least, "{passed}, where {least} could have passed");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_worth_one_burst_and_no_limit_is_none() {
        let start = Instant::now();
        let mut pace = Pace::new(Some(800), start);
        pace.spend(25_000);
        assert_eq!(pace.room(start), 0);
        assert!(pace.opens_at(start).is_some());
        let later = start + Duration::from_secs(3_600);
        assert_eq!(pace.room(later), 25_000);
        let mut free = Pace::new(None, start);
        free.spend(usize::MAX / 2);
        assert_eq!((free.room(start), free.opens_at(start)), (usize::MAX, None));
    }
}
