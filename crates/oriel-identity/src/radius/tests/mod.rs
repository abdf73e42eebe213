//! What the tests have in common: settings, and a server that does what a test tells it to.

mod hostile;
mod names;
mod rounds;
mod servers;
mod wire;

use std::{net::SocketAddr, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use tokio::{net::UdpSocket, time::timeout};

use super::{
    Encoding, Mode, Outcome, Radius, RadiusError, Server, Settings, SharedSecret,
    packet::{PACKET_MAX, Packet, code, kind},
};

const SECRET: &str = "xyzzy5461";
/// Longer than anything on loopback takes.
const LONG: Duration = Duration::from_secs(20);
/// Where it is known that nothing will come.
const SHORT: Duration = Duration::from_millis(150);

fn secret(text: &str) -> SharedSecret {
    SharedSecret::new(text.to_owned().into()).expect("a secret")
}

fn server_at(address: SocketAddr) -> Server {
    Server {
        host: address.ip().to_string(),
        port: address.port(),
        secret: secret(SECRET),
        is_unsigned_allowed: false,
    }
}

fn settings(servers: Vec<Server>) -> Settings {
    Settings {
        servers,
        mode: Mode::Failover,
        timeout: LONG,
        retries: 0,
        encoding: Encoding::Pap,
        is_domain_left_out: false,
        nas_identifier: "oriel".to_owned(),
        attributes: Vec::new(),
    }
}

/// Signed as servers do since 2024, or as they did before.
#[derive(Clone, Copy, PartialEq)]
enum Signed {
    Whole,
    Old,
}

/// A server's answer to a request.
fn respond(request: &[u8], code: u8, attributes: &[(u8, &[u8])], secret: &str, signed: Signed) -> Vec<u8> {
    let mut bytes = vec![code, request[1], 0, 0];
    bytes.extend_from_slice(&request[4..20]);
    if signed == Signed::Whole {
        bytes.extend_from_slice(&[kind::MESSAGE_AUTHENTICATOR, 18]);
        bytes.extend_from_slice(&[0; 16]);
    }
    for (kind, value) in attributes {
        bytes.extend_from_slice(&[*kind, value.len() as u8 + 2]);
        bytes.extend_from_slice(value);
    }
    let len = (bytes.len() as u16).to_be_bytes();
    bytes[2..4].copy_from_slice(&len);
    if signed == Signed::Whole {
        let mac = Hmac::<Md5>::new_from_slice(secret.as_bytes()).expect("a key").chain_update(&bytes);
        bytes[22..38].copy_from_slice(&mac.finalize().into_bytes());
    }
    seal(&mut bytes, request, secret);
    bytes
}

/// Writes the Response Authenticator (RFC 2865, 3).
fn seal(response: &mut [u8], request: &[u8], secret: &str) {
    let digest = Md5::new()
        .chain_update(&response[..4])
        .chain_update(&request[4..20])
        .chain_update(&response[20..])
        .chain_update(secret)
        .finalize();
    response[4..20].copy_from_slice(&digest);
}

/// A server that a test holds in its hands.
struct Fake(UdpSocket);

impl Fake {
    async fn start() -> Self {
        Self(UdpSocket::bind("127.0.0.1:0").await.expect("a port"))
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("bound")
    }

    /// The next request, and where it came from.
    async fn request(&self) -> (Vec<u8>, SocketAddr) {
        let mut buffer = vec![0; PACKET_MAX];
        let received = timeout(LONG, self.0.recv_from(&mut buffer)).await.expect("a request comes in time");
        let (len, from) = received.expect("received");
        buffer.truncate(len);
        (buffer, from)
    }

    /// Whether nothing came that was not read.
    fn is_untouched(&self) -> bool {
        self.0.try_recv(&mut [0; 1]).is_err()
    }

    async fn send(&self, bytes: &[u8], to: SocketAddr) {
        self.0.send_to(bytes, to).await.expect("sent");
    }

    async fn answer(&self, request: &(Vec<u8>, SocketAddr), code: u8, attributes: &[(u8, &[u8])]) {
        self.send(&respond(&request.0, code, attributes, SECRET, Signed::Whole), request.1).await;
    }

    /// Lets in the next who asks.
    async fn accept(&self) -> (Vec<u8>, SocketAddr) {
        let request = self.request().await;
        self.answer(&request, code::ACCESS_ACCEPT, &[]).await;
        request
    }
}

fn attributes(packet: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let packet = Packet::read(packet).expect("a packet");
    packet.attributes().map(|(kind, value)| (kind, value.to_vec())).collect()
}

#[track_caller]
fn server_of(outcome: Result<Outcome, RadiusError>) -> String {
    match outcome {
        Ok(Outcome::Accepted(accepted)) => accepted.server,
        other => panic!("accepted is expected: {other:?}"),
    }
}

async fn begin(radius: &Radius) -> Result<Outcome, RadiusError> {
    radius.begin("anna", "pw", None).await
}
