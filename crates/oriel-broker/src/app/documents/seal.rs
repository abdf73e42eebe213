//! Sealing with a passphrase: argon2id makes the key, AES-256-GCM seals. The parameters stand beside what
//! is sealed, so that they can grow without making older archives unreadable.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Refused, wrong};

/// Shortest passphrase, in characters: an archive can be tried against for ever by whoever has it.
pub const PASSPHRASE_MIN: usize = 12;
/// Longest passphrase, in bytes: bounds what hashing takes in.
pub const PASSPHRASE_MAX: usize = 1_024;

/// 64 MiB, three passes: the second recommendation of RFC 9106, 4, with one lane.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// An archive may ask for this much memory at most, in KiB: a hostile one must not exhaust it.
const MEMORY_MAX_KIB: u32 = 256 * 1024;
/// An archive may ask for this many passes at most.
const PASSES_MAX: u32 = 16;
/// An archive may ask for this many lanes at most.
const LANES_MAX: u32 = 16;
const SALT_LEN: usize = 16;
const KEY_LEN: usize = 32;

/// Something sealed with a passphrase. Binary fields are base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// How the key is made from the passphrase: `argon2id`, version 19.
    pub kdf: String,
    /// Memory that making the key takes, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
    /// 16 random bytes.
    pub salt: String,
    /// How it is sealed: `aes-256-gcm`.
    pub cipher: String,
    /// 12 random bytes.
    pub nonce: String,
    /// The sealed bytes and their tag.
    pub sealed: String,
}

const KDF: &str = "argon2id";
const CIPHER: &str = "aes-256-gcm";

/// Refuses what is no passphrase worth the name; `field` is where it was sent.
pub fn check_passphrase(field: &str, passphrase: &str) -> Result<(), Refused> {
    if passphrase.chars().count() < PASSPHRASE_MIN {
        return Err(wrong(field, format!("must have at least {PASSPHRASE_MIN} characters")));
    }
    if passphrase.len() > PASSPHRASE_MAX {
        return Err(wrong(field, format!("must have at most {PASSPHRASE_MAX} bytes")));
    }
    Ok(())
}

/// Seals `plain`; `context` says what for, and must be the same when it is opened. Takes about as long as
/// three sign-ins; call it beside the async threads.
pub fn seal(passphrase: &str, context: &str, mut plain: Zeroizing<Vec<u8>>) -> Result<Sealed, Refused> {
    let (mut salt, mut nonce) = ([0; SALT_LEN], [0; NONCE_LEN]);
    let random = SystemRandom::new();
    random.fill(&mut salt).and_then(|()| random.fill(&mut nonce)).map_err(|_| no_randomness())?;
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(KEY_LEN)).expect("within argon2's limits");
    let key = key(passphrase, &salt, params)?;
    let tag = key
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), aad(context), &mut plain)
        .map_err(|_| Refused::WrongPassphrase)?;
    let mut sealed = plain.to_vec();
    sealed.extend_from_slice(tag.as_ref());
    Ok(Sealed {
        kdf: KDF.into(),
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        lanes: LANES,
        salt: STANDARD.encode(salt),
        cipher: CIPHER.into(),
        nonce: STANDARD.encode(nonce),
        sealed: STANDARD.encode(sealed),
    })
}

/// Opens what [`seal`] made. `field` is where it was sent.
pub fn open(
    passphrase: &str,
    context: &str,
    field: &str,
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let wrong = |name: &str, message: String| wrong(&format!("{field}.{name}"), message);
    for (name, found, known) in [("kdf", &sealed.kdf, KDF), ("cipher", &sealed.cipher, CIPHER)] {
        if found != known {
            let shown: String = found.chars().take(64).collect();
            return Err(wrong(name, format!("is \"{shown}\"; this version knows \"{known}\"")));
        }
    }
    for (name, value, max) in [
        ("memory_kib", sealed.memory_kib, MEMORY_MAX_KIB),
        ("passes", sealed.passes, PASSES_MAX),
        ("lanes", sealed.lanes, LANES_MAX),
    ] {
        if value > max {
            return Err(wrong(name, format!("is {value}; at most {max} is taken")));
        }
    }
    let decoded =
        |name: &str, text: &str| STANDARD.decode(text).map_err(|_| wrong(name, "is not base64".to_owned()));
    let salt: [u8; SALT_LEN] = decoded("salt", &sealed.salt)?
        .try_into()
        .map_err(|_| wrong("salt", format!("must have {SALT_LEN} bytes")))?;
    let nonce: [u8; NONCE_LEN] = decoded("nonce", &sealed.nonce)?
        .try_into()
        .map_err(|_| wrong("nonce", format!("must have {NONCE_LEN} bytes")))?;
    let mut bytes = decoded("sealed", &sealed.sealed)?;
    let params = Params::new(sealed.memory_kib, sealed.passes, sealed.lanes, Some(KEY_LEN))
        .map_err(|error| wrong("memory_kib", error.to_string()))?;
    let key = key(passphrase, &salt, params)?;
    let plain = key
        .open_in_place(Nonce::assume_unique_for_key(nonce), aad(context), &mut bytes)
        .map_err(|_| Refused::WrongPassphrase)?
        .len();
    bytes.truncate(plain);
    Ok(Zeroizing::new(bytes))
}

