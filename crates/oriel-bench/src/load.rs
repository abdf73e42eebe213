//! A closed loop: so many workers, each of which asks again as soon as it has its answer. What one
//! waits for is then the time that a user waits, and the rate is what the other side manages.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::stats::Times;

/// How a loop went.
pub struct Outcome {
    /// How long each took.
    pub times: Times,
    /// From the first question to the last answer.
    pub wall: Duration,
}

impl Outcome {
    /// Answers per second.
    pub fn per_second(&self) -> f64 {
        self.times.count() as f64 / self.wall.as_secs_f64()
    }

    /// For the table.
    pub fn words(&self) -> String {
        let (p50, p99) = (self.times.percentile_ms(50.0), self.times.percentile_ms(99.0));
        format!("{:.0} per second, p50 {p50:.1} ms, p99 {p99:.1} ms", self.per_second())
    }
}

/// Does `work` for 0 to `count` with `workers` at the same time. The first failure ends it.
pub async fn closed_loop<F, R>(workers: usize, count: usize, work: F) -> anyhow::Result<Outcome>
where
    F: Fn(usize) -> R + Send + Sync + 'static,
    R: Future<Output = anyhow::Result<()>> + Send,
{
    let (next, work) = (Arc::new(AtomicUsize::new(0)), Arc::new(work));
    let started = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..workers.max(1) {
        let (next, work) = (next.clone(), work.clone());
        running.spawn(async move {
            let mut times = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return anyhow::Ok(times);
                }
                let asked = Instant::now();
                work(number).await?;
                times.push(asked.elapsed());
            }
        });
    }
    let mut times = Vec::with_capacity(count);
    while let Some(ended) = running.join_next().await {
        times.extend(ended??);
    }
    Ok(Outcome { times: Times::new(times), wall: started.elapsed() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everything_is_done_once_and_a_failure_is_told() {
        let done = Arc::new(AtomicUsize::new(0));
        let counter = done.clone();
        let outcome = closed_loop(3, 10, move |number| {
            let counter = counter.clone();
            async move {
                counter.fetch_add(number, Ordering::Relaxed);
                Ok(())
            }
        });
        assert_eq!((outcome.await.unwrap().times.count(), done.load(Ordering::Relaxed)), (10, 45));
        let failed = closed_loop(2, 10, |number| async move {
            anyhow::ensure!(number != 4, "the fifth failed");
            Ok(())
        });
        assert_eq!(failed.await.err().unwrap().to_string(), "the fifth failed");
    }
}
