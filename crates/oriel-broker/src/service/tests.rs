//! One farm, end to end within this crate: a real agent's and a real gateway's streams over TLS, played
//! by the test. What many hosts do together is tested with the whole farm in `oriel-tests`.

use std::{net::Ipv4Addr, sync::Mutex};

use ::http::{
    Method, StatusCode,
    header::{COOKIE, SET_COOKIE},
};
use oriel_model::{
    Id,
    invitation::Invitation,
    resource::{Application, Resource, Target},
    role::Role,
    session::EndReason,
    user::User,
};
use oriel_net::{
    connect::channel,
    identity::{KeyRequest, NodeIdentity},
    supervise::ShutdownHandle,
    tls::{internal_client, joining_client},
};
use oriel_store::{Author, Transaction};
use oriel_wire::{
    ticket::{self, TicketKey},
    v1::{
        AgentHello, AgentMessage, AgentReply, Done, EndedSession, GatewayHello, GatewayMessage, HostReport,
        JoinRequest, Prepare, Prepared, Refused, SessionReport, agent_link_client::AgentLinkClient,
        agent_message, agent_reply, agent_request, broker_message, enrolment_client::EnrolmentClient,
        gateway_command, gateway_link_client::GatewayLinkClient, gateway_message,
    },
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, transport::Channel};
use tower::{Service, ServiceExt};
use zeroize::Zeroizing;

use super::*;

struct Running {
    broker: Arc<Broker>,
    gateway: SocketAddr,
    agent: SocketAddr,
    stop: ShutdownHandle,
    task: tokio::task::JoinHandle<Result<(), Failure>>,
}

impl Running {
    async fn start(dir: &std::path::Path) -> Self {
        let mut config = BrokerConfig::new(dir, Ipv4Addr::LOCALHOST.into(), "b1");
        for listen in [&mut config.gateway_listen, &mut config.agent_listen, &mut config.management_listen] {
            listen.set_port(0);
        }
        let bound = bind(config).await.expect("bound");
        let (broker, gateway, agent) = (bound.broker().clone(), bound.gateway_addr(), bound.agent_addr());
        let stop = ShutdownHandle::new();
        let task = tokio::spawn(bound.run(stop.signal()));
        Self { broker, gateway, agent, stop, task }
    }

    async fn stop(self) {
        self.stop.give();
        let ended = tokio::time::timeout(Duration::from_secs(15), self.task).await.expect("in time");
        assert_eq!(ended.expect("no panic"), Ok(()));
    }

    async fn invite(&self, role: Role, secret: &str) -> Id<Invitation> {
        let now = self.broker.now();
        let id = Id::generate(now);
        let view = self.broker.farm.load();
        let invitation = Invitation {
            role,
            expires_at: now + jiff::SignedDuration::from_mins(5),
            pool: view.pools.by_name("default").map(|pool| pool.id),
            component_name: None,
            secret_sha256: crate::app::objects::secret_sha256(secret),
            used: None,
        };
        let transaction =
            Transaction::new(Author::system(), now).create(id, format!("{role}"), None, &invitation);
        self.broker.commit(transaction).await.expect("committed");
        id
    }

    async fn join(&self, role: Role, invitation: Id<Invitation>, secret: &str) -> Result<NodeIdentity, Code> {
        let fingerprint = self.broker.authority.fingerprint();
        let tls = joining_client(fingerprint).expect("tls");
        let mut client = EnrolmentClient::new(channel([self.agent.to_string()], tls));
        let key = KeyRequest::generate().expect("key");
        let request = JoinRequest {
            invitation_id: invitation.to_string(),
            secret: secret.into(),
            role: role.to_string(),
            csr_pem: key.csr_pem().expect("request"),
            machine_name: "m1".into(),
            version: "1".into(),
        };
        let joined = client.join(request).await.map_err(|status| status.code())?.into_inner();
        Ok(key.complete(&joined.certificate_pem, &joined.authority_pem, fingerprint).expect("complete"))
    }
}

fn dial(address: SocketAddr, identity: NodeIdentity) -> Channel {
    let identity = ReloadingIdentity::new(identity).expect("usable");
    channel([address.to_string()], internal_client(&identity, Role::Broker).expect("tls"))
}

/// Plays an agent: says yes to everything and reports what it was asked to prepare.
struct FakeAgent {
    say: mpsc::Sender<AgentMessage>,
    sessions: Arc<Mutex<Vec<SessionReport>>>,
    prepared: Arc<Mutex<Vec<Prepare>>>,
    released: Arc<Mutex<Vec<String>>>,
    /// Answers to prepares wait for this.
    gate: Arc<tokio::sync::RwLock<()>>,
}

