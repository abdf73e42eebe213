//! The log sent to a syslog server: RFC 5424 messages over TLS, framed by RFC 5425. The server proves who it is.
//!
//! TCP says that bytes have left, not that they have come. So an entry counts as sent only when its connection
//! stood for longer than TCP waits for a receipt; after an outage it goes on from there. An entry may come
//! twice, which its number shows, and none is left out.

use std::{
    collections::VecDeque,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use oriel_model::{Timestamp, farm::Syslog};
use oriel_net::{connect, supervise::ShutdownSignal, tls};
use oriel_store::{Entry, EntryQuery, Outcome, Start, StoreError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

use crate::{Broker, hosts::lock, http::problem};

/// How often it is looked for new entries.
const LOOK: Duration = Duration::from_millis(500);
/// How long until a server that failed is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// How long TCP waits for the receipt of what was sent until it gives the connection up.
const RECEIPT: Duration = Duration::from_secs(5);
/// How long a connection must stand after an entry was written for the entry to count as sent.
const HELD: Duration = Duration::from_secs(10);
/// How long the server may take nothing.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Entries read at a time: what is held in memory.
const BATCH: usize = 200;

/// Facility 13, log audit (RFC 5424, 6.2.1).
const FACILITY: u8 = 13;
const WARNING: u8 = 4;
const INFORMATIONAL: u8 = 6;
/// Names our structured data. The number is the one that RFC 5612 sets aside.
const SD_ID: &str = "oriel@32473";

/// What is remembered of sending.
const KEPT: &str = "syslog";

/// How sending goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SyslogState {
    /// The server: `host:port`.
    pub server: String,
    /// Since when the connection stands; none: there is none.
    pub connected_since: Option<Timestamp>,
    /// What went wrong last; none: the connection stands and holds.
    pub failure: Option<SyslogFailure>,
    /// How many entries wait to be sent, or to be sent again.
    pub waiting: u64,
    /// The last entry that counts as sent.
    pub sent: u64,
    /// How many entries were never sent: retention dropped them before.
    pub dropped: u64,
}

/// Why the log could not be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SyslogFailure {
    /// When.
    pub at: Timestamp,
    /// Why, as a sentence.
    pub why: String,
}

/// What the broker knows of sending while it does. Between brokers, and over a restart, only [`Sent`] is kept.
#[derive(Debug, Default)]
pub struct Sending {
    connected_since: Option<Timestamp>,
    failure: Option<SyslogFailure>,
    /// The last entry that was written to the connection that stands.
    written: Option<u64>,
}

/// What is remembered of sending.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Sent {
    /// To whom.
    address: String,
    /// The last entry that counts as sent.
    sent: u64,
    /// How many were dropped from the log before they were sent.
    dropped: u64,
}

/// How sending goes; none: there is no server.
///
/// # Errors
/// The store does not say.
pub async fn state(broker: &Broker) -> Result<Option<SyslogState>, StoreError> {
    let Some(server) = server(broker) else { return Ok(None) };
    let newest = newest(broker).await?;
    // Of another server, or none yet: what happens from now on is sent.
    let kept = kept(broker).await?.filter(|kept| kept.address == server.address);
    let Sent { sent, dropped, .. } = kept.unwrap_or(Sent { sent: newest, ..Sent::default() });
    let sending = lock(&broker.audit.sending);
    Ok(Some(SyslogState {
        server: server.address,
        connected_since: sending.connected_since,
        failure: sending.failure.clone(),
        waiting: newest.saturating_sub(sending.written.unwrap_or(sent)),
        sent,
        dropped,
    }))
}

/// Sends the log while a server is set, until the signal.
pub async fn run(broker: Arc<Broker>, signal: ShutdownSignal) {
    while !signal.is_given() {
        let server = server(&broker);
        let wait = match &server {
            None => {
                *lock(&broker.audit.sending) = Sending::default();
                LOOK
            }
            Some(server) => {
                let sent = tokio::select! {
                    () = signal.given() => return,
                    sent = send(&broker, server) => sent,
                };
                let failure = sent.as_ref().err();
                let failure =
                    failure.map(|error| SyslogFailure { at: broker.now(), why: problem::sentence(error) });
                // Without a failure it is another server's turn, or nobody's.
                *lock(&broker.audit.sending) = Sending { failure, ..Sending::default() };
                match sent {
                    Ok(()) => LOOK,
                    Err(error) => {
                        tracing::warn!(server = server.address, %error, "the log cannot be sent to the syslog server; trying again");
                        RETRY
                    }
                }
            }
        };
        tokio::select! {
            () = signal.given() => return,
            () = sleep(wait) => {}
        }
    }
}

fn server(broker: &Broker) -> Option<Syslog> {
    broker.farm.load().farm().audit.syslog.clone()
}

