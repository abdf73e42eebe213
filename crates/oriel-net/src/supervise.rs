//! Long-lived tasks: each has a name, is told when to stop, and runs until then.
//!
//! A service starts its tasks in one [`Tasks`] group. A task that fails or panics is logged by
//! name and ends the group, unless it was started to be restarted. Stopping has a deadline and
//! reports who missed it.
//!
//! Deliberately absent: order between tasks. A service that must stop its parts one after the
//! other uses one group per part.

use std::{
    collections::BTreeMap,
    error::Error,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{task::AbortHandle, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::backoff::Backoff;

/// What a task fails with.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Gives the signal to stop. Clones give the same one.
#[derive(Debug, Clone, Default)]
pub struct ShutdownHandle(CancellationToken);

/// Waits for the signal to stop. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ShutdownSignal(CancellationToken);

impl ShutdownHandle {
    /// A signal that has not been given.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the signal. Giving it again does nothing.
    pub fn give(&self) {
        self.0.cancel();
    }

    /// The receiving end.
    pub fn signal(&self) -> ShutdownSignal {
        ShutdownSignal(self.0.clone())
    }
}

impl ShutdownSignal {
    /// Whether it is time to stop.
    pub fn is_given(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Returns when it is time to stop.
    pub async fn given(&self) {
        self.0.cancelled().await;
    }

    /// As [`ShutdownSignal::given`], for those who need a future that borrows nothing.
    pub fn into_given(self) -> impl Future<Output = ()> + Send + 'static {
        self.0.cancelled_owned()
    }

    /// A handle whose signal is given with this one, or earlier on its own.
    pub fn child(&self) -> ShutdownHandle {
        ShutdownHandle(self.0.child_token())
    }
}

/// Returns when the process is asked to stop: SIGTERM, or Ctrl+C. Says which.
///
/// # Errors
/// The handlers cannot be installed.
pub async fn asked_to_stop() -> std::io::Result<&'static str> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        Ok(tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        })
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map(|()| "Ctrl+C")
}

/// A group of tasks that live and end together. Clones are the same group.
#[derive(Clone)]
pub struct Tasks {
    inner: Arc<Inner>,
}

struct Inner {
    stop: ShutdownHandle,
    tracker: TaskTracker,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: BTreeMap<u64, (String, AbortHandle)>,
    next: u64,
    failure: Option<Failure>,
}

/// Why a group ended by itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{task} failed: {reason}")]
pub struct Failure {
    /// The task's name.
    pub task: String,
    /// What it failed with, in words.
    pub reason: String,
}

/// How a group stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// The failure that ended the group, if it was not asked to stop.
    pub failure: Option<Failure>,
    /// Tasks that had not stopped at the deadline and were cut off.
    pub late: Vec<String>,
}

impl Tasks {
    /// An empty group that stops when `signal` is given, or earlier on its own.
    pub fn new(signal: &ShutdownSignal) -> Self {
        let inner = Inner { stop: signal.child(), tracker: TaskTracker::new(), state: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Given when the group stops.
    pub fn signal(&self) -> ShutdownSignal {
        self.inner.stop.signal()
    }

    /// Runs a task. If it fails or panics, the group ends; returning `Ok` is no failure.
    pub fn spawn<F, T, E>(&self, name: impl Into<String>, run: F)
    where
        F: FnOnce(ShutdownSignal) -> T,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let (name, tasks) = (name.into(), self.clone());
        let run = run(self.signal());
        self.track(name.clone(), async move {
            if let Err(reason) = outcome(run).await {
                tasks.fail(name, reason);
            }
        });
    }

    /// Runs a task again and again until it returns `Ok`: after a failure or panic it is logged and
    /// started anew once `backoff` says so. A task that ran longer than the back-off's cap starts
    /// over with short delays.
    pub fn spawn_restarting<F, T, E>(&self, name: impl Into<String>, backoff: Backoff, run: F)
    where
        F: FnMut(ShutdownSignal) -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let (name, signal) = (name.into(), self.signal());
        self.track(name.clone(), restarting(name, backoff, run, signal));
    }

    /// Waits until the group is to stop: it was asked to, or a task failed.
    pub async fn ending(&self) {
        self.signal().given().await;
    }

    /// Tells all tasks to stop and waits for them, at most for `deadline`. Those that are still
    /// there then are cut off and named.
    pub async fn shutdown(&self, deadline: Duration) -> Stopped {
        self.inner.stop.give();
        self.inner.tracker.close();
        let mut late = Vec::new();
        if tokio::time::timeout(deadline, self.inner.tracker.wait()).await.is_err() {
            for (name, task) in std::mem::take(&mut self.state().running).into_values() {
                task.abort();
                tracing::warn!(task = name, "did not stop in time and was cut off");
                late.push(name);
            }
        }
        Stopped { failure: self.state().failure.clone(), late }
    }

