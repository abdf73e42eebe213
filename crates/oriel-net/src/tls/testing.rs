//! A small farm for tests: an authority and nodes with certificates from it.

use std::{path::Path, path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use oriel_model::role::Role;
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use uuid::Uuid;

use super::{ReloadingIdentity, peer_identity};
use crate::{
    authority::{Authority, Grant},
    identity::{KeyRequest, NodeIdentity, PeerIdentity},
};

pub(crate) struct Farm {
    pub(crate) authority: Authority,
    now: Timestamp,
}

impl Farm {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { authority: Authority::create("Test", now).unwrap(), now }
    }

    /// The PEM of an hour's certificate for this request, always with id 7.
    pub(crate) fn issue(&self, request: &KeyRequest, role: Role) -> String {
        self.issue_at(request, role, self.now, Duration::from_secs(3600))
    }

    fn issue_at(&self, request: &KeyRequest, role: Role, now: Timestamp, lifetime: Duration) -> String {
        let identity = PeerIdentity { farm: self.authority.farm(), role, id: Uuid::from_u128(7) };
        let grant = Grant { identity, names: vec!["127.0.0.1".into()], lifetime };
        self.authority.issue(&request.csr_pem().unwrap(), &grant, now).unwrap()
    }

    pub(crate) fn node(&self, role: Role) -> NodeIdentity {
        self.node_at(role, self.now, Duration::from_secs(3600))
    }

    pub(crate) fn node_at(&self, role: Role, now: Timestamp, lifetime: Duration) -> NodeIdentity {
        let request = KeyRequest::generate().unwrap();
        let certificate = self.issue_at(&request, role, now, lifetime);
        let authority = &self.authority;
        request.complete(&certificate, &authority.certificate_pem(), authority.fingerprint()).unwrap()
    }

    pub(crate) fn reloading(&self, role: Role) -> Arc<ReloadingIdentity> {
        ReloadingIdentity::new(self.node(role)).unwrap()
    }
}

/// What each end saw: the server's view of the client, and the certificate the client was shown.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub(crate) client: Option<PeerIdentity>,
    pub(crate) server_certificate: Vec<u8>,
}

/// A handshake in memory, with a byte each way, since in TLS 1.3 a client learns only after its
/// handshake that its certificate was refused.
pub(crate) async fn handshake(
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
) -> std::io::Result<Handshake> {
    let (near, far) = duplex(64 * 1024);
    let accepting = tokio::spawn(async move {
        let mut stream = TlsAcceptor::from(server).accept(far).await?;
        let client = peer_identity(stream.get_ref().1.peer_certificates());
        let byte = stream.read_u8().await?;
        stream.write_u8(byte).await?;
        stream.shutdown().await?;
        client.map_err(std::io::Error::other)
    });
    let name = ServerName::try_from("any.example").unwrap();
    let mut stream = TlsConnector::from(client).connect(name, near).await?;
    let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    stream.write_u8(7).await?;
    assert_eq!(stream.read_u8().await?, 7);
    Ok(Handshake { client: accepting.await.unwrap()?, server_certificate: shown })
}

/// A directory of its own that goes away with the value.
pub(crate) struct ScratchDir(PathBuf);

impl ScratchDir {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn scratch_dir() -> ScratchDir {
    let path = std::env::temp_dir().join(format!("oriel-net-{}", Uuid::now_v7()));
    std::fs::create_dir(&path).unwrap();
    ScratchDir(path)
}
