//! A random key of 32 bytes that the farm keeps as a sealed secret. Each use is a type of its own, so that
//! the key for one thing is not taken for another.

use std::{fmt, marker::PhantomData};

use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use zeroize::Zeroizing;

/// Length, in bytes: what AES-256 takes, and HMAC-SHA256 at best.
const LEN: usize = 32;

/// A key for the use `U`.
pub struct SecretKey<U> {
    bytes: Zeroizing<[u8; LEN]>,
    use_: PhantomData<fn() -> U>,
}

impl<U> SecretKey<U> {
    /// A new random key; none if the operating system gives no random bytes.
    pub fn generate() -> Option<Self> {
        let mut bytes = Zeroizing::new([0; LEN]);
        SystemRandom::new().fill(&mut *bytes).ok()?;
        Some(Self { bytes, use_: PhantomData })
    }

    /// A key from the secret's bytes; none if there are not 32.
    pub fn from_secret(bytes: &[u8]) -> Option<Self> {
        Some(Self { bytes: Zeroizing::new(bytes.try_into().ok()?), use_: PhantomData })
    }

    /// The secret's bytes.
    pub fn to_secret(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.bytes.to_vec())
    }

    /// The key for another purpose, which opens nothing of this one, nor the other way around
    /// ([NIST SP 800-108r1] 4.1 with HMAC-SHA256, one block).
    pub fn derived<V>(&self, purpose: &str) -> SecretKey<V> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*self.bytes);
        let mut bytes = Zeroizing::new([0; LEN]);
        bytes.copy_from_slice(hmac::sign(&key, purpose.as_bytes()).as_ref());
        SecretKey { bytes, use_: PhantomData }
    }

    /// The key itself.
    pub(crate) fn bytes(&self) -> &[u8; LEN] {
        &self.bytes
    }
}

impl<U> fmt::Debug for SecretKey<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}
