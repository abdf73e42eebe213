//! Waiting for a condition instead of sleeping.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// Longer than anything on loopback takes on a busy machine with two cores.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// How often a condition is looked at.
const INTERVAL: Duration = Duration::from_millis(20);

/// Waits until `condition` gives `Ok`, and returns what it gave. Panics with `what` and the last `Err`
/// after [`DEADLINE`].
#[track_caller]
pub fn until<T, E: fmt::Debug>(
    what: &str,
    condition: impl AsyncFnMut() -> Result<T, E>,
) -> impl Future<Output = T> {
    within(DEADLINE, what, condition)
}

/// As [`until`], with a deadline of its own.
#[track_caller]
pub fn within<T, E: fmt::Debug>(
    deadline: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> Result<T, E>,
) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let started = Instant::now();
        loop {
            let last = match condition().await {
                Ok(value) => return value,
                Err(error) => error,
            };
            assert!(
                started.elapsed() < deadline,
                "{caller}: not within {} s: {what}; last seen: {last:#?}",
                deadline.as_secs()
            );
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

/// `Ok` when `holds`, else `Err` with what was `seen`: for conditions of [`until`].
pub fn ensure<E>(holds: bool, seen: E) -> Result<(), E> {
    if holds { Ok(()) } else { Err(seen) }
}
