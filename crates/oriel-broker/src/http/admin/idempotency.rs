//! `Idempotency-Key`: who does not know whether a request was carried out sends it again with the same
//! key, and gets the answer of the first. A second one that comes while the first runs waits for it.
//!
//! Kept in memory, per caller and within bounds, and sealed in the store for the broker after a restart. An
//! answer that is too large for the store lasts as long as the process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION},
    request::Parts,
};
use jiff::SignedDuration;
use oriel_model::{Id, Timestamp};
use oriel_store::{ANSWER_BYTES_MAX, KeptAnswer};
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use super::caller;
use crate::{Broker, app::administrators::Source, hosts::lock, http::ApiError};

/// The header with the key.
pub const HEADER: &str = "idempotency-key";
/// Longest key, in characters: a UUID fits several times.
pub const KEY_MAX: usize = 255;
/// Says that an answer is that of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// How long answers are kept: a script that failed in the evening is run again in the morning.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Keys of one caller at most; the oldest goes first. More than a script sends in a day of work.
const KEYS_MAX: usize = 1_000;
/// Bytes of answers kept for one caller at most; the oldest go first.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// Largest body that is read to be compared, in bytes. What a route takes at most is its own matter.
const BODY_MAX: usize = 64 * 1024 * 1024;
/// What is kept of an answer's headers.
const HEADERS: [HeaderName; 4] = [CONTENT_TYPE, ETAG, LOCATION, CACHE_CONTROL];

/// Answers of the last day, by caller and key.
pub struct Once {
    broker: Arc<Broker>,
    callers: Mutex<HashMap<Id<Value>, Vec<Entry>>>,
}

/// One key of one caller; the oldest first.
struct Entry {
    key: String,
    request: Fingerprint,
    at: Timestamp,
    answer: Slot,
}

/// Locked while the first request runs.
type Slot = Arc<tokio::sync::Mutex<Option<Kept>>>;
type Fingerprint = [u8; 32];

/// An answer as it is given again.
#[derive(Clone)]
struct Kept {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// What the store knows of a key.
enum Earlier {
    /// Nothing.
    Nothing,
    /// The answer to this request.
    Answer(Kept),
    /// An answer to another request.
    ToAnother,
}

/// An answer as it lies in the store, sealed.
#[derive(Serialize, Deserialize)]
struct Stored {
    request: Fingerprint,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Stored {
    /// None: it is not text, as all answers are.
    fn of(request: Fingerprint, answer: &Kept) -> Option<Self> {
        let headers = answer.headers.iter();
        let headers = headers.map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        Some(Self {
            request,
            status: answer.status.as_u16(),
            headers: headers.collect::<Option<_>>()?,
            body: String::from_utf8(answer.body.to_vec()).ok()?,
        })
    }

    fn read(&self) -> Option<Kept> {
        let header = |(name, value): &(String, String)| Some((name.parse().ok()?, value.parse().ok()?));
        Some(Kept {
            status: StatusCode::from_u16(self.status).ok()?,
            headers: self.headers.iter().map(header).collect::<Option<HeaderMap>>()?,
            body: self.body.clone().into(),
        })
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.body.zeroize();
    }
}

impl Once {
    /// Nothing was asked yet.
    pub fn new(broker: Arc<Broker>) -> Self {
        Self { broker, callers: Mutex::default() }
    }

    /// What an earlier process answered.
    async fn earlier(&self, caller: Id<Value>, key: &str, request: Fingerprint) -> Earlier {
        let kept = match self.broker.store.answer(caller, key).await {
            Ok(Some(kept)) => kept,
            Ok(None) => return Earlier::Nothing,
            Err(error) => {
                tracing::warn!(%error, "an earlier answer cannot be read; the request is carried out");
                return Earlier::Nothing;
            }
        };
        let is_expired = self.broker.now().duration_since(kept.at).unsigned_abs() >= KEPT;
        match serde_json::from_slice::<Stored>(&kept.bytes).ok().filter(|_| !is_expired) {
            Some(stored) if stored.request == request => {
                stored.read().map_or(Earlier::Nothing, Earlier::Answer)
            }
            Some(_) => Earlier::ToAnother,
            None => Earlier::Nothing,
        }
    }

    /// Keeps an answer for a later process.
    async fn keep(&self, caller: Id<Value>, key: &str, request: Fingerprint, answer: &Kept) {
        let Some(stored) = Stored::of(request, answer) else { return };
        let bytes = Zeroizing::new(serde_json::to_vec(&stored).expect("plain JSON"));
        if bytes.len() > ANSWER_BYTES_MAX {
            return;
        }
        let (now, kept) = (self.broker.now(), SignedDuration::from_secs(KEPT.as_secs().cast_signed()));
        let answer = KeptAnswer { caller, key: key.to_owned(), at: now, bytes };
        if let Err(error) = self.broker.store.keep_answer(answer, now - kept).await {
            tracing::warn!(%error, "an answer could not be kept for a repeated request");
        }
    }

    /// Forgets a key in memory.
    fn forget(&self, caller: Id<Value>, key: &str) {
        if let Some(entries) = lock(&self.callers).get_mut(&caller) {
            entries.retain(|entry| entry.key != key);
        }
    }

