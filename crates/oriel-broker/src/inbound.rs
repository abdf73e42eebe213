//! What agents and gateways send on the streams that they hold: the first message, then one after the other
//! until the end.

use std::time::Duration;

use oriel_wire::failure::innermost;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

/// How long a new stream may take to say who it is: it has all that at hand.
const HELLO_DEADLINE: Duration = Duration::from_secs(10);

/// The first message of a new stream, as far as `hello` takes it for one.
pub(crate) async fn first<M, H>(
    inbound: &mut Streaming<M>,
    hello: impl FnOnce(M) -> Option<H>,
) -> Result<H, Status> {
    let first = timeout(HELLO_DEADLINE, inbound.message())
        .await
        .map_err(|_| Status::deadline_exceeded("the first message did not come in time"))??;
    first.and_then(hello).ok_or_else(|| Status::invalid_argument("the first message must be a hello"))
}

/// Gives every message to `take` until the peer goes, is silent for too long, or is ended here. Says why.
pub(crate) async fn read<M>(
    mut inbound: Streaming<M>,
    end: CancellationToken,
    silence_max: Duration,
    mut take: impl FnMut(M),
) -> String {
    loop {
        let message = tokio::select! {
            () = end.cancelled() => return "it was closed here".to_owned(),
            message = timeout(silence_max, inbound.message()) => message,
        };
        match message {
            Err(_) => return format!("it was silent for {} seconds", silence_max.as_secs()),
            Ok(Err(status)) => return innermost(&status),
            Ok(Ok(None)) => return "it was closed there".to_owned(),
            Ok(Ok(Some(message))) => take(message),
        }
    }
}
