//! MS-CHAPv2 (RFC 2759), and how RADIUS carries it (RFC 2548, 2.3).
//!
//! What a client proves with it, the server proves, too: an answer that lets somebody in shows that the server
//! knows the digest of their password.

use des::{
    Des,
    cipher::{BlockCipherEncrypt, KeyInit},
};
use md4::{Digest, Md4};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Microsoft's number among vendors.
pub(super) const VENDOR: u32 = 311;
/// Types of its attributes.
pub(super) const ERROR: u8 = 2;
pub(super) const CHALLENGE: u8 = 11;
pub(super) const RESPONSE: u8 = 25;
pub(super) const SUCCESS: u8 = 26;

const CHALLENGE_LEN: usize = 16;

/// What a client sends, and what only a server that knows the password can answer.
pub(super) struct Proof {
    /// The value of MS-CHAP2-Response.
    pub response: [u8; 50],
    /// What MS-CHAP2-Success must hold: the identifier, `S=` and 40 hexadecimal digits.
    expected: [u8; 43],
}

impl Proof {
    pub fn new(
        identifier: u8,
        user: &str,
        password: &str,
        challenge: &[u8; CHALLENGE_LEN],
        peer_challenge: &[u8; CHALLENGE_LEN],
    ) -> Self {
        let hash = password_hash(password);
        let shared = challenge_hash(peer_challenge, challenge, user);
        let nt_response = response(&shared, &hash);
        let mut value = [0; 50];
        value[0] = identifier;
        value[2..18].copy_from_slice(peer_challenge);
        value[26..].copy_from_slice(&nt_response);
        let mut expected = [0; 43];
        expected[..3].copy_from_slice(&[identifier, b'S', b'=']);
        let digits = expected[3..].chunks_exact_mut(2);
        for (digits, byte) in digits.zip(server_response(&hash, &nt_response, &shared)) {
            digits.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        Self { response: value, expected }
    }

    /// Whether the value of an MS-CHAP2-Success is from somebody who knows the password. What follows the
    /// digits is a message for people.
    pub fn is_answered_by(&self, success: &[u8]) -> bool {
        let Some(given) = success.first_chunk::<43>() else { return false };
        // The RFC writes capitals, and some servers do not.
        let given = given.map(|byte| byte.to_ascii_uppercase());
        // The identifier is a number, and not a letter to be made large.
        success[0] == self.expected[0] && given[1..].ct_eq(&self.expected[1..]).into()
    }
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Why, by the number in MS-CHAP-Error (RFC 2759, 6): for the log.
pub(super) fn reason(error: &[u8]) -> Option<&'static str> {
    let text = std::str::from_utf8(error.get(1..)?).ok()?;
    let number = text.split_ascii_whitespace().find_map(|word| word.strip_prefix("E="))?;
    Some(match number {
        "646" => "outside the hours at which they may sign in",
        "647" => "the account is disabled",
        "648" => "the password has expired",
        "649" => "no right to dial in",
        "691" => "wrong user name or password",
        "709" => "the password could not be changed",
        _ => return None,
    })
}

/// RFC 2759, 8.3: MD4 over the password in UTF-16, least significant byte first.
fn password_hash(password: &str) -> Zeroizing<[u8; 16]> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(password.len() * 2));
    let mut units = [0; 2];
    for letter in password.chars() {
        for unit in letter.encode_utf16(&mut units) {
            bytes.extend_from_slice(&unit.to_le_bytes());
        }
    }
    units.zeroize();
    Zeroizing::new(Md4::digest(&*bytes).into())
}

/// RFC 2759, 8.2. The user's name counts without the domain before it.
fn challenge_hash(peer_challenge: &[u8; 16], challenge: &[u8; 16], user: &str) -> [u8; 8] {
    let user = user.rsplit_once('\\').map_or(user, |(_, name)| name);
    let digest = sha1(&[peer_challenge, challenge, user.as_bytes()]);
    let mut hash = [0; 8];
    hash.copy_from_slice(&digest[..8]);
    hash
}

/// RFC 2759, 8.5: the challenge under three keys of seven bytes each, the last one mostly zeros.
fn response(challenge: &[u8; 8], hash: &[u8; 16]) -> [u8; 24] {
    let mut keys = Zeroizing::new([0; 21]);
    keys[..16].copy_from_slice(hash);
    let mut response = [0; 24];
    for (part, key) in response.chunks_exact_mut(8).zip(keys.chunks_exact(7)) {
        let mut block = (*challenge).into();
        Des::new((&*with_parity(key)).into()).encrypt_block(&mut block);
        part.copy_from_slice(&block);
    }
    response
}

