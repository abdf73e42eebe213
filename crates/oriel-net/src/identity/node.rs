//! A node's own key and certificate, in one file.
//!
//! One file holds key, certificate and the authority's certificate, because a rename replaces one
//! file at a time: a crash in the middle of a renewal leaves either the old three or the new three,
//! never a key with another key's certificate.

use std::{
    fs, io,
    io::{Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use zeroize::Zeroizing;

use super::{CompleteError, PeerIdentity, Validity, certificate_pem, request::check_signed};
use crate::{fingerprint::Fingerprint, tls};

/// The file's name within the node's data directory.
pub const FILE_NAME: &str = "identity.pem";

/// The longest identity file that is read, in bytes. Ours have about 2,000.
const MAX_FILE: u64 = 64 * 1024;

/// Who this node is, and how it proves it.
#[derive(Clone)]
pub struct NodeIdentity {
    key_pem: Zeroizing<String>,
    certificate: CertificateDer<'static>,
    authority: CertificateDer<'static>,
    peer: PeerIdentity,
    valid: Validity,
}

/// Why a node's identity could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The node has not joined a farm yet.
    #[error("this node has not joined a farm yet: there is no {0}")]
    Absent(PathBuf),
    /// Others than the owner may read the private key.
    #[error("{0} can be read by other users of this machine: run chmod 600 on it")]
    Exposed(PathBuf),
    /// The file cannot be read.
    #[error("cannot read {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file's content is damaged.
    #[error("{path} is damaged: {reason}; join the farm again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl NodeIdentity {
    /// Reads the identity from the node's data directory.
    pub fn load(dir: &Path) -> Result<Self, LoadError> {
        let path = dir.join(FILE_NAME);
        let mut text = Zeroizing::new(String::new());
        let mut file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LoadError::Absent(path));
            }
            Err(error) => return Err(LoadError::Io { path, error }),
        };
        match is_exposed(&file) {
            Ok(false) => {}
            Ok(true) => return Err(LoadError::Exposed(path)),
            Err(error) => return Err(LoadError::Io { path, error }),
        }
        if let Err(error) = (&mut file).take(MAX_FILE).read_to_string(&mut text) {
            return Err(LoadError::Io { path, error });
        }
        Self::from_pem(&text).map_err(|reason| LoadError::Damaged { path, reason })
    }

    /// Writes the identity into the node's data directory, which is made if it is missing (0700).
    /// The file is only for its owner (0600) and appears whole or not at all.
    ///
    /// # Errors
    /// What the system says; the previous file is then still there.
    pub fn save(&self, dir: &Path) -> io::Result<()> {
        make_private_dir(dir)?;
        write_private(&dir.join(FILE_NAME), self.to_pem().as_bytes())
    }

    pub(super) fn from_parts(
        key_pem: Zeroizing<String>,
        certificate: CertificateDer<'static>,
        authority: CertificateDer<'static>,
    ) -> Result<Self, CompleteError> {
        let peer = check_signed(&certificate, &authority)?;
        let valid = Validity::of_certificate(&certificate).ok_or(CompleteError::Dates)?;
        Ok(Self { key_pem, certificate, authority, peer, valid })
    }

    fn from_pem(text: &str) -> Result<Self, String> {
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(text.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?;
        let [certificate, authority] = <[_; 2]>::try_from(certificates).map_err(|found| {
            format!("expected two certificates, the node's and the authority's, found {}", found.len())
        })?;
        let end = "-----END PRIVATE KEY-----\n";
        let key_end = text.find(end).ok_or("it holds no private key")? + end.len();
        let key_pem = Zeroizing::new(text[..key_end].to_owned());
        let identity =
            Self::from_parts(key_pem, certificate, authority).map_err(|error| error.to_string())?;
        // Also proves that the key belongs to the certificate.
        identity.certified_key().map_err(|error| error.to_string())?;
        Ok(identity)
    }

    fn to_pem(&self) -> Zeroizing<String> {
        let parts = [self.key_pem.as_str(), &certificate_pem(&self.certificate), &self.authority_pem()];
        Zeroizing::new(parts.concat())
    }

    /// Who this node is.
    pub fn peer(&self) -> PeerIdentity {
        self.peer
    }

    /// The node's certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The certificate of the farm's authority.
    pub fn authority(&self) -> &CertificateDer<'static> {
        &self.authority
    }

    /// The certificate of the farm's authority as PEM.
    pub fn authority_pem(&self) -> String {
        certificate_pem(&self.authority)
    }

    /// The fingerprint of the farm's authority.
    pub fn authority_fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.authority)
    }

    /// When the certificate ends.
    pub fn not_after(&self) -> Timestamp {
        self.valid.not_after
    }

    /// When the certificate should be renewed: at two thirds of its life. The last third is for
    /// brokers that are down and clocks that are wrong.
    pub fn renewal_due(&self) -> Timestamp {
        let (start, end) = (self.valid.not_before.as_second(), self.valid.not_after.as_second());
        let due = start + (end - start).max(0) / 3 * 2;
        Timestamp::from_second(due).unwrap_or(self.valid.not_after)
    }

    /// How long until the renewal is due; zero when it is.
    pub fn renew_after(&self, now: Timestamp) -> Duration {
        Duration::try_from(self.renewal_due().duration_since(now)).unwrap_or(Duration::ZERO)
    }

    /// Key and chain for TLS. The authority's certificate is sent too, so that a component which
    /// only knows its fingerprint can check the chain.
    pub(crate) fn certified_key(&self) -> Result<CertifiedKey, rustls::Error> {
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes())
            .map_err(|error| rustls::Error::General(format!("private key: {error}")))?;
        let chain = vec![self.certificate.clone(), self.authority.clone()];
        CertifiedKey::from_der(chain, key, tls::provider())
    }
}

