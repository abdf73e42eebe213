//! A session host's RDP side on `ironrdp-server`: an implementation that is not Oriel's, for tests of the
//! whole path to connect to. It accepts any number of connections at a port of loopback that the system
//! chooses, with a certificate made at its start, and shows each a moving picture.
//!
//! It decides nothing: whoever started it decides on logons and hears of keys, in lines of JSON on its
//! standard input and output ([`protocol`]). It ends when its input does.
//!
//! Deliberately absent: sessions, network level authentication, clipboard and sound.

mod connection;
mod protocol;

use std::{collections::HashMap, rc::Rc, sync::Arc};

use anyhow::Context as _;
use ironrdp_server::ServerEvent;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::{JoinSet, LocalSet},
};
use tokio_rustls::TlsAcceptor;

use protocol::{Event, Order, Orders};

fn main() -> anyhow::Result<()> {
    // `ironrdp-server` brings a second provider; without a choice rustls would have none.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a provider of cryptography is installed already"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Connections of ironrdp-server are bound to the thread that serves them.
    runtime.block_on(LocalSet::new().run_until(serve()))
}

/// What the program can do to a connection.
struct Connection {
    answers: mpsc::UnboundedSender<bool>,
    events: mpsc::UnboundedSender<ServerEvent>,
}

async fn serve() -> anyhow::Result<()> {
    let (tls, certificate_sha256) = tls_with_new_certificate()?;
    let listener = TcpListener::bind("127.0.0.1:0").await.context("listening at loopback")?;
    protocol::tell_listening(listener.local_addr()?, &certificate_sha256);

    let mut orders = protocol::read_orders();
    let mut connections: HashMap<u64, Connection> = HashMap::new();
    let mut running: JoinSet<u64> = JoinSet::new();
    let mut latest = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.context("accepting a connection")?;
                stream.set_nodelay(true)?;
                latest += 1;
                connections.insert(latest, begin(latest, stream, tls.clone(), &mut running));
            }
            Some(ended) = running.join_next() => {
                connections.remove(&ended.context("a connection panicked")?);
            }
            order = orders.recv() => match order {
                Some(Orders { connection, order }) => {
                    // Orders for a connection that has ended meanwhile come too late.
                    let Some(connection) = connections.get(&connection) else { continue };
                    let _ = match order {
                        Order::Allow(allow) => connection.answers.send(allow).is_ok(),
                        Order::HangUp(why) => connection.events.send(ServerEvent::Quit(why)).is_ok(),
                    };
                }
                None => return Ok(()),
            },
        }
    }
}

/// Serves a connection in a task of its own.
fn begin(number: u64, stream: TcpStream, tls: TlsAcceptor, running: &mut JoinSet<u64>) -> Connection {
    let (answers, receive_answers) = mpsc::unbounded_channel();
    let mut server = connection::server(number, tls, receive_answers);
    let events = server.event_sender().clone();
    running.spawn_local(async move {
        let why = match server.run_connection(stream).await {
            Ok(()) => "it was over".to_owned(),
            Err(error) => format!("{error:#}"),
        };
        protocol::tell(number, Event::Ended(why));
        number
    });
    Connection { answers, events }
}

fn tls_with_new_certificate() -> anyhow::Result<(TlsAcceptor, Rc<[u8]>)> {
    let key = rcgen::KeyPair::generate()?;
    let certificate = rcgen::CertificateParams::new(vec!["session-host".into()])?.self_signed(&key)?;
    let sha256 = ring::digest::digest(&ring::digest::SHA256, certificate.der());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok((TlsAcceptor::from(Arc::new(config)), sha256.as_ref().into()))
}
