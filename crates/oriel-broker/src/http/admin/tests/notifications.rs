//! Notifications from what happens to who is told. Mail over TLS is tried with a real mail server in
//! `oriel-tests`.

use std::{
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::routing::post;
use oriel_net::{authority::Authority, clock::ManualClock};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::notifications::{deliver_once, look};

fn clock() -> ManualClock {
    ManualClock::new("2026-11-21T12:00:00Z".parse().expect("a time"))
}

async fn office(clock: &ManualClock) -> Office {
    Office::open_with(|config| config.clock = Arc::new(clock.clone())).await
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Mails as they were taken: whom each is for, and its text.
type Mails = Arc<Mutex<Vec<(Vec<String>, String)>>>;

/// A mail server without TLS that takes everything: each mail with those it is for.
struct PostBox {
    address: SocketAddr,
    mails: Mails,
}

impl PostBox {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mails = Arc::new(Mutex::new(Vec::new()));
        let taken = mails.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, taken.clone()));
            }
        });
        Self { address, mails }
    }

    fn mails(&self) -> Vec<(Vec<String>, String)> {
        locked(&self.mails).clone()
    }

    /// The mailbox as settings have it.
    fn settings(&self) -> Value {
        let port = self.address.port();
        json!({"server": "127.0.0.1", "port": port, "tls": "opportunistic", "sender": "oriel@example.org"})
    }
}

/// RFC 5321, as far as a client that behaves needs it.
async fn serve(stream: TcpStream, mails: Mails) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut to = Vec::new();
    writer.write_all(b"220 post\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "RCPT" => {
                to.push(
                    line.trim_start_matches("RCPT TO:<").split('>').next().unwrap_or_default().to_owned(),
                );
                "250 fine"
            }
            "DATA" => {
                writer.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    text.push_str(&line);
                    text.push('\n');
                }
                locked(&mails).push((std::mem::take(&mut to), text));
                "250 taken"
            }
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

impl Office {
    async fn set_mailbox(&self, mailbox: Value) {
        let farm = self.get("farm").await.expect(StatusCode::OK);
        let mut spec = farm["spec"].clone();
        spec["mailbox"] = mailbox;
        let changed = json!({"name": farm["name"], "spec": spec, "revision": farm["revision"]});
        self.put("farm", changed).await.expect(StatusCode::OK);
    }

    async fn notification(&self, name: &str, spec: Value) -> String {
        self.made("notifications", json!({"name": name, "spec": spec})).await
    }

    /// Looks and sends, as the broker does every few seconds.
    async fn notice(&self) {
        look(&self.broker).await;
        deliver_once(&self.broker).await;
    }

    async fn state(&self, id: &str) -> Value {
        self.get(&format!("notifications/{id}")).await.expect(StatusCode::OK)["state"].clone()
    }
}

/// More than five sign-ins refused in ten minutes, told to the people on duty.
fn refused(more: Value) -> Value {
    let mut spec = json!({
        "event": "refused_sign_ins",
        "threshold": {"direction": "rises_above", "value": 5},
        "interval_minutes": 1,
        "mail": {"addresses": ["duty@example.org"]},
    });
    spec.as_object_mut().expect("fields").extend(more.as_object().expect("fields").clone());
    spec
}

#[tokio::test]
async fn ten_thousand_events_are_one_mail_and_fifty_notifications_twenty() {
    let (clock, post) = (clock(), PostBox::open().await);
    let office = office(&clock).await;
    office.set_mailbox(post.settings()).await;
    // 10,000 events in ten minutes, looked at every five seconds.
    let storm = async || {
        for _ in 0..120 {
            for _ in 0..84 {
                office.broker.notifications.tally.sign_in_refused(office.broker.now());
            }
            office.notice().await;
            clock.advance(Duration::from_secs(5));
        }
    };
    let once = office.notification("once", refused(json!({}))).await;
    storm().await;
    assert_eq!(post.mails().len(), 1, "one that waits until it is well again");
    assert_eq!(office.state(&once).await["lasting"], 1);

    clock.advance(Duration::from_secs(3600));
    office.notice().await;
    assert_eq!(office.state(&once).await["lasting"], 0, "nothing happens for an hour");
    locked(&post.mails).clear();
    for number in 0..50 {
        office.notification(&format!("n{number}"), refused(json!({"until_recovered": false}))).await;
    }
    storm().await;
    assert_eq!(post.mails().len(), 20, "as many as all of them may send in ten minutes");
}

