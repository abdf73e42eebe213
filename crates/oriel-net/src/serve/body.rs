//! Bodies of requests that are answered before they were read. An HTTP/1 connection on which a body is left
//! unread is closed, and a client that is still sending then sees the line cut instead of the answer. So the
//! rest is read first, as far as that is reasonable.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::timeout;

/// The most that is read of a body for nothing, in bytes: sixty times what the farm takes. Whoever sends more
/// is not somebody who wants to read an answer.
pub const REST_MAX: usize = 16 * 1024 * 1024;

/// How long that may take: the request's answer waits for it.
pub const REST_TIMEOUT: Duration = Duration::from_secs(5);

/// A request's body as services get it.
#[derive(Debug)]
pub struct RequestBody {
    shared: Arc<Mutex<Shared>>,
}

/// What is left of a body when its service has answered.
pub(super) struct Rest {
    shared: Arc<Mutex<Shared>>,
    /// The client waits for a word before it sends (RFC 9110, 10.1.1): the answer is that word.
    is_expecting: bool,
}

#[derive(Debug)]
struct Shared {
    body: Incoming,
    is_begun: bool,
}

/// Splits what comes later off a request.
pub(super) fn keep_rest(request: Request<Incoming>) -> (Request<RequestBody>, Rest) {
    let is_expecting = request.headers().contains_key(header::EXPECT);
    let (parts, body) = request.into_parts();
    let shared = Arc::new(Mutex::new(Shared { body, is_begun: false }));
    let rest = Rest { shared: shared.clone(), is_expecting };
    (Request::from_parts(parts, RequestBody { shared }), rest)
}

impl Rest {
    /// Reads it, for nothing.
    pub(super) async fn drain(self) {
        // Whoever still has the body may still read it.
        let Some(shared) = Arc::into_inner(self.shared) else { return };
        let Shared { mut body, is_begun } = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        if body.is_end_stream() || (self.is_expecting && !is_begun) {
            return;
        }
        let reading = async {
            let mut left = REST_MAX;
            while let Some(Ok(frame)) = body.frame().await {
                match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                    Some(less) => left = less,
                    None => return,
                }
            }
        };
        // In time or not, there is nothing more to do.
        let _ = timeout(REST_TIMEOUT, reading).await;
    }
}

impl RequestBody {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut shared = self.lock();
        shared.is_begun = true;
        Pin::new(&mut shared.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.lock().body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.lock().body.size_hint()
    }
}
