//! TLS for the ends: one version and one cipher suite for everybody, so that what stands between two
//! ends does the same work whatever library it uses.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::Arc,
};

use anyhow::Context as _;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, ServerConfig, ServerConnection, SignatureScheme,
    StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    version::TLS13,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

/// The cipher suite on every leg, in OpenSSL's and the specification's name for it.
pub const CIPHER_SUITE: &str = "TLS_AES_256_GCM_SHA384";

/// A client's end.
pub type ClientTls = StreamOwned<ClientConnection, Wire>;
/// A server's end.
pub type ServerTls = StreamOwned<ServerConnection, Wire>;

fn provider() -> Arc<CryptoProvider> {
    let cipher_suites = vec![ring::cipher_suite::TLS13_AES_256_GCM_SHA384];
    Arc::new(CryptoProvider { cipher_suites, ..ring::default_provider() })
}

/// A certificate made for this run.
pub struct Certificate {
    /// Certificate and key as PEM, as haproxy reads them.
    pub pem: String,
    /// SHA-256 of the certificate.
    pub sha256: [u8; 32],
    server: Arc<ServerConfig>,
}

impl Certificate {
    /// Makes one.
    pub fn generate() -> anyhow::Result<Self> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        let der = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
            .map_err(|reason| anyhow::anyhow!("the key that was just made: {reason}"))?;
        let mut server = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])?
            .with_no_client_auth()
            .with_single_cert(vec![der.clone()], key)?;
        // Nobody resumes, so nothing need be kept for it.
        server.send_tls13_tickets = 0;
        Ok(Self {
            pem: format!("{}{}", made.cert.pem(), made.signing_key.serialize_pem()),
            sha256: *oriel_net::fingerprint::Fingerprint::of(&der).as_bytes(),
            server: Arc::new(server),
        })
    }

    /// Does the server's part of the handshake.
    pub fn accept(&self, tcp: TcpStream) -> anyhow::Result<ServerTls> {
        let mut connection = ServerConnection::new(self.server.clone())?;
        // The end itself bounds what it writes.
        connection.set_buffer_limit(None);
        let mut tls = StreamOwned::new(connection, Wire::new(tcp));
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock).context("the TLS handshake")?;
        }
        Ok(tls)
    }
}

/// For dialling servers on loopback, whoever they are. With `http1`, that is asked for in ALPN.
pub fn client_config(http1: bool) -> anyhow::Result<Arc<ClientConfig>> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider())))
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    if http1 {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
    }
    Ok(Arc::new(config))
}

/// Does the client's part of the handshake.
pub fn connect(config: &Arc<ClientConfig>, tcp: TcpStream) -> anyhow::Result<ClientTls> {
    let name = ServerName::try_from("127.0.0.1").expect("an address");
    let mut tls = StreamOwned::new(ClientConnection::new(config.clone(), name)?, Wire::new(tcp));
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock).context("the TLS handshake")?;
    }
    Ok(tls)
}

/// A socket that, when told so, reads ahead: rustls asks for no more than 4 KiB at a time.
pub struct Wire {
    tcp: TcpStream,
    ahead: Vec<u8>,
    from: usize,
    to: usize,
}

impl Wire {
    fn new(tcp: TcpStream) -> Self {
        Self { tcp, ahead: Vec::new(), from: 0, to: 0 }
    }

    /// Reads up to `bytes` at once from now on.
    pub fn read_ahead(&mut self, bytes: usize) {
        if self.from == self.to {
            self.ahead.resize(bytes, 0);
        }
    }

    /// The socket itself.
    pub fn tcp(&self) -> &TcpStream {
        &self.tcp
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ahead.is_empty() {
            return self.tcp.read(buffer);
        }
        if self.from == self.to {
            self.to = self.tcp.read(&mut self.ahead)?;
            self.from = 0;
        }
        let bytes = buffer.len().min(self.to - self.from);
        buffer[..bytes].copy_from_slice(&self.ahead[self.from..self.from + bytes]);
        self.from += bytes;
        Ok(bytes)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.write(bytes)
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.tcp.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes any certificate, but checks that the server has its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