#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("{0}")]
    Server(#[from] io::Error),
    #[error("{0}")]
    Tls(String),
    #[error("the settings store does not answer: {0}")]
    Store(#[from] StoreError),
}

/// Sends to one server until it fails or the settings name another.
async fn send(broker: &Broker, server: &Syslog) -> Result<(), SendError> {
    let mut kept = position(broker, server).await?;
    let config = tls::authority_client(server.authority.as_deref()).map_err(SendError::Tls)?;
    let mut stream = connect::connect(&server.address, config).await?;
    connect::give_up_without_receipt(stream.get_ref().0, RECEIPT)?;
    tracing::info!(server = server.address, after = kept.sent, "the log is sent to the syslog server");
    let begun = Instant::now();
    lock(&broker.audit.sending).connected_since = Some(broker.now());
    // What was written and when, the oldest first: bounded by what is written in HELD.
    let mut written = VecDeque::new();
    let mut last = kept.sent;
    let mut nothing = [0; 64];
    while self::server(broker).as_ref() == Some(server) {
        let query = EntryQuery { limit: BATCH, ..EntryQuery::from(Start::After(last)) };
        let entries = broker.store.entries(query).await?;
        let before = kept.clone();
        if let (Some(oldest), Some(newest)) = (entries.first(), entries.last()) {
            let frames: String =
                entries.iter().map(|entry| framed(&message(entry, &broker.config.name))).collect();
            let write = async {
                stream.write_all(frames.as_bytes()).await?;
                stream.flush().await
            };
            timeout(WRITE_TIMEOUT, write).await.map_err(|_| late())??;
            // Numbers have no gaps but where the oldest entries went.
            let gap = oldest.number - last - 1;
            if gap > 0 {
                tracing::warn!(entries = gap, "entries of the log were dropped before they were sent");
                // They count once, also when the connection breaks before the next ones count as sent.
                (kept.dropped, kept.sent) = (kept.dropped + gap, oldest.number - 1);
            }
            last = newest.number;
            written.push_back((Instant::now(), last));
        }
        while let Some((at, number)) = written.front().copied()
            && at.elapsed() >= HELD
        {
            kept.sent = number;
            written.pop_front();
        }
        if kept != before {
            remember(broker, &kept).await?;
        }
        {
            let mut sending = lock(&broker.audit.sending);
            sending.written = Some(last);
            // A server that hangs up at once is none that works.
            if begun.elapsed() >= HELD {
                sending.failure = None;
            }
        }
        // Servers say nothing: what comes is the end.
        tokio::select! {
            read = stream.read(&mut nothing) => {
                if read? == 0 {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server has closed the connection").into());
                }
            }
            () = sleep(if entries.len() < BATCH { LOOK } else { Duration::ZERO }) => {}
        }
    }
    stream.shutdown().await?;
    Ok(())
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the server takes nothing")
}

/// Where to go on. A server that is new gets what happens from now on.
async fn position(broker: &Broker, server: &Syslog) -> Result<Sent, StoreError> {
    if let Some(kept) = kept(broker).await?.filter(|kept| kept.address == server.address) {
        return Ok(kept);
    }
    let fresh = Sent { address: server.address.clone(), sent: newest(broker).await?, dropped: 0 };
    remember(broker, &fresh).await?;
    Ok(fresh)
}

async fn newest(broker: &Broker) -> Result<u64, StoreError> {
    let newest = EntryQuery { limit: 1, ..EntryQuery::from(Start::Newest) };
    Ok(broker.store.entries(newest).await?.first().map_or(0, |entry| entry.number))
}

/// What is remembered; none: nothing that can be understood.
async fn kept(broker: &Broker) -> Result<Option<Sent>, StoreError> {
    Ok(broker.store.kept(KEPT).await?.and_then(|kept| serde_json::from_value(kept).ok()))
}

async fn remember(broker: &Broker, sent: &Sent) -> Result<(), StoreError> {
    let sent = serde_json::to_value(sent).expect("plain JSON");
    broker.store.keep(KEPT, sent).await
}

/// A message with its length before it (RFC 5425, 4.3).
fn framed(message: &str) -> String {
    format!("{} {message}", message.len())
}

/// An entry as a message (RFC 5424, 6). What a change said before and after is not sent: the number leads to it.
fn message(entry: &Entry, broker: &str) -> String {
    let severity = if entry.outcome == Outcome::Done { INFORMATIONAL } else { WARNING };
    let priority = FACILITY * 8 + severity;
    let host = printable(broker, 255);
    let at = time(entry.at);
    let mut data = format!("[{SD_ID}");
    let mut param = |name: &str, value: &str| data += &format!(" {name}=\"{}\"", escaped(value));
    param("number", &entry.number.to_string());
    param("hash", &entry.hash);
    param("outcome", entry.outcome.as_str());
    param("by", &entry.author.name);
    param("via", entry.author.via.as_str());
    if let Some(address) = entry.author.address {
        param("address", &address.to_string());
    }
    if let Some(change) = &entry.change {
        param("change", &change.sequence.to_string());
    }
    let mut body = json!({"subjects": entry.subjects});
    if !entry.details.is_empty() {
        body["details"] = json!(entry.details);
    }
    if let Some(change) = &entry.change {
        body["revision"] = json!(change.revision);
        body["secret"] = change.secret.clone().map_or(Value::Null, Value::String);
    }
    // The mark in front says that the text is UTF-8.
    format!("<{priority}>1 {at} {host} oriel - {} {data}] \u{feff}{body}", entry.code)
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Visible ASCII, or the sign for nothing.
fn printable(text: &str, max: usize) -> String {
    let text: String = text.chars().filter(char::is_ascii_graphic).take(max).collect();
    if text.is_empty() { "-".to_owned() } else { text }
}

/// RFC 5424, 6.3.3: three characters are escaped. Line ends are made visible for readers of lines.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' | ']' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
