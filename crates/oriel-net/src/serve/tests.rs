use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Empty, Full};
use jiff::Timestamp;
use oriel_model::role::Role;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use tower::service_fn as tower_service_fn;

use super::*;
use crate::{
    connect::{self, channel},
    incoming::{AcceptLimits, ConnectInfo},
    listener::Listener,
    supervise::ShutdownHandle,
    tls::{Alpn, internal_client, internal_server, testing::Farm},
};

struct Picture {
    farm: Farm,
    address: String,
    stop: ShutdownHandle,
    served: tokio::task::JoinHandle<()>,
}

/// A broker that answers every request with what it knows of the client.
fn picture(limits: AcceptLimits) -> Picture {
    let farm = Farm::new(Timestamp::now());
    let config = internal_server(&farm.reloading(Role::Broker), Alpn::H2AndHttp1).unwrap();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), "listen").unwrap();
    let address = listener.local_addr().to_string();
    let incoming = Incoming::tls(listener, config, limits);
    let stop = ShutdownHandle::new();
    let service = tower_service_fn(|request: Request<RequestBody>| async move {
        let info = request.extensions().get::<ConnectInfo>().copied().unwrap();
        if request.uri().path() == "/slow" {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let who = info.peer.map_or("nobody".to_owned(), |peer| peer.to_string());
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(who))))
    });
    let served = tokio::spawn(serve(incoming, service, stop.signal(), Duration::from_secs(5)));
    Picture { farm, address, stop, served }
}

async fn ask(channel: tonic::transport::Channel, path: &str) -> Result<String, String> {
    let request = Request::get(format!("http://farm.oriel{path}"))
        .body(tonic::body::Body::new(Empty::<Bytes>::new()))
        .unwrap();
    let response = channel.oneshot(request).await.map_err(|error| error.to_string())?;
    assert_eq!(response.status(), StatusCode::OK);
    let body = response.into_body().collect().await.map_err(|error| error.to_string())?;
    Ok(String::from_utf8(body.to_bytes().to_vec()).unwrap())
}

#[tokio::test]
async fn a_channel_finds_the_address_that_works_and_is_known_by_its_certificate() {
    let p = picture(AcceptLimits::default());
    let agent = p.farm.reloading(Role::Agent);
    let config = internal_client(&agent, Role::Broker).unwrap();
    let dead = {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        taken.local_addr().unwrap().to_string()
    };
    let channel = channel([dead, p.address.clone()], config);
    assert_eq!(ask(channel.clone(), "/").await.unwrap(), agent.identity().peer().to_string());

    // Told to stop, the server finishes what runs and then is gone.
    let slow = tokio::spawn(ask(channel.clone(), "/slow"));
    tokio::time::sleep(Duration::from_millis(100)).await;
    p.stop.give();
    assert!(slow.await.unwrap().is_ok());
    p.served.await.unwrap();
    assert!(ask(channel, "/").await.is_err());
}

#[tokio::test]
async fn a_client_without_a_certificate_is_nobody() {
    let p = picture(AcceptLimits::default());
    let config = crate::tls::joining_client(p.farm.authority.fingerprint()).unwrap();
    assert_eq!(ask(channel([p.address], config), "/").await.unwrap(), "nobody");
}

#[tokio::test]
async fn http_1_works_on_the_same_port() {
    let p = picture(AcceptLimits::default());
    let mut config = (*crate::tls::joining_client(p.farm.authority.fingerprint()).unwrap()).clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut stream = connect::connect(&p.address, Arc::new(config)).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("nobody"), "{answer}");
}

/// Sends a request with a large body over HTTP/1.1 and gives the whole answer.
async fn upload(p: &Picture, head: &str, body: usize) -> String {
    let mut config = (*crate::tls::joining_client(p.farm.authority.fingerprint()).unwrap()).clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut stream = connect::connect(&p.address, Arc::new(config)).await.unwrap();
    let head = format!("POST /unread HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = vec![b'x'; 64 * 1024];
    for _ in 0..body / chunk.len() {
        stream.write_all(&chunk).await.expect("the server goes on reading");
    }
    stream.flush().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer, not a cut line");
    answer
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_not_cut_the_line_before_the_answer() {
    let p = picture(AcceptLimits::default());
    let size = REST_MAX / 2;
    let answer = upload(&p, &format!("Content-Length: {size}\r\n"), size).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("nobody"), "{answer}");
    // Who asks first is answered at once, and need not send.
    let answer = upload(&p, &format!("Content-Length: {size}\r\nExpect: 100-continue\r\n"), 0).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

/// Silent and rude clients do not keep the only place from others for longer than the time limit.
#[tokio::test]
async fn slow_handshakes_and_silent_clients_give_their_place_back() {
    let limits = AcceptLimits {
        handshake: Duration::from_millis(200),
        handshakes: 1,
        handshakes_per_address: 1,
        connections: 1,
        connections_per_address: 1,
        first_bytes: Duration::from_millis(200),
    };
    let p = picture(limits);
    let config = crate::tls::joining_client(p.farm.authority.fingerprint()).unwrap();
    let mut half_open = TcpStream::connect(&p.address).await.unwrap();
    half_open.write_all(&[22, 3, 1]).await.unwrap();
    let mut rubbish = TcpStream::connect(&p.address).await.unwrap();
    rubbish.write_all(&[0xAA; 4096]).await.unwrap();
    // Shakes hands, then says nothing.
    let silent = connect::connect(&p.address, config.clone()).await.unwrap();
    let answer =
        tokio::time::timeout(Duration::from_secs(10), ask(channel([p.address.clone()], config), "/"));
    assert_eq!(answer.await.unwrap().unwrap(), "nobody");
    assert_eq!(half_open.read(&mut [0; 16]).await.unwrap_or(0), 0);
    drop((rubbish, silent));
}

/// Whoever has many connections, or begins many, keeps them from neighbours but not from others.
#[tokio::test]
async fn one_address_takes_neither_all_connections_nor_all_handshakes() {
    let from = |last: u8, address: SocketAddr| async move {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
        socket.connect(address).await.unwrap()
    };
    let limits = AcceptLimits {
        handshakes_per_address: 1,
        connections: 4,
        connections_per_address: 3,
        ..AcceptLimits::default()
    };
    let p = picture(limits);
    let address: SocketAddr = p.address.parse().unwrap();
    let mut config = (*crate::tls::joining_client(p.farm.authority.fingerprint()).unwrap()).clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = rustls_pki_types::ServerName::try_from("any.example").unwrap();
    // The first takes its network's only turn, two wait for it, the fourth is closed.
    let mut greedy = Vec::new();
    for _ in 0..3 {
        greedy.push(from(2, address).await);
    }
    let mut fourth = from(2, address).await;
    let closed = tokio::time::timeout(Duration::from_secs(10), fourth.read(&mut [0; 1])).await.unwrap();
    assert_eq!(closed.unwrap_or(0), 0);
    // A client from elsewhere is served meanwhile.
    let soon = Duration::from_secs(5);
    let other = tokio::time::timeout(soon, connector.connect(name.clone(), from(3, address).await));
    let mut other = other.await.expect("another address need not wait").unwrap();
    other.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    other.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("nobody"), "{answer}");
    // When the first goes, its neighbours have their turn, one after the other.
    drop(greedy.remove(0));
    for waiting in greedy {
        let served = tokio::time::timeout(soon, connector.connect(name.clone(), waiting)).await;
        served.expect("its turn has come").unwrap();
    }
}
