//! The log sent to a syslog server that takes RFC 5424 and RFC 5425 by the letter.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use oriel_net::tls::{PortalCertificate, portal_server};
use oriel_store::{Author, Transaction};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpListener,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::app::audit::Event;

const DEADLINE: Duration = Duration::from_secs(40);

/// A message as RFC 5424 reads it.
#[derive(Debug, Clone, PartialEq)]
struct Message {
    priority: u8,
    host: String,
    code: String,
    data: BTreeMap<String, String>,
    body: Value,
}

/// RFC 5424, 6, word by word; whatever else is refused.
fn parse(text: &str) -> Message {
    let rest = text.strip_prefix('<').expect("a priority");
    let (priority, rest) = rest.split_once('>').expect("the end of the priority");
    let rest = rest.strip_prefix("1 ").expect("version 1");
    let mut words = rest.splitn(6, ' ');
    let mut word = |max: usize| {
        let word = words.next().expect("a word");
        assert!((1..=max).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_graphic()), "{word}");
        word.to_owned()
    };
    let time = word(32);
    assert!(
        time.len() == 27 && time.ends_with('Z') && time.parse::<oriel_model::Timestamp>().is_ok(),
        "{time}"
    );
    let (host, app, process, code) = (word(255), word(48), word(128), word(32));
    assert_eq!((&*app, &*process), ("oriel", "-"));
    let rest = words.next().expect("structured data").strip_prefix("[oriel@32473").expect("our data");
    let (mut data, mut chars) = (BTreeMap::new(), rest.chars());
    loop {
        match chars.next().expect("more") {
            ']' => break,
            ' ' => {}
            other => panic!("{other} after a parameter"),
        }
        let name: String = chars.by_ref().take_while(|c| *c != '=').collect();
        assert!((1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase()), "{name}");
        assert_eq!(chars.next(), Some('"'));
        let mut value = String::new();
        loop {
            match chars.next().expect("the end of a value") {
                '"' => break,
                '\\' => {
                    value.push(chars.next().filter(|c| "\"\\]".contains(*c)).expect("an escaped character"))
                }
                c => {
                    assert!(c != ']' && !c.is_control(), "{c} must be escaped");
                    value.push(c);
                }
            }
        }
        assert_eq!(data.insert(name, value), None, "a name comes once");
    }
    let body = chars.as_str().strip_prefix(" \u{feff}").expect("UTF-8, and so it says");
    let priority = priority.parse().expect("a number");
    Message { priority, host, code, data, body: serde_json::from_str(body).expect("JSON") }
}

/// A syslog server at a port of its own, with a certificate for `localhost`.
struct Server {
    certificate: Arc<PortalCertificate>,
    /// What whoever trusts it has.
    authority: String,
    messages: Arc<Mutex<Vec<Message>>>,
    refused: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(folder: &std::path::Path) -> Self {
        let names = ["localhost".to_owned()];
        let certificate = PortalCertificate::self_signed(folder, &names, oriel_model::Timestamp::now());
        let certificate = certificate.expect("a certificate");
        let file =
            std::fs::read_dir(folder).expect("a folder").next().expect("a file").expect("its name").path();
        let pem = std::fs::read_to_string(file).expect("the certificate and its key");
        let authority =
            pem.split_inclusive("-----END CERTIFICATE-----\n").next().expect("the certificate").to_owned();
        Self { certificate, authority, messages: Arc::default(), refused: Arc::default() }
    }

