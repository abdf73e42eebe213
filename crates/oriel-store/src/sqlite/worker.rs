//! A thread that owns a connection and does one thing after the other.

use std::{io, thread::JoinHandle, time::Duration};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::StoreError;

/// Requests that wait in line at most: a second's work of a slow disk, about what is worth waiting for.
const LINE_MAX: usize = 256;
/// How long a caller waits for a place in the line. As long as a person waits without wondering.
const PLACE_WAIT: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

pub(super) struct Worker {
    // None only while dropping.
    line: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start(name: &str, mut connection: Connection) -> io::Result<Self> {
        let (line, mut jobs) = mpsc::channel::<Job>(LINE_MAX);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            while let Some(job) = jobs.blocking_recv() {
                job(&mut connection);
            }
        })?;
        Ok(Self { line: Some(line), thread: Some(thread) })
    }

    /// Has `job` done and waits for its answer. Once in line it is done even if nobody waits any more.
    pub(super) async fn run<T, E>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // The caller may have gone.
            let _ = answer.send(job(connection));
        });
        let stopped =
            || StoreError::Unavailable { reason: "the thread that serves it has stopped".to_owned() };
        let line = self.line.as_ref().expect("there until dropped");
        line.send_timeout(job, PLACE_WAIT).await.map_err(|error| match error {
            mpsc::error::SendTimeoutError::Timeout(_) => StoreError::Busy,
            mpsc::error::SendTimeoutError::Closed(_) => stopped(),
        })?;
        answered.await.map_err(|_| stopped())?
    }
}

impl Drop for Worker {
    /// Finishes what is in line, so that the file is closed when this returns.
    fn drop(&mut self) {
        drop(self.line.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a thread of the settings store had panicked");
        }
    }
}