fn key(passphrase: &str, salt: &[u8], params: Params) -> Result<LessSafeKey, Refused> {
    let mut bytes = Zeroizing::new([0; KEY_LEN]);
    let passphrase = &passphrase.as_bytes()[..passphrase.len().min(PASSPHRASE_MAX + 1)];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase, salt, bytes.as_mut())
        .map_err(|error| wrong("passphrase", error.to_string()))?;
    let key = UnboundKey::new(&AES_256_GCM, bytes.as_ref()).expect("the length is that of the cipher");
    Ok(LessSafeKey::new(key))
}

fn aad(context: &str) -> Aad<Vec<u8>> {
    Aad::from(format!("oriel sealed\0{context}").into_bytes())
}

fn no_randomness() -> Refused {
    let reason = "the operating system gave no random bytes".to_owned();
    oriel_store::StoreError::Unavailable { reason }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "a long enough passphrase";

    fn sealed() -> Sealed {
        seal(PASSPHRASE, "test", Zeroizing::new(b"secret".to_vec())).expect("sealed")
    }

    fn field(refused: &Refused) -> &str {
        match refused {
            Refused::Invalid(mistakes) => &mistakes[0].field,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn only_the_passphrase_opens_it_and_only_for_its_purpose() {
        let sealed = sealed();
        assert!(!sealed.sealed.contains(&STANDARD.encode("secret")));
        assert_eq!(open(PASSPHRASE, "test", "s", &sealed).expect("opens").as_slice(), b"secret");
        for (passphrase, context) in [("another passphrase", "test"), (PASSPHRASE, "other")] {
            let refused = open(passphrase, context, "s", &sealed).expect_err("refused");
            assert_eq!(refused.to_string(), "the passphrase is wrong, or the archive was altered");
        }
        let mut bytes = STANDARD.decode(&sealed.sealed).expect("base64");
        bytes[0] ^= 1;
        let altered = Sealed { sealed: STANDARD.encode(bytes), ..sealed };
        assert!(matches!(open(PASSPHRASE, "test", "s", &altered), Err(Refused::WrongPassphrase)));
    }

    #[test]
    fn hostile_parameters_are_refused_by_name_before_any_work() {
        let good = sealed();
        for (bad, expected) in [
            (Sealed { memory_kib: u32::MAX, ..good.clone() }, "s.memory_kib"),
            (Sealed { passes: 1_000, ..good.clone() }, "s.passes"),
            (Sealed { lanes: 1_000, ..good.clone() }, "s.lanes"),
            (Sealed { memory_kib: 0, ..good.clone() }, "s.memory_kib"),
            (Sealed { kdf: "md5".into(), ..good.clone() }, "s.kdf"),
            (Sealed { cipher: "rot13".into(), ..good.clone() }, "s.cipher"),
            (Sealed { salt: "AAAA".into(), ..good.clone() }, "s.salt"),
            (Sealed { nonce: "?".into(), ..good.clone() }, "s.nonce"),
        ] {
            assert_eq!(field(&open(PASSPHRASE, "test", "s", &bad).expect_err("refused")), expected);
        }
        let short = Sealed { sealed: String::new(), ..good };
        assert!(matches!(open(PASSPHRASE, "test", "s", &short), Err(Refused::WrongPassphrase)));
    }

    #[test]
    fn a_passphrase_has_a_least_length() {
        assert_eq!(field(&check_passphrase("passphrase", "short").expect_err("refused")), "passphrase");
        assert!(check_passphrase("passphrase", &"x".repeat(PASSPHRASE_MAX + 1)).is_err());
        assert!(check_passphrase("passphrase", PASSPHRASE).is_ok());
    }
}
