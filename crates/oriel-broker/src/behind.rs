//! Writing behind: what happens is kept in memory first, so that nobody waits for the store.

use std::time::Duration;

use oriel_net::supervise::ShutdownSignal;
use tokio::sync::Notify;

/// How long writing waits after a failure.
const RETRY: Duration = Duration::from_secs(5);

/// Writes what waits whenever `written_to` tells of more, until the signal; then once more. `write` answers
/// whether all was written; if not, it is called again after a while.
pub(crate) async fn write_behind<F: Future<Output = bool>>(
    written_to: &Notify,
    signal: ShutdownSignal,
    write: impl Fn() -> F,
) {
    loop {
        let is_last = signal.is_given();
        let all_written = write().await;
        if is_last {
            return;
        }
        tokio::select! {
            () = signal.given() => {}
            () = written_to.notified(), if all_written => {}
            () = tokio::time::sleep(RETRY), if !all_written => {}
        }
    }
}
