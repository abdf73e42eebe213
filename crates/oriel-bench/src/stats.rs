//! Percentiles of measured times.

use std::time::Duration;

/// Times in ascending order.
pub struct Times(Vec<Duration>);

impl Times {
    /// Sorts them.
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest time that `percent` of all do not exceed, in milliseconds; 0 of none.
    pub fn percentile_ms(&self, percent: f64) -> f64 {
        let rank = (percent / 100.0 * self.0.len() as f64).ceil() as usize;
        self.0.get(rank.max(1) - 1).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }
}

/// The middle of some figures; of an even number, the lower one of the two. 0 of none.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times = Times::new((1..=100).rev().map(Duration::from_millis).collect());
        assert_eq!((times.percentile_ms(50.0), times.percentile_ms(99.0)), (50.0, 99.0));
        assert_eq!((times.percentile_ms(0.0), times.percentile_ms(100.0)), (1.0, 100.0));
        assert_eq!(Times::new(Vec::new()).percentile_ms(50.0), 0.0);
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[1.0, 2.0]), median(&[])), (2.0, 1.0, 0.0));
    }
}
