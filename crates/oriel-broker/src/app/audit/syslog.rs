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
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

use crate::Broker;

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

/// Sends the log while a server is set, until the signal.
pub async fn run(broker: Arc<Broker>, signal: ShutdownSignal) {
    while !signal.is_given() {
        let server = server(&broker);
        let wait = match &server {
            None => LOOK,
            Some(server) => {
                let sent = tokio::select! {
                    () = signal.given() => return,
                    sent = send(&broker, server) => sent,
                };
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
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Sends to one server until it fails or the settings name another.
async fn send(broker: &Broker, server: &Syslog) -> Result<(), SendError> {
    let mut sent = position(broker, server).await?;
    let config = tls::authority_client(server.authority.as_deref()).map_err(SendError::Tls)?;
    let mut stream = connect::connect(&server.address, config).await?;
    connect::give_up_without_receipt(stream.get_ref().0, RECEIPT)?;
    tracing::info!(server = server.address, after = sent, "the log is sent to the syslog server");
    // What was written and when, the oldest first: bounded by what is written in HELD.
    let mut written = VecDeque::new();
    let mut last = sent;
    let mut nothing = [0; 64];
    while self::server(broker).as_ref() == Some(server) {
        let query = EntryQuery { limit: BATCH, ..EntryQuery::from(Start::After(last)) };
        let entries = broker.store.entries(query).await?;
        if let Some(newest) = entries.last() {
            let frames: String =
                entries.iter().map(|entry| framed(&message(entry, &broker.config.name))).collect();
            let write = async {
                stream.write_all(frames.as_bytes()).await?;
                stream.flush().await
            };
            timeout(WRITE_TIMEOUT, write).await.map_err(|_| late())??;
            last = newest.number;
            written.push_back((Instant::now(), last));
        }
        let before = sent;
        while let Some((at, number)) = written.front().copied()
            && at.elapsed() >= HELD
        {
            sent = number;
            written.pop_front();
        }
        if sent != before {
            remember(broker, server, sent).await?;
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

/// The last entry that counts as sent. A server that is new gets what happens from now on.
async fn position(broker: &Broker, server: &Syslog) -> Result<u64, StoreError> {
    let kept = broker.store.kept(KEPT).await?.unwrap_or_default();
    if kept["address"] == *server.address
        && let Some(sent) = kept["sent"].as_u64()
    {
        return Ok(sent);
    }
    let newest = EntryQuery { limit: 1, ..EntryQuery::from(Start::Newest) };
    let sent = broker.store.entries(newest).await?.first().map_or(0, |entry| entry.number);
    remember(broker, server, sent).await?;
    Ok(sent)
}

async fn remember(broker: &Broker, server: &Syslog, sent: u64) -> Result<(), StoreError> {
    broker.store.keep(KEPT, json!({"address": server.address, "sent": sent})).await
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
