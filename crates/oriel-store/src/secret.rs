//! Secrets at rest: sealed with AES-256-GCM under the farm key and bound to their place, so that a
//! sealed secret copied to another object or name does not open there.
//!
//! Layout: version (1 byte), id of the farm key (1 byte), nonce (12 bytes), sealed bytes, tag
//! (16 bytes). The key id is there so that a farm key can be replaced while old secrets still open.
//!
//! Nonces are random. That is safe for 2^32 secrets under one key (NIST SP 800-38D, 8.3); a farm
//! that sets a secret every second would get there in 136 years.

use oriel_model::{Id, Kind};
use ring::{
    aead::{Aad, NONCE_LEN, Nonce},
    rand::{SecureRandom, SystemRandom},
};
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use crate::FarmKey;

/// Size of a secret at most, in bytes: a private key with its certificate chain fits several times.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;

/// Names of secrets at most, in characters; they are words of the program, not of people.
const NAME_MAX: usize = 64;
/// This layout.
const VERSION: u8 = 1;
const HEADER_LEN: usize = 2 + NONCE_LEN;

/// A secret of a settings object, opened.
#[derive(Clone)]
pub struct OwnedSecret {
    /// Kind of the object.
    pub kind: Kind,
    /// The object.
    pub owner: Id<Value>,
    /// The secret's name.
    pub name: String,
    /// The secret.
    pub value: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for OwnedSecret {
    /// The secret is left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "secret \"{}\" of {} {}", self.name, self.kind, self.owner)
    }
}

/// A sealed secret does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It was sealed by a newer version.
    #[error("it is sealed in a way that this version does not know (layout {0})")]
    Layout(u8),
    /// It was sealed under a key that is not loaded.
    #[error("it is sealed with farm key {sealed_with}, but farm key {loaded} is loaded")]
    OtherKey {
        /// Id of the key that sealed it.
        sealed_with: u8,
        /// Id of the key that is there.
        loaded: u8,
    },
    /// The key does not fit, or the bytes are not those that were sealed.
    #[error("the farm key is not the one it was sealed with, or the stored bytes were altered")]
    Refused,
}

/// Where a secret belongs; a sealed secret opens nowhere else.
pub(crate) struct SecretPlace<'a> {
    pub kind: Kind,
    pub owner: Id<Value>,
    pub name: &'a str,
}

impl SecretPlace<'_> {
    fn aad(&self) -> Aad<Vec<u8>> {
        // No part can hold a zero byte, so different places never read the same.
        let text = format!("oriel secret\0{}\0{}\0{}", self.kind, self.owner, self.name);
        Aad::from(text.into_bytes())
    }
}

/// Whether `name` can name a secret: lower-case letters, digits, `_` and `-`.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

/// Seals `secret` for its place.
pub(crate) fn seal(key: &FarmKey, place: &SecretPlace, secret: &[u8]) -> Vec<u8> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).expect("the operating system gives random bytes");
    let mut inner = Zeroizing::new(secret.to_vec());
    let tag = key
        .cipher()
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), place.aad(), &mut inner)
        .expect("secrets are far shorter than the limit of the cipher");
    let mut sealed = Vec::with_capacity(HEADER_LEN + inner.len() + tag.as_ref().len());
    sealed.extend([VERSION, key.id()]);
    sealed.extend(nonce);
    sealed.extend(inner.iter());
    sealed.extend(tag.as_ref());
    sealed
}

/// Opens what [`seal`] made for the same place.
pub(crate) fn open(
    key: &FarmKey,
    place: &SecretPlace,
    mut sealed: Vec<u8>,
) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let Some((&[version, key_id], _)) = sealed.split_first_chunk() else { return Err(SecretError::Refused) };
    if version != VERSION {
        return Err(SecretError::Layout(version));
    }
    if key_id != key.id() {
        return Err(SecretError::OtherKey { sealed_with: key_id, loaded: key.id() });
    }
    let nonce: [u8; NONCE_LEN] =
        sealed.get(2..HEADER_LEN).and_then(|bytes| bytes.try_into().ok()).ok_or(SecretError::Refused)?;
    let opened = key
        .cipher()
        .open_within(Nonce::assume_unique_for_key(nonce), place.aad(), &mut sealed, HEADER_LEN..)
        .map_err(|_| SecretError::Refused)?;
    let secret = Zeroizing::new(opened.to_vec());
    sealed.zeroize();
    Ok(secret)
}

/// A known secret in a place of its own: tells whether a farm key belongs to a store.
pub(crate) fn key_check(key: &FarmKey) -> Vec<u8> {
    seal(key, &key_check_place(), b"")
}

/// Whether `sealed` is the [`key_check`] of this key.
pub(crate) fn check_key(key: &FarmKey, sealed: Vec<u8>) -> Result<(), SecretError> {
    open(key, &key_check_place(), sealed).map(drop)
}

fn key_check_place() -> SecretPlace<'static> {
    let nobody = "00000000-0000-0000-0000-000000000000".parse().expect("a UUID");
    SecretPlace { kind: Kind::Farm, owner: nobody, name: "key-check" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> SecretPlace<'_> {
        SecretPlace { kind: Kind::User, owner: Id::generate(jiff::Timestamp::UNIX_EPOCH), name }
    }

    #[test]
    fn a_secret_opens_in_its_own_place_only() {
        let key = FarmKey::generate();
        let here = place("password");
        let sealed = seal(&key, &here, b"hunter2");
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(open(&key, &here, sealed.clone()).expect("opens").as_slice(), b"hunter2");

        let renamed = SecretPlace { name: "totp", ..here };
        assert_eq!(open(&key, &renamed, sealed.clone()), Err(SecretError::Refused));
        let of_another = place("password");
        assert_eq!(open(&key, &of_another, sealed.clone()), Err(SecretError::Refused));
        let of_another_kind = SecretPlace { kind: Kind::Group, ..place("password") };
        assert_eq!(open(&key, &of_another_kind, sealed), Err(SecretError::Refused));
    }

    #[test]
    fn the_wrong_key_an_altered_byte_and_a_cut_are_refused() {
        let key = FarmKey::generate();
        let here = place("password");
        let sealed = seal(&key, &here, b"hunter2");
        assert_eq!(open(&FarmKey::generate(), &here, sealed.clone()), Err(SecretError::Refused));
        for length in 0..sealed.len() {
            assert_eq!(open(&key, &here, sealed[..length].to_vec()), Err(SecretError::Refused), "{length}");
        }
        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            assert!(open(&key, &here, altered).is_err(), "{index}");
        }
    }

    #[test]
    fn other_layouts_and_keys_are_told_apart() {
        let key = FarmKey::generate();
        let here = place("password");
        let sealed = seal(&key, &here, b"");
        let with = |index: usize, byte| {
            let mut sealed = sealed.clone();
            sealed[index] = byte;
            open(&key, &here, sealed)
        };
        assert_eq!(with(0, 9), Err(SecretError::Layout(9)));
        assert_eq!(with(1, 7), Err(SecretError::OtherKey { sealed_with: 7, loaded: 1 }));
    }
}
