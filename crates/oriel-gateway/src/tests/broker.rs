//! A broker's gateway port: the link's stream, and the portal's calls answered with what was seen.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::any,
};
use http::StatusCode;
use oriel_model::role::Role;
use oriel_net::{
    incoming::{AcceptLimits, ConnectInfo, Incoming},
    listener::Listener,
    serve::serve,
    supervise::ShutdownHandle,
    tls::{Alpn, internal_server},
};
use oriel_wire::v1::{
    GatewayCommand, GatewayMessage, GatewaySettings, JoinRequest, JoinResponse, RenewRequest, RenewResponse,
    TicketKey, Withdraw,
    enrolment_server::{Enrolment, EnrolmentServer},
    gateway_command,
    gateway_link_server::{GatewayLink, GatewayLinkServer},
    gateway_message,
};
use tokio::{
    sync::{Barrier, mpsc},
    time::{Duration, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::{browser::SOON, picture::Farm};

/// Where commands go down, while there is a link.
type Link = Arc<Mutex<Option<mpsc::Sender<Result<GatewayCommand, Status>>>>>;

/// A broker that is there until it is dropped.
/// How many calls the path `together` waits for: more than a browser may have on one connection.
pub(super) const TOGETHER: usize = 300;

pub(super) struct FakeBroker {
    pub(super) address: SocketAddr,
    stop: ShutdownHandle,
    heard: mpsc::Receiver<gateway_message::Body>,
    link: Link,
    /// Portal calls so far.
    pub(super) calls: Arc<AtomicUsize>,
}

impl FakeBroker {
    pub(super) async fn start(farm: &Farm, address: &str, keys: Vec<TicketKey>) -> Self {
        let config = internal_server(&farm.reloading(Role::Broker), Alpn::H2AndHttp1).expect("TLS");
        let mut bound = Listener::bind(address.parse().expect("an address"), "listen");
        for _ in 0..100 {
            if bound.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            bound = Listener::bind(address.parse().expect("an address"), "listen");
        }
        let listener = bound.expect("a port");
        let address = listener.local_addr();
        let (hear, heard) = mpsc::channel(64);
        let link = Arc::new(Mutex::new(None));
        let calls = Arc::new(AtomicUsize::new(0));
        let service = Service { keys, hear, link: link.clone() };
        let router = Router::new()
            .route("/api/portal/v1/{*path}", any(answer))
            .with_state(calls.clone())
            .route("/api/portal/v1/together", any(together).with_state(Arc::new(Barrier::new(TOGETHER))))
            .route_service("/oriel.v1.GatewayLink/{*method}", GatewayLinkServer::new(service))
            .route_service("/oriel.v1.Enrolment/{*method}", EnrolmentServer::new(farm.clone()));
        let stop = ShutdownHandle::new();
        let incoming = Incoming::tls(listener, config, AcceptLimits::default());
        tokio::spawn(serve(incoming, router, stop.signal(), Duration::ZERO));
        Self { address, stop, heard, link, calls }
    }

    /// The certificate that browsers are shown, as the gateway tells it.
    pub(super) async fn hears_of_certificate(&mut self) -> Vec<u8> {
        loop {
            let body = timeout(SOON, self.heard.recv()).await.expect("a message soon").expect("a link");
            if let gateway_message::Body::Certificate(shown) = body {
                return shown.der;
            }
        }
    }

    /// The next message of the gateway that is no report and not its certificate.
    pub(super) async fn hears(&mut self) -> gateway_message::Body {
        loop {
            let body = timeout(SOON, self.heard.recv()).await.expect("a message soon").expect("a link");
            if !matches!(body, gateway_message::Body::Report(_) | gateway_message::Body::Certificate(_)) {
                return body;
            }
        }
    }

    /// Whether a report that fits comes soon.
    pub(super) async fn hears_of_draining(&mut self) {
        loop {
            let body = timeout(SOON, self.heard.recv()).await.expect("a message soon").expect("a link");
            if matches!(body, gateway_message::Body::Report(report) if report.draining) {
                return;
            }
        }
    }

    pub(super) async fn withdraw(&self, withdraw: Withdraw) {
        let link = self.link.lock().expect("no panic").clone().expect("a link");
        let body = Some(gateway_command::Body::Withdraw(withdraw));
        link.send(Ok(GatewayCommand { body })).await.expect("the link stands");
    }
}

impl Drop for FakeBroker {
    fn drop(&mut self) {
        self.stop.give();
    }
}

struct Service {
    keys: Vec<TicketKey>,
    hear: mpsc::Sender<gateway_message::Body>,
    link: Link,
}

#[tonic::async_trait]
impl GatewayLink for Service {
    type AttachStream = ReceiverStream<Result<GatewayCommand, Status>>;

    async fn attach(
        &self,
        request: tonic::Request<Streaming<GatewayMessage>>,
    ) -> Result<tonic::Response<Self::AttachStream>, Status> {
        let (down, commands) = mpsc::channel(8);
        let settings =
            GatewaySettings { ticket_keys: self.keys.clone(), enabled: true, ..GatewaySettings::default() };
        let body = Some(gateway_command::Body::Settings(settings));
        down.try_send(Ok(GatewayCommand { body })).expect("room");
        *self.link.lock().expect("no panic") = Some(down);
        let (hear, link) = (self.hear.clone(), self.link.clone());
        let mut up = request.into_inner();
        tokio::spawn(async move {
            while let Ok(Some(message)) = up.message().await {
                let _ = hear.send(message.body.expect("a body")).await;
            }
            *link.lock().expect("no panic") = None;
        });
        Ok(tonic::Response::new(ReceiverStream::new(commands)))
    }
}

#[tonic::async_trait]
impl Enrolment for Farm {
    async fn join(&self, _: tonic::Request<JoinRequest>) -> Result<tonic::Response<JoinResponse>, Status> {
        Err(Status::unimplemented("nobody joins here"))
    }

    async fn renew(
        &self,
        request: tonic::Request<RenewRequest>,
    ) -> Result<tonic::Response<RenewResponse>, Status> {
        let csr = request.into_inner().csr_pem;
        Ok(tonic::Response::new(RenewResponse {
            certificate_pem: self.issue(&csr, Role::Gateway, Duration::from_secs(3_600)),
            authority_pem: self.authority_pem(),
            broker_addresses: Vec::new(),
        }))
    }
}

/// Answers when [`TOGETHER`] of them are there at the same time.
async fn together(State(all): State<Arc<Barrier>>) -> StatusCode {
    all.wait().await;
    StatusCode::NO_CONTENT
}

/// Says what reached the broker.
async fn answer(State(calls): State<Arc<AtomicUsize>>, request: Request) -> Response {
    calls.fetch_add(1, Ordering::SeqCst);
    let role = request.extensions().get::<ConnectInfo>().and_then(|who| who.peer).map(|peer| peer.role);
    assert_eq!(role, Some(Role::Gateway));
    let mut seen: Vec<String> = request
        .headers()
        .iter()
        .filter(|(name, _)| *name != "user-agent" && *name != "oriel-gateway-id")
        .map(|(name, value)| format!("{name}: {}", value.to_str().expect("ASCII")))
        .collect();
    seen.sort();
    let (method, path) = (request.method().clone(), request.uri().clone());
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.expect("a body");
    let text = format!(
        "{method} {} | {} | {}",
        path.path_and_query().expect("a path"),
        seen.join(", "),
        String::from_utf8_lossy(&body)
    );
    (StatusCode::IM_A_TEAPOT, [("set-cookie", "__Host-oriel=x")], text).into_response()
}
