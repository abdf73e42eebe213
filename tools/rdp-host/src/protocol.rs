//! The lines of JSON between this program and whoever started it. The first line out is
//! `{"listening":"127.0.0.1:PORT","certificate_sha256":"…"}`. Every other line, in and out, has the number
//! of a connection, counted from 1, and one thing that happened or shall happen to it:
//!
//! ```text
//! out  {"connection":1,"logon":{"name":"alice","secret":"…"}}
//! in   {"connection":1,"allow":true}
//! out  {"connection":1,"key":{"scan_code":30,"pressed":true}}
//! in   {"connection":1,"hang_up":"its session ended"}
//! out  {"connection":1,"ended":"it was over"}
//! ```

use std::{
    io::{BufRead, Write},
    net::SocketAddr,
};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

/// What happened to a connection.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The client's logon; nothing goes on before [`Order::Allow`].
    Logon { name: String, secret: String },
    /// A key went down or up.
    Key { scan_code: u8, pressed: bool },
    /// It is over, and why.
    Ended(String),
}

/// What shall happen to a connection.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The answer to its logon.
    Allow(bool),
    /// It ends, with a word for the log.
    HangUp(String),
}

/// An order with the connection that it is for.
#[derive(Debug, Deserialize)]
pub struct Orders {
    pub connection: u64,
    #[serde(flatten)]
    pub order: Order,
}

#[derive(Serialize)]
struct Line {
    connection: u64,
    #[serde(flatten)]
    event: Event,
}

#[derive(Serialize)]
struct Listening {
    listening: SocketAddr,
    certificate_sha256: String,
}

/// Says where the program listens, and with which certificate.
pub fn tell_listening(listening: SocketAddr, sha256: &[u8]) {
    let certificate_sha256 = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    print_line(&Listening { listening, certificate_sha256 });
}

/// Says what happened to a connection.
pub fn tell(connection: u64, event: Event) {
    print_line(&Line { connection, event });
}

fn print_line(line: &impl Serialize) {
    let text = serde_json::to_string(line).expect("these lines are plain data");
    // Nobody listens any more: the end of the input follows.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// The orders on standard input. The channel closes with the input; a line that is no order ends
/// the program.
pub fn read_orders() -> mpsc::UnboundedReceiver<Orders> {
    let (send, receive) = mpsc::unbounded_channel();
    // A thread, because reading standard input cannot be called off.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            let orders = match serde_json::from_str(&line) {
                Ok(orders) => orders,
                Err(error) => {
                    eprintln!("rdp-host: not an order: {line}: {error}");
                    std::process::exit(1);
                }
            };
            if send.send(orders).is_err() {
                return;
            }
        }
    });
    receive
}
