//! Passwords hidden (PAP; RFC 2865, 5.2) and proved (CHAP; RFC 1994, 4.1).

use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::packet::AUTHENTICATOR_LEN;

/// The longest password that can be hidden, in bytes (RFC 2865, 5.2).
pub(super) const PAP_MAX: usize = 128;

/// The value of User-Password: the password, filled up with zeros to whole blocks of 16 bytes, each of them
/// under a key stream of secret and the block before; none if it is too long.
pub(super) fn hidden(
    password: &[u8],
    secret: &[u8],
    authenticator: &[u8; AUTHENTICATOR_LEN],
) -> Option<Vec<u8>> {
    if password.len() > PAP_MAX {
        return None;
    }
    let len = password.len().next_multiple_of(AUTHENTICATOR_LEN).max(AUTHENTICATOR_LEN);
    let mut plain = Zeroizing::new(vec![0; len]);
    plain[..password.len()].copy_from_slice(password);
    let mut hidden = Vec::with_capacity(len);
    let mut before = *authenticator;
    for block in plain.chunks_exact(AUTHENTICATOR_LEN) {
        let stream = Md5::new().chain_update(secret).chain_update(before).finalize();
        for (byte, key) in block.iter().zip(stream) {
            hidden.push(byte ^ key);
        }
        before.copy_from_slice(&hidden[hidden.len() - AUTHENTICATOR_LEN..]);
    }
    Some(hidden)
}

/// The value of CHAP-Password: the identifier and the digest over it, the password and the challenge.
pub(super) fn chap(identifier: u8, password: &[u8], challenge: &[u8]) -> [u8; 17] {
    let digest =
        Md5::new().chain_update([identifier]).chain_update(password).chain_update(challenge).finalize();
    let mut value = [identifier; 17];
    value[1..].copy_from_slice(&digest);
    value
}