    /// The names of the tasks that run now.
    pub fn running(&self) -> Vec<String> {
        self.state().running.values().map(|(name, _)| name.clone()).collect()
    }

    fn track(&self, name: String, task: impl Future<Output = ()> + Send + 'static) {
        // Holding the lock makes the task wait with its removal until it was entered.
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        let tasks = self.clone();
        let handle = self.inner.tracker.spawn(async move {
            task.await;
            tasks.state().running.remove(&number);
        });
        state.running.insert(number, (name, handle.abort_handle()));
    }

    fn fail(&self, task: String, reason: String) {
        tracing::error!(task, reason, "a task failed; stopping what depends on it");
        self.state().failure.get_or_insert(Failure { task, reason });
        self.inner.stop.give();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held; the state is whole in any case.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn restarting<F, T, E>(name: String, mut backoff: Backoff, mut run: F, signal: ShutdownSignal)
where
    F: FnMut(ShutdownSignal) -> T,
    T: Future<Output = Result<(), E>>,
    E: Into<BoxError>,
{
    loop {
        let started = Instant::now();
        let Err(reason) = outcome(run(signal.clone())).await else { return };
        if signal.is_given() {
            return;
        }
        if started.elapsed() > backoff.cap() {
            backoff.reset();
        }
        let delay = backoff.next_delay();
        tracing::warn!(
            task = name,
            reason,
            retry_secs = delay.as_secs_f32(),
            "a task failed; starting it again"
        );
        tokio::select! {
            () = signal.given() => return,
            () = tokio::time::sleep(delay) => {}
        }
    }
}

/// Runs the task to its end and puts an error or a panic into words.
async fn outcome<E: Into<BoxError>>(run: impl Future<Output = Result<(), E>>) -> Result<(), String> {
    // Unwind safety: nothing of the task is looked at after a panic.
    match AssertUnwindSafe(run).catch_unwind().await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(in_words(&*error.into())),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            Err(format!("panic: {}", text.unwrap_or("no message")))
        }
    }
}

/// An error with its causes, as one line.
fn in_words(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += ": ";
        text += &cause.to_string();
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::atomic::{AtomicU32, Ordering},
    };

    use super::*;

    fn group() -> (ShutdownHandle, Tasks) {
        let handle = ShutdownHandle::new();
        let tasks = Tasks::new(&handle.signal());
        (handle, tasks)
    }

    async fn until_told(signal: ShutdownSignal) -> io::Result<()> {
        signal.given().await;
        Ok(())
    }

    #[tokio::test]
    async fn a_group_stops_when_told() {
        let (handle, tasks) = group();
        tasks.spawn("one", until_told);
        tasks.spawn("two", until_told);
        assert_eq!(tasks.running(), ["one", "two"]);
        handle.give();
        tasks.ending().await;
        let stopped = tasks.shutdown(Duration::from_secs(5)).await;
        assert_eq!(stopped, Stopped { failure: None, late: vec![] });
        assert!(tasks.running().is_empty());
    }

    #[tokio::test]
    async fn an_error_or_a_panic_ends_the_group_with_its_name() {
        for panics in [false, true] {
            let (handle, tasks) = group();
            tasks.spawn("other", until_told);
            tasks.spawn("culprit", move |_| async move {
                assert!(!panics, "on purpose");
                Err(io::Error::other("on purpose"))
            });
            tasks.ending().await;
            assert!(!handle.signal().is_given(), "only the group ends, not its surroundings");
            let failure = tasks.shutdown(Duration::from_secs(5)).await.failure.unwrap();
            assert_eq!(failure.task, "culprit");
            assert!(failure.reason.ends_with("on purpose"), "{failure}");
        }
    }

    #[tokio::test]
    async fn tasks_that_do_not_stop_are_named() {
        let (_handle, tasks) = group();
        tasks.spawn("good", until_told);
        tasks.spawn("stuck", |_| std::future::pending::<io::Result<()>>());
        let stopped = tasks.shutdown(Duration::from_millis(200)).await;
        assert_eq!(stopped.late, ["stuck"]);
    }

    #[tokio::test]
    async fn a_restarting_task_comes_back_and_does_not_end_the_group() {
        let (_handle, tasks) = group();
        let runs = Arc::new(AtomicU32::new(0));
        let counted = runs.clone();
        let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(4));
        tasks.spawn_restarting("phoenix", backoff, move |signal| {
            let run = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                match run {
                    0 => Err(io::Error::other("first")),
                    1 => panic!("second"),
                    2 => Ok(()),
                    _ => until_told(signal).await,
                }
            }
        });
        let ended = async {
            while !tasks.running().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), ended).await.expect("the task returns Ok");
        assert_eq!(runs.load(Ordering::SeqCst), 3);
        assert!(!tasks.signal().is_given());
    }
}