fn message(body: agent_message::Body) -> AgentMessage {
    AgentMessage { body: Some(body) }
}

impl FakeAgent {
    async fn attach(channel: Channel) -> Self {
        let (say, outbound) = mpsc::channel(64);
        let hello = AgentHello { rdp_address: "127.0.0.1:3389".into(), ..Default::default() };
        say.send(message(agent_message::Body::Hello(hello))).await.expect("sent");
        let mut inbound = AgentLinkClient::new(channel)
            .attach(ReceiverStream::new(outbound))
            .await
            .expect("attached")
            .into_inner();
        let first = inbound.message().await.expect("open").and_then(|message| message.body);
        assert!(
            matches!(first, Some(broker_message::Body::Settings(settings)) if settings.max_sessions == 250)
        );
        let agent = Self {
            say,
            sessions: Arc::default(),
            prepared: Arc::default(),
            released: Arc::default(),
            gate: Arc::default(),
        };
        let (released, gate) = (agent.released.clone(), agent.gate.clone());
        let (say, sessions, prepared) = (agent.say.clone(), agent.sessions.clone(), agent.prepared.clone());
        tokio::spawn(async move {
            while let Ok(Some(request)) = inbound.message().await {
                let Some(broker_message::Body::Request(request)) = request.body else { continue };
                let body = match request.body {
                    Some(agent_request::Body::Prepare(prepare)) => {
                        let answer = confirm(&prepare);
                        hosts::lock(&sessions).push(session(&prepare));
                        hosts::lock(&prepared).push(prepare);
                        drop(gate.read().await);
                        agent_reply::Body::Prepared(answer)
                    }
                    Some(agent_request::Body::Release(seat)) => {
                        hosts::lock(&sessions).retain(|session| session.session_id != seat.session_id);
                        hosts::lock(&released).push(seat.session_id);
                        agent_reply::Body::Done(Done {})
                    }
                    Some(agent_request::Body::LogOff(gone)) => {
                        hosts::lock(&sessions).retain(|session| session.session_id != gone.session_id);
                        agent_reply::Body::Done(Done {})
                    }
                    _ => agent_reply::Body::Refused(Refused::default()),
                };
                let reply = AgentReply { request_id: request.request_id, body: Some(body) };
                let _ = say.send(message(agent_message::Body::Reply(reply))).await;
            }
        });
        agent.report(vec![]).await;
        agent
    }

    async fn report(&self, ended: Vec<EndedSession>) {
        let report = HostReport {
            sessions: hosts::lock(&self.sessions).clone(),
            ended,
            healthy: true,
            memory_total_bytes: 8,
            memory_available_bytes: 4,
            ..Default::default()
        };
        self.say.send(message(agent_message::Body::Report(report))).await.expect("sent");
    }
}

fn confirm(prepare: &Prepare) -> Prepared {
    Prepared {
        session_id: prepare.session_id.clone(),
        logon_name: "alice~1".into(),
        one_time_logon: "once".into(),
        rdp_address: "127.0.0.1:3389".into(),
        rdp_certificate_sha256: vec![7; 32],
        ..Default::default()
    }
}

fn session(prepare: &Prepare) -> SessionReport {
    SessionReport {
        session_id: prepare.session_id.clone(),
        user_id: prepare.user_id.clone(),
        user_name: prepare.user_name.clone(),
        proof: prepare.proof.clone(),
        resource_id: prepare.resource_id.clone(),
        resource_name: prepare.resource_name.clone(),
        ..Default::default()
    }
}

/// Plays a gateway: keeps its stream, and passes calls on.
struct FakeGateway {
    channel: Channel,
    keys: Vec<TicketKey>,
    _say: mpsc::Sender<GatewayMessage>,
    _inbound: tonic::Streaming<oriel_wire::v1::GatewayCommand>,
}

impl FakeGateway {
    async fn attach(channel: Channel) -> Self {
        let (say, outbound) = mpsc::channel(8);
        let hello = gateway_message::Body::Hello(GatewayHello::default());
        say.send(GatewayMessage { body: Some(hello) }).await.expect("sent");
        let mut inbound = GatewayLinkClient::new(channel.clone())
            .attach(ReceiverStream::new(outbound))
            .await
            .expect("attached")
            .into_inner();
        let first = inbound.message().await.expect("open").and_then(|command| command.body);
        let Some(gateway_command::Body::Settings(settings)) = first else { panic!("settings come first") };
        let key =
            |key: &oriel_wire::v1::TicketKey| TicketKey::from_bytes(key.key_id, &key.secret).expect("a key");
        let keys = settings.ticket_keys.iter().map(key).collect();
        Self { channel, keys, _say: say, _inbound: inbound }
    }
}

