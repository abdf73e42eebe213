//! Servers that hang, close, speak garbage, answer slowly, show bad certificates or refuse the service account.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use oriel_identity::{
    Answer, Refused,
    ldap::{LdapDirectory, OpenLdap, Schema, Security, Server, Settings},
};
use oriel_testkit::{
    certificates::{Authority, Validity},
    slapd::{PASSWORD, SERVICE, Slapd},
    wait,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{server, service, settings, sign_in};

/// How long a bad server may keep anybody.
const PATIENCE: Duration = Duration::from_millis(500);

/// What a bad server does with a connection.
#[derive(Debug, Clone)]
enum Manner {
    /// Takes it, and says nothing.
    Hangs,
    /// Closes it at once.
    Closes,
    /// Says these bytes as soon as it is asked anything.
    Says(Vec<u8>),
}

/// A server that is up to no good; and how many connections it was given.
struct BadServer {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl BadServer {
    async fn new(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(behave(manner.clone(), stream));
            }
        });
        Self { address, connections }
    }

    fn server(&self, security: Security) -> Server {
        server("127.0.0.1", self.address.port(), security)
    }
}

async fn behave(manner: Manner, mut stream: TcpStream) {
    match manner {
        Manner::Closes => {}
        Manner::Hangs => std::future::pending().await,
        Manner::Says(bytes) => {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(&bytes).await;
            // Until the other side has had enough.
            while matches!(stream.read(&mut [0; 1024]).await, Ok(1..)) {}
        }
    }
}

