//! TLS between the components of a farm: both ends are ours, so it is TLS 1.3 only, and both ends
//! are known by the name that the farm's authority wrote into their certificate.

use std::sync::Arc;

use oriel_model::role::Role;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, ServerConfig,
    SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{verify_tls12_signature, verify_tls13_signature},
    server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier},
    version::TLS13,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use uuid::Uuid;

use super::{ReloadingIdentity, algorithms, provider};
use crate::{
    fingerprint::Fingerprint,
    identity::{IdentityError, PeerIdentity, farm_of_authority},
};

/// What a server offers to speak inside TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alpn {
    /// HTTP/2 only: gRPC.
    H2,
    /// HTTP/2, or HTTP/1.1 for WebSockets.
    H2AndHttp1,
}

impl Alpn {
    pub(super) fn protocols(self) -> Vec<Vec<u8>> {
        match self {
            Alpn::H2 => vec![b"h2".to_vec()],
            Alpn::H2AndHttp1 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        }
    }
}

/// For ports that components of the farm dial. A client may come without a certificate, since it
/// has none when it joins; one that comes with a certificate must have it from our authority. Ask
/// [`peer_identity`] who it is.
pub fn internal_server(identity: &Arc<ReloadingIdentity>, alpn: Alpn) -> Result<Arc<ServerConfig>, Error> {
    let roots = Arc::new(roots_of(identity.identity().authority())?);
    let clients = WebPkiClientVerifier::builder_with_provider(roots, provider().clone())
        .allow_unauthenticated()
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(provider().clone())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(clients)
        .with_cert_resolver(identity.clone());
    config.alpn_protocols = alpn.protocols();
    // A resumed session would keep its client's old certificate beyond its end.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// For dialling a component of our own farm in the role `expected`, with our own identity shown.
/// Host names are not checked: the certificate's farm and role are.
pub fn internal_client(
    identity: &Arc<ReloadingIdentity>,
    expected: Role,
) -> Result<Arc<ClientConfig>, Error> {
    let present = identity.identity();
    let verifier = ComponentVerifier {
        trust: Trust::Authority {
            roots: Arc::new(roots_of(present.authority())?),
            farm: present.peer().farm,
        },
        expected,
    };
    let config = client_builder(verifier)?.with_client_cert_resolver(identity.clone());
    Ok(finish(config))
}

/// For joining: all that is known is the fingerprint of the farm's authority, from the invitation.
/// Only a broker whose chain holds that authority's certificate, and is signed by it, is accepted.
pub fn joining_client(authority: Fingerprint) -> Result<Arc<ClientConfig>, Error> {
    let verifier = ComponentVerifier { trust: Trust::Fingerprint(authority), expected: Role::Broker };
    Ok(finish(client_builder(verifier)?.with_no_client_auth()))
}

/// Who is at the other end, given the certificates of an established connection
/// (`peer_certificates()`): nobody in particular, or a component of the farm.
pub fn peer_identity(
    certificates: Option<&[CertificateDer<'_>]>,
) -> Result<Option<PeerIdentity>, IdentityError> {
    certificates.and_then(<[_]>::first).map(PeerIdentity::from_certificate).transpose()
}

fn client_builder(
    verifier: ComponentVerifier,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, Error> {
    Ok(ClientConfig::builder_with_provider(provider().clone())
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier)))
}

fn finish(mut config: ClientConfig) -> Arc<ClientConfig> {
    config.alpn_protocols = Alpn::H2.protocols();
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

fn roots_of(authority: &CertificateDer<'_>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone().into_owned())?;
    Ok(roots)
}

/// Accepts servers by farm and role instead of by host name.
#[derive(Debug)]
struct ComponentVerifier {
    trust: Trust,
    expected: Role,
}

#[derive(Debug)]
enum Trust {
    Authority { roots: Arc<RootCertStore>, farm: Uuid },
    Fingerprint(Fingerprint),
}

/// Why a server of the farm was refused although its chain may be in order.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the server did not send the certificate of the farm that the invitation is for")]
    AuthorityNotSent,
    #[error("the server belongs to another farm")]
    OtherFarm,
    #[error("the server is a {found}, expected a {expected}")]
    Role { found: Role, expected: Role },
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refusal))))
    }
}

impl ServerCertVerifier for ComponentVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let (roots, farm) = match &self.trust {
            Trust::Authority { roots, farm } => (roots.clone(), *farm),
            Trust::Fingerprint(expected) => {
                let authority = intermediates
                    .iter()
                    .find(|certificate| Fingerprint::of(certificate) == *expected)
                    .ok_or(Refusal::AuthorityNotSent)?;
                let farm = farm_of_authority(authority).map_err(Refusal::Identity)?;
                (Arc::new(roots_of(authority)?), farm)
            }
        };
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            &roots,
            intermediates,
            now,
            algorithms().all,
        )?;
        let server = PeerIdentity::from_certificate(end_entity).map_err(Refusal::Identity)?;
        if server.farm != farm {
            return Err(Refusal::OtherFarm.into());
        }
        if server.role != self.expected {
            return Err(Refusal::Role { found: server.role, expected: self.expected }.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}
