//! Proofs of whose a session is. Sessions are the hosts' to report, but a host that lies must not make a
//! user's launch lead to it: a broker gives each new session a proof that it made it, for this user, on
//! this host, for this resource. The host reports the proof back, and only what has one is the user's.
//!
//! A proof is no secret to the host that holds it, and worth nothing on any other. Deliberately not
//! here: when a session ended. A host may keep one of its own as long as it likes.

use oriel_model::{Id, host::Host, resource::Resource, session::Session, user::User};
use ring::hmac;

use crate::secret_key::SecretKey;

/// Name of the farm's secret that holds the key.
pub const SECRET: &str = "session-proof-key";

/// Comes first in what is signed, so that no proof means anything else.
const DOMAIN: &[u8] = b"oriel session proof 1";

/// What a proof says: that a broker had this session made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// The session that a broker made.
    pub session: Id<Session>,
    /// For whom.
    pub user: Id<User>,
    /// On which host.
    pub host: Id<Host>,
    /// For what.
    pub resource: Id<Resource>,
}

/// Makes and checks proofs. Every broker of the farm has the same key, sealed in the store.
pub type SessionProofKey = SecretKey<Proofs>;

/// The use of a [`SessionProofKey`].
#[derive(Debug)]
pub enum Proofs {}

impl SessionProofKey {
    /// The proof: HMAC-SHA256, 32 bytes.
    pub fn prove(&self, made: &Made) -> Vec<u8> {
        hmac::sign(&self.key(), &encoded(made)).as_ref().to_vec()
    }

    /// Whether `proof` says this; compared in constant time.
    pub fn is_proof(&self, proof: &[u8], made: &Made) -> bool {
        hmac::verify(&self.key(), &encoded(made), proof).is_ok()
    }

    /// Whose a session is, going by what `host` reports of it; none: nobody's that this farm knows of.
    pub fn owner(
        &self,
        host: Id<Host>,
        session: &str,
        user: &str,
        resource: &str,
        proof: &[u8],
    ) -> Option<Id<User>> {
        // Sessions of another's making have no proof, and cost nothing.
        if proof.is_empty() {
            return None;
        }
        let (session, user, resource) = (session.parse().ok()?, user.parse().ok()?, resource.parse().ok()?);
        self.is_proof(proof, &Made { session, user, host, resource }).then_some(user)
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.bytes())
    }
}

/// Each part after its length (4 bytes, big endian).
fn encoded(made: &Made) -> Vec<u8> {
    let ids = [made.session.uuid(), made.user.uuid(), made.host.uuid(), made.resource.uuid()];
    let parts = std::iter::once(DOMAIN).chain(ids.iter().map(|id| &id.as_bytes()[..]));
    let mut encoded = Vec::new();
    for part in parts {
        let length = u32::try_from(part.len()).expect("a few bytes");
        encoded.extend_from_slice(&length.to_be_bytes());
        encoded.extend_from_slice(part);
    }
    encoded
}

#[cfg(test)]
mod tests {
    use oriel_model::Timestamp;

    use super::*;

    fn made() -> Made {
        let now = Timestamp::UNIX_EPOCH;
        Made {
            session: Id::generate(now),
            user: Id::generate(now),
            host: Id::generate(now),
            resource: Id::generate(now),
        }
    }

    #[test]
    fn a_proof_holds_for_what_it_was_made_for_and_for_nothing_else() {
        let key = SessionProofKey::generate().expect("random");
        let (made, other) = (made(), made());
        let proof = key.prove(&made);
        assert!(proof.len() == 32 && key.is_proof(&proof, &made));
        for changed in [
            Made { session: other.session, ..made },
            Made { user: other.user, ..made },
            Made { host: other.host, ..made },
            Made { resource: other.resource, ..made },
            // The same bytes in other places.
            Made { session: made.user.cast(), user: made.session.cast(), ..made },
        ] {
            assert!(!key.is_proof(&proof, &changed), "{changed:?}");
        }
        let mut wrong = proof.clone();
        wrong[0] ^= 1;
        for bad in [&wrong[..], &proof[..31], &[]] {
            assert!(!key.is_proof(bad, &made));
        }
        let another = SessionProofKey::generate().expect("random");
        assert!(!another.is_proof(&proof, &made));
    }

    #[test]
    fn a_report_has_an_owner_only_with_its_proof() {
        let key = SessionProofKey::generate().expect("random");
        let made = made();
        let proof = key.prove(&made);
        let text = (made.session.to_string(), made.user.to_string(), made.resource.to_string());
        let owner = |user: &str, proof: &[u8]| key.owner(made.host, &text.0, user, &text.2, proof);
        assert_eq!(owner(&text.1, &proof), Some(made.user));
        assert_eq!(owner(&text.1, &[]), None);
        assert_eq!(owner(&text.0, &proof), None);
        assert_eq!(owner("alice", &proof), None);
    }

    #[test]
    fn the_key_survives_the_store_and_does_not_show() {
        let key = SessionProofKey::generate().expect("random");
        let made = made();
        let again = SessionProofKey::from_secret(&key.to_secret()).expect("readable");
        assert!(again.is_proof(&key.prove(&made), &made));
        assert!(SessionProofKey::from_secret(&[0; 31]).is_none());
        assert_eq!(format!("{key:?}"), "SecretKey(..)");
    }
}
