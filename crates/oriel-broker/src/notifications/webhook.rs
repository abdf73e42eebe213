//! Webhooks: a POST of JSON over HTTPS, signed. Redirections are not followed, and what is answered counts as
//! yes or no only.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::body::Body;
use http::{Request, Uri, header};
use hyper_util::rt::TokioIo;
use oriel_model::{
    Id,
    notification::{Notification, Webhook},
};
use oriel_store::StoreError;
use ring::hmac;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{message::Message, trust};
use crate::Broker;

/// Name of a notification's secret that signs what its webhook is sent.
pub(super) const SECRET: &str = "webhook_secret";
/// How long one call may take, from the name's lookup to the answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;
/// Where clouds tell their machines secrets, beside link-local addresses: Amazon by IPv6, and Alibaba.
const METADATA: [IpAddr; 2] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
];

/// Why a webhook did not take a message.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebhookError {
    #[error(
        "the webhook has no secret yet; make one on the page of the notification, or with `oriel notification webhook-secret`"
    )]
    NoSecret,
    #[error("the address of the webhook is wrong")]
    Address,
    #[error("the webhook's server {0} has no address, or none that may be called")]
    NoAddress(String),
    #[error("the webhook cannot be called: {0}")]
    Unusable(String),
    #[error("the webhook's server {0} did not answer in time")]
    TooSlow(String),
    #[error("the webhook's server {host} cannot be reached")]
    Unreachable { host: String, source: std::io::Error },
    #[error("the webhook's server {host} broke off")]
    Broken { host: String, source: hyper::Error },
    #[error("the webhook's server {host} answered {status}")]
    Refused { host: String, status: u16 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tells a webhook.
pub(super) async fn call(
    broker: &Broker,
    id: Id<Notification>,
    hook: &Webhook,
    message: &Message,
) -> Result<(), WebhookError> {
    let secret = broker.store.secret(id.cast(), SECRET).await?.ok_or(WebhookError::NoSecret)?;
    let uri: Uri = hook.url.parse().map_err(|_| WebhookError::Address)?;
    let authority = uri.authority().ok_or(WebhookError::Address)?.clone();
    let body = message.json().to_string();
    let at = broker.now().as_second();
    let request = Request::post(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(header::HOST, authority.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("oriel/", env!("CARGO_PKG_VERSION")))
        .header("oriel-signature", signature(&secret, at, &body))
        .body(Body::from(body))
        .map_err(|_| WebhookError::Address)?;
    let roots = trust::authorities(hook.trusted_certificates.as_deref()).await;
    let roots = roots.map_err(WebhookError::Unusable)?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = authority.port_u16().unwrap_or(443);
    match timeout(PATIENCE, ask(&host, port, roots, request)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(WebhookError::TooSlow(host)),
    }
}

async fn ask(
    host: &str,
    port: u16,
    roots: Vec<rustls::pki_types::CertificateDer<'static>>,
    request: Request<Body>,
) -> Result<(), WebhookError> {
    let unreachable = |source| WebhookError::Unreachable { host: host.to_owned(), source };
    let broken = |source| WebhookError::Broken { host: host.to_owned(), source };
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots);
    let mut config = ClientConfig::builder().with_root_certificates(store).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from(host.to_owned()).map_err(|_| WebhookError::Address)?;
    let stream = dial(host, port).await?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(unreachable)?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(broken)?;
    let answer = async {
        let answer = sender.send_request(request).await;
        drop(sender);
        answer
    };
    // The answer's head is all that is wanted; then both are dropped, and the connection with them.
    let answer = tokio::select! {
        answer = answer => answer.map_err(broken)?,
        ended = connection => {
            return match ended {
                Err(source) => Err(broken(source)),
                Ok(()) => Err(unreachable(std::io::ErrorKind::UnexpectedEof.into())),
            };
        }
    };
    let status = answer.status();
    if status.is_success() {
        Ok(())
    } else {
        Err(WebhookError::Refused { host: host.to_owned(), status: status.as_u16() })
    }
}

/// Connects to one of a name's addresses, of which those are left out that no webhook has. The name is looked
/// up once: what was looked at is what is called.
async fn dial(host: &str, port: u16) -> Result<TcpStream, WebhookError> {
    let unreachable = |source| WebhookError::Unreachable { host: host.to_owned(), source };
    let found = lookup_host((host, port)).await.map_err(unreachable)?;
    let mut last = WebhookError::NoAddress(host.to_owned());
    for address in found.filter(|address: &SocketAddr| may_be_called(address.ip())).take(ADDRESSES_MAX) {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = unreachable(error),
        }
    }
    Err(last)
}

/// Whether a webhook may be there. Link-local addresses are those at which clouds tell their machines secrets.
fn may_be_called(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let is_out = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !(is_out || address.is_unspecified() || address.is_multicast() || METADATA.contains(&address))
}

/// `t=TIME,v1=HMAC`: HMAC-SHA256, in hexadecimal, of the time, a full stop and the body. The time, in seconds
/// since 1970, is signed too, so that an old message cannot be sent again.
fn signature(secret: &[u8], at: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, format!("{at}.{body}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_the_machine_only_is_not_called() {
        for out in
            ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "fd00:ec2::254", "0.0.0.0", "ff02::1"]
        {
            assert!(!may_be_called(out.parse().expect("an address")), "{out}");
        }
        for fine in ["127.0.0.1", "10.1.2.3", "::1", "fd00::1", "192.0.2.1"] {
            assert!(may_be_called(fine.parse().expect("an address")), "{fine}");
        }
    }

    #[test]
    fn a_signature_is_that_of_others() {
        // printf '17.{}' | openssl dgst -sha256 -hmac secret
        let expected = "t=17,v1=8af83b0673ef7fdabfca93bc1f9c0893a4de95938051a9959b16f9e2a9e16802";
        assert_eq!(signature(b"secret", 17, "{}"), expected);
    }
}