/// Calls the portal's API as a gateway passes it on.
async fn call(
    channel: &Channel,
    method: Method,
    path: &str,
    cookie: &str,
    body: Value,
) -> (StatusCode, Value, String) {
    let request = ::http::Request::builder()
        .method(method)
        .uri(format!("http://farm.oriel/api/portal/v1{path}"))
        .header("oriel-client-address", "192.0.2.7")
        .header("oriel-request", "1")
        .header(COOKIE, cookie)
        .body(tonic::body::Body::new(axum::body::Body::from(body.to_string())))
        .expect("a request");
    let mut channel = channel.clone();
    let response = channel.ready().await.expect("connected").call(request).await.expect("an answer");
    let status = response.status();
    let cookie = response.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    let bytes =
        axum::body::to_bytes(axum::body::Body::new(response.into_body()), 1 << 20).await.expect("a body");
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null), cookie)
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn publish(running: &Running) -> Id<Resource> {
    let broker = &running.broker;
    let now = broker.now();
    let (user, resource) = (Id::<User>::generate(now), Id::generate(now));
    let hash = broker.passwords.hash(Zeroizing::new("correct horse".into())).await.expect("hashed");
    let spec = Resource::new(Target::Application(Application::new("xterm")));
    let transaction = Transaction::new(Author::system(), now)
        .create(user, "Alice", None, &User::default())
        .put_secret(user, crate::app::credential::PASSWORD_SECRET, Zeroizing::new(hash.into_bytes()))
        .create(resource, "Terminal", None, &spec);
    broker.commit(transaction).await.expect("committed");
    resource
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_joining_to_a_launch_and_its_end_and_on_after_a_restart() {
    let scratch = tempfile::tempdir().expect("a folder");
    let running = Running::start(scratch.path()).await;
    let resource = publish(&running).await;

    // Joining: the right secret works once, everything else gets one answer.
    let invitation = running.invite(Role::Agent, "right").await;
    assert_eq!(running.join(Role::Agent, invitation, "wrong").await.err(), Some(Code::Unauthenticated));
    assert_eq!(running.join(Role::Gateway, invitation, "right").await.err(), Some(Code::Unauthenticated));
    let agent_identity = running.join(Role::Agent, invitation, "right").await.expect("joined");
    assert_eq!(running.join(Role::Agent, invitation, "right").await.err(), Some(Code::Unauthenticated));
    let invitation = running.invite(Role::Gateway, "other").await;
    let gateway_identity = running.join(Role::Gateway, invitation, "other").await.expect("joined");

    let gateway = FakeGateway::attach(dial(running.gateway, gateway_identity.clone())).await;
    let portal = &gateway.channel;

    // Only gateways speak for users; only agents attach as hosts.
    let as_agent = dial(running.gateway, agent_identity.clone());
    let (status, ..) = call(&as_agent, Method::GET, "/me", "", Value::Null).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let as_gateway = dial(running.agent, gateway_identity.clone());
    let refused = AgentLinkClient::new(as_gateway).attach(tokio_stream::empty()).await;
    assert_eq!(refused.err().map(|status| status.code()), Some(Code::PermissionDenied));

    // Signing in.
    let wrong = json!({"user_name": "alice", "password": "wrong"});
    let unknown = json!({"user_name": "bob", "password": "wrong"});
    let wrong = call(portal, Method::POST, "/sign-in", "", wrong).await;
    assert_eq!((wrong.0, &wrong.1["code"]), (StatusCode::UNAUTHORIZED, &json!("sign_in_refused")));
    assert_eq!(call(portal, Method::POST, "/sign-in", "", unknown).await, wrong);
    let right = json!({"user_name": "ALICE", "password": "correct horse"});
    let (status, me, cookie) = call(portal, Method::POST, "/sign-in", "", right).await;
    assert_eq!((status, &me["user"]["name"]), (StatusCode::OK, &json!("Alice")));

    // Without hosts the launch says why.
    let wanted = json!({"resource_id": resource, "client": {"name": "laptop", "operating_system": "linux"}});
    let (status, refused, _) = call(portal, Method::POST, "/launches", &cookie, wanted.clone()).await;
    assert_eq!((status, &refused["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("farm_starting")));

    let agent = FakeAgent::attach(dial(running.agent, agent_identity.clone())).await;
    let host = agent_identity.peer().id.into();
    eventually("the host reports", || {
        running.broker.hosts.live(host).is_some_and(|live| live.report.is_some())
    })
    .await;
    // A client that goes away while the host is asked gives its seat back.
    let (gate, prepared) = (agent.gate.write().await, hosts::lock(&agent.prepared).len());
    tokio::select! {
        _ = call(portal, Method::POST, "/launches", &cookie, wanted.clone()) => panic!("answered before the host"),
        () = eventually("the host is asked", || hosts::lock(&agent.prepared).len() > prepared) => {}
    }
    let left = hosts::lock(&agent.prepared).last().map(|prepare| prepare.session_id.clone()).expect("asked");
    // What was sent on this connection before has been read when these are answered.
    for _ in 0..3 {
        call(portal, Method::GET, "/me", &cookie, Value::Null).await;
    }
    drop(gate);
    eventually("the seat is given back", || hosts::lock(&agent.released).contains(&left)).await;

    let (status, launch, _) = call(portal, Method::POST, "/launches", &cookie, wanted.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{launch}");
    let ticket = launch["ticket"].as_str().expect("a ticket");
    let claims = ticket::open(ticket, &gateway.keys, running.broker.now()).expect("opens");
    assert_eq!((&*claims.logon.secret, &*claims.host_address), (&"once".to_owned(), "127.0.0.1:3389"));
    assert_eq!(launch["reconnected"], json!(false));
    assert_ne!(launch["session_id"], json!(left));

    let mine = hosts::lock(&agent.prepared).last().map(session).expect("prepared");
    hosts::lock(&agent.sessions).push(mine);

    // The second launch returns to the same session; the list shows it.
    agent.report(vec![]).await;
    eventually("the session is reported", || !running.broker.hosts.sessions().is_empty()).await;
    let (_, again, _) = call(portal, Method::POST, "/launches", &cookie, wanted).await;
    assert_eq!((&again["session_id"], &again["reconnected"]), (&launch["session_id"], &json!(true)));
    assert!(
        hosts::lock(&agent.prepared)
            .last()
            .is_some_and(|prepare| prepare.reconnect && prepare.start.is_none())
    );
    hosts::lock(&agent.sessions).truncate(1);
    let (_, listed, _) = call(portal, Method::GET, "/resources", &cookie, Value::Null).await;
    assert_eq!(listed["recent"][0]["id"], json!(resource));
    assert_eq!(listed["resources"][0]["name"], json!("Terminal"));

    // The host's word on the end reaches the page.
    let connection = again["connection_id"].as_str().expect("an id");
    let end = format!("/connections/{connection}/end?wait=10");
    let reason = EndReason::TakenOver.as_str().to_owned();
    let ended = EndedSession {
        connection_id: connection.into(),
        session_id: launch["session_id"].as_str().unwrap_or_default().into(),
        reason,
        ..Default::default()
    };
    let (told, ()) =
        tokio::join!(call(portal, Method::GET, &end, &cookie, Value::Null), agent.report(vec![ended]));
    assert_eq!((&told.1["reason"], &told.1["session_running"]), (&json!("taken_over"), &json!(true)));

    // Logging off ends it on the host.
    let log_off = format!("/sessions/{}/log-off", launch["session_id"].as_str().unwrap_or_default());
    let (status, ..) = call(portal, Method::POST, &log_off, &cookie, Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert!(hosts::lock(&agent.sessions).is_empty());

    // A restart loses no sign-in and no identity; signing out ends it for good.
    running.stop().await;
    let token = std::fs::read_to_string(scratch.path().join(bootstrap::ADMIN_TOKEN_FILE)).expect("a token");
    let running = Running::start(scratch.path()).await;
    assert_eq!(
        std::fs::read_to_string(scratch.path().join(bootstrap::ADMIN_TOKEN_FILE)).expect("a token"),
        token
    );
    let gateway = FakeGateway::attach(dial(running.gateway, gateway_identity.clone())).await;
    let (status, ..) = call(&gateway.channel, Method::GET, "/me", &cookie, Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    // It has not heard from the host yet, so it does not call the session gone.
    let back = json!({"session_id": launch["session_id"]});
    let (_, unsure, _) = call(&gateway.channel, Method::POST, "/launches", &cookie, back).await;
    assert_eq!(unsure["code"], json!("farm_starting"));
    let (status, ..) = call(&gateway.channel, Method::POST, "/sign-out", &cookie, Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, ..) = call(&gateway.channel, Method::GET, "/me", &cookie, Value::Null).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    running.stop().await;
    let running = Running::start(scratch.path()).await;
    let gateway = FakeGateway::attach(dial(running.gateway, gateway_identity)).await;
    let (status, ..) = call(&gateway.channel, Method::GET, "/me", &cookie, Value::Null).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    running.stop().await;
}
