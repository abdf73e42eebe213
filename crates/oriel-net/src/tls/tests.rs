use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use oriel_model::role::Role;
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use super::{
    testing::{Farm, handshake, scratch_dir},
    *,
};
use crate::{fingerprint::Fingerprint, identity};

fn farm() -> Farm {
    Farm::new(Timestamp::now())
}

/// A certificate that ended an hour ago.
fn expired(farm: &Farm, role: Role) -> Arc<ReloadingIdentity> {
    let then = Timestamp::now() - jiff::SignedDuration::from_hours(2);
    ReloadingIdentity::new(farm.node_at(role, then, Duration::from_secs(3600))).unwrap()
}

fn server(identity: &Arc<ReloadingIdentity>) -> Arc<ServerConfig> {
    internal_server(identity, Alpn::H2).unwrap()
}

#[tokio::test]
async fn components_of_a_farm_know_each_other() {
    let farm = farm();
    let (broker, agent) = (farm.reloading(Role::Broker), farm.reloading(Role::Agent));
    let seen = handshake(server(&broker), internal_client(&agent, Role::Broker).unwrap()).await;
    assert_eq!(seen.unwrap().client, Some(agent.identity().peer()));
}

#[tokio::test]
async fn a_server_in_another_role_is_refused() {
    let farm = farm();
    let (gateway, agent) = (farm.reloading(Role::Gateway), farm.reloading(Role::Agent));
    let error = handshake(server(&gateway), internal_client(&agent, Role::Broker).unwrap()).await;
    let error = explain(&error.unwrap_err());
    assert!(error.contains("is a gateway, expected a broker"), "{error}");
}

#[tokio::test]
async fn another_farm_is_refused_at_both_ends() {
    let (one, two) = (farm(), farm());
    let (broker, stranger) = (one.reloading(Role::Broker), two.reloading(Role::Agent));
    let client = internal_client(&stranger, Role::Broker).unwrap();
    let error = explain(&handshake(server(&broker), client).await.unwrap_err());
    assert!(error.contains("is not from an authority that is trusted here"), "{error}");

    // A client that would accept our broker still cannot pass with the other farm's certificate.
    let mut mixed = (*joining_client(one.authority.fingerprint()).unwrap()).clone();
    mixed.client_auth_cert_resolver = stranger;
    assert!(handshake(server(&broker), Arc::new(mixed)).await.is_err());
}

#[tokio::test]
async fn expired_certificates_are_refused_at_both_ends() {
    let farm = farm();
    let (broker, agent) = (farm.reloading(Role::Broker), farm.reloading(Role::Agent));
    let client = internal_client(&agent, Role::Broker).unwrap();
    let error = handshake(server(&expired(&farm, Role::Broker)), client).await;
    assert!(explain(&error.unwrap_err()).contains("has expired"));
    let client = internal_client(&expired(&farm, Role::Agent), Role::Broker).unwrap();
    assert!(handshake(server(&broker), client).await.is_err());
}

#[tokio::test]
async fn joining_needs_the_fingerprint_of_the_broker_s_farm() {
    let (one, two) = (farm(), farm());
    let broker = one.reloading(Role::Broker);
    let client = joining_client(one.authority.fingerprint()).unwrap();
    assert_eq!(handshake(server(&broker), client).await.unwrap().client, None);

    let client = joining_client(two.authority.fingerprint()).unwrap();
    let error = explain(&handshake(server(&broker), client).await.unwrap_err());
    assert!(error.contains("the farm that the invitation is for"), "{error}");
    let client = joining_client(one.authority.fingerprint()).unwrap();
    assert!(handshake(server(&one.reloading(Role::Agent)), client).await.is_err());
}

#[tokio::test]
async fn sending_the_right_authority_does_not_help_another_farm_s_broker() {
    let (one, two) = (farm(), farm());
    let impostor = two.node(Role::Broker).certified_key().unwrap();
    let chain = vec![impostor.cert[0].clone(), one.authority.certificate().clone()];
    let key = Arc::new(rustls::sign::CertifiedKey::new(chain, impostor.key));
    let config = ServerConfig::builder_with_provider(provider().clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(Arc::try_unwrap(key).unwrap())));
    let client = joining_client(one.authority.fingerprint()).unwrap();
    let mut client = (*client).clone();
    client.alpn_protocols.clear();
    assert!(handshake(Arc::new(config), Arc::new(client)).await.is_err());
}

#[tokio::test]
async fn a_renewed_identity_is_shown_from_the_next_handshake_on() {
    let farm = farm();
    let (broker, agent) = (expired(&farm, Role::Broker), expired(&farm, Role::Agent));
    let server = server(&broker);
    let client = internal_client(&agent, Role::Broker).unwrap();
    assert!(handshake(server.clone(), client.clone()).await.is_err());
    broker.replace(farm.node(Role::Broker)).unwrap();
    assert!(handshake(server.clone(), client.clone()).await.is_err());
    agent.replace(farm.node(Role::Agent)).unwrap();
    assert!(handshake(server, client).await.is_ok());
    let other = agent.replace(farm.node(Role::Broker));
    assert!(matches!(other, Err(ReloadError::OtherIdentity)));
}