    /// Serves until aborted, which closes every connection.
    async fn serve(&self, listener: TcpListener) {
        let acceptor = TlsAcceptor::from(portal_server(&self.certificate).expect("TLS"));
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let mut stream = match acceptor.accept(stream).await {
                Ok(stream) => BufReader::new(stream),
                Err(error) => {
                    self.refused.lock().expect("no panic").push(error.to_string());
                    continue;
                }
            };
            loop {
                let mut length = Vec::new();
                if !matches!(stream.read_until(b' ', &mut length).await, Ok(1..))
                    || length.pop() != Some(b' ')
                {
                    break;
                }
                let length = String::from_utf8(length).expect("digits");
                assert!(!length.starts_with('0'), "{length}");
                let mut message = vec![0; length.parse().expect("a number")];
                if stream.read_exact(&mut message).await.is_err() {
                    break;
                }
                let message = parse(&String::from_utf8(message).expect("UTF-8"));
                self.messages.lock().expect("no panic").push(message);
            }
        }
    }

    /// Serves while `work` goes on.
    async fn during<T>(&self, listener: TcpListener, work: impl Future<Output = T>) -> T {
        tokio::select! {
            () = self.serve(listener) => unreachable!("it serves until it is dropped"),
            done = timeout(DEADLINE, work) => done.expect("in time"),
        }
    }

    /// Waits for a message about this.
    async fn has(&self, what: &str) {
        while !self.messages().iter().any(|message| message.body.to_string().contains(what)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn messages(&self) -> Vec<Message> {
        self.messages.lock().expect("no panic").clone()
    }
}

/// Waits until sending is in a state.
async fn state_is(office: &Office, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let waiting = async {
        loop {
            let state = office.get("audit/syslog").await.expect(StatusCode::OK)["syslog"].clone();
            if is_so(&state) {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("{what}"))
}

fn happens(office: &Office, name: &str) {
    let user = oriel_model::Id::generate(office.broker.now());
    office.broker.record(&Event::SignedOut { user, user_name: name, address: Ipv4Addr::LOCALHOST.into() });
}

#[tokio::test]
async fn every_entry_comes_to_a_server_that_proves_who_it_is_also_after_an_outage() {
    let office = Office::open().await;
    let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let (server, stranger) = (Server::new(folders[0].path()), Server::new(folders[1].path()));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address");
    let again = || async { TcpListener::bind(port).await.expect("the port again") };

    let mut farm = (**office.broker.farm.load().farms.iter().next().expect("a farm")).clone();
    farm.spec.audit.syslog = Some(oriel_model::farm::Syslog {
        address: format!("localhost:{}", port.port()),
        authority: Some(server.authority.clone()),
    });
    let now = office.broker.now();
    office.broker.commit(Transaction::new(Author::system(), now).update(&farm)).await.expect("committed");

    // Another certificate for the same name: it is told nothing.
    let refused = async {
        while stranger.refused.lock().expect("no panic").is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert_eq!(office.get("audit/syslog").await.expect(StatusCode::OK)["syslog"]["failure"], Value::Null);
    stranger.during(listener, refused).await;
    assert!(stranger.messages().is_empty());
    let failed = state_is(&office, "the failure is told", |state| !state["failure"].is_null()).await;
    let why = failed["failure"]["why"].as_str().expect("a sentence");
    assert!(why.contains("not from an authority that is trusted") && why.ends_with('.'), "{why}");
    assert_eq!(
        (&failed["connected_since"], &failed["server"]),
        (&Value::Null, &json!(format!("localhost:{}", port.port())))
    );
    happens(&office, "one that waits");
    state_is(&office, "it waits", |state| state["waiting"].as_u64() >= Some(1)).await;
    let status = office.get("status").await.expect(StatusCode::OK);
    assert!(status["syslog"]["failure"]["why"].is_string(), "{status:#}");

    let hostile = "an\"n\\a]\n[x y=\"z\"] ünï";
    let first = async {
        // The connection stands when what happens after arrives.
        let mut number = 0;
        while server.messages().is_empty() {
            happens(&office, &format!("early {number}"));
            number += 1;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        happens(&office, hostile);
        server.has("ünï").await;
        state_is(&office, "nothing waits", |state| {
            state["waiting"] == 0 && state["connected_since"].is_string()
        })
        .await;
    };
    server.during(again().await, first).await;
    let told = server.messages();
    let told = told.iter().find(|message| message.data["by"].contains("ünï")).expect("there");
    assert_eq!((told.priority, &*told.host, &*told.code), (13 * 8 + 6, "b1", "user.signed_out"));
    assert_eq!(told.data["by"], format!("user {}", hostile.replace('\n', " ")));
    assert_eq!(
        (&*told.data["outcome"], &*told.data["via"], &*told.data["address"]),
        ("done", "portal", "127.0.0.1")
    );
    assert_eq!(told.body["subjects"][0]["name"], hostile);

    // Away, and back; then the broker stops and starts. Changes of settings are sent, too.
    happens(&office, "during the outage");
    office.made("groups", json!({"name": "Sales", "spec": {}})).await;
    let back = async {
        server.has("during the outage").await;
        server.has("Sales").await;
    };
    server.during(again().await, back).await;
    let office = office.restarted().await;
    happens(&office, "after the start");
    server.during(again().await, server.has("after the start")).await;

    let mut by_number: BTreeMap<u64, Message> = BTreeMap::new();
    for message in server.messages() {
        let number = message.data["number"].parse().expect("a number");
        let before = by_number.insert(number, message.clone());
        assert!(before.is_none_or(|before| before == message), "what comes twice is the same");
    }
    let numbers: Vec<u64> = by_number.keys().copied().collect();
    let (from, to) = (numbers[0], numbers[numbers.len() - 1]);
    assert_eq!(numbers, (from..=to).collect::<Vec<_>>(), "none is left out");
    let log = office.get(&format!("audit?limit=1000&after={}", from - 1)).await.expect(StatusCode::OK);
    for (entry, message) in log["items"].as_array().expect("entries").iter().zip(by_number.values()) {
        assert_eq!((&entry["hash"], &entry["code"]), (&json!(message.data["hash"]), &json!(message.code)));
    }

    // What retention drops before it was sent is counted.
    happens(&office, "never sent");
    state_is(&office, "it is in the log", |state| state["waiting"].as_u64() >= Some(1)).await;
    let keep = oriel_store::Retention { since: oriel_model::Timestamp::MAX, bytes_max: u64::MAX };
    office.broker.store.drop_oldest(keep, office.broker.now()).await.expect("drops").expect("something");
    let before = office.get("audit/syslog").await.expect(StatusCode::OK)["syslog"].clone();
    assert_eq!(before["dropped"], 0, "{before}");
    let gone =
        server.during(again().await, state_is(&office, "it is told", |state| state["dropped"] != 0)).await;
    assert!(gone["dropped"].as_u64() >= Some(1), "{gone}");
    assert!(!server.messages().iter().any(|message| message.body.to_string().contains("never sent")));
}