#[tokio::test]
async fn what_was_told_and_what_waits_outlives_a_restart() {
    let (clock, post) = (clock(), PostBox::open().await);
    let office = office(&clock).await;
    // Nobody listens there yet.
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = gone.local_addr().expect("an address").port();
    drop(gone);
    let mut away = post.settings();
    away["port"] = port.into();
    office.set_mailbox(away).await;
    let id = office.notification("sign-ins", refused(json!({}))).await;
    for _ in 0..6 {
        let body = json!({"name": "nobody", "password": "wrong"});
        let request = Request::post(format!("{PATH_PREFIX}/sign-in"))
            .header("content-type", "application/json")
            .extension(PeerAddress((Ipv4Addr::LOCALHOST, 1).into()))
            .body(Body::from(body.to_string()))
            .expect("a request");
        let answer = office.ask(request).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{:#}", answer.body);
    }
    office.notice().await;
    let state = office.state(&id).await;
    assert_eq!((&state["waiting"], &state["lasting"]), (&json!(1), &json!(1)), "{state:#}");
    assert_eq!(state["failure"]["way"], "mail", "{state:#}");
    let why = state["failure"]["why"].as_str().expect("a reason");
    assert!(why.contains(&format!("127.0.0.1:{port}")), "{why}");

    let office = office.restarted().await;
    office.set_mailbox(post.settings()).await;
    office.notice().await;
    assert_eq!(post.mails().len(), 0, "there is a pause before it is tried again");
    clock.advance(Duration::from_secs(60));
    office.notice().await;
    let mails = post.mails();
    assert_eq!(mails.len(), 1);
    let (to, text) = &mails[0];
    assert_eq!(to, &["duty@example.org"]);
    assert!(text.contains("Subject: [Oriel] Sign-ins refused in ten minutes, sign-ins: 6"), "{text}");
    assert!(text.contains("Auto-Submitted: auto-generated"), "{text}");
    let state = office.state(&id).await;
    assert_eq!((&state["waiting"], &state["failure"]), (&json!(0), &Value::Null));
}

#[tokio::test]
async fn administrators_are_told_what_they_may_see() {
    let (clock, post) = (clock(), PostBox::open().await);
    let office = office(&clock).await;
    office.set_mailbox(post.settings()).await;
    let site = office.made("sites", json!({"name": "North", "spec": {}})).await;
    for (name, role, reach, notified) in [
        ("root", "root", json!({}), true),
        ("viewer", "viewer", json!({}), true),
        ("quiet", "root", json!({}), false),
        ("north", "power", json!({"sites": [site]}), true),
        ("desk", "help_desk", json!({}), true),
        ("publisher", "custom", json!({"grants": [{"actions": ["view"], "area": "publishing"}]}), true),
    ] {
        let user =
            office.made("users", json!({"name": name, "spec": {}, "password": "long enough 12"})).await;
        let spec = json!({
            "who": {"user": user}, "role": role, "reach": reach, "notified": notified,
            "email": format!("{name}@example.org"),
        });
        office.made("administrators", json!({"name": name, "spec": spec})).await;
    }
    let folder = office.config.data_dir.join("backups");
    std::fs::write(folder, "in the way").expect("written");
    office.notification("backups", json!({"event": "backup_failed", "mail": {"administrators": true}})).await;
    office.notice().await;
    let mails = post.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].0, ["north@example.org", "root@example.org", "viewer@example.org"]);
    assert!(mails[0].1.contains("Backup failed, backup"), "{}", mails[0].1);
    assert!(!mails[0].1.contains("root@example.org"), "nobody is shown who else gets it");
}

/// A web server with a certificate of its own authority, which answers with a status.
struct Hooked {
    url: String,
    authority: String,
    calls: Arc<Mutex<Vec<(HeaderMap, String)>>>,
}

impl Hooked {
    async fn open(status: StatusCode) -> Self {
        let now = jiff::Timestamp::now();
        let authority = Authority::create("hooks", now).expect("an authority");
        let key = rcgen::KeyPair::generate().expect("a key");
        let issuer_key = rcgen::KeyPair::from_pem(&authority.key_pem()).expect("a key");
        let issuer = rcgen::Issuer::from_ca_cert_pem(&authority.certificate_pem(), issuer_key).expect("one");
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &issuer).expect("signed");
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
            )
            .expect("usable");
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let taken = calls.clone();
        let take = move |headers: HeaderMap, body: String| async move {
            locked(&taken).push((headers, body));
            (status, [("location", "/elsewhere")])
        };
        let routes = Router::new().route("/hook", post(take.clone())).route("/elsewhere", post(take));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, routes) = (acceptor.clone(), routes.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = hyper_util::service::TowerToHyperService::new(routes);
                    let io = hyper_util::rt::TokioIo::new(stream);
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
                });
            }
        });
        Self { url: format!("https://localhost:{port}/hook"), authority: authority.certificate_pem(), calls }
    }
}