#[tokio::test]
async fn a_portal_certificate_is_made_once_and_replaced_while_in_use() {
    let dir = scratch_dir();
    let now = Timestamp::now();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = PortalCertificate::self_signed(dir.path(), &names, now).unwrap();
    let again = PortalCertificate::self_signed(dir.path(), &names, now).unwrap();
    assert_eq!(certificate.fingerprint(), again.fingerprint());
    let other = PortalCertificate::self_signed(dir.path(), &names[..1], now).unwrap();
    assert_ne!(certificate.fingerprint(), other.fingerprint());
    let later = now + jiff::SignedDuration::from_hours(24 * 800);
    let renewed = PortalCertificate::self_signed(dir.path(), &names[..1], later).unwrap();
    assert_ne!(other.fingerprint(), renewed.fingerprint());

    let server = portal_server(&certificate).unwrap();
    let pin = |certificate: &PortalCertificate| {
        pinned_client([Pin::Certificate(certificate.fingerprint())]).unwrap()
    };
    handshake(server.clone(), pin(&certificate)).await.unwrap();
    let old = pin(&certificate);
    let pem = std::fs::read_to_string(dir.path().join("portal-self-signed.pem")).unwrap();
    certificate.replace_pem(&pem, &pem).unwrap();
    assert_eq!(certificate.fingerprint(), renewed.fingerprint());
    let error = explain(&handshake(server.clone(), old).await.unwrap_err());
    assert!(error.contains("is not the pinned one"), "{error}");
    handshake(server, pin(&renewed)).await.unwrap();
}

#[test]
fn changed_files_are_taken_over_and_bad_ones_are_not() {
    let dir = scratch_dir();
    let made = |names: &[String]| {
        PortalCertificate::self_signed(dir.path(), names, Timestamp::now()).unwrap();
        std::fs::read_to_string(dir.path().join("portal-self-signed.pem")).unwrap()
    };
    let (first, second) = (made(&[]), made(&["x.example".to_owned()]));
    let path = dir.path().join("server.pem");
    std::fs::write(&path, &first).unwrap();
    let certificate = PortalCertificate::from_files(&path, &path).unwrap();
    let before = certificate.fingerprint();
    assert!(!certificate.reload().unwrap());
    std::fs::write(&path, &second).unwrap();
    assert!(certificate.reload().unwrap());
    let after = certificate.fingerprint();
    assert_ne!(before, after);
    for bad in ["", "rubbish", &second[..second.len() / 2]] {
        std::fs::write(&path, bad).unwrap();
        assert!(certificate.reload().is_err());
        assert_eq!(certificate.fingerprint(), after);
    }
    assert!(certificate.replace_pem(&first, &second).is_err());
}

/// A host as xrdp installs one: RSA, self-signed.
fn host(pem: &str, versions: &[&'static rustls::SupportedProtocolVersion]) -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap();
    let key = provider().key_provider.load_private_key(key).unwrap();
    // Not `from_der`: it refuses certificates of version 1, which is what this is about.
    let key = rustls::sign::CertifiedKey::new(chain, key);
    let config = ServerConfig::builder_with_provider(provider().clone())
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(key)));
    Arc::new(config)
}

/// Made with `openssl x509 -req -signkey`; its key is for this test only.
const VERSION_1: &str = include_str!("testdata/version-1-host.pem");

#[tokio::test]
async fn version_1_hosts_are_accepted_by_pin_only_and_must_have_the_key() {
    let der = CertificateDer::from_pem_slice(VERSION_1.as_bytes()).unwrap();
    assert_eq!(identity::parse(&der).unwrap().version, x509_parser::x509::X509Version::V1);
    let spki = Fingerprint::of(identity::parse(&der).unwrap().public_key().raw);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let host = host(VERSION_1, &[version]);
        for pin in [Pin::Certificate(Fingerprint::of(&der)), Pin::PublicKey(spki)] {
            let seen = handshake(host.clone(), pinned_client([pin]).unwrap()).await.unwrap();
            assert_eq!(seen.server_certificate, der.to_vec());
        }
        let other = Pin::Certificate(Fingerprint::of(b"another"));
        assert!(handshake(host.clone(), pinned_client([other]).unwrap()).await.is_err());
        assert!(handshake(host.clone(), pinned_client([]).unwrap()).await.is_err());

        // Someone who shows the pinned certificate without having its key.
        let thief = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let stolen = identity::certificate_pem(&der) + &thief.serialize_pem();
        let pinned = pinned_client([Pin::Certificate(Fingerprint::of(&der))]).unwrap();
        assert!(handshake(self::host(&stolen, &[version]), pinned).await.is_err());
    }
}