/// 56 bits as DES takes them: seven in the upper part of each byte. The lowest is parity, which nobody checks.
fn with_parity(key: &[u8]) -> Zeroizing<[u8; 8]> {
    let mut spread = Zeroizing::new([0; 8]);
    for (place, byte) in spread.iter_mut().enumerate() {
        let left = if place > 0 { u16::from(key[place - 1]) << 8 } else { 0 };
        let right = key.get(place).map_or(0, |byte| u16::from(*byte));
        *byte = ((left | right) >> place) as u8 & 0xfe;
    }
    spread
}

/// RFC 2759, 8.7.
fn server_response(hash: &[u8; 16], nt_response: &[u8; 24], challenge: &[u8; 8]) -> [u8; 20] {
    const SIGNING: &[u8] = b"Magic server to client signing constant";
    const PADDING: &[u8] = b"Pad to make it do more than one iteration";
    let hash_hash: Zeroizing<[u8; 16]> = Zeroizing::new(Md4::digest(hash).into());
    let first = sha1(&[&*hash_hash, nt_response, SIGNING]);
    sha1(&[&first, challenge, PADDING])
}

fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let bytes = Zeroizing::new(parts.concat());
    let mut hash = [0; 20];
    hash.copy_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, &bytes).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<const N: usize>(digits: &str) -> [u8; N] {
        std::array::from_fn(|place| {
            u8::from_str_radix(&digits[place * 2..place * 2 + 2], 16).expect("hexadecimal")
        })
    }

    /// RFC 2759, 9.2.
    #[test]
    fn every_step_is_that_of_the_standard() {
        let challenge = hex("5B5D7C7D7B3F2F3E3C2C602132262628");
        let peer_challenge = hex("21402324255E262A28295F2B3A337C7E");
        let hash = password_hash("clientPass");
        assert_eq!(*hash, hex("44EBBA8D5312B8D611474411F56989AE"));
        for user in ["User", "BIGCO\\User"] {
            let shared = challenge_hash(&peer_challenge, &challenge, user);
            assert_eq!(shared, hex("D02E4386BCE91226"));
            assert_eq!(response(&shared, &hash), hex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF"));
            let proof = Proof::new(7, user, "clientPass", &challenge, &peer_challenge);
            assert_eq!(proof.expected, *b"\x07S=407A5589115FD0D6209F510FE9C04566932CDA56");
            assert_eq!(proof.response[..2], [7, 0]);
            assert_eq!(proof.response[18..26], [0; 8]);
        }
    }

    #[test]
    fn only_the_whole_proof_for_the_same_exchange_counts() {
        let proof = Proof::new(b'a', "User", "clientPass", &[1; 16], &[2; 16]);
        let mut good = proof.expected.to_vec();
        good.extend_from_slice(b" M=Welcome");
        assert!(proof.is_answered_by(&good));
        assert!(proof.is_answered_by(&[&good[..1], &good[1..].to_ascii_lowercase()].concat()));
        let other = Proof::new(b'a', "User", "other", &[1; 16], &[2; 16]);
        for bad in [&[], &good[..42], b"A".as_slice(), &[b"A", &good[1..]].concat(), &other.expected] {
            assert!(!proof.is_answered_by(bad));
        }
    }

    #[test]
    fn letters_beyond_ascii_are_utf_16() {
        // The digest of U+20AC, one unit, and U+1F511, two units.
        let expected: [u8; 16] = Md4::digest([0xac, 0x20, 0x3d, 0xd8, 0x11, 0xdd]).into();
        assert_eq!(*password_hash("€🔑"), expected);
    }

    #[test]
    fn a_refusal_is_told_by_its_number() {
        assert_eq!(reason(b"\x00E=648 R=0 C=00 V=3 M=x"), Some("the password has expired"));
        assert_eq!(reason(b"\x00E=691 R=1"), Some("wrong user name or password"));
        for bytes in [&b""[..], b"\x00", b"\x00E=12345", b"\x00\xff\xfe", b"\x00M=E=648"] {
            assert_eq!(reason(bytes), None);
        }
    }
}