/// Carries connections to a server, and every byte of its answers after a while.
async fn slow(to: u16, each: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
                (client.into_split(), server.into_split());
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            tokio::spawn(async move {
                let mut byte = [0; 1];
                while from_server.read_exact(&mut byte).await.is_ok() {
                    tokio::time::sleep(each).await;
                    if to_client.write_all(&byte).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

fn impatient(authority: &Authority, servers: Vec<Server>) -> Settings {
    let schema = Schema::OpenLdap(OpenLdap::default());
    Settings {
        bind: service(SERVICE, PASSWORD),
        connect_timeout: PATIENCE,
        answer_timeout: PATIENCE,
        ..settings(authority, servers, schema)
    }
}

/// Answers that no server gives: the end of a message that never comes, one that is too long, values nested
/// a hundred thousand deep, an answer to another question, a StartTLS with something hidden behind it.
fn garbage() -> Vec<(&'static str, Vec<u8>)> {
    const DEPTH: u32 = 100_000;
    let deep = (0..DEPTH).flat_map(|at| [0x30, 0x84].into_iter().chain(((DEPTH - 1 - at) * 6).to_be_bytes()));
    let yes = |id| vec![0x30, 12, 2, 1, id, 0x78, 7, 10, 1, 0, 4, 0, 4, 0];
    vec![
        ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("an unfinished answer", vec![0x30, 0x82, 0x10, 0x00, 2, 1]),
        ("an endless answer", vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2, 1]),
        ("a deep answer", deep.collect()),
        ("no answer to this", yes(77)),
        ("more than an answer", [yes(1), yes(2)].concat()),
        ("no TLS after all", [yes(1)].concat()),
    ]
}

#[tokio::test]
async fn whatever_a_server_does_the_next_one_is_asked_within_the_time() {
    let authority = Authority::new("directory authority");
    let slapd = Slapd::start(&authority).await.unwrap();
    let good = server("localhost", slapd.tls_port, Security::Ldaps);
    let mut manners = vec![("hangs", Manner::Hangs), ("closes", Manner::Closes)];
    manners.extend(garbage().into_iter().map(|(name, bytes)| (name, Manner::Says(bytes))));
    for (name, manner) in manners {
        for security in [Security::Ldaps, Security::StartTls] {
            let bad = BadServer::new(manner.clone()).await;
            let alone = LdapDirectory::new(impatient(&authority, vec![bad.server(security)])).unwrap();
            let started = Instant::now();
            let refused = sign_in(&alone, "alice", PASSWORD).await.unwrap_err();
            assert!(started.elapsed() < PATIENCE * 8, "{name}: {:?}", started.elapsed());
            assert_eq!(refused.answer(), Answer::TryAgain, "{name}: {refused}");
            assert!(refused.to_string().contains(&bad.server(security).to_string()), "{name}: {refused}");
            let why = alone.check().await.servers.remove(0).outcome.unwrap_err();
            assert!(why.starts_with("it ") || why.starts_with("no "), "{name}: {why}");

            let mut settings = impatient(&authority, vec![bad.server(security), good.clone()]);
            settings.answer_timeout = wait::DEADLINE;
            if matches!(manner, Manner::Closes) {
                // What is at once is at once, however much patience there is.
                settings.connect_timeout = wait::DEADLINE * 2;
            }
            let before = bad.connections.load(Ordering::Relaxed);
            let both = LdapDirectory::new(settings).unwrap();
            let started = Instant::now();
            assert!(sign_in(&both, "alice", PASSWORD).await.is_ok(), "{name}");
            assert!(started.elapsed() < wait::DEADLINE, "{name}");
            // From now on it is avoided.
            assert!(sign_in(&both, "alice", PASSWORD).await.is_ok(), "{name}");
            assert_eq!(bad.connections.load(Ordering::Relaxed) - before, 1, "{name}");
        }
    }
}

#[tokio::test]
async fn a_server_that_answers_too_slowly_is_left() {
    let authority = Authority::new("directory authority");
    let slapd = Slapd::start(&authority).await.unwrap();
    // Every byte comes in time; all of them do not.
    let port = slow(slapd.tls_port, Duration::from_millis(20)).await;
    let settings = impatient(&authority, vec![server("localhost", port, Security::Ldaps)]);
    let directory = LdapDirectory::new(settings).unwrap();
    let started = Instant::now();
    let refused = sign_in(&directory, "alice", PASSWORD).await.unwrap_err();
    assert!(refused.to_string().contains("did not answer within 500 ms"), "{refused}");
    assert!(started.elapsed() < PATIENCE * 8);
}

#[tokio::test]
async fn a_directory_that_hangs_slows_nobody_else() {
    let authority = Authority::new("directory authority");
    let slapd = Slapd::start(&authority).await.unwrap();
    let bad = BadServer::new(Manner::Hangs).await;
    let mut settings = impatient(&authority, vec![bad.server(Security::Ldaps)]);
    (settings.connect_timeout, settings.answer_timeout) = (wait::DEADLINE * 10, wait::DEADLINE * 10);
    let pool = settings.pool;
    let hanging = Arc::new(LdapDirectory::new(settings).unwrap());
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..pool * 200 {
        let hanging = hanging.clone();
        crowd.spawn(async move { sign_in(&hanging, "alice", PASSWORD).await });
    }
    // More than wait for it already are told so at once; and it has no more connections than it may.
    assert_eq!(crowd.join_next().await.unwrap().unwrap(), Err(Refused::Busy));
    let other = impatient(&authority, vec![server("localhost", slapd.tls_port, Security::Ldaps)]);
    let other = LdapDirectory::new(Settings {
        answer_timeout: wait::DEADLINE,
        connect_timeout: wait::DEADLINE,
        ..other
    });
    assert!(sign_in(&other.unwrap(), "alice", PASSWORD).await.is_ok());
    assert_eq!(bad.connections.load(Ordering::Relaxed), pool);
}

#[tokio::test]
async fn a_certificate_must_be_right() {
    let authority = Authority::new("directory authority");
    let stranger = Authority::new("somebody else");
    let names = ["localhost", "127.0.0.1"];
    let reasons = [
        (&stranger, &names[..], Validity::Now, "not from an authority that is trusted here"),
        (&authority, &["elsewhere.test"][..], Validity::Now, "for another name"),
        (&authority, &names[..], Validity::Past, "has expired"),
    ];
    for (issuer, names, validity, expected) in reasons {
        let slapd = Slapd::start_as(issuer, names, validity).await.unwrap();
        for (port, security) in [(slapd.tls_port, Security::Ldaps), (slapd.port, Security::StartTls)] {
            let schema = Schema::OpenLdap(OpenLdap::default());
            let settings = settings(&authority, vec![server("localhost", port, security)], schema);
            let directory =
                LdapDirectory::new(Settings { bind: service(SERVICE, PASSWORD), ..settings }).unwrap();
            let refused = sign_in(&directory, "alice", PASSWORD).await.unwrap_err();
            assert_eq!(refused.answer(), Answer::TryAgain);
            assert!(refused.to_string().contains(expected), "{refused}");
            let why = directory.check().await.servers.remove(0).outcome.unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
    }
}

#[tokio::test]
async fn a_service_account_that_is_refused_is_not_tried_again_and_again() {
    let authority = Authority::new("directory authority");
    let slapd = Slapd::start(&authority).await.unwrap();
    let server = server("localhost", slapd.tls_port, Security::Ldaps);
    let schema = Schema::OpenLdap(OpenLdap::default());
    let wrong = Settings { bind: service(SERVICE, "wrong"), ..settings(&authority, vec![server], schema) };
    let directory = LdapDirectory::new(wrong.clone()).unwrap();
    for _ in 0..10 {
        let refused = sign_in(&directory, "alice", PASSWORD).await.unwrap_err();
        assert!(refused.to_string().contains("service account"), "{refused}");
    }
    // The directory locks it after three.
    let right = Settings { bind: service(SERVICE, PASSWORD), ..wrong };
    assert!(sign_in(&LdapDirectory::new(right).unwrap(), "alice", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn connections_are_used_again_and_new_ones_made_when_the_server_was_restarted() {
    let authority = Authority::new("directory authority");
    let mut slapd = Slapd::start(&authority).await.unwrap();
    let counting = counted(slapd.tls_port).await;
    let schema = Schema::OpenLdap(OpenLdap::default());
    let server = server("localhost", counting.address.port(), Security::Ldaps);
    let settings = settings(&authority, vec![server], schema);
    let directory = LdapDirectory::new(Settings { bind: service(SERVICE, PASSWORD), ..settings }).unwrap();
    for _ in 0..5 {
        sign_in(&directory, "alice", PASSWORD).await.unwrap();
    }
    // One that looks up and one on which people prove who they are.
    assert_eq!(counting.connections.load(Ordering::Relaxed), 2);
    assert_eq!(sign_in(&directory, "alice", "wrong").await, Err(Refused::WrongPassword));
    assert_eq!(sign_in(&directory, "bob", PASSWORD).await.unwrap().account, "bob");
    assert_eq!(counting.connections.load(Ordering::Relaxed), 2);
    slapd.restart().await.unwrap();
    sign_in(&directory, "alice", PASSWORD).await.unwrap();
    assert_eq!(counting.connections.load(Ordering::Relaxed), 4);
}

/// Carries connections to a server, and counts them.
async fn counted(to: u16) -> BadServer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut server = TcpStream::connect(("127.0.0.1", to)).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    BadServer { address, connections }
}
