//! How busy the machine's processors are, from `/proc/stat`.

/// Remembers the counters of the last look.
#[derive(Default)]
pub(crate) struct Processor {
    busy: u64,
    all: u64,
}

impl Processor {
    /// The share of all processors' time that was used since the last look: 0 to 1. Zero where the
    /// system does not tell.
    pub(crate) fn load(&mut self) -> f32 {
        let Some((busy, all)) = std::fs::read_to_string("/proc/stat").ok().as_deref().and_then(counters)
        else {
            return 0.0;
        };
        let (used, passed) = (busy.saturating_sub(self.busy), all.saturating_sub(self.all));
        (self.busy, self.all) = (busy, all);
        if passed == 0 { 0.0 } else { (used as f64 / passed as f64) as f32 }
    }
}

/// Busy and all ticks since the machine's start: proc(5), the line `cpu`.
fn counters(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    // Guest time, the ninth and tenth, is in the first two already.
    let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|n| n.parse().ok()).collect();
    let [_, _, _, idle, waiting, ..] = ticks[..] else { return None };
    let all: u64 = ticks.iter().sum();
    Some((all - idle - waiting, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_time_is_not_busy() {
        let stat = "cpu  10 1 20 60 5 1 2 1 7 7\ncpu0 1 2 3 4\n";
        assert_eq!(counters(stat), Some((35, 100)));
        for bad in ["", "cpu", "cpu  1 2", "intr 1"] {
            assert_eq!(counters(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_load_is_a_share() {
        let mut processor = Processor::default();
        for _ in 0..3 {
            assert!((0.0..=1.0).contains(&processor.load()));
        }
    }
}