    /// The slot of a key; none when it was used for another request.
    fn slot(&self, caller: Id<Value>, key: &str, request: Fingerprint) -> Option<Slot> {
        let now = self.broker.now();
        let mut callers = lock(&self.callers);
        callers.retain(|_, entries| {
            entries.retain(|entry| now.duration_since(entry.at).unsigned_abs() < KEPT);
            !entries.is_empty()
        });
        let entries = callers.entry(caller).or_default();
        if let Some(entry) = entries.iter().find(|entry| entry.key == key) {
            return (entry.request == request).then(|| entry.answer.clone());
        }
        make_room(entries);
        let answer = Slot::default();
        entries.push(Entry { key: key.to_owned(), request, at: now, answer: answer.clone() });
        Some(answer)
    }
}

/// Forgets the oldest, but none that runs.
fn make_room(entries: &mut Vec<Entry>) {
    let size = |entry: &Entry| {
        entry.answer.try_lock().map_or(0, |kept| kept.as_ref().map_or(0, |kept| kept.body.len()))
    };
    let mut bytes: usize = entries.iter().map(size).sum();
    while entries.len() >= KEYS_MAX || bytes > BYTES_MAX {
        let Some(oldest) = entries.iter().position(|entry| entry.answer.try_lock().is_ok()) else { return };
        bytes = bytes.saturating_sub(size(&entries.remove(oldest)));
    }
}

/// Whose keys they are: a token's, or a user's over all sign-ins.
fn owner(source: Source) -> Option<Id<Value>> {
    match source {
        Source::Token(token) => Some(token.cast()),
        Source::SignIn { user, .. } => Some(user.cast()),
        Source::System => None,
    }
}

/// Lets a POST with a key through once.
pub async fn only_once(State(once): State<Arc<Once>>, request: Request, next: Next) -> Response {
    let Some(key) = request.headers().get(HEADER).filter(|_| request.method() == Method::POST) else {
        return next.run(request).await;
    };
    let key = match key.to_str() {
        Ok(key) if (1..=KEY_MAX).contains(&key.len()) => key.to_owned(),
        _ => {
            let message = format!("The header Idempotency-Key must have 1 to {KEY_MAX} plain characters.");
            return ApiError::bad_request(message).into_response();
        }
    };
    // Who may not call at all is refused by the handler, and takes no memory.
    let (parts, body) = request.into_parts();
    let known = caller::of_request(&parts, &once.broker).ok().flatten();
    let Some(caller) = known.and_then(|caller| owner(caller.source)) else {
        return next.run(Request::from_parts(parts, body)).await;
    };
    let Ok(body) = to_bytes(body, BODY_MAX).await else {
        let message = "What was sent is too large, or did not arrive whole.";
        return ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message).into_response();
    };
    let print = fingerprint(&parts, &body);
    let Some(slot) = once.slot(caller, &key, print) else { return reused() };
    // A task of its own: what was begun is finished and remembered even when the caller goes away.
    let request = Request::from_parts(parts, Body::from(body));
    let answered = tokio::spawn(async move {
        let mut kept = slot.lock().await;
        if let Some(kept) = &*kept {
            return kept.again();
        }
        match once.earlier(caller, &key, print).await {
            Earlier::Answer(answer) => kept.insert(answer).again(),
            Earlier::ToAnother => {
                once.forget(caller, &key);
                reused()
            }
            Earlier::Nothing => {
                let (response, answer) = taken(next.run(request).await).await;
                if let Some(answer) = &answer {
                    once.keep(caller, &key, print, answer).await;
                }
                *kept = answer;
                response
            }
        }
    });
    answered.await.unwrap_or_else(|error| ApiError::internal(error).into_response())
}

fn reused() -> Response {
    let message = "The key in the header Idempotency-Key was used for another request.";
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", message)
        .advice("Take a new key for a new request.")
        .into_response()
}

/// Reads an answer; what it is kept as, if it is one that says what became of the request.
async fn taken(response: Response) -> (Response, Option<Kept>) {
    let (parts, body) = response.into_parts();
    let body = match to_bytes(body, usize::MAX).await {
        Ok(body) => body,
        Err(error) => return (ApiError::internal(error).into_response(), None),
    };
    let status = parts.status;
    // Nothing was done: the next try may go better.
    let is_final = !status.is_server_error()
        && !matches!(
            status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
        );
    let kept = is_final.then(|| {
        let headers =
            HEADERS.into_iter().filter_map(|name| Some((name.clone(), parts.headers.get(name)?.clone())));
        Kept { status, headers: headers.collect(), body: body.clone() }
    });
    (Response::from_parts(parts, Body::from(body)), kept)
}

impl Kept {
    fn again(&self) -> Response {
        let mut response = (self.status, self.headers.clone(), self.body.clone()).into_response();
        if !self.headers.contains_key(CONTENT_TYPE) {
            response.headers_mut().remove(CONTENT_TYPE);
        }
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        response
    }
}

/// What makes two requests the same: where they go and what they carry.
fn fingerprint(parts: &Parts, body: &[u8]) -> Fingerprint {
    let mut context = digest::Context::new(&digest::SHA256);
    let kind = parts.headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    for part in [parts.uri.to_string().as_bytes(), kind] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.update(body);
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(context.finish().as_ref());
    fingerprint
}