#[tokio::test]
async fn a_webhook_is_called_with_what_it_can_check() {
    let clock = clock();
    let office = office(&clock).await;
    let hook = Hooked::open(StatusCode::NO_CONTENT).await;
    let webhook = json!({"url": hook.url, "trusted_certificates": hook.authority});
    let id = office.notification("hook", refused(json!({"webhook": webhook, "mail": {}}))).await;
    let test = async || {
        let tried = office.post(&format!("notifications/{id}/test"), json!({})).await.expect(StatusCode::OK);
        tried["items"][0]["problem"].as_str().unwrap_or_default().to_owned()
    };
    assert!(test().await.contains("no secret yet"));
    assert!(locked(&hook.calls).is_empty());
    let made = office.post(&format!("notifications/{id}/webhook-secret"), json!({})).await;
    let secret = made.expect(StatusCode::OK)["secret"].as_str().expect("a secret").to_owned();
    assert_eq!(test().await, "");
    let calls = locked(&hook.calls).clone();
    let (headers, body) = &calls[0];
    let said: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!((&said["test"], &said["event"]), (&json!(true), &json!("refused_sign_ins")));
    let signature = headers["oriel-signature"].to_str().expect("text");
    let (time, tag) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).expect("both");
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let tag: Vec<_> = tag
        .as_bytes()
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).expect("hex"), 16).expect("hex"))
        .collect();
    ring::hmac::verify(&key, format!("{time}.{body}").as_bytes(), &tag).expect("it is ours");
    assert_eq!(time, office.broker.now().as_second().to_string());
    let shown = office.get(&format!("notifications/{id}")).await.expect(StatusCode::OK).to_string();
    assert!(!shown.contains(&secret), "a secret is shown once");

    // Its certificate must be somebody's who is trusted.
    let patch = json!({"spec": {"webhook": {"url": hook.url, "trusted_certificates": null}}});
    let path = format!("notifications/{id}");
    let revision = async || office.get(&path).await.expect(StatusCode::OK)["revision"].clone();
    let mut stranger = patch.clone();
    stranger["revision"] = revision().await;
    office.patch(&path, stranger).await.expect(StatusCode::OK);
    let problem = test().await;
    assert!(problem.contains("localhost cannot be reached") && problem.contains("certificate"), "{problem}");

    // Where it sends others, it does not send us; and what it answers is said.
    let elsewhere = Hooked::open(StatusCode::TEMPORARY_REDIRECT).await;
    let hook = json!({"url": elsewhere.url, "trusted_certificates": elsewhere.authority});
    office
        .patch(&path, json!({"spec": {"webhook": hook}, "revision": revision().await}))
        .await
        .expect(StatusCode::OK);
    assert_eq!(test().await, "The webhook's server localhost answered 307.");
    assert_eq!(locked(&elsewhere.calls).len(), 1);
    let near = json!({"url": "https://169.254.169.254/latest/meta-data"});
    office
        .patch(&path, json!({"spec": {"webhook": near}, "revision": revision().await}))
        .await
        .expect(StatusCode::OK);
    assert!(test().await.contains("none that may be called"));
}

#[tokio::test]
async fn tests_are_few_too_and_what_cannot_work_says_why() {
    let office = office(&clock()).await;
    let spec = refused(json!({"script": "tell.sh"}));
    let id = office.notification("all", spec).await;
    let path = format!("notifications/{id}/test");
    let tried = office.post(&path, json!({})).await.expect(StatusCode::OK);
    let problems: Vec<_> = tried["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|one| one["problem"].as_str().expect("one").to_owned())
        .collect();
    assert_eq!(
        problems,
        [
            "The farm has no mailbox; set one in the farm's settings.",
            "The broker's node file names no folder of scripts (\"scripts\").",
        ]
    );
    let refused = office.post("farm/mailbox/test", json!({"to": "a@example.org"})).await;
    refused.refused(StatusCode::SERVICE_UNAVAILABLE, "mail_not_sent");
    let wrong = office.post("farm/mailbox/test", json!({"to": "a@b\r\nc"})).await;
    wrong.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    let early = office.put("farm/mailbox-password", json!({"password": "p"})).await;
    early.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    for _ in 0..18 {
        office.post(&path, json!({})).await.expect(StatusCode::OK);
    }
    office.post(&path, json!({})).await.refused(StatusCode::TOO_MANY_REQUESTS, "busy");
}

#[tokio::test]
async fn the_mailbox_says_whether_its_password_is_set_and_what_the_server_answers() {
    let (office, post) = (office(&clock()).await, PostBox::open().await);
    let state = async || office.get("farm/mailbox").await.expect(StatusCode::OK)["password"].clone();
    assert_eq!(state().await, "not_needed");
    office.set_mailbox(post.settings()).await;
    assert_eq!(state().await, "not_needed");
    let taken = office.post("farm/mailbox/test", json!({"to": "a@example.org"})).await;
    assert_eq!(taken.expect(StatusCode::OK)["answer"], "250 taken");

    let with = |server: &str| json!({"server": server, "sender": "oriel@example.org", "user_name": "oriel", "tls": "implicit"});
    office.set_mailbox(with("mail.example.org")).await;
    assert_eq!(state().await, "missing");
    let set = office.put("farm/mailbox-password", json!({"password": "never shown"})).await;
    set.expect(StatusCode::NO_CONTENT);
    assert_eq!(state().await, "set");
    office.set_mailbox(with("elsewhere.example.org")).await;
    assert_eq!(state().await, "of_another");
    let farm = office.get("farm").await.expect(StatusCode::OK);
    assert!(!farm.to_string().contains("never shown"), "{farm:#}");
}