impl std::fmt::Debug for NodeIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeIdentity")
            .field("peer", &self.peer)
            .field("not_after", &self.valid.not_after)
            .finish_non_exhaustive()
    }
}

/// Makes a directory that only its owner may enter. One that exists keeps its permissions.
pub(crate) fn make_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Writes a file that only its owner may read, whole or not at all.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    // A rest from a crash of an earlier process with the same id.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = (|| {
        let mut file = options.open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
        return written;
    }
    #[cfg(unix)]
    if let Some(dir) = path.parent() {
        fs::File::open(dir)?.sync_all()?; // the rename itself must survive a power cut
    }
    Ok(())
}

#[cfg(unix)]
fn is_exposed(file: &fs::File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &fs::File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::KeyRequest,
        tls::testing::{self, Farm},
    };
    use oriel_model::role::Role;

    #[test]
    fn an_identity_is_found_again_and_renewed_at_two_thirds() {
        let dir = testing::scratch_dir();
        assert!(matches!(NodeIdentity::load(dir.path()), Err(LoadError::Absent(_))));
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let farm = Farm::new(now);
        let identity = farm.node_at(Role::Agent, now, Duration::from_secs(3600 - 300));
        identity.save(dir.path()).unwrap();
        identity.save(dir.path()).unwrap();
        let again = NodeIdentity::load(dir.path()).unwrap();
        assert_eq!(again.peer(), identity.peer());
        assert_eq!(again.authority_fingerprint(), farm.authority.fingerprint());
        // From five minutes ago to 55 minutes ahead: two thirds are 40 minutes after the start.
        assert_eq!(again.renew_after(now), Duration::from_secs(35 * 60));
        assert_eq!(again.renew_after(again.not_after()), Duration::ZERO);
    }

    #[cfg(unix)]
    #[test]
    fn the_key_is_only_for_its_owner() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = testing::scratch_dir();
        let dir = scratch.path().join("node");
        Farm::new(Timestamp::now()).node(Role::Gateway).save(&dir).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let file = dir.join(FILE_NAME);
        assert_eq!((mode(&dir), mode(&file)), (0o700, 0o600));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(NodeIdentity::load(&dir), Err(LoadError::Exposed(_))));
    }

    #[test]
    fn damaged_files_and_foreign_certificates_are_refused() {
        let dir = testing::scratch_dir();
        let (one, two) = (Farm::new(Timestamp::now()), Farm::new(Timestamp::now()));
        let (a, b) = (one.node(Role::Agent), one.node(Role::Agent));
        let mixed = [a.key_pem.as_str(), &certificate_pem(&b.certificate), &b.authority_pem()].concat();
        for text in ["", "rubbish", &mixed, &a.to_pem()[..500]] {
            write_private(&dir.path().join(FILE_NAME), text.as_bytes()).unwrap();
            let error = NodeIdentity::load(dir.path()).unwrap_err();
            assert!(matches!(error, LoadError::Damaged { .. }), "{error}");
        }

        let request = KeyRequest::generate().unwrap();
        let theirs = two.issue(&request, Role::Agent);
        let expected = one.authority.fingerprint();
        let answer = request.complete(&theirs, &two.authority.certificate_pem(), expected);
        assert!(matches!(answer, Err(CompleteError::OtherAuthority { .. })));
        let request = KeyRequest::generate().unwrap();
        let theirs = two.issue(&request, Role::Agent);
        let answer = request.complete(&theirs, &one.authority.certificate_pem(), expected);
        assert_eq!(answer.unwrap_err(), CompleteError::Signature);
        let request = KeyRequest::generate().unwrap();
        let other = one.issue(&KeyRequest::generate().unwrap(), Role::Agent);
        let answer = request.complete(&other, &one.authority.certificate_pem(), expected);
        assert_eq!(answer.unwrap_err(), CompleteError::OtherKey);
    }
}
